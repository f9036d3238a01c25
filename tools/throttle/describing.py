"""The parts of a contact policy in the words of both languages: for explanations, differences and refusals."""

from collections.abc import Iterable
from dataclasses import dataclass

from tools.throttle.policy import Calendar, Cap, Capacity, Promise, QuietHours, Rolling, ThrottlePolicy
from warehouse.catalog import Language

Pair = tuple[str, str]
"""Chinese and English."""

CHANNELS: dict[str, Pair] = {
    "sms": ("短信", "SMS"),
    "push": ("App推送", "push"),
    "inapp": ("App内弹窗", "in-app"),
    "wecom": ("企业微信", "WeCom"),
    "email": ("邮件", "e-mail"),
    "call": ("外呼", "call"),
    "task": ("客户经理任务", "manager task"),
}
PERIODS: dict[str, Pair] = {
    "hour": ("自然小时", "calendar hour"),
    "day": ("自然日", "calendar day"),
    "week": ("自然周", "calendar week"),
    "month": ("自然月", "calendar month"),
    "quarter": ("自然季度", "calendar quarter"),
    "year": ("自然年", "calendar year"),
}
DAYS: dict[str, Pair] = {
    "every_day": ("每天", "every day"),
    "public_holidays": ("法定节假日", "on public holidays"),
    "non_working_days": ("非工作日", "on days off"),
    "dates": ("指定日期", "on named dates"),
}
SCOPES: dict[str, Pair] = {
    "global": ("每位客户", "per customer"),
    "channel": ("每位客户每渠道", "per customer and channel"),
    "category": ("每位客户每类别", "per customer and category"),
    "tier": ("该层级每位客户", "per customer of the tier"),
    "account": ("每个发送账号", "per sending account"),
}
OVER: dict[str, Pair] = {"abandon": ("超出放弃", "beyond it abandoned"), "defer": ("超出延期", "beyond it deferred")}
PURPOSES: dict[str, Pair] = {"marketing": ("营销", "marketing"), "service": ("服务", "service")}


@dataclass(frozen=True)
class Said:
    """The same in both languages."""

    zh: str
    en: str

    def __getitem__(self, language: Language) -> str:
        return self.zh if language == "zh" else self.en


def channel(name: str) -> Said:
    return Said(*CHANNELS.get(name, (name, name)))


def listed(names: Iterable[str], words: dict[str, Pair] | None = None) -> Said:
    """Names one after the other, in the words of a table where it has them."""
    pairs = [(words or {}).get(name, (name, name)) for name in names]
    return Said("、".join(zh for zh, _ in pairs), ", ".join(en for _, en in pairs))


def window(value: Rolling | Calendar) -> Said:
    if isinstance(value, Calendar):
        zh, en = PERIODS[value.period]
        return Said(f"每{zh}", f"per {en}")
    if value.hours % 24:
        return Said(f"滚动 {value.hours} 小时内", f"in a rolling {value.hours} hours")
    return Said(f"滚动 {value.hours // 24} 天内", f"in a rolling {value.hours // 24} days")


def cap(value: Cap) -> Said:
    scope, span, over = SCOPES[value.scope], window(value.window), OVER[value.over]
    limits_zh, limits_en = [], []
    for names, words, zh, en in (
        (value.channels, CHANNELS, "仅{}", "on {} only"),
        (value.tiers, None, "层级 {}", "tier {}"),
        (value.only_categories, None, "仅类别 {}", "only {}"),
        (value.exempt_categories, None, "{} 不计", "without {}"),
    ):
        if names:
            said = listed(names, words)
            limits_zh.append(zh.format(said.zh))
            limits_en.append(en.format(said.en))
    note_zh = f"（{'，'.join(limits_zh)}）" if limits_zh else ""
    note_en = f" ({', '.join(limits_en)})" if limits_en else ""
    return Said(
        f"{scope[0]}{span.zh}最多 {value.max} 次{note_zh}，{over[0]}",
        f"at most {value.max} {scope[1]} {span.en}{note_en}, {over[1]}",
    )


def capacity(value: Capacity) -> Said:
    here, span, over = channel(value.channel), window(value.window), OVER[value.over]
    return Said(
        f"{here.zh}全行{span.zh}最多 {value.max:,} 次，{over[0]}",
        f"{here.en} of the whole bank: at most {value.max:,} {span.en}, {over[1]}",
    )


def promise(value: Promise) -> Said:
    here, span, purpose = channel(value.channel), window(value.window), PURPOSES[value.purpose]
    return Said(
        f"{here.zh}{purpose[0]}向客户承诺{span.zh}最多 {value.max} 次",
        f"{here.en} for {purpose[1]}: customers were promised at most {value.max} {span.en}",
    )


def quiet(value: QuietHours) -> Said:
    days = DAYS[value.on]
    dates = listed(str(d.first) if d.first == d.last else f"{d.first}/{d.last}" for d in value.dates)
    here = listed(value.channels, CHANNELS)
    hours = Said("全天", "all day") if value.all_day else Said(*[f"{value.start:%H:%M}–{value.end:%H:%M}"] * 2)
    then = {"defer": ("延期到结束", "deferred to their end"), "abandon": ("放弃", "abandoned")}[value.action]
    exempt = listed(value.exempt_categories)
    tail = Said(f"（{exempt.zh} 除外）", f" (not {exempt.en})") if value.exempt_categories else Said("", "")
    span = Said(f" {dates.zh}", f" {dates.en}") if value.dates else Said("", "")
    return Said(
        f"{here.zh}{days[0]}{span.zh} {hours.zh}勿扰{tail.zh}，{then[0]}",
        f"{here.en} quiet {days[1]}{span.en} {hours.en}{tail.en}, {then[1]}",
    )


def lines(policy: ThrottlePolicy, language: Language) -> list[str]:
    """The caps, promises, capacity and quiet hours of a policy, a line each with its name."""
    found = [f"{c.name}: {cap(c)[language]}" for c in policy.caps]
    found += [promise(p)[language] for p in policy.consent.promised]
    found += [f"{c.name}: {capacity(c)[language]}" for c in policy.capacity]
    return [*found, *(f"{q.name}: {quiet(q)[language]}" for q in policy.quiet_hours)]
