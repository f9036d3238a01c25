"""Health, signing in, tokens, catalog, evidence, policies, the clock and the audit."""

from fastapi import APIRouter, Query

from server.gate import ServiceDep, Token, Work
from server.schema import (
    AuditCheck,
    CampaignInfo,
    CatalogHit,
    ClockAsked,
    ClockView,
    EvidenceView,
    HouseView,
    Me,
    Name,
    PlaybookInfo,
    PolicyView,
    ReleaseRun,
    SignedIn,
    SignIn,
    TokenAsked,
    TokenInfo,
    TokenMade,
)

router = APIRouter()


@router.get("/health", tags=["house"])
def health() -> dict[str, str]:
    """The process lives."""
    return {"status": "ok"}


@router.get("/ready", tags=["house"])
def ready(service: ServiceDep) -> dict[str, str]:
    """The stores answer and the scheduler runs; otherwise a problem 503."""
    service.ready()
    return {"status": "ready"}


@router.get("/house", tags=["house"])
def house(work: Work) -> HouseView:
    """Which bank, which day, what kind of home."""
    return work.house()


@router.post("/sign-in", tags=["people"])
def sign_in(asked: SignIn, service: ServiceDep) -> SignedIn:
    """A token for a person with a password."""
    return service.sign_in(asked)


@router.post("/sign-out", tags=["people"])
def sign_out(service: ServiceDep, token: Token) -> dict[str, bool]:
    """The token is worth nothing from now on."""
    service.sign_out(token)
    return {"signed_out": True}


@router.get("/me", tags=["people"])
def me(work: Work) -> Me:
    """Who is speaking, and what he may do."""
    return work.me()


@router.get("/tokens", tags=["people"])
def tokens(work: Work) -> list[TokenInfo]:
    """One's own tokens; an administrator sees everybody's."""
    return work.tokens()


@router.post("/tokens", tags=["people"], status_code=201)
def token_create(asked: TokenAsked, work: Work) -> TokenMade:
    """Make a token; only in a password session."""
    return work.token_create(asked)


@router.delete("/tokens/{token_id}", tags=["people"])
def token_revoke(token_id: Name, work: Work) -> dict[str, str]:
    """The token is worth nothing from now on."""
    return work.token_revoke(token_id)


@router.get("/policies", tags=["house"])
def policies(work: Work) -> list[PolicyView]:
    """The throttle policy and the routing of approvals, to be read only."""
    return work.policies()


@router.get("/evidence/{evidence_id}", tags=["house"])
def evidence(evidence_id: Name, work: Work) -> EvidenceView:
    """The query behind a number."""
    return work.evidence(evidence_id)


@router.get("/catalog", tags=["house"])
def catalog(work: Work) -> dict[str, object]:
    """What this bank's data means, in both languages."""
    return work.catalog()


@router.get("/catalog/search", tags=["house"])
def catalog_search(
    work: Work, q: str = Query(min_length=1, max_length=200), limit: int = Query(8, ge=1, le=100)
) -> list[CatalogHit]:
    """Catalog entries whose names are near a text."""
    return work.catalog_search(q, limit)


@router.get("/campaigns", tags=["house"])
def campaigns(work: Work) -> list[CampaignInfo]:
    """Campaigns on record, the newest first."""
    return work.campaigns()


@router.get("/playbooks", tags=["house"])
def playbooks(work: Work) -> list[PlaybookInfo]:
    """The playbooks that guide the assistant."""
    return work.playbooks()


@router.get("/clock", tags=["house"])
def clock(work: Work) -> ClockView:
    """The home's now and the data cut-off."""
    return work.clock()


@router.post("/clock/advance", tags=["house"])
def clock_advance(asked: ClockAsked, work: Work) -> ClockView:
    """Move a demo home's clock forward, so that delays can be seen."""
    return work.clock_advance(asked)


@router.post("/releases/run", tags=["approval"])
def release_run(work: Work) -> ReleaseRun:
    """Do what is due now; the server also does so by itself every few seconds."""
    return work.release_run()


@router.get("/audit/verify", tags=["house"])
def audit_verify(work: Work) -> AuditCheck:
    """Recompute the audit chain and its signed head."""
    return work.verify_audit()
