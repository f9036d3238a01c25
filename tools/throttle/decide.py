"""The one decision about a touch: send it, defer it, or abandon it, and the rule that decided. Set-based."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import duckdb

from tools.segment import Segments
from tools.throttle.caps import STANDING, Past, count_customers, free_at, oldest, rolls
from tools.throttle.contest import settle
from tools.throttle.limits import Limit, limits_of
from tools.throttle.people import duplicates
from tools.throttle.policy import ThrottlePolicy
from tools.throttle.rules import Facet, facets, only, quiet_facets, rule_sql, suppressed_sql
from tools.throttle.sql import Params, execute, relation, temp_name
from warehouse.clock import naive_utc, to_utc

COLUMNS = (
    "customer_id", "campaign_id", "node_id", "channel", "category", "priority", "product_id", "touch_id", "arm", "wave",
)  # fmt: skip


def decide(
    con: duckdb.DuckDBPyConnection,
    candidates: str,
    instant: datetime,
    policy: ThrottlePolicy,
    segments: Segments,
    history: tuple[str, ...] = ("touches",),
    *,
    limits: Mapping[str, int] | None = None,
    ignore_quiet: bool = False,
    reserved: str | None = STANDING,
) -> str:
    """Decide all candidates of one tick together. Reads only; writes nothing but TEMP tables of `con`.

    Call it inside the transaction that also writes the reservations (`Warehouse.writer()`): between a decision and its
    reservation nobody else may decide. A deferred candidate that is presented again is judged by every rule anew.

    Args:
        con: the connection that sees the candidates, the history relations and the canonical tables.
        candidates: relation with `COLUMNS` (touch_id unique) and optionally `expires_at`, the instant after which a
            candidate that has been deferred before is abandoned, and `zone`, whose clock quiet hours go by (the bank's
            where it is NULL or unknown).
        instant: aware; a naive one is bank time. Records later than it (touches, consents, suppressions, assessments)
            say nothing about it.
        segments: compiles the contact rules; its warehouse tells the zone, its actor the branch scope.
        history: relations with the columns of `touches` that caps count: touches, reservations, the overlay of a dry run.
        limits: campaign_id → how many of its candidates may be sent at most; the rest, in the order of arbitration, is
            abandoned by the rule `max_touches`.
        ignore_quiet: leave quiet hours out (the waterfall asks who could be reached, not when).
        reserved: relation (touch_id, campaign_id, customer_id, channel, category, planned_at, made_at) of the plan's
            reservations that stand; one that is not there holds none. Those made by the instant count for others; a
            candidate with one of its own uses it up and goes before its rivals.

    Returns:
        Name of a TEMP table: `COLUMNS`, `expires_at`, decision ('send' | 'defer' | 'abandon'), rule ('allowed' for a
        send), until (naive UTC, only for 'defer'). Exactly one row per candidate. Drop it when done.

    Raises:
        AdminFixes: the policy's contact rule does not fit the catalog.
    """
    zone = segments.warehouse.zone
    instant = to_utc(instant, segments.warehouse.zone)
    present = {str(row[0]) for row in con.execute(f"DESCRIBE {relation(candidates)}").fetchall()}
    found = facets(con, candidates, zoned="zone" in present)
    kinds = sorted({(f.channel, f.category) for f in found})
    needed = limits_of(kinds, policy)
    mine = [limit for limit in needed if limit.per == "customer"]
    if reserved and not _exists(con, reserved):
        reserved = None
    past = Past(history, reserved, _own(con, candidates, reserved, instant))
    used = count_customers(con, candidates, mine, instant, policy, zone, past)
    answer = _judge(con, candidates, present, found, mine, used, instant, policy, segments, past, ignore_quiet)
    stopped = settle(con, answer, used, kinds, needed, limits or {}, instant, policy, zone, past)
    if stopped:
        con.execute(
            f"""UPDATE {answer} a SET decision = x.decision, rule = x.rule, until = x.until FROM (
                  SELECT n, {_OUTCOME} FROM (SELECT s.n, s.rule, s.until, d.expires_at FROM {stopped} s
                    JOIN (SELECT rowid AS n, expires_at FROM {answer}) d USING (n))) x
                WHERE a.rowid = x.n"""
        )
    for table in (used, stopped, past.own):
        if table:
            con.execute(f"DROP TABLE {table}")
    return answer


_OUTCOME = """
    CASE WHEN rule IS NULL THEN 'send' WHEN until <= expires_at THEN 'defer' ELSE 'abandon' END AS decision,
    CASE WHEN rule IS NULL THEN 'allowed' WHEN until > expires_at THEN rule || '_expired' ELSE rule END AS rule,
    CASE WHEN until <= expires_at THEN until END AS until"""
"""From (rule, until, expires_at): a rule with an `until` defers, unless that would be too late."""


def _exists(con: duckdb.DuckDBPyConnection, name: str) -> bool:
    """Whether a relation is there: a warehouse that nothing was ever delivered from has no reservations."""
    found = con.execute(
        "SELECT 1 FROM duckdb_views() WHERE view_name = $name UNION SELECT 1 FROM duckdb_tables() WHERE table_name = $name",
        {"name": relation(name)},
    ).fetchall()
    return bool(found)


def _own(con: duckdb.DuckDBPyConnection, candidates: str, reserved: str | None, instant: datetime) -> str | None:
    """TEMP table (touch_id) of the candidates that hold a reservation; None where nobody does."""
    if reserved is None:
        return None
    table = temp_name("own")
    con.execute(
        f"""CREATE TEMP TABLE {table} AS SELECT touch_id FROM {relation(candidates)}
            SEMI JOIN (SELECT touch_id FROM {relation(reserved)} WHERE made_at <= $now) USING (touch_id)""",
        {"now": naive_utc(instant)},
    )
    return table


def _judge(
    con: duckdb.DuckDBPyConnection,
    candidates: str,
    present: set[str],
    kinds: list[Facet],
    limits: list[Limit],
    used: str,
    instant: datetime,
    policy: ThrottlePolicy,
    segments: Segments,
    past: Past,
    ignore_quiet: bool,
) -> str:
    """TEMP table of the answer, in one pass: every rule except those about rivals, who share what is left."""
    twins, params = duplicates(con, candidates, instant, policy, past), Params()
    answer, zone = temp_name("decided"), segments.warehouse.zone
    latest = f"{params.add(naive_utc(instant + timedelta(hours=policy.defer_expires_hours)))}::TIMESTAMP"
    own = rule_sql(con, params, kinds, instant, policy, segments)
    if "expires_at" in present:
        own = f"coalesce({own}, CASE WHEN c.expires_at < {params.add(naive_utc(instant))} THEN 'deferral_expired' END)"
    quiet_rule, quiet_until = _quiet(params, kinds, instant, policy, segments) if not ignore_quiet else ("NULL", "NULL")
    full = _full(params, kinds, limits)
    frees = [
        f"WHEN {number} THEN {free_at(limit, 'c', params, instant, zone)}"
        for number, limit in enumerate(limits)
        if limit.frees
    ]
    rules = " ".join(f"WHEN {number} THEN {params.add(limit.rule)}" for number, limit in enumerate(limits))
    cap_until = f"CASE full_limit {' '.join(frees)} END" if frees else "NULL"
    expiry = f"coalesce(c.expires_at, {latest})" if "expires_at" in present else latest
    columns = ", ".join(f"c.{name}" for name in COLUMNS)
    categories = {f.category for f in kinds}
    same = "s.customer_id = c.customer_id" + (" AND s.category = c.category" if len(categories) > 1 else "")
    execute(
        con,
        f"""CREATE TEMP TABLE {answer} AS
            WITH c AS (SELECT * REPLACE (coalesce(category, 'marketing') AS category) FROM {relation(candidates)}),
            judged AS (
              SELECT {columns}, {expiry} AS expires_at, {own} AS own_rule, {quiet_rule} AS quiet_rule,
                {quiet_until}::TIMESTAMP AS quiet_until, {full} AS full_limit{"".join(f", u.{oldest(limit)}" for limit in limits if rolls(limit))}
              FROM c LEFT JOIN customers k ON k.customer_id = c.customer_id
              LEFT JOIN {twins} d
                ON d.customer_id = c.customer_id AND d.campaign_id = c.campaign_id AND d.node_id = c.node_id
              LEFT JOIN ({suppressed_sql(params, kinds, instant, policy)}) s ON {same}
              LEFT JOIN {used} u ON u.customer_id = c.customer_id),
            ruled AS (
              SELECT {columns}, expires_at, coalesce(own_rule, quiet_rule, {f"CASE full_limit {rules} END" if rules else "NULL"})
                AS rule, CASE WHEN own_rule IS NOT NULL THEN NULL WHEN quiet_rule IS NOT NULL THEN quiet_until
                ELSE {cap_until} END AS until
              FROM judged c)
            SELECT * EXCLUDE (rule, until), {_OUTCOME} FROM ruled""",
        params,
    )
    con.execute(f"DROP TABLE {twins}")
    return answer


def _full(params: Params, kinds: list[Facet], limits: Sequence[Limit]) -> str:
    """SQL: the number of the first limit that a candidate without rivals runs into."""
    channels, categories = {f.channel for f in kinds}, {f.category for f in kinds}
    lines = []
    for number, limit in enumerate(limits):
        tests = [f"coalesce(u.{limit.column}, 0) >= {params.add(limit.max)}"]
        if limit.channels:
            tests.append(only(params, "c.channel", limit.channels, channels))
        concerned = {k for k in categories if any(limit.concerns((c, k)) for c in channels)}
        tests.append(only(params, "c.category", concerned, categories))
        if limit.tiers:
            tests.append(f"k.tier IN ({params.all(limit.tiers)})")
        lines.append(f"WHEN {' AND '.join(test for test in tests if test != 'true')} THEN {number}")
    return f"CASE WHEN u.rivals > 1 THEN NULL {' '.join(lines)} END::INTEGER" if lines else "NULL::INTEGER"


def _quiet(
    params: Params, kinds: list[Facet], instant: datetime, policy: ThrottlePolicy, segments: Segments
) -> tuple[str, str]:
    """SQL of the quiet hours' rule and end for a candidate; NULL where none hold."""
    rules, ends = [], []
    for (channel, category, zone), quiet in quiet_facets(kinds, instant, policy, segments).items():
        here = [
            only(params, "c.channel", [channel], {f.channel for f in kinds}),
            only(params, "c.category", [category], {f.category for f in kinds}),
        ]
        if len({f.zone for f in kinds}) > 1:
            here.append(f"coalesce(c.zone, '') = {params.add(zone)}")
        test = " AND ".join(here)
        rules.append(f"WHEN {test} THEN {params.add('quiet_' + quiet.rule)}")
        if quiet.action == "defer":
            ends.append(f"WHEN {test} THEN {params.add(naive_utc(quiet.until))}")
    return (
        f"CASE {' '.join(rules)} END" if rules else "NULL",
        f"CASE {' '.join(ends)} END" if ends else "NULL",
    )
