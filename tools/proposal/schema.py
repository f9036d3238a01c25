"""A proposal's payload: everything a release needs and an approver must see, by value. Delivery executes only this.

Nothing in it is an id that something else could change behind: trees are expanded, lists named by content, words
written out, definitions and policies copied.
"""

from datetime import datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from control.records.routing import Facts
from tools.canvas import Canvas
from tools.throttle import ThrottlePolicy


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Audience(Model):
    """Who may enter when the release starts.

    `re-evaluated`: the segment is evaluated then; the release stops if more than `max_new` of them were not in it at
    submission, or more than `max_gone` of the earlier ones are no longer. `frozen`: exactly the ids of submission.
    `stream`: customers keep entering as the canvas's trigger says, no more than `max_daily` in a day of the bank and
    `max_total` altogether; beyond that nobody enters, and it is on record. No ids are stored; `count` is how many the
    entry's segment held at submission.
    `ids` are packed by `tools.proposal.audience`; `sha256` names them.
    """

    rule: Literal["re-evaluated", "frozen", "stream"] = "re-evaluated"
    max_new: float = Field(0.2, ge=0, le=1, description="Share of the audience at release.")
    max_gone: float = Field(0.2, ge=0, le=1, description="Share of the audience at submission.")
    max_daily: int | None = Field(None, ge=1, description="Entries per day of the bank; only for `stream`.")
    max_total: int | None = Field(None, ge=1, description="Entries altogether; only for `stream`.")
    max_touches: int = Field(gt=0)
    count: int = Field(ge=0)
    sha256: str
    ids: str
    branches: tuple[int, ...] | None = Field(None, description="The submitter's branches; None is the whole bank.")

    @model_validator(mode="after")
    def _ceilings(self) -> Self:
        stated = (self.max_daily is not None, self.max_total is not None)
        if stated != ((self.rule == "stream"),) * 2:
            raise ValueError("a stream has a daily and a total ceiling, another audience has neither")
        return self


class Expression(Model):
    """An expression of the canvas and its form by value: the typed tree, and the text that means the same."""

    text: str
    by_value: str
    tree: dict[str, Any]


class FrozenList(Model):
    name: str
    sha256: str
    size: int


class Words(Model):
    """One wording as it goes out, placeholders still open: personal data is filled in only by delivery."""

    node: str
    label: str = ""
    wave: int
    channel: str
    arm: str
    share: float
    text: str
    message: str
    parts: int = Field(1, description="SMS parts it is billed as.")
    cost: float = Field(0.0, description="Of one such touch.")
    product_id: int | None = None
    product: str = ""


class Forecast(Model):
    """What the throttle would say to a touch now, at its earliest instant; an estimate, decided anew when it is sent."""

    node: str
    channel: str
    at: datetime
    candidates: int
    send: int
    defer: int
    abandon: int
    by_rule: dict[str, int]


class Group(Model):
    name: str
    count: int


class WaterfallStep(Model):
    """How many are left after a step, and which rules took the others away."""

    step: str
    count: int
    lost: int
    rules: dict[str, int] = {}


class BranchWaterfall(Model):
    name: str
    counts: list[int]


class ChannelWaterfall(Model):
    """Net reach of one touch, step by step and by branch."""

    node: str
    channel: str
    at: datetime
    steps: list[WaterfallStep]
    branches: list[BranchWaterfall] = []


class Estimates(Model):
    """What was stated at submission. `start` is the earliest instant at which the release could begin."""

    start: datetime
    waterfall: list[ChannelWaterfall]
    throttle: list[Forecast]
    by_branch: list[Group]
    worst_case_touches: int
    worst_case_cost: float


class ConsentBasis(Model):
    """`assumed` homes have no recorded consent: every row is labelled, and only the file channel may be used."""

    basis: Literal["recorded", "assumed"]
    purpose: str
    sources: list[Group] = Field([], description="Where the audience's consents on the used channels come from.")


class SuitabilityCount(Model):
    """How many of the audience may not be offered a product: never assessed, expired, or assessed too low."""

    product_id: int
    product: str
    risk_level: str | None
    assessed_and_fit: int
    too_low: int
    expired: int
    never_assessed: int


class Warned(Model):
    """A finding of the canvas check that does not forbid submission."""

    code: str
    place: str
    message: str


class Edit(Model):
    version: int
    account: str
    person: str
    at: datetime
    changes: list[str] = []


class ReleaseStep(Model):
    """A gate of the release: `share` percent of the audience by keyed hash (cumulative), so many days after the start."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")
    share: float = Field(100.0, gt=0, le=100)
    after_days: float = Field(0.0, ge=0)
    customers: tuple[int, ...] | None = Field(None, description="A whitelist instead of a share.")


class Payload(Model):
    """All of it. `format` changes when its meaning does."""

    format: Literal[1] = 1
    sentence: str
    note: str = ""
    canvas_id: str
    canvas_version: int
    canvas: Canvas
    expressions: list[Expression]
    lists: list[FrozenList] = []
    words: list[Words]
    definitions: dict[str, list[dict[str, Any]]] = Field(description="The catalog's attributes and events in use.")
    throttle: ThrottlePolicy
    audience: Audience
    steps: list[ReleaseStep] = Field(min_length=1)
    facts: Facts
    estimates: Estimates
    exclusions: list[Group]
    consent: ConsentBasis
    suitability: list[SuitabilityCount] = []
    findings: list[Warned] = []
    snapshot_conditions: list[str] = []
    origin: dict[str, Any]
    edits: list[Edit]
    language: Literal["zh", "en"]
    bank: str
    as_of: datetime
    drawn_up_at: datetime
