"""What `Records` answers with: frozen documents, so that nobody edits a record by accident."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

ProposalStatus = Literal[
    "pending", "approved", "rejected", "returned", "expired", "revoked", "voided", "withdrawn", "releasing", "released",
    "blocked",
]  # fmt: skip
UNDECIDED: tuple[ProposalStatus, ...] = ("pending", "blocked")
OPEN: tuple[ProposalStatus, ...] = ("pending", "blocked", "approved", "releasing")
"""Something may still happen to these; a thread waits while it has one."""


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class SegmentRecord(Frozen):
    """A saved segment; `tree` is the typed tree of `tools.segment`, as JSON."""

    id: str
    name: str
    expression: str
    tree: dict[str, Any]
    count: int | None
    thread: str
    account: str
    person: str
    created_at: datetime


class CanvasRecord(Frozen):
    """One version of a canvas; `origin` tells which model, prompt, playbook and tool versions drafted it."""

    id: str
    version: int
    name: str
    document: dict[str, Any]
    origin: dict[str, Any]
    thread: str
    account: str
    person: str
    created_at: datetime


class Move(Frozen):
    """One change of a proposal's status."""

    moved_at: datetime
    before: str
    after: str
    account: str
    person: str
    why: str


class ProposalRecord(Frozen):
    """A submitted proposal. `payload` never changes; `digest` names it; only `status` moves."""

    id: str
    status: ProposalStatus
    digest: str
    payload: dict[str, Any]
    thread: str
    canvas_id: str
    canvas_version: int
    submitted_by: str = Field(description="The account that submitted it.")
    submitter: str = Field(description="The person behind that account.")
    editors: tuple[str, ...] = Field(description="Persons who drafted or edited a frozen part.")
    submitted_at: datetime
    moves: tuple[Move, ...] = ()


class ThreadFocus(Frozen):
    """What 'it' means in a thread."""

    segment_id: str | None = None
    canvas_id: str | None = None
    canvas_version: int | None = None
    proposal_id: str | None = None
    campaign_id: str | None = None


class ThreadRecord(Frozen):
    id: str
    title: str
    turns: int
    updated_at: datetime


class TurnRecord(Frozen):
    number: int
    thread: str
    account: str
    turn: dict[str, Any]
    created_at: datetime


class EventRecord(Frozen):
    """An event of a turn; `cursor` rises within the thread: pass the last one seen as `after`."""

    cursor: int
    thread: str
    turn: int
    event: dict[str, Any]
    created_at: datetime


class ListRecord(Frozen):
    """An uploaded list's name and content hash; the ids are in the warehouse table `list_members`."""

    name: str
    sha256: str
    size: int
    account: str = ""
    person: str = ""
    created_at: datetime | None = None
