"""Who may be contacted: the waterfall of a segment, the throttle's answer, and why a customer got something or not."""

from datetime import datetime
from typing import Any

from pydantic import Field

from server.schema.base import Answered, Asked, ChannelName, Count, Expression, Name
from server.schema.segments import SegmentAsked


class WaterfallAsked(SegmentAsked):
    channel: ChannelName
    when: str | None = Field(None, alias="at", description="ISO time; None is the home's now.")
    category: str = Field("marketing", max_length=64)
    product_id: int | None = None


class WaterfallStep(Answered):
    """How many are left after a step, how many it took away, and by which rules."""

    step: str
    zh: str = ""
    en: str = ""
    count: Count
    lost: Count = 0
    rules: dict[str, Count] = {}


class Waterfall(Answered):
    expression: str
    channel: str
    instant: datetime | None = None
    steps: list[WaterfallStep]
    quiet_until: datetime | None = Field(None, description="Quiet hours hold at that instant and end then.")
    consent_assumed: bool = Field(False, description="Consent is assumed, not recorded: no real channel sends.")
    skipped: dict[str, str] = Field({}, description="Channel to contact rule that this bank's catalog cannot tell.")
    elapsed_ms: float = 0.0


class ThrottleAsked(Asked):
    segment: Expression
    channel: ChannelName
    when: str | None = Field(None, alias="at", description="ISO time; None is the home's now.")
    category: str = Field("marketing", max_length=64)


class ThrottleCheck(Answered):
    candidates: Count
    allowed: Count
    deferred: Count
    abandoned: Count
    by_rule: dict[str, Count] = Field(description="Rule to candidates that it deferred or abandoned.")
    next_at: datetime | None = Field(None, description="The first instant at which deferred ones may go.")
    expression: str = ""
    channel: str = ""
    instant: datetime | None = None
    consent_assumed: bool = False
    skipped: dict[str, str] = {}


class WhyAsked(Asked):
    customer: int = Field(ge=0, lt=2**63)
    campaign: Name


class Ground(Answered):
    """What a decision rested on: a touch that counted, the consent, the quiet hours, a level; in both languages."""

    kind: str
    zh: str
    en: str
    data: dict[str, Any] = {}


class Reason(Answered):
    """One decision about a customer; `decision` is send, defer, abandon or hold_out."""

    campaign_id: str
    node_id: str
    channel: str
    arm: str
    decision: str
    status: str
    rule: str
    decided_at: datetime | None
    until: datetime | None = None
    words_zh: str = ""
    words_en: str = ""
    category: str = "marketing"
    evidence: list[Ground] = []


class PlanAsked(Asked):
    hours: int = Field(24, ge=1, le=24 * 31, description="How far ahead to plan.")


class PlanShare(Answered):
    """What a campaign gets of the plan, what stops the others, and to which campaigns those lost whom a cap stops."""

    campaign: str
    name: str = ""
    priority: int
    candidates: Count
    won: Count
    deferred: Count
    lost: dict[str, Count] = {}
    lost_to: dict[str, Count] = {}


class ThrottlePlan(Answered):
    """The nightly plan as it was made; the campaigns by priority, the highest first."""

    made_at: datetime
    until: datetime
    reserved: Count = Field(description="Reservations that stood when it was made.")
    campaigns: list[PlanShare]
    problems: dict[str, str] = Field({}, description="Campaign to why nobody new of it is planned.")


class Why(Answered):
    """Why a customer did or did not get something: each decision with the rule that made it, the oldest first."""

    customer: int
    campaign: str
    decisions: list[Reason]
