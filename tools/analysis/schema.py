"""What analysis answers with. The first fields of `ReadOut` are the contract of `touchline analyze`."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from warehouse.evidence import Evidence


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class ArmResult(Frozen):
    """One arm: assigned customers with a known outcome, and the outcome's mean (a rate for yes/no outcomes)."""

    arm: str
    n: int
    mean: float | None


class Effect(Frozen):
    """A difference to the control: 95 % interval, two-sided p-value, and the difference over the control's mean."""

    diff: float
    ci: tuple[float, float]
    p: float
    relative: float | None


class ArmEffect(Frozen):
    """One arm against the control; `effect` is None where `reason` says why."""

    arm: str
    effect: Effect | None
    reason: str = ""


class GroupResult(Frozen):
    """One group of `by`: its arms, and the effect in it where every arm has at least 100 customers."""

    value: str | int | float | bool | None
    zh: str
    en: str
    arms: list[ArmResult]
    effect: Effect | None
    reason: str = ""


class Funnel(Frozen):
    """Touches of one arm and channel, each stage counted on its own."""

    arm: str
    channel: str
    touches: int
    sent: int
    delivered: int
    opened: int
    clicked: int


class Economics(Frozen):
    """What it cost and what it brought. None where it cannot be told; a note says why.

    `incremental` figures are the difference per customer times the treated customers, with 95 % intervals; the cost per
    incremental goal is given only where the interval lies above zero. Where assignment was randomised within strata,
    amounts are not given.
    """

    touches_sent: int
    cost: float | None
    treated: int
    incremental_goals: float | None
    incremental_goals_ci: tuple[float, float] | None = None
    cost_per_incremental_goal: float | None
    incremental_amount: float | None
    incremental_amount_ci: tuple[float, float] | None = None
    complaints: int | None = Field(None, description="None where the bank records no complaints.")
    complaints_per_touch: float | None
    complaint_effect: Effect | None = None


class ReadOut(Frozen):
    """A campaign's result on one metric."""

    arms: list[ArmResult]
    effect: Effect | None
    srm_p: float | None
    causal: bool
    notes: list[str]
    evidence: list[Evidence]
    campaign: str
    campaign_name: str = ""
    metric: str
    metric_label: str = ""
    unit: str = Field("", description="'rate' for yes/no outcomes, else the unit of the amount or count.")
    definition: str = ""
    control: str = ""
    reason: str = Field("", description="Why there is no effect: a code, empty when there is one.")
    effects: list[ArmEffect] = []
    naive: Effect | None = Field(None, description="Beside a stratified effect: the difference without strata.")
    by: str = ""
    groups: list[GroupResult] = []
    funnel: list[Funnel] = []
    economics: Economics | None = None
    as_of: datetime
    window_days: int | None = None


class Period(Frozen):
    """Bank-zone days, both included."""

    start: str
    end: str
    label: str


class MetricRow(Frozen):
    label: str
    count: int = Field(description="Customers that the value rests on.")
    value: float | None


class MetricValue(Frozen):
    """A metric for one period; None where it cannot be told."""

    value: float | None
    customers: int
    period: Period | None = None
    source: str = Field("", description="'monthly' history, 'events', or 'snapshot'.")
