"""People and their accounts, for administrators. Whoever has an account changes his own password."""

from fastapi import APIRouter

from server.gate import Work
from server.schema import AccountAsked, AccountView, DisableAsked, Name, PasswordAsked, PersonAsked

router = APIRouter(prefix="/people", tags=["people"])


@router.get("")
def people(work: Work) -> list[AccountView]:
    """All accounts with the persons behind them."""
    return work.people()


@router.post("", status_code=201)
def people_add(asked: AccountAsked, work: Work) -> AccountView:
    """Make an account, and its person if he is new."""
    return work.people_add(asked)


@router.post("/roles")
def people_roles(asked: PersonAsked, work: Work) -> list[AccountView]:
    """Give a known person other roles and branches; nobody changes his own."""
    return work.people_roles(asked)


@router.post("/{account}/disable")
def people_disable(account: Name, asked: DisableAsked, work: Work) -> AccountView:
    """Keep an account out from now on (or, with `disabled: false`, let it in again)."""
    return work.people_disable(account, asked)


@router.post("/{account}/password")
def people_password(account: Name, asked: PasswordAsked, work: Work) -> AccountView:
    """Another password: one's own with the current one, anybody's as an administrator. Its sessions and tokens end."""
    return work.people_password(account, asked)
