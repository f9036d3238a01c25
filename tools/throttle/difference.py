"""Two versions of a contact policy compared: what became tighter, what looser, in words."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict

from tools.throttle import describing
from tools.throttle.coverage import covers
from tools.throttle.describing import Said, listed
from tools.throttle.policy import Cap, Capacity, Promise, QuietHours, ThrottlePolicy

Direction = Literal["tighter", "looser", "other"]
Item = TypeVar("Item", Cap, Capacity, QuietHours, Promise)

NEVER = 10**9
"""Stands for no term at all where shorter terms are tighter."""


class Change(BaseModel):
    """One change. `place` is where it stands in the file; `other` means neither tighter nor looser can be claimed."""

    model_config = ConfigDict(frozen=True)

    place: str
    direction: Direction
    zh: str
    en: str


def differences(before: ThrottlePolicy, after: ThrottlePolicy) -> list[Change]:
    """What changed from one policy to another, in the order of the file; empty where they decide alike."""
    found = [
        *_items("caps", "频次上限", "cap", before.caps, after.caps, describing.cap, _cap),
        *_items("capacity", "渠道容量", "capacity", before.capacity, after.capacity, describing.capacity, _capacity),
        *_items("quiet_hours", "勿扰时段", "quiet hours", before.quiet_hours, after.quiet_hours, describing.quiet, _quiet),
        *_items(
            "consent.promised", "承诺频率", "promised frequency", before.consent.promised, after.consent.promised,
            describing.promise, _promise,
        ),
    ]  # fmt: skip
    found += _numbers(before, after)
    found += _lists(before, after)
    found += _rest(before, after)
    return found


def _items(
    place: str,
    zh: str,
    en: str,
    before: Sequence[Item],
    after: Sequence[Item],
    words: Callable[[Item], Said],
    judge: Callable[[Item, Item], Direction],
) -> Iterable[Change]:
    """Rules that each take something away: a new one is tighter, one that is gone is looser."""
    old: dict[str, Item] = {_key(item): item for item in before}
    new: dict[str, Item] = {_key(item): item for item in after}
    for key in dict.fromkeys([*old, *new]):
        was, now = old.get(key), new.get(key)
        here = f"{place}.{key}"
        if was is None and now is not None:
            said = words(now)
            yield Change(
                place=here, direction="tighter", zh=f"新增{zh} {key}：{said.zh}", en=f"new {en} {key}: {said.en}"
            )
        elif was is not None and now is None:
            said = words(was)
            yield Change(
                place=here, direction="looser", zh=f"取消{zh} {key}：{said.zh}", en=f"{en} {key} is gone: {said.en}"
            )
        elif was is not None and now is not None and was != now:
            first, second = words(was), words(now)
            yield Change(
                place=here,
                direction=judge(was, now),
                zh=f"{zh} {key}：由“{first.zh}”改为“{second.zh}”",
                en=f"{en} {key}: from “{first.en}” to “{second.en}”",
            )


def _key(item: Cap | Capacity | QuietHours | Promise) -> str:
    if isinstance(item, Promise):
        span = item.window.period if item.window.window == "calendar" else f"{item.window.hours}h"
        return f"{item.channel}_{item.purpose}_{span}"
    return item.name


def _direction(new: float, old: float) -> Direction:
    """Where less is tighter."""
    return "tighter" if new < old else "looser" if new > old else "other"


def _together(*parts: Direction | None) -> Direction:
    """Of several parts of one rule: None is a part that did not change."""
    changed = {part for part in parts if part is not None}
    return changed.pop() if len(changed) == 1 else "other"


def _subset(new: Iterable[str], old: Iterable[str], *, more: Direction) -> Direction | None:
    a, b = set(new), set(old)
    if a == b:
        return None
    less: Direction = "looser" if more == "tighter" else "tighter"
    return more if a > b else less if a < b else "other"


def _over(old: str, new: str) -> Direction | None:
    return None if old == new else "tighter" if new == "abandon" else "looser"


def _cap(old: Cap, new: Cap) -> Direction:
    if old.scope != new.scope or old.channels != new.channels or old.only_categories != new.only_categories:
        return "other"
    return _together(
        None if old.max == new.max else _direction(new.max, old.max),
        _span(old, new),
        _subset(new.tiers, old.tiers, more="tighter"),
        _subset(new.exempt_categories, old.exempt_categories, more="looser"),
        _over(old.over, new.over),
    )


def _span(old: Cap | Capacity, new: Cap | Capacity) -> Direction | None:
    """The same number over a longer window is tighter; a calendar window against a rolling one is neither."""
    if old.window == new.window:
        return None
    if old.window.window != new.window.window:
        return "other"
    return _direction(old.window.longest_hours, new.window.longest_hours)


def _capacity(old: Capacity, new: Capacity) -> Direction:
    if old.channel != new.channel:
        return "other"
    number = None if old.max == new.max else _direction(new.max, old.max)
    return _together(number, _span(old, new), _over(old.over, new.over))


def _promise(old: Promise, new: Promise) -> Direction:
    return _direction(new.max, old.max)


def _quiet(old: QuietHours, new: QuietHours) -> Direction:
    hours: Direction | None = None
    if (old.start, old.end, old.all_day, old.on, old.dates) != (new.start, new.end, new.all_day, new.on, new.dates):
        wider, narrower = covers(new, old), covers(old, new)
        hours = None if wider and narrower else "tighter" if wider else "looser" if narrower else "other"
    return _together(
        hours,
        _subset(new.channels, old.channels, more="tighter"),
        _subset(new.exempt_categories, old.exempt_categories, more="looser"),
        _over(old.action, new.action),
    )


def _numbers(before: ThrottlePolicy, after: ThrottlePolicy) -> Iterable[Change]:
    term = (before.consent.term_days or NEVER, after.consent.term_days or NEVER)
    age = (-before.suppression.minimum_age, -after.suppression.minimum_age)
    pairs: tuple[tuple[str, str, str, tuple[int, int], Any, Any], ...] = (
        ("defer_expires_hours", "延期有效小时", "hours until a deferral expires",
         (before.defer_expires_hours, after.defer_expires_hours), before.defer_expires_hours, after.defer_expires_hours),
        ("consent.term_days", "同意有效天数", "days that a consent lasts", term,
         before.consent.term_days, after.consent.term_days),
        ("suitability.validity_days", "风评有效天数", "days that an assessment lasts",
         (before.suitability.validity_days, after.suitability.validity_days),
         before.suitability.validity_days, after.suitability.validity_days),
        ("suppression.minimum_age", "最低年龄", "minimum age", age,
         before.suppression.minimum_age, after.suppression.minimum_age),
    )  # fmt: skip
    for place, zh, en, (old, new), was, now in pairs:
        if old != new:
            yield Change(
                place=place,
                direction=_direction(new, old),
                zh=f"{zh}由 {_zh(was)} 改为 {_zh(now)}",
                en=f"{en}: from {_en(was)} to {_en(now)}",
            )


def _lists(before: ThrottlePolicy, after: ThrottlePolicy) -> Iterable[Change]:
    lists: tuple[tuple[str, str, str, Direction, Iterable[Any], Iterable[Any]], ...] = (
        ("suppression.marketing", "营销禁止名单", "suppressed for marketing", "tighter",
         before.suppression.marketing, after.suppression.marketing),
        ("suppression.service", "服务禁止名单", "suppressed for service", "tighter",
         before.suppression.service, after.suppression.service),
        ("suitability.kinds", "需要适当性匹配的产品", "product kinds that need suitability", "tighter",
         before.suitability.kinds, after.suitability.kinds),
        ("identity.kinds", "同一人的识别依据", "what makes one person", "tighter",
         before.identity.kinds, after.identity.kinds),
        ("consent.not_needed", "无需同意记录的渠道", "channels without consent", "looser",
         before.consent.not_needed, after.consent.not_needed),
        ("consent.purposes", "按服务对待的类别", "categories that count as service", "looser",
         _services(before), _services(after)),
        ("statuses_not_counted", "不计频次的状态", "statuses that do not count", "looser",
         before.statuses_not_counted, after.statuses_not_counted),
        ("holidays_added", "增补的节假日", "added holidays", "tighter",
         map(str, before.holidays_added), map(str, after.holidays_added)),
        ("workdays_added", "增补的工作日", "added working days", "looser",
         map(str, before.workdays_added), map(str, after.workdays_added)),
    )  # fmt: skip
    for place, zh, en, more, old, new in lists:
        was, now = list(old), list(new)
        less: Direction = "looser" if more == "tighter" else "tighter"
        for direction, names, verb_zh, verb_en in (
            (more, [n for n in now if n not in was], "增加", "added"),
            (less, [n for n in was if n not in now], "去掉", "removed"),
        ):
            if names:
                said = listed(names)
                yield Change(
                    place=place,
                    direction=direction,
                    zh=f"{zh}{verb_zh}：{said.zh}",
                    en=f"{en}, {verb_en}: {said.en}",
                )


def _services(policy: ThrottlePolicy) -> list[str]:
    return [category for category, purpose in policy.consent.purposes.items() if purpose == "service"]


def _rest(before: ThrottlePolicy, after: ThrottlePolicy) -> Iterable[Change]:
    if before.suppression.staff != after.suppression.staff:
        now = after.suppression.staff
        yield Change(
            place="suppression.staff",
            direction="tighter" if now else "looser",
            zh="员工不做营销触达" if now else "员工也做营销触达",
            en="members of staff get no marketing" if now else "members of staff get marketing too",
        )
    if before.consent.assumed != after.consent.assumed:
        now = after.consent.assumed
        yield Change(
            place="consent.assumed",
            direction="looser" if now else "tighter",
            zh="没有记录视为同意" if now else "没有记录不再视为同意",
            en="no record counts as consent" if now else "no record counts as consent no more",
        )
    for name in dict.fromkeys([*before.contact, *after.contact]):
        old, new = before.contact.get(name), after.contact.get(name)
        if old != new:
            direction: Direction = "tighter" if old is None else "looser" if new is None else "other"
            yield Change(
                place=f"contact.{name}",
                direction=direction,
                zh=f"{describing.channel(name).zh}可联系条件由 {_zh(old)} 改为 {_zh(new)}",
                en=f"who can be reached on {describing.channel(name).en}: from {_en(old)} to {_en(new)}",
            )
    for place, zh, en, was, then in (
        ("suitability.levels", "风险等级", "risk levels", before.suitability.levels, after.suitability.levels),
        ("identity.keep", "同一人保留", "which number is kept", before.identity.keep, after.identity.keep),
        ("priorities", "优先级", "priorities", before.priorities, after.priorities),
        ("plan_at", "夜间编排时间", "time of the nightly plan", before.plan_at, after.plan_at),
    ):
        if was != then:
            yield Change(
                place=place, direction="other", zh=f"{zh}由 {_zh(was)} 改为 {_zh(then)}", en=f"{en}: from {_en(was)} to {_en(then)}"
            )  # fmt: skip


def _zh(value: object) -> str:
    return "（无）" if value in (None, (), {}) else _plain(value)


def _en(value: object) -> str:
    return "(none)" if value in (None, (), {}) else _plain(value)


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {n:+d}" for key, n in value.items())
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
