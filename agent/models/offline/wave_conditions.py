"""Who gets a later wave: 没激活的 says what the campaign hopes for, 私行客户 narrows the wave; neither is the audience."""

from collections.abc import Sequence
from dataclasses import dataclass

from agent.models.offline.boolean import conjunction
from agent.models.offline.conditions import Conditions
from agent.models.offline.context import Request
from agent.models.offline.scan import Scan
from agent.models.offline.told import Told
from tools.segment import parse, to_text
from tools.segment.schema import And, Compare, Did, Measure, Node, Not, Or, SinceEntry

NOT_REACHED = "goal_not_reached"


@dataclass(frozen=True, slots=True)
class Lacks:
    """What customers had not done when the wave was due: an event with the condition on each occurrence."""

    event: str
    where: Node | None = None

    @property
    def where_text(self) -> str:
        return to_text(self.where) if self.where is not None else ""

    @property
    def node(self) -> Node:
        """Not done since the customer entered."""
        return Not(child=Did(event=self.event, where=self.where, window=SinceEntry()))


@dataclass(slots=True)
class Whom:
    """`only_if` as a wave takes it; `lacks` is settled when the goal is known; `also` narrows further."""

    only_if: str = ""
    lacks: Lacks | None = None
    also: Node | None = None

    def joined(self, other: "Whom") -> "Whom":
        return Whom(self.only_if or other.only_if, self.lacks or other.lacks, self.also or other.also)


def whom(request: Request, scan: Scan, rest: Sequence[int], known: bool) -> Whom | None:
    """Read what a clause says of customers; None where it is the audience, or not understood.

    Args:
        rest: positions in the scan.
        known: the audience is known from elsewhere; without that only what was not done belongs to the wave.
    """
    items = [scan.items[p] for p in rest]
    reading = Conditions(items, request.catalog, request.language, request.text, request.today, acts=True).read()
    if reading.node is None or not reading.complete:
        return None
    parts = list(reading.node.children) if isinstance(reading.node, And) else [reading.node]
    lacks = next((found for part in parts if (found := _lacks(part)) is not None), None)
    also = [since_entry(part) for part in parts if lacks is None or _lacks(part) != lacks]
    first = min(rest)
    before = scan.items[first - 1].text.casefold() if first else ""
    if lacks is None and (not known or before == "for"):
        return None
    return Whom("", lacks, conjunction(also) if also else None)


def _lacks(node: Node) -> Lacks | None:
    if isinstance(node, Not) and isinstance(node.child, Did) and node.child.window is None:
        return Lacks(node.child.event, node.child.where)
    return None


def since_entry(node: Node) -> Node:
    """What was done, or not, between two waves counts from the customer's entry unless a window was said."""
    if isinstance(node, And | Or):
        return type(node)(children=tuple(since_entry(child) for child in node.children))
    if isinstance(node, Not):
        return Not(child=since_entry(node.child))
    if isinstance(node, Did) and node.window is None:
        return node.model_copy(update={"window": SinceEntry()})
    if isinstance(node, Compare) and isinstance(node.left, Measure) and node.left.window is None:
        return node.model_copy(update={"left": node.left.model_copy(update={"window": SinceEntry()})})
    return node


def settle(request: Request, waves: Sequence[Whom], found: Told) -> None:
    """The goal, where none was said, is what the last wave's customers had not done; each wave gets its condition."""
    lacking = [wave.lacks for wave in waves if wave.lacks is not None]
    if not found.goal_event and lacking:
        found.goal_event, found.goal_where = lacking[-1].event, lacking[-1].where_text
    for wave in waves:
        if wave.lacks is not None and (wave.lacks.event, wave.lacks.where_text) == (found.goal_event, found.goal_where):
            wave.lacks, wave.only_if = None, NOT_REACHED
        if wave.also is None and wave.lacks is None:
            continue
        parts = [wave.lacks.node] if wave.lacks is not None else []
        if wave.only_if == NOT_REACHED:
            parts.append(_goal(request, found))
        wave.only_if = to_text(conjunction([*parts, *([wave.also] if wave.also is not None else [])]))


def _goal(request: Request, found: Told) -> Node:
    where = f" where {found.goal_where}" if found.goal_where else ""
    return parse(f"not did({found.goal_event or 'purchase'}{where}, since entry)", request.catalog)
