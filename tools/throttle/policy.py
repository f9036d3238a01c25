"""Contact policy as data: caps, capacity, quiet hours, consent, contactability, suppression, suitability, One-ID, priority.

`policies/throttle.yaml` of a home has exactly this shape; without the file the cautious default below holds.
"""

from collections.abc import Iterable
from datetime import date, time
from typing import Annotated, Literal, Self, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator, model_validator

Channel = Literal["sms", "push", "inapp", "wecom", "email", "call", "task"]
CHANNELS: tuple[str, ...] = get_args(Channel)
ACCOUNT_CHANNELS: tuple[Channel, ...] = ("wecom", "call", "task")
"""Channels on which a customer is contacted by an account of the bank's staff: the WeCom account or line of his manager."""
Purpose = Literal["marketing", "service"]
NAME = r"^[a-z][a-z0-9_]{0,47}$"


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _time_of_day(value: object) -> object:
    """`9:30` is meant as 09:30. A bare number is refused: some readers of YAML make one of 20:00."""
    if isinstance(value, int | float):
        raise ValueError("write a time of day as HH:MM, in quotes where in doubt")
    return f"0{value}" if isinstance(value, str) and value[1:2] == ":" else value


TimeOfDay = Annotated[time, BeforeValidator(_time_of_day)]


class Rolling(Model):
    """The last so many hours: (t - hours, t]. A touch exactly `hours` old no longer counts."""

    window: Literal["rolling"] = "rolling"
    hours: int = Field(ge=1, le=24 * 366)

    @property
    def longest_hours(self) -> int:
        return self.hours


class Calendar(Model):
    """The bank's calendar hour, day, week (from Monday), month, quarter or year that holds the instant; its first moment
    belongs to it."""

    window: Literal["calendar"] = "calendar"
    period: Literal["hour", "day", "week", "month", "quarter", "year"]

    @property
    def longest_hours(self) -> int:
        days = {"day": 1, "week": 7, "month": 31, "quarter": 92, "year": 366}
        return 1 if self.period == "hour" else 24 * days[self.period]


Window = Annotated[Rolling | Calendar, Field(discriminator="window")]


class Cap(Model):
    """At most `max` touches per window.

    The scope says what is counted together. Per customer: `global` all touches, `channel` those of the candidate's
    channel, `category` those of its category, `tier` all touches, but the cap holds only for customers who are in one of
    `tiers` today. Per sending account: `account` counts the touches on `ACCOUNT_CHANNELS` of all customers who have the
    candidate's manager today; customers without a manager share the bank's own account.

    `channels` limits a cap to some channels (with scope global: a channel group counted together). `exempt_categories`
    neither count nor are limited; where `only_categories` are named, all others neither count nor are limited.
    """

    name: str = Field(pattern=NAME)
    scope: Literal["global", "channel", "category", "tier", "account"]
    window: Window
    max: int = Field(ge=0)
    channels: tuple[Channel, ...] = ()
    tiers: tuple[str, ...] = Field((), description="Scope `tier` only: the customers for whom the cap holds.")
    only_categories: tuple[str, ...] = ()
    exempt_categories: tuple[str, ...] = ()
    over: Literal["abandon", "defer"] = Field("abandon", description="What happens to a candidate over the cap.")

    @model_validator(mode="after")
    def _scope(self) -> Self:
        if (self.scope == "tier") != bool(self.tiers):
            raise ValueError(f"cap {self.name!r}: scope tier names its tiers, and no other scope does")
        if self.scope == "account" and (strange := sorted(set(self.channels) - set(ACCOUNT_CHANNELS))):
            raise ValueError(
                f"cap {self.name!r}: no sending account on {', '.join(strange)}; only on wecom, call, task"
            )
        if self.only_categories and self.exempt_categories:
            raise ValueError(f"cap {self.name!r}: give only_categories or exempt_categories, not both")
        return self

    def concerns(self, channel: str, category: str) -> bool:
        """Whether touches of this channel and category count towards the cap, and are limited by it."""
        channels = self.channels or (ACCOUNT_CHANNELS if self.scope == "account" else ())
        if channels and channel not in channels:
            return False
        if self.only_categories and category not in self.only_categories:
            return False
        return category not in self.exempt_categories


class Capacity(Model):
    """What a channel can carry: at most `max` touches of the whole bank per window, whatever their category."""

    name: str = Field(pattern=NAME)
    channel: Channel
    window: Window
    max: int = Field(ge=0)
    over: Literal["abandon", "defer"] = "defer"


class Days(Model):
    """A span of days of the bank's calendar, both ends included."""

    first: date
    last: date

    @model_validator(mode="after")
    def _order(self) -> Self:
        if self.last < self.first:
            raise ValueError(f"the days end ({self.last}) before they begin ({self.first})")
        return self


class QuietHours(Model):
    """Hours of the day, start included, end not, without contact; a start later than the end crosses midnight.

    `on` limits them to some days (judged by the day of each hour): `non_working_days` are weekends and public holidays
    less the adjusted working days, `dates` the spans named in `dates`; on such days `all_day` may hold. `defer` waits for
    the end, `abandon` does not. Hours are those of the candidate's zone, the bank's where it names none.
    """

    name: str = Field(pattern=NAME)
    channels: tuple[Channel, ...] = Field(min_length=1)
    start: TimeOfDay = time(0)
    end: TimeOfDay = time(0)
    all_day: bool = False
    on: Literal["every_day", "public_holidays", "non_working_days", "dates"] = "every_day"
    dates: tuple[Days, ...] = Field((), description="The days of `on: dates`, such as a blackout at Spring Festival.")
    action: Literal["defer", "abandon"] = "defer"
    exempt_categories: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _hours(self) -> Self:
        if self.all_day == (self.start != self.end):
            raise ValueError(f"quiet hours {self.name!r} need a start that differs from the end, or all_day")
        if self.all_day and self.on == "every_day":
            raise ValueError(f"quiet hours {self.name!r} would forbid their channels for ever")
        if (self.on == "dates") != bool(self.dates):
            raise ValueError(f"quiet hours {self.name!r}: `on: dates` names its dates, and nothing else does")
        return self


class Promise(Model):
    """The frequency that customers were promised when they consented; it holds like a cap."""

    channel: Channel
    purpose: Purpose
    window: Window
    max: int = Field(ge=0)


class Consent(Model):
    """Who may be contacted on which channel for which purpose."""

    assumed: bool = Field(False, description="No record counts as consent. Set from the home; a refusal still refuses.")
    purposes: dict[str, Purpose] = Field(
        {"service": "service"}, description="Category → purpose; any other category is marketing."
    )
    not_needed: tuple[Channel, ...] = Field((), description="Channels that need no recorded consent.")
    promised: tuple[Promise, ...] = ()
    term_days: int | None = Field(None, ge=1, description="A consent this many days old has lapsed; null: never.")

    def purpose(self, category: str) -> Purpose:
        return self.purposes.get(category, "marketing")


class Suppression(Model):
    """Who is never contacted, by purpose. Reasons are those of the table `suppressions`."""

    marketing: tuple[str, ...] = (
        "refused", "complaint_open", "deceased", "frozen", "fraud", "overdue", "minor", "staff",
    )  # fmt: skip
    service: tuple[str, ...] = ("deceased", "frozen", "fraud", "complaint_open", "minor")
    staff: bool = Field(True, description="Customers who are staff get no marketing.")
    minimum_age: int = Field(18, ge=0, le=30, description="Where the birth date is known; 0 asks for none.")


class Suitability(Model):
    """Products above the customer's valid assessed risk level are never offered."""

    kinds: tuple[str, ...] = ("wealth", "fund", "insurance", "gold")
    validity_days: int = Field(365, ge=1, le=3650, description="An assessment this many days old has expired.")
    levels: tuple[str, ...] = Field(("R1", "R2", "R3", "R4", "R5"), min_length=2)


class Identity(Model):
    """One person may have several customer numbers; only one of them is contacted in a campaign."""

    kinds: tuple[Literal["phone", "id_card", "device", "wecom", "account"], ...] = ("phone", "id_card")
    keep: Literal["lowest_id", "most_aum"] = "lowest_id"


class ThrottlePolicy(Model):
    """All of it. `tools.throttle.file.load_policy` refuses a file that contradicts itself."""

    version: int = 1
    caps: tuple[Cap, ...] = (
        Cap(
            name="channel_daily",
            scope="channel",
            window=Calendar(period="day"),
            max=1,
            exempt_categories=("service",),
        ),
        Cap(name="global_7d", scope="global", window=Rolling(hours=168), max=3, exempt_categories=("service",)),
        Cap(
            name="global_monthly",
            scope="global",
            window=Calendar(period="month"),
            max=8,
            exempt_categories=("service",),
        ),
    )
    capacity: tuple[Capacity, ...] = ()
    quiet_hours: tuple[QuietHours, ...] = (
        QuietHours(name="messages_night", channels=("sms", "wecom", "email"), start=time(20), end=time(9)),
        QuietHours(name="push_night", channels=("push",), start=time(22), end=time(8)),
        QuietHours(name="call_night", channels=("call",), start=time(19), end=time(9), action="abandon"),
        QuietHours(name="call_lunch", channels=("call",), start=time(12), end=time(14), action="abandon"),
        QuietHours(name="call_holiday", channels=("call",), all_day=True, on="non_working_days", action="abandon"),
    )
    holidays_added: tuple[date, ...] = Field((), description="Public holidays beyond those of mainland China.")
    workdays_added: tuple[date, ...] = Field((), description="Days that are worked whatever the calendar says.")
    priorities: dict[str, int] = Field({}, description="Category → what is added to a candidate's own priority.")
    plan_at: TimeOfDay | None = Field(
        None, description="The time of day at which the server plans, and reserves, the next day; null: when asked to."
    )
    defer_expires_hours: int = Field(48, ge=1, le=24 * 31, description="A candidate deferred longer is abandoned.")
    consent: Consent = Consent()
    contact: dict[Channel, str] = Field(
        {
            "sms": "has_phone",
            "call": "has_phone",
            "push": "has_mobile_bank",
            "inapp": "has_mobile_bank",
            "wecom": "wecom_bound",
            "task": "has_manager",
        },
        description="Channel → EQL over catalog attributes: who can be reached there. E-mail has none: consent to it implies one.",
    )
    suppression: Suppression = Suppression()
    suitability: Suitability = Suitability()
    identity: Identity = Identity()
    statuses_not_counted: tuple[str, ...] = Field(
        ("held_out", "abandoned", "deferred", "failed", "capped", "released", "cancelled", "expired", "suppressed"),
        description="Touches in these states never reached anybody; every other state counts, also an unknown one.",
    )

    @field_validator("caps")
    @classmethod
    def _caps(cls, caps: tuple[Cap, ...]) -> tuple[Cap, ...]:
        _unique("cap", (cap.name for cap in caps))
        return caps

    @field_validator("capacity")
    @classmethod
    def _capacity(cls, capacity: tuple[Capacity, ...]) -> tuple[Capacity, ...]:
        _unique("capacity", (limit.name for limit in capacity))
        return capacity

    @field_validator("quiet_hours")
    @classmethod
    def _quiet(cls, windows: tuple[QuietHours, ...]) -> tuple[QuietHours, ...]:
        _unique("quiet hours", (window.name for window in windows))
        return windows

    @model_validator(mode="after")
    def _days(self) -> Self:
        if both := sorted(set(self.holidays_added) & set(self.workdays_added)):
            raise ValueError(f"{both[0]} is added both as a holiday and as a working day")
        return self


def _unique(what: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"two {what} are called {name!r}")
        seen.add(name)
