"""Signing in, tokens, accounts and the people behind them."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from server.schema.base import Answered, Asked, Name

Scope = Literal["read", "draft", "decide", "admin"]

Role = Literal["operator", "manager", "approver", "compliance", "admin"]


class SignIn(Asked):
    account: Name
    password: str = Field(min_length=1, max_length=1_000)


class Me(Answered):
    """Who is speaking, and what he may do here."""

    account: str
    person: str
    roles: list[str]
    branches: list[int] | None = Field(None, description="None: all of the bank.")
    scopes: list[str]
    may: list[str] = Field(description="Permissions that his roles and this token's scopes give together.")
    exact_numbers: bool


class SignedIn(Answered):
    token: str
    me: Me


class TokenAsked(Asked):
    name: str = Field(min_length=1, max_length=80, description="What it is for.")
    scopes: list[Scope] = Field(min_length=1)
    days: int = Field(90, ge=1, le=366)


class TokenInfo(Answered):
    id: str
    name: str
    account: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime


class TokenMade(TokenInfo):
    token: str = Field(description="Shown this once.")


class AccountAsked(Asked):
    """An account, and the person behind it if he is new; a known person keeps his roles and branches."""

    account: Name
    person: str = Field(
        "", max_length=80, pattern=r"^[^\x00-\x1f]*$", description="Who he is; the account's name if empty."
    )
    roles: list[Role] = []
    branches: list[int] | None = Field(None, description="Whose customers he may see; None: all of the bank.")
    exact_numbers: bool = Field(True, description="Without it, groups under 10 are shown as '<10'.")
    password: str = Field(min_length=1, max_length=1_000)


class PersonAsked(Asked):
    """New roles and branches of a person; they hold at once, also for sessions that are open."""

    person: str = Field(min_length=1, max_length=80)
    roles: list[Role] = Field(min_length=1)
    branches: list[int] | None = None
    exact_numbers: bool = True


class PasswordAsked(Asked):
    password: str = Field(min_length=1, max_length=1_000, description="The new one.")
    current: str = Field("", max_length=1_000, description="Needed for one's own account.")


class DisableAsked(Asked):
    disabled: bool = True


class AccountView(Answered):
    account: str
    person: str
    roles: list[str]
    branches: list[int] | None = Field(None, description="None: all of the bank.")
    exact_numbers: bool = True
    disabled: bool = False
    locked_until: datetime | None = None
