"""The goal of a campaign told in words: 目标购买理财, goal: buy a fund within 30 days, to those who did not buy."""

from typing import cast

from agent.models.offline import events as ev
from agent.models.offline.context import Request
from agent.models.offline.scan import Scan
from agent.models.offline.senses import Duration, Item
from agent.models.offline.told import Told
from agent.models.offline.units import units
from tools.segment import to_text
from tools.segment.schema import Last
from warehouse.catalog import Kind


def goal(request: Request, scan: Scan, found: Told) -> None:
    """目标是买理财, the goal is a purchase of wealth; 转化窗口14天."""
    items = scan.items
    for position, item in enumerate(items):
        if position in scan.used:
            continue
        if item.has("goal_window") and (days := _days_near(items, position)) is not None:
            found.goal_window = cast(Duration, items[days].sense("duration").value).days  # type: ignore[union-attr]
            scan.used |= {position, days}
        elif item.has("goal"):
            goal = read_goal(request, scan, position + 1, found)
            if goal is not None:
                found.goal_event, found.goal_where = goal
                scan.used.add(position)


def _days_near(items: list[Item], position: int) -> int | None:
    for place in (position + 1, position + 2, position - 1):
        if 0 <= place < len(items) and items[place].has("duration"):
            return place
    return None


def read_goal(request: Request, scan: Scan, position: int, found: Told | None = None) -> tuple[str, str] | None:
    """The event that counts as success, with its condition: (event, EQL of where)."""
    items = scan.items
    while position < len(items) and items[position].has("be", "carry", "comma", "change", "de", "ba"):
        position += 1
    if position >= len(items):
        return None
    before: list[int] = []
    while (
        position < len(items)
        and not items[position].has("event", "metric", "property")
        and items[position].has("property_value", "attribute")
    ):
        before.append(position)
        position += 1
    if position < len(items) and not items[position].has("event") and (first := _first_time(request, items[position])):
        scan.used.add(position)
        return first
    if position >= len(items) or not items[position].has("event"):
        return None
    said = ev.EventSaid(names=tuple(s.name for s in items[position].all("event")))
    for place in before:
        said.values.extend(s for s in items[place].all("property_value") if ev.carries(request.catalog, said.names, s))
    end = ev.read_event(items, position + 1, said, request.catalog)
    names = ev.choose(said, request.catalog)
    if not names:
        return None
    scan.used |= {*before, *range(position, end)}
    if isinstance(said.window, Last) and found is not None:
        found.goal_window = max(1, said.window.amount if said.window.unit == "d" else -(-said.window.amount // 24))
    where = ev.where_of(names[0], said, request.catalog)
    return names[0], to_text(where) if where is not None else ""


def _first_time(request: Request, item: Item) -> tuple[str, str] | None:
    """首购: a yes-or-no property that names an occurrence of one event."""
    for sense in item.all("property"):
        for event in request.catalog.events:
            if any(p.name == sense.name and p.kind is Kind.bool for p in event.properties):
                return event.name, sense.name
    return None


def named_event(request: Request, text: str) -> str:
    """The event inside a phrase such as 没买的."""
    sequence = units(text)
    for start in range(len(sequence)):
        for _, senses in request.lexicon.match(sequence, start):
            for sense in senses:
                if sense.kind == "event":
                    return sense.name
    return ""
