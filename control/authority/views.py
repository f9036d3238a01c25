"""What an approver sees of a proposal: everything the payload holds, how far it is signed, and what he may do."""

import difflib
from datetime import datetime
from typing import Any

import sqlalchemy as sa
import yaml
from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from control.authority import tables as a
from control.authority.audit import Audit
from control.authority.decisions import Decisions, facts, intact, signatures, still_needed
from control.records import UNDECIDED, Actor, ProposalStatus
from control.records import tables as t
from control.records.proposals import proposal_row
from control.records.routing import Rule, progress


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class LevelView(Frozen):
    name: str
    rule: str
    kind: str
    needs: list[str]
    signed_by: list[str]
    state: str


class DecisionView(Frozen):
    decision: str
    level: str
    account: str
    person: str
    comment: str
    digest: str
    decided_at: datetime


class MoveView(Frozen):
    moved_at: datetime
    before: str
    after: str
    account: str
    why: str


class ProposalView(Frozen):
    """`payload`, without the packed ids of the audience, holds what the page shows: sentence, goal, stop line, canvas, previews, waterfall, throttle forecast,
    cost, exclusions, consent basis, suitability, findings, origin. `may` lists what the viewer may do now; `why_not`
    tells why he may not decide."""

    id: str
    status: ProposalStatus
    digest: str
    submitted_by: str
    submitted_at: datetime
    expires_at: datetime
    editors: list[str]
    payload: dict[str, Any]
    levels: list[LevelView]
    decisions: list[DecisionView]
    moves: list[MoveView]
    difference: str
    """A unified diff of the canvas against the last approved version of it; empty where there is none."""
    may: list[str]
    why_not: str


class InboxItem(Frozen):
    id: str
    status: ProposalStatus
    digest: str
    sentence: str
    submitted_by: str
    submitted_at: datetime
    touches: int
    may_decide: bool
    why_not: str


class Views:
    def __init__(self, audit: Audit, decisions: Decisions) -> None:
        self._audit = audit
        self._decisions = decisions

    def inbox(self, actor: Actor) -> list[InboxItem]:
        """What waits for a decision, the oldest first, and whether this actor may take it."""
        self.settle()
        query = sa.select(t.Proposal).where(t.Proposal.status.in_(UNDECIDED)).order_by(t.Proposal.n)
        with self._audit.database.read() as session:
            return [self._item(session, row, actor) for row in session.scalars(query)]

    def view(self, proposal_id: str, viewer: Actor | None = None) -> ProposalView:
        """A proposal as its approvers see it.

        Raises:
            NotFound: there is none.
            Tampered: what is stored is not what was submitted.
        """
        self.settle()
        with self._audit.database.read() as session:
            row = proposal_row(session, proposal_id)
            payload = intact(session, row)
            rule = self._decisions.policy().route(facts(payload))
            why_not = self._objection(session, row, viewer, rule) if viewer else "Sign in to decide."
            may = [] if why_not else ["approve", "reject", "return"]
            if viewer and viewer.person == row.person and row.status in (*UNDECIDED, "approved"):
                may.append("withdraw")
            if viewer and row.status in ("approved", "releasing"):
                may.append("revoke")
            policy = self._decisions.policy()
            return ProposalView(
                id=proposal_id,
                status=row.status,
                digest=row.digest,
                submitted_by=row.account,
                submitted_at=row.submitted_at,
                expires_at=row.submitted_at + policy.lifetime,
                editors=list(row.editors),
                payload=_shown(payload),
                levels=_levels(session, row, rule),
                decisions=[
                    DecisionView.model_validate(d, from_attributes=True)
                    for d in session.scalars(
                        sa.select(a.DecisionRow).where(a.DecisionRow.proposal == row.n).order_by(a.DecisionRow.n)
                    )
                ],
                moves=[
                    MoveView.model_validate(m, from_attributes=True)
                    for m in session.scalars(
                        sa.select(t.ProposalMove).where(t.ProposalMove.proposal == row.n).order_by(t.ProposalMove.n)
                    )
                ],
                difference=_difference(session, row),
                may=may,
                why_not=why_not,
            )

    def signed_by(self, person: str) -> set[str]:
        """The proposals that a person decided about."""
        query = sa.select(a.DecisionRow.proposal).where(a.DecisionRow.person == person).distinct()
        with self._audit.database.read() as session:
            return {f"prop_{n}" for n in session.scalars(query)}

    def settle(self) -> None:
        """Expire what lapsed, and anchor new submissions: what is shown to a signer is in the chain before he signs."""
        self._decisions.expire()
        with self._audit.database.read() as session:
            loose = sa.select(t.ProposalMove.n).where(t.ProposalMove.anchored.is_(False)).limit(1)
            if session.scalar(loose) is None:
                return
        with self._audit.transaction():
            pass

    def _item(self, session: Session, row: t.Proposal, actor: Actor) -> InboxItem:
        payload = intact(session, row)
        stated = facts(payload)
        why_not = self._objection(session, row, actor, self._decisions.policy().route(stated))
        return InboxItem(
            id=f"prop_{row.n}",
            status=row.status,
            digest=row.digest,
            sentence=str(payload.get("sentence", "")),
            submitted_by=row.account,
            submitted_at=row.submitted_at,
            touches=stated.touches,
            may_decide=not why_not,
            why_not=why_not,
        )

    def _objection(self, session: Session, row: t.Proposal, actor: Actor, rule: Rule | None) -> str:
        return self._decisions.objection(row, actor, rule, signatures(session, row.n))


def _shown(payload: dict[str, Any]) -> dict[str, Any]:
    """The payload without the packed customer ids: they are signed by the digest, and nobody reads them."""
    audience = payload.get("audience")
    if not isinstance(audience, dict):
        return payload
    return {**payload, "audience": {name: value for name, value in audience.items() if name != "ids"}}


def _levels(session: Session, row: t.Proposal, rule: Rule | None) -> list[LevelView]:
    if rule is None:
        return []
    state = progress(rule, signatures(session, row.n))
    views = []
    for number, level in enumerate(rule.levels):
        signed = [s.person for s in state.signed[number]]
        done = state.open_level is None or number < state.open_level
        needs = still_needed(rule, state) if number == state.open_level else []
        if not done and number != state.open_level:
            needs = [f"{kind} {name}" for kind, name in level.open_for([])]
        views.append(
            LevelView(
                name=level.name,
                rule=rule.name,
                kind="any_of" if level.any_of else "all_of",
                needs=needs,
                signed_by=signed,
                state="done" if done else "open" if number == state.open_level else "waiting",
            )
        )
    return views


def _difference(session: Session, row: t.Proposal) -> str:
    earlier = session.scalars(
        sa.select(t.CanvasVersion)
        .join(
            t.Proposal,
            sa.and_(t.Proposal.canvas == t.CanvasVersion.canvas, t.Proposal.canvas_version == t.CanvasVersion.version),
        )
        .join(a.Release, a.Release.proposal == t.Proposal.n)
        .where(t.Proposal.canvas == row.canvas, t.Proposal.n < row.n)
        .order_by(t.Proposal.n.desc())
        .limit(1)
    ).first()
    if earlier is None:
        return ""
    now = session.get_one(t.CanvasVersion, (row.canvas, row.canvas_version))
    before, after = (
        yaml.safe_dump(v.document, allow_unicode=True, sort_keys=False).splitlines() for v in (earlier, now)
    )
    names = (f"version {earlier.version} (approved)", f"version {now.version}")
    return "\n".join(difflib.unified_diff(before, after, *names, lineterm="", n=2))
