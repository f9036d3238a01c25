"""What a policy limits, as one kind of thing: caps in each of their scopes, promised frequencies, channel capacity.

A limit counts what belongs together in one account: of a customer, of a sending account, or of the whole bank. Limits are
judged in this order — caps about a customer as the policy lists them, promises, sending accounts, capacity — and the
first that is full is the one on record.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from tools.throttle.calendar import window_next, window_start
from tools.throttle.policy import ACCOUNT_CHANNELS, Calendar, Cap, Rolling, ThrottlePolicy
from tools.throttle.sql import Params
from warehouse.clock import naive_utc

Kind = tuple[str, str]
"""(channel, category) of candidates."""


@dataclass(frozen=True)
class Limit:
    """At most `max` touches of these channels and categories per window and key.

    `column` names its count in SQL. Empty `channels` and `only` mean any; `tiers` are the customers for whom it holds.
    """

    column: str
    rule: str
    per: Literal["customer", "account", "bank"]
    window: Rolling | Calendar
    max: int
    defers: bool
    channels: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    exempt: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()

    @property
    def frees(self) -> bool:
        """Whether somebody over it waits: it defers, and there is ever room."""
        return self.defers and self.max > 0

    def concerns(self, kind: Kind) -> bool:
        channel, category = kind
        return (
            (not self.channels or channel in self.channels)
            and (not self.only or category in self.only)
            and category not in self.exempt
        )

    def counts(self, params: Params, row: str) -> str:
        """SQL: a touch, or candidate, of this kind counts."""
        tests = [f"{row}.channel IN ({params.all(self.channels)})"] if self.channels else []
        return " AND ".join([*tests, *self.of_category(params, row)]) or "true"

    def of_category(self, params: Params, row: str) -> list[str]:
        """The tests of `counts` that are about the category."""
        category = f"coalesce({row}.category, 'marketing')"
        tests = [f"{category} IN ({params.all(self.only)})"] if self.only else []
        return [*tests, f"{category} NOT IN ({params.all(self.exempt)})"] if self.exempt else tests

    def within(self, params: Params, moment: str, instant: datetime, zone: ZoneInfo, *, ahead: bool = True) -> str:
        """SQL: a moment lies in a window that also holds the instant. Reservations may lie after it; without them (not
        `ahead`) there is no need to ask."""
        start, included = window_start(self.window, instant, zone)
        since = f"{moment} {'>=' if included else '>'} {params.add(naive_utc(start))}"
        return (
            f"{since} AND {moment} < {params.add(naive_utc(window_next(self.window, instant, zone)))}"
            if ahead
            else since
        )


def limits_of(kinds: Iterable[Kind], policy: ThrottlePolicy) -> list[Limit]:
    """The limits that these kinds of candidates can run into, in the order in which they are judged."""
    asked = sorted(set(kinds))
    found = [limit for cap in policy.caps if cap.scope != "account" for limit in _customer(cap, asked)]
    found += _promised(policy)
    found += [
        _limit(cap, "account", channels=cap.channels or ACCOUNT_CHANNELS)
        for cap in policy.caps
        if cap.scope == "account"
    ]
    found += [
        Limit("", f"capacity_{c.name}", "bank", c.window, c.max, c.over == "defer", channels=(c.channel,))
        for c in policy.capacity
    ]
    mine = [limit for limit in found if any(limit.concerns(kind) for kind in asked)]
    return [_named(limit, number) for number, limit in enumerate(mine)]


def _customer(cap: Cap, kinds: list[Kind]) -> list[Limit]:
    """A cap about customers: one limit, or one for each channel or category that it counts apart."""
    if cap.scope in ("global", "tier"):
        return [_limit(cap, "customer")]
    mine = [kind for kind in kinds if cap.concerns(*kind)]
    if cap.scope == "channel":
        return [_limit(cap, "customer", channels=(channel,)) for channel in sorted({c for c, _ in mine})]
    return [_limit(cap, "customer", only=(category,)) for category in sorted({k for _, k in mine})]


def _limit(
    cap: Cap,
    per: Literal["customer", "account"],
    channels: tuple[str, ...] | None = None,
    only: tuple[str, ...] | None = None,
) -> Limit:
    return Limit(
        column="",
        rule=f"cap_{cap.name}",
        per=per,
        window=cap.window,
        max=cap.max,
        defers=cap.over == "defer",
        channels=cap.channels if channels is None else channels,
        only=cap.only_categories if only is None else only,
        exempt=() if only is not None else cap.exempt_categories,
        tiers=cap.tiers,
    )


def _promised(policy: ThrottlePolicy) -> list[Limit]:
    """What was promised for marketing counts every category that is not service; for service, only those that are."""
    services = tuple(category for category, purpose in policy.consent.purposes.items() if purpose == "service")
    return [
        Limit(
            column="",
            rule=f"promised_{promise.channel}_{promise.purpose}",
            per="customer",
            window=promise.window,
            max=promise.max,
            defers=False,
            channels=(promise.channel,),
            only=services if promise.purpose == "service" else (),
            exempt=services if promise.purpose == "marketing" else (),
        )
        for promise in policy.consent.promised
        if promise.purpose == "marketing" or services
    ]


def _named(limit: Limit, number: int) -> Limit:
    return Limit(**{**limit.__dict__, "column": f"k{number}"})
