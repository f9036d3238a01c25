"""How much two to four segments have in common: every region of the Venn diagram, counted in one pass."""

from collections.abc import Sequence
from functools import reduce
from itertools import combinations
from operator import add, or_

import ibis
from pydantic import BaseModel, ConfigDict

from tools.segment import schema as s
from tools.segment.eql import to_text
from tools.segment.segments import SMALL, Segments
from tools.segment.sql import to_sql
from warehouse.errors import ModelRetry
from warehouse.evidence import Evidence, record

MOST = 4
"""Segments compared at once: with more nobody can read the picture."""
WITHHELD = f"<{SMALL}"


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class OverlapSet(Frozen):
    """One of the segments; `only` are its customers who are in no other of them."""

    label: str
    expression: str
    count: int
    only: int


class Region(Frozen):
    """The customers who are in exactly these segments (positions, 0-based) and in no other of them."""

    inside: tuple[int, ...]
    count: int


class Pair(Frozen):
    """Two of the segments, whatever the others say; shares are of the first's and of the second's customers."""

    first: int
    second: int
    both: int
    of_first: float | None
    of_second: float | None


class Overlap(Frozen):
    """`regions` are all non-empty combinations, the most segments first; their counts add up to `union`."""

    sets: list[OverlapSet]
    regions: list[Region]
    pairs: list[Pair]
    union: int
    total: int
    evidence: Evidence

    @property
    def small(self) -> bool:
        """Some combination is a group too small to be told exactly. Every other number here is a sum of combinations, so one
        that is small has a small one in it."""
        return any(0 < region.count < SMALL for region in self.regions)


def overlap(segments: Segments, nodes: Sequence[s.Node], labels: Sequence[str] | None = None) -> Overlap:
    """Count every combination of two to four segments.

    Args:
        labels: what the segments are called; their expressions unless told otherwise.

    Raises:
        ModelRetry: fewer than two segments, more than four, or the same one twice.
        ExpressionError: one names a list or segment that does not exist.
    """
    if not 2 <= len(nodes) <= MOST:
        raise ModelRetry(
            f"An overlap is of 2 to {MOST} segments, not {len(nodes)}.", "Name that many.",
            message_zh=f"重叠分析需要 2 到 {MOST} 个客群，现在是 {len(nodes)} 个。", fix_zh="请给出 2 到 4 个客群。",
        )  # fmt: skip
    trees = [segments.ready(node) for node in nodes]
    texts = [to_text(node) for node in nodes]
    if len({to_text(tree) for tree in trees}) < len(trees):
        raise ModelRetry(
            "Two of the segments are the same.", "Name different ones.",
            message_zh="其中两个客群完全相同。", fix_zh="请给出不同的客群。",
        )  # fmt: skip
    here = segments.compiler(s.Or(children=tuple(trees))).here()
    index = segments.catalog.attribute_index
    inside = [
        here.condition(tree, here.customers, index, False).fill_null(False).ifelse(1 << place, 0)
        for place, tree in enumerate(trees)
    ]
    keyed = here.customers.relation.select(mask=reduce(add, inside, ibis.literal(0)))
    sql = to_sql(keyed.group_by("mask").aggregate(n=keyed.count()).order_by("mask"))
    result = segments.warehouse.read(sql)
    by_mask = {int(mask): int(n) for mask, n in result.rows}
    kept = record(segments.warehouse, f"overlap: {' | '.join(texts)}", sql, [], result)
    names = list(labels) if labels else texts
    places = range(len(trees))

    def having(mask: int) -> int:
        return sum(n for m, n in by_mask.items() if m & mask == mask)

    regions = [
        Region(inside=group, count=by_mask.get(reduce(or_, (1 << i for i in group)), 0))
        for size in range(len(trees), 0, -1)
        for group in combinations(places, size)
    ]
    counts = [having(1 << i) for i in places]
    pairs = [_pair(i, j, having(1 << i | 1 << j), counts) for i, j in combinations(places, 2)]
    return Overlap(
        sets=[
            OverlapSet(label=names[i], expression=texts[i], count=counts[i], only=by_mask.get(1 << i, 0))
            for i in places
        ],
        regions=regions,
        pairs=pairs,
        union=sum(n for mask, n in by_mask.items() if mask),
        total=sum(by_mask.values()),
        evidence=kept,
    )


def _pair(first: int, second: int, both: int, counts: Sequence[int]) -> Pair:
    def share(of: int) -> float | None:
        return both / of if of else None

    return Pair(first=first, second=second, both=both, of_first=share(counts[first]), of_second=share(counts[second]))
