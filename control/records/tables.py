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
    type_annotation_map = {  # noqa: RUF012
        datetime: Instant(),
        dict[str, Any]: sa.JSON(),
        list[str]: sa.JSON(),
        list[dict[str, Any]]: sa.JSON(),
    }


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
    archived_at: Mapped[datetime | None]


class SegmentCount(Base):
    """How many a saved segment had at a data cut-off, for those who see the same branches."""

    __tablename__ = "segment_counts"
    __table_args__ = (sa.Index(None, "segment", "scope", "as_of"), _NEVER_REUSED)

    n: Mapped[int] = _number()
    segment: Mapped[int] = mapped_column(sa.ForeignKey("segments.n"))
    scope: Mapped[str] = mapped_column(sa.String(400))
    as_of: Mapped[datetime]
    counted_at: Mapped[datetime]
    definition: Mapped[str] = mapped_column(sa.String(80))
    tree: Mapped[dict[str, Any]]
    count: Mapped[int]
    unknown: Mapped[int]
    total: Mapped[int]
    conditions: Mapped[list[dict[str, Any]]]
    members_kept: Mapped[bool] = mapped_column(default=False)
    account: Mapped[str] = mapped_column(sa.String(80))


class Tag(Base):
    """A boolean attribute that people made; its definition never changes."""

    __tablename__ = "tags"
    __table_args__ = (_NEVER_REUSED,)

    n: Mapped[int] = _number()
    name: Mapped[str] = mapped_column(sa.String(64), index=True)
    zh: Mapped[str] = mapped_column(sa.String(80))
    en: Mapped[str] = mapped_column(sa.String(80))
    expression: Mapped[str] = mapped_column(sa.Text)
    tree: Mapped[dict[str, Any]]
    definition: Mapped[str] = mapped_column(sa.String(80))
    source: Mapped[str] = mapped_column(sa.String(40))
    every: Mapped[str] = mapped_column(sa.String(10))
    hour: Mapped[int]
    weekday: Mapped[int | None]
    expires_at: Mapped[datetime]
    account: Mapped[str] = mapped_column(sa.String(80))
    person: Mapped[str] = mapped_column(sa.String(80))
    created_at: Mapped[datetime]
    removed_at: Mapped[datetime | None]


class TagRun(Base):
    """One recomputation of a tag, or one that failed and why."""

    __tablename__ = "tag_runs"
    __table_args__ = (sa.Index(None, "tag", "n"), _NEVER_REUSED)

    n: Mapped[int] = _number()
    tag: Mapped[int] = mapped_column(sa.ForeignKey("tags.n"))
    run_at: Mapped[datetime]
    as_of: Mapped[datetime]
    size: Mapped[int | None]
    entered: Mapped[int | None]
    lost: Mapped[int | None]
    problem: Mapped[str] = mapped_column(sa.Text)


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
    version: Mapped[int] = mapped_column(default=1, server_default="1")
    kind: Mapped[str] = mapped_column(sa.String(20), default="customer_id", server_default="customer_id")
    report: Mapped[dict[str, Any]] = mapped_column(default=dict, server_default="{}")
    account: Mapped[str] = mapped_column(sa.String(80))
    person: Mapped[str] = mapped_column(sa.String(80))
    created_at: Mapped[datetime]
    archived_at: Mapped[datetime | None]


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
