"""What a segment rests on, transitively, and what rests on it: asked before anything is archived, removed or saved.

Trees are read as JSON: whatever kinds of conditions the language has, they name attributes, events, detail tables, lists and
segments in the same few fields; inside a `where` names are properties. Canvases are documents in which expressions stand as text.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from control.records import Records, SegmentRecord, TagRecord
from tools.segment import schema as s
from tools.segment.eql import parse
from tools.segment.errors import ExpressionError
from tools.segment.expansion import dump, load
from warehouse.catalog import Catalog, Tagged
from warehouse.errors import NotFound, PersonDecides

Kind = Literal["attribute", "event", "detail", "list", "segment", "tag", "canvas", "proposal"]

HOLDINGS = "holdings"
"""The table that `holds` looks at."""
_SEGMENT_ID = re.compile(r"\bseg_[1-9]\d*\b")
_REFERENCE = re.compile(r"\bin_(segment|list)\(\s*(['\"])(.*?)\2\s*\)")
_TEXTS = frozenset({"text", "label", "name", "title", "content", "signature", "notes"})
"""Fields of a canvas that people read; an expression never stands in them."""
MAX_SEGMENTS = 100_000


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Item(Frozen):
    """Something used, or a user. `via` is the id of the segment or tag through which it is used; empty: directly."""

    kind: Kind
    id: str
    name: str = ""
    via: str = ""
    detail: str = ""


class Lineage(Frozen):
    """`uses`: what it rests on, direct things first. `users`: what rests on it."""

    kind: Kind
    id: str
    name: str
    uses: list[Item]
    users: list[Item]


class References(Frozen):
    """What one tree names itself, not what stands behind it."""

    attributes: tuple[str, ...] = ()
    looks_at: tuple[str, ...] = Field((), description="Events and detail tables.")
    lists: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()


def references(tree: object) -> References:
    """What a tree (JSON) names."""
    found: dict[str, dict[str, None]] = {kind: {} for kind in References.model_fields}
    _collect(tree, found, False)
    return References(**{kind: tuple(names) for kind, names in found.items()})


def _collect(part: object, found: dict[str, dict[str, None]], inner: bool) -> None:
    if isinstance(part, list):
        for item in part:
            _collect(item, found, inner)
        return
    if not isinstance(part, dict):
        return
    node, name = part.get("node"), part.get("name")
    if node == "in_list":
        found["lists"][str(name)] = None
    elif node == "in_segment":
        found["segments"][str(part.get("id"))] = None
    elif node and not inner:
        for word in (name, part.get("by")):
            if isinstance(word, str) and word:
                found["attributes"][word] = None
    if node == "holds":
        found["looks_at"][HOLDINGS] = None
    for key, value in part.items():
        if key in ("event", "table", "of") and isinstance(value, str):
            found["looks_at"][value] = None
        _collect(value, found, inner or key == "where")


def uses(node: s.Node, catalog: Catalog, records: Records) -> list[Item]:
    """Everything a tree rests on: what it names itself, then what stands behind the segments and tags it names."""
    found: dict[tuple[str, str], Item] = {}
    _uses(dump(node), "", catalog, records, found, ())
    return list(found.values())


def _uses(
    tree: object,
    via: str,
    catalog: Catalog,
    records: Records,
    found: dict[tuple[str, str], Item],
    path: tuple[str, ...],
) -> None:
    named = references(tree)
    behind: list[tuple[str, object]] = []

    def note(kind: Kind, id_: str, name: str = "", detail: str = "") -> None:
        found.setdefault((kind, id_), Item(kind=kind, id=id_, name=name, via=via, detail=detail))

    for word in named.attributes:
        attribute = catalog.attribute_index.get(word)
        if attribute is None:
            continue
        if isinstance(attribute.derived, Tagged):
            note("tag", attribute.name, attribute.words.zh, attribute.derived.tag)
            behind.append((attribute.name, records.tag(attribute.derived.tag).tree))
        else:
            source = f"customers.{word}" if attribute.derived is None else _derived(attribute.derived.model_dump())
            note("attribute", word, attribute.words.zh, source)
    for word in named.looks_at:
        if word in catalog.event_index:
            note("event", word, catalog.event_index[word].words.zh)
        else:
            entity = next((e for e in catalog.entities if word in (e.name, e.table)), None)
            note("detail", entity.name if entity else word, entity.words.zh if entity else "")
    for word in named.lists:
        note("list", word, detail=_list_version(word, records))
    for word in named.segments:
        saved = records.segment(word)
        note("segment", saved.id, saved.name)
        if saved.id not in path:
            behind.append((saved.id, saved.tree))
    for inner, below in behind:
        _uses(below, inner, catalog, records, found, (*path, inner))


def _derived(how: dict[str, Any]) -> str:
    table = how.get("table") or ("holdings" if how["kind"] == "days_to_next_maturity" else "customers")
    column = how.get("column") or "matures_on"
    return f"{table}.{column}"


def _list_version(name: str, records: Records) -> str:
    try:
        record = records.list_record(name)
    except NotFound:
        return ""
    return f"v{record.version}"


# Users


def users(kind: Literal["segment", "list", "tag"], id_: str, records: Records, catalog: Catalog) -> list[Item]:
    """Who names a segment (by its id), a list or a tag (by their names): segments, tags, canvases, open proposals."""
    called = {id_}
    if kind == "segment":
        saved = records.segment(id_)
        if saved.name and records.segment(saved.name).id == saved.id:
            called.add(saved.name)
    found = [*_segment_users(kind, called, records), *_tag_users(kind, called, records, catalog)]
    for document in records.documents_in_use():
        if called & _named_in(kind, document.document):
            found.append(
                Item(
                    kind=document.kind, id=document.id, name=document.name,
                    detail=document.status or f"v{document.version}",
                )
            )  # fmt: skip
    return found


def _segment_users(kind: str, called: set[str], records: Records) -> Iterator[Item]:
    for segment in records.segments(MAX_SEGMENTS):
        if called & _of(kind, references(segment.tree)):
            yield Item(kind="segment", id=segment.id, name=segment.name, detail=segment.expression)


def _tag_users(kind: str, called: set[str], records: Records, catalog: Catalog) -> Iterator[Item]:
    for tag in records.tags():
        if tag.source in called or called & _of(kind, tag_references(tag, catalog)):
            yield Item(kind="tag", id=tag.name, name=tag.zh, detail=tag.id)


def tag_references(tag: TagRecord, catalog: Catalog) -> References:
    """What a tag's definition names, as it was written: its kept tree has the segments it named spelt out."""
    try:
        written = references(dump(parse(tag.expression, catalog)))
    except ExpressionError:  # something it named is gone; the kept tree still says what it rests on
        return references(tag.tree)
    kept = references(tag.tree)
    return kept.model_copy(update={"segments": written.segments})


def _of(kind: str, named: References) -> set[str]:
    return set({"segment": named.segments, "list": named.lists, "tag": named.attributes}[kind])


def _named_in(kind: str, document: object) -> set[str]:
    """The segments, lists or words that stand in the expressions of a document."""
    found: set[str] = set()
    for text in _expressions(document):
        for which, _, name in _REFERENCE.findall(text):
            if which == kind:
                found.add(name)
        if kind == "segment":
            found.update(_SEGMENT_ID.findall(text))
        elif kind == "tag":
            found.update(re.findall(r"\b[a-z][a-z0-9_]*\b", text))
    return found


def _expressions(part: object, key: str = "") -> Iterator[str]:
    if isinstance(part, dict):
        for name, value in part.items():
            yield from _expressions(value, str(name))
    elif isinstance(part, list):
        for value in part:
            yield from _expressions(value, key)
    elif isinstance(part, str) and key not in _TEXTS:
        yield part


def refuse_if_used(what: str, what_zh: str, found: Iterable[Item]) -> None:
    """Pass if nobody uses it. A segment that nobody gave a name is a question once asked: it is no reason to keep things.

    Raises:
        PersonDecides: somebody does; the message names them.
    """
    firm = [i for i in found if i.kind != "segment" or i.name]
    listed = [f"{i.id} ({i.name})" if i.name and i.name != i.id else i.id for i in firm]
    if listed:
        names = ", ".join(listed[:8]) + (" …" if len(listed) > 8 else "")
        raise PersonDecides(
            f"{what} is in use by {names}.", "Change or archive these first.",
            message_zh=f"{what_zh}正在被使用：{names}。", fix_zh="请先修改或归档它们。", users=listed,
        )  # fmt: skip


def refuse_circle(node: s.Node, name: str, records: Records) -> None:
    """Pass if a segment may be saved under a name: what it names must not, through others, name it again.

    Raises:
        ExpressionError: it would refer to itself; the message shows the way round.
    """
    if not name:
        return

    def follow(tree: object, path: tuple[str, ...]) -> None:
        for word in references(tree).segments:
            if word == name:
                circle = " → ".join((*path, name))
                raise ExpressionError(
                    f"The segment would refer to itself: {circle}.", f"客群会引用到自己：{circle}。",
                    fix="Write the conditions out, or choose another name.", fix_zh="请把条件写出来，或换一个名称。",
                )  # fmt: skip
            saved = records.segment(word)
            if saved.id not in path:
                follow(saved.tree, (*path, saved.id))

    follow(dump(node), (name,))


# Pictures

_SHAPE = {"segment": "box", "list": "note", "event": "hexagon", "attribute": "ellipse", "detail": "cylinder",
          "tag": "cds", "canvas": "component", "proposal": "tab"}  # fmt: skip
_FILL = {"segment": "#D9E6F7", "list": "#FBE9C6", "event": "#E4F2E1", "attribute": "#F2F4F7", "detail": "#E9E2F5",
         "tag": "#FADBD8", "canvas": "#E1EEF2", "proposal": "#E1EEF2"}  # fmt: skip


def draw(lineage: Lineage) -> str:
    """The lineage as Graphviz DOT: what it rests on at the left, who rests on it at the right."""
    lines = ["digraph lineage {", 'rankdir=LR; node [fontname="Noto Sans CJK SC", fontsize=11, style=filled];']
    centre = _key(lineage.kind, lineage.id)
    between = {item.id: _key(item.kind, item.id) for item in lineage.uses if item.kind in ("segment", "tag")}
    lines.append(_node(lineage.kind, lineage.id, lineage.name, 2))
    for item in lineage.uses:
        lines.append(_node(item.kind, item.id, item.name))
        lines.append(f"{_key(item.kind, item.id)} -> {between.get(item.via, centre)};")
    for item in lineage.users:
        lines.append(_node(item.kind, item.id, item.name))
        lines.append(f"{centre} -> {_key(item.kind, item.id)};")
    return "\n".join([*lines, "}"])


def _node(kind: Kind, id_: str, name: str, width: int = 1) -> str:
    label = _escaped(id_) if not name or name == id_ else f"{_escaped(id_)}\\n{_escaped(name)}"
    return f'{_key(kind, id_)} [label="{label}", shape={_SHAPE[kind]}, fillcolor="{_FILL[kind]}", penwidth={width}];'


def _key(kind: Kind, id_: str) -> str:
    return f'"{kind}:{_escaped(id_)}"'


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")


def lineage_of(saved: SegmentRecord, node: s.Node, catalog: Catalog, records: Records) -> Lineage:
    """A saved segment's place in the house.

    Raises:
        NotFound: it names a segment that is gone.
    """
    return Lineage(
        kind="segment", id=saved.id, name=saved.name, uses=uses(node, catalog, records),
        users=users("segment", saved.id, records, catalog),
    )  # fmt: skip


def lineage_of_tag(tag: TagRecord, catalog: Catalog, records: Records) -> Lineage:
    """A tag's place in the house, from its definition as it was written."""
    resting = uses(load(tag.tree), catalog, records)
    if tag.source:
        saved = records.segment(tag.source)
        resting.insert(0, Item(kind="segment", id=saved.id, name=saved.name))
    return Lineage(kind="tag", id=tag.name, name=tag.zh, uses=resting, users=users("tag", tag.name, records, catalog))


def lineage_of_list(name: str, catalog: Catalog, records: Records) -> Lineage:
    """Who names a list; it rests on its file alone."""
    return Lineage(kind="list", id=name, name="", uses=[], users=users("list", name, records, catalog))
