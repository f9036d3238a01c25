"""What a branch does with a canvas of head office: it makes a copy of its own, rewords by override, narrows the audience."""

from collections.abc import Collection, Mapping
from typing import Any

from control.records import CanvasRecord
from control.records.locks import locks
from tools.base import ToolContext
from tools.canvas.schema import Canvas, Entry, Override, Touch
from tools.segment import ExpressionError, parse, to_text
from tools.segment.walk import flatten
from warehouse.catalog import Catalog


def narrows(catalog: Catalog, old: str, new: str) -> bool:
    """Whether everybody who meets `new` meets `old`, as far as their form tells: all and-ed conditions of `old` stand in
    `new`. Anything that is not seen so counts as no."""
    try:
        before, after = (
            [] if text == "everyone" else [to_text(part) for part in flatten(parse(text, catalog))]
            for text in (old, new)
        )
    except ExpressionError:
        return False
    return set(before) <= set(after)


def is_head(context: ToolContext) -> bool:
    """Head office is whoever may see the whole bank."""
    return context.actor.branches is None


def of_head(record: CanvasRecord) -> bool:
    """Whether head office made a version; whoever saves notes his branches in its origin."""
    return record.origin.get("branches") is None


def own(context: ToolContext) -> dict[str, Any]:
    """What a version's origin says about who made it."""
    branches = context.actor.branches
    return {"branches": None if branches is None else sorted(branches)}


def as_overrides(before: Canvas, after: Canvas, branches: Collection[int]) -> Canvas:
    """The canvas with a branch's changed wordings moved into overrides for its customers; head office's own words stay.

    A wording that is locked stays changed, so that saving refuses it by name.
    """
    words: Mapping[str, Touch] = {n.id: n for n in before.nodes if isinstance(n, Touch)}
    kept = {(o.branch_id, o.node): o for o in after.overrides}
    nodes = []
    for node in after.nodes:
        old = words.get(node.id)
        if (
            isinstance(node, Touch)
            and old is not None
            and old.arms != node.arms
            and not locks(f"nodes.{node.id}.arms", before.locked)
        ):
            kept |= {(branch, node.id): Override(branch_id=branch, node=node.id, arms=node.arms) for branch in branches}
            node = node.model_copy(update={"arms": old.arms})
        nodes.append(node)
    return after.model_copy(update={"nodes": nodes, "overrides": tuple(kept.values())})


def entry_of(canvas: Canvas) -> Entry:
    return next(node for node in canvas.nodes if isinstance(node, Entry))
