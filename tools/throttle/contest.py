"""Rivals of one tick: candidates that share a customer, a sending account, a channel's capacity or a campaign's maximum.

They take turns: those with a reservation of their own first (an earlier plan is not displaced), then by priority, then by
the md5 of the touch id. Whoever finds a limit full uses up nothing.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from tools.throttle.caps import Past, Shared, count_shared, free_at
from tools.throttle.limits import Kind, Limit
from tools.throttle.policy import ThrottlePolicy
from tools.throttle.sql import Params, execute, relation, temp_name
from tools.throttle.turns import Ints, Queue, stopped_by, take_turns

Columns = dict[str, npt.NDArray[np.generic]]


def settle(
    con: duckdb.DuckDBPyConnection,
    answer: str,
    used: str,
    kinds: Sequence[Kind],
    limits: Sequence[Limit],
    maxima: Mapping[str, int],
    instant: datetime,
    policy: ThrottlePolicy,
    zone: ZoneInfo,
    past: Past,
) -> str | None:
    """Let the rivals among those that may go so far take turns.

    Args:
        answer: the candidates as decided so far, each as if it had no rival.
        used: what `count_customers` made.
        maxima: campaign_id → how many of its candidates may go.

    Returns:
        TEMP table (n, rule, until) of those that are stopped, n being the rowid in `answer`; None when nobody is.
    """
    shared = {
        limit: count_shared(con, limit, instant, policy, zone, past) for limit in limits if limit.per != "customer"
    }
    held = _held(con, answer, kinds, past)
    tight = _tight(con, answer, kinds, shared, held)
    cut = _cut(con, answer, maxima)
    if not tight and not cut and not con.execute(f"SELECT count(*) FROM {used} WHERE rivals > 1").fetchall()[0][0]:
        return None
    judged = [limit for limit in limits if limit.per == "customer" or limit in tight]
    params = Params()
    rows = _rivals(con, params, answer, used, kinds, judged, cut, policy, past, instant, zone)
    queues = [_queue(limit, rows, held, kinds, shared.get(limit)) for limit in judged]
    queues.append(_campaigns(rows, cut))
    goes = take_turns(queues, len(rows["n"]))
    reason = stopped_by(queues, goes)
    lost = np.flatnonzero(~goes)
    if not len(lost):
        return None
    rules = [*(limit.rule for limit in judged), "max_touches"]
    until = np.full(len(goes), np.datetime64("NaT"), "datetime64[us]")
    for number, limit in enumerate(judged):
        mine = reason == number
        if limit.frees and limit.per == "customer":
            until[mine] = rows[f"{limit.column}_free"][mine]
        elif limit.frees:
            key = queues[number].key[mine]
            frees = [shared[limit].free_at(int(k)) for k in _names(limit, rows)[mine]]
            until[mine] = np.array(frees, "datetime64[us]") if len(key) else until[mine]
    table, name = temp_name("stopped"), temp_name("lost")
    con.register(
        name,
        pa.table(
            {"n": rows["n"][lost], "rule": pa.array(np.array(rules)[reason[lost]]), "until": pa.array(until[lost])}
        ),
    )
    con.execute(f"CREATE TEMP TABLE {table} AS SELECT n, rule, until::TIMESTAMP AS until FROM {name}")
    con.unregister(name)
    return table


def _tight(
    con: duckdb.DuckDBPyConnection,
    answer: str,
    kinds: Sequence[Kind],
    shared: Mapping[Limit, Shared],
    held: list[tuple[int, int, int]],
) -> set[Limit]:
    """The shared limits that may stop somebody: the bank's only where more would go than there is room for."""
    if not shared:
        return set()
    going = {
        (str(channel), str(category)): int(n)
        for channel, category, n in con.execute(
            f"SELECT channel, category, count(*) FROM {answer} WHERE decision = 'send' GROUP BY ALL"
        ).fetchall()
    }
    tight = set()
    for limit, counted in shared.items():
        asked = sum(going.get(kind, 0) for kind in kinds if limit.concerns(kind))
        kept = sum(1 for _, _, kind in held if limit.concerns(kinds[kind]))
        if asked and (limit.per == "account" or asked + kept > limit.max - counted.used.get(0, 0)):
            tight.add(limit)
    return tight


def _cut(con: duckdb.DuckDBPyConnection, answer: str, maxima: Mapping[str, int]) -> dict[str, int]:
    """The campaigns of which more would go than may."""
    total = con.execute(f"SELECT count(*) FROM {answer}").fetchall()[0][0]
    if all(most >= total for most in maxima.values()):
        return {}
    going = con.execute(f"SELECT campaign_id, count(*) FROM {answer} WHERE decision = 'send' GROUP BY 1").fetchall()
    return {str(c): max(0, maxima[str(c)]) for c, n in going if n > maxima.get(str(c), n)}


def _rivals(
    con: duckdb.DuckDBPyConnection,
    params: Params,
    answer: str,
    used: str,
    kinds: Sequence[Kind],
    limits: Sequence[Limit],
    cut: Mapping[str, int],
    policy: ThrottlePolicy,
    past: Past,
    instant: datetime,
    zone: ZoneInfo,
) -> Columns:
    """The candidates who take turns, in the order of their turns, as arrays."""
    columns = []
    for limit in limits:
        if limit.per == "customer":
            # A customer without a row has room for the one candidate there is; a cap of 0 never let it come so far.
            columns.append(f"coalesce({limit.max} - u.{limit.column}, 1) AS {limit.column}")
            if limit.frees:
                columns.append(f"{free_at(limit, 'u', params, instant, zone)} AS {limit.column}_free")
    which = ["u.rivals > 1"]
    concerned = [kind for kind in kinds if any(limit.per != "customer" and limit.concerns(kind) for limit in limits)]
    which += [f"(a.channel = {params.add(c)} AND a.category = {params.add(k)})" for c, k in concerned]
    if cut:
        which.append(f"a.campaign_id IN ({params.all(cut)})")
    code = " ".join(
        f"WHEN a.channel = {params.add(c)} AND a.category = {params.add(k)} THEN {n}" for n, (c, k) in enumerate(kinds)
    )
    reserved = f"a.touch_id IN (SELECT touch_id FROM {relation(past.own)}) DESC, " if past.own else ""
    sql = f"""SELECT a.rowid AS n, a.customer_id, a.campaign_id, CASE {code} END::INTEGER AS kind,
                coalesce(k.manager_id, -1)::BIGINT AS account, coalesce(k.tier, '') AS tier{"".join(", " + c for c in columns)}
              FROM {answer} a LEFT JOIN {used} u USING (customer_id) LEFT JOIN customers k USING (customer_id)
              WHERE a.decision = 'send' AND ({" OR ".join(which)})
              ORDER BY {reserved}{priority_sql(params, "a", policy)} DESC, md5(a.touch_id), a.touch_id"""
    return {name: np.asarray(column) for name, column in execute(con, sql, params).fetchnumpy().items()}


def priority_sql(params: Params, row: str, policy: ThrottlePolicy) -> str:
    """SQL: a candidate's own priority and what its category adds."""
    added = " ".join(f"WHEN {params.add(c)} THEN {params.add(n)}" for c, n in policy.priorities.items())
    return f"({row}.priority + CASE {row}.category {added} ELSE 0 END)" if added else f"{row}.priority"


def _held(con: duckdb.DuckDBPyConnection, answer: str, kinds: Sequence[Kind], past: Past) -> list[tuple[int, int, int]]:
    """(customer, account, kind) of candidates that do not go now although they hold a reservation: until it is released
    after this tick, it still counts for the others."""
    if not past.own:
        return []
    rows = con.execute(
        f"""SELECT a.customer_id, coalesce(k.manager_id, -1), a.channel, a.category
            FROM {answer} a SEMI JOIN {relation(past.own)} o USING (touch_id) LEFT JOIN customers k USING (customer_id)
            WHERE a.decision <> 'send'"""
    ).fetchall()
    place = {kind: number for number, kind in enumerate(kinds)}
    return [(int(c), int(m), place[str(channel), str(category)]) for c, m, channel, category in rows]


def _names(limit: Limit, rows: Columns) -> Ints:
    """Whose places each candidate needs: customer, account, or the whole bank (0)."""
    if limit.per == "bank":
        return np.zeros(len(rows["n"]), np.int64)
    return rows["customer_id" if limit.per == "customer" else "account"].astype(np.int64)


def _queue(
    limit: Limit, rows: Columns, held: list[tuple[int, int, int]], kinds: Sequence[Kind], shared: Shared | None
) -> Queue:
    concerned = np.array([limit.concerns(kind) for kind in kinds])
    mine = concerned[rows["kind"].astype(np.int64)]
    if limit.tiers:
        mine &= np.isin(rows["tier"].astype(str), limit.tiers)
    names, key = np.unique(_names(limit, rows), return_inverse=True)
    if shared is None:
        room = np.zeros(len(names), np.int64)
        room[key] = rows[limit.column].astype(np.int64)
    else:
        room = np.array([limit.max - shared.used.get(int(name), 0) for name in names], np.int64)
    for customer, account, kind in held:
        name = {"customer": customer, "account": account, "bank": 0}[limit.per]
        place = int(np.searchsorted(names, name))
        if concerned[kind] and place < len(names) and names[place] == name:
            room[place] -= 1
    return Queue(np.where(mine, key, -1), room)


def _campaigns(rows: Columns, cut: Mapping[str, int]) -> Queue:
    """The campaigns' maxima as a limit like the others, judged last."""
    names, key = np.unique(rows["campaign_id"].astype(str), return_inverse=True)
    mine = np.isin(names, list(cut))
    room = np.array([cut.get(str(name), 0) for name in names], np.int64)
    return Queue(np.where(mine[key], key, -1), room)
