"""Corrections of the segment in focus: `不对 是5万不是50万`, `no, I meant 40`, `改成女性`.

The condition that is about the same thing is replaced; a bare number replaces the one number it can stand for.
"""

from collections.abc import Callable
from decimal import Decimal

from agent.models.offline.amounts import amount
from agent.models.offline.boolean import conjunction
from agent.models.offline.context import Request
from agent.models.offline.numbers import Quantity, as_number
from agent.models.offline.scan import BASE, scan
from tools.segment.schema import (
    And,
    Attr,
    Between,
    Compare,
    Const,
    Did,
    Flag,
    Holds,
    In,
    IsUnknown,
    Measure,
    Node,
    Not,
    Operand,
    Or,
)  # fmt: skip

KINDS = BASE | {"correct", "change", "instead"}


def about(node: Node) -> str:
    """What a condition is about: an attribute, an event; empty for compounds."""
    if isinstance(node, Not):
        return about(node.child)
    if isinstance(node, Compare):
        return _about_value(node.left)
    if isinstance(node, Between):
        return _about_value(node.value)
    if isinstance(node, In | Flag | IsUnknown):
        return node.name
    if isinstance(node, Did):
        return f"event:{node.event}"
    if isinstance(node, Holds):
        return f"holds:{node.kind}"
    return ""


def _about_value(operand: Operand) -> str:
    if isinstance(operand, Measure):
        return f"event:{operand.of}"
    return operand.name if isinstance(operand, Attr) else ""


def corrected(request: Request, focus: Node, said: Node | None) -> Node | None:
    """The tree in focus with the correction applied; None if it is not clear where it belongs."""
    if said is not None and not only_numbers(request):
        tree = focus
        for part in said.children if isinstance(said, And) else (said,):
            changed = _swap(tree, part)
            tree = changed if changed is not None else conjunction([tree, part])
        return tree
    new, old = _numbers(request)
    if new is None:
        return None
    places = [value for value in _constants(focus) if old is None or Decimal(str(value)) == old]
    if old is None and len(places) > 1:
        near = [v for v in places if (Decimal(str(v)) < 1000) == (new < 1000)]
        places = near if len(near) == 1 else places
    if len(places) != 1 or (old is None and not _near(new, Decimal(str(places[0])))):
        return None
    tree = _replace_number(focus, places[0], as_number(new))
    return tree if tree != focus else None


def _swap(tree: Node, part: Node) -> Node | None:
    """Replace the conditions about the same thing."""
    key = about(part)
    if not key:
        return None
    if about(tree) == key:
        return part
    if isinstance(tree, And | Or):
        hits = [child for child in tree.children if about(child) == key]
        if hits:
            children = [
                part if child is hits[0] else child for child in tree.children if child is hits[0] or child not in hits
            ]
            return children[0] if len(children) == 1 else type(tree)(children=tuple(children))
        for place, child in enumerate(tree.children):
            inner = _swap(child, part) if isinstance(child, And | Or) else None
            if inner is not None:
                return type(tree)(children=(*tree.children[:place], inner, *tree.children[place + 1 :]))
    return None


def _near(new: Decimal, old: Decimal) -> bool:
    """A slip of the tongue stays within a factor of a hundred: 40 is no correction of 500,000."""
    low, high = sorted((abs(new), abs(old)))
    return high <= 100 * max(low, Decimal(1))


def _numbers(request: Request) -> tuple[Decimal | None, Decimal | None]:
    """The number that is right and the one that was wrong: `是5万不是50万`, `I meant 40, not 50`."""
    items = scan(request.text, request.lexicon, request.today, KINDS, frozenset()).items
    right: Decimal | None = None
    wrong: Decimal | None = None
    said: list[Decimal] = []
    change = next((p for p, item in enumerate(items) if item.has("change")), None)
    before_change = 0
    for position, item in enumerate(items):
        read = amount(items, position)
        if read is None or not isinstance(read[0].value, Quantity) or item.has("op_after"):
            continue
        before = items[position - 1] if position else None
        if before is not None and before.has("not", "instead") and wrong is None:
            wrong = read[0].value.value
            continue
        before_change += change is not None and position < change
        said.append(read[0].value.value)
    if wrong is None and len(said) == 2 and change is not None and before_change in (0, 1):
        # 把50万改成20万, change 500k to 200k: the first was wrong.
        return said[1], said[0]
    if said:
        right = said[0]
    return (right, wrong) if len(said) == 1 else (None, wrong)


def only_numbers(request: Request) -> bool:
    """The correction holds numbers and function words alone."""
    items = scan(request.text, request.lexicon, request.today, KINDS, frozenset()).items
    silent = ("correct", "change", "not", "be", "comma", "carry", "de", "quantity", "and", "instead", "ba")
    return any(item.has("quantity") for item in items) and all(item.has(*silent) for item in items)


def _constants(node: Node) -> list[int | float]:
    found: list[int | float] = []

    def visit(other: Node) -> None:
        if isinstance(other, And | Or):
            for child in other.children:
                visit(child)
        elif isinstance(other, Not):
            visit(other.child)
        elif isinstance(other, Compare) and isinstance(other.right, Const) and _number(other.right):
            found.append(other.right.value)  # type: ignore[arg-type]
        elif isinstance(other, Between):
            found.extend(c.value for c in (other.low, other.high) if isinstance(c, Const) and _number(c))  # type: ignore[misc]

    visit(node)
    return found


def _number(constant: Const) -> bool:
    return isinstance(constant.value, int | float) and not isinstance(constant.value, bool)


def _replace_number(node: Node, old: int | float, new: int | float) -> Node:
    def value(constant: object) -> object:
        return Const(value=new) if isinstance(constant, Const) and constant.value == old else constant

    recurse: Callable[[Node], Node] = lambda child: _replace_number(child, old, new)  # noqa: E731
    if isinstance(node, And | Or):
        return type(node)(children=tuple(recurse(child) for child in node.children))
    if isinstance(node, Not):
        return Not(child=recurse(node.child))
    if isinstance(node, Compare):
        return node.model_copy(update={"right": value(node.right)})
    if isinstance(node, Between):
        return node.model_copy(update={"low": value(node.low), "high": value(node.high)})
    return node
