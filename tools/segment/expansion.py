"""Segments by value: references to saved segments replaced by their trees, lists pinned to their content."""

from pydantic import TypeAdapter

from control.records import Records
from tools.segment import schema as s
from tools.segment.eql import MAX_CONDITIONS, MAX_NESTING, parse, too_large
from tools.segment.errors import ExpressionError
from tools.segment.walk import depth, transform
from warehouse.catalog import Catalog
from warehouse.errors import NotFound

_NODE: TypeAdapter[s.Node] = TypeAdapter(s.Node)
MAX_DEPTH = 20


def load(tree: object) -> s.Node:
    """A tree from the JSON in which it was saved."""
    return _NODE.validate_python(tree)


def dump(node: s.Node) -> dict[str, object]:
    """A tree as JSON."""
    return dict(node.model_dump(mode="json"))


def resolve(text_or_id: str, catalog: Catalog, records: Records) -> s.Node:
    """EQL, `seg_<n>`, or the name of a saved segment.

    Raises:
        ExpressionError: the text is neither EQL nor a saved segment.
        NotFound: there is no segment with this id.
    """
    text = text_or_id.strip()
    if text.startswith("seg_") and text[4:].isdigit():
        return load(records.segment(text).tree)
    try:
        return parse(text, catalog)
    except ExpressionError:
        try:
            return load(records.segment(text).tree)
        except NotFound:
            pass
        raise


def expand(node: s.Node, records: Records) -> s.Node:
    """The tree by value: no `in_segment` is left, and every list carries the hash of its present content.

    Raises:
        ExpressionError: segments refer to each other in a circle, or together hold too many conditions: a few that each
            name another twice would double at every step.
        NotFound: a segment that is named does not exist.
    """
    return _Expansion(records).expand(node, ())


class _Expansion:
    """One expansion, with the conditions that it has made so far and the levels it is inside."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._leaves = 0
        self._levels = 0

    def expand(self, node: s.Node, path: tuple[str, ...]) -> s.Node:
        if self._levels + (deep := depth(node)) > MAX_NESTING:
            raise too_large()
        self._levels += deep
        expanded = transform(node, lambda leaf: self._leaf(leaf, path))
        self._levels -= deep
        return expanded

    def _leaf(self, leaf: s.Node, path: tuple[str, ...]) -> s.Node:
        if isinstance(leaf, s.InSegment):
            saved = self._records.segment(leaf.id)
            if saved.id in path or len(path) >= MAX_DEPTH:
                circle = " → ".join((*path, saved.id))
                raise ExpressionError(
                    f"These segments refer to each other in a circle: {circle}.", f"这些客群互相引用成环：{circle}。",
                    fix="Write one of them out.", fix_zh="请把其中一个写成具体条件。",
                )  # fmt: skip
            return self.expand(load(saved.tree), (*path, saved.id))
        self._leaves += 1
        if self._leaves > MAX_CONDITIONS:
            raise too_large()
        if isinstance(leaf, s.InList) and not leaf.sha256:
            try:
                return s.InList(name=leaf.name, sha256=self._records.list_record(leaf.name).sha256)
            except NotFound:
                return leaf  # a list that only the warehouse knows; counting says so if it does not exist
        return leaf
