"""A canvas: the typed graph of a campaign. Files are YAML of exactly this shape."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Channel = Literal["sms", "push", "inapp", "wecom", "email", "call", "task"]
NODE_ID = r"^[a-z][a-z0-9_]{0,31}$"


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Step(Model):
    id: str = Field(pattern=NODE_ID)
    label: str = ""


class Entry(Step):
    """Who enters, and when: once at the release's start, from a segment expression (EQL)."""

    kind: Literal["entry"] = "entry"
    segment: str = Field(description="EQL, or in_segment('seg_1').")
    mode: Literal["once"] = "once"
    next: str


class HoldOut(Step):
    """A control group that is never touched: by the first 8 hex digits of md5('{key}:{customer_id}')."""

    kind: Literal["hold_out"] = "hold_out"
    percent: float = Field(gt=0, lt=100)
    key: str
    next: str


class Arm(Model):
    """One wording of a touch; shares of a touch's arms add up to 100 and are split by keyed hash."""

    name: str = Field(pattern=NODE_ID)
    share: float = Field(gt=0, le=100)
    text: str = Field(description="The words, with placeholders such as {name}; filled at the last moment.")


class Touch(Step):
    """One contact on one channel."""

    kind: Literal["touch"] = "touch"
    channel: Channel
    arms: list[Arm] = Field(min_length=1)
    product_id: int | None = None
    benefit_id: int | None = None
    next: str


class Delay(Step):
    """Wait so long after the node before it was left; `until_hour` then waits for that bank-zone hour.

    Without `until_hour` a day is 24 hours. With it `days` are calendar days of the bank: left on Monday at 15:00, 2 days
    until 12 is Wednesday 12:00. The whole hour meets it, so a tick that comes a few minutes late does not cost a day.
    """

    kind: Literal["delay"] = "delay"
    days: int = Field(0, ge=0)
    hours: int = Field(0, ge=0)
    until_hour: int | None = Field(None, ge=0, le=23)
    next: str


class Condition(Step):
    """Splits by an EQL condition evaluated when the customer gets there; `since entry` windows are allowed."""

    kind: Literal["condition"] = "condition"
    expression: str
    yes: str
    no: str


class Exit(Step):
    kind: Literal["exit"] = "exit"


Node = Annotated[Entry | HoldOut | Touch | Delay | Condition | Exit, Field(discriminator="kind")]


class Goal(Model):
    """What counts as success: an event within a window after entry. Reaching it leaves the canvas."""

    event: str
    where: str = Field("", description="EQL over the event's properties, such as kind = 'wealth'.")
    window_days: int = Field(14, ge=1, le=365)


class StopLine(Model):
    """The release stops by itself beyond these."""

    complaint_rate: float = Field(0.002, ge=0, le=1, description="Complaints per touch sent.")
    failure_rate: float = Field(0.2, ge=0, le=1, description="Failed per touch attempted.")


class Canvas(Model):
    """A campaign as a graph. Exactly one entry; every path ends in an exit."""

    name: str = Field(min_length=1, max_length=120)
    purpose: str = ""
    category: str = Field("marketing", description="The throttle category: marketing, service, ...")
    priority: int = Field(50, ge=0, le=100, description="Higher wins when contacts compete.")
    goal: Goal
    stop_line: StopLine = StopLine()
    playbook: str = Field("", description="Id of the playbook it rests on.")
    max_touches: int = Field(description="Never more than this many touches, whatever the audience.", gt=0)
    signature: str = Field("", description="How every message names its sender; empty takes the bank's name.")
    start: str = Field("", description="Not before this instant (ISO; naive is bank time); empty: when it is released.")
    nodes: list[Node] = Field(min_length=3)
