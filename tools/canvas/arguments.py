"""Arguments and results of `draft_canvas`, `edit_canvas` and `dry_run_canvas`."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tools.base import Arguments, Outcome
from tools.canvas.findings import Severity
from tools.canvas.waves import Wave

Op = Literal[
    "set_channel",
    "set_day",
    "set_hour",
    "set_text",
    "set_condition",
    "add_wave",
    "remove_wave",
    "set_holdout",
    "set_segment",
    "set_goal",
    "set_goal_window",
    "rename",
    "set",
    "add_node",
    "remove_node",
]


class Setting(Arguments):
    """One parameter of a template."""

    name: str = Field(max_length=48)
    value: str | float | bool


class DraftCanvasArguments(Arguments):
    """Arguments of `draft_canvas`."""

    name: str = Field("", max_length=120, description="Empty: the template's own.")
    template: str | None = Field(
        None, max_length=48, description="Id or name of a template: then only `parameters` and `name` count besides."
    )
    parameters: list[Setting] = Field([], max_length=20, description="Of the template; the others take their defaults.")
    segment: str | None = Field(None, description="EQL, a segment id or name; null means the segment in focus.")
    waves: list[Wave] = Field([], max_length=12, description="In order; empty takes those of the playbook.")
    holdout_percent: float = Field(10, ge=0, lt=100, description="0 means no control group.")
    goal_event: str | None = Field(None, description="Null: the playbook's goal, else purchase.")
    goal_where: str = Field("", description="EQL over the event's properties, such as kind = 'wealth'.")
    goal_window_days: int = Field(14, ge=1, le=365)
    playbook: str | None = Field(None, description="Id of the playbook it rests on.")
    category: str = Field("marketing", max_length=64)
    start: str | None = Field(None, description="Not before, ISO 8601; without a zone it is bank time.")


class Edit(Arguments):
    """One change. `wave` counts from 1. `value`: the channel; the day; the hour or null; the text; 'all',
    'goal_not_reached' or EQL; a Wave; percent; EQL or a segment id; {event, where} or the event; days; the name.
    `set` changes the part `place` of the document ('budget', 'reentry', 'nodes.touch_1.benefit_id'); `add_node` puts the
    node `value` on the way `place` ('entry.next', 'check_1.yes'); `remove_node` takes the node `place` out."""

    op: Op
    wave: int | None = Field(None, ge=1)
    place: str | None = Field(None, max_length=120)
    value: Any = None


class EditCanvasArguments(Arguments):
    """Arguments of `edit_canvas`."""

    edits: list[Edit] = Field(min_length=1, max_length=30)
    canvas: str | None = Field(None, description="Id of the canvas; null means the one in focus.")


class DryRunCanvasArguments(Arguments):
    """Arguments of `dry_run_canvas`."""

    canvas: str | None = Field(None, description="Id of the canvas; null means the one in focus.")
    start: str | None = Field(None, description="Simulated release, ISO 8601; null: the data cut-off less its length.")


class ShownFinding(BaseModel):
    """A finding in the thread's language."""

    model_config = ConfigDict(frozen=True)

    code: str
    place: str
    severity: Severity
    message: str
    fix: str


class CanvasOutcome(Outcome):
    """A canvas that was drafted or edited. `ok` is false while an error forbids submission."""

    name: str
    ok: bool
    summary: str
    findings: list[ShownFinding]
    dot: str
    audience: int | None
    max_touches: int
    template: str = Field("", description="The template it was made from, if any.")
    locked: list[str] = Field([], description="Parts that only head office may change.")
    waves: list[Wave] = Field([], description="As they stand now; empty where the canvas is not a chain of waves.")


class EditOutcome(CanvasOutcome):
    """`changes` are the words of the difference to the version before."""

    changes: list[str]


class NodeCounts(BaseModel):
    """What happened at a node in a dry run; see `tools.canvas.NodeRun`."""

    model_config = ConfigDict(frozen=True)

    id: str
    kind: str
    entered: int
    held_out: int
    capped: int
    deferred: int
    abandoned: int
    sent: int
    passed: int = 0
    goal: int = 0
    waiting: int = 0
    by_rule: dict[str, int] = Field({}, description="Rule → candidates that it capped or abandoned.")


class ArmHistory(BaseModel):
    """What the customers of an arm then did: history, association only."""

    model_config = ConfigDict(frozen=True)

    arm: str
    customers: int
    reached_goal: int


class DryRunOutcome(Outcome):
    """A replay on history; never a forecast."""

    start: datetime
    end: datetime
    nodes: list[NodeCounts]
    snapshot_conditions: list[str]
    aftermath: list[ArmHistory]
    summary: str
    dot: str
    elapsed_ms: float
