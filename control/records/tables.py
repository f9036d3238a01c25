"""The tables of the recording half of the control plane. Rows of proposals and canvas versions are never rewritten:
only a proposal's `status` moves, and every move leaves a row in `proposal_moves`."""

from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from control.records.database import Instant


class Base(DeclarativeBase):
    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {datetime: Instant(), dict[str, Any]: sa.JSON(), list[str]: sa.JSON()}  # noqa: RUF012


def _number() -> Mapped[int]:
    """The number behind an id such as seg_<n>: from the database's own sequence, never used twice."""
    return mapped_column(sa.Integer, primary_key=True, autoincrement=True)


_NEVER_REUSED = {"sqlite_autoincrement": True}


class Segment(Base):
    __tablename__ = "segments"
    __table_args__ = (sa.Index(None, "thread", "expression_digest", unique=True), _NEVER_REUSED)

    n: Mapped[int] = _number()
    thread: Mapped[str] = mapped_column(sa.String(120))
    name: Mapped[str] = mapped_column(sa.String(120), index=True)
    expression: Mapped[str] = mapped_column(sa.Text)
    expression_digest: Mapped[str] = mapped_column(sa.String(80))
    tree: Mapped[dict[str, Any]]
    count: Mapped[int | None]
    account: Mapped[str] = mapped_column(sa.String(80))
    person: Mapped[str] = mapped_column(sa.String(80))
    created_at: Mapped[datetime]


class Canvas(Base):
    __tablename__ = "canvases"
    __table_args__ = (_NEVER_REUSED,)

    n: Mapped[int] = _number()
    thread: Mapped[str] = mapped_column(sa.String(120))
    latest: Mapped[int]


class CanvasVersion(Base):
    __tablename__ = "canvas_versions"

    canvas: Mapped[int] = mapped_column(sa.ForeignKey("canvases.n"), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(120))
    document: Mapped[dict[str, Any]]
    origin: Mapped[dict[str, Any]]
    account: Mapped[str] = mapped_column(sa.String(80))
    person: Mapped[str] = mapped_column(sa.String(80))
    created_at: Mapped[datetime]


class KeptEvidence(Base):
    __tablename__ = "evidence"
    __table_args__ = (_NEVER_REUSED,)

    n: Mapped[int] = _number()
    thread: Mapped[str] = mapped_column(sa.String(120), index=True)
    document: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


class UploadedList(Base):
    __tablename__ = "lists"
    __table_args__ = (_NEVER_REUSED,)

    n: Mapped[int] = _number()
    name: Mapped[str] = mapped_column(sa.String(120), index=True)
    sha256: Mapped[str] = mapped_column(sa.String(64))
    size: Mapped[int]
    account: Mapped[str] = mapped_column(sa.String(80))
    person: Mapped[str] = mapped_column(sa.String(80))
    created_at: Mapped[datetime]


class Proposal(Base):
    __tablename__ = "proposals"
    __table_args__ = (
        sa.ForeignKeyConstraint(["canvas", "canvas_version"], ["canvas_versions.canvas", "canvas_versions.version"]),
        _NEVER_REUSED,
    )

    n: Mapped[int] = _number()
    thread: Mapped[str] = mapped_column(sa.String(120), index=True)
    canvas: Mapped[int]
    canvas_version: Mapped[int]
    digest: Mapped[str] = mapped_column(sa.String(80))
    payload: Mapped[str] = mapped_column(sa.Text)
    """Canonical JSON, as text: what was digested is what is stored."""
    status: Mapped[str] = mapped_column(sa.String(16), index=True)
    account: Mapped[str] = mapped_column(sa.String(80))
    person: Mapped[str] = mapped_column(sa.String(80))
    editors: Mapped[list[str]]
    submitted_at: Mapped[datetime]


class ProposalMove(Base):
    """One change of a proposal's status, first its submission. `anchored` once the audit chain holds it."""

    __tablename__ = "proposal_moves"
    __table_args__ = (_NEVER_REUSED,)

    n: Mapped[int] = _number()
    proposal: Mapped[int] = mapped_column(sa.ForeignKey("proposals.n"), index=True)
    moved_at: Mapped[datetime]
    before: Mapped[str] = mapped_column(sa.String(16))
    after: Mapped[str] = mapped_column(sa.String(16))
    account: Mapped[str] = mapped_column(sa.String(80))
    person: Mapped[str] = mapped_column(sa.String(80))
    why: Mapped[str] = mapped_column(sa.Text)
    anchored: Mapped[bool] = mapped_column(default=False, index=True)


class FocusStep(Base):
    """What a thread was about after each step; an undone step stays, marked."""

    __tablename__ = "focus_steps"
    __table_args__ = (_NEVER_REUSED,)

    n: Mapped[int] = _number()
    thread: Mapped[str] = mapped_column(sa.String(120), index=True)
    what: Mapped[str] = mapped_column(sa.Text)
    focus: Mapped[dict[str, Any]]
    undone: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime]


class Turn(Base):
    __tablename__ = "turns"
    __table_args__ = (sa.Index(None, "thread", "n"), _NEVER_REUSED)

    n: Mapped[int] = _number()
    thread: Mapped[str] = mapped_column(sa.String(120))
    account: Mapped[str] = mapped_column(sa.String(80), index=True)
    turn: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


class TurnEvent(Base):
    __tablename__ = "turn_events"
    __table_args__ = (sa.Index(None, "thread", "n"), _NEVER_REUSED)

    n: Mapped[int] = _number()
    thread: Mapped[str] = mapped_column(sa.String(120))
    turn: Mapped[int]
    event: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
