"""Saved segments, canvas versions, evidence and uploaded lists: the drafts that a conversation leaves behind."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from control.records import tables as t
from control.records.actor import Actor
from control.records.canonical import digest, list_hash
from control.records.locks import Narrows, guard
from control.records.store import Store, number
from control.records.views import UNDECIDED, CanvasRecord, ListRecord, SegmentRecord
from warehouse.catalog import nearest
from warehouse.errors import ModelRetry, NotFound
from warehouse.evidence import Evidence


class Drafts(Store):
    def save_segment(
        self,
        expression: str,
        tree: Mapping[str, Any],
        actor: Actor,
        thread: str = "",
        name: str = "",
        count: int | None = None,
    ) -> SegmentRecord:
        """Save a segment. The same expression saved again in the same thread is the same record; a new name or count
        is then written into it.

        Args:
            tree: the typed tree, as JSON.
            count: how many customers it had when it was saved.
        """
        expression_digest = digest(expression)
        same = (t.Segment.thread == thread, t.Segment.expression_digest == expression_digest)
        with self.database.write() as session:
            row = session.scalar(sa.select(t.Segment).where(*same))
            if row is None:
                row = t.Segment(
                    thread=thread,
                    name=name,
                    expression=expression,
                    expression_digest=expression_digest,
                    tree=dict(tree),
                    count=count,
                    account=actor.account,
                    person=actor.person,
                    created_at=self.now(),
                )
                try:
                    with session.begin_nested():
                        session.add(row)
                except IntegrityError:  # on PostgreSQL another session saved it in between
                    row = session.scalars(sa.select(t.Segment).where(*same)).one()
            row.name = name or row.name
            row.archived_at = None
            row.count = row.count if count is None else count
            session.flush()
            return segment_record(row)

    def segment(self, id_or_name: str) -> SegmentRecord:
        """By `seg_<n>`, or by name (the newest of that name).

        Raises:
            NotFound: with the nearest names.
        """
        text = id_or_name.strip()
        with self.database.read() as session:
            if text.startswith("seg_"):
                row = session.get(t.Segment, number("seg", text))
            else:
                kept = t.Segment.archived_at.is_(None)
                named = sa.select(t.Segment).where(t.Segment.name == text, kept).order_by(t.Segment.n.desc())
                row = session.scalars(named).first() if text else None
            if row is not None:
                return segment_record(row)
            alive = sa.select(t.Segment.name).where(t.Segment.name != "", t.Segment.archived_at.is_(None))
            names = session.scalars(alive.distinct()).all()
        near = nearest(text, names)
        raise NotFound(
            f"There is no segment {id_or_name!r}.",
            f"Did you mean {', '.join(near)}?" if near else "Ask for the segment first; every answer saves one.",
            nearest=near,
        )

    def segments(self, limit: int = 50, named: bool = False) -> list[SegmentRecord]:
        """The newest first, without those that were archived.

        Args:
            named: only those that somebody gave a name.
        """
        query = sa.select(t.Segment).where(t.Segment.archived_at.is_(None))
        if named:
            query = query.where(t.Segment.name != "")
        with self.database.read() as session:
            return [segment_record(r) for r in session.scalars(query.order_by(t.Segment.n.desc()).limit(limit))]

    def save_canvas(
        self,
        document: Mapping[str, Any],
        actor: Actor,
        thread: str = "",
        canvas_id: str | None = None,
        origin: Mapping[str, Any] | None = None,
        *,
        base: Mapping[str, Any] | None = None,
        branches: Collection[int] | None = None,
        narrows: Narrows | None = None,
    ) -> CanvasRecord:
        """Save a new canvas, or the next version of one. Every version is kept. A new version voids the proposals on
        older ones that are not yet being released: an approval holds for what was approved and nothing else.

        Args:
            base: what a new canvas was made from (a template's canvas, another canvas): its locks hold for a branch.
            branches, narrows: see `control.records.locks.guard`.

        Raises:
            NotFound: there is no such canvas.
            Forbidden: a branch changed what head office locks.
        """
        if base is not None:
            guard(base, document, actor, branches=branches, narrows=narrows)
        now = self.now()
        with self.database.write() as session:
            if canvas_id is None:
                canvas = t.Canvas(thread=thread, latest=1)
                session.add(canvas)
                session.flush()
            else:
                canvas = _canvas_row(session, canvas_id, lock=True)
                newest = session.get(t.CanvasVersion, (canvas.n, canvas.latest))
                if newest is not None:
                    guard(newest.document, document, actor, branches=branches, narrows=narrows)
                canvas.latest += 1
            version = t.CanvasVersion(
                canvas=canvas.n,
                version=canvas.latest,
                name=str(document.get("name", "")),
                document=dict(document),
                origin=dict(origin or {}),
                account=actor.account,
                person=actor.person,
                created_at=now,
            )
            session.add(version)
            session.flush()
            if canvas_id is not None:
                why = f"{canvas_id} was edited: version {canvas.latest} replaced what was submitted."
                _void_older(session, canvas.n, canvas.latest, actor, why, now)
            return _canvas(version, canvas.thread)

    def canvas(self, id_: str, version: int | None = None) -> CanvasRecord:
        """A version of a canvas; the newest unless told otherwise.

        Raises:
            NotFound: there is no such canvas or version.
        """
        with self.database.read() as session:
            canvas = _canvas_row(session, id_)
            row = session.get(t.CanvasVersion, (canvas.n, version or canvas.latest))
            if row is None:
                raise NotFound(f"{id_} has no version {version}.", f"Its versions are 1 to {canvas.latest}.")
            return _canvas(row, canvas.thread)

    def canvas_versions(self, id_: str) -> list[CanvasRecord]:
        """All versions, the oldest first."""
        with self.database.read() as session:
            canvas = _canvas_row(session, id_)
            query = sa.select(t.CanvasVersion).where(t.CanvasVersion.canvas == canvas.n)
            return [_canvas(r, canvas.thread) for r in session.scalars(query.order_by(t.CanvasVersion.version))]

    def canvas_editors(self, id_: str) -> list[str]:
        """The persons who drafted or edited any version, in the order of their first edit."""
        return list(dict.fromkeys(record.person for record in self.canvas_versions(id_)))

    def keep_evidence(self, evidence: Evidence, thread: str = "") -> Evidence:
        """Keep the record of a query; the answer is the same record with its id set."""
        with self.database.write() as session:
            row = t.KeptEvidence(
                thread=thread, document=evidence.model_dump(mode="json", exclude={"id"}), created_at=self.now()
            )
            session.add(row)
            session.flush()
            return evidence.model_copy(update={"id": f"ev_{row.n}"})

    def evidence(self, ids: Iterable[str]) -> list[Evidence]:
        """The kept records with these ids, in the order asked for.

        Raises:
            NotFound: one of them does not exist.
        """
        wanted = [number("ev", id_) for id_ in ids]
        with self.database.read() as session:
            rows = {r.n: r for r in session.scalars(sa.select(t.KeptEvidence).where(t.KeptEvidence.n.in_(wanted)))}
        missing = [f"ev_{n}" for n in wanted if n not in rows]
        if missing:
            raise NotFound(f"There is no evidence {', '.join(missing)}.", "Ask the question again.")
        return [Evidence.model_validate({**rows[n].document, "id": f"ev_{n}"}) for n in wanted]

    def evidence_thread(self, evidence_id: str) -> str:
        """The thread that a record was kept for; empty for one of no conversation. Raises: NotFound."""
        with self.database.read() as session:
            row = session.get(t.KeptEvidence, number("ev", evidence_id))
            if row is None:
                raise NotFound(f"There is no evidence {evidence_id}.", "Ask the question again.")
            return row.thread

    def save_list(
        self,
        name: str,
        customer_ids: Iterable[int],
        actor: Actor,
        kind: str = "customer_id",
        report: Mapping[str, Any] | None = None,
    ) -> ListRecord:
        """Register an uploaded list by name and content; the ids themselves are kept by the warehouse. Other customers
        under the same name are its next version; the same ones are the same version, with the report of the last file.

        Args:
            kind: what the file named its customers by.
            report: how its rows were matched, as JSON; numbers only, never a value of the file.

        Raises:
            ModelRetry: the list or its name is empty.
        """
        ids = set(customer_ids)
        if not name.strip() or not ids:
            raise ModelRetry("A list needs a name and at least one customer.", "Check the file's customer_id column.")
        with self.database.write() as session:
            row = session.scalars(_uploads(name)).first()
            if row is None or row.sha256 != list_hash(ids):
                row = t.UploadedList(
                    name=name.strip(),
                    sha256=list_hash(ids),
                    size=len(ids),
                    version=row.version + 1 if row is not None else 1,
                    account=actor.account,
                    person=actor.person,
                    created_at=self.now(),
                )
                session.add(row)
            row.kind, row.report, row.archived_at = kind, dict(report or {}), None
            return _list(row)

    def lists(self, limit: int = 200) -> list[ListRecord]:
        """The newest upload of every name, the latest first."""
        newest = sa.select(sa.func.max(t.UploadedList.n)).group_by(t.UploadedList.name)
        query = sa.select(t.UploadedList).where(t.UploadedList.n.in_(newest), t.UploadedList.archived_at.is_(None))
        with self.database.read() as session:
            return [_list(row) for row in session.scalars(query.order_by(t.UploadedList.n.desc()).limit(limit))]

    def list_record(self, name: str) -> ListRecord:
        """The newest upload under a name.

        Raises:
            NotFound: with the nearest names.
        """
        with self.database.read() as session:
            row = session.scalars(_uploads(name)).first()
            if row is not None and row.archived_at is None:
                return _list(row)
            alive = sa.select(t.UploadedList.name).where(t.UploadedList.archived_at.is_(None))
            names = session.scalars(alive.distinct()).all()
        near = nearest(name, names)
        raise NotFound(
            f"There is no uploaded list {name!r}.",
            f"Did you mean {', '.join(near)}?" if near else "Upload it first.",
            nearest=near,
        )

    def list_versions(self, name: str) -> list[ListRecord]:
        """All uploads under a name, the newest first; empty for a name that no list ever had."""
        with self.database.read() as session:
            return [_list(row) for row in session.scalars(_uploads(name))]


def _void_older(session: Session, canvas: int, version: int, actor: Actor, why: str, now: Any) -> None:
    older = (
        sa.select(t.Proposal)
        .where(t.Proposal.canvas == canvas, t.Proposal.canvas_version < version)
        .where(t.Proposal.status.in_((*UNDECIDED, "approved")))
        .with_for_update()
    )
    for proposal in session.scalars(older):
        session.add(
            t.ProposalMove(
                proposal=proposal.n, moved_at=now, before=proposal.status, after="voided", account=actor.account,
                person=actor.person, why=why,
            )
        )  # fmt: skip
        proposal.status = "voided"


def _canvas_row(session: Session, id_: str, *, lock: bool = False) -> t.Canvas:
    row = session.get(t.Canvas, number("cv", id_), with_for_update=lock or None)
    if row is None:
        raise NotFound(f"There is no canvas {id_}.", "Draft one first, or name another.")
    return row


def segment_record(row: t.Segment) -> SegmentRecord:
    return SegmentRecord(
        id=f"seg_{row.n}", name=row.name, expression=row.expression, tree=row.tree, count=row.count, thread=row.thread,
        account=row.account, person=row.person, created_at=row.created_at, archived_at=row.archived_at,
    )  # fmt: skip


def _canvas(row: t.CanvasVersion, thread: str) -> CanvasRecord:
    return CanvasRecord(
        id=f"cv_{row.canvas}", version=row.version, name=row.name, document=row.document, origin=row.origin,
        thread=thread, account=row.account, person=row.person, created_at=row.created_at,
    )  # fmt: skip


def _uploads(name: str) -> sa.Select[t.UploadedList]:
    return sa.select(t.UploadedList).where(t.UploadedList.name == name.strip()).order_by(t.UploadedList.n.desc())


def _list(row: t.UploadedList) -> ListRecord:
    return ListRecord(
        name=row.name, sha256=row.sha256, size=row.size, account=row.account, person=row.person,
        created_at=row.created_at, version=row.version, kind=row.kind, report=row.report, archived_at=row.archived_at,
    )  # fmt: skip
