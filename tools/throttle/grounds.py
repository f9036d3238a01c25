"""What a decision rested on: the touches that filled a cap, the consent on record, the quiet hours, the levels.

Told as of the instant of the decision from what is on record today: a touch that failed since then counts no more, and the
ground says so where fewer are found than the cap needs.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from tools.throttle import describing
from tools.throttle.case import Case, Ground, ground, local
from tools.throttle.describing import Said
from tools.throttle.fullness import filled, room
from tools.throttle.policy import ThrottlePolicy
from warehouse.clock import naive_utc
from warehouse.store import Warehouse


def grounds(warehouse: Warehouse, case: Case, policy: ThrottlePolicy) -> list[Ground]:
    """The evidence of a decision by the policy that decided it; empty for a rule that says everything itself."""
    rule, zone = case.rule, warehouse.zone
    found: list[Ground] = []
    if rule.endswith("_expired") and rule != "risk_assessment_expired":
        found += _deferral(warehouse, case, policy, zone)
        rule = rule.removesuffix("_expired")
    if rule == "allowed":
        return [*_consent(warehouse, case, policy, zone), *room(warehouse, case, policy)]
    if rule.startswith(("cap_", "promised_", "capacity_")):
        return [*found, *filled(warehouse, case.model_copy(update={"rule": rule}), policy, zone)]
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
        return [ground("contact", f"可联系条件：{said}", f"who can be reached: {said}", {"rule": said})]
    if rule == "duplicate_person":
        return _person(warehouse, case, policy)
    if rule == "max_touches":
        return _maximum(warehouse, case)
    return found


def _quiet(case: Case, name: str, policy: ThrottlePolicy, zone: ZoneInfo) -> list[Ground]:
    window = next((quiet for quiet in policy.quiet_hours if quiet.name == name), None)
    if window is None:
        return []
    words, at = describing.quiet(window), local(naive_utc(case.at), zone)
    until = local(naive_utc(case.until), zone) if case.until else ""
    tail = Said(f"，{until} 结束", f", until {until}") if until else Said("", "")
    data = {"name": name, "at": case.at, "until": case.until}
    return [ground("quiet", f"{at} 在勿扰时段：{words.zh}{tail.zh}", f"{at} is quiet: {words.en}{tail.en}", data)]


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
        return [ground("consent", zh, en, {"channel": case.channel, "purpose": purpose})]
    found = []
    for row in rows:
        said = ("同意", "agreed") if row["opted_in"] else ("拒绝", "refused")
        when, given = local(row["updated_at"], zone), row["updated_at"]
        zh = f"{here.zh}{aim[0]}：{when} {said[0]}（来源 {row['source']}，版本 {row['version']}）"
        en = f"{here.en} for {aim[1]}: {said[1]} at {when} (source {row['source']}, version {row['version']})"
        if row["opted_in"] and policy.consent.term_days and given:
            day = given.replace(tzinfo=ZoneInfo("UTC")).astimezone(zone).date()
            last = day + timedelta(days=policy.consent.term_days)
            zh, en = f"{zh}，{last} 起失效", f"{en}, lapsed from {last}"
        if given and given > naive_utc(case.at):
            zh, en = f"{zh}，晚于这次决定", f"{en}, after this decision"
        found.append(ground("consent", zh, en, {**row, "channel": case.channel, "purpose": purpose}))
    return found


def _suppressed(warehouse: Warehouse, case: Case, reason: str, zone: ZoneInfo) -> list[Ground]:
    rows = warehouse.read(
        """SELECT reason, since, until FROM suppressions WHERE customer_id = ? AND reason = ?
           AND (since IS NULL OR since <= ?) AND (until IS NULL OR until > ?)""",
        [case.customer_id, reason, naive_utc(case.at), naive_utc(case.at)],
    ).dicts()
    found = []
    for row in rows:
        since, until = local(row["since"], zone), local(row["until"], zone)
        zh = f"禁止名单：{since} 起" + (f"，到 {until}" if row["until"] else "，未解除")
        en = f"suppressed since {since}" + (f" until {until}" if row["until"] else ", not lifted")
        found.append(ground("suppression", zh, en, row))
    return found


def _assessment(warehouse: Warehouse, case: Case, policy: ThrottlePolicy) -> list[Ground]:
    rows = warehouse.read(
        "SELECT risk_level, risk_assessed_on FROM customers WHERE customer_id = ?", [case.customer_id]
    ).dicts()
    if not rows or rows[0]["risk_level"] is None or rows[0]["risk_assessed_on"] is None:
        return [ground("assessment", "没有风险测评记录", "no risk assessment on record")]
    level, on = rows[0]["risk_level"], rows[0]["risk_assessed_on"]
    last = on + timedelta(days=policy.suitability.validity_days)
    return [
        ground(
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
        ground(
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
        ground("maximum", f"活动当时已有 {n:,} 次触达", f"the campaign had made {n:,} touches then", {"touches": n})
    ]


def _deferral(warehouse: Warehouse, case: Case, policy: ThrottlePolicy, zone: ZoneInfo) -> list[Ground]:
    first = _first_deferral(warehouse, case)
    if first is None:
        hours = policy.defer_expires_hours
        return [ground("deferral", f"要等的时间超过 {hours} 小时", f"the wait would be longer than {hours} hours")]
    ends = first + timedelta(hours=policy.defer_expires_hours)
    return [
        ground(
            "deferral",
            f"{local(first, zone)} 首次延期，{local(ends, zone)} 过期",
            f"first deferred at {local(first, zone)}, expired at {local(ends, zone)}",
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
