"""The rules about a customer, in the order in which they decide: One-ID, suppression, suitability, consent, contact, quiet.

Each is an SQL expression that is true for candidates `c` (joined with customers `k`) whom the rule stops.
"""

from dataclasses import dataclass
from datetime import datetime

import duckdb

from tools.segment import Segments, parse
from tools.throttle.calendar import Quiet, quiet_at
from tools.throttle.policy import ThrottlePolicy
from tools.throttle.sql import Params, relation
from warehouse.clock import naive_utc
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
    "not_contactable": "consented_and_contactable",
}
"""Rule → the stage of the waterfall at which it stops a candidate; suppressions are `suppressed_<reason>`."""


@dataclass(frozen=True)
class Facet:
    """One kind of candidate in a batch: few of them, whatever the number of candidates."""

    channel: str
    category: str
    product_id: int | None


def facets(con: duckdb.DuckDBPyConnection, candidates: str) -> list[Facet]:
    rows = con.execute(
        f"SELECT DISTINCT channel, category, product_id FROM {relation(candidates)} ORDER BY ALL"
    ).fetchall()
    return [Facet(str(channel), str(category or "marketing"), product) for channel, category, product in rows]


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


def rule_sql(params: Params, kinds: list[Facet], instant: datetime, policy: ThrottlePolicy, segments: Segments) -> str:
    """A CASE over candidates `c`, customers `k`, duplicates `d`, suppressions `s` and products `p` that names the first
    rule, short of quiet hours and caps, that stops a candidate; NULL where none does."""
    moment = params.add(naive_utc(instant))
    day = params.add(instant.astimezone(segments.warehouse.zone).date())
    marketing = [k for k in {f.category for f in kinds} if policy.consent.purpose(k) == "marketing"]
    is_marketing = f"c.category IN ({params.all(sorted(marketing))})"
    lines = [
        "WHEN d.customer_id IS NOT NULL THEN 'duplicate_person'",
        "WHEN k.customer_id IS NULL THEN 'unknown_customer'",
        "WHEN s.reason IS NOT NULL THEN 'suppressed_' || s.reason",
    ]
    if policy.suppression.staff:
        lines.append(f"WHEN k.is_staff AND {is_marketing} THEN 'staff'")
    if policy.suppression.minimum_age:
        age = params.add(policy.suppression.minimum_age)
        lines.append(f"WHEN k.birth_date + to_years({age}::INTEGER) > {day} THEN 'under_age'")
    lines += _suitability(params, kinds, day, policy)
    lines += _consent(params, kinds, moment, policy)
    for channel in sorted({f.channel for f in kinds}):
        reachable, _ = contact_sql(channel, instant, policy, segments)
        if reachable:
            lines.append(
                f"WHEN c.channel = {params.add(channel)} AND c.customer_id NOT IN ({reachable}) THEN 'not_contactable'"
            )
    return f"CASE {' '.join(lines)} END"


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
    return " UNION ALL ".join(parts)


def _suitability(params: Params, kinds: list[Facet], day: str, policy: ThrottlePolicy) -> list[str]:
    products = sorted({f.product_id for f in kinds if f.product_id is not None})
    if not products:
        return []
    rules = policy.suitability
    levels = "[" + params.all(rules.levels) + "]"
    needs = f"p.kind IN ({params.all(rules.kinds)})"
    known = f"(k.risk_level IS NOT NULL AND k.risk_assessed_on IS NOT NULL AND k.risk_assessed_on <= {day})"
    age = params.add(rules.validity_days)
    return [
        "WHEN c.product_id IS NOT NULL AND p.product_id IS NULL THEN 'unknown_product'",
        # An unrated product suits nobody; a level that the policy does not list is as good as none.
        f"WHEN {needs} AND coalesce(list_position({levels}, p.risk_level), 0) = 0 THEN 'product_unrated'",
        f"WHEN {needs} AND (NOT {known} OR coalesce(list_position({levels}, k.risk_level), 0) = 0) "
        "THEN 'risk_never_assessed'",
        f"WHEN {needs} AND {day} - k.risk_assessed_on >= {age} THEN 'risk_assessment_expired'",
        f"WHEN {needs} AND list_position({levels}, p.risk_level) > list_position({levels}, k.risk_level) "
        "THEN 'risk_too_high'",
    ]


def _consent(params: Params, kinds: list[Facet], moment: str, policy: ThrottlePolicy) -> list[str]:
    lines = []
    for channel, category in sorted({(f.channel, f.category) for f in kinds}):
        purpose = params.add(policy.consent.purpose(category))
        here = params.add(channel)
        which = f"channel = {here} AND purpose = {purpose}"
        # A record that is newer than the instant says nothing about it.
        if policy.consent.assumed or channel in policy.consent.not_needed:
            test = f"IN (SELECT customer_id FROM consents WHERE {which} AND NOT opted_in)"
        else:
            test = (
                f"NOT IN (SELECT customer_id FROM consents WHERE {which} AND opted_in "
                f"AND (updated_at IS NULL OR updated_at <= {moment}))"
            )
        lines.append(
            f"WHEN c.channel = {here} AND c.category = {params.add(category)} AND c.customer_id {test} THEN 'no_consent'"
        )
    return lines


def quiet_facets(
    kinds: list[Facet], instant: datetime, policy: ThrottlePolicy, segments: Segments
) -> dict[tuple[str, str], Quiet]:
    """(channel, category) → the quiet hours that hold for it at the instant."""
    pairs = {(f.channel, f.category) for f in kinds}
    zone = segments.warehouse.zone
    days = (policy.holidays_added, policy.workdays_added)
    found = {pair: quiet_at(policy.quiet_hours, *pair, instant, zone, *days) for pair in pairs}
    return {pair: quiet for pair, quiet in found.items() if quiet}
