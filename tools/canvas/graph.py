"""Reading a canvas as a graph: where nodes lead, in which order they are worked, which key its hashes have."""

from datetime import UTC, datetime, timedelta
from graphlib import CycleError, TopologicalSorter
from zoneinfo import ZoneInfo

from tools.canvas.schema import (
    AudienceSplit,
    Canvas,
    Condition,
    Delay,
    Exit,
    Goal,
    HoldOut,
    Node,
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


def due_after(node: Node, instant: datetime, zone: ZoneInfo) -> datetime:
    """When a customer who comes to a node at an instant is due there: at once, or at the end of a delay.

    See `Delay` for what days and `until_hour` mean together.
    """
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


def length(canvas: Canvas, zone: ZoneInfo, start: datetime) -> timedelta:
    """How long the longest way through the canvas takes when entered at `start`, deferrals not counted."""
    arrival: dict[str, datetime] = {}
    order = topological(canvas)
    latest = start
    index = {node.id: node for node in order}
    for node in order:
        here = arrival.get(node.id, start)
        latest = max(latest, here)
        for target in following(node):
            due = due_after(index[target], here, zone)
            arrival[target] = max(arrival.get(target, due), due)
    return latest - start
