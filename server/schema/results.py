"""Campaigns on record, and their read-outs."""

from datetime import datetime

from pydantic import ConfigDict, Field

from server.schema.base import Answered, Asked, Count, EvidenceView, Language, Name


class CampaignInfo(Answered):
    """A campaign on record, past or running; the newest come first."""

    id: str
    name: str
    category: str = ""
    goal_event: str = ""
    randomised: bool | None = None
    hypothesis: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None


class AnalyzeAsked(Asked):
    campaign: Name
    metric: str | None = Field(None, max_length=80, description="A catalog name; null or `goal`: the campaign's goal.")
    by: str | None = Field(None, pattern=r"^[a-z][a-z0-9_]{0,63}$")
    language: Language = Field("zh", description="The language of notes and definitions.")


class ArmView(Answered):
    """One arm: assigned customers with a known outcome, and the outcome's mean (a rate for yes/no outcomes)."""

    arm: str
    n: Count
    mean: float | None


class EffectView(Answered):
    """A difference to the control, its 95 % interval, two-sided p-value, and the difference over the control's mean."""

    diff: float
    ci: tuple[float, float]
    p: float
    relative: float | None


class ReadOutView(Answered):
    """The read-out of a campaign. Beyond these fields it carries those of `tools.analysis.ReadOut`: campaign, metric,
    definition, control, effects, groups, funnel, economics and more."""

    model_config = ConfigDict(extra="allow")

    arms: list[ArmView]
    effect: EffectView | None = Field(description="null where it cannot be told; `reason` and `notes` say why.")
    srm_p: float | None = Field(description="Sample-ratio mismatch: small means that the randomisation is broken.")
    causal: bool = Field(description="There was a sound randomised control; otherwise it is an association.")
    notes: list[str]
    evidence: list[EvidenceView]
