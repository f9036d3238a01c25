"""Counts of saved segments, kept with what they meant and when, so that tomorrow's number can be explained.

The warehouse holds only the present. What a segment held before survives in two forms: the count of every condition at
every data cut-off (in the records), and, for named segments of moderate size, who its customers were (in the warehouse,
ids only, the last few cut-offs).
"""

from collections.abc import Sequence

import duckdb

from control.records import ConditionCount, CountRecord, SegmentRecord, digest
from tools.segment import schema as s
from tools.segment.eql import to_text
from tools.segment.expansion import dump, load
from tools.segment.segments import Count, Segments
from tools.segment.sql import to_sql
from tools.segment.walk import flatten
from warehouse.store import Warehouse

MEMBERS = "segment_members"
"""(count BIGINT, customer_id BIGINT): who a segment held, by the number of the count that was kept."""
MOST_MEMBERS = 500_000
"""Larger segments keep their counts only."""
KEPT_TIMES = 8
"""Data cut-offs whose members are kept for a segment."""


def scope_text(branches: Sequence[int] | None) -> str:
    """A branch scope as kept counts name it; empty means the whole bank."""
    return "" if branches is None else ",".join(map(str, branches)) or "none"


def parts_of(tree: s.Node) -> list[s.Node]:
    """The conditions by which a change is explained: those that are and-ed, or or-ed, at the top."""
    parts = flatten(tree)
    if len(parts) == 1 and isinstance(parts[0], s.Or):
        return list(parts[0].children)
    return parts


def condition_counts(segments: Segments, tree: s.Node) -> list[ConditionCount]:
    """How many meet each condition by itself; one query. Empty where there is only one condition."""
    parts = parts_of(tree)
    if len(parts) < 2:
        return []
    here = segments.compiler(tree).here()
    index = segments.catalog.attribute_index
    sums = {
        f"c{i}": here.condition(part, here.customers, index, False).fill_null(False).ifelse(1, 0).sum().fill_null(0)
        for i, part in enumerate(parts)
    }
    row = segments.warehouse.read(to_sql(here.customers.relation.aggregate(**sums))).dicts()[0]
    return [ConditionCount(condition=to_text(part), count=int(row[f"c{i}"])) for i, part in enumerate(parts)]


def keep(segments: Segments, saved: SegmentRecord, counted: Count, *, explain: bool) -> CountRecord:
    """Keep a count of a saved segment.

    Args:
        explain: also the counts of its conditions and, where it is named and not too large, its members.
    """
    tree = segments.ready(load(saved.tree))
    document = dump(tree)
    kept = segments.records.keep_count(
        CountRecord(
            segment=saved.id, scope=scope_text(segments.scope), as_of=segments.warehouse.as_of,
            definition=digest(document), tree=document, count=counted.count, unknown=counted.unknown,
            total=counted.total, conditions=tuple(condition_counts(segments, tree)) if explain else (),
            account=segments.actor.account,
        )
    )  # fmt: skip
    if explain and saved.name and counted.count <= MOST_MEMBERS and not kept.members_kept:
        return _keep_members(segments, kept, tree)
    return kept


def count_and_keep(segments: Segments, saved: SegmentRecord) -> tuple[Count, CountRecord]:
    """Count a saved segment now and keep what explains it later."""
    counted = segments.count(load(saved.tree), diagnose=False)
    return counted, keep(segments, saved, counted, explain=True)


def _keep_members(segments: Segments, kept: CountRecord, tree: s.Node) -> CountRecord:
    ids = segments.warehouse.read_arrow(segments.ids_sql(tree)).select(["customer_id"])
    before = [c for c in segments.records.counts([kept.segment], kept.scope) if c.members_kept]
    gone = [c.number for c in before[KEPT_TIMES - 1 :]]
    with segments.warehouse.writer() as con:
        con.execute(f"CREATE TABLE IF NOT EXISTS {MEMBERS} (count BIGINT, customer_id BIGINT)")
        con.execute(f"DELETE FROM {MEMBERS} WHERE list_contains(?, count)", [[kept.number, *gone]])
        con.register("kept_members", ids)
        try:
            con.execute(f"INSERT INTO {MEMBERS} SELECT ?, customer_id FROM kept_members", [kept.number])
        finally:
            con.unregister("kept_members")
    segments.records.members_kept([kept.number], gone)
    return kept.model_copy(update={"members_kept": True})


def has_members(warehouse: Warehouse, kept: CountRecord) -> bool:
    """Whether the warehouse still knows whom a kept count counted: a warehouse built anew may not."""
    if not kept.members_kept:
        return False
    if not kept.count:
        return True
    try:
        return bool(warehouse.read(f"SELECT 1 FROM {MEMBERS} WHERE count = ? LIMIT 1", [kept.number]).rows)
    except duckdb.CatalogException:
        return False


def watched(records_segments: Sequence[SegmentRecord]) -> list[SegmentRecord]:
    """The named segments, one for each name: the newest of it. They are counted at every new data cut-off."""
    newest: dict[str, SegmentRecord] = {}
    for saved in records_segments:
        newest.setdefault(saved.name, saved)
    return list(newest.values())
