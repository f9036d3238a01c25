"""The one decision about a touch: send it, defer it, or abandon it, and the rule that decided. Set-based."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import duckdb

from tools.segment import Segments
from tools.throttle.caps import arbitrate
from tools.throttle.people import duplicates
from tools.throttle.policy import ThrottlePolicy
from tools.throttle.rules import facets, quiet_facets, rule_sql, suppressed_sql
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
) -> str:
    """Decide all candidates of one tick together. Reads only; writes nothing but TEMP tables of `con`.

    Call it inside the transaction that also writes the reservations (`Warehouse.writer()`): between a decision and its
    reservation nobody else may decide.

    Args:
        con: the connection that sees the candidates, the history relations and the canonical tables.
        candidates: relation with `COLUMNS` (touch_id unique) and optionally `expires_at`, the instant after which a
            candidate that has been deferred before is abandoned.
        instant: aware; a naive one is bank time. Records later than it (touches, consents, suppressions, assessments)
            say nothing about it.
        segments: compiles the contact rules; its warehouse tells the zone, its actor the branch scope.
        history: relations with the columns of `touches` that caps count: touches, reservations, the overlay of a dry run.
        limits: campaign_id → how many of its candidates may be sent at most; the rest, in the order of arbitration, is
            abandoned by the rule `max_touches`.
        ignore_quiet: leave quiet hours out (the waterfall asks who could be reached, not when).

    Returns:
        Name of a TEMP table: `COLUMNS`, `expires_at`, decision ('send' | 'defer' | 'abandon'), rule ('allowed' for a
        send), until (naive UTC, only for 'defer'). Exactly one row per candidate. Drop it when done.

    Raises:
        AdminFixes: the policy's contact rule does not fit the catalog.
    """
    instant = to_utc(instant, segments.warehouse.zone)
    answer, eligible = temp_name("decided"), temp_name("eligible")
    _judge(con, answer, candidates, instant, policy, segments, history, ignore_quiet)
    con.execute(
        f"""CREATE TEMP TABLE {eligible} AS SELECT rowid AS n, touch_id, customer_id, channel, category, priority
            FROM {answer} WHERE decision = 'send'"""
    )
    capped = arbitrate(con, eligible, instant, facets(con, answer), policy, segments.warehouse.zone, history)
    # Only the few that a cap stops are written again: rewriting all candidates took as long as judging them.
    con.execute(
        f"""UPDATE {answer} a SET decision = x.decision, rule = x.rule, until = x.until FROM (
              SELECT n, {_OUTCOME} FROM (SELECT c.n, c.rule, c.until, d.expires_at FROM {capped} c
                JOIN (SELECT rowid AS n, expires_at FROM {answer}) d USING (n))) x
            WHERE a.rowid = x.n"""
    )
    for table in (eligible, capped):
        con.execute(f"DROP TABLE {table}")
    if limits:
        _limit(con, answer, limits)
    return answer


_OUTCOME = """
    CASE WHEN rule IS NULL THEN 'send' WHEN until <= expires_at THEN 'defer' ELSE 'abandon' END AS decision,
    CASE WHEN rule IS NULL THEN 'allowed' WHEN until > expires_at THEN rule || '_expired' ELSE rule END AS rule,
    CASE WHEN rule IS NOT NULL AND until <= expires_at THEN until END AS until"""
"""From (rule, until, expires_at): a rule with an `until` defers, unless that would be too late."""


def _judge(
    con: duckdb.DuckDBPyConnection,
    answer: str,
    candidates: str,
    instant: datetime,
    policy: ThrottlePolicy,
    segments: Segments,
    history: tuple[str, ...],
    ignore_quiet: bool,
) -> None:
    """Make the answer table as far as the rules about a customer and quiet hours decide it."""
    kinds = facets(con, candidates)
    twins = duplicates(con, candidates, instant, policy, history)
    params = Params()
    rule = rule_sql(params, kinds, instant, policy, segments)
    quiet = {} if ignore_quiet else quiet_facets(kinds, instant, policy, segments)
    quiet_rows = ", ".join(
        f"({params.add(channel)}, {params.add(category)}, {params.add('quiet_' + q.rule)}, "
        f"{params.add(naive_utc(q.until) if q.action == 'defer' else None)}::TIMESTAMP)"
        for (channel, category), q in quiet.items()
    )
    quiet_sql = (
        f"(VALUES {quiet_rows}) q (channel, category, rule, until)"
        if quiet
        else "(SELECT '' AS channel, '' AS category, '' AS rule, NULL::TIMESTAMP AS until WHERE false) q"
    )
    has_expiry = any(row[0] == "expires_at" for row in con.execute(f"DESCRIBE {relation(candidates)}").fetchall())
    latest = params.add(naive_utc(instant + timedelta(hours=policy.defer_expires_hours)))
    expiry = f"coalesce(expires_at, {latest})" if has_expiry else f"{latest}::TIMESTAMP"
    columns = ", ".join(COLUMNS)
    execute(
        con,
        f"""CREATE TEMP TABLE {answer} AS
            WITH c AS (SELECT {columns}, {expiry} AS expires_at
                       FROM (SELECT * REPLACE (coalesce(category, 'marketing') AS category) FROM {relation(candidates)})),
            own AS (
              SELECT c.*, {rule} AS own_rule
              FROM c LEFT JOIN customers k ON k.customer_id = c.customer_id
              LEFT JOIN products p ON p.product_id = c.product_id
              LEFT JOIN {twins} d
                ON d.customer_id = c.customer_id AND d.campaign_id = c.campaign_id AND d.node_id = c.node_id
              LEFT JOIN ({suppressed_sql(params, kinds, instant, policy)}) s
                ON s.customer_id = c.customer_id AND s.category = c.category),
            ruled AS (
              SELECT own.* EXCLUDE (own_rule), coalesce(own_rule, q.rule) AS rule,
                CASE WHEN own_rule IS NULL THEN q.until END AS until
              FROM own LEFT JOIN {quiet_sql} ON q.channel = own.channel AND q.category = own.category)
            SELECT * EXCLUDE (rule, until), {_OUTCOME} FROM ruled""",
        params,
    )
    con.execute(f"DROP TABLE {twins}")


def _limit(con: duckdb.DuckDBPyConnection, decided: str, limits: Mapping[str, int]) -> None:
    """Beyond a campaign's maximum of touches, its sends become abandoned."""
    params = Params()
    rows = ", ".join(f"({params.add(campaign)}, {params.add(max(0, n))}::BIGINT)" for campaign, n in limits.items())
    execute(
        con,
        f"""UPDATE {decided} d SET decision = 'abandon', rule = 'max_touches' FROM (
              SELECT s.touch_id FROM (
                SELECT touch_id, campaign_id,
                  row_number() OVER (PARTITION BY campaign_id ORDER BY priority DESC, md5(touch_id), touch_id) AS place
                FROM {decided} WHERE decision = 'send') s
              JOIN (VALUES {rows}) l (campaign_id, most) USING (campaign_id) WHERE s.place > l.most) x
            WHERE x.touch_id = d.touch_id""",
        params,
    )
