"""Release bookkeeping for `delivery`: what may be released now, which waves were claimed, what stops everything."""

import json
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from control.authority import tables as a
from control.authority.audit import Audit
from control.authority.decisions import MAY_STOP, Decisions, Refused, Tampered, intact, swap
from control.authority.people import People
from control.authority.roles import SYSTEM
from control.authority.sessions import Principal
from control.records import ProposalRecord, Records
from control.records import tables as t
from control.records.proposals import proposal_row

KILL = "kill"


class Intent(BaseModel):
    """A release that has something to do: its proposal, and until when a start is approved."""

    model_config = ConfigDict(frozen=True)

    proposal: ProposalRecord
    approved_at: datetime
    approved_until: datetime
    started_at: datetime | None
    open_waves: list[tuple[str, int]] = []
    """(step, wave) claimed but not recorded as done: a crash came in between, and the warehouse's marker tells."""

    @property
    def release(self) -> str:
        return self.proposal.id


class ReleaseState(BaseModel):
    """Whether a release may send its next batch."""

    model_config = ConfigDict(frozen=True)

    may_send: bool
    why_not: str = ""


class Releases:
    def __init__(self, audit: Audit, people: People, decisions: Decisions, records: Records) -> None:
        self._audit = audit
        self._people = people
        self._decisions = decisions
        self._records = records

    def intents(self) -> list[Intent]:
        """Approved proposals and releases under way, the oldest first."""
        self._decisions.expire()
        with self._audit.database.read() as session:
            rows = session.scalars(
                sa.select(a.Release)
                .join(t.Proposal, t.Proposal.n == a.Release.proposal)
                .where(t.Proposal.status.in_(("approved", "releasing")))
                .order_by(a.Release.proposal)
            ).all()
            waves: dict[int, list[tuple[str, int]]] = {}
            for wave in session.scalars(sa.select(a.Wave).where(a.Wave.done_at.is_(None)).order_by(a.Wave.wave)):
                waves.setdefault(wave.proposal, []).append((wave.step, wave.wave))
        return [
            Intent(
                proposal=self._records.proposal(f"prop_{r.proposal}"),
                approved_at=r.approved_at,
                approved_until=r.approved_until,
                started_at=r.started_at,
                open_waves=waves.get(r.proposal, []),
            )
            for r in rows
        ]

    def release_state(self, release: str, *, thorough: bool = True) -> ReleaseState:
        """Whether the release may send now: approved and not revoked, not paused, no kill switch; and, if thorough, the
        payload, the digest and every signature still fit. Read before every batch, thoroughly before every wave."""
        with self._audit.database.read() as session:
            return self._state(session, release, thorough=thorough)

    def _state(self, session: Session, release: str, *, thorough: bool = True) -> ReleaseState:
        row = proposal_row(session, release)
        kill = session.get(a.Switch, KILL)
        if kill is not None and kill.on:
            return ReleaseState(may_send=False, why_not="the kill switch is on")
        if row.status not in ("approved", "releasing"):
            return ReleaseState(may_send=False, why_not=f"it is {row.status}")
        approval = session.get(a.Release, row.n)
        if approval is None:
            return ReleaseState(may_send=False, why_not="it has no approval")
        if approval.paused:
            return ReleaseState(may_send=False, why_not="it is paused")
        if not thorough:
            return ReleaseState(may_send=True)
        try:
            intact(session, row)
            self._signed(session, row)
        except Tampered as error:
            return ReleaseState(may_send=False, why_not=error.message)
        if approval.digest != row.digest:
            return ReleaseState(may_send=False, why_not="its approval names another digest")
        return ReleaseState(may_send=True)

    def _signed(self, session: Session, row: t.Proposal) -> None:
        """Every signature is in the audit chain and names the digest; a row put into the table by hand is not."""
        approvals = session.scalars(
            sa.select(a.DecisionRow).where(a.DecisionRow.proposal == row.n, a.DecisionRow.decision == "approve")
        ).all()
        entries = session.scalars(
            sa.select(a.AuditRow).where(a.AuditRow.subject == f"prop_{row.n}", a.AuditRow.kind == "decision.approve")
        )
        audited = {(e.person, json.loads(e.body)["digest"]) for e in entries}
        if not approvals or any((s.person, s.digest) not in audited or s.digest != row.digest for s in approvals):
            raise Tampered(f"prop_{row.n} has a signature that nobody gave.", "Look into the audit trail.")

    def start(self, release: str) -> None:
        """Begin a release: approved becomes releasing, exactly once.

        Raises:
            Refused: it may not send now, or somebody else began it.
        """
        with self._audit.transaction() as writing:
            row = proposal_row(writing.session, release, lock=True)
            state = self._state(writing.session, release)
            if not state.may_send:
                raise Refused(f"{release} cannot be released: {state.why_not}.", "")
            swap(writing.session, row, ("approved",), "releasing", SYSTEM, "release started", writing.now)
            writing.session.get_one(a.Release, row.n).started_at = writing.now

    def claim_wave(self, release: str, step: str, wave: int) -> bool:
        """Step 1 of a wave: record the intent. False if it is recorded as done already.

        Raises:
            Refused: the release may not send now.
        """
        with self._audit.transaction() as writing:
            row = proposal_row(writing.session, release, lock=True)
            state = self._state(writing.session, release)
            if not state.may_send:
                raise Refused(f"{release} may not send: {state.why_not}.", "")
            known = writing.session.get(a.Wave, (row.n, step, wave))
            if known is not None:
                return known.done_at is None
            writing.session.add(a.Wave(proposal=row.n, step=step, wave=wave, claimed_at=writing.now, counts={}))
            writing.append(
                "wave.claimed", SYSTEM, {"proposal": release, "step": step, "wave": wave, "digest": row.digest}
            )
            return True

    def wave_done(self, release: str, step: str, wave: int, counts: dict[str, Any]) -> None:
        """Step 3 of a wave: record that the warehouse holds it. Repeating it changes nothing."""
        with self._audit.transaction() as writing:
            row = proposal_row(writing.session, release, lock=True)
            known = writing.session.get_one(a.Wave, (row.n, step, wave))
            if known.done_at is None:
                known.done_at, known.counts = writing.now, counts
                body = {"proposal": release, "step": step, "wave": wave, "counts": counts}
                writing.append("wave.done", SYSTEM, body)

    def finish(self, release: str) -> None:
        """End a release that has nothing left to do."""
        with self._audit.transaction() as writing:
            row = proposal_row(writing.session, release, lock=True)
            if row.status == "releasing":
                swap(writing.session, row, ("releasing",), "released", SYSTEM, "release finished", writing.now)
                writing.session.get_one(a.Release, row.n).finished_at = writing.now

    def stop(self, release: str, why: str) -> None:
        """Stop a release by itself: its stop line or its audience limits were crossed. People may only submit anew."""
        with self._audit.transaction() as writing:
            row = proposal_row(writing.session, release, lock=True)
            if row.status in ("approved", "releasing"):
                swap(writing.session, row, ("approved", "releasing"), "revoked", SYSTEM, why, writing.now)

    def note(self, kind: str, release: str, body: dict[str, Any]) -> None:
        """Append what delivery saw (a refused release, a hand-over) to the audit chain."""
        self._audit.append(kind, SYSTEM, {**body, "proposal": release})

    def waves(self, release: str) -> list[dict[str, Any]]:
        """The waves of a release with their counts, the first first."""
        with self._audit.database.read() as session:
            n = proposal_row(session, release).n
            query = sa.select(a.Wave).where(a.Wave.proposal == n).order_by(a.Wave.claimed_at, a.Wave.wave)
            return [
                {"step": w.step, "wave": w.wave, "claimed_at": w.claimed_at, "done_at": w.done_at, "counts": w.counts}
                for w in session.scalars(query)
            ]

    def pause(self, release: str, principal: Principal, paused: bool = True) -> None:
        """Pause a release before its next batch, or let it go on. Nothing is decided anew by that.

        Raises:
            Refused: this person may not, or it is not being released.
        """
        with self._audit.transaction() as writing:
            actor = self._people.check(writing.session, principal, "read", writing.now)
            row = proposal_row(writing.session, release, lock=True)
            allowed = set(actor.roles) & set(MAY_STOP) or (paused and actor.person == row.person)
            if not allowed:
                raise Refused(
                    "You may not pause or resume a release.", "Ask an approver, a manager or an administrator."
                )
            approval = writing.session.get(a.Release, row.n)
            if approval is None or row.status not in ("approved", "releasing"):
                raise Refused(
                    f"{release} is {row.status}; there is nothing to pause.", "See `touchline proposals` for what runs."
                )
            approval.paused = paused
            writing.append("release.paused" if paused else "release.resumed", actor, {"proposal": release})

    def kill_switch(self, principal: Principal, on: bool, reason: str) -> None:
        """Stop every release before its next batch, or let them go on (only an administrator).

        Raises:
            Refused: this person may not.
        """
        with self._audit.transaction() as writing:
            actor = self._people.check(writing.session, principal, "read", writing.now)
            if not set(actor.roles) & (set(MAY_STOP) if on else {"admin"}):
                raise Refused("You may not turn this switch.", "Ask an administrator.")
            row = writing.session.get(a.Switch, KILL, with_for_update=True)
            if row is None:
                row = a.Switch(name=KILL)
                writing.session.add(row)
            row.on, row.account, row.since = on, actor.account, writing.now
            writing.append("kill_switch", actor, {"on": on, "reason": reason})
