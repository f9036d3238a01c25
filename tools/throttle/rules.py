"""The rules about a customer, in the order in which they decide: One-ID, suppression, suitability, consent, contact, quiet.

Each is an SQL expression that is true for candidates `c` (joined with customers `k`) whom the rule stops.
"""

from calendar import isleap
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import duckdb

from tools.segment import Segments, parse
from tools.throttle.calendar import Quiet, quiet_at
from tools.throttle.policy import ThrottlePolicy
from tools.throttle.sql import Params, relation
from warehouse.clock import day_start, naive_utc
from warehouse.errors import AdminFixes, ModelRetry

STAGES: dict[str, str] = {
    "duplicate_person": "one_per_person",
    "unknown_customer": "not_suppressed",
    "staff": "not_suppressed",
    "under_age": "not_suppressed",
    "unknown_product": "suitable",
    "risk_never_assessed": "suitable",
    "risk_assessment_expired": "suitable",
    "risk_too_high": "suitable",
    "product_unrated": "suitable",
    "no_consent": "consented_and_contactable",
    "consent_lapsed": "consented_and_contactable",
    "not_contactable": "consented_and_contactable",
}
"""Rule → the stage of the waterfall at which it stops a candidate; suppressions are `suppressed_<reason>`."""
_ZONES = available_timezones()


@dataclass(frozen=True)
class Facet:
    """One kind of candidate in a batch: few of them, whatever the number of candidates. `zone` is '' for the bank's."""

    channel: str
    category: str
    product_id: int | None
    zone: str = ""


def facets(con: duckdb.DuckDBPyConnection, candidates: str, *, zoned: bool = False) -> list[Facet]:
    zone = "coalesce(zone, '')" if zoned else "''"
    rows = con.execute(
        f"""SELECT DISTINCT channel, coalesce(category, 'marketing'), product_id, {zone} FROM {relation(candidates)}
            ORDER BY ALL"""
    ).fetchall()
    return [Facet(str(channel), str(category), product, str(zone)) for channel, category, product, zone in rows]


def only(params: Params, column: str, wanted: Iterable[str | int], present: Iterable[str | int | None]) -> str:
    """SQL: a column has one of the wanted values; folded where all, or none, of the values that are present are wanted."""
    wanted, present = set(wanted), set(present)
    if present <= wanted:
        return "true"
    found = sorted(wanted & present, key=str)
    return f"{column} IN ({params.all(found)})" if found else "false"


def contact_sql(
    channel: str, instant: datetime, policy: ThrottlePolicy, segments: Segments
) -> tuple[str | None, str | None]:
    """Who can be reached on a channel: a SELECT of customer_id, or None when no rule applies; and the skipped rule.

    Raises:
        AdminFixes: the rule names an attribute that this bank's catalog lacks, and consent is recorded here.
    """
    rule = policy.contact.get(channel)  # type: ignore[call-overload]
    if not rule:
        return None, None
    try:
        return segments.ids_sql(parse(rule, segments.catalog), at=instant), None
    except ModelRetry as error:
        if policy.consent.assumed:
            return None, str(rule)
        raise AdminFixes(
            f"The contact rule of {channel} ({rule}) names what this bank's catalog does not have: {error.message}",
            "Add the attribute to catalog.yaml, or change `contact` in policies/throttle.yaml.",
        ) from None


def skipped_rules(channels: list[str], instant: datetime, policy: ThrottlePolicy, segments: Segments) -> dict[str, str]:
    """Channel → contact rule that could not be applied for want of the attribute (only where consent is assumed)."""
    found = {channel: contact_sql(channel, instant, policy, segments)[1] for channel in channels}
    return {channel: rule for channel, rule in found.items() if rule}


def rule_sql(
    con: duckdb.DuckDBPyConnection,
    params: Params,
    kinds: list[Facet],
    instant: datetime,
    policy: ThrottlePolicy,
    segments: Segments,
) -> str:
    """A CASE over candidates `c`, customers `k`, duplicates `d` and suppressions `s` that names the first rule, short of
    quiet hours and caps, that stops a candidate; NULL where none does."""
    day = instant.astimezone(segments.warehouse.zone).date()
    categories = {f.category for f in kinds}
    marketing = [k for k in categories if policy.consent.purpose(k) == "marketing"]
    lines = [
        "WHEN d.customer_id IS NOT NULL THEN 'duplicate_person'",
        "WHEN k.customer_id IS NULL THEN 'unknown_customer'",
        "WHEN s.reason IS NOT NULL THEN 'suppressed_' || s.reason",
    ]
    if policy.suppression.staff:
        lines.append(f"WHEN k.is_staff AND {only(params, 'c.category', marketing, categories)} THEN 'staff'")
    if policy.suppression.minimum_age:
        youngest = params.add(born_for(policy.suppression.minimum_age, day))
        lines.append(f"WHEN k.birth_date > {youngest} THEN 'under_age'")
    lines += _suitability(con, params, kinds, day, policy)
    lines += _consent(params, kinds, instant, policy, segments.warehouse.zone)
    channels = {f.channel for f in kinds}
    for channel in sorted(channels):
        reachable, _ = contact_sql(channel, instant, policy, segments)
        if reachable:
            here = only(params, "c.channel", [channel], channels)
            lines.append(f"WHEN {here} AND c.customer_id NOT IN ({reachable}) THEN 'not_contactable'")
    return f"CASE {' '.join(lines)} END"


def born_for(age: int, day: date) -> date:
    """The last birth date of those who are so old on a day. Born on 29 February, one comes of age on the 28th of a common year."""
    if (day.month, day.day) == (2, 28) and not isleap(day.year) and isleap(day.year - age):
        return date(day.year - age, 2, 29)
    if (day.month, day.day) == (2, 29) and not isleap(day.year - age):
        return date(day.year - age, 2, 28)
    return day.replace(year=day.year - age)


def suppressed_sql(params: Params, kinds: list[Facet], instant: datetime, policy: ThrottlePolicy) -> str:
    """Relation (customer_id, category, reason): suppressions active at the instant, one reason per customer and category."""
    moment = params.add(naive_utc(instant))
    parts = []
    for category in sorted({f.category for f in kinds}):
        purpose = policy.consent.purpose(category)
        reasons = policy.suppression.marketing if purpose == "marketing" else policy.suppression.service
        parts.append(
            f"""SELECT customer_id, {params.add(category)}::VARCHAR AS category, min(reason) AS reason FROM suppressions
                WHERE reason IN ({params.all(reasons)}) AND (since IS NULL OR since <= {moment})
                  AND (until IS NULL OR until > {moment}) GROUP BY customer_id"""
        )
    return " UNION ALL ".join(parts) or "SELECT customer_id, '' AS category, reason FROM suppressions WHERE false"


def _suitability(
    con: duckdb.DuckDBPyConnection, params: Params, kinds: list[Facet], day: date, policy: ThrottlePolicy
) -> list[str]:
    """One group of lines per product: what it needs is known here, not row by row."""
    present = {f.product_id for f in kinds}
    wanted = sorted(product for product in present if product is not None)
    if not wanted:
        return []
    rules = policy.suitability
    found = con.execute(
        "SELECT product_id, kind, risk_level FROM products WHERE list_contains(?::INTEGER[], product_id)", [wanted]
    ).fetchall()
    products = {product: (kind, level) for product, kind, level in found}
    listed, today = params.all(rules.levels), params.add(day)
    unassessed = (
        f"(k.risk_level IS NULL OR k.risk_level NOT IN ({listed}) OR k.risk_assessed_on IS NULL "
        f"OR k.risk_assessed_on > {today})"
    )
    expired = f"k.risk_assessed_on <= {params.add(day - timedelta(days=rules.validity_days))}"
    lines = []
    for product in wanted:
        here = only(params, "c.product_id", [product], present)
        if product not in products:
            lines.append(f"WHEN {here} THEN 'unknown_product'")
            continue
        kind, level = products[product]
        if kind not in rules.kinds:
            continue
        if level not in rules.levels:
            # An unrated product suits nobody; a level that the policy does not list is as good as none.
            lines.append(f"WHEN {here} THEN 'product_unrated'")
            continue
        lines.append(f"WHEN {here} AND {unassessed} THEN 'risk_never_assessed'")
        lines.append(f"WHEN {here} AND {expired} THEN 'risk_assessment_expired'")
        if below := rules.levels[: rules.levels.index(level)]:
            lines.append(f"WHEN {here} AND k.risk_level IN ({params.all(below)}) THEN 'risk_too_high'")
    return lines


def _consent(
    params: Params, kinds: list[Facet], instant: datetime, policy: ThrottlePolicy, zone: ZoneInfo
) -> list[str]:
    lines = []
    rules = policy.consent
    moment = params.add(naive_utc(instant))
    channels, categories = {f.channel for f in kinds}, {f.category for f in kinds}
    for channel, purpose in sorted({(f.channel, rules.purpose(f.category)) for f in kinds}):
        mine = [category for category in categories if rules.purpose(category) == purpose]
        here = f"{only(params, 'c.channel', [channel], channels)} AND {only(params, 'c.category', mine, categories)}"
        given = f"SELECT customer_id FROM consents WHERE channel = {params.add(channel)} AND purpose = {params.add(purpose)}"
        if rules.assumed or channel in rules.not_needed:
            lines.append(f"WHEN {here} AND c.customer_id IN ({given} AND NOT opted_in) THEN 'no_consent'")
            continue
        # A record that is newer than the instant says nothing about it.
        given += f" AND opted_in AND (updated_at IS NULL OR updated_at <= {moment})"
        lines.append(f"WHEN {here} AND c.customer_id NOT IN ({given}) THEN 'no_consent'")
        if rules.term_days is not None:
            # By bank days, like an assessment; a consent of unknown age may be older than its term.
            oldest = instant.astimezone(zone).date() - timedelta(days=rules.term_days - 1)
            alive = f"updated_at >= {params.add(naive_utc(day_start(oldest, zone)))}"
            lines.append(f"WHEN {here} AND c.customer_id NOT IN ({given} AND {alive}) THEN 'consent_lapsed'")
    return lines


def quiet_facets(
    kinds: list[Facet], instant: datetime, policy: ThrottlePolicy, segments: Segments
) -> dict[tuple[str, str, str], Quiet]:
    """(channel, category, zone) → the quiet hours that hold for it at the instant, by the clock of that zone."""
    bank = segments.warehouse.zone
    days = (policy.holidays_added, policy.workdays_added)
    found = {
        (f.channel, f.category, f.zone): quiet_at(
            policy.quiet_hours, f.channel, f.category, instant, _zone(f.zone, bank), *days
        )
        for f in kinds
    }
    return {kind: quiet for kind, quiet in found.items() if quiet}


def _zone(name: str, bank: ZoneInfo) -> ZoneInfo:
    """A candidate's zone; the bank's where it has none, or one that does not exist."""
    return ZoneInfo(name) if name in _ZONES else bank
