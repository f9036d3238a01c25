"""The answer to one request: the JSON that `touchline ask --json` prints and that is kept as the thread's turn."""

from typing import Any

from pydantic import BaseModel, Field

from agent.models.base import Question, Usage
from tools.base import ProposalRef, SegmentRef
from warehouse.catalog import Language


class CallMade(BaseModel):
    """A tool call of this turn; `evidence` holds ids, the records stand in the answer's own list."""

    tool: str
    args: dict[str, Any]
    ok: bool
    result: dict[str, Any] = {}
    error: str = ""
    evidence: list[str] = []


class CanvasFile(BaseModel):
    id: str
    version: int
    file: str = Field(description="The canvas as a YAML file in the home's exports.")


class PlaybookSeen(BaseModel):
    id: str
    title: str
    score: float


class EvidenceSeen(BaseModel):
    """A query that a number of this answer rests on."""

    id: str
    title: str
    sql: str
    params: list[Any]
    row_count: int
    as_of: str
    preview: list[Any]
    columns: list[str] = []
    definition: str = ""
    elapsed_ms: float = 0.0


class Answer(BaseModel):
    """What came of a request. `notice` marks a turn that the house began itself: a decision was made."""

    thread: str
    user: str
    model: str
    language: Language
    text: str = Field("", description="The request, as it was typed.")
    reply: str
    calls: list[CallMade] = []
    question: Question | None = None
    segment: SegmentRef | None = None
    canvas: CanvasFile | None = None
    proposal: ProposalRef | None = None
    playbooks: list[PlaybookSeen] = []
    evidence: list[EvidenceSeen] = []
    usage: Usage = Usage()
    notice: str = Field("", description="'prop_3:approved' for a notice; empty for an answer.")
