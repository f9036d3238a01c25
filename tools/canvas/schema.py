"""A canvas: the typed graph of a campaign. Files are YAML of exactly this shape."""

from datetime import time
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

Channel = Literal["sms", "push", "inapp", "wecom", "email", "call", "task"]
NODE_ID = r"^[a-z][a-z0-9_]{0,31}$"


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Step(Model):
    id: str = Field(pattern=NODE_ID)
    label: str = ""


class Once(Model):
    """The audience enters once, when the release starts."""

    on: Literal["once"] = "once"


class Recurring(Model):
    """Whoever fits the segment then enters at this hour of the bank's day: every day, or on some days of week or month.

    `days`: of the week 1 (Monday) to 7, of the month 1 to 31 (a day that a month lacks falls on its last); unused for `day`.
    Without them a week's round is on Monday, a month's on the first.
    """

    on: Literal["recurring"] = "recurring"
    every: Literal["day", "week", "month"] = "day"
    days: tuple[int, ...] = ()
    hour: int = Field(9, ge=0, le=23)
    max_data_age_hours: int = Field(36, ge=1, le=24 * 31, description="Older data enter nobody.")


class OnEvent(Model):
    """Whoever did an event enters within seconds of it, as far as the entry's segment holds for them."""

    on: Literal["event"] = "event"
    event: str
    where: str = Field("", description="EQL over the event's properties.")


class OnEventWithout(Model):
    """A and not B within T: enters when the time has passed without the second event (a breakpoint)."""

    on: Literal["event_without"] = "event_without"
    event: str
    where: str = ""
    without: str
    without_where: str = ""
    within_minutes: int = Field(ge=1, le=60 * 24 * 60)


class OnDate(Model):
    """Relative to a customer's key date: `days` before (negative) or after it, at an hour of the bank's day.

    `date` names a catalog attribute of the kind date, or a number of days until (days_to_...) or since (days_since_...) it.
    `yearly` repeats the date every year (a birthday; 29 February falls on the 28th in other years).
    """

    on: Literal["date"] = "date"
    date: str
    days: int = Field(0, ge=-366, le=366)
    hour: int = Field(9, ge=0, le=23)
    yearly: bool = False
    max_data_age_hours: int = Field(36, ge=1, le=24 * 31, description="Older data enter nobody.")


Trigger = Annotated[Once | Recurring | OnEvent | OnEventWithout | OnDate, Field(discriminator="on")]


class Entry(Step):
    """Who enters, and when."""

    kind: Literal["entry"] = "entry"
    segment: str = Field(description="EQL, or in_segment('seg_1'); `everyone` where the trigger alone decides.")
    trigger: Trigger = Once()
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


class SendingWindow(Model):
    """Hours of the bank's day, start included, end not, in which the canvas may send; elsewhere it waits for the next."""

    start: time
    end: time
    days: tuple[int, ...] = Field((), description="Days of the week, 1 (Monday) to 7; empty means all.")


class Touch(Step):
    """One contact on one channel. A `task` is one for the customer's manager."""

    kind: Literal["touch"] = "touch"
    channel: Channel
    arms: list[Arm] = Field(min_length=1)
    product_id: int | None = None
    benefit_id: int | None = None
    unmanaged: str = Field("", description="Only for tasks: where customers without a manager go instead.")
    next: str


class Tag(Step):
    """Puts a tag of the canvas on the customers, or takes it off: `in_list('tag:<name>')` in segments."""

    kind: Literal["tag"] = "tag"
    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,47}$")
    remove: bool = False
    expires_days: int | None = Field(None, ge=1, le=3660)
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


class Share(Model):
    """One way of a split by share."""

    name: str = Field(pattern=NODE_ID)
    share: float = Field(gt=0, le=100)
    next: str


class Split(Step):
    """Splits by share: by the first 8 hex digits of md5('{key}:{customer_id}'); shares add up to 100."""

    kind: Literal["split"] = "split"
    key: str
    ways: list[Share] = Field(min_length=2)


class Case(Model):
    """One way of a split by audience: taken by whom its condition holds for, and no earlier one."""

    name: str = Field(pattern=NODE_ID)
    expression: str
    next: str


class AudienceSplit(Step):
    """Splits by conditions, the first that holds; the rest goes `otherwise`."""

    kind: Literal["audience_split"] = "audience_split"
    cases: list[Case] = Field(min_length=1)
    otherwise: str


class Hours(Model):
    """One way of a split by time of day; a start later than the end crosses midnight."""

    name: str = Field(pattern=NODE_ID)
    start: time
    end: time
    days: tuple[int, ...] = Field((), description="Days of the week, 1 (Monday) to 7; empty means all.")
    next: str


class TimeSplit(Step):
    """Splits by the bank's day and hour at which customers get there; the first that holds, the rest `otherwise`."""

    kind: Literal["time_split"] = "time_split"
    windows: list[Hours] = Field(min_length=1)
    otherwise: str


class Wait(Step):
    """Waits for an event after the customer got there: goes `happened` as soon as it is seen, else `timed_out`."""

    kind: Literal["wait"] = "wait"
    event: str
    where: str = Field("", description="EQL over the event's properties.")
    days: int = Field(0, ge=0)
    hours: int = Field(0, ge=0)
    happened: str
    timed_out: str


class Exit(Step):
    kind: Literal["exit"] = "exit"


Node = Annotated[
    Entry | HoldOut | Touch | Tag | Delay | Wait | Condition | Split | AudienceSplit | TimeSplit | Exit,
    Field(discriminator="kind"),
]


class Goal(Model):
    """What counts as success: an event within a window after entry. Reaching it leaves the canvas."""

    event: str
    where: str = Field("", description="EQL over the event's properties, such as kind = 'wealth'.")
    window_days: int = Field(14, ge=1, le=365)


class StopLine(Model):
    """The release stops by itself beyond these."""

    complaint_rate: float = Field(0.002, ge=0, le=1, description="Complaints per touch sent.")
    failure_rate: float = Field(0.2, ge=0, le=1, description="Failed per touch attempted.")


class Reentry(Model):
    """Whether somebody who has left may enter again; a customer is in a canvas at most once at a time."""

    allowed: bool = False
    after_days: int = Field(0, ge=0, le=3660, description="Days since leaving.")
    at_most: int | None = Field(None, ge=1, description="Entries of one customer altogether; None is no limit.")


class Override(Model):
    """A branch's own wording of a touch; applies to the customers of that branch."""

    branch_id: int
    node: str
    arms: list[Arm] = Field(min_length=1)


class TemplateUse(Model):
    """The template that a canvas was made from, and with what."""

    id: str
    version: int
    parameters: dict[str, str | int | float | bool] = Field(default_factory=dict)


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
    end: str = Field("", description="Nobody enters after this instant (ISO; naive is bank time); empty: no end.")
    sending_windows: tuple[SendingWindow, ...] = Field((), description="Empty: whenever the contact policy allows.")
    reentry: Reentry = Reentry()
    leave_when: tuple[str, ...] = Field(
        (), description="EQL conditions, `since entry` allowed, that end it for a customer."
    )
    budget: float | None = Field(
        None, gt=0, description="CNY for touches and benefits together, at worst; None: not set."
    )
    template: TemplateUse | None = None
    locked: tuple[str, ...] = Field((), description="Parts that head office locks: 'goal', 'nodes.touch_1.arms', ...")
    overrides: tuple[Override, ...] = ()
    nodes: list[Node] = Field(min_length=3)
