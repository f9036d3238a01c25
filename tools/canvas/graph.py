"""Reading a canvas as a graph: where nodes lead, in which order they are worked, which key its hashes have."""

from datetime import UTC, datetime, timedelta
from graphlib import CycleError, TopologicalSorter
from zoneinfo import ZoneInfo

from tools.canvas.bank_time import opening
from tools.canvas.schema import (
    AudienceSplit,
    Canvas,
    Condition,
    Delay,
    Entry,
    Exit,
    Goal,
    HoldOut,
    Node,
    OnEvent,
    OnEventWithout,
    Split,
    TimeSplit,
    Touch,
    Wait,
)
from warehouse.errors import ModelRetry


def following(node: Node) -> list[str]:
    """Ids of the nodes that customers can go to from a node."""
    match node:
        case Exit():
            return []
        case Condition():
            return [node.yes, node.no]
        case Wait():
            return [node.happened, node.timed_out]
        case Split():
            return [way.next for way in node.ways]
        case AudienceSplit():
            return [*(case.next for case in node.cases), node.otherwise]
        case TimeSplit():
            return [*(window.next for window in node.windows), node.otherwise]
        case Touch() if node.unmanaged:
            return [node.next, node.unmanaged]
        case _:
            return [node.next]


def topological(canvas: Canvas) -> list[Node]:
    """The nodes in an order in which everything leads forward.

    Raises:
        ModelRetry: an edge leads nowhere, or in a circle (`tools.canvas.check` tells all such places).
    """
    index = {node.id: node for node in canvas.nodes}
    for node in canvas.nodes:
        for target in following(node):
            if target not in index:
                raise ModelRetry(f"{node.id} leads to {target!r}, which does not exist.", "Name an existing node.")
    try:
        order = list(TopologicalSorter({n.id: following(n) for n in canvas.nodes}).static_order())
    except CycleError as error:
        circle = " → ".join(map(str, error.args[1]))
        raise ModelRetry(f"The canvas leads in a circle: {circle}.", "Remove one of these edges.") from None
    return [index[name] for name in reversed(order)]


def touches(canvas: Canvas) -> list[Touch]:
    """The touches in working order: wave 1, 2, …"""
    return [node for node in topological(canvas) if isinstance(node, Touch)]


def key_of(canvas: Canvas) -> str:
    """The key of the canvas's hashes: that of its hold-out, else its name."""
    return next((node.key for node in canvas.nodes if isinstance(node, HoldOut)), canvas.name)


def goal_expression(goal: Goal) -> str:
    """The goal as a condition since entry, in EQL."""
    where = f" where {goal.where}" if goal.where else ""
    return f"did({goal.event}{where}, since entry)"


def expressions_of(canvas: Canvas) -> list[str]:
    """The canvas's conditions over customers, the entry's first, each once. Those over events are `wheres_of`."""
    found = [node.segment for node in canvas.nodes if isinstance(node, Entry)]
    for node in canvas.nodes:
        if isinstance(node, Condition):
            found.append(node.expression)
        elif isinstance(node, AudienceSplit):
            found += [case.expression for case in node.cases]
    return list(dict.fromkeys([*found, *canvas.leave_when]))


def wheres_of(canvas: Canvas) -> list[tuple[str, str]]:
    """(event, where) of everything that the canvas watches for: its goal, its trigger and its waits."""
    found = [(canvas.goal.event, canvas.goal.where)]
    for node in canvas.nodes:
        if isinstance(node, Wait):
            found.append((node.event, node.where))
        elif isinstance(node, Entry) and isinstance(node.trigger, OnEvent):
            found.append((node.trigger.event, node.trigger.where))
        elif isinstance(node, Entry) and isinstance(node.trigger, OnEventWithout):
            trigger = node.trigger
            found += [(trigger.event, trigger.where), (trigger.without, trigger.without_where)]
    return list(dict.fromkeys(found))


def due_after(node: Node, instant: datetime, zone: ZoneInfo) -> datetime:
    """When a customer who comes to a node at an instant is due there: at once, at the end of a delay, or when the time of
    a wait is out.

    See `Delay` for what days and `until_hour` mean together.
    """
    if isinstance(node, Wait):
        return instant + timedelta(days=node.days, hours=node.hours)
    if not isinstance(node, Delay):
        return instant
    if node.until_hour is None:
        return instant + timedelta(days=node.days, hours=node.hours)
    local = (instant + timedelta(hours=node.hours)).astimezone(zone)
    if node.days == 0 and local.hour == node.until_hour:
        return instant + timedelta(hours=node.hours)
    day = local.date() + timedelta(days=node.days)
    if node.days == 0 and local.hour > node.until_hour:
        day += timedelta(days=1)
    return datetime(day.year, day.month, day.day, node.until_hour, tzinfo=zone).astimezone(UTC)


def arrivals(canvas: Canvas, start: datetime, zone: ZoneInfo, *, latest: bool = False) -> dict[str, datetime]:
    """The earliest (or latest) instant at which a customer who enters at `start` is acted on at each node: touches at the
    opening of a sending window, deferrals by the contact policy not counted."""
    found: dict[str, datetime] = {}
    for node in topological(canvas):
        here = found.setdefault(node.id, start)
        if isinstance(node, Touch):
            here = found[node.id] = opening(canvas.sending_windows, here, zone) or here
        for target in following(node):
            # What a wait is for may happen at once.
            soon = isinstance(node, Wait) and target == node.happened and not latest
            there = here if soon else due_after(node, here, zone)
            known = found.get(target, there)
            found[target] = max(known, there) if latest else min(known, there)
    return found


def length(canvas: Canvas, zone: ZoneInfo, start: datetime) -> timedelta:
    """How long the longest way through the canvas takes when entered at `start`, deferrals not counted."""
    return max(arrivals(canvas, start, zone, latest=True).values()) - start
