"""The conversation as one object: ask it something, tell it that somebody decided."""

import os
import sqlite3
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

# Before LangGraph is imported: checkpoints hold only plain JSON-like values.
os.environ.setdefault("LANGGRAPH_STRICT_MSGPACK", "true")

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.types import Command

from agent import replies
from agent.answer import Answer, CallMade, CanvasFile, EvidenceSeen, PlaybookSeen
from agent.desk import Desk, read_focus
from agent.graph import RECURSION_LIMIT, Context, build
from agent.language import detect
from agent.models.base import ChatModel, Question, Usage
from agent.models.registry import Models
from agent.state import State
from agent.toolbox import Toolbox
from control.records import Actor, EventRecord, Records
from knowledge import PlaybookIndex
from tools.base import ToolContext
from tools.canvas import to_yaml
from tools.segment import Segments, resolve
from tools.segment.schema import And, Not, Or
from warehouse.catalog import Catalog, Language
from warehouse.clock import Clock
from warehouse.errors import ModelRetry, TouchlineError
from warehouse.home import Home, write_atomically
from warehouse.store import Warehouse

OnEvent = Callable[[Mapping[str, Any]], None]
MAX_TEXT = 4000
"""Characters of a request; longer ones are refused rather than cut."""


class Assistant:
    """Answers requests of one home. One per process; threads of conversation run side by side, each one in turn.

    Args:
        models: by name; None builds the offline model and, where one is configured, the OpenAI-compatible one.
    """

    def __init__(
        self,
        home: Home,
        warehouse: Warehouse,
        catalog: Catalog,
        records: Records,
        playbooks: PlaybookIndex,
        clock: Clock,
        models: Mapping[str, ChatModel] | None = None,
    ) -> None:
        self.home = home
        self.warehouse = warehouse
        self.catalog = catalog
        self.records = records
        self.playbooks = playbooks
        self.clock = clock
        self.toolbox = Toolbox()
        self.models = Models(catalog, playbooks, warehouse, self.toolbox, self._same_customers, models)
        self._connection = _open(home.threads)
        self._graph = build(SqliteSaver(self._connection))
        self._locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def close(self) -> None:
        self._connection.close()

    def use(self, catalog: Catalog) -> None:
        """Speak of the data by another catalog from the next request on."""
        self.catalog = catalog
        self.models.use(catalog)

    def ask(
        self, text: str, *, thread: str, actor: Actor, model: str | None = None, on_event: OnEvent | None = None
    ) -> Answer:
        """Answer one request.

        Every step is put on record as an event of the thread and handed to `on_event` as it happens.

        Raises:
            ModelRetry: the text is empty or too long, or the model's name is unknown.
        """
        if not text.strip():
            raise ModelRetry("The request is empty.", "Say what you would like to know or do.")
        if len(text) > MAX_TEXT:
            raise ModelRetry(f"The request is longer than {MAX_TEXT} characters.", "Say it in fewer words.")
        chosen = self.models.get(model)
        with self._locks[thread]:
            return self._turn(text, thread, actor, chosen, on_event)

    def _turn(self, text: str, thread: str, actor: Actor, model: ChatModel, on_event: OnEvent | None) -> Answer:
        started = time.perf_counter()
        turns = self.records.turns(thread)
        number = len(turns) + 1
        earlier: Language = turns[-1].turn.get("language", "zh") if turns else "zh"
        language = detect(text, earlier)
        after = self.records.add_event(thread, number, {"kind": "asked", "model": model.name, "language": language})
        desk = Desk(self.records, self.toolbox, self.playbooks, after)
        context = Context(desk, self._context(thread, actor, language), model)
        fresh: State = {
            "thread": thread, "turn": number, "text": text, "language": language, "steps": 0, "pending": [],
            "carried_out": 0, "question": None, "remark": "", "unread": [], "retries": 0, "hits": [], "usage": {},
        }  # fmt: skip
        problem: TouchlineError | None = None
        try:
            for event in self._graph.stream(
                fresh, _config(thread), context=context, stream_mode="custom", durability="sync"
            ):
                self.records.add_event(thread, number, event)
                if on_event:
                    on_event(event)
        except TouchlineError as error:
            problem = error
        state = cast(State, self._graph.get_state(_config(thread)).values)
        answer = self._compose(text, actor, model, state, desk.results(thread, number), problem)
        answer.usage.elapsed_ms = round((time.perf_counter() - started) * 1000, 1)
        document = answer.model_dump(mode="json")
        self.records.add_turn(thread, actor, document)
        self.records.add_event(thread, number, {"kind": "answer", "answer": document})
        if on_event:
            on_event({"kind": "answer", "answer": document})
        return answer

    def decision_made(self, thread: str, proposal: str) -> None:
        """Wake a thread that waits for a proposal. What was decided is read from the proposal's row, not passed in."""
        with self._locks[thread]:
            config = _config(thread)
            pauses = self._graph.get_state(config).interrupts
            if not pauses:
                return
            desk = Desk(self.records, self.toolbox, self.playbooks)
            resume: Command[Any] = Command(resume={pauses[-1].id: {"proposal": proposal}})
            self._graph.invoke(resume, config, context=Context(desk), durability="sync")

    def _same_customers(self, first: str, second: str) -> bool:
        """Whether two expressions select the same customers of the whole bank."""
        one, other = (resolve(text, self.catalog, self.records) for text in (first, second))
        apart = Or(children=(And(children=(one, Not(child=other))), And(children=(other, Not(child=one)))))
        nobody = Actor(account="", person="")
        return Segments(self.warehouse, self.catalog, self.records, nobody).count(apart, diagnose=False).count == 0

    def _context(self, thread: str, actor: Actor, language: Language) -> ToolContext:
        return ToolContext(
            home=self.home,
            warehouse=self.warehouse,
            catalog=self.catalog,
            records=self.records,
            playbooks=self.playbooks,
            clock=self.clock,
            actor=actor,
            thread=thread,
            language=language,
        )

    def _compose(
        self,
        text: str,
        actor: Actor,
        model: ChatModel,
        state: State,
        results: list[EventRecord],
        problem: TouchlineError | None,
    ) -> Answer:
        calls = [
            CallMade(
                tool=event["tool"],
                args=event["args"],
                ok=event["ok"],
                result=event["result"],
                error=event["error"],
                evidence=event["evidence"],
            )
            for event in (record.event for record in results)
        ]
        language = state["language"]
        asked = state.get("question")
        question = Question.model_validate(asked) if asked else None
        focus = read_focus(self.records, state["thread"])
        seen = self.records.evidence(list(dict.fromkeys(e for call in calls for e in call.evidence)))
        usage = Usage.model_validate(state.get("usage") or {})
        return Answer(
            thread=state["thread"],
            user=actor.account,
            model=model.name,
            language=language,
            text=text,
            reply=replies.render(
                calls,
                question,
                language,
                remark=state.get("remark", ""),
                unread=state.get("unread", []),
                problem=problem,
            ),
            calls=calls,
            question=question,
            segment=focus.segment,
            canvas=self._canvas_file(focus.canvas.id, focus.canvas.version) if focus.canvas else None,
            proposal=focus.proposal,
            playbooks=[
                PlaybookSeen(id=hit["id"], title=hit["title"], score=round(hit["score"], 3))
                for hit in state.get("hits", [])
            ],
            evidence=[EvidenceSeen.model_validate(e.model_dump(mode="json")) for e in seen],
            usage=usage,
        )

    def _canvas_file(self, id_: str, version: int) -> CanvasFile:
        path = self.home.exports / f"{id_}-v{version}.yaml"
        if not path.exists():
            write_atomically(path, to_yaml(self.records.canvas(id_, version).document))
        return CanvasFile(id=id_, version=version, file=str(path))


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA busy_timeout = 5000")
    return connection


def _config(thread: str) -> RunnableConfig:
    return {"configurable": {"thread_id": thread}, "recursion_limit": RECURSION_LIMIT}
