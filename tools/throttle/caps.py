"""Counting what customers, sending accounts and channels have had: one grouped pass over the touches of the widest window.

A touch counts from `sent_at`, or from `decided_at` where that is missing. One that is still queued counts as made now,
however long ago it was decided: it may leave at any moment, and then uses up the windows of that moment. A reservation of
the nightly plan counts in every window that holds both its moment and the instant of the decision: what is decided now
must leave room for it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb

from tools.throttle.calendar import window_next, window_start
from tools.throttle.limits import Limit
from tools.throttle.policy import Rolling, ThrottlePolicy
from tools.throttle.sql import Params, execute, relation, temp_name
from warehouse.clock import naive_utc

STANDING = "standing_reservations"
"""The relation of a warehouse in which delivery shows the reservations of the nightly plan that stand."""
_OPEN = "'queued', 'reserved'"
"""Statuses of touches that are decided and have not left."""
_NOT_OPEN = f"(status IS NULL OR status NOT IN ({_OPEN}))"


@dataclass(frozen=True)
class Past:
    """What counts already.

    `history` names relations with the columns of `touches`; `reserved` one with (touch_id, campaign_id, customer_id,
    channel, category, planned_at, made_at) of the reservations that stand, or is None. `own` is a relation of touch ids whose
    reservations do not count, because they are among the candidates themselves.
    """

    history: tuple[str, ...]
    reserved: str | None = None
    own: str | None = None


def counted_touches(
    policy: ThrottlePolicy,
    past: Past,
    params: Params,
    instant: datetime,
    since: datetime | None = None,
    until: datetime | None = None,
) -> str:
    """Relation (campaign_id, customer_id, channel, category, moment): touches that reached, or may have reached, somebody
    up to the instant, and reservations before `until`; none before `since`."""
    now, states = params.add(naive_utc(instant)), params.all(policy.statuses_not_counted)
    later = f" AND {{0}} >= {params.add(naive_utc(since))}" if since else ""
    columns = "campaign_id, customer_id, channel, category"
    parts = []
    for name in past.history:
        # Scans with plain comparisons, so that the time bound reaches the storage: touches lie there by time.
        for moment, which in (("sent_at", ""), ("decided_at", f"sent_at IS NULL AND {_NOT_OPEN} AND ")):
            parts.append(
                f"""SELECT {columns}, {moment} AS moment FROM {relation(name)} WHERE {which}{moment} <= {now}
                    {later.format(moment)} AND (status IS NULL OR status NOT IN ({states}))"""
            )
        parts.append(
            f"""SELECT {columns}, {now}::TIMESTAMP AS moment FROM {relation(name)}
                WHERE sent_at IS NULL AND status IN ({_OPEN}) AND decided_at <= {now} AND status NOT IN ({states})"""
        )
    if past.reserved and until is not None:
        mine = f" AND touch_id NOT IN (SELECT touch_id FROM {relation(past.own)})" if past.own else ""
        parts.append(
            f"""SELECT {columns}, planned_at AS moment FROM {relation(past.reserved)}
                WHERE made_at <= {now} AND planned_at < {params.add(naive_utc(until))}{later.format("planned_at")}{mine}"""
        )
    return " UNION ALL ".join(parts)


def span(limits: Sequence[Limit], instant: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """From when and until when a touch or reservation can matter to any of the limits."""
    starts = [window_start(limit.window, instant, zone)[0] for limit in limits]
    return min(starts), max(window_next(limit.window, instant, zone) for limit in limits)


def free_at(limit: Limit, row: str, params: Params, instant: datetime, zone: ZoneInfo) -> str:
    """SQL: when there is room again for somebody over a limit that waits; NULL for one that does not.

    A calendar window frees at its end. A rolling one when the oldest touch that is one too many leaves it; whoever lost
    only to rivals of the same tick waits a whole window, because they count as made now.
    """
    if not limit.frees:
        return "NULL::TIMESTAMP"
    end = f"{params.add(naive_utc(window_next(limit.window, instant, zone)))}::TIMESTAMP"
    if not isinstance(limit.window, Rolling):
        return end
    return f"coalesce({row}.{oldest(limit)} + {params.add(timedelta(hours=limit.window.hours))}, {end})"


def count_customers(
    con: duckdb.DuckDBPyConnection,
    candidates: str,
    limits: Sequence[Limit],
    instant: datetime,
    policy: ThrottlePolicy,
    zone: ZoneInfo,
    past: Past,
) -> str:
    """TEMP table of the customers who are at one of their limits or have several candidates; nobody else needs a row.

    Columns: customer_id, rivals (so many candidates; 0 where none has more than one), a count per limit and, where a
    rolling limit defers, `<count>_oldest`: the moment of the oldest touch that is one too many. A limit of 0 stops
    everybody and puts nobody on the list.
    """
    table, candidates = temp_name("used"), relation(candidates)
    names = ["rivals", *(limit.column for limit in limits), *(oldest(limit) for limit in limits if rolls(limit))]
    counted = _counted(con, candidates, limits, instant, policy, zone, past)
    full = [f"{limit.column} >= {limit.max}" for limit in limits if limit.max]
    if not _has_rivals(con, candidates):
        sql, params = counted if counted else ("SELECT 0::BIGINT AS customer_id", Params())
        chosen = ", ".join(["customer_id", "0 AS rivals", *names[1:]])
        condition = " OR ".join(full) or "false"
        execute(con, f"CREATE TEMP TABLE {table} AS SELECT {chosen} FROM ({sql}) WHERE {condition}", params)
        return table
    rivals = f"SELECT customer_id, count(*) AS rivals FROM {candidates} GROUP BY 1"
    sql, params = counted if counted else ("SELECT NULL::BIGINT AS customer_id", Params())
    columns = [
        "coalesce(r.rivals, 0) AS rivals",
        *(f"coalesce({limit.column}, 0) AS {limit.column}" for limit in limits),
    ]
    columns += names[1 + len(limits) :]
    execute(
        con,
        f"""CREATE TEMP TABLE {table} AS SELECT * FROM (
              SELECT r.customer_id, {", ".join(columns)} FROM ({rivals}) r LEFT JOIN ({sql}) h USING (customer_id))
            WHERE {" OR ".join(["rivals > 1", *full])}""",
        params,
    )
    return table


def rolls(limit: Limit) -> bool:
    """Whether its count needs to tell when it frees."""
    return limit.frees and isinstance(limit.window, Rolling)


def oldest(limit: Limit) -> str:
    """The column with the moment of the oldest touch that is one too many."""
    return f"{limit.column}_oldest"


def _counted(
    con: duckdb.DuckDBPyConnection,
    candidates: str,
    limits: Sequence[Limit],
    instant: datetime,
    policy: ThrottlePolicy,
    zone: ZoneInfo,
    past: Past,
) -> tuple[str, Params] | None:
    """The one grouped pass: customer_id, the counts, and the moments of `oldest`. What all limits ask of a category is
    asked once, before grouping."""
    if not limits:
        return None
    params, columns = Params(), []
    alike = len({(limit.only, limit.exempt) for limit in limits}) == 1
    where = limits[0].of_category(params, "h") if alike else []
    if among := _among(con, candidates):
        where.append(among)
    for limit in limits:
        tests = [limit.within(params, "h.moment", instant, zone, ahead=past.reserved is not None)]
        tests += [f"h.channel IN ({params.all(limit.channels)})"] if limit.channels else []
        tests += [] if alike else limit.of_category(params, "h")
        mine = f"FILTER (WHERE {' AND '.join(tests)})"
        columns.append(f"(count(*) {mine})::INTEGER AS {limit.column}")
        if rolls(limit):
            columns.append(f"(max(h.moment, {limit.max}) {mine})[-1] AS {oldest(limit)}")
    since, until = span(limits, instant, zone)
    touches = counted_touches(policy, past, params, instant, since, until)
    condition = f"WHERE {' AND '.join(where)}" if where else ""
    return f"SELECT h.customer_id, {', '.join(columns)} FROM ({touches}) h {condition} GROUP BY h.customer_id", params


def _has_rivals(con: duckdb.DuckDBPyConnection, candidates: str) -> bool:
    """Whether any customer has several candidates. Counting bits is ten times as fast as grouping; it needs numbers that
    lie close together."""
    n, low, high = con.execute(f"SELECT count(*), min(customer_id), max(customer_id) FROM {candidates}").fetchall()[0]
    if n < 2:
        return False
    if high - low > max(1_000_000, 20 * n):
        return bool(con.execute(f"SELECT count(*) <> count(DISTINCT customer_id) FROM {candidates}").fetchall()[0][0])
    bits = f"bit_count(bitstring_agg(customer_id, {int(low)}, {int(high)}))"
    return bool(con.execute(f"SELECT {bits} < {int(n)} FROM {candidates}").fetchall()[0][0])


def _among(con: duckdb.DuckDBPyConnection, candidates: str) -> str:
    """Restrict touches to the candidates' customers, unless these are most of the bank: then the test costs more than
    the touches that it saves."""
    asked, bank = con.execute(
        f"SELECT (SELECT count(*) FROM {candidates}), (SELECT count(*) FROM customers)"
    ).fetchall()[0]
    return "" if asked * 3 > bank else f"h.customer_id IN (SELECT customer_id FROM {candidates})"


@dataclass(frozen=True)
class Shared:
    """What has been used of a limit that customers share: key → how often; and when there is room again for those over it.

    The key is the manager of a sending account (-1: the bank's own), or 0 for the whole bank.
    """

    used: Mapping[int, int]
    free: Mapping[int, datetime | None]
    otherwise: datetime | None

    def free_at(self, key: int) -> datetime | None:
        return self.free.get(key, self.otherwise)


def count_shared(
    con: duckdb.DuckDBPyConnection, limit: Limit, instant: datetime, policy: ThrottlePolicy, zone: ZoneInfo, past: Past
) -> Shared:
    """Count a limit per sending account, or of the whole bank."""
    params = Params()
    since, until = span([limit], instant, zone)
    key = "coalesce(k.manager_id, -1)" if limit.per == "account" else "0"
    join = "LEFT JOIN customers k USING (customer_id)" if limit.per == "account" else ""
    mine = f"""SELECT {key} AS key, h.moment FROM ({counted_touches(policy, past, params, instant, since, until)}) h {join}
               WHERE {limit.within(params, "h.moment", instant, zone)} AND {limit.counts(params, "h")}"""
    waits = rolls(limit)
    ranked = "row_number() OVER (PARTITION BY key ORDER BY moment DESC)" if waits else "1"
    rows = execute(
        con,
        f"""SELECT key, count(*), min(moment) FILTER (WHERE place <= {params.add(limit.max)})
            FROM (SELECT key, moment, {ranked} AS place FROM ({mine})) GROUP BY key""",
        params,
    ).fetchall()
    otherwise = naive_utc(window_next(limit.window, instant, zone)) if limit.frees else None
    free = {}
    if waits and isinstance(limit.window, Rolling):
        free = {int(k): oldest + timedelta(hours=limit.window.hours) for k, _, oldest in rows if oldest}
    return Shared({int(k): int(n) for k, n, _ in rows}, free, otherwise)
