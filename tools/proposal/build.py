"""Putting a payload together: everything by value, so that approving it approves what will be carried out."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import duckdb
import numpy as np
import pyarrow.compute as pc

from control.records import CanvasRecord, list_hash
from control.records.routing import Facts
from tools.base import ToolContext
from tools.canvas import Canvas
from tools.canvas.costs import Costs
from tools.canvas.diff import difference
from tools.canvas.enrolments import branch_arm
from tools.canvas.facts import products_of
from tools.canvas.findings import Finding
from tools.canvas.graph import expressions_of, touches, wheres_of
from tools.canvas.schema import Arm, Entry, Once, OnDate, Touch
from tools.canvas.tags import PREFIX
from tools.canvas.wording import complete, sms_parts
from tools.canvas.words import summary
from tools.proposal import estimates as e
from tools.proposal.audience import Ids, pack
from tools.proposal.schema import (
    Audience,
    Edit,
    Estimates,
    Expression,
    FrozenList,
    Payload,
    ReleaseStep,
    Warned,
    Words,
)
from tools.proposal.streams import ceilings
from tools.segment import Node, Segments, dump, expand, parse, resolve, to_text
from tools.segment import schema as s
from tools.segment.walk import attributes_of, fields_of, looked_at
from tools.throttle import load_policy
from warehouse.catalog import Catalog
from warehouse.clock import parse_instant
from warehouse.errors import ModelRetry

FULL = (ReleaseStep(name="full", share=100.0),)


def build_payload(
    context: ToolContext,
    canvas: CanvasRecord,
    findings: Sequence[Finding] = (),
    note: str = "",
    *,
    rule: str = "re-evaluated",
    steps: Sequence[ReleaseStep] = FULL,
    stream: tuple[int, int] | None = None,
) -> Payload:
    """The payload of a canvas version.

    Args:
        findings: what the check said about it; warnings are shown to the approvers, errors must not get here.
        note: what the submitter says to the approvers.
        rule: 're-evaluated' or 'frozen' (`tools.proposal.schema.Audience`). Where customers keep entering, it is a `stream`
            whatever is given here.
        stream: entries per day and altogether of a stream; None states those of `tools.proposal.streams.ceilings`.
        steps: the gates of the release, the smallest share first.

    Raises:
        ModelRetry: nobody is in the audience.
        ExpressionError: an expression names something that does not exist.
    """
    document = Canvas.model_validate(canvas.document)
    home, warehouse = context.home, context.warehouse
    info, policy = home.info(), load_policy(home)
    segments = Segments(warehouse, context.catalog, context.records, context.actor)
    now = context.clock.now()
    start = max(now, parse_instant(document.start, warehouse.zone)) if document.start else now
    texts = expressions_of(document)
    nodes = {text: expand(resolve(text, context.catalog, context.records), context.records) for text in texts}
    entry = nodes[texts[0]]
    ids = audience(segments, entry, now)
    streams = any(isinstance(n, Entry) and not isinstance(n.trigger, Once) for n in document.nodes)
    if not len(ids) and not streams:
        raise ModelRetry("Nobody is in the audience of this canvas.", "Widen the segment before you submit it.")
    words = list(words_of(document, info.name, Costs.load(home), context))
    worst = document.max_touches
    with warehouse.overlay() as con:
        e.lay_out(con, ids)
        stated = Estimates(
            start=start,
            waterfall=e.waterfalls(document, entry, start, policy, segments),
            throttle=e.forecast(con, document, start, policy, segments),
            by_branch=e.by_branch(con),
            worst_case_touches=worst,
            worst_case_cost=round(min(len(ids) * _dearest_way(words), worst * max(w.cost for w in words)), 2),
        )
        excluded = e.exclusions(con, start)
        consent = e.consent(con, document, policy, info)
        suitable = e.suitability(con, document, policy, start, segments)
        tiers = _tiers(con)
    versions = context.records.canvas_versions(canvas.id)
    return Payload(
        sentence=summary(document, context.catalog, context.language, len(ids)),
        note=note,
        canvas_id=canvas.id,
        canvas_version=canvas.version,
        canvas=document,
        expressions=[Expression(text=t, by_value=to_text(n), tree=dump(n)) for t, n in nodes.items()],
        lists=lists_of(context, nodes.values()),
        words=words,
        definitions=definitions(context.catalog, nodes.values(), document),
        throttle=policy,
        audience=_audience(document, segments, ids, rule, stream, worst),
        steps=list(steps),
        facts=Facts(
            touches=worst,
            audience=len(ids),
            cost=stated.worst_case_cost,
            category=document.category,
            channels=tuple(sorted({w.channel for w in words})),
            product_kinds=tuple(sorted({p.kind for p in products_of(warehouse, document).values()})),
            benefits=tuple(sorted({t.benefit_id for t in touches(document) if t.benefit_id is not None})),
            tiers=tiers,
        ),
        estimates=stated,
        exclusions=excluded,
        consent=consent,
        suitability=suitable,
        findings=[Warned(code=f.code, place=f.place, message=f.message(context.language)) for f in findings],
        snapshot_conditions=sorted({c for node in nodes.values() for c in segments.snapshot_only(node)}),
        origin=dict(canvas.origin),
        edits=_edits(versions, context),
        language=context.language,
        bank=info.name,
        as_of=warehouse.as_of,
        drawn_up_at=now,
    )


def audience(segments: Segments, node: Node, at: datetime) -> Ids:
    """The ids of a segment at an instant, ascending."""
    table = segments.warehouse.read_arrow(segments.ids_sql(node, at))
    column = pc.unique(table.column("customer_id"))
    return np.sort(np.asarray(column.to_numpy(zero_copy_only=False), dtype=np.int64))


def _audience(
    canvas: Canvas, segments: Segments, ids: Ids, rule: str, stated: tuple[int, int] | None, worst: int
) -> Audience:
    shared: dict[str, Any] = {"max_touches": worst, "count": len(ids), "branches": segments.actor.branches}
    if all(isinstance(n.trigger, Once) for n in canvas.nodes if isinstance(n, Entry)):
        return Audience(
            rule="frozen" if rule == "frozen" else "re-evaluated",
            sha256=list_hash(ids.tolist()),
            ids=pack(ids),
            **shared,
        )
    daily, total = stated or ceilings(canvas, segments)
    nobody = np.empty(0, dtype=np.int64)
    return Audience(rule="stream", max_daily=daily, max_total=total, sha256=list_hash([]), ids=pack(nobody), **shared)


def words_of(canvas: Canvas, bank: str, costs: Costs, context: ToolContext) -> Iterable[Words]:
    """Every wording as it goes out, in the order of the waves, placeholders still open."""
    products = products_of(context.warehouse, canvas)
    for wave, touch in enumerate(touches(canvas), start=1):
        product = products.get(touch.product_id) if touch.product_id is not None else None
        for arm, name in _arms(canvas, touch):
            message = complete(arm.text, touch.channel, canvas.signature or bank)
            parts = sms_parts(message) if touch.channel == "sms" else 1
            yield Words(
                node=touch.id,
                label=touch.label,
                wave=wave,
                channel=touch.channel,
                arm=name,
                share=arm.share,
                text=arm.text,
                message=message,
                parts=parts,
                cost=costs.touch(touch.channel, parts),
                product_id=touch.product_id,
                product=product.name if product else "",
            )


def _arms(canvas: Canvas, touch: Touch) -> list[tuple[Arm, str]]:
    """A touch's arms with the names that its touches bear: its own, then those of the branches' overrides."""
    found = [(arm, arm.name) for arm in touch.arms]
    for override in canvas.overrides:
        if override.node == touch.id:
            found += [(arm, branch_arm(arm.name, override.branch_id)) for arm in override.arms]
    return found


def lists_of(context: ToolContext, nodes: Iterable[Node]) -> list[FrozenList]:
    """The uploaded lists that trees name, by content. Tags are none: who carries one is asked when it is needed."""
    named = {
        leaf.name: leaf.sha256
        for node in nodes
        for leaf in fields_of(node, s.InList)
        if leaf.sha256 or not leaf.name.startswith(PREFIX)
    }
    return [
        FrozenList(name=name, sha256=sha256, size=context.records.list_record(name).size)
        for name, sha256 in sorted(named.items())
    ]


def definitions(catalog: Catalog, nodes: Iterable[Node], canvas: Canvas) -> dict[str, list[dict[str, Any]]]:
    """The catalog's definitions that the trees, the goal, the trigger and the waits use."""
    attributes = {n.trigger.date for n in canvas.nodes if isinstance(n, Entry) and isinstance(n.trigger, OnDate)}
    lists = {event for event, _ in wheres_of(canvas)}
    watched = [
        parse(f"did({event}{f' where {where}' if where else ''})", catalog) for event, where in wheres_of(canvas)
    ]
    for node in [*nodes, *watched]:
        attributes |= attributes_of(node)
        lists |= looked_at(node)
    return {
        "attributes": [a.model_dump(mode="json") for a in catalog.attributes if a.name in attributes],
        "events": [ev.model_dump(mode="json") for ev in catalog.events if ev.name in lists],
        "entities": [en.model_dump(mode="json") for en in catalog.entities if en.name in lists],
    }


def _dearest_way(words: Sequence[Words]) -> float:
    """What a customer costs who gets every touch, in its dearest wording."""
    dearest: dict[str, float] = {}
    for word in words:
        dearest[word.node] = max(dearest.get(word.node, 0.0), word.cost)
    return sum(dearest.values())


def _tiers(con: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    rows = con.execute(
        f"SELECT DISTINCT tier FROM {e.AUDIENCE} JOIN customers USING (customer_id) WHERE tier IS NOT NULL ORDER BY 1"
    ).fetchall()
    return tuple(str(row[0]) for row in rows)


def _edits(versions: Sequence[CanvasRecord], context: ToolContext) -> list[Edit]:
    """Who made which version, and what each changed."""
    edits = []
    before: Canvas | None = None
    for record in versions:
        canvas = Canvas.model_validate(record.document)
        changes = difference(before, canvas) if before else []
        edits.append(
            Edit(
                version=record.version,
                account=record.account,
                person=record.person,
                at=record.created_at,
                changes=[c.zh if context.language == "zh" else c.en for c in changes],
            )
        )
        before = canvas
    return edits
