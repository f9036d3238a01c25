"""The recording half of the control plane: read, draft, submit. Nothing here approves, decides, releases or sends."""

from control.records.actor import Actor
from control.records.canonical import canonical, digest, list_hash
from control.records.conversations import Conversations
from control.records.database import Database, Instant, control_url, sqlite_path
from control.records.drafts import Drafts
from control.records.lives import Lives
from control.records.proposals import AlreadySubmitted, Proposals
from control.records.views import (
    OPEN,
    UNDECIDED,
    CanvasRecord,
    ConditionCount,
    CountRecord,
    DocumentRecord,
    EventRecord,
    Every,
    ListRecord,
    Move,
    ProposalRecord,
    ProposalStatus,
    SegmentRecord,
    TagRecord,
    TagRunRecord,
    ThreadFocus,
    ThreadRecord,
    TurnRecord,
)


class Records(Drafts, Lives, Proposals, Conversations):
    """Saved segments, their counts, tags, canvas versions, evidence, lists, proposals and conversations of one bank.

    Args:
        url: a SQLAlchemy URL; `control_url(home)` for the embedded one.
        clock: the home's clock.
    """


__all__ = [
    "OPEN",
    "UNDECIDED",
    "Actor",
    "AlreadySubmitted",
    "CanvasRecord",
    "ConditionCount",
    "CountRecord",
    "Database",
    "DocumentRecord",
    "EventRecord",
    "Every",
    "Instant",
    "ListRecord",
    "Move",
    "ProposalRecord",
    "ProposalStatus",
    "Records",
    "SegmentRecord",
    "TagRecord",
    "TagRunRecord",
    "ThreadFocus",
    "ThreadRecord",
    "TurnRecord",
    "canonical",
    "control_url",
    "digest",
    "list_hash",
    "sqlite_path",
]
