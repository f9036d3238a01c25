"""The approval part of a workspace: what waits, what it holds, what people decide, what is released."""

from collections.abc import Callable
from typing import Any, get_args

from control.records import ProposalRecord, ProposalStatus
from server.access import needs
from server.base import Part
from server.schema import DecisionAsked, DecisionMade, ProposalInfo, ProposalView, ReleaseRun, RevokeAsked
from server.scope import audience_branches
from warehouse.errors import ModelRetry, NotFound, SignInNeeded


class Approvals(Part):
    @needs("read")
    def proposals(self, status: str | None = None) -> list[ProposalInfo]:
        """The newest first; those that wait for the caller say so. Who sees some branches only sees proposals whose
        audience lies within them, and those that he took part in.

        Raises:
            ModelRetry: there is no such status.
        """
        if status is not None and status not in get_args(ProposalStatus):
            raise ModelRetry(
                f"There is no status {status!r}.",
                f"There are {', '.join(get_args(ProposalStatus))}.",
                message_zh=f"没有状态 {status}。",
                fix_zh=f"状态有 {'、'.join(get_args(ProposalStatus))}。",
            )
        waiting = {item.id: item for item in self.stores.authority.inbox(self.actor)}
        found = []
        sees = self._sight()
        for record in self.stores.records.proposals(status=status, limit=200):
            if not sees(record):
                continue
            item = waiting.get(record.id)
            signed_in = self.caller.principal is not None
            found.append(
                ProposalInfo(
                    **_common(record),
                    touches=item.touches if item else 0,
                    may_decide=item is not None and item.may_decide and signed_in,
                    why_not=item.why_not if item else f"It is {record.status}.",
                )
            )
        return found

    @needs("read")
    def proposal(self, proposal_id: str) -> ProposalView:
        """All an approver must see, with the frozen payload.

        Raises:
            NotFound: there is none.
            AdminFixes: what is stored is not what was submitted.
        """
        record = self._seen(proposal_id)
        signed_in = self.caller.principal is not None
        view = self.stores.authority.view(proposal_id, self.actor if signed_in else None)
        return ProposalView.model_validate(
            {
                **view.model_dump(mode="json"),
                **_common(record),
                "touches": view.payload.get("facts", {}).get("touches", 0),
                "may_decide": "approve" in view.may,
                "waves": self.stores.authority.releases.waves(proposal_id),
            }
        )

    @needs("decide")
    def decide(self, proposal_id: str, asked: DecisionAsked) -> DecisionMade:
        """Approve, reject or return. The digest that was looked at must be the proposal's.

        Raises:
            Forbidden: he submitted or edited it, has signed already, or is not asked at this level.
            SignInNeeded: his sign-in is over.
        """
        principal = self.caller.principal
        if principal is None:
            raise SignInNeeded(
                "A decision needs a person who is signed in.", "Sign in with a password, or use a token."
            )
        seen = self._seen(proposal_id)
        digest = asked.digest or seen.digest
        made = self.stores.authority.decide(proposal_id, principal, asked.decision, digest, asked.comment)
        self.service.decided(proposal_id)
        return DecisionMade.model_validate(made.model_dump(mode="json"))

    @needs("revoke")
    def revoke(self, proposal_id: str, asked: RevokeAsked) -> ProposalView:
        """Take an approval back; a release under way stops before its next batch."""
        principal = self.caller.principal
        if principal is None:
            raise SignInNeeded("Revoking needs a person who is signed in.", "Sign in with a password, or use a token.")
        self._seen(proposal_id)
        self.stores.authority.revoke(proposal_id, principal, asked.reason)
        self.service.decided(proposal_id)
        return self.proposal(proposal_id)

    @needs("draft")
    def withdraw(self, proposal_id: str) -> ProposalView:
        """Its submitter takes it back."""
        self._seen(proposal_id)
        self.stores.records.withdraw(proposal_id, self.actor)
        self.service.decided(proposal_id)
        return self.proposal(proposal_id)

    def _seen(self, proposal_id: str) -> ProposalRecord:
        """A proposal that the caller may see.

        Raises:
            NotFound: there is none, or none of his branches; both sound the same.
        """
        record = self.stores.records.proposal(proposal_id)
        if not self._sight()(record):
            # The same words as for one that does not exist: whether it does is not told either.
            raise NotFound(f"There is no proposal {proposal_id}.", "`touchline proposals` lists them.")
        return record

    def _sight(self) -> Callable[[ProposalRecord], bool]:
        """What tells whether the caller may see a proposal."""
        from tools.segment.segments import branch_scope

        scope = branch_scope(self.stores.warehouse, self.actor)
        if scope is None:
            return lambda record: True
        person, signed = self.actor.person, self.stores.authority.views.signed_by(self.actor.person)

        def sees(record: ProposalRecord) -> bool:
            if person in (record.submitter, *record.editors) or record.id in signed:
                return True
            return audience_branches(self.stores, record) <= set(scope)

        return sees

    @needs("run")
    def release_run(self) -> ReleaseRun:
        """Do what is due now. Nothing that is not approved is ever due."""
        return self.service.run_due()


def _common(record: ProposalRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "name": str(record.payload.get("canvas", {}).get("name", "")),
        "sentence": str(record.payload.get("sentence", "")),
        "status": record.status,
        "digest": record.digest,
        "submitted_by": record.submitted_by,
        "submitted_at": record.submitted_at,
        "thread": record.thread,
        "canvas_id": record.canvas_id,
        "canvas_version": record.canvas_version,
    }
