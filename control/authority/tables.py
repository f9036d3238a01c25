"""The tables of the deciding half of the control plane. Passwords and tokens are only here as hashes."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from control.records.tables import Base


class Person(Base):
    __tablename__ = "people"

    person: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    roles: Mapped[list[str]]
    branches: Mapped[list[int] | None] = mapped_column(sa.JSON(none_as_null=True))
    exact_numbers: Mapped[bool] = mapped_column(default=True)


class Account(Base):
    __tablename__ = "accounts"

    account: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    person: Mapped[str] = mapped_column(sa.ForeignKey("people.person"))
    password: Mapped[str] = mapped_column(sa.String(200))
    failures: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    disabled: Mapped[bool] = mapped_column(default=False)


class Token(Base):
    """A session or API token, by the SHA-256 of its text."""

    __tablename__ = "tokens"

    hash: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    account: Mapped[str] = mapped_column(sa.ForeignKey("accounts.account"), index=True)
    kind: Mapped[str] = mapped_column(sa.String(10))
    name: Mapped[str] = mapped_column(sa.String(80))
    scopes: Mapped[list[str]]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked: Mapped[bool] = mapped_column(default=False)


class DecisionRow(Base):
    """One decision about one digest by one person, with the roles he had then."""

    __tablename__ = "decisions"
    __table_args__ = (sa.UniqueConstraint("proposal", "person"), {"sqlite_autoincrement": True})

    n: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    proposal: Mapped[int] = mapped_column(sa.ForeignKey("proposals.n"))
    decision: Mapped[str] = mapped_column(sa.String(10))
    level: Mapped[str] = mapped_column(sa.String(80))
    account: Mapped[str] = mapped_column(sa.String(80))
    person: Mapped[str] = mapped_column(sa.String(80))
    roles: Mapped[list[str]]
    digest: Mapped[str] = mapped_column(sa.String(80))
    comment: Mapped[str] = mapped_column(sa.Text)
    decided_at: Mapped[datetime]


class Release(Base):
    """A release: what became of an approval. `paused` and revocation are read before every batch."""

    __tablename__ = "releases"

    proposal: Mapped[int] = mapped_column(sa.ForeignKey("proposals.n"), primary_key=True)
    digest: Mapped[str] = mapped_column(sa.String(80))
    approved_at: Mapped[datetime]
    approved_until: Mapped[datetime]
    paused: Mapped[bool] = mapped_column(default=False)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class Wave(Base):
    """Bookkeeping of one wave: claimed before the warehouse transaction, done after it."""

    __tablename__ = "waves"

    proposal: Mapped[int] = mapped_column(sa.ForeignKey("releases.proposal"), primary_key=True)
    step: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    wave: Mapped[int] = mapped_column(primary_key=True)
    claimed_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    counts: Mapped[dict[str, Any]]


class Switch(Base):
    """A switch of the whole house: `kill` stops every release before its next batch."""

    __tablename__ = "switches"

    name: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    on: Mapped[bool]
    account: Mapped[str] = mapped_column(sa.String(80))
    since: Mapped[datetime]


class PolicyDocument(Base):
    """The canonical JSON of a policy that has been in force, by its digest."""

    __tablename__ = "policy_documents"

    digest: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    document: Mapped[str] = mapped_column(sa.Text)


class PolicyVersionRow(Base):
    """A policy's document came into force; the next version of the same name ended it."""

    __tablename__ = "policy_versions"

    name: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    digest: Mapped[str] = mapped_column(sa.ForeignKey("policy_documents.digest"))
    account: Mapped[str] = mapped_column(sa.String(80))
    person: Mapped[str] = mapped_column(sa.String(80))
    note: Mapped[str] = mapped_column(sa.Text)
    since: Mapped[datetime]


class AuditRow(Base):
    __tablename__ = "audit"

    seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    happened_at: Mapped[str] = mapped_column(sa.String(40))
    kind: Mapped[str] = mapped_column(sa.String(60))
    subject: Mapped[str] = mapped_column(sa.String(80), index=True)
    """The proposal it is about, so that its history is found quickly; empty for entries about people."""
    account: Mapped[str] = mapped_column(sa.String(80))
    person: Mapped[str] = mapped_column(sa.String(80))
    body: Mapped[str] = mapped_column(sa.Text)
    prev: Mapped[str] = mapped_column(sa.String(64))
    hash: Mapped[str] = mapped_column(sa.String(64))
