"""The life of segments, as a part of a workspace: save, overlap, lineage, history, changes, archive."""

from typing import TYPE_CHECKING, Any

from server.access import needs
from server.schema import (
    WITHHELD,
    AgeView,
    ChangesAsked,
    ChangeView,
    ConditionChangeView,
    ConditionView,
    CountView,
    EditView,
    EvidenceView,
    ItemView,
    LineageView,
    OverlapAsked,
    OverlapSetView,
    OverlapView,
    PairView,
    RegionView,
    SaveAsked,
    SegmentInfo,
)
from server.segments import SegmentWork
from warehouse.errors import Forbidden

if TYPE_CHECKING:
    from control.records import SegmentRecord
    from tools.segment.lineage import Lineage
    from tools.segment.overlap import Overlap
    from tools.segment.staleness import Staleness


class LifeWork(SegmentWork):
    @needs("draft")
    def segment_save(self, asked: SaveAsked) -> SegmentInfo:
        """Save a segment under a name and keep its first count.

        Raises:
            ModelRetry: the expression cannot be read, or would refer to itself through the name.
        """
        from tools.segment import dump, to_text
        from tools.segment.history import keep
        from tools.segment.lineage import refuse_circle

        node = self._node(asked.expression)
        refuse_circle(node, asked.name, self.stores.records)
        segments = self._segments()
        counted = segments.count(node, diagnose=False)
        saved = self.stores.records.save_segment(
            to_text(node), dump(node), self.actor, name=asked.name, count=counted.count
        )
        keep(segments, saved, counted, explain=True)
        return self._info(saved)

    @needs("read")
    def segment_overlap(self, asked: OverlapAsked) -> OverlapView:
        """How much two to four segments have in common.

        Raises:
            ModelRetry: two of them are the same, or one cannot be read.
        """
        from tools.segment.overlap import overlap

        nodes = [self._node(text) for text in asked.segments]
        return self._overlap_view(overlap(self._segments(), nodes, [text.strip() for text in asked.segments]))

    @needs("read")
    def segment_lineage(self, segment: str) -> LineageView:
        """What a saved segment rests on, who rests on it, and how old that is.

        Raises:
            NotFound: there is no such segment.
        """
        from tools.segment import load
        from tools.segment.lineage import lineage_of
        from tools.segment.staleness import staleness

        saved = self.stores.records.segment(segment)
        node = load(saved.tree)
        lineage = lineage_of(saved, node, self.stores.catalog, self.stores.records)
        ages = staleness(node, self.stores.warehouse, self.stores.catalog, self.stores.records)
        return self._lineage_view(lineage, saved.expression, ages)

    @needs("read")
    def segment_history(self, segment: str) -> list[CountView]:
        """The kept counts of a saved segment for the caller's branches, the latest data cut-off first."""
        from tools.segment.changes import history

        saved = self.stores.records.segment(segment)
        return [
            CountView(
                segment=kept.segment, as_of=kept.as_of, counted_at=kept.counted_at, count=self.shown(kept.count),
                unknown=self.shown(kept.unknown), total=kept.total, definition=kept.definition,
                conditions=[
                    ConditionView(condition=c.condition, count=self.shown(c.count)) for c in kept.conditions
                ],
                members_kept=kept.members_kept,
            )
            for kept in history(self._segments(), saved, self.stores.records)
        ]  # fmt: skip

    @needs("read")
    def segment_changes(self, asked: ChangesAsked) -> ChangeView:
        """Why a saved segment has more or fewer customers than before.

        Raises:
            ModelRetry: no earlier count was kept.
        """
        from tools.segment import load
        from tools.segment.changes import explain, in_words
        from tools.segment.history import keep

        segments = self._segments()
        saved = self.stores.records.segment(asked.segment)
        change = explain(segments, saved, self.instant(asked.since) if asked.since else None)
        keep(segments, saved, segments.count(load(saved.tree), diagnose=False), explain=True)
        exact = self.actor.exact_numbers
        found = change.model_dump(exclude={"conditions", "edits", "by_data", "by_definition"})
        for name in ("before", "after", "entered", "lost", "gone", "arrived"):
            found[name] = None if found[name] is None else self.shown(found[name])
        hidden = any(isinstance(value, str) and value.startswith("<") for value in found.values())

        def difference(number: int) -> int | str:
            return WITHHELD if hidden else number

        return ChangeView(
            **found, delta=difference(change.delta), by_data=difference(change.by_data),
            by_definition=difference(change.by_definition),
            edits=[EditView.model_validate(e.model_dump()) for e in change.edits],
            conditions=[
                ConditionChangeView.model_validate(
                    {k: self.shown(v) if isinstance(v, int) else v for k, v in part.model_dump().items()}
                )
                for part in change.conditions
            ],
            # Sentences hold exact numbers; whoever may not see those reads the fields.
            sentences=in_words(change, asked.language, self.stores.clock.zone) if exact else [],
        )  # fmt: skip

    @needs("draft")
    def segment_archive(self, segment: str) -> SegmentInfo:
        """Take a saved segment out of lists and names.

        Raises:
            Forbidden: somebody else saved it, and the caller is no manager.
            PersonDecides: segments, tags, canvases or open proposals use it; the message names them.
        """
        from tools.segment.lineage import refuse_if_used, users

        saved = self.stores.records.segment(segment)
        self._own_or_manage(saved.person)
        called = saved.name or saved.id
        refuse_if_used(
            f"The segment {called}",
            f"客群“{called}”",
            users("segment", saved.id, self.stores.records, self.stores.catalog),
        )
        self.stores.records.archive_segment(saved.id)
        self.stores.authority.audit.append("segment.archived", self.actor, {"segment": saved.id, "name": saved.name})
        return self._info(saved)

    # Shared with lists and tags

    def _own_or_manage(self, person: str) -> None:
        """Pass if something is the caller's own, or he manages.

        Raises:
            Forbidden: it is somebody else's.
        """
        if person != self.actor.person and "manager" not in self.actor.roles:
            raise Forbidden(
                "This is somebody else's.", "Ask its owner, or a manager.",
                message_zh="这是别人的。", fix_zh="请找负责人或管理者处理。",
            )  # fmt: skip

    def _lineage_view(self, lineage: "Lineage", expression: str = "", ages: "Staleness | None" = None) -> LineageView:
        from tools.segment.lineage import draw

        return LineageView(
            kind=lineage.kind, id=lineage.id, name=lineage.name, expression=expression,
            uses=[ItemView.model_validate(i.model_dump()) for i in lineage.uses],
            users=[ItemView.model_validate(i.model_dump()) for i in lineage.users],
            ages=[AgeView.model_validate(a.model_dump()) for a in ages.ages] if ages else [],
            dot=draw(lineage),
        )  # fmt: skip

    def _info(self, saved: "SegmentRecord") -> SegmentInfo:
        return SegmentInfo(
            id=saved.id, name=saved.name, expression=saved.expression,
            count=None if saved.count is None else self.shown(saved.count), created_by=saved.account,
            created_at=saved.created_at,
        )  # fmt: skip

    def _overlap_view(self, found: "Overlap") -> OverlapView:
        """For those who may not see small groups, one of them withholds every combination: the rest would give it away."""
        hidden = found.small and not self.actor.exact_numbers

        def shown(number: int) -> int | str:
            return WITHHELD if hidden else number

        evidence: dict[str, Any] = found.evidence.model_dump(mode="json")
        if hidden:
            evidence["preview"] = []
        return OverlapView(
            sets=[
                OverlapSetView(label=s.label, expression=s.expression, count=self.shown(s.count), only=shown(s.only))
                for s in found.sets
            ],
            regions=[RegionView(inside=list(r.inside), count=shown(r.count)) for r in found.regions],
            pairs=[
                PairView(
                    first=p.first, second=p.second, both=shown(p.both), of_first=None if hidden else p.of_first,
                    of_second=None if hidden else p.of_second,
                )
                for p in found.pairs
            ],
            union=shown(found.union), total=found.total, evidence=EvidenceView.model_validate(evidence),
        )  # fmt: skip
