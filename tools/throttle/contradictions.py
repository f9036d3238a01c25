"""What a contact policy must not say: each finding names the place in the file and the fix, in both languages.

An error keeps the policy from being loaded; a warning is told by `touchline policy check`. The models of `policy` do not
refuse contradictions themselves: the strictest of an approved and a newer policy may well hold such a pair.
"""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict
from rapidfuzz import process

from tools.throttle import describing
from tools.throttle.calendar import adjusted_days_known
from tools.throttle.coverage import always_quiet, longest_quiet
from tools.throttle.describing import listed
from tools.throttle.policy import CHANNELS, Calendar, Cap, Capacity, Rolling, ThrottlePolicy
from warehouse.catalog import Catalog
from warehouse.errors import ModelRetry
from warehouse.schema import PRODUCT_KINDS, RISK_LEVELS, SUPPRESSION_REASONS, TIERS

LOOK_AHEAD = timedelta(days=60)
"""How long before a year its working days should be known."""
Severity = Literal["error", "warning"]


class Finding(BaseModel):
    """One thing that is wrong. `place` is where it stands in the file, such as `caps.global_7d`."""

    model_config = ConfigDict(frozen=True)

    code: str
    severity: Severity
    place: str
    zh: str
    en: str
    fix_zh: str
    fix_en: str


def contradictions(policy: ThrottlePolicy) -> list[Finding]:
    """What keeps a policy from being loaded; empty for a sound one. Looks at nothing but the policy."""
    return [
        *_names(policy),
        *_same_window(policy.caps, "caps"),
        *_shorter_allows_more(policy.caps, "caps"),
        *_same_window(policy.capacity, "capacity"),
        *_shorter_allows_more(policy.capacity, "capacity"),
        *_never_freed(policy),
        *_above_promise(policy),
        *_shorter_promise_allows_more(policy),
        *_quiet_for_ever(policy),
    ]


def check(policy: ThrottlePolicy, catalog: Catalog, today: date) -> list[Finding]:
    """Everything: the contradictions, contact rules that do not fit the catalog, and warnings.

    Args:
        today: the bank's day from which on chains of quiet hours are looked at, two years ahead.
    """
    return [
        *contradictions(policy),
        *_contact(policy, catalog),
        *_levels_left_out(policy),
        *_never_binds(policy),
        *_expires_in_quiet(policy, today),
        *_calendar_ends(policy, today),
    ]


def error(code: str, place: str, zh: str, en: str, fix_zh: str, fix_en: str) -> Finding:
    """A finding that keeps the policy from being loaded."""
    return Finding(code=code, severity="error", place=place, zh=zh, en=en, fix_zh=fix_zh, fix_en=fix_en)


def _warning(code: str, place: str, zh: str, en: str, fix_zh: str, fix_en: str) -> Finding:
    return Finding(code=code, severity="warning", place=place, zh=zh, en=en, fix_zh=fix_zh, fix_en=fix_en)


def known_categories(policy: ThrottlePolicy) -> list[str]:
    """Categories that a policy knows: marketing, service, and whatever `consent.purposes` gives a purpose."""
    return list(dict.fromkeys(["marketing", "service", *policy.consent.purposes]))


def _names(policy: ThrottlePolicy) -> Iterable[Finding]:
    categories = known_categories(policy)
    said: list[tuple[str, Iterable[str], Sequence[str], str, str]] = []
    for cap in policy.caps:
        said.append((f"caps.{cap.name}.tiers", cap.tiers, TIERS, "客户层级", "tier"))
        said.append((f"caps.{cap.name}.only_categories", cap.only_categories, categories, "类别", "category"))
        said.append((f"caps.{cap.name}.exempt_categories", cap.exempt_categories, categories, "类别", "category"))
    for quiet in policy.quiet_hours:
        place = f"quiet_hours.{quiet.name}.exempt_categories"
        said.append((place, quiet.exempt_categories, categories, "类别", "category"))
    said += [
        ("priorities", policy.priorities, categories, "类别", "category"),
        ("suitability.levels", policy.suitability.levels, RISK_LEVELS, "风险等级", "risk level"),
        ("suitability.kinds", policy.suitability.kinds, PRODUCT_KINDS, "产品类型", "product kind"),
        ("suppression.marketing", policy.suppression.marketing, SUPPRESSION_REASONS, "禁止原因", "reason"),
        ("suppression.service", policy.suppression.service, SUPPRESSION_REASONS, "禁止原因", "reason"),
    ]
    for place, names, known, zh, en in said:
        for name in names:
            if name not in known:
                yield _unknown(place, name, known, zh, en)


def _unknown(place: str, name: str, known: Sequence[str], zh: str, en: str) -> Finding:
    near = process.extractOne(name, known, score_cutoff=60)
    options = listed([near[0]] if near else known)
    declare_zh = "，或先在 consent.purposes 里写明它的用途" if en == "category" else ""
    declare_en = ", or declare its purpose in consent.purposes" if en == "category" else ""
    return error(
        f"unknown_{en.replace(' ', '_')}",
        place,
        f"没有{zh}“{name}”",
        f"there is no {en} {name!r}",
        f"改为 {options.zh}{declare_zh}",
        f"Use {options.en}{declare_en}",
    )


def _alike(one: Cap | Capacity, other: Cap | Capacity) -> bool:
    """Whether two limits count the same touches of the same customers, whatever their windows."""
    ignore = {"name", "window", "max", "over"}
    return one.model_dump(exclude=ignore) == other.model_dump(exclude=ignore)


def _same_window(limits: Sequence[Cap | Capacity], part: str) -> Iterable[Finding]:
    for place, one in enumerate(limits):
        for other in limits[place + 1 :]:
            if _alike(one, other) and one.window == other.window:
                yield error(
                    "same_window",
                    f"{part}.{other.name}",
                    f"“{one.name}”和“{other.name}”对同一窗口各说各话（{one.max} 与 {other.max}）",
                    f"{one.name!r} and {other.name!r} say two things about the same window ({one.max} and {other.max})",
                    "只保留其中一条",
                    "Keep one of the two",
                )


def _shorter_allows_more(limits: Sequence[Cap | Capacity], part: str) -> Iterable[Finding]:
    for narrow in limits:
        for wide in limits:
            if (
                _alike(narrow, wide)
                and narrow.window.longest_hours < wide.window.longest_hours
                and narrow.max > wide.max
            ):
                yield error(
                    "shorter_allows_more",
                    f"{part}.{narrow.name}",
                    f"“{narrow.name}”的窗口比“{wide.name}”短，却允许更多（{narrow.max} 多于 {wide.max}）",
                    f"{narrow.name!r} allows {narrow.max} in a shorter window than {wide.name!r} with {wide.max}",
                    f"把“{narrow.name}”降到 {wide.max} 以内",
                    f"Lower {narrow.name!r} to {wide.max} or less",
                )


def _never_freed(policy: ThrottlePolicy) -> Iterable[Finding]:
    limits: list[tuple[str, Cap | Capacity]] = [("caps", cap) for cap in policy.caps]
    limits += [("capacity", limit) for limit in policy.capacity]
    for part, limit in limits:
        if limit.max == 0 and limit.over == "defer":
            yield error(
                "never_freed",
                f"{part}.{limit.name}",
                f"“{limit.name}”上限为 0 却要延期：永远等不到空位",
                f"{limit.name!r} allows none and yet defers: there will never be room",
                "改为 over: abandon，或给出大于 0 的上限",
                "Say `over: abandon`, or allow more than 0",
            )


def _above_promise(policy: ThrottlePolicy) -> Iterable[Finding]:
    for promise in policy.consent.promised:
        for cap in policy.caps:
            own = cap.scope == "channel" or cap.channels == (promise.channel,)
            mine = any(
                cap.concerns(promise.channel, category)
                for category in known_categories(policy)
                if policy.consent.purpose(category) == promise.purpose
            )
            if (
                own
                and mine
                and cap.scope != "account"
                and cap.max > promise.max
                and _within(cap.window, promise.window)
            ):
                told = describing.promise(promise)
                yield error(
                    "above_promise",
                    f"caps.{cap.name}",
                    f"“{cap.name}”允许 {cap.max} 次，超过同意书的承诺：{told.zh}",
                    f"{cap.name!r} allows {cap.max}, more than was promised with the consent: {told.en}",
                    f"把“{cap.name}”降到 {promise.max} 以内；提高承诺须重新取得客户同意",
                    f"Lower {cap.name!r} to {promise.max} or less; promising more needs new consents",
                )


def _within(inner: Rolling | Calendar, outer: Rolling | Calendar) -> bool:
    return inner.longest_hours <= outer.longest_hours


def _shorter_promise_allows_more(policy: ThrottlePolicy) -> Iterable[Finding]:
    promised = policy.consent.promised
    for place, one in enumerate(promised):
        for other_place, other in enumerate(promised):
            if place == other_place or (one.channel, one.purpose) != (other.channel, other.purpose):
                continue
            here = f"consent.promised.{one.channel}"
            if one.window == other.window and place < other_place:
                yield error(
                    "same_window", here, "同一渠道、用途和窗口承诺了两次", "the same is promised twice",
                    "只保留同意书上的那一条", "Keep the one that the consent names",
                )  # fmt: skip
            elif one.window.longest_hours < other.window.longest_hours and one.max > other.max:
                yield error(
                    "shorter_allows_more",
                    here,
                    f"较短窗口承诺 {one.max} 次，多于较长窗口的 {other.max} 次",
                    f"{one.max} are promised in a shorter window than {other.max}",
                    "按同意书改正",
                    "Mend it by the words of the consent",
                )


def _quiet_for_ever(policy: ThrottlePolicy) -> Iterable[Finding]:
    named = [category for quiet in policy.quiet_hours for category in quiet.exempt_categories]
    for channel in CHANNELS:
        # A category that is never exempt stands for all that are not named.
        for category in dict.fromkeys(["marketing", *known_categories(policy), *named]):
            mine = [q for q in policy.quiet_hours if channel in q.channels and category not in q.exempt_categories]
            if mine and always_quiet(mine):
                names, here = listed(q.name for q in mine), describing.channel(channel)
                yield error(
                    "quiet_for_ever",
                    f"quiet_hours.{mine[0].name}",
                    f"{names.zh} 合起来让{here.zh}全天都不能触达（类别 {category}）",
                    f"{names.en} together leave no hour for {here.en} (category {category})",
                    "缩短其中一段；要关闭该渠道请用上限为 0 的频次上限",
                    "Shorten one of them; to close a channel give it a cap of 0",
                )
                break


def _contact(policy: ThrottlePolicy, catalog: Catalog) -> Iterable[Finding]:
    from tools.segment import parse

    for channel, rule in policy.contact.items():
        try:
            parse(rule, catalog)
        except ModelRetry as fault:
            # Where consent is assumed such a rule is left out, and every answer says so.
            made = _warning if policy.consent.assumed else error
            zh = str(fault.details.get("message_zh", fault.message))
            fix_zh = str(fault.details.get("fix_zh", fault.fix))
            yield made(
                "contact_rule",
                f"contact.{channel}",
                f"可联系条件“{rule}”与数据目录不符：{zh}",
                f"the contact rule {rule!r} does not fit the catalog: {fault.message}",
                fix_zh or "改正条件，或在 catalog.yaml 中增加该字段",
                fault.fix or "Mend the rule, or add the attribute to catalog.yaml",
            )


def _levels_left_out(policy: ThrottlePolicy) -> Iterable[Finding]:
    left_out = [level for level in RISK_LEVELS if level not in policy.suitability.levels]
    if left_out:
        said = listed(left_out)
        yield _warning(
            "level_left_out",
            "suitability.levels",
            f"未列出 {said.zh}：这些等级的客户按未测评处理，这些等级的产品谁也不能推荐",
            f"{said.en} left out: such customers count as never assessed, such products suit nobody",
            "从低到高列全",
            "List all, the lowest first",
        )


def _never_binds(policy: ThrottlePolicy) -> Iterable[Finding]:
    """A cap under which another always stops first."""
    for wide in policy.caps:
        if wide.scope != "global":
            continue
        for narrow in policy.caps:
            if narrow is wide or narrow.scope in ("global", "account") or narrow.window != wide.window:
                continue
            inside = not wide.channels or (set(narrow.channels) <= set(wide.channels) and narrow.channels)
            categories = [
                c for c in known_categories(policy) if not narrow.only_categories or c in narrow.only_categories
            ]
            all_counted = all(
                c in narrow.exempt_categories or wide.concerns((wide.channels or CHANNELS)[0], c) for c in categories
            )
            if inside and all_counted and narrow.max > wide.max:
                yield _warning(
                    "never_binds",
                    f"caps.{narrow.name}",
                    f"“{narrow.name}”永远不会起作用：“{wide.name}”先到 {wide.max}",
                    f"{narrow.name!r} never decides: {wide.name!r} stops at {wide.max} before it",
                    f"去掉它，或低于 {wide.max}",
                    f"Drop it, or go below {wide.max}",
                )


def _expires_in_quiet(policy: ThrottlePolicy, today: date) -> Iterable[Finding]:
    for channel in CHANNELS:
        mine = [q for q in policy.quiet_hours if channel in q.channels]
        if not any(q.action == "defer" for q in mine):
            continue
        hours, first = longest_quiet(mine, today, policy.holidays_added, policy.workdays_added)
        if hours > policy.defer_expires_hours:
            here = describing.channel(channel)
            yield _warning(
                "expires_in_quiet",
                "defer_expires_hours",
                f"{here.zh}从 {first} 起连续勿扰 {hours} 小时，超过延期有效期 {policy.defer_expires_hours} 小时："
                "届时延期的触达会被放弃",
                f"from {first} on {here.en} is quiet for {hours} hours, longer than the {policy.defer_expires_hours} after "
                "which a deferral expires: what is deferred then will be abandoned",
                f"把 defer_expires_hours 提高到 {hours}，或确认这正是所要的",
                f"Raise defer_expires_hours to {hours}, or be content with that",
            )


def _calendar_ends(policy: ThrottlePolicy, today: date) -> Iterable[Finding]:
    """The State Council names next year's adjusted working days in autumn; until the calendar holds them it only guesses."""
    if all(quiet.on in ("every_day", "dates") for quiet in policy.quiet_hours):
        return
    for year in sorted({today.year, (today + LOOK_AHEAD).year}):
        added = any(day.year == year for day in (*policy.holidays_added, *policy.workdays_added))
        if not added and not adjusted_days_known(year):
            yield _warning(
                "calendar_ends",
                "workdays_added",
                f"日历里还没有 {year} 年的调休安排",
                f"the calendar does not hold the adjusted working days of {year} yet",
                "公布后写入 holidays_added 和 workdays_added，或升级 holidays 包",
                "Write them into holidays_added and workdays_added, or upgrade the package `holidays`",
            )
