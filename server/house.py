"""The house part of a workspace: who am I, tokens, catalog, evidence, playbooks, policies, clock, audit."""

from importlib.metadata import PackageNotFoundError, version
from typing import Any

from control.records import digest
from server.access import needs, open_to_all
from server.base import Part
from server.policies import in_force
from server.schema import (
    AuditCheck,
    CampaignInfo,
    CatalogHit,
    ClockAsked,
    ClockView,
    EvidenceView,
    HouseView,
    Me,
    PlaybookInfo,
    PolicyView,
    TokenAsked,
    TokenInfo,
    TokenMade,
)
from warehouse.errors import Forbidden, ModelRetry, NotFound, SignInNeeded

try:
    _version = version("touchline")
except PackageNotFoundError:
    _version = "development"


class House(Part):
    @open_to_all
    def house(self) -> HouseView:
        """Which bank, which day, what kind of home: what may be shown before anybody signs in."""
        info = self.stores.info
        demo_users: list[str] = []
        if info.kind == "demo":
            from control.authority import DEMO_USERS

            demo_users = list(DEMO_USERS)
        return HouseView(
            name=info.name,
            kind=info.kind,
            zone=info.zone,
            now=self.stores.clock.now(),
            as_of=self.stores.warehouse.as_of,
            consent=info.consent,
            source=info.source,
            version=_version,
            demo_users=demo_users,
        )

    @needs("read")
    def me(self) -> Me:
        actor = self.actor
        return Me(
            account=actor.account,
            person=actor.person,
            roles=list(actor.roles),
            branches=None if actor.branches is None else list(actor.branches),
            scopes=sorted(self.caller.scopes),
            may=sorted(self.caller.permissions()),
            exact_numbers=actor.exact_numbers,
        )

    @needs("read")
    def token_create(self, asked: TokenAsked) -> TokenMade:
        """Make a token that allows no more than the caller's own sign-in.

        Raises:
            SignInNeeded: the local command line asks without a password or token.
        """
        principal = self.caller.principal
        if principal is None:
            raise SignInNeeded("A token belongs to somebody who is signed in.", "Name --user and give the password.")
        authority = self.stores.authority
        token = authority.create_token(principal, asked.name, asked.scopes, asked.days)
        made = authority.authenticate(token)
        record = next(
            t
            for t in authority.people.tokens(principal)
            if t.name == asked.name and t.account == made.actor.account and t.expires_at == made.expires_at
        )
        return TokenMade(token=token, **record.model_dump())

    @needs("read")
    def tokens(self) -> list[TokenInfo]:
        """Tokens that still work, the newest first: one's own; an administrator sees everybody's."""
        principal = self.caller.principal
        if principal is None:
            raise SignInNeeded("Tokens belong to somebody who is signed in.", "Name --user and give the password.")
        return [TokenInfo(**t.model_dump()) for t in self.stores.authority.people.tokens(principal)]

    @needs("read")
    def token_revoke(self, token_id: str) -> dict[str, str]:
        """End a token at once.

        Raises:
            NotFound: there is none, or it is somebody else's.
        """
        principal = self.caller.principal
        if principal is None:
            raise SignInNeeded("Tokens belong to somebody who is signed in.", "Name --user and give the password.")
        self.stores.authority.people.revoke_token(principal, token_id)
        return {"revoked": token_id}

    @needs("read")
    def catalog(self) -> dict[str, Any]:
        return self.stores.catalog.model_dump(mode="json", exclude_defaults=True)

    @needs("read")
    def catalog_search(self, text: str, limit: int = 8) -> list[CatalogHit]:
        """Entries whose names or synonyms are near a text, best first."""
        catalog = self.stores.catalog
        entries: dict[str, dict[str, Any]] = {
            "attribute": dict(catalog.attribute_index),
            "event": dict(catalog.event_index),
            "metric": dict(catalog.metric_index),
            "term": {term.name: term for term in catalog.terms},
        }
        found = []
        for kind, name, score in catalog.search(text, limit):
            entry = entries[kind][name]
            found.append(
                CatalogHit(
                    kind=kind,
                    name=name,
                    score=score,
                    zh=entry.words.zh,
                    en=entry.words.en,
                    definition_zh=getattr(entry, "definition_zh", ""),
                    definition_en=getattr(entry, "definition_en", ""),
                )
            )
        return found

    @needs("read")
    def evidence(self, evidence_id: str) -> EvidenceView:
        """One record, for whoever may read the conversation it belongs to.

        Raises:
            NotFound: there is none; one of somebody else's conversation sounds the same, for ids can be guessed.
        """
        thread = self.stores.records.evidence_thread(evidence_id)
        owner = self.service.turns.owner(thread) if thread else None
        if owner not in (None, self.actor.account) and self.caller.how != "local":
            raise NotFound(f"There is no evidence {evidence_id}.", "Ask the question again.")
        return EvidenceView.model_validate(self.stores.records.evidence([evidence_id])[0].model_dump(mode="json"))

    @needs("read")
    def campaigns(self) -> list[CampaignInfo]:
        from tools.segment.describing import campaigns

        found, _ = campaigns(self.stores.warehouse, self.actor)
        return [CampaignInfo.model_validate(campaign.model_dump()) for campaign in found]

    @needs("read")
    def playbooks(self) -> list[PlaybookInfo]:
        return [PlaybookInfo.model_validate(p.model_dump(mode="json")) for p in self.stores.playbooks.all()]

    @needs("read")
    def policies(self) -> list[PolicyView]:
        """The throttle and the routing of approvals as they are now; changed by an administrator in the home's files."""
        policies = {
            "throttle": in_force(self.stores),
            "approval": self.stores.authority.decisions.policy(),
        }
        found = []
        for name, policy in policies.items():
            document = policy.model_dump(mode="json")
            found.append(PolicyView(name=name, document=document, digest=digest(document)))
        return found

    @needs("read")
    def clock(self) -> ClockView:
        stores = self.stores
        return ClockView(
            now=stores.clock.now(), as_of=stores.warehouse.as_of, zone=stores.info.zone, demo=stores.info.kind == "demo"
        )

    @needs("run")
    def clock_advance(self, asked: ClockAsked) -> ClockView:
        """Move a demo home's clock forward, so that delays and expiries can be seen. On record in the audit.

        Raises:
            Forbidden: a real home's clock is the world's.
            ModelRetry: by nothing.
        """
        if self.stores.info.kind != "demo":
            raise Forbidden("Only a demo home's clock can be moved.", "Try it in a demo home: touchline demo-bank.")
        seconds = ((asked.days * 24 + asked.hours) * 60 + asked.minutes) * 60
        if seconds <= 0:
            raise ModelRetry("The clock moves forward by nothing.", "Say --days, --hours or --minutes.")
        before = self.stores.clock.now()
        self.stores.move_clock(seconds)
        after = self.stores.clock.now()
        body = {"seconds": seconds, "before": before.isoformat(), "after": after.isoformat()}
        self.stores.authority.audit.append("clock.advanced", self.actor, body)
        self.service.nudge()
        return self.clock()

    @needs("read")
    def verify_audit(self) -> AuditCheck:
        """Recompute the chain and compare its end with the signed head."""
        return AuditCheck.model_validate(self.stores.authority.audit.verify().model_dump())
