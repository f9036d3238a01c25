"""Signing in: sessions, API tokens, and what the bearer of one may do at this moment.

Tokens are kept as SHA-256: a copy of the database signs nobody in.
"""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import get_args

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from control.authority import tables as a
from control.authority.audit import Audit
from control.authority.passwords import NOBODY, fits
from control.authority.roles import DEMO_USERS, Scope, scopes_of
from control.records import Actor
from warehouse.errors import Forbidden, NotFound, SignInNeeded

SESSION_HOURS = 12
TOKEN_DAYS = 90
MAX_FAILURES = 5
LOCK_MINUTES = 15
TOKEN_ID = 12
"""Digits of a token's SHA-256 that name it in lists; they tell nothing of the token."""


class Principal(BaseModel):
    """A signed-in account with what its token allows. The token is looked up again before every decision."""

    model_config = ConfigDict(frozen=True)

    actor: Actor
    scopes: tuple[Scope, ...]
    expires_at: datetime
    token_hash: str = Field(repr=False)


class TokenRecord(BaseModel):
    """An API token without its text."""

    model_config = ConfigDict(frozen=True)

    id: str
    name: str
    account: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    expires_at: datetime


class Sessions:
    """Sessions and API tokens of one control plane."""

    def __init__(self, audit: Audit) -> None:
        self._audit = audit
        self._database = audit.database
        self._clock = audit.clock

    def sign_in(self, account: str, password: str) -> str:
        """Begin a session.

        Returns:
            Its token, shown only now.

        Raises:
            SignInNeeded: account and password do not fit, or the account is locked after repeated failures.
        """
        now = self._clock.now()
        with self._database.read() as session:
            row = session.get(a.Account, account)
            hashed = row.password if row is not None and not row.disabled else None
            locked = row is not None and row.locked_until is not None and row.locked_until > now
        matches = fits(hashed or NOBODY, password) and hashed is not None
        with self._audit.transaction() as writing:
            row = writing.session.get(a.Account, account, with_for_update=True, populate_existing=True)
            locked = locked or (row is not None and row.locked_until is not None and row.locked_until > now)
            if row is not None and matches and not locked:
                row.failures, row.locked_until = 0, None
                person = writing.session.get_one(a.Person, row.person)
                writing.append("signed_in", _actor(row, person), {})
                scopes = scopes_of(person.roles)
                return _token(
                    writing.session, account, "session", "", scopes, now, now + timedelta(hours=SESSION_HOURS)
                )
            if row is not None and not locked:
                row.failures += 1
                if row.failures >= MAX_FAILURES:
                    row.failures, row.locked_until = 0, now + timedelta(minutes=LOCK_MINUTES)
                    who = Actor(account=account, person=row.person)
                    writing.append("account.locked", who, {"minutes": LOCK_MINUTES})
        if locked:
            raise SignInNeeded(
                "This account is locked after repeated failures.", f"Try again in {LOCK_MINUTES} minutes."
            )
        raise SignInNeeded("Account and password do not fit.", "Check both; after five failures the account is locked.")

    def sign_out(self, token: str) -> None:
        """End a session or API token at once."""
        with self._database.write() as session:
            row = session.get(a.Token, _hash(token))
            if row is not None:
                row.revoked = True

    def authenticate(self, token: str) -> Principal:
        """Who a token belongs to, and what it allows.

        Raises:
            SignInNeeded: it is unknown, expired or revoked.
        """
        with self._database.read() as session:
            return principal_of(session, _hash(token), self._clock.now())

    def create_token(self, principal: Principal, name: str, scopes: Sequence[Scope], days: int = TOKEN_DAYS) -> str:
        """Make an API token that allows no more than the principal's own roles do.

        Returns:
            The token, shown only now.

        Raises:
            Forbidden: a scope is beyond the principal.
        """
        with self._audit.transaction() as writing:
            fresh = principal_of(writing.session, principal.token_hash, writing.now)
            beyond = sorted(set(scopes) - set(fresh.scopes))
            if beyond:
                raise Forbidden(f"You may not give {', '.join(beyond)}.", f"You have {', '.join(fresh.scopes)}.")
            writing.append("token.created", fresh.actor, {"name": name, "scopes": sorted(scopes), "days": days})
            until = writing.now + timedelta(days=days)
            return _token(writing.session, fresh.actor.account, "api", name, tuple(scopes), writing.now, until)

    def tokens(self, principal: Principal) -> list[TokenRecord]:
        """The API tokens that are neither revoked nor expired, the newest first: one's own; an administrator sees all."""
        now = self._clock.now()
        with self._database.read() as session:
            who = principal_of(session, principal.token_hash, now)
            query = sa.select(a.Token).where(
                a.Token.kind == "api", a.Token.revoked.is_(False), a.Token.expires_at > now
            )
            if "admin" not in who.scopes:
                query = query.where(a.Token.account == who.actor.account)
            return [_token_record(row) for row in session.scalars(query.order_by(a.Token.created_at.desc()))]

    def revoke_token(self, principal: Principal, id_: str) -> None:
        """End an API token at once: one's own; an administrator may end anybody's.

        Args:
            id_: as `tokens` names it.

        Raises:
            NotFound: there is no such token, or it is somebody else's.
        """
        with self._audit.transaction() as writing:
            who = principal_of(writing.session, principal.token_hash, writing.now)
            rows = writing.session.scalars(
                sa.select(a.Token).where(a.Token.kind == "api", sa.func.substr(a.Token.hash, 1, TOKEN_ID) == id_)
            )
            mine = [row for row in rows if row.account == who.actor.account or "admin" in who.scopes]
            if not mine:
                raise NotFound(f"There is no token {id_!r} of yours.", "See `touchline token list`.")
            mine[0].revoked = True
            writing.append("token.revoked", who.actor, {"account": mine[0].account, "name": mine[0].name})

    def actor(self, account: str) -> Actor:
        """An account without any authority: for reading and drafting.

        Raises:
            NotFound: there is no such account.
        """
        with self._database.read() as session:
            row = session.get(a.Account, account)
            if row is None or row.disabled:
                raise NotFound(f"There is no account {account!r}.", "Demo homes have " + ", ".join(DEMO_USERS) + ".")
            return _actor(row, session.get_one(a.Person, row.person))

    def check(self, session: Session, principal: Principal, scope: Scope, now: datetime) -> Actor:
        """The principal's actor with his roles of this moment, read within the transaction of what he is about to do.

        Raises:
            SignInNeeded: his token is expired or revoked.
            Forbidden: his token does not have the scope.
        """
        fresh = principal_of(session, principal.token_hash, now)
        if scope not in fresh.scopes:
            raise Forbidden(f"Your sign-in does not have the scope {scope!r}.", "Sign in with an account that has it.")
        return fresh.actor


def principal_of(session: Session, token_hash: str, now: datetime) -> Principal:
    """Who a token belongs to and what it allows, read within a transaction.

    Raises:
        SignInNeeded: it is unknown, expired or revoked, or its account is disabled.
    """
    row = session.get(a.Token, token_hash)
    if row is None or row.revoked or row.expires_at <= now:
        raise SignInNeeded("This sign-in is not valid or has expired.", "Sign in again.")
    account = session.get_one(a.Account, row.account)
    if account.disabled:
        raise SignInNeeded("This account is disabled.", "Ask an administrator.")
    person = session.get_one(a.Person, account.person)
    # A token never keeps more than the person's roles of today give.
    allowed = tuple(s for s in scopes_of(person.roles) if s in row.scopes)
    return Principal(actor=_actor(account, person), scopes=allowed, expires_at=row.expires_at, token_hash=token_hash)


def _actor(account: a.Account, person: a.Person) -> Actor:
    branches = None if person.branches is None else tuple(person.branches)
    return Actor(
        account=account.account, person=person.person, roles=tuple(person.roles), branches=branches,
        exact_numbers=person.exact_numbers,
    )  # fmt: skip


def _token(
    session: Session, account: str, kind: str, name: str, scopes: tuple[Scope, ...], now: datetime, until: datetime
) -> str:
    text = f"tl_{secrets.token_urlsafe(32)}"
    session.add(
        a.Token(
            hash=_hash(text), account=account, kind=kind, name=name, scopes=list(scopes), created_at=now,
            expires_at=until, revoked=False,
        )
    )  # fmt: skip
    return text


def _token_record(row: a.Token) -> TokenRecord:
    return TokenRecord(
        id=row.hash[:TOKEN_ID], name=row.name, account=row.account, scopes=tuple(s for s in get_args(Scope) if s in row.scopes),
        created_at=row.created_at, expires_at=row.expires_at,
    )  # fmt: skip


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
