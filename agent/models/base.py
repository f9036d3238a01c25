"""The one protocol of chat models: given a turn so far, say the next step. Everything in a `Turn` passed the guard."""

from datetime import datetime
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, Field

from tools.base import CanvasRef, ProposalRef, SegmentRef
from warehouse.catalog import Language


class Frozen(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Question(Frozen):
    """Asked of the person; `options` are whole requests or answers that can be clicked."""

    text: str
    options: list[str] = []


class Call(Frozen):
    """A tool call that the model wants; arguments are validated by the toolbox, never trusted."""

    tool: str
    args: dict[str, Any] = {}


class Done(Frozen):
    """A call that was carried out in this turn. `result` is what the guard let through; `error` tells the fix."""

    tool: str
    args: dict[str, Any]
    ok: bool
    result: dict[str, Any] = {}
    error: str = ""


class Exchange(Frozen):
    """An earlier turn of the thread: what was said, what was called, what was answered or asked."""

    text: str
    reply: str = ""
    calls: list[Call] = []
    question: Question | None = None


class Focus(Frozen):
    """What 'it' means in this thread."""

    segment: SegmentRef | None = None
    canvas: CanvasRef | None = None
    canvas_text: str = Field("", description="The canvas in focus, as YAML without free texts.")
    proposal: ProposalRef | None = None
    campaign: str = ""


class PlaybookHit(Frozen):
    """A retrieved playbook, best first; `score` in 0..1."""

    id: str
    title: str
    score: float
    summary: str = ""
    audience: str = Field("", description="Its audience expression (EQL).")


class Usage(BaseModel):
    prompt_tokens: int = 0
    completion_tokens: int = 0
    elapsed_ms: float = 0.0


class Turn(Frozen):
    """Everything a model may know."""

    text: str
    language: Language
    now: datetime = Field(description="On the bank's clock.")
    as_of: datetime
    focus: Focus = Focus()
    history: list[Exchange] = []
    playbooks: list[PlaybookHit] = []
    done: list[Done] = Field([], description="Calls already carried out in this turn, in order.")


class Step(BaseModel):
    """What to do next: calls, or a question, or nothing more (then `remark` may be added to the rendered reply).

    `unread` are the parts of the request that were not understood; they are always asked about, never dropped.
    """

    calls: list[Call] = []
    question: Question | None = None
    remark: str = ""
    unread: list[str] = []
    usage: Usage = Usage()


class ChatModel(Protocol):
    """`offline`, or a model behind an OpenAI-compatible endpoint."""

    @property
    def name(self) -> str: ...

    def next(self, turn: Turn) -> Step: ...
