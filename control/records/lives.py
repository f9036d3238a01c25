"""What becomes of segments after they are saved: kept counts, archiving, and the tags made of them."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from control.records import tables as t
from control.records.actor import Actor
from control.records.drafts import segment_record
from control.records.store import Store, number
from control.records.views import (
    OPEN,
    ConditionCount,
    CountRecord,
    DocumentRecord,
    Every,
    SegmentRecord,
    TagRecord,
    TagRunRecord,
)
from warehouse.catalog import nearest
from warehouse.errors import NotFound, PersonDecides


class Lives(Store):
    # Counts

    def keep_count(self, kept: CountRecord) -> CountRecord:
        """Keep a count of a saved segment; the answer is the same with its number. One record is kept for each data
        cut-off, definition and scope: counting again at the same cut-off says nothing new."""
        with self.database.write() as session:
            segment = number("seg", kept.segment)
            row = session.scalar(
                sa.select(t.SegmentCount).where(
                    t.SegmentCount.segment == segment, t.SegmentCount.scope == kept.scope,
                    t.SegmentCount.as_of == kept.as_of, t.SegmentCount.definition == kept.definition,
                )
            )  # fmt: skip
            if row is None:
                row = t.SegmentCount(segment=segment, scope=kept.scope, as_of=kept.as_of, definition=kept.definition)
                session.add(row)
            row.tree, row.account, row.counted_at = kept.tree, kept.account, self.now()
            row.count, row.unknown, row.total = kept.count, kept.unknown, kept.total
            row.conditions = [c.model_dump() for c in kept.conditions]
            session.flush()
            return _count(row)

    def counts(self, segments: Iterable[str], scope: str = "", limit: int = 60) -> list[CountRecord]:
        """The kept counts of some segments in a scope, the latest data cut-off first."""
        wanted = [number("seg", id_) for id_ in segments]
        query = (
            sa.select(t.SegmentCount)
            .where(t.SegmentCount.segment.in_(wanted), t.SegmentCount.scope == scope)
            .order_by(t.SegmentCount.as_of.desc(), t.SegmentCount.n.desc())
            .limit(limit)
        )
        with self.database.read() as session:
            return [_count(row) for row in session.scalars(query)]

    def members_kept(self, kept: Iterable[int], gone: Iterable[int] = ()) -> None:
        """Remember whose members the warehouse knows, by numbers of counts, and whose no longer."""
        with self.database.write() as session:
            for numbers, value in ((list(kept), True), (list(gone), False)):
                session.execute(
                    sa.update(t.SegmentCount).where(t.SegmentCount.n.in_(numbers)).values(members_kept=value)
                )

    def segments_named(self, name: str) -> list[SegmentRecord]:
        """All segments that ever had a name, the newest first: a name may have come to mean another expression."""
        query = sa.select(t.Segment).where(t.Segment.name == name.strip()).order_by(t.Segment.n.desc())
        with self.database.read() as session:
            return [segment_record(row) for row in session.scalars(query)]

    def documents_in_use(self) -> list[DocumentRecord]:
        """What may name a segment, list or tag: the newest version of every canvas, and the version behind every
        proposal that something may still happen to."""
        newest = sa.select(t.CanvasVersion).join(
            t.Canvas, (t.Canvas.n == t.CanvasVersion.canvas) & (t.Canvas.latest == t.CanvasVersion.version)
        )
        proposed = (
            sa.select(t.Proposal.n, t.Proposal.status, t.CanvasVersion)
            .join(
                t.CanvasVersion,
                (t.CanvasVersion.canvas == t.Proposal.canvas) & (t.CanvasVersion.version == t.Proposal.canvas_version),
            )
            .where(t.Proposal.status.in_(OPEN))
        )
        with self.database.read() as session:
            canvases = [
                DocumentRecord(
                    kind="canvas", id=f"cv_{v.canvas}", version=v.version, name=v.name, document=v.document,
                    account=v.account,
                )
                for v in session.scalars(newest.order_by(t.CanvasVersion.canvas.desc()))
            ]  # fmt: skip
            proposals = [
                DocumentRecord(
                    kind="proposal", id=f"prop_{n}", version=v.version, name=v.name, document=v.document, status=status,
                    account=v.account,
                )
                for n, status, v in session.execute(proposed.order_by(t.Proposal.n.desc()))
            ]  # fmt: skip
        return canvases + proposals

    # Archiving

    def archive_segment(self, id_: str) -> None:
        """Take a segment out of lists and names. What refers to it by its id goes on meaning it.

        Raises:
            NotFound: there is none, or it is archived already.
        """
        with self.database.write() as session:
            row = session.get(t.Segment, number("seg", id_))
            if row is None or row.archived_at is not None:
                raise NotFound(f"There is no segment {id_}.", "See the saved ones with `touchline segment list`.")
            row.archived_at = self.now()

    def archive_list(self, name: str) -> None:
        """Take a list out of use under its name. Proposals hold theirs by value.

        Raises:
            NotFound: there is none.
        """
        with self.database.write() as session:
            uploads = sa.select(t.UploadedList).where(t.UploadedList.name == name.strip())
            rows = list(session.scalars(uploads.order_by(t.UploadedList.n)))
            if not rows or rows[-1].archived_at is not None:
                raise NotFound(f"There is no uploaded list {name!r}.", "See them with `touchline list list`.")
            for row in rows:
                row.archived_at = self.now()

    # Tags

    def save_tag(
        self,
        name: str,
        zh: str,
        en: str,
        expression: str,
        tree: Mapping[str, Any],
        definition: str,
        actor: Actor,
        *,
        every: Every,
        hour: int,
        weekday: int | None,
        expires_at: datetime,
        source: str = "",
    ) -> TagRecord:
        """Make a tag.

        Raises:
            PersonDecides: there is one with this name.
        """
        with self.database.write() as session:
            if session.scalars(_tags().where(t.Tag.name == name).with_for_update()).first() is not None:
                raise PersonDecides(
                    f"There is a tag {name!r} already.", "Choose another name, or remove that one first.",
                    message_zh=f"已有标签“{name}”。", fix_zh="请换一个名称，或先删除那个标签。",
                )  # fmt: skip
            row = t.Tag(
                name=name, zh=zh, en=en, expression=expression, tree=dict(tree), definition=definition, source=source,
                every=every, hour=hour, weekday=weekday, expires_at=expires_at, account=actor.account,
                person=actor.person, created_at=self.now(),
            )  # fmt: skip
            session.add(row)
            session.flush()
            return _tag(row)

    def tags(self) -> list[TagRecord]:
        """All that were not removed, expired ones among them, the newest first."""
        with self.database.read() as session:
            return [_tag(row) for row in session.scalars(_tags().order_by(t.Tag.n.desc()))]

    def tag(self, id_or_name: str) -> TagRecord:
        """By `tag_<n>` (also a removed one) or by name.

        Raises:
            NotFound: with the nearest names.
        """
        text = id_or_name.strip()
        with self.database.read() as session:
            row = session.get(t.Tag, int(text[4:])) if _is_id(text) else None
            row = row or session.scalars(_tags().where(t.Tag.name == text)).first()
            if row is not None:
                return _tag(row)
            names = session.scalars(sa.select(t.Tag.name).where(t.Tag.removed_at.is_(None))).all()
        near = nearest(text, names)
        raise NotFound(
            f"There is no tag {id_or_name!r}.",
            f"Did you mean {', '.join(near)}?" if near else "Make one with `touchline tag create`.",
            nearest=near,
        )

    def renew_tag(self, id_: str, expires_at: datetime) -> TagRecord:
        """Let a tag live until another instant."""
        with self.database.write() as session:
            row = _tag_row(session, id_)
            row.expires_at = expires_at
            return _tag(row)

    def remove_tag(self, id_: str) -> None:
        with self.database.write() as session:
            _tag_row(session, id_).removed_at = self.now()

    def keep_tag_run(self, run: TagRunRecord) -> TagRunRecord:
        with self.database.write() as session:
            row = t.TagRun(
                tag=number("tag", run.tag), run_at=run.run_at, as_of=run.as_of, size=run.size, entered=run.entered,
                lost=run.lost, problem=run.problem,
            )  # fmt: skip
            session.add(row)
            session.flush()
            return _run(row)

    def tag_runs(self, id_: str, limit: int = 30) -> list[TagRunRecord]:
        """The runs of a tag, the latest first."""
        query = sa.select(t.TagRun).where(t.TagRun.tag == number("tag", id_)).order_by(t.TagRun.n.desc())
        with self.database.read() as session:
            return [_run(row) for row in session.scalars(query.limit(limit))]

    def latest_tag_runs(self) -> dict[str, tuple[TagRunRecord, TagRunRecord | None]]:
        """By tag: its latest run, and the latest that succeeded (None if none ever did)."""
        last = sa.select(sa.func.max(t.TagRun.n)).group_by(t.TagRun.tag)
        good = sa.select(sa.func.max(t.TagRun.n)).where(t.TagRun.problem == "").group_by(t.TagRun.tag)
        with self.database.read() as session:
            runs = {row.tag: _run(row) for row in session.scalars(sa.select(t.TagRun).where(t.TagRun.n.in_(last)))}
            done = {row.tag: _run(row) for row in session.scalars(sa.select(t.TagRun).where(t.TagRun.n.in_(good)))}
        return {f"tag_{tag}": (run, done.get(tag)) for tag, run in runs.items()}


def _is_id(text: str) -> bool:
    return text.startswith("tag_") and text[4:].isdigit() and len(text) < 14


def _tags() -> sa.Select[t.Tag]:
    return sa.select(t.Tag).where(t.Tag.removed_at.is_(None))


def _tag_row(session: Session, id_: str) -> t.Tag:
    row = session.get(t.Tag, number("tag", id_), with_for_update=True)
    if row is None or row.removed_at is not None:
        raise NotFound(f"There is no tag {id_}.", "See them with `touchline tag list`.")
    return row


def _count(row: t.SegmentCount) -> CountRecord:
    return CountRecord(
        number=row.n, segment=f"seg_{row.segment}", scope=row.scope, as_of=row.as_of, counted_at=row.counted_at,
        definition=row.definition, tree=row.tree, count=row.count, unknown=row.unknown, total=row.total,
        conditions=tuple(ConditionCount.model_validate(c) for c in row.conditions), members_kept=row.members_kept,
        account=row.account,
    )  # fmt: skip


def _tag(row: t.Tag) -> TagRecord:
    return TagRecord(
        id=f"tag_{row.n}", name=row.name, zh=row.zh, en=row.en, expression=row.expression, tree=row.tree,
        definition=row.definition, source=row.source, every=cast(Every, row.every), hour=row.hour, weekday=row.weekday,
        expires_at=row.expires_at, account=row.account, person=row.person, created_at=row.created_at,
        removed_at=row.removed_at,
    )  # fmt: skip


def _run(row: t.TagRun) -> TagRunRecord:
    return TagRunRecord(
        number=row.n, tag=f"tag_{row.tag}", run_at=row.run_at, as_of=row.as_of, size=row.size, entered=row.entered,
        lost=row.lost, problem=row.problem,
    )  # fmt: skip
