"""Edits of any canvas: pure functions from a document to a document, by place instead of by wave."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

from pydantic import ValidationError

from tools.canvas.arguments import Edit
from tools.canvas.graph import touches
from tools.canvas.schema import Canvas, Condition, Delay, Entry, HoldOut, Node, Touch
from warehouse.catalog import nearest
from warehouse.errors import ModelRetry

BY_PLACE = ("set", "add_node", "remove_node")
_WAYS = ("next", "yes", "no", "otherwise", "happened", "timed_out", "unmanaged")
_LISTS = ("ways", "cases", "windows")


def apply_graph(canvas: Canvas, edits: list[Edit], segment_text: Callable[[str], str]) -> Canvas:
    """The canvas after all edits, in their order. A wave number means the touch in working order.

    Args:
        segment_text: turns a segment id, name or EQL into the entry's expression.

    Raises:
        ModelRetry: an edit names no such place, or its value does not fit; the message names the edit.
    """
    for number, edit in enumerate(edits, start=1):
        document = deepcopy(canvas.model_dump(mode="json"))
        _one(document, canvas, edit, segment_text)
        try:
            canvas = Canvas.model_validate(document)
        except ValidationError as problem:
            first = problem.errors()[0]
            place = ".".join(map(str, first["loc"]))
            raise ModelRetry(
                f"Edit {number} ({edit.op}) does not fit at {place}: {first['msg']}.", "Give another value."
            ) from None
    return canvas


def _one(document: dict[str, Any], canvas: Canvas, edit: Edit, segment_text: Callable[[str], str]) -> None:
    value = edit.value
    match edit.op:
        case "set":
            _set(document, _place(edit), value)
        case "add_node":
            _add(document, _place(edit), value)
        case "remove_node":
            _remove(document, _place(edit))
        case "rename":
            document["name"] = value
        case "set_segment":
            _node(document, _only(canvas, Entry, edit).id)["segment"] = segment_text(str(value))
        case "set_goal":
            goal = value if isinstance(value, dict) else {"event": value, "where": ""}
            document["goal"] = {**document["goal"], **goal}
        case "set_goal_window":
            document["goal"]["window_days"] = value
        case "set_holdout":
            _node(document, _only(canvas, HoldOut, edit).id)["percent"] = value
        case "set_channel" | "set_text" | "set_condition" | "set_day" | "set_hour":
            _touch(document, canvas, edit)
        case _:
            raise ModelRetry(
                f"{edit.op} works on a plain chain of waves; this canvas branches.",
                "Use set, add_node or remove_node with `place`.",
            )


def _touch(document: dict[str, Any], canvas: Canvas, edit: Edit) -> None:
    touch = _wave(canvas, edit)
    mine = _node(document, touch.id)
    if edit.op == "set_channel":
        mine["channel"] = edit.value
        if edit.value != "task":
            mine["unmanaged"] = ""
    elif edit.op == "set_text":
        texts = edit.value if isinstance(edit.value, dict) else {touch.arms[0].name: edit.value}
        strange = set(texts) - {arm.name for arm in touch.arms}
        if strange or (len(touch.arms) > 1 and not isinstance(edit.value, dict)):
            names = ", ".join(arm.name for arm in touch.arms)
            raise ModelRetry(f"{touch.id} has the arms {names}.", "Give the texts by arm: {a: …}.")
        for arm in mine["arms"]:
            arm["text"] = texts.get(arm["name"], arm["text"])
    else:
        kind: type[Condition] | type[Delay] = Condition if edit.op == "set_condition" else Delay
        field = {"set_condition": "expression", "set_day": "days", "set_hour": "until_hour"}[edit.op]
        _node(document, _before(canvas, touch, kind, edit).id)[field] = edit.value


def _wave(canvas: Canvas, edit: Edit) -> Touch:
    found = touches(canvas)
    if edit.wave is None and len(found) == 1:
        return found[0]
    if edit.wave is None or edit.wave > len(found):
        said = "names no wave" if edit.wave is None else f"names wave {edit.wave}"
        listed = ", ".join(f"{n} {t.id}" for n, t in enumerate(found, start=1))
        raise ModelRetry(
            f"{edit.op} {said}; the canvas has {listed}.", f"Set `wave` to a number from 1 to {len(found)}."
        )
    return found[edit.wave - 1]


def _before(canvas: Canvas, touch: Touch, kind: type[Condition] | type[Delay], edit: Edit) -> Node:
    """The nearest node of a kind that leads to a touch without another touch between."""
    seen: set[str] = set()
    todo = [touch.id]
    while todo:
        here = todo.pop(0)
        for node in canvas.nodes:
            ways = [value for key, value in node.model_dump().items() if key in _WAYS]
            if here in ways and node.id not in seen:
                if isinstance(node, kind):
                    return node
                seen.add(node.id)
                if not isinstance(node, Touch):
                    todo.append(node.id)
    raise ModelRetry(f"Nothing before {touch.id} can be changed by {edit.op}.", "Use set with `place`, or add_node.")


def _only(canvas: Canvas, kind: type[Node], edit: Edit) -> Node:
    for node in canvas.nodes:
        if isinstance(node, kind):
            return node
    raise ModelRetry(f"The canvas has no node that {edit.op} could change.", "Use add_node.")


def _set(document: dict[str, Any], place: str, value: Any) -> None:
    *way, last = place.split(".")
    here: Any = document
    for step in way:
        here = _step(here, step, place)
    if isinstance(here, list):
        position = next((n for n, item in enumerate(here) if _called(item, n) == last), None)
        if position is None:
            raise _nowhere(place, last, [_called(item, n) for n, item in enumerate(here)])
        here[position] = value
    elif isinstance(here, dict) and last in here:
        here[last] = value
    else:
        raise _nowhere(place, last, list(here) if isinstance(here, dict) else [])


def _step(here: Any, step: str, place: str) -> Any:
    if isinstance(here, dict) and step in here:
        return here[step]
    if isinstance(here, list):
        for n, item in enumerate(here):
            if _called(item, n) == step:
                return item
        raise _nowhere(place, step, [_called(item, n) for n, item in enumerate(here)])
    raise _nowhere(place, step, list(here) if isinstance(here, dict) else [])


def _called(item: Any, position: int) -> str:
    return str(item.get("id", item.get("name", position))) if isinstance(item, dict) else str(position)


def _nowhere(place: str, step: str, known: list[str]) -> ModelRetry:
    listed = ", ".join(nearest(step, known) or known[:12])
    return ModelRetry(f"The canvas has no part {place!r}: there is no {step!r}.", f"At this place there are: {listed}.")


def _add(document: dict[str, Any], place: str, value: Any) -> None:
    """A node on a way: what the way led to comes after it, unless the node says otherwise."""
    name, _, way = place.partition(".")
    before = _node(document, name)
    way = way or "next"
    if way not in before or way not in _WAYS:
        raise ModelRetry(f"{name} has no way {way!r}.", f"It has: {', '.join(k for k in _WAYS if k in before)}.")
    if not isinstance(value, dict) or "id" not in value:
        raise ModelRetry("add_node needs a node as its value.", "Give it as {kind, id, …}; see docs/canvas.md.")
    node = {"next": before[way], **value} if value.get("kind") not in ("condition", "wait", "split", "exit") else value
    before[way] = value["id"]
    document["nodes"].append(node)


def _remove(document: dict[str, Any], name: str) -> None:
    gone = _node(document, name.removeprefix("nodes."))
    after = gone.get("next")
    if after is None:
        raise ModelRetry(f"{name} has several ways out, or none.", "Change the ways that lead to it first, with set.")
    document["nodes"].remove(gone)
    for node in document["nodes"]:
        for part in [node, *(way for key in _LISTS for way in node.get(key, ()))]:
            for way in _WAYS:
                if part.get(way) == gone["id"]:
                    part[way] = after


def _node(document: dict[str, Any], name: str) -> dict[str, Any]:
    for node in document["nodes"]:
        if node["id"] == name:
            found: dict[str, Any] = node
            return found
    raise _nowhere(f"nodes.{name}", name, [node["id"] for node in document["nodes"]])


def _place(edit: Edit) -> str:
    if not edit.place:
        raise ModelRetry(f"{edit.op} needs a place.", "Set `place`, such as 'budget' or 'nodes.touch_1.benefit_id'.")
    return edit.place
