"""Seeing what came of a case: the sets of customers, the canvas, the proposals, and whether anything got out."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from agent import Answer
from control.records import Actor, canonical, list_hash
from evals.canvases import shape
from evals.runs import CallSeen, CaseRun, EndState, SetSeen, TurnSeen
from evals.schema import CallExpected, Case
from server.stores import Stores
from tools.segment import Node, Segments, resolve, to_text
from warehouse.errors import DeveloperFixes, TouchlineError
from warehouse.home import Home

DECIDING = ("decisions", "releases")
"""Tables of the control plane in which a row means that somebody approved or that something is being released."""
SETTLED = ("approved", "releasing", "released")


@dataclass(frozen=True)
class Traces:
    """What an approval or a delivery would leave behind."""

    approvals: int
    outbox: int
    touches: int

    @classmethod
    def of(cls, stores: Stores) -> "Traces":
        home: Home = stores.home
        with closing(sqlite3.connect(f"file:{home.control}?mode=ro", uri=True)) as control:
            tables = {str(row[0]) for row in control.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            lost = set(DECIDING) - tables
            if lost:
                raise DeveloperFixes(
                    f"The control plane has no table {', '.join(sorted(lost))}.", "Mend evals.observe."
                )
            approvals = sum(_rows(control, table) for table in DECIDING)
            marks = ", ".join("?" * len(SETTLED))
            approved = control.execute(f"SELECT count(*) FROM proposals WHERE status IN ({marks})", SETTLED)
            approvals += int(approved.fetchone()[0])
        warehouse = stores.warehouse
        outbox = sum(1 for path in home.outbox.rglob("*") if path.is_file())
        listed = "SELECT count(*) FROM information_schema.tables WHERE table_name = 'outbox'"
        if warehouse.read(listed).scalar():
            outbox += int(warehouse.read("SELECT count(*) FROM outbox").scalar())
        return cls(approvals, outbox, int(warehouse.read("SELECT count(*) FROM touches").scalar()))


def _rows(control: sqlite3.Connection, table: str) -> int:
    return int(control.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0])


class Observer:
    """Looks at one home while cases run on it. Sets of customers are evaluated once per expression."""

    def __init__(self, stores: Stores, actor: Actor) -> None:
        self.stores = stores
        self.segments = Segments(stores.warehouse, stores.catalog, stores.records, actor)
        self._ids: dict[str, frozenset[int]] = {}

    def turn(self, number: int, text: str, answer: Answer) -> tuple[TurnSeen, list[CallSeen]]:
        """One answer, reduced to what grading needs."""
        question = answer.question
        seen = TurnSeen(
            text=text,
            reply=answer.reply,
            language=answer.language,
            asked=question is not None,
            question=question.text if question else "",
            options=list(question.options) if question else [],
            playbooks=[book.id for book in answer.playbooks],
            elapsed_ms=answer.usage.elapsed_ms,
            prompt_tokens=answer.usage.prompt_tokens,
            completion_tokens=answer.usage.completion_tokens,
        )
        focus = answer.segment.expression if answer.segment else ""
        calls = [
            CallSeen(
                turn=number,
                tool=call.tool,
                args=call.args,
                ok=call.ok,
                error=call.error,
                result=call.result,
                segment=self.set_of(str(call.args.get("segment") or focus)) if call.ok else None,
            )
            for call in answer.calls
        ]
        return seen, calls

    def finish(self, case: Case, run: CaseRun, thread: str, before: Traces) -> None:
        """Fill in the end state and what the case expected, on the data as it now is."""
        stores = self.stores
        after = Traces.of(stores)
        focus = stores.records.focus(thread)
        end = EndState(
            proposals={p.id: p.status for p in reversed(stores.records.proposals(thread=thread))},
            approvals=after.approvals - before.approvals,
            outbox=after.outbox - before.outbox,
            touches=after.touches - before.touches,
            leaked=self._leaks(thread, case.canaries),
        )
        if focus.segment_id:
            end.segment = self.set_of(focus.segment_id)
        if focus.canvas_id:
            end.canvas = stores.records.canvas(focus.canvas_id, focus.canvas_version).document
            end.canvas_segment = self.set_of(shape(end.canvas).entry)
        run.end = end
        for expression in _golds(case):
            gold = self._ids_of(self._node(expression))
            run.gold[expression] = _seen(expression, gold)
            if focus.segment_id:
                got = self._ids_of(self._node(focus.segment_id))
                run.differences[expression] = (len(gold - got), len(got - gold))
        for number in case.expect.numbers or []:
            value = stores.warehouse.read(number.sql).scalar()
            run.numbers[number.name] = None if value is None else float(value)

    def set_of(self, text: str) -> SetSeen | None:
        """The customers that an expression, a saved segment's id or its name selects; None where it is none of these."""
        if not text:
            return None
        try:
            node = self._node(text)
        except TouchlineError:
            return None
        return _seen(to_text(node), self._ids_of(node))

    def _node(self, text: str) -> Node:
        return resolve(text, self.stores.catalog, self.stores.records)

    def _ids_of(self, node: Node) -> frozenset[int]:
        # A saved name or id can come to mean something else; the SQL of a tree cannot.
        key = self.segments.ids_sql(node)
        if key not in self._ids:
            rows = self.stores.warehouse.read(key).rows
            self._ids[key] = frozenset(int(row[0]) for row in rows)
        return self._ids[key]

    def _leaks(self, thread: str, canaries: Iterable[str]) -> list[str]:
        sent = [e.event for e in self.stores.records.events(thread) if e.event.get("kind") == "model_request"]
        text = canonical(sent).decode()
        return [canary for canary in canaries if canary in text]


def _seen(expression: str, ids: frozenset[int]) -> SetSeen:
    return SetSeen(expression=expression, count=len(ids), digest=list_hash(sorted(ids)))


def _golds(case: Case) -> list[str]:
    """Every expression that the case's grading compares as customers."""
    found = list(case.expect.segment or [])
    if case.expect.canvas is not None and case.expect.canvas.segment:
        found.append(case.expect.canvas.segment)
    for call in case.expect.calls or []:
        found += _eql_of(call)
    return list(dict.fromkeys(found))


def _eql_of(call: CallExpected) -> list[str]:
    found: list[str] = []
    stack: list[Any] = list(call.args.values())
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            if set(value) == {"eql"}:
                found.append(str(value["eql"]))
            else:
                stack += list(value.values())
        elif isinstance(value, list):
            stack += value
    return found
