"""Checks of how customers come, wait, part and come again: triggers, waits, splits, tasks, re-entry."""

from collections.abc import Iterator

from tools.canvas.check_expressions import repeats
from tools.canvas.facts import Facts
from tools.canvas.findings import Finding, error, warning
from tools.canvas.graph import key_of
from tools.canvas.schema import (
    Canvas,
    Delay,
    Entry,
    HoldOut,
    Hours,
    Once,
    OnDate,
    Recurring,
    Split,
    TimeSplit,
    Touch,
    Wait,
)
from warehouse.catalog import Catalog

WEEK = range(1, 8)
_DAYS = {"week": WEEK, "month": range(1, 32)}


def check_flow(canvas: Canvas, catalog: Catalog, facts: Facts) -> Iterator[Finding]:
    """Everything about time and ways that is impossible, or surely not meant."""
    for node in canvas.nodes:
        match node:
            case Entry(trigger=Recurring() as trigger):
                yield from _recurring(trigger, node.id)
            case Wait() if not (node.days or node.hours):
                yield error(
                    "wait_zero",
                    node.id,
                    (f"{node.id} 等待 0 小时，事件来不及发生。", f"{node.id} waits no time at all for {node.event}."),
                    ("设置 days 或 hours。", "Set days or hours."),
                )
            case Delay() if not (node.days or node.hours) and node.until_hour is None:
                yield warning(
                    "no_delay",
                    node.id,
                    (f"{node.id} 等待 0 小时，没有作用。", f"{node.id} waits for nothing."),
                    ("设置 days、hours 或 until_hour，或删掉它。", "Set days, hours or until_hour, or remove it."),
                )
            case TimeSplit():
                yield from _time_split(node)
            case Touch():
                yield from _task(node, facts)
    yield from _keys(canvas)
    yield from _reentry(canvas, catalog)


def _recurring(trigger: Recurring, place: str) -> Iterator[Finding]:
    valid = _DAYS.get(trigger.every)
    if valid is None:
        if trigger.days:
            yield warning(
                "trigger_days",
                place,
                ("每天进入，不需要列出日子。", "It enters every day: the days listed mean nothing."),
                ("删掉 days，或改为每周、每月。", "Remove days, or set every: week or month."),
            )
    elif not trigger.days or any(day not in valid for day in trigger.days):
        period = ("周", "week") if trigger.every == "week" else ("月", "month")
        yield error(
            "trigger_days",
            place,
            (f"每{period[0]}进入要写明 {valid[0]} 到 {valid[-1]} 的日子，现为 {list(trigger.days) or '空'}。",
             f"Entering every {period[1]} needs days from {valid[0]} to {valid[-1]}; given: {list(trigger.days) or 'none'}."),
            (f"例如 days: [{valid[0]}]。", f"Such as days: [{valid[0]}]."),
        )  # fmt: skip


def _time_split(node: TimeSplit) -> Iterator[Finding]:
    for window in node.windows:
        if window.start == window.end:
            yield error(
                "empty_hours",
                f"{node.id}.{window.name}",
                (f"时段 {window.name} 起止相同，没有人走这条路。", f"The hours {window.name} start where they end."),
                ("写不同的起止时间。", "Give an end that differs from the start."),
            )
        yield from _week_days(window.days, f"{node.id}.{window.name}")
    covered: dict[int, str] = {}
    for window in node.windows:
        for minute in _minutes(window):
            first = covered.setdefault(minute, window.name)
            if first != window.name:
                yield warning(
                    "overlapping_hours",
                    f"{node.id}.{window.name}",
                    (f"时段 {window.name} 与 {first} 有重叠，重叠部分走 {first}。",
                     f"The hours {window.name} overlap {first}; there {first} is taken."),
                    ("把两个时段分开。", "Let them not overlap."),
                )  # fmt: skip
                break


def _minutes(window: Hours) -> Iterator[int]:
    """The quarters of an hour of a week that a window holds, counted from Monday midnight."""
    start = window.start.hour * 4 + window.start.minute // 15
    end = window.end.hour * 4 + window.end.minute // 15
    quarters = list(range(start, end)) if start < end else [*range(start, 96), *range(end)]
    for day in window.days or WEEK:
        yield from (day * 96 + quarter for quarter in quarters)


def _week_days(days: tuple[int, ...], place: str) -> Iterator[Finding]:
    if any(day not in WEEK for day in days):
        yield error(
            "week_days",
            place,
            (f"星期应为 1（周一）到 7，现为 {list(days)}。", f"Days of the week are 1 (Monday) to 7; given: {list(days)}."),
            ("改成 1 到 7。", "Use 1 to 7."),
        )  # fmt: skip


def check_windows(canvas: Canvas) -> Iterator[Finding]:
    """Each sending window must hold some time of some day."""
    for number, window in enumerate(canvas.sending_windows, start=1):
        place = f"sending_windows.{number}"
        if window.start == window.end:
            yield error(
                "empty_hours",
                place,
                (f"第 {number} 个发送时段起止相同。", f"Sending window {number} starts where it ends."),
                ("写不同的起止时间；不限时段就不要写。", "Give another end; for any time leave the windows out."),
            )
        yield from _week_days(window.days, place)


def _task(touch: Touch, facts: Facts) -> Iterator[Finding]:
    if touch.channel != "task":
        if touch.unmanaged:
            yield error(
                "unmanaged",
                touch.id,
                ("unmanaged 只用于客户经理任务。", "Only manager tasks have a way for unmanaged customers."),
                ("删掉 unmanaged，或把渠道改为 task。", "Remove unmanaged, or set the channel to task."),
            )
        return
    without = facts.people.unmanaged if facts.people is not None else None
    if touch.unmanaged or without == 0:
        return
    size = ("没有客户经理的客户", "Customers without a manager") if without is None else (
        f"客群中 {without:,} 人没有客户经理，", f"{without:,} of the audience have no manager and"
    )  # fmt: skip
    yield warning(
        "task_unmanaged",
        touch.id,
        (f"{size[0]}收不到 {touch.id} 的任务，也没有别的去处。", f"{size[1]} get nothing at {touch.id}, and no other way."),
        ("加 unmanaged 分支（例如改发短信），或限定 has_manager。",
         "Give it an unmanaged branch (such as an SMS), or narrow to has_manager."),
    )  # fmt: skip


def _keys(canvas: Canvas) -> Iterator[Finding]:
    """Two splits by one key are one split: whoever is in the low shares of the first is in those of the second."""
    seen: dict[str, str] = {}
    for node in canvas.nodes:
        if not isinstance(node, HoldOut | Split):
            continue
        first = seen.setdefault(node.key, node.id)
        if first != node.id:
            yield error(
                "same_key",
                node.id,
                (f"{node.id} 与 {first} 用同一个分组键，两次分组会重合。",
                 f"{node.id} has the key of {first}: the two divide customers in the same way, so shares do not hold."),
                (f"改成别的键，例如 {key_of(canvas)}/{node.id}。", f"Give it another, such as {key_of(canvas)}/{node.id}."),
            )  # fmt: skip


def _reentry(canvas: Canvas, catalog: Catalog) -> Iterator[Finding]:
    trigger = next((n.trigger for n in canvas.nodes if isinstance(n, Entry)), Once())
    rule = canvas.reentry
    if isinstance(trigger, Once) and rule.allowed:
        yield warning(
            "reentry_once",
            "reentry",
            (
                "客群只进入一次，再次进入的规则用不上。",
                "The audience enters once: the rule about re-entry means nothing.",
            ),
            ("删掉 reentry，或改为周期进入。", "Remove reentry, or let the audience enter again and again."),
        )
    if not rule.allowed and (rule.after_days or rule.at_most is not None):
        yield warning(
            "reentry_off",
            "reentry",
            ("不允许再次进入，间隔和次数不起作用。", "Re-entry is not allowed, so its days and number mean nothing."),
            ("设 allowed: true，或删掉。", "Set allowed: true, or remove them."),
        )
    if rule.allowed and rule.at_most == 1:
        yield error(
            "reentry_once_only",
            "reentry.at_most",
            ("允许再次进入，却最多只能进入 1 次。", "Re-entry is allowed, but at most one entry."),
            ("把 at_most 设为 2 以上，或 allowed: false。", "Set at_most to 2 or more, or allowed: false."),
        )
    comes_again = isinstance(trigger, OnDate) and (trigger.yearly or repeats(catalog.attribute_index.get(trigger.date)))
    if comes_again and not rule.allowed:
        yield warning(
            "no_reentry",
            "reentry",
            ("这个日子会再来，但客户只能进入一次。", "This date comes again, but a customer may enter only once."),
            ("若要每次都进入，设 reentry: {allowed: true}。", "To enter each time, set reentry: {allowed: true}."),
        )
