"""Decisions: approve, reject, return, revoke; each single-use, by somebody who had no hand in what he signs."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy.orm import Session

from control.authority import tables as a
from control.authority.audit import Audit, Writing
from control.authority.people import People
from control.authority.roles import SYSTEM
from control.authority.sessions import Principal
from control.records import UNDECIDED, Actor, ProposalStatus, digest
from control.records import tables as t
from control.records.proposals import move, proposal_row
from control.records.routing import ApprovalPolicy, Facts, Progress, Rule, Signature, progress
from warehouse.errors import AdminFixes, Forbidden, ModelRetry, TouchlineError

Verdict = Literal["approve", "reject", "return"]
OUTCOME: dict[Verdict, ProposalStatus] = {"approve": "approved", "reject": "rejected", "return": "returned"}
MAY_STOP = ("approver", "compliance", "manager", "admin")
"""Stopping is the safe direction: more people may stop a release than may approve it."""


class Refused(Forbidden):
    """A decision that does not count; it is in the audit chain as refused."""

    code = "decision_refused"


class Tampered(AdminFixes):
    """A stored proposal is not what was submitted or signed."""

    code = "tampered"


class Decision(BaseModel):
    """What a decision did; `status` is the proposal's status after it, `still_needed` the signatures still missing."""

    model_config = ConfigDict(frozen=True)

    proposal: str
    decision: Verdict
    status: ProposalStatus
    digest: str
    level: str
    decided_at: datetime
    still_needed: list[str] = []


class Decisions:
    """The deciding of one control plane. `policies` is the folder with `approval.yaml`."""

    def __init__(self, audit: Audit, people: People, policies: Path | None) -> None:
        self._audit = audit
        self._people = people
        self._policies = policies

    def policy(self) -> ApprovalPolicy:
        """The routing policy as it is now."""
        return ApprovalPolicy.load(self._policies)

    def decide(
        self, proposal_id: str, principal: Principal, decision: Verdict, digest: str, comment: str = ""
    ) -> Decision:
        """Approve, reject or return a proposal.

        Args:
            digest: the digest that was shown to the signer.
            comment: what he says; needed when he rejects or returns.

        Raises:
            Refused: he submitted or edited it, has signed already, is not asked at this level, or it is no longer
                open.
            Tampered: the stored payload is not what was submitted.
            SignInNeeded, Forbidden: his sign-in is over or does not allow decisions.
        """
        self.expire()
        try:
            with self._audit.transaction() as writing:
                return self._decide(writing, proposal_id, principal, decision, digest, comment)
        except TouchlineError as error:
            if isinstance(error, _Blocked):
                self._block(proposal_id, error.message)
            body = {
                "proposal": proposal_id,
                "decision": decision,
                "shown": digest,
                "why": error.code,
                "text": error.message,
            }
            self._audit.append("decision.refused", principal.actor, body)
            raise

    def _decide(
        self, writing: Writing, proposal_id: str, principal: Principal, decision: Verdict, shown: str, comment: str
    ) -> Decision:
        session = writing.session
        actor = self._people.check(session, principal, "decide", writing.now)
        row = proposal_row(session, proposal_id, lock=True)
        payload = intact(session, row)
        if row.status not in UNDECIDED:
            raise Refused(
                f"{proposal_id} is {row.status}; it is no longer open for a decision.",
                "See `touchline proposal ID` for its history.",
            )
        if shown != row.digest:
            raise Refused(
                f"{proposal_id} is not what was shown to you.", "Open it again and decide about what it says now."
            )
        if decision != "approve" and not comment.strip():
            raise ModelRetry("Say why: the operator needs your comment to go on.", "Add a comment.")
        rule, signed = self._route(payload), signatures(session, row.n)
        reason = self.objection(row, actor, rule, signed, decision)
        if reason:
            raise (
                Refused(reason, "See `touchline proposal ID` for who is asked.")
                if rule is not None
                else _Blocked(reason, "Add a rule to policies/approval.yaml.")
            )
        assert rule is not None  # objection() names a missing rule
        before = progress(rule, signed)
        level = rule.levels[before.open_level or 0].name
        session.add(
            a.DecisionRow(
                proposal=row.n, decision=decision, level=level, account=actor.account, person=actor.person,
                roles=list(actor.roles), digest=row.digest, comment=comment, decided_at=writing.now,
            )
        )  # fmt: skip
        body = {"proposal": proposal_id, "digest": row.digest, "level": level, "rule": rule.name, "comment": comment}
        writing.append(f"decision.{decision}", actor, body)
        needed: list[str] = []
        if decision == "approve":
            mine = Signature(person=actor.person, roles=actor.roles)
            needed = still_needed(rule, progress(rule, [*signed, mine]))
        if needed and row.status == "blocked":
            swap(session, row, ("blocked",), "pending", actor, "a policy matches now", writing.now)
        if not needed:
            swap(session, row, UNDECIDED, OUTCOME[decision], actor, comment, writing.now)
            if decision == "approve":
                until = writing.now + self.policy().lifetime
                session.add(
                    a.Release(
                        proposal=row.n, digest=row.digest, approved_at=writing.now, approved_until=until, paused=False
                    )
                )
        return Decision(
            proposal=proposal_id, decision=decision, status=OUTCOME[decision] if not needed else "pending",
            digest=row.digest, level=level, decided_at=writing.now, still_needed=needed,
        )  # fmt: skip

    def _route(self, payload: dict[str, Any]) -> Rule | None:
        return self.policy().route(facts(payload))

    def objection(
        self, row: t.Proposal, actor: Actor, rule: Rule | None, signed: list[Signature], decision: Verdict = "approve"
    ) -> str:
        """Why this actor may not take this decision now; empty if he may."""
        if row.status not in UNDECIDED:
            return f"It is {row.status}."
        if rule is None:
            return "No approval policy matches it; an administrator must add a rule before anybody can decide."
        if actor.person == row.person:
            return "You submitted it; somebody else must decide."
        if actor.person in row.editors:
            return "You drafted or edited it; somebody else must decide."
        if actor.person in {s.person for s in signed}:
            return "You have signed it already; every signature is a different person."
        mine = Signature(person=actor.person, roles=actor.roles)
        if decision != "approve":
            asked = any(mine.meets(level.open_for([])) for level in rule.levels)
            return "" if asked else "You are not asked at any level of its approval."
        state = progress(rule, signed)
        if state.open_level is None:
            return "It has all its signatures."
        level = rule.levels[state.open_level]
        if mine.meets(level.open_for(list(state.signed[state.open_level]))):
            return ""
        return f"The level {level.name!r} needs {' or '.join(still_needed(rule, state))}."

    def revoke(self, proposal_id: str, principal: Principal, reason: str) -> None:
        """Take an approval back. A release under way stops: at most one batch still leaves.

        Raises:
            Refused: it is not approved or being released, or this person may not stop it.
        """
        with self._audit.transaction() as writing:
            actor = self._people.check(writing.session, principal, "read", writing.now)
            row = proposal_row(writing.session, proposal_id, lock=True)
            if actor.person != row.person and not set(actor.roles) & set(MAY_STOP):
                raise Refused("You may not stop a release.", "Ask an approver, a manager or an administrator.")
            if row.status not in ("approved", "releasing"):
                raise Refused(
                    f"{proposal_id} is {row.status}; there is nothing to revoke.",
                    "See `touchline proposals` for what runs.",
                )
            swap(writing.session, row, ("approved", "releasing"), "revoked", actor, reason, writing.now)

    def expire(self) -> None:
        """Let lapse what nobody decided, or nobody released, in time."""
        days = self.policy().lifetime
        now = self._audit.clock.now()
        waiting = sa.select(t.Proposal).where(t.Proposal.status.in_(UNDECIDED), t.Proposal.submitted_at < now - days)
        unused = (
            sa.select(t.Proposal)
            .join(a.Release, a.Release.proposal == t.Proposal.n)
            .where(t.Proposal.status == "approved", a.Release.approved_until < now)
        )
        with self._audit.database.read() as session:
            if not any(session.scalars(query.limit(1)).first() for query in (waiting, unused)):
                return
        with self._audit.transaction() as writing:
            for query, why in ((waiting, "not decided in time"), (unused, "not released in time")):
                for row in writing.session.scalars(query.with_for_update(of=t.Proposal)).all():
                    swap(writing.session, row, (*UNDECIDED, "approved"), "expired", SYSTEM, why, now)

    def _block(self, proposal_id: str, why: str) -> None:
        """Mark a proposal that no policy matches; kept although the decision about it was refused."""
        with self._audit.transaction() as writing:
            row = proposal_row(writing.session, proposal_id, lock=True)
            if row.status == "pending":
                swap(writing.session, row, ("pending",), "blocked", SYSTEM, why, writing.now)


class _Blocked(Refused):
    code = "blocked"


def swap(
    session: Session, row: t.Proposal, expected: tuple[str, ...], after: ProposalStatus, actor: Actor, why: str,
    now: datetime,
) -> None:  # fmt: skip
    """Compare-and-set of a proposal's status; the row is the one truth about it.

    Raises:
        Refused: somebody else moved it first.
    """
    before = row.status
    changed = session.execute(
        sa.update(t.Proposal)
        .where(t.Proposal.n == row.n, t.Proposal.status == before, t.Proposal.status.in_(expected))
        .values(status=after)
        .execution_options(synchronize_session=False)
    )
    if changed.rowcount != 1:  # type: ignore[attr-defined]
        raise Refused(f"prop_{row.n} was decided by somebody else in the meantime.", "Open it again.")
    move(session, row, before, after, actor, why, now)


def intact(session: Session, row: t.Proposal) -> dict[str, Any]:
    """The payload, if what is stored is what was submitted: its digest is recomputed over the stored text and compared
    with the row and with the digest that the audit chain holds since the submission.

    Raises:
        Tampered: one of them differs.
    """
    payload: dict[str, Any] = json.loads(row.payload)
    found = digest(payload)
    submission = session.scalars(
        sa.select(a.AuditRow.body).where(a.AuditRow.kind == "proposal.submitted", a.AuditRow.subject == f"prop_{row.n}")
    ).first()
    submitted = json.loads(submission)["digest"] if submission else None
    if not found == row.digest == submitted:
        raise Tampered(
            f"The stored payload of prop_{row.n} is not what was submitted.",
            "Nothing of it will be decided or sent. Look into the audit trail, and submit it again.",
        )
    return payload


def facts(payload: dict[str, Any]) -> Facts:
    """What the routing rules look at.

    Raises:
        Tampered: the payload states no facts.
    """
    try:
        return Facts.model_validate(payload["facts"])
    except (KeyError, ValidationError):
        raise Tampered("This payload states nothing that an approval could be routed by.", "Submit it again.") from None


def signatures(session: Session, proposal: int) -> list[Signature]:
    """The approvals so far, in their order."""
    rows = session.scalars(
        sa.select(a.DecisionRow)
        .where(a.DecisionRow.proposal == proposal, a.DecisionRow.decision == "approve")
        .order_by(a.DecisionRow.n)
    )
    return [Signature(person=r.person, roles=tuple(r.roles)) for r in rows]


def still_needed(rule: Rule, state: Progress) -> list[str]:
    """What the open level still needs, in words; empty when all levels are complete."""
    if state.open_level is None:
        return []
    level = rule.levels[state.open_level]
    return [f"{kind} {name}" for kind, name in level.open_for(list(state.signed[state.open_level]))]
