"""Proposals and what people decide about them."""

from typing import Annotated

from fastapi import APIRouter, Query

from server.gate import Work
from server.schema import DecisionAsked, DecisionMade, Name, ProposalInfo, ProposalView, RevokeAsked

router = APIRouter(prefix="/proposals", tags=["approval"])


@router.get("")
def proposals(work: Work, status: Annotated[str | None, Query(max_length=20)] = None) -> list[ProposalInfo]:
    """Proposals, the latest first; `mine` marks those that wait for the caller."""
    return work.proposals(status)


@router.get("/{proposal_id}")
def proposal(proposal_id: Name, work: Work) -> ProposalView:
    """All an approver must see, with the frozen payload."""
    return work.proposal(proposal_id)


@router.post("/{proposal_id}/decisions")
def decide(proposal_id: Name, asked: DecisionAsked, work: Work) -> DecisionMade:
    """Approve, reject or return. Needs a password session or a token with the scope `decide`."""
    return work.decide(proposal_id, asked)


@router.post("/{proposal_id}/revoke")
def revoke(proposal_id: Name, asked: RevokeAsked, work: Work) -> ProposalView:
    """Stop an approved or running release; at most one batch still leaves."""
    return work.revoke(proposal_id, asked)


@router.post("/{proposal_id}/withdraw")
def withdraw(proposal_id: Name, work: Work) -> ProposalView:
    """Its submitter takes it back."""
    return work.withdraw(proposal_id)
