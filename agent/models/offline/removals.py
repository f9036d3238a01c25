"""Taking a condition out of the segment in focus: `drop the city condition`, `去掉城市条件`."""

from agent.models.base import Step
from agent.models.offline.context import Request, call
from agent.models.offline.dialogue import about
from agent.models.offline.questions import ask_unread, say
from agent.models.offline.scan import BASE
from agent.models.offline.scan import scan as read_scan
from agent.models.offline.senses import Item
from agent.models.offline.units import units
from tools.segment import parse, to_text
from tools.segment.schema import And, Everyone, Node, Not, Or

_KINDS = BASE | {"remove", "condition_word", "ba", "this_group", "among"}
_NAMES = ("attribute", "value", "property_value", "event", "not_event", "term", "entity")


def drop_condition(request: Request) -> Step | None:
    """The segment in focus without the conditions that are named; None if the text asks for nothing of the kind."""
    scan = read_scan(request.text, request.lexicon, request.today, _KINDS, frozenset())
    if request.focus is None or not scan.has("condition_word") or not scan.has("remove", "exclude"):
        return None
    scan.take("remove", "exclude", "condition_word", "ba", "this_group", "among")
    named = [item for item in scan.rest() if item.has(*_NAMES)]
    left = [item for item in scan.unread() if item not in named and not item.has("and", "or", "have")]
    if left:
        return ask_unread(left, request.text, request.language, request.catalog)
    tree: Node | None = request.focus
    for item in named:
        rest = _without(tree, _keys(request, item)) if tree is not None else None
        if rest == tree and tree is not None:
            rest = _without(tree, _alike(request, tree, item))
        if rest == tree:
            return _no_such(request, item)
        tree = rest
    if not named:
        return _no_such(request, None)
    return call("query_segment", segment=to_text(tree if tree is not None else Everyone()))


def _keys(request: Request, item: Item) -> set[str]:
    """What the conditions that an item names are about, as `about` tells it."""
    found = {sense.name for sense in item.all("attribute")} | {sense.detail for sense in item.all("value")}
    found |= {f"event:{sense.name}" for sense in [*item.all("event"), *item.all("not_event")]}
    found |= {f"holds:{sense.name}" for sense in item.all("property_value") if sense.detail == "kind"}
    for sense in item.all("term"):
        term = next(t for t in request.catalog.terms if t.name == sense.name)
        if term.expression:
            found |= _abouts(parse(term.expression, request.catalog))
    return found


def _alike(request: Request, tree: Node, item: Item) -> set[str]:
    """`the login condition` for days since login: conditions whose attribute is called by a phrase with that word."""
    said = _spelled(item.text)
    known = request.catalog.attribute_index
    return {
        key for key in _abouts(tree)
        if key in known and any(said in _spelled(word) for word in request.catalog.attribute(key).words.all())
    }  # fmt: skip


def _spelled(text: str) -> str:
    """Whole words only: `age` is no part of `wage`; Chinese characters stand by themselves."""
    return f" {' '.join(unit.text for unit in units(text))} "


def _abouts(node: Node) -> set[str]:
    if isinstance(node, And | Or):
        return set().union(*(_abouts(child) for child in node.children))
    if isinstance(node, Not):
        return _abouts(node.child)
    return {about(node)} - {""}


def _without(node: Node, keys: set[str]) -> Node | None:
    """The tree without the conditions about these things; None where nothing is left."""
    if isinstance(node, And | Or):
        kept = [rest for child in node.children if (rest := _without(child, keys)) is not None]
        return type(node)(children=tuple(kept)) if len(kept) > 1 else (kept[0] if kept else None)
    if isinstance(node, Not):
        rest = _without(node.child, keys)
        return Not(child=rest) if rest is not None else None
    return None if about(node) in keys else node


def _no_such(request: Request, item: Item | None) -> Step:
    zh = request.language == "zh"
    name = f"“{item.text}”" if item is not None else ""
    tree = request.focus if request.focus is not None else Everyone()
    known = request.catalog.attribute_index
    names = [
        request.catalog.attribute(key).words.name(request.language) for key in sorted(_abouts(tree)) if key in known
    ]
    return say(
        f"当前客群没有{name}这个条件：{to_text(tree)}。要去掉哪一个？",
        f"The segment in focus has no such condition {name}: {to_text(tree)}. Which one shall go?",
        request.language, [f"去掉{name}条件" if zh else f"drop the {name} condition" for name in names],
    )  # fmt: skip
