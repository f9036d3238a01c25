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
    archived_at: datetime | None = None


class ConditionCount(Frozen):
    """How many met one condition of a segment by itself."""

    condition: str
    count: int


class CountRecord(Frozen):
    """How many a saved segment had at a data cut-off. `tree` is what it meant then, by value; `definition` its digest.

    `scope` names the branches it was counted over; empty means the whole bank. `members_kept`: the warehouse still
    knows who they were, under this record's number.
    """

    number: int = 0
    segment: str
    scope: str = ""
    as_of: datetime
    counted_at: datetime | None = None
    definition: str
    tree: dict[str, Any]
    count: int
    unknown: int = 0
    total: int = 0
    conditions: tuple[ConditionCount, ...] = ()
    members_kept: bool = False
    account: str = ""


Every = Literal["daily", "weekly"]


class TagRecord(Frozen):
    """A self-service tag. `tree` is by value but for uploaded lists, which mean their newest upload at each run.

    `hour` is of the bank's day; `weekday` is 0 for Monday, for weekly ones. What it held last is in its runs.
    """

    id: str
    name: str
    zh: str
    en: str
    expression: str
    tree: dict[str, Any]
    definition: str
    source: str = Field(description="The segment it was made from; empty for an expression.")
    every: Every
    hour: int
    weekday: int | None = None
    expires_at: datetime
    account: str
    person: str
    created_at: datetime
    removed_at: datetime | None = None


class TagRunRecord(Frozen):
    """One recomputation; `problem` tells why it failed, and then nothing of what the tag held has changed."""

    number: int = 0
    tag: str
    run_at: datetime
    as_of: datetime
    size: int | None = None
    entered: int | None = None
    lost: int | None = None
    problem: str = ""


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


class DocumentRecord(Frozen):
    """A canvas, or the canvas version behind an open proposal: a place where segments, lists and tags are named."""

    kind: Literal["canvas", "proposal"]
    id: str
    version: int
    name: str
    document: dict[str, Any]
    status: str = ""
    account: str = ""


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
    version: int = 1
    kind: str = Field("customer_id", description="What its file named customers by.")
    report: dict[str, Any] = Field({}, description="How the rows of its file were matched: numbers only.")
    archived_at: datetime | None = None
