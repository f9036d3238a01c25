"""Contact policy as data: caps, quiet hours, consent, contactability, suppression, suitability, One-ID.

`policies/throttle.yaml` of a home has exactly this shape; without the file the cautious default below holds.
"""

from collections.abc import Iterable
from datetime import time
from typing import Annotated, Literal, Self, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from warehouse.errors import AdminFixes
from warehouse.home import Home

Channel = Literal["sms", "push", "inapp", "wecom", "email", "call", "task"]
CHANNELS: tuple[str, ...] = get_args(Channel)
NAME = r"^[a-z][a-z0-9_]{0,47}$"


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Rolling(Model):
    """The last so many hours: (t - hours, t]. A touch exactly `hours` old no longer counts."""

    window: Literal["rolling"] = "rolling"
    hours: int = Field(ge=1, le=24 * 366)

    @property
    def longest_hours(self) -> int:
        return self.hours


class Calendar(Model):
    """The bank's calendar day, week (from Monday) or month that holds the instant; its first moment belongs to it."""

    window: Literal["calendar"] = "calendar"
    period: Literal["day", "week", "month"]

    @property
    def longest_hours(self) -> int:
        return {"day": 24, "week": 24 * 7, "month": 24 * 31}[self.period]


class Cap(Model):
    """At most `max` touches of a customer per window.

    The scope says what is counted together: `global` all touches, `channel` those of the candidate's channel, `category`
    those of its category. `channels` limits a cap to some channels (with scope global: a channel group counted together).
    `exempt_categories` neither count nor are limited.
    """

    name: str = Field(pattern=NAME)
    scope: Literal["global", "channel", "category"]
    window: Annotated[Rolling | Calendar, Field(discriminator="window")]
    max: int = Field(ge=0)
    channels: tuple[Channel, ...] = ()
    exempt_categories: tuple[str, ...] = ()
    over: Literal["abandon", "defer"] = Field("abandon", description="What happens to a candidate over the cap.")


class QuietHours(Model):
    """Hours of the bank's day, start included, end not, without contact; a start later than the end crosses midnight.

    `on` limits them to some days (judged by the day of each hour): `non_working_days` are weekends and public holidays
    less the adjusted working days; on such days `all_day` may hold. `defer` waits for the end, `abandon` does not.
    """

    name: str = Field(pattern=NAME)
    channels: tuple[Channel, ...] = Field(min_length=1)
    start: time = time(0)
    end: time = time(0)
    all_day: bool = False
    on: Literal["every_day", "public_holidays", "non_working_days"] = "every_day"
    action: Literal["defer", "abandon"] = "defer"
    exempt_categories: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _hours(self) -> Self:
        if self.all_day == (self.start != self.end):
            raise ValueError(f"quiet hours {self.name!r} need a start that differs from the end, or all_day")
        if self.all_day and self.on == "every_day":
            raise ValueError(f"quiet hours {self.name!r} would forbid their channels for ever")
        return self


class Consent(Model):
    """Who may be contacted on which channel for which purpose."""

    assumed: bool = Field(False, description="No record counts as consent. Set from the home; a refusal still refuses.")
    purposes: dict[str, Literal["marketing", "service"]] = Field(
        {"service": "service"}, description="Category → purpose; any other category is marketing."
    )
    not_needed: tuple[Channel, ...] = Field((), description="Channels that need no recorded consent.")

    def purpose(self, category: str) -> str:
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
    """All of it. `load` refuses a file that contradicts itself."""

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
    quiet_hours: tuple[QuietHours, ...] = (
        QuietHours(name="messages_night", channels=("sms", "wecom", "email"), start=time(20), end=time(9)),
        QuietHours(name="push_night", channels=("push",), start=time(22), end=time(8)),
        QuietHours(name="call_night", channels=("call",), start=time(19), end=time(9), action="abandon"),
        QuietHours(name="call_lunch", channels=("call",), start=time(12), end=time(14), action="abandon"),
        QuietHours(name="call_holiday", channels=("call",), all_day=True, on="non_working_days", action="abandon"),
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

    @field_validator("quiet_hours")
    @classmethod
    def _quiet(cls, windows: tuple[QuietHours, ...]) -> tuple[QuietHours, ...]:
        _unique("quiet hours", (window.name for window in windows))
        return windows

    def contradictions(self) -> list[str]:
        """What the caps say against each other; empty for a sound policy.

        Not refused by the model itself: the strictest of an approved and a newer policy may well hold such a pair.
        """
        found = []
        for place, wide in enumerate(self.caps):
            for other, narrow in enumerate(self.caps):
                if place == other or (wide.scope, wide.channels, wide.exempt_categories) != (
                    narrow.scope,
                    narrow.channels,
                    narrow.exempt_categories,
                ):
                    continue
                if wide.window == narrow.window and place < other:
                    found.append(f"caps {wide.name!r} and {narrow.name!r} say two things about the same window")
                elif narrow.window.longest_hours < wide.window.longest_hours and narrow.max > wide.max:
                    found.append(
                        f"cap {narrow.name!r} allows {narrow.max} in a shorter window than {wide.name!r} with {wide.max}"
                    )
        return found

    @classmethod
    def load(cls, home: Home) -> Self:
        """The policy of a home: `policies/throttle.yaml`, or the cautious default; consent assumed where the home says so.

        Raises:
            AdminFixes: the file does not fit, or contradicts itself; the message names the place.
        """
        path = home.policies / "throttle.yaml"
        document: object = {}
        if path.exists():
            try:
                document = yaml.safe_load(path.read_text("utf-8")) or {}
            except yaml.YAMLError as error:
                raise AdminFixes(f"The policy {path} is not YAML: {error}", "Mend the file at that place.") from None
        try:
            policy = cls.model_validate(document)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"])) or "the top"
            raise AdminFixes(f"The policy {path} is wrong at {place}: {first['msg']}.", "Mend it there.") from None
        if wrong := policy.contradictions():
            raise AdminFixes(f"The policy {path} contradicts itself: {'; '.join(wrong)}.", "Keep one of the two.")
        assumed = home.info().consent == "assumed"
        return policy.model_copy(update={"consent": policy.consent.model_copy(update={"assumed": assumed})})


def _unique(what: str, names: Iterable[str]) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise ValueError(f"two {what} are called {name!r}")
        seen.add(name)
