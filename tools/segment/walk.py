"""Walking segment trees."""

from collections.abc import Callable, Iterator
from typing import TypeAlias, TypeVar

from tools.segment import schema as s

T = TypeVar("T")


def children(node: s.Node) -> tuple[s.Node, ...]:
    """The conditions directly below one, over the same rows (not those inside `where`)."""
    if isinstance(node, s.And | s.Or):
        return node.children
    return (node.child,) if isinstance(node, s.Not) else ()


def walk(node: s.Node) -> Iterator[s.Node]:
    """All conditions over customers, the node itself first."""
    yield node
    for child in children(node):
        yield from walk(child)


def depth(node: s.Node) -> int:
    """How many levels of `and`, `or` and `not` there are, the leaves included."""
    level, found = [node], 0
    while level:
        found += 1
        level = [child for above in level for child in children(above)]
    return found


def transform(node: s.Node, change: Callable[[s.Node], s.Node]) -> s.Node:
    """The tree with every leaf replaced by what `change` makes of it."""
    match node:
        case s.And(children=below):
            return s.And(children=tuple(transform(child, change) for child in below))
        case s.Or(children=below):
            return s.Or(children=tuple(transform(child, change) for child in below))
        case s.Not(child=child):
            return s.Not(child=transform(child, change))
        case _:
            return change(node)


def flatten(node: s.Node) -> list[s.Node]:
    """The conditions that are and-ed together, nested ands opened."""
    if isinstance(node, s.And):
        return [part for child in node.children for part in flatten(child)]
    return [node]


def operands(node: s.Node) -> list[s.Operand]:
    """What is compared, over customers: each a value whose being unknown fails a comparison."""
    found: list[s.Operand] = []
    for part in walk(node):
        match part:
            case s.Compare(left=left, right=right):
                found += [side for side in (left, right) if not isinstance(side, s.Const)]
            case s.Between(value=value, low=low, high=high):
                found += [side for side in (value, low, high) if not isinstance(side, s.Const)]
            case s.Flag(name=name) | s.In(name=name) | s.Match(name=name) | s.During(name=name):
                found.append(s.Attr(name=name))
            case s.Top(by=by):
                found.append(by)
            case _:
                pass
    return list(dict.fromkeys(found))


def attributes_of(node: s.Node) -> set[str]:
    """The names of all fields of this level (customer attributes, or, for a `where`, properties)."""
    names: set[str] = {part.name for part in walk(node) if isinstance(part, s.IsUnknown)}
    for operand in operands(node):
        names |= attributes_in(operand)
    return names


def attributes_in(operand: s.Operand) -> set[str]:
    """The names of the fields in an operand."""
    if isinstance(operand, s.Arithmetic):
        return attributes_in(operand.left) | attributes_in(operand.right)
    return {operand.name} if isinstance(operand, s.Attr) else set()


def measures_of(operand: s.Operand) -> list[s.Measure]:
    """The measures in an operand."""
    if isinstance(operand, s.Arithmetic):
        return measures_of(operand.left) + measures_of(operand.right)
    return [operand] if isinstance(operand, s.Measure) else []


Behaviour: TypeAlias = s.Did | s.HasRow | s.Holds | s.Sequence | s.Measure


def behaviours(node: s.Node) -> list[Behaviour]:
    """Everything in a tree that looks at events or detail tables: conditions and measures."""
    found: list[Behaviour] = []
    for part in walk(node):
        if isinstance(part, s.Did | s.HasRow | s.Holds | s.Sequence):
            found.append(part)
    for operand in operands(node):
        found += measures_of(operand)
    return found


def looked_at(node: s.Node) -> set[str]:
    """The names of the events and detail tables that a tree looks at (`holds` names none)."""
    names: set[str] = set()
    for part in behaviours(node):
        match part:
            case s.Did(event=event):
                names.add(event)
            case s.HasRow(table=table):
                names.add(table)
            case s.Measure(of=of):
                names.add(of)
            case s.Sequence(event=event, steps=steps):
                names |= {event, *(step.event for step in steps)}
            case s.Holds():
                pass
    return names


def fields_of(node: s.Node, kind: type[T]) -> list[T]:
    """All conditions of one kind over customers."""
    return [part for part in walk(node) if isinstance(part, kind)]
