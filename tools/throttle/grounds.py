"""What a decision rested on: the touches that filled a cap, the consent on record, the quiet hours, the levels.

Told as of the instant of the decision from what is on record today: a touch that failed since then counts no more, and the
ground says so where fewer are found than the cap needs.
"""

from datetime import datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict

from tools.throttle import describing
from tools.throttle.describing import Said
from tools.throttle.limits import Limit, limits_of
from tools.throttle.policy import ThrottlePolicy
from tools.throttle.sql import Params
from warehouse.clock import naive_utc
from warehouse.store import Warehouse

Kind = Literal[
    "limit", "touch", "consent", "quiet", "suppression", "assessment", "contact", "person", "deferral", "maximum"
]
SHOWN = 10
"""Touches that are named one by one."""


class Ground(BaseModel):
    """One piece of evidence, in both languages; `data` holds what the words are made of. Times are UTC."""

    model_config = ConfigDict(frozen=True)

    kind: Kind
    zh: str
    en: str
    data: dict[str, Any] = {}


class Case(BaseModel):
    """The decision that is asked about."""

    model_config = ConfigDict(frozen=True)

    customer_id: int
    campaign_id: str
    touch_id: str
    channel: str
    category: str
    rule: str
    at: datetime
    until: datetime | None = None


def grounds(warehouse: Warehouse, case: Case, policy: ThrottlePolicy) -> list[Ground]:
    """The evidence of a decision by the policy that decided it; empty for a rule that says everything itself."""
    rule, zone = case.rule, warehouse.zone
    found: list[Ground] = []
    if rule.endswith("_expired") and rule != "risk_assessment_expired":
        found += _deferral(warehouse, case, policy, zone)
        rule = rule.removesuffix("_expired")
    if rule == "allowed":
        return [*_consent(warehouse, case, policy, zone), *_room(warehouse, case, policy)]
    if rule.startswith(("cap_", "promised_", "capacity_")):
        return [*found, *_limit(warehouse, case.model_copy(update={"rule": rule}), policy, zone)]
    if rule.startswith("quiet_"):
        return [*found, *_quiet(case, rule.removeprefix("quiet_"), policy, zone)]
    if rule in ("no_consent", "consent_lapsed"):
        return _consent(warehouse, case, policy, zone)
    if rule.startswith("suppressed_"):
        return _suppressed(warehouse, case, rule.removeprefix("suppressed_"), zone)
    if rule.startswith("risk_"):
        return _assessment(warehouse, case, policy)
    if rule == "not_contactable":
        said = policy.contact.get(case.channel, "")  # type: ignore[call-overload]
        return [_ground("contact", f"可联系条件：{said}", f"who can be reached: {said}", {"rule": said})]
    if rule == "duplicate_person":
        return _person(warehouse, case, policy)
    if rule == "max_touches":
        return _maximum(warehouse, case)
    return found


def _ground(kind: Kind, zh: str, en: str, data: dict[str, Any] | None = None) -> Ground:
    return Ground(kind=kind, zh=zh, en=en, data=data or {})


def _local(moment: datetime | None, zone: ZoneInfo) -> str:
    """A stored instant by the bank's clock."""
    if moment is None:
        return "-"
    return f"{moment.replace(tzinfo=ZoneInfo('UTC')).astimezone(zone):%Y-%m-%d %H:%M}"


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


def _limit(warehouse: Warehouse, case: Case, policy: ThrottlePolicy, zone: ZoneInfo) -> list[Ground]:
    limit = next((one for one in _limits(case, policy) if one.rule == case.rule), None)
    words = _limit_words(case.rule, policy)
    if limit is None or words is None:
        return []
    n, rows = _counted(warehouse, case, limit, policy)
    found = [
        _ground(
            "limit",
            f"{words.zh}；当时已用 {n}",
            f"{words.en}; {n} were used then",
            {"rule": case.rule, "max": limit.max, "used": n},
        )
    ]
    if limit.per == "customer":
        for row in rows:
            here, when = describing.channel(row["channel"]), _local(row["moment"], zone)
            found.append(
                _ground(
                    "touch",
                    f"{when} {here.zh}，活动 {row['campaign_id']}（{row['status']}）",
                    f"{when} {here.en}, campaign {row['campaign_id']} ({row['status']})",
                    {k: row[k] for k in ("touch_id", "campaign_id", "channel", "category", "status", "moment")},
                )
            )
    if n < limit.max:
        found.append(
            _ground(
                "limit",
                "其余的名额当时被同一批次的其他触达占用，或之后已失败、取消",
                "the rest was taken by rivals of the same tick, or has failed or been cancelled since",
            )
        )
    if case.until:
        until = _local(naive_utc(case.until), zone)
        found.append(
            _ground("limit", f"{until} 起又有名额", f"there is room again from {until}", {"until": case.until})
        )
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


def _room(warehouse: Warehouse, case: Case, policy: ThrottlePolicy) -> list[Ground]:
    """For a touch that was sent: how much of each of the customer's limits was used before it."""
    found = []
    for limit in _limits(case, policy):
        words = _limit_words(limit.rule, policy)
        if limit.per != "customer" or words is None:
            continue
        n, _ = _counted(warehouse, case, limit, policy)
        data = {"rule": limit.rule, "max": limit.max, "used": n}
        found.append(_ground("limit", f"{words.zh}；之前已用 {n}", f"{words.en}; {n} were used before", data))
    return found


def _quiet(case: Case, name: str, policy: ThrottlePolicy, zone: ZoneInfo) -> list[Ground]:
    window = next((quiet for quiet in policy.quiet_hours if quiet.name == name), None)
    if window is None:
        return []
    words, at = describing.quiet(window), _local(naive_utc(case.at), zone)
    until = _local(naive_utc(case.until), zone) if case.until else ""
    tail = Said(f"，{until} 结束", f", until {until}") if until else Said("", "")
    data = {"name": name, "at": case.at, "until": case.until}
    return [_ground("quiet", f"{at} 在勿扰时段：{words.zh}{tail.zh}", f"{at} is quiet: {words.en}{tail.en}", data)]


def _consent(warehouse: Warehouse, case: Case, policy: ThrottlePolicy, zone: ZoneInfo) -> list[Ground]:
    purpose = policy.consent.purpose(case.category)
    here, aim = describing.channel(case.channel), describing.PURPOSES[purpose]
    rows = warehouse.read(
        "SELECT opted_in, source, version, updated_at FROM consents WHERE customer_id = ? AND channel = ? AND purpose = ?",
        [case.customer_id, case.channel, purpose],
    ).dicts()
    if not rows:
        zh, en = f"{here.zh}{aim[0]}：没有同意记录", f"{here.en} for {aim[1]}: no consent on record"
        if policy.consent.assumed:
            zh, en = f"{zh}，按假定同意处理", f"{en}, consent is assumed"
        elif case.channel in policy.consent.not_needed:
            zh, en = f"{zh}，该渠道不需要", f"{en}, and none is needed"
        return [_ground("consent", zh, en, {"channel": case.channel, "purpose": purpose})]
    found = []
    for row in rows:
        said = ("同意", "agreed") if row["opted_in"] else ("拒绝", "refused")
        when, given = _local(row["updated_at"], zone), row["updated_at"]
        zh = f"{here.zh}{aim[0]}：{when} {said[0]}（来源 {row['source']}，版本 {row['version']}）"
        en = f"{here.en} for {aim[1]}: {said[1]} at {when} (source {row['source']}, version {row['version']})"
        if row["opted_in"] and policy.consent.term_days and given:
            day = given.replace(tzinfo=ZoneInfo("UTC")).astimezone(zone).date()
            last = day + timedelta(days=policy.consent.term_days)
            zh, en = f"{zh}，{last} 起失效", f"{en}, lapsed from {last}"
        if given and given > naive_utc(case.at):
            zh, en = f"{zh}，晚于这次决定", f"{en}, after this decision"
        found.append(_ground("consent", zh, en, {**row, "channel": case.channel, "purpose": purpose}))
    return found


def _suppressed(warehouse: Warehouse, case: Case, reason: str, zone: ZoneInfo) -> list[Ground]:
    rows = warehouse.read(
        """SELECT reason, since, until FROM suppressions WHERE customer_id = ? AND reason = ?
           AND (since IS NULL OR since <= ?) AND (until IS NULL OR until > ?)""",
        [case.customer_id, reason, naive_utc(case.at), naive_utc(case.at)],
    ).dicts()
    found = []
    for row in rows:
        since, until = _local(row["since"], zone), _local(row["until"], zone)
        zh = f"禁止名单：{since} 起" + (f"，到 {until}" if row["until"] else "，未解除")
        en = f"suppressed since {since}" + (f" until {until}" if row["until"] else ", not lifted")
        found.append(_ground("suppression", zh, en, row))
    return found


def _assessment(warehouse: Warehouse, case: Case, policy: ThrottlePolicy) -> list[Ground]:
    rows = warehouse.read(
        "SELECT risk_level, risk_assessed_on FROM customers WHERE customer_id = ?", [case.customer_id]
    ).dicts()
    if not rows or rows[0]["risk_level"] is None or rows[0]["risk_assessed_on"] is None:
        return [_ground("assessment", "没有风险测评记录", "no risk assessment on record")]
    level, on = rows[0]["risk_level"], rows[0]["risk_assessed_on"]
    last = on + timedelta(days=policy.suitability.validity_days)
    return [
        _ground(
            "assessment",
            f"客户 {level}，{on} 测评，{last} 起失效",
            f"the customer is {level}, assessed on {on}, expired from {last}",
            {"risk_level": level, "risk_assessed_on": on, "expires_on": last},
        )
    ]


def _person(warehouse: Warehouse, case: Case, policy: ThrottlePolicy) -> list[Ground]:
    """By what he is one with others; their numbers are not told, they may be another branch's."""
    kinds = list(policy.identity.kinds)
    rows = warehouse.read(
        """SELECT a.kind, count(DISTINCT b.customer_id) AS n FROM identities a JOIN identities b
           ON a.kind = b.kind AND a.value_hmac = b.value_hmac AND a.customer_id <> b.customer_id
           WHERE a.customer_id = ? AND a.kind IN (SELECT unnest(?::VARCHAR[])) GROUP BY 1 ORDER BY 1""",
        [case.customer_id, kinds],
    ).rows
    return [
        _ground(
            "person",
            f"与另外 {n} 个客户号的 {kind} 相同",
            f"shares {kind} with {n} other customer numbers",
            {"kind": kind, "others": n},
        )
        for kind, n in rows
    ]


def _maximum(warehouse: Warehouse, case: Case) -> list[Ground]:
    n = warehouse.read(
        "SELECT count(*) FROM touches WHERE campaign_id = ? AND decided_at <= ?", [case.campaign_id, naive_utc(case.at)]
    ).scalar()
    return [
        _ground("maximum", f"活动当时已有 {n:,} 次触达", f"the campaign had made {n:,} touches then", {"touches": n})
    ]


def _deferral(warehouse: Warehouse, case: Case, policy: ThrottlePolicy, zone: ZoneInfo) -> list[Ground]:
    first = _first_deferral(warehouse, case)
    if first is None:
        hours = policy.defer_expires_hours
        return [_ground("deferral", f"要等的时间超过 {hours} 小时", f"the wait would be longer than {hours} hours")]
    ends = first + timedelta(hours=policy.defer_expires_hours)
    return [
        _ground(
            "deferral",
            f"{_local(first, zone)} 首次延期，{_local(ends, zone)} 过期",
            f"first deferred at {_local(first, zone)}, expired at {_local(ends, zone)}",
            {"first_deferred_at": first, "expires_at": ends},
        )
    ]


def _first_deferral(warehouse: Warehouse, case: Case) -> datetime | None:
    known = warehouse.read("SELECT 1 FROM information_schema.tables WHERE table_name = 'decisions'").rows
    if not known or not case.touch_id:
        return None
    first: datetime | None = warehouse.read(
        "SELECT min(decided_at) FROM decisions WHERE touch_id = ? AND decision = 'defer'", [case.touch_id]
    ).scalar()
    return first
