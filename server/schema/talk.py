"""The conversation: a turn that is asked for, its events, and the answer with what it stands on."""

from datetime import datetime
from typing import Any

from pydantic import ConfigDict, Field

from server.schema.base import Answered, Asked, Count, EvidenceView, Language, Name


class AskAsked(Asked):
    text: str = Field(min_length=1, max_length=8_000)
    thread: Name | None = Field(None, description="None begins a new one.")
    model: str | None = Field(None, max_length=200)
    wait: bool = Field(False, description="Answer when the turn has ended instead of at once.")


class TurnStarted(Answered):
    """The turn runs on the server; read its events by cursor (`after`)."""

    thread: str
    turn: int
    after: int = Field(description="Events later than this belong to the turn.")


class CallView(Answered):
    tool: str
    args: dict[str, Any]
    ok: bool
    result: dict[str, Any] = {}
    error: str = ""
    evidence: list[str] = []


class QuestionView(Answered):
    text: str
    options: list[str] = []


class SegmentFocus(Answered):
    id: str
    expression: str
    count: Count | None = None


class CanvasFocus(Answered):
    id: str
    version: int
    file: str = ""


class ProposalFocus(Answered):
    id: str
    status: str
    digest: str


class PlaybookView(Answered):
    id: str
    title: str
    score: float


class UsageView(Answered):
    prompt_tokens: int = 0
    completion_tokens: int = 0
    elapsed_ms: float = 0.0


class AskAnswer(Answered):
    """What `touchline ask --json` prints."""

    model_config = ConfigDict(extra="allow")

    thread: str
    user: str
    model: str
    language: Language
    reply: str
    calls: list[CallView] = []
    question: QuestionView | None = None
    segment: SegmentFocus | None = None
    canvas: CanvasFocus | None = None
    proposal: ProposalFocus | None = None
    playbooks: list[PlaybookView] = []
    evidence: list[EvidenceView] = []
    usage: UsageView = UsageView()


class TurnEvent(Answered):
    """One thing that happened in a thread. `kind`: started, step, call, answer, error, decision … ."""

    n: int = Field(description="The cursor: pass the last one seen as `after`.")
    turn: int
    kind: str
    body: dict[str, Any] = {}


class Events(Answered):
    events: list[TurnEvent]
    after: int
    running: bool = Field(description="A turn of this thread is being worked on.")


class ThreadInfo(Answered):
    thread: str
    title: str = ""
    turns: int = 0
    updated_at: datetime | None = None


class ThreadView(Answered):
    thread: str
    turns: list[dict[str, Any]]
    focus: dict[str, Any] = {}
    running: bool = False
    after: int = Field(0, description="The newest event's cursor.")
