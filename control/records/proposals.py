"""Proposals: submitted by value, read, withdrawn by their submitter. Nothing here decides about one."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, cast

import sqlalchemy as sa
from sqlalchemy.orm import Session

from control.records import tables as t
from control.records.actor import Actor
from control.records.canonical import canonical, digest
from control.records.store import Store, number
from control.records.views import OPEN, UNDECIDED, Move, ProposalRecord, ProposalStatus
from warehouse.errors import Forbidden, ModelRetry, NotFound, PersonDecides


class AlreadySubmitted(PersonDecides):
    """This version of the canvas waits for a decision or is being released; `details['proposal']` names it."""

    code = "already_submitted"


class Proposals(Store):
    def submit(
        self,
        payload: Mapping[str, Any],
        actor: Actor,
        thread: str,
        canvas_id: str,
        canvas_version: int,
        editors: Iterable[str] = (),
        status: Literal["pending", "blocked"] = "pending",
    ) -> ProposalRecord:
        """Submit a payload for approval. Whoever drafted or edited the canvas up to this version is added to `editors`.
        The same payload submitted again while it is open is the same proposal, so a repeated call does no harm.

        Args:
            status: `blocked` when no approval policy matches; the authority looks again before every decision.

        Raises:
            ModelRetry: the canvas has a newer version than the payload.
            AlreadySubmitted: another payload of this version is open.
        """
        body = dict(payload)
        text, name = canonical(body).decode(), digest(body)
        canvas_number, now = number("cv", canvas_id), self.now()
        with self.database.write() as session:
            canvas = session.get(t.Canvas, canvas_number, with_for_update=True)
            if canvas is None:
                raise NotFound(f"There is no canvas {canvas_id}.", "Draft one first, or name another.")
            if canvas.latest != canvas_version:
                raise ModelRetry(
                    f"{canvas_id} is at version {canvas.latest}; version {canvas_version} cannot be submitted any more.",
                    "Submit the newest version.",
                )
            same_version = (t.Proposal.canvas == canvas_number, t.Proposal.canvas_version == canvas_version)
            earlier = session.scalar(sa.select(t.Proposal).where(*same_version, t.Proposal.status.in_(OPEN)))
            if earlier is not None:
                if earlier.digest == name:
                    return _record(session, earlier)
                raise AlreadySubmitted(
                    f"{canvas_id} version {canvas_version} is already submitted as prop_{earlier.n} ({earlier.status}).",
                    "Wait for its decision, or withdraw it first.",
                    proposal=f"prop_{earlier.n}",
                )
            drafted = sa.select(t.CanvasVersion.person).where(
                t.CanvasVersion.canvas == canvas_number, t.CanvasVersion.version <= canvas_version
            )
            everyone = {*editors, *session.scalars(drafted)}
            row = t.Proposal(
                thread=thread,
                canvas=canvas_number,
                canvas_version=canvas_version,
                digest=name,
                payload=text,
                status=status,
                account=actor.account,
                person=actor.person,
                editors=sorted(everyone),
                submitted_at=now,
            )
            session.add(row)
            session.flush()
            move(session, row, "", status, actor, "submitted", now)
            session.flush()
            return _record(session, row)

    def proposal(self, id_: str) -> ProposalRecord:
        """Raises: NotFound."""
        with self.database.read() as session:
            return _record(session, proposal_row(session, id_))

    def proposals(
        self, status: str | Sequence[str] | None = None, thread: str | None = None, limit: int = 50
    ) -> list[ProposalRecord]:
        """The newest first, optionally those with a status (or one of several) or of a thread."""
        query = sa.select(t.Proposal).order_by(t.Proposal.n.desc()).limit(limit)
        if status is not None:
            query = query.where(t.Proposal.status.in_([status] if isinstance(status, str) else list(status)))
        if thread is not None:
            query = query.where(t.Proposal.thread == thread)
        with self.database.read() as session:
            return [_record(session, row) for row in session.scalars(query)]

    def open_proposals(self, thread: str) -> list[ProposalRecord]:
        """Those of a thread to which something may still happen; the oldest first."""
        return self.proposals(OPEN, thread)[::-1]

    def withdraw(self, id_: str, actor: Actor) -> ProposalRecord:
        """Take a proposal back before its release begins. Only the person who submitted it may.

        Raises:
            Forbidden: somebody else submitted it.
            ModelRetry: it is decided against, withdrawn or being released.
        """
        with self.database.write() as session:
            row = proposal_row(session, id_, lock=True)
            if row.person != actor.person:
                raise Forbidden(
                    f"{id_} was submitted by somebody else.", "Ask the submitter, or an approver to revoke it."
                )
            if row.status not in (*UNDECIDED, "approved"):
                raise ModelRetry(
                    f"{id_} is {row.status}; it can no longer be withdrawn.",
                    "Ask an approver to revoke the release." if row.status == "releasing" else "",
                )
            move(session, row, row.status, "withdrawn", actor, "withdrawn by its submitter", self.now())
            session.flush()
            return _record(session, row)


def proposal_row(session: Session, id_: str, *, lock: bool = False) -> t.Proposal:
    """The row of `prop_<n>`, locked until the transaction ends if asked.

    Raises:
        NotFound: there is none.
    """
    row = session.get(t.Proposal, number("prop", id_), with_for_update=lock or None, populate_existing=lock)
    if row is None:
        raise NotFound(f"There is no proposal {id_}.", "`touchline proposals` lists them.")
    return row


def move(session: Session, row: t.Proposal, before: str, after: str, actor: Actor, why: str, now: Any) -> None:
    """Record a change of status and make it."""
    session.add(
        t.ProposalMove(
            proposal=row.n,
            moved_at=now,
            before=before,
            after=after,
            account=actor.account,
            person=actor.person,
            why=why,
        )
    )
    row.status = after


def _record(session: Session, row: t.Proposal) -> ProposalRecord:
    moves = session.scalars(
        sa.select(t.ProposalMove).where(t.ProposalMove.proposal == row.n).order_by(t.ProposalMove.n)
    )
    return ProposalRecord(
        id=f"prop_{row.n}",
        status=cast(ProposalStatus, row.status),
        digest=row.digest,
        payload=json.loads(row.payload),
        thread=row.thread,
        canvas_id=f"cv_{row.canvas}",
        canvas_version=row.canvas_version,
        submitted_by=row.account,
        submitter=row.person,
        editors=tuple(row.editors),
        submitted_at=row.submitted_at,
        moves=tuple(
            Move(moved_at=m.moved_at, before=m.before, after=m.after, account=m.account, person=m.person, why=m.why)
            for m in moves
        ),
    )
