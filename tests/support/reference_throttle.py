"""The throttle, row by row in plain Python: what the set-based engine is held against. Slow, and short on purpose."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.support.candidates import Candidate, Decision, naive
from tools.throttle.calendar import quiet_at
from tools.throttle.policy import Calendar, Rolling, ThrottlePolicy

ZONE = ZoneInfo("Asia/Shanghai")
LONG_AGO = naive("2024-01-01")
ACCOUNT = ("wecom", "call", "task")


@dataclass(frozen=True)
class Person:
    customer: int
    born: date = date(1990, 5, 5)
    tier: str | None = "mass"
    manager: int | None = 7
    staff: bool = False
    risk: str | None = "R3"
    assessed: date | None = date(2026, 5, 18)
    consented: datetime | None = LONG_AGO
    opted_in: bool = True


@dataclass(frozen=True)
class Touched:
    """A touch or, without status, a reservation for `moment` (naive UTC)."""

    touch_id: str
    campaign: str
    customer: int
    channel: str
    category: str
    moment: datetime
    status: str | None = "sent"


@dataclass
class World:
    people: dict[int, Person]
    touches: list[Touched] = field(default_factory=list)
    reserved: list[Touched] = field(default_factory=list)
    suppressed: dict[int, str] = field(default_factory=dict)
    products: dict[int, tuple[str, str | None]] = field(default_factory=dict)
    same_person: tuple[int, ...] = ()


@dataclass
class Count:
    """One limit at work: who shares a place, what counts, and how much it holds."""

    rule: str
    window: Rolling | Calendar
    max: int
    defers: bool
    per: str
    channels: tuple[str, ...]
    only: tuple[str, ...]
    exempt: tuple[str, ...]
    tiers: tuple[str, ...]

    def holds(self, channel: str, category: str) -> bool:
        return (
            (not self.channels or channel in self.channels)
            and (not self.only or category in self.only)
            and category not in self.exempt
        )


def counts(policy: ThrottlePolicy, channel: str, category: str) -> list[Count]:
    """The limits on one candidate, in their order."""
    services = tuple(c for c, purpose in policy.consent.purposes.items() if purpose == "service")
    customer, account = [], []
    for cap in policy.caps:
        channels, only, exempt = cap.channels, cap.only_categories, cap.exempt_categories
        if cap.scope == "channel" and (not channels or channel in channels):
            channels = (channel,)
        if cap.scope == "category" and category not in exempt and (not only or category in only):
            only, exempt = (category,), ()
        if cap.scope == "account":
            channels = channels or ACCOUNT
        found = Count(
            "cap_" + cap.name, cap.window, cap.max, cap.over == "defer", "customer", channels, only, exempt, cap.tiers
        )
        if cap.scope == "account":
            found.per = "account"
        (account if cap.scope == "account" else customer).append(found)
    for promise in policy.consent.promised:
        service = promise.purpose == "service"
        only, exempt = (services if service else (), () if service else services)
        rule = f"promised_{promise.channel}_{promise.purpose}"
        if not service or services:
            customer.append(
                Count(rule, promise.window, promise.max, False, "customer", (promise.channel,), only, exempt, ())
            )
    bank = [
        Count("capacity_" + c.name, c.window, c.max, c.over == "defer", "bank", (c.channel,), (), (), ())
        for c in policy.capacity
    ]
    return [count for count in (*customer, *account, *bank) if count.holds(channel, category)]


def period(window: Calendar, moment: datetime) -> tuple[int, ...]:
    local = moment.replace(tzinfo=ZoneInfo("UTC")).astimezone(ZONE)
    year, week, _ = local.isocalendar()
    return {
        "hour": (local.year, local.month, local.day, local.hour),
        "day": (local.year, local.month, local.day),
        "week": (year, week),
        "month": (local.year, local.month),
        "quarter": (local.year, (local.month - 1) // 3),
        "year": (local.year,),
    }[window.period]


def bank_day(moment: datetime) -> date:
    return moment.replace(tzinfo=ZoneInfo("UTC")).astimezone(ZONE).date()


def together(window: Rolling | Calendar, moment: datetime, now: datetime) -> bool:
    """Whether one window holds both."""
    if isinstance(window, Rolling):
        return abs(moment - now) < timedelta(hours=window.hours)
    return period(window, moment) == period(window, now)


def free(count: Count, moments: list[datetime], now: datetime) -> datetime | None:
    if not count.defers or count.max == 0:
        return None
    if isinstance(count.window, Rolling):
        hours = timedelta(hours=count.window.hours)
        latest = sorted(moments, reverse=True)[: count.max]
        return latest[-1] + hours if latest else now + hours
    later = now.replace(minute=0, second=0, microsecond=0)
    while period(count.window, later) == period(count.window, now):
        later += timedelta(hours=1)
    return later


def own_rule(
    world: World, c: Candidate, everybody: Iterable[Candidate], now: datetime, policy: ThrottlePolicy
) -> str | None:
    person = world.people.get(c.customer)
    if c.customer in world.same_person:
        others = [o for o in world.same_person if o != c.customer]
        rivals = [o.customer for o in everybody if (o.campaign, o.node) == (c.campaign, c.node)]
        reached = [t for t in world.touches if t.campaign == c.campaign and t.customer in others and t.moment <= now]
        if min(r for r in rivals if r in world.same_person) != c.customer:
            return "duplicate_person"
        if any(t.status not in policy.statuses_not_counted for t in reached):
            return "duplicate_person"
    if person is None:
        return "unknown_customer"
    marketing = policy.consent.purpose(c.category) == "marketing"
    reasons = policy.suppression.marketing if marketing else policy.suppression.service
    if world.suppressed.get(c.customer) in reasons:
        return "suppressed_" + world.suppressed[c.customer]
    if policy.suppression.staff and person.staff and marketing:
        return "staff"
    today = bank_day(now)
    age = today.year - person.born.year - ((today.month, today.day) < (person.born.month, person.born.day))
    if age < policy.suppression.minimum_age:
        return "under_age"
    if c.product is not None:
        if c.product not in world.products:
            return "unknown_product"
        kind, level = world.products[c.product]
        levels = policy.suitability.levels
        if kind in policy.suitability.kinds:
            if level not in levels:
                return "product_unrated"
            if person.risk not in levels or person.assessed is None or person.assessed > today:
                return "risk_never_assessed"
            if (today - person.assessed).days >= policy.suitability.validity_days:
                return "risk_assessment_expired"
            if levels.index(person.risk) < levels.index(level):
                return "risk_too_high"
    if c.channel not in policy.consent.not_needed:
        if not person.opted_in or (person.consented is not None and person.consented > now):
            return "no_consent"
        term = policy.consent.term_days
        if term is not None and (person.consented is None or (today - bank_day(person.consented)).days >= term):
            return "consent_lapsed"
    if c.expires_at is not None and c.expires_at < now:
        return "deferral_expired"
    return None


def outcome(rule: str, until: datetime | None, c: Candidate, now: datetime, policy: ThrottlePolicy) -> Decision:
    if until is None:
        return Decision("abandon", rule, None)
    expires = c.expires_at or now + timedelta(hours=policy.defer_expires_hours)
    return Decision("defer", rule, until) if until <= expires else Decision("abandon", rule + "_expired", None)


def decide_slowly(
    world: World, candidates: list[Candidate], instant: datetime, policy: ThrottlePolicy, maxima: dict[str, int]
) -> dict[str, Decision]:
    now = instant.astimezone(ZoneInfo("UTC")).replace(tzinfo=None)
    answer: dict[str, Decision] = {}
    mine = {c.touch_id for c in candidates}
    own = {r.touch_id for r in world.reserved} & mine
    rivals = []
    for c in candidates:
        if rule := own_rule(world, c, candidates, now, policy):
            answer[c.touch_id] = Decision("abandon", rule, None)
            continue
        days = (policy.holidays_added, policy.workdays_added)
        quiet = quiet_at(policy.quiet_hours, c.channel, c.category, instant, ZONE, *days)
        if quiet:
            until = quiet.until.replace(tzinfo=None) if quiet.action == "defer" else None
            answer[c.touch_id] = outcome("quiet_" + quiet.rule, until, c, now, policy)
            continue
        rivals.append(c)
    counted = [t for t in world.touches if t.moment <= now and t.status not in policy.statuses_not_counted]
    # What is queued may leave at any moment: it counts as made now.
    past = [replace(t, moment=now) if t.status == "queued" else t for t in counted]
    ahead = [r for r in world.reserved if r.touch_id not in own]
    held = [r for r in world.reserved if r.touch_id in own and r.touch_id in answer]
    gone: list[Candidate] = []

    def turn(c: Candidate) -> tuple[bool, int, str, str]:
        priority = c.priority + policy.priorities.get(c.category, 0)
        return (c.touch_id not in own, -priority, hashlib.md5(c.touch_id.encode()).hexdigest(), c.touch_id)

    for c in sorted(rivals, key=turn):
        person = world.people[c.customer]
        for count in counts(policy, c.channel, c.category):
            if count.tiers and person.tier not in count.tiers:
                continue

            def shares(customer: int, count: Count = count, person: Person = person) -> bool:
                other = world.people.get(customer)
                if count.per == "customer":
                    return customer == person.customer
                return count.per == "bank" or (other.manager if other else None) == person.manager

            moments = [
                t.moment
                for t in (*past, *ahead)
                if shares(t.customer) and count.holds(t.channel, t.category) and together(count.window, t.moment, now)
            ]
            others = [o for o in gone if shares(o.customer) and count.holds(o.channel, o.category)]
            kept = [r for r in held if shares(r.customer) and count.holds(r.channel, r.category)]
            if len(moments) + len(others) + len(kept) >= count.max:
                answer[c.touch_id] = outcome(count.rule, free(count, moments, now), c, now, policy)
                break
        else:
            sent = sum(1 for o in gone if o.campaign == c.campaign)
            if sent >= maxima.get(c.campaign, len(candidates)):
                answer[c.touch_id] = Decision("abandon", "max_touches", None)
            else:
                answer[c.touch_id] = Decision("send", "allowed", None)
                gone.append(c)
    return answer
