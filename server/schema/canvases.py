"""Canvases: their check, their dry run, their drawing, and what is saved."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from server.schema.base import Answered, Asked, Count, Language


class CanvasAsked(Asked):
    """A saved canvas by id (`cv_<n>`, or `cv_<n>@<version>`), or a file's text (YAML); exactly one of the two."""

    canvas: str | None = Field(None, pattern=r"^[a-z0-9_]{1,40}(@\d{1,6})?$")
    document: str | None = Field(None, max_length=500_000)
    language: Language = Field("zh", description="The language of findings and labels.")


class Finding(Answered):
    code: str
    place: str
    message: str
    fix: str = ""
    severity: Literal["error", "warning"] = "error"


class CanvasCheck(Answered):
    name: str
    ok: bool
    findings: list[Finding]


class DryRunAsked(CanvasAsked):
    start: str | None = Field(None, description="ISO time; None: as_of minus the canvas's length.")


class NodeCounts(Answered):
    """What happened at one node. `passed` went on, `goal` reached the goal here, `waiting` are in a delay at the end;
    deferred still wait for their touch; capped and abandoned go on to the next node all the same."""

    id: str
    kind: str = ""
    entered: Count
    held_out: Count = 0
    capped: Count = 0
    deferred: Count = 0
    abandoned: Count = 0
    sent: Count = 0
    passed: Count = 0
    goal: Count = 0
    waiting: Count = 0
    by_rule: dict[str, Count] = {}


class Aftermath(Answered):
    """What those customers did from their entry to the cut-off: history, never an effect of this canvas."""

    arm: str
    customers: Count
    reached_goal: Count


class DryRun(Answered):
    nodes: list[NodeCounts]
    snapshot_conditions: list[str] = Field(description="Conditions that could only use today's data.")
    start: datetime
    end: datetime
    aftermath: list[Aftermath] = []
    ticks: int = 0
    consent_assumed: bool = False
    skipped: dict[str, str] = {}
    elapsed_ms: float = 0.0


class Drawing(Answered):
    name: str
    dot: str = Field(description="Graphviz DOT.")


class CanvasView(Answered):
    id: str
    version: int
    name: str = ""
    document: dict[str, Any]
    text: str = Field("", description="The same as a YAML file.")
    created_by: str = ""
    created_at: datetime | None = None
    versions: list[int] = []


class CanvasVersion(Answered):
    """One version in a canvas's history, and what it changed against the one before."""

    version: int
    name: str = ""
    created_by: str = ""
    created_at: datetime | None = None
    changes: list[str] = []


class CanvasHistory(Answered):
    id: str
    versions: list[CanvasVersion] = Field(description="The oldest first.")


class DiffAsked(Asked):
    """Two canvases, each as in `CanvasAsked`: `before` and `after` by id, or as texts."""

    before: CanvasAsked
    after: CanvasAsked
    language: Language = "zh"


class CanvasChange(Answered):
    place: str
    kind: Literal["added", "removed", "changed"]
    words: str


class CanvasDiff(Answered):
    changes: list[CanvasChange]
    dot: str = Field(description="Graphviz DOT: added green, removed red, changed amber.")


class Choice(Answered):
    value: int
    label: str


class TemplateParameter(Answered):
    name: str
    kind: Literal["integer", "number", "boolean", "choice", "text", "condition", "product", "benefit"]
    title: str
    help: str
    default: str | int | float | bool | None = None
    minimum: float | None = None
    maximum: float | None = None
    options: list[str] = []
    choices: list[Choice] = Field([], description="For products and benefits: those of this bank that fit.")


class TemplateView(Answered):
    """A template of head office."""

    id: str
    version: int
    title: str
    description: str
    names: list[str]
    playbook: str = ""
    parameters: list[TemplateParameter]
    locked: list[str] = Field(description="Parts that a branch may not change.")


class TemplateAsked(Asked):
    """A template with values; parameters left out take their defaults."""

    parameters: dict[str, str | int | float | bool | None] = Field({}, max_length=40)
    name: str = Field("", max_length=120)
    language: Language = "zh"


class TemplateCanvas(Answered):
    """The canvas that a template makes, checked and drawn; nothing is saved."""

    name: str
    text: str = Field(description="The canvas as a YAML file.")
    dot: str
    summary: str
    audience: Count
    ok: bool
    findings: list[Finding]
    request: str = Field(description="The words that draft this canvas in a conversation.")
