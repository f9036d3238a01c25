"""Why a segment has other customers than before: what its definition changed, what the data changed, and what cannot be
known any more because the warehouse holds only the present."""

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from typing import Literal

from pydantic import BaseModel, ConfigDict

from control.records import CountRecord, Records, SegmentRecord
from tools.segment import schema as s
from tools.segment.eql import to_text
from tools.segment.expansion import load
from tools.segment.history import MEMBERS, condition_counts, has_members, parts_of, scope_text
from tools.segment.lineage import references
from tools.segment.segments import SMALL, Segments
from tools.segment.snapshot import snapshot_conditions
from warehouse.catalog import Language
from warehouse.clock import naive_utc
from warehouse.errors import ModelRetry


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Edit(Frozen):
    """One condition that the definition gained, lost or words otherwise."""

    kind: Literal["added", "removed", "changed"]
    before: str = ""
    after: str = ""


class ConditionChange(Frozen):
    """One condition of the earlier definition.

    `before` and `after` count who meets it by itself, then and now; `before` is None where no count of it was kept.
    `then_again` is what today's data says about the earlier cut-off: given for conditions on dated events only.
    `lost` counts those who left the segment and no longer meet it, `lost_alone` those for whom it is the only one they
    no longer meet; both None where it is not known who left.
    """

    condition: str
    before: int | None
    after: int
    then_again: int | None = None
    lost: int | None = None
    lost_alone: int | None = None

    @property
    def moved(self) -> int | None:
        return None if self.before is None else self.after - self.before


class Change(Frozen):
    """From an earlier count to now: `before + by_data + by_definition == after`.

    `entered` and `lost` count customers under the earlier definition (None: not known any more); `gone` of the lost are
    no customers any more, `arrived` of the entered opened their account since.
    """

    segment: str
    name: str
    before: int
    after: int
    as_of_before: datetime
    as_of_after: datetime
    by_data: int
    by_definition: int
    edits: list[Edit]
    conditions: list[ConditionChange]
    entered: int | None = None
    lost: int | None = None
    gone: int | None = None
    arrived: int | None = None
    earlier: list[datetime] = []

    @property
    def delta(self) -> int:
        return self.after - self.before


def history(segments: Segments, saved: SegmentRecord, records: Records) -> list[CountRecord]:
    """The kept counts of a segment, or of all that bore its name, within the actor's scope; the latest first."""
    same = records.segments_named(saved.name) if saved.name else []
    ids = dict.fromkeys([saved.id, *(other.id for other in same)])
    return records.counts(ids, scope_text(segments.scope))


def explain(segments: Segments, saved: SegmentRecord, since: datetime | None = None) -> Change:
    """Compare a segment now with its latest count at or before an instant.

    Args:
        since: None compares with the latest count at an earlier data cut-off, or of another definition.

    Raises:
        ModelRetry: no earlier count was kept; the fix tells from when on there are some.
    """
    records = segments.records
    now_tree = segments.ready(load(saved.tree))
    kept = history(segments, saved, records)
    as_of = segments.warehouse.as_of
    earlier = [c for c in kept if (c.as_of, to_text(load(c.tree))) != (as_of, to_text(now_tree))]
    chosen = next((c for c in earlier if since is None or c.as_of <= since), None)
    if chosen is None:
        first = min((c.as_of for c in kept), default=None)
        raise ModelRetry(
            f"No earlier count of {saved.name or saved.id} was kept"
            + (f"; the first is at {first:%Y-%m-%d %H:%M}Z." if first else "."),
            "Counts are kept from the first time a named segment is counted, at every data cut-off.",
            message_zh=f"没有“{saved.name or saved.id}”更早的计数记录。",
            fix_zh="有名称的客群从第一次计数起，每次数据更新都会留存计数。",
        )
    return _compare(segments, saved, now_tree, chosen, [c.as_of for c in earlier])


def _compare(
    segments: Segments, saved: SegmentRecord, now_tree: s.Node, kept: CountRecord, earlier: Sequence[datetime]
) -> Change:
    old_tree = load(kept.tree)
    after = segments.count(now_tree, diagnose=False).count
    edits = definition_diff(old_tree, now_tree)
    same_now = after if not edits else segments.count(old_tree, diagnose=False).count
    moved = _Moves(segments, kept, old_tree) if has_members(segments.warehouse, kept) else None
    return Change(
        segment=saved.id, name=saved.name, before=kept.count, after=after, as_of_before=kept.as_of,
        as_of_after=segments.warehouse.as_of, by_data=same_now - kept.count, by_definition=after - same_now,
        edits=edits, conditions=_conditions(segments, kept, old_tree, moved),
        entered=moved.entered if moved else None, lost=moved.lost if moved else None,
        gone=moved.gone if moved else None, arrived=moved.arrived if moved else None, earlier=list(earlier),
    )  # fmt: skip


def definition_diff(before: s.Node, after: s.Node) -> list[Edit]:
    """The and-ed (or or-ed) conditions that differ; two that name the same things count as one that was changed."""
    old = {to_text(part): part for part in parts_of(before)}
    new = {to_text(part): part for part in parts_of(after)}
    if isinstance(before, s.Or) != isinstance(after, s.Or) and min(len(old), len(new)) > 1:
        return [Edit(kind="changed", before=to_text(before), after=to_text(after))]
    removed = [text for text in old if text not in new]
    added = [text for text in new if text not in old]
    edits = []
    for text in removed:
        named = references(old[text].model_dump(mode="json"))
        twin = next((t for t in added if references(new[t].model_dump(mode="json")) == named), None)
        if twin is None:
            edits.append(Edit(kind="removed", before=text))
        else:
            added.remove(twin)
            edits.append(Edit(kind="changed", before=text, after=twin))
    return edits + [Edit(kind="added", after=text) for text in added]


class _Moves:
    """Who left and who came, under the earlier definition and today's data."""

    def __init__(self, segments: Segments, kept: CountRecord, old_tree: s.Node) -> None:
        self._segments, self._tree = segments, old_tree
        warehouse = segments.warehouse
        self.before = f"SELECT customer_id FROM {MEMBERS} WHERE count = {int(kept.number)}"
        self.now = segments.ids_sql(old_tree)
        opened = naive_utc(kept.as_of).date().isoformat()
        row = warehouse.read(
            f"""WITH b AS ({self.before}), n AS ({self.now})
            SELECT (SELECT count(*) FROM b ANTI JOIN n USING (customer_id)),
                   (SELECT count(*) FROM n ANTI JOIN b USING (customer_id)),
                   (SELECT count(*) FROM b ANTI JOIN customers USING (customer_id)),
                   (SELECT count(*) FROM n ANTI JOIN b USING (customer_id)
                    JOIN customers c USING (customer_id) WHERE c.opened_on >= DATE '{opened}')"""
        ).rows[0]
        self.lost, self.entered, self.gone, self.arrived = (int(n) for n in row)

    def by_condition(self) -> list[tuple[int, int]]:
        """For each condition: of those who left and still are customers, how many no longer meet it, and how many no
        longer meet it alone."""
        parts = parts_of(self._tree)
        flags = ", ".join(
            f"customer_id NOT IN ({self._segments.ids_sql(part)}) AS f{i}" for i, part in enumerate(parts)
        )
        failed = " + ".join(f"f{i}::INT" for i in range(len(parts)))
        sums = ", ".join(f"count(*) FILTER (f{i}), count(*) FILTER (f{i} AND {failed} = 1)" for i in range(len(parts)))
        row = self._segments.warehouse.read(
            f"""WITH left_ones AS (
                  SELECT b.customer_id FROM ({self.before}) b SEMI JOIN customers USING (customer_id)
                  ANTI JOIN ({self.now}) n USING (customer_id)), judged AS (SELECT {flags} FROM left_ones)
                SELECT {sums} FROM judged"""
        ).rows[0]
        return [(int(row[2 * i]), int(row[2 * i + 1])) for i in range(len(parts))]


def _conditions(segments: Segments, kept: CountRecord, old_tree: s.Node, moved: _Moves | None) -> list[ConditionChange]:
    parts = parts_of(old_tree)
    kept_counts = {c.condition: c.count for c in kept.conditions}
    now_counts = {c.condition: c.count for c in condition_counts(segments, old_tree)}
    if len(parts) < 2:
        text = to_text(old_tree)
        kept_counts, now_counts = {text: kept.count}, {text: segments.count(old_tree, diagnose=False).count}
    blame = moved.by_condition() if moved and moved.lost else [(0, 0)] * len(parts)
    found = []
    for part, (lost, alone) in zip(parts, blame, strict=True):
        text = to_text(part)
        again = None
        if not snapshot_conditions(part, segments.catalog) and references(part.model_dump(mode="json")).looks_at:
            again = segments.count(part, kept.as_of, diagnose=False).count
        found.append(
            ConditionChange(
                condition=text, before=kept_counts.get(text), after=now_counts[text], then_again=again,
                lost=lost if moved else None, lost_alone=alone if moved else None,
            )
        )  # fmt: skip
    return found


# Words


def in_words(change: Change, language: Language, zone: tzinfo = UTC) -> list[str]:
    """The change in sentences: what happened, by what, and what is not known; instants as the zone's clock shows them."""
    return _Words(change, language == "zh", zone).sentences()


class _Words:
    def __init__(self, change: Change, zh: bool, zone: tzinfo) -> None:
        self.c, self.zh, self.zone = change, zh, zone

    def pick(self, zh: str, en: str) -> str:
        return zh if self.zh else en

    def sentences(self) -> list[str]:
        c = self.c
        there, here = (f"{m.astimezone(self.zone):%Y-%m-%d %H:%M}" for m in (c.as_of_before, c.as_of_after))
        said = [
            self.pick(
                f"从 {c.before:,} 人（数据截止 {there}）到 {c.after:,} 人（{here}）：{c.delta:+,}。",
                f"From {c.before:,} (data cut-off {there}) to {c.after:,} ({here}): {c.delta:+,}.",
            )
        ]
        said += self._definition()
        if c.as_of_before == c.as_of_after:
            said.append(self.pick("数据截止时间没有变。", "The data cut-off is the same."))
        elif c.edits:
            said.append(
                self.pick(f"数据变化的影响：{c.by_data:+,}（口径按原来的算）。", f"By the data: {c.by_data:+,} (under the earlier definition).")
            )  # fmt: skip
        return said + self._movement() + self._blame() + self._unknown()

    def _definition(self) -> list[str]:
        c = self.c
        if not c.edits:
            return [self.pick("口径没有变。", "The definition is the same.")]
        verbs = {"added": ("新增", "added"), "removed": ("去掉", "removed"), "changed": ("改了", "changed")}
        parts = [
            f"{self.pick(*verbs[e.kind])} {' → '.join(text for text in (e.before, e.after) if text)}" for e in c.edits
        ]
        return [
            self.pick(
                f"口径变化的影响：{c.by_definition:+,}（{'；'.join(parts)}）。",
                f"By the definition: {c.by_definition:+,} ({'; '.join(parts)}).",
            )
        ]

    def _movement(self) -> list[str]:
        c = self.c
        if c.entered is None or c.lost is None:
            return []
        said = [self.pick(f"进入 {c.entered:,} 人，离开 {c.lost:,} 人。", f"{c.entered:,} entered, {c.lost:,} left.")]
        if c.gone:
            said.append(self.pick(f"离开的人中 {c.gone:,} 人已不在客户表里。", f"{c.gone:,} of those who left are no customers any more."))  # fmt: skip
        if c.arrived:
            said.append(self.pick(f"进入的人中 {c.arrived:,} 人是其后开户的。", f"{c.arrived:,} of those who entered opened their account since."))  # fmt: skip
        return said

    def _blame(self) -> list[str]:
        said = []
        for part in sorted(self.c.conditions, key=lambda p: -(p.lost or abs(p.moved or 0))):
            if part.lost:
                said.append(
                    self.pick(
                        f"离开的人中 {part.lost:,} 人不再满足“{part.condition}”（其中 {part.lost_alone:,} 人只因为这一条）。",
                        f"{part.lost:,} of those who left no longer meet “{part.condition}” ({part.lost_alone:,} of them fail only this).",
                    )
                )
            if part.moved and len(self.c.conditions) > 1:
                said.append(
                    self.pick(
                        f"单看“{part.condition}”：{part.before:,} → {part.after:,}（{part.moved:+,}）。",
                        f"“{part.condition}” by itself: {part.before:,} → {part.after:,} ({part.moved:+,}).",
                    )
                )
            if part.then_again is not None and part.before is not None and abs(part.then_again - part.before) >= SMALL:
                said.append(
                    self.pick(
                        f"“{part.condition}”在当时记为 {part.before:,} 人；按今天的数据回看当时是 {part.then_again:,} 人：有补录或更正的数据。",
                        f"“{part.condition}” was counted as {part.before:,} then; today's data says {part.then_again:,} for that moment: rows came late or were corrected.",
                    )
                )
        return said

    def _unknown(self) -> list[str]:
        c = self.c
        said = []
        if c.lost is None:
            said.append(
                self.pick(
                    "当时的客户没有留存，仓库只有当前状态：只能比较各条件的人数，无法说明具体是谁进出。",
                    "Who the customers were was not kept and the warehouse holds only the present: conditions are compared by their counts, not by who came and went.",
                )
            )
        if any(part.before is None for part in c.conditions):
            said.append(self.pick("当时没有留存各条件的人数。", "The counts of the conditions were not kept then."))
        if c.entered and c.lost is not None and c.entered > (c.arrived or 0):
            said.append(
                self.pick(
                    "进入的老客户当时缺哪一条，过去的属性值没有留存，无法说明。",
                    "Which condition the other newcomers did not meet before cannot be told: past values of attributes are not kept.",
                )
            )
        return said
