"""From conditions in a row to one tree: `and` by default, `or` by how the words bind.

`or` binds the whole row where it stands alone between conditions; it binds its two neighbours where they speak of the
same thing or share a verb (`with a credit card or a loan`); two equally built sides are two groups (`women under 30 or
men over 60`). Where both readings remain possible, both are given and the person is asked.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from agent.models.offline.frames import Atom, Join
from tools.segment.schema import And, Everyone, Node, Or

Row = Sequence[Atom | Join]


@dataclass(frozen=True, slots=True)
class Combined:
    """`other` is a second reading that selects differently; None where there is only one."""

    node: Node
    other: Node | None = None


def conjunction(nodes: Sequence[Node]) -> Node:
    """All of them; nested conjunctions are made flat, repeated conditions said once."""
    flat: list[Node] = []
    for node in nodes:
        for child in node.children if isinstance(node, And) else (node,):
            if child not in flat and not (isinstance(child, Everyone) and len(nodes) > 1):
                flat.append(child)
    if not flat:
        return Everyone()
    return flat[0] if len(flat) == 1 else And(children=tuple(flat))


def disjunction(nodes: Sequence[Node]) -> Node:
    flat: list[Node] = []
    for node in nodes:
        for child in node.children if isinstance(node, Or) else (node,):
            if child not in flat:
                flat.append(child)
    return flat[0] if len(flat) == 1 else Or(children=tuple(flat))


def combine(row: Row) -> Combined | None:
    """One tree of a row of atoms and the joins between them; None if there is no atom."""
    groups = _groups(row)
    nodes: list[Node] = []
    others: list[Node] = []
    differs = False
    for group in groups:
        read = _group(group)
        nodes.append(read.node)
        others.append(read.other or read.node)
        differs = differs or read.other is not None
    if not nodes:
        return None
    return Combined(conjunction(nodes), conjunction(others) if differs else None)


@dataclass(slots=True)
class _Link:
    atom: Atom
    joins: frozenset[Join]
    """What stands between the atom before and this one."""


def _links(row: Row) -> list[_Link]:
    links: list[_Link] = []
    joins: set[Join] = set()
    for element in row:
        if isinstance(element, Atom):
            links.append(_Link(element, frozenset(joins)))
            joins = set()
        else:
            joins.add(element)
    return links


def _groups(row: Row) -> list[list[_Link]]:
    """Cut the row where an `or` cannot reach across."""
    groups: list[list[_Link]] = []
    for link in _links(row):
        current = groups[-1] if groups else None
        seen_or = current is not None and any("or" in other.joins for other in current[1:])
        cut = current is None or (
            "or" not in link.joins
            and (
                "scope" in link.joins
                or "comma" in link.joins
                or ("people" in link.joins and not seen_or)
                or (("de" in link.joins or "people" in link.joins) and seen_or)
            )
        )
        if cut or current is None:
            groups.append([link])
        else:
            current.append(link)
    return groups


def _group(links: list[_Link]) -> Combined:
    parts: list[list[_Link]] = [[links[0]]]
    for link in links[1:]:
        if "or" in link.joins:
            parts.append([link])
        else:
            parts[-1].append(link)
    wide = disjunction([conjunction([link.atom.node for link in part]) for part in parts])
    if len(parts) == 1 or all(len(part) == 1 for part in parts):
        return Combined(wide)
    keys = [[link.atom.key for link in part] for part in parts]
    if all(len(part) > 1 for part in parts) and all(sorted(key) == sorted(keys[0]) for key in keys[1:]):
        return Combined(wide)
    narrow = _narrow(parts)
    if _shared(parts):
        return Combined(narrow)
    return Combined(narrow, wide)


def _shared(parts: list[list[_Link]]) -> bool:
    """The neighbours of each `or` speak of one thing, or one verb governs both."""
    pairs = pairwise(parts)
    return all(
        left[-1].atom.key == right[0].atom.key
        or (left[-1].atom.noun and right[0].atom.noun and len(right) == 1 and right[0].atom.key != "value")
        for left, right in pairs
    )


def _narrow(parts: list[list[_Link]]) -> Node:
    """`or` between neighbours only: a and (b or c) and d."""
    before = [link.atom.node for link in parts[0][:-1]]
    alternatives = [parts[0][-1].atom.node]
    after: list[Node] = []
    for position, part in enumerate(parts[1:], 1):
        alternatives.append(part[0].atom.node)
        if position == len(parts) - 1:
            after = [link.atom.node for link in part[1:]]
        elif len(part) > 1:
            before.extend(link.atom.node for link in part[1:])
    return conjunction([*before, disjunction(alternatives), *after])
