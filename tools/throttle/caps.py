"""Frequency caps: counting what a customer has had, and letting the candidates of one tick compete for what is left.

A touch counts from `sent_at`, or from `decided_at` while it is only reserved. Candidates are taken per customer by
priority, then by the md5 of their touch id; one that passes uses up the caps for those after it, one that is stopped
uses up nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import duckdb

from tools.throttle.calendar import window_next, window_start
from tools.throttle.policy import Cap, ThrottlePolicy
from tools.throttle.rules import Facet
from tools.throttle.sql import Params, execute, relation, temp_name
from warehouse.clock import naive_utc


@dataclass(frozen=True)
class Counter:
    """One number to count per customer: a cap within one of its scopes (`channel` and `category` empty mean any)."""

    column: str
    cap: Cap
    channel: str = ""
    category: str = ""

    def applies(self, params: Params, row: str) -> str:
        """SQL: the cap limits, and counts, this candidate or touch."""
        tests = []
        if self.channel:
            tests.append(f"{row}.channel = {params.add(self.channel)}")
        if self.category:
            tests.append(f"coalesce({row}.category, 'marketing') = {params.add(self.category)}")
        if self.cap.channels:
            tests.append(f"{row}.channel IN ({params.all(self.cap.channels)})")
        if self.cap.exempt_categories:
            exempt = params.all(self.cap.exempt_categories)
            tests.append(f"coalesce({row}.category, 'marketing') NOT IN ({exempt})")
        return " AND ".join(tests) or "true"


def counters(kinds: list[Facet], policy: ThrottlePolicy) -> list[Counter]:
    """The counters that these kinds of candidates can run into, in the order of the policy."""
    found: list[Counter] = []
    for number, cap in enumerate(policy.caps):
        mine = [
            f
            for f in kinds
            if f.category not in cap.exempt_categories and (not cap.channels or f.channel in cap.channels)
        ]
        if not mine:
            continue
        if cap.scope == "global":
            found.append(Counter(f"k{number}", cap))
            continue
        values = sorted({getattr(f, cap.scope) for f in mine})
        found += [Counter(f"k{number}_{place}", cap, **{cap.scope: value}) for place, value in enumerate(values)]
    return found


def counted_touches(policy: ThrottlePolicy, history: tuple[str, ...], params: Params, instant: datetime) -> str:
    """Relation (campaign_id, customer_id, channel, category, moment) of the touches that reached, or may have reached, somebody."""
    moment, states = params.add(naive_utc(instant)), params.all(policy.statuses_not_counted)
    return " UNION ALL ".join(
        f"SELECT campaign_id, customer_id, channel, category, coalesce(sent_at, decided_at) AS moment FROM {relation(name)} h "
        f"WHERE coalesce(sent_at, decided_at) <= {moment} AND (status IS NULL OR status NOT IN ({states}))"
        for name in history
    )


def arbitrate(
    con: duckdb.DuckDBPyConnection,
    eligible: str,
    instant: datetime,
    kinds: list[Facet],
    policy: ThrottlePolicy,
    zone: ZoneInfo,
    history: tuple[str, ...],
) -> str:
    """Decide who of the eligible candidates stays under the caps.

    Args:
        eligible: relation (n, touch_id, customer_id, channel, category, priority), one row per candidate; n names it.

    Returns:
        TEMP table (n, rule, until) of the candidates that a cap stops; `until` is set where the cap defers.
    """
    needed = counters(kinds, policy)
    stopped = temp_name("capped")
    con.execute(f"CREATE TEMP TABLE {stopped} (n BIGINT, rule VARCHAR, until TIMESTAMP)")
    if not needed:
        return stopped
    used = _count(con, eligible, instant, needed, policy, zone, history)
    rivals = temp_name("rivals")
    con.execute(
        f"""CREATE TEMP TABLE {rivals} AS
            SELECT e.*, row_number() OVER (PARTITION BY customer_id ORDER BY priority DESC, md5(touch_id), touch_id) AS place
            FROM {eligible} e SEMI JOIN
              (SELECT customer_id FROM {eligible} GROUP BY 1 HAVING count(*) > 1) m USING (customer_id)"""
    )
    longest = con.execute(f"SELECT coalesce(max(place), 0) FROM {rivals}").fetchall()[0][0]
    alone = f"(FROM {eligible} ANTI JOIN {rivals} USING (customer_id))" if longest else eligible
    _stop(con, stopped, alone, used, needed)
    if longest:
        # Customers without a row of counts have had nothing yet; rivals need one to be counted in.
        blank = ", ".join(f"0 AS {c.column}" for c in needed)
        con.execute(
            f"INSERT INTO {used} BY NAME SELECT DISTINCT customer_id, {blank} FROM {rivals} ANTI JOIN {used} "
            "USING (customer_id)"
        )
    for place in range(1, longest + 1):
        row = f"(SELECT * FROM {rivals} WHERE place = {place})"
        _stop(con, stopped, row, used, needed)
        params = Params()
        more = ", ".join(
            f"{c.column} = u.{c.column} + (CASE WHEN {c.applies(params, 'r')} THEN 1 ELSE 0 END)" for c in needed
        )
        execute(
            con,
            f"UPDATE {used} u SET {more} FROM (FROM {row} ANTI JOIN {stopped} USING (n)) r "
            "WHERE r.customer_id = u.customer_id",
            params,
        )
    _when_free(con, stopped, eligible, instant, needed, policy, zone, history)
    for table in (used, rivals):
        con.execute(f"DROP TABLE {table}")
    return stopped


def _count(
    con: duckdb.DuckDBPyConnection,
    eligible: str,
    instant: datetime,
    needed: list[Counter],
    policy: ThrottlePolicy,
    zone: ZoneInfo,
    history: tuple[str, ...],
) -> str:
    """TEMP table (customer_id, one column per counter): one pass over the touches of the longest window."""
    params, table = Params(), temp_name("used")
    columns, starts = [], []
    for counter in needed:
        start, inclusive = window_start(counter.cap.window, instant, zone)
        starts.append(start)
        within = f"h.moment {'>=' if inclusive else '>'} {params.add(naive_utc(start))}"
        columns.append(
            f"(count(*) FILTER (WHERE {within} AND {counter.applies(params, 'h')}))::INTEGER AS {counter.column}"
        )
    execute(
        con,
        f"""CREATE TEMP TABLE {table} AS SELECT h.customer_id, {", ".join(columns)}
            FROM ({counted_touches(policy, history, params, instant)}) h
            WHERE h.moment >= {params.add(naive_utc(min(starts)))}
              AND h.customer_id IN (SELECT customer_id FROM {eligible})
            GROUP BY h.customer_id""",
        params,
    )
    return table


def _stop(con: duckdb.DuckDBPyConnection, stopped: str, rows: str, used: str, needed: list[Counter]) -> None:
    params = Params()
    lines = " ".join(
        f"WHEN {c.applies(params, 'e')} AND coalesce(u.{c.column}, 0) >= {params.add(c.cap.max)} "
        f"THEN {params.add('cap_' + c.cap.name)}"
        for c in needed
    )
    execute(
        con,
        f"""INSERT INTO {stopped} SELECT n, rule, NULL FROM (
              SELECT e.n, CASE {lines} END AS rule FROM {rows} e LEFT JOIN {used} u USING (customer_id))
            WHERE rule IS NOT NULL""",
        params,
    )


def _when_free(
    con: duckdb.DuckDBPyConnection,
    stopped: str,
    eligible: str,
    instant: datetime,
    needed: list[Counter],
    policy: ThrottlePolicy,
    zone: ZoneInfo,
    history: tuple[str, ...],
) -> None:
    """Fill `until` for caps that defer: when the oldest touch that is one too many leaves the window.

    A calendar window is free at the start of the next one. In a rolling window a rival of the same tick counts as made
    now, so whoever lost only to rivals waits a whole window. A cap of 0 never frees: such candidates stay abandoned.
    """
    for counter in needed:
        cap = counter.cap
        if cap.over != "defer" or cap.max == 0:
            continue
        params = Params()
        rule, next_free = params.add("cap_" + cap.name), params.add(naive_utc(window_next(cap.window, instant, zone)))
        if cap.window.window == "calendar":
            execute(con, f"UPDATE {stopped} SET until = {next_free} WHERE rule = {rule}", params)
            continue
        start, _ = window_start(cap.window, instant, zone)
        hours, most = params.add(cap.window.hours), params.add(cap.max)
        execute(
            con,
            f"""UPDATE {stopped} t SET until = coalesce(f.free, {next_free}) FROM (
                  SELECT e.n, (SELECT nth FROM (SELECT list_sort(list(h.moment), 'DESC')[{most}::INTEGER] AS nth
                    FROM ({counted_touches(policy, history, params, instant)}) h
                    WHERE h.customer_id = e.customer_id AND h.moment > {params.add(naive_utc(start))}
                      AND {counter.applies(params, "h")})) + to_hours({hours}::INTEGER) AS free
                  FROM {eligible} e SEMI JOIN {stopped} s ON s.n = e.n AND s.rule = {rule}
                  WHERE {counter.applies(params, "e")}) f
                WHERE f.n = t.n AND t.rule = {rule}""",
            params,
        )
