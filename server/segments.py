"""The segment part of a workspace: count, break down, export, list."""

import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from server.access import needs
from server.base import Part
from server.schema import (
    Breakdown,
    BreakdownAsked,
    Cause,
    Exported,
    Group,
    SegmentAsked,
    SegmentCount,
    SegmentInfo,
)
from warehouse.errors import NotFound

if TYPE_CHECKING:
    from control.records import SegmentRecord
    from tools.segment import Node, Segments


class SegmentWork(Part):
    @needs("read")
    def segment_count(self, asked: SegmentAsked) -> SegmentCount:
        """How many customers of the caller's branches; with a diagnosis when they are few. The count of a saved segment
        is kept, so that a later one can be explained.

        Raises:
            ModelRetry: the expression cannot be read; the message names the place and the nearest words.
        """
        segments = self._segments()
        found = segments.count(self._node(asked.expression))
        saved = self._saved(asked.expression)
        if saved is not None:
            from tools.segment.history import keep

            keep(segments, saved, found, explain=True)
        return SegmentCount(
            expression=found.expression,
            count=self.shown(found.count),
            unknown=self.shown(found.unknown),
            sql=found.sql,
            elapsed_ms=found.elapsed_ms,
            total=found.total,
            as_of=self.stores.warehouse.as_of,
            diagnosis=[
                Cause(condition=c.condition, alone=self.shown(c.alone), without=self.shown(c.without))
                for c in found.diagnosis
            ],
        )

    @needs("read")
    def segment_breakdown(self, asked: BreakdownAsked) -> Breakdown:
        """A segment by an attribute.

        Raises:
            NotFound: there is no such attribute.
        """
        from tools.segment import to_text

        node = self._node(asked.expression)
        found = self._segments().breakdown(node, asked.by)
        return Breakdown(
            expression=to_text(node),
            by=found.by,
            groups=[Group(value=row.value, zh=row.zh, en=row.en, count=self.shown(row.count)) for row in found.rows],
            sql=found.evidence.sql,
            elapsed_ms=found.evidence.elapsed_ms,
        )

    @needs("export")
    def segment_ids(self, asked: SegmentAsked, out: Path) -> Exported:
        """Write the ids of a segment to a Parquet file (column customer_id), in one step: never a part of it.

        Args:
            out: on this machine; a server passes a path of its own (`new_export`).
        """
        from tools.segment import to_text

        node = self._node(asked.expression)
        partial = out.with_name(f".{out.name}.{uuid.uuid4().hex[:8]}.partial")
        try:
            count = self._segments().write_ids(node, partial)
            partial.replace(out)
        finally:
            partial.unlink(missing_ok=True)
        return Exported(expression=to_text(node), count=count, file=str(out))

    @needs("export")
    def new_export(self, name: str) -> Path:
        """A new path in the home's exports."""
        return self.stores.home.exports / f".{uuid.uuid4().hex}.{name}"

    @needs("read")
    def segments(self, limit: int = 50, named: bool = False) -> list[SegmentInfo]:
        """Saved segments, the latest first; only those with a name if so asked."""
        return [
            SegmentInfo(
                id=s.id,
                name=s.name,
                expression=s.expression,
                count=None if s.count is None else self.shown(s.count),
                created_by=s.account,
                created_at=s.created_at,
            )
            for s in self.stores.records.segments(limit, named)
        ]

    def _node(self, text: str) -> "Node":
        from tools.segment import resolve

        return resolve(text, self.stores.catalog, self.stores.records)

    def _saved(self, text: str) -> "SegmentRecord | None":
        """The saved segment that a text is the id or name of; None for an expression."""
        try:
            return self.stores.records.segment(text)
        except NotFound:
            return None

    def _segments(self) -> "Segments":
        from tools.segment import Segments

        return Segments(self.stores.warehouse, self.stores.catalog, self.stores.records, self.actor)
