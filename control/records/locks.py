"""Parts of a canvas that head office locks: which they are, and what a branch may not change.

A part is a path into the document: `goal`, `goal.window_days`, `nodes.touch_1.arms`, `nodes.touch_1.arms.a.text`,
`nodes.*.channel`. Nodes go by their id, arms, ways, cases and windows by their name; `*` is every one. `flow` is the graph
alone: which nodes there are, of which kind, and where each leads.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

from control.records.actor import Actor
from warehouse.errors import Forbidden

FLOW = "flow"
ENTRY_SEGMENT = "segment"
_EDGES = ("id", "kind", "name", "next", "yes", "no", "otherwise", "happened", "timed_out", "unmanaged")
_WAYS = ("ways", "cases", "windows")
Document = Mapping[str, Any]
Narrows = Callable[[str, str], bool]


def parts(document: Document, path: str) -> dict[str, Any]:
    """Place → value of every part a path names; empty where it names nothing."""
    if path == FLOW:
        return {FLOW: [_edges(node) for node in _of(document, "nodes") or ()]}
    return dict(_found(document, path.split("."), ""))


def changed_parts(before: Document, after: Document, locked: Sequence[str]) -> list[str]:
    """The places of locked parts that differ, in the order of the locks."""
    places: dict[str, None] = {}
    for path in locked:
        old, new = parts(before, path), parts(after, path)
        places |= dict.fromkeys(place for place in [*old, *new] if old.get(place) != new.get(place))
    return list(places)


def locks(path: str, locked: Collection[str]) -> bool:
    """Whether a part, or something it lies in, is locked."""
    steps = path.split(".")
    return any(
        len(lock) <= len(steps) and all(mine in ("*", step) for mine, step in zip(lock, steps, strict=False))
        for lock in (name.split(".") for name in locked)
    )


def guard(
    before: Document,
    after: Document,
    actor: Actor,
    *,
    branches: Collection[int] | None = None,
    narrows: Narrows | None = None,
) -> None:
    """Let a change pass, or not. Head office (no branch scope) may change everything; a branch only what is not locked,
    and overrides of its own customers' wordings. A locked audience it may still narrow.

    Args:
        branches: the actor's branches with those below them; default the actor's own.
        narrows: whether one entry segment is a part of another (old, new); None takes only the same text for one.

    Raises:
        Forbidden: a locked part was changed, or another branch's wording.
    """
    if actor.branches is None:
        return
    locked = [str(path) for path in before.get("locked") or ()]
    always = ["locked", "template"] if locked else []
    wrong = [p for p in changed_parts(before, after, [*locked, *always]) if not _narrowed(p, before, after, narrows)]
    if wrong:
        raise refusal(wrong, locked)
    _guard_overrides(before, after, locked, actor.branches if branches is None else branches)


def refusal(places: Sequence[str], locked: Sequence[str]) -> Forbidden:
    """The refusal of a change of locked parts: it names them, and who may change them."""
    named = ", ".join(places)
    return Forbidden(
        f"Head office has locked: {named}.",
        "A branch may change what is not locked: its own wordings, and a narrower audience. For the rest ask an operator of "
        "head office to change the canvas or its template.",
        message_zh=f"总行锁定了：{'、'.join(places)}，分行不能修改。",
        fix_zh="分行可改未锁定的部分：本行文案、缩小客群。其余请总行运营修改画布或模板。",
        locked=list(locked),
        places=list(places),
    )


def _guard_overrides(before: Document, after: Document, locked: Sequence[str], branches: Collection[int]) -> None:
    old, new = (
        {(o["branch_id"], o["node"]): o for o in document.get("overrides") or ()} for document in (before, after)
    )
    changed = [key for key in {**old, **new} if old.get(key) != new.get(key)]
    foreign = sorted({branch for branch, _ in changed if branch not in branches})
    if foreign:
        names = ", ".join(map(str, foreign))
        raise Forbidden(
            f"These wordings belong to other branches: {names}.",
            "Change only the wordings of your own branch; head office may change all.",
            message_zh=f"这些文案属于其他分行：{names}。",
            fix_zh="只能改本分行的文案；总行可以改全部。",
        )
    held = [f"nodes.{node}.arms" for key, node in changed if (key, node) in new and locks(f"nodes.{node}.arms", locked)]
    if held:
        raise refusal(list(dict.fromkeys(held)), locked)


def _narrowed(place: str, before: Document, after: Document, narrows: Narrows | None) -> bool:
    """Whether all that differs at a place is an entry's segment, and the new one is a part of the old."""
    if narrows is None:
        return False
    old, new = parts(before, place), parts(after, place)
    pairs = [(old.get(key), new.get(key)) for key in {**old, **new}]
    if place.split(".")[-1] == ENTRY_SEGMENT:
        return all(isinstance(a, str) and isinstance(b, str) and narrows(a, b) for a, b in pairs)
    return all(_only_narrower(a, b, narrows) for a, b in pairs)


def _only_narrower(old: Any, new: Any, narrows: Narrows) -> bool:
    if old == new:
        return True
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return all(_only_narrower(a, b, narrows) for a, b in zip(old, new, strict=True))
    if isinstance(old, Mapping) and isinstance(new, Mapping) and old.get("kind") == new.get("kind") == "entry":
        rest = [{k: v for k, v in node.items() if k != ENTRY_SEGMENT} for node in (old, new)]
        return rest[0] == rest[1] and narrows(str(old.get(ENTRY_SEGMENT)), str(new.get(ENTRY_SEGMENT)))
    return False


def _found(value: Any, steps: list[str], place: str) -> Iterator[tuple[str, Any]]:
    if not steps:
        yield place, value
        return
    head, rest = steps[0], steps[1:]
    for name in _names(value) if head == "*" else [head]:
        inner = _of(value, name)
        if inner is not _NOTHING:
            yield from _found(inner, rest, f"{place}.{name}" if place else name)


_NOTHING = object()


def _names(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return [str(key) for key in value]
    if isinstance(value, list | tuple):
        return [str(_name(item, number)) for number, item in enumerate(value)]
    return []


def _of(value: Any, name: str) -> Any:
    if isinstance(value, Mapping):
        return value.get(name, _NOTHING)
    if isinstance(value, list | tuple):
        return next((item for number, item in enumerate(value) if str(_name(item, number)) == name), _NOTHING)
    return _NOTHING


def _name(item: Any, number: int) -> Any:
    if isinstance(item, Mapping):
        return item.get("id", item.get("name", number))
    return number


def _edges(node: Any) -> dict[str, Any]:
    kept = {key: node[key] for key in _EDGES if key in node}
    return kept | {key: [_edges(way) for way in node[key]] for key in _WAYS if key in node}
