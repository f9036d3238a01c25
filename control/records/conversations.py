"""Threads: what they are about (with undo), their turns, and the events that a page follows by cursor."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from control.records import tables as t
from control.records.actor import Actor
from control.records.store import Store, number
from control.records.views import OPEN, EventRecord, ThreadFocus, ThreadRecord, TurnRecord
from warehouse.errors import ModelRetry, PersonDecides

TITLE_LENGTH = 60


class Conversations(Store):
    def focus(self, thread: str) -> ThreadFocus:
        """What the thread is about; empty for a new one."""
        with self.database.read() as session:
            steps = _steps(session, thread, 1)
            return ThreadFocus.model_validate(steps[0].focus) if steps else ThreadFocus()

    def set_focus(self, thread: str, focus: ThreadFocus, what: str) -> None:
        """Remember what the thread is about now, and what was done, in the words that `undo` will repeat."""
        with self.database.write() as session:
            session.add(
                t.FocusStep(thread=thread, what=what, focus=focus.model_dump(), undone=False, created_at=self.now())
            )

    def undo(self, thread: str) -> tuple[str, ThreadFocus]:
        """Take back the last step.

        Returns:
            What was undone, and what the thread is about now.

        Raises:
            ModelRetry: there is nothing to undo.
            PersonDecides: the last step submitted a proposal that is still open; it can only be withdrawn.
        """
        with self.database.write() as session:
            steps = _steps(session, thread, 2)
            if not steps:
                raise ModelRetry("There is nothing to undo in this conversation.")
            last = ThreadFocus.model_validate(steps[0].focus)
            before = ThreadFocus.model_validate(steps[1].focus) if len(steps) > 1 else ThreadFocus()
            if last.proposal_id and last.proposal_id != before.proposal_id:
                proposal = session.get(t.Proposal, number("prop", last.proposal_id))
                if proposal is not None and proposal.status in OPEN:
                    raise PersonDecides(
                        f"{last.proposal_id} is submitted and cannot be undone.",
                        "Its submitter can withdraw it.",
                        proposal=last.proposal_id,
                    )
            steps[0].undone = True
            return steps[0].what, before

    def add_turn(self, thread: str, actor: Actor, turn: Mapping[str, Any]) -> int:
        """Append a turn (the JSON of an answer, with `text` as asked); the answer is its number."""
        with self.database.write() as session:
            row = t.Turn(thread=thread, account=actor.account, turn=dict(turn), created_at=self.now())
            session.add(row)
            session.flush()
            return row.n

    def turns(self, thread: str) -> list[TurnRecord]:
        """All turns of a thread, the oldest first."""
        with self.database.read() as session:
            rows = session.scalars(sa.select(t.Turn).where(t.Turn.thread == thread).order_by(t.Turn.n))
            return [
                TurnRecord(number=r.n, thread=r.thread, account=r.account, turn=r.turn, created_at=r.created_at)
                for r in rows
            ]

    def threads(self, actor: Actor) -> list[ThreadRecord]:
        """The threads in which this account spoke, the latest first."""
        spoke = sa.select(t.Turn.thread).where(t.Turn.account == actor.account)
        query = (
            sa.select(t.Turn.thread, sa.func.count(), sa.func.min(t.Turn.n), sa.func.max(t.Turn.n))
            .where(t.Turn.thread.in_(spoke))
            .group_by(t.Turn.thread)
            .order_by(sa.func.max(t.Turn.n).desc())
        )
        with self.database.read() as session:
            groups = session.execute(query).all()
            ends = {n for _, _, first, last in groups for n in (first, last)}
            turns = {r.n: r for r in session.scalars(sa.select(t.Turn).where(t.Turn.n.in_(ends)))}
        return [
            ThreadRecord(
                id=thread,
                title=str(turns[first].turn.get("text", ""))[:TITLE_LENGTH],
                turns=count,
                updated_at=turns[last].created_at,
            )
            for thread, count, first, last in groups
        ]

    def add_event(self, thread: str, turn: int, event: Mapping[str, Any]) -> int:
        """Append an event of a turn; the answer is its cursor."""
        with self.database.write() as session:
            row = t.TurnEvent(thread=thread, turn=turn, event=dict(event), created_at=self.now())
            session.add(row)
            session.flush()
            return row.n

    def events(self, thread: str, after: int = 0) -> list[EventRecord]:
        """The events of a thread behind a cursor, the oldest first."""
        query = sa.select(t.TurnEvent).where(t.TurnEvent.thread == thread, t.TurnEvent.n > after)
        with self.database.read() as session:
            return [
                EventRecord(cursor=r.n, thread=r.thread, turn=r.turn, event=r.event, created_at=r.created_at)
                for r in session.scalars(query.order_by(t.TurnEvent.n))
            ]


def _steps(session: Session, thread: str, limit: int) -> list[t.FocusStep]:
    query = sa.select(t.FocusStep).where(t.FocusStep.thread == thread, t.FocusStep.undone.is_(False))
    return list(session.scalars(query.order_by(t.FocusStep.n.desc()).limit(limit)))
