"""How full a limit was when it decided: what it counted then, and which touches those were."""

from typing import Any
from zoneinfo import ZoneInfo

from tools.throttle import describing
from tools.throttle.case import Case, Ground, ground, local
from tools.throttle.describing import Said
from tools.throttle.limits import Limit, limits_of
from tools.throttle.policy import ThrottlePolicy
from tools.throttle.sql import Params
from warehouse.clock import naive_utc
from warehouse.store import Warehouse

SHOWN = 10
"""Touches that are named one by one."""


def _limits(case: Case, policy: ThrottlePolicy) -> list[Limit]:
    return limits_of([(case.channel, case.category)], policy)


def _counted(
    warehouse: Warehouse, case: Case, limit: Limit, policy: ThrottlePolicy
) -> tuple[int, list[dict[str, Any]]]:
    """How many touches a limit counted at the decision, and the youngest of them; of a customer, his own alone."""
    params, at = Params(), case.at
    now, zone = params.add(naive_utc(at)), warehouse.zone
    states = params.all(policy.statuses_not_counted)
    whose = "true"
    if limit.per == "customer":
        whose = f"h.customer_id = {params.add(case.customer_id)}"
    elif limit.per == "account":
        manager = "SELECT manager_id FROM customers WHERE customer_id = "
        whose = f"({manager} h.customer_id) IS NOT DISTINCT FROM ({manager} {params.add(case.customer_id)})"
    # What had been decided and not left at that instant counted as made then.
    moment = f"CASE WHEN h.sent_at <= {now} THEN h.sent_at WHEN h.status IN ('queued', 'reserved') OR h.sent_at > {now} THEN {now} ELSE h.decided_at END"
    sql = f"""SELECT touch_id, campaign_id, channel, category, status, moment, decided_at, count(*) OVER () AS n
              FROM (SELECT h.*, {moment} AS moment FROM touches h
                    WHERE h.touch_id <> {params.add(case.touch_id)} AND coalesce(h.decided_at, h.sent_at) <= {now}
                      AND (h.status IS NULL OR h.status NOT IN ({states})) AND {whose}) h
              WHERE {limit.within(params, "h.moment", at, zone)} AND h.moment <= {now} AND {limit.counts(params, "h")}
              ORDER BY moment DESC, touch_id LIMIT {SHOWN}"""
    rows = warehouse.read(sql, dict(params)).dicts()
    return (int(rows[0]["n"]) if rows else 0), rows


def filled(warehouse: Warehouse, case: Case, policy: ThrottlePolicy, zone: ZoneInfo) -> list[Ground]:
    limit = next((one for one in _limits(case, policy) if one.rule == case.rule), None)
    words = _limit_words(case.rule, policy)
    if limit is None or words is None:
        return []
    n, rows = _counted(warehouse, case, limit, policy)
    found = [
        ground(
            "limit",
            f"{words.zh}；当时已用 {n}",
            f"{words.en}; {n} were used then",
            {"rule": case.rule, "max": limit.max, "used": n},
        )
    ]
    if limit.per == "customer":
        for row in rows:
            here, when = describing.channel(row["channel"]), local(row["moment"], zone)
            found.append(
                ground(
                    "touch",
                    f"{when} {here.zh}，活动 {row['campaign_id']}（{row['status']}）",
                    f"{when} {here.en}, campaign {row['campaign_id']} ({row['status']})",
                    {k: row[k] for k in ("touch_id", "campaign_id", "channel", "category", "status", "moment")},
                )
            )
    if n < limit.max:
        found.append(
            ground(
                "limit",
                "其余的名额当时被同一批次的其他触达占用，或之后已失败、取消",
                "the rest was taken by rivals of the same tick, or has failed or been cancelled since",
            )
        )
    if case.until:
        until = local(naive_utc(case.until), zone)
        found.append(ground("limit", f"{until} 起又有名额", f"there is room again from {until}", {"until": case.until}))
    return found


def _limit_words(rule: str, policy: ThrottlePolicy) -> Said | None:
    """The limit of a rule in words."""
    for cap in policy.caps:
        if rule == f"cap_{cap.name}":
            return describing.cap(cap)
    for capacity in policy.capacity:
        if rule == f"capacity_{capacity.name}":
            return describing.capacity(capacity)
    for promise in policy.consent.promised:
        if rule == f"promised_{promise.channel}_{promise.purpose}":
            return describing.promise(promise)
    return None


def room(warehouse: Warehouse, case: Case, policy: ThrottlePolicy) -> list[Ground]:
    """For a touch that was sent: how much of each of the customer's limits was used before it."""
    found = []
    for limit in _limits(case, policy):
        words = _limit_words(limit.rule, policy)
        if limit.per != "customer" or words is None:
            continue
        n, _ = _counted(warehouse, case, limit, policy)
        data = {"rule": limit.rule, "max": limit.max, "used": n}
        found.append(ground("limit", f"{words.zh}；之前已用 {n}", f"{words.en}; {n} were used before", data))
    return found
