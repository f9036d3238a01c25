"""Checks of times: quiet hours, sending windows, start and end, and a goal window that closes before the last touch."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta

from tools.canvas.facts import Facts
from tools.canvas.findings import Finding, Text, error, warning
from tools.canvas.graph import due_after, following, length, topological
from tools.canvas.schema import Canvas, Delay, Entry, Once, OnDate, Recurring, SendingWindow, Touch
from tools.canvas.words import channel_name
from tools.throttle.calendar import quiet_at
from warehouse.clock import parse_instant
from warehouse.errors import ModelRetry

_NOON = 10
_DAYS_TO_LOOK = 14


def check_times(canvas: Canvas, facts: Facts, arrivals: dict[str, datetime]) -> Iterator[Finding]:
    """Touches in quiet hours or outside the sending windows, and a goal window that closes before the last touch."""
    for touch in (n for n in canvas.nodes if isinstance(n, Touch)):
        moment = arrivals.get(touch.id)
        if moment is None:
            continue
        if canvas.sending_windows and not within(canvas.sending_windows, moment.astimezone(facts.zone)):
            hour = moment.astimezone(facts.zone).strftime("%H:%M")
            yield warning(
                "outside_windows",
                touch.id,
                (f"{touch.id} 安排在 {hour}，不在发送时段内，会等到下一个时段。",
                 f"{touch.id} at {hour} is outside the sending windows and waits for the next."),
                ("改到发送时段内，或调整发送时段。", "Choose an hour inside them, or change the windows."),
            )  # fmt: skip
            continue
        yield from _quiet(canvas, touch, moment, facts)
    yield from _never(canvas, facts)
    start = facts.start or datetime(2026, 1, 5, 2, tzinfo=facts.zone)
    longest = length(canvas, facts.zone, start)
    if longest > timedelta(days=canvas.goal.window_days):
        yield warning(
            "goal_window",
            "goal.window_days",
            (f"流程最长 {_days(longest)} 天，目标窗口只有 {canvas.goal.window_days} 天。",
             f"The longest way takes {_days(longest)} days, the goal window only {canvas.goal.window_days}."),
            (f"把目标窗口设为 {_days(longest) + 7} 天以上。", f"Set the goal window to {_days(longest) + 7} days or more."),
        )  # fmt: skip


def check_period(canvas: Canvas, facts: Facts) -> Iterator[Finding]:
    """Start and end must be times, in that order, and not over."""
    found: dict[str, datetime] = {}
    for name in ("start", "end"):
        text = getattr(canvas, name)
        if not text:
            continue
        try:
            found[name] = parse_instant(text, facts.zone)
        except ModelRetry as problem:
            yield error(
                name,
                name,
                (f"{text!r} 不是时间。", problem.message),
                ("写成 2026-11-20T09:00。", problem.fix),
            )
    start, end = found.get("start"), found.get("end")
    if start and end and end <= start:
        yield error(
            "end_before_start",
            "end",
            (f"结束 {canvas.end} 不晚于开始 {canvas.start}。", f"The end {canvas.end} is not after the start {canvas.start}."),
            ("改晚结束时间。", "Choose a later end."),
        )  # fmt: skip
    elif end and facts.start and end <= facts.start:
        yield error(
            "ended",
            "end",
            (f"结束 {canvas.end} 已经过去，没有人会进入。", f"The end {canvas.end} is over: nobody would enter."),
            ("改晚结束时间，或去掉。", "Choose a later end, or remove it."),
        )


def _quiet(canvas: Canvas, touch: Touch, moment: datetime, facts: Facts) -> Iterator[Finding]:
    """Quiet hours at the hour of a touch. Where only its hour is known, those that hold at it on every day; hours that
    hold on some days only are told if they would cost the touch."""
    days = [moment] if _day_is_known(canvas) else [moment + timedelta(days=n) for n in range(7)]
    quiet, added = facts.policy.quiet_hours, (facts.policy.holidays_added, facts.policy.workdays_added)
    held = [quiet_at(quiet, touch.channel, canvas.category, day, facts.zone, *added) for day in days]
    hour = moment.astimezone(facts.zone).strftime("%H:%M")
    zh, en = channel_name(touch.channel, "zh"), channel_name(touch.channel, "en")
    fix: Text = ("改到勿扰时段之外。", "Choose an hour outside them.")
    lost = next((quiet for quiet in held if quiet is not None and quiet.action == "abandon"), None)
    if all(held) and (first := lost or held[0]) is not None:
        what: Text = ("会延到时段结束再发", "it will wait until they end") if first.action == "defer" else (
            "会被放弃", "it will be abandoned"
        )  # fmt: skip
        message: Text = (
            f"{zh}安排在 {hour}，属于勿扰时段 {first.rule}，{what[0]}。",
            f"The {en} at {hour} falls into the quiet hours {first.rule}; {what[1]}.",
        )
        yield (warning if first.action == "defer" else error)("quiet_hours", touch.id, message, fix)
    elif lost is not None:
        yield warning(
            "quiet_days",
            touch.id,
            (f"{zh}在 {hour} 若遇勿扰时段 {lost.rule} 的日子会被放弃。",
             f"The {en} at {hour} is abandoned on days on which the quiet hours {lost.rule} hold."),
            ("限定日子，或让这条路换个渠道。", "Limit the days, or use another channel on them."),
        )  # fmt: skip


def _day_is_known(canvas: Canvas) -> bool:
    entry = next(node for node in canvas.nodes if isinstance(node, Entry))
    return bool(canvas.start) and isinstance(entry.trigger, Once)


def _never(canvas: Canvas, facts: Facts) -> Iterator[Finding]:
    """A channel whose sending windows lie within its quiet hours sends nothing, on any day."""
    windows = [w for w in canvas.sending_windows if w.start != w.end]
    channels = {n.channel: n.id for n in reversed(canvas.nodes) if isinstance(n, Touch)}
    first = (facts.start or datetime(2026, 1, 5, tzinfo=facts.zone)).astimezone(facts.zone).date()
    edges = sorted({time(0), *(w.start for w in windows), *(q.end for q in facts.policy.quiet_hours)})
    moments = [
        datetime.combine(first + timedelta(days=day), edge, facts.zone)
        for day in range(_DAYS_TO_LOOK)
        for edge in edges
    ]
    inside = [moment for moment in moments if within(tuple(windows), moment)]
    added = (facts.policy.holidays_added, facts.policy.workdays_added)
    for channel, place in channels.items() if windows else ():
        if not any(
            quiet_at(facts.policy.quiet_hours, channel, canvas.category, moment, facts.zone, *added) is None
            for moment in inside
        ):
            yield error(
                "windows_quiet",
                place,
                (f"发送时段全在{channel_name(channel, 'zh')}的勿扰时段内，永远发不出去。",
                 f"The sending windows lie within the quiet hours of {channel_name(channel, 'en')}: nothing is ever sent."),
                ("把发送时段移到勿扰时段之外。", "Move the sending windows out of the quiet hours."),
            )  # fmt: skip


def within(windows: tuple[SendingWindow, ...], local: datetime) -> bool:
    """Whether a bank-zone moment lies in one of the windows; a window that crosses midnight belongs to the day it starts."""
    for window in windows:
        clock, day = local.time(), local.isoweekday()
        if window.start < window.end:
            held = window.start <= clock < window.end
        else:
            held = clock >= window.start or clock < window.end
            if clock < window.end:
                day = (local - timedelta(days=1)).isoweekday()
        if held and (not window.days or day in window.days):
            return True
    return False


def planned(canvas: Canvas, facts: Facts) -> dict[str, datetime]:
    """Touch → when it would be sent, as far as that is known: from the canvas's start, the trigger's hour, or a delay
    with an hour.

    Without a start the day is that of the facts' start, or an ordinary Monday; only the hour means something then.
    """
    start, certain = facts.start, False
    if canvas.start:
        try:
            start, certain = parse_instant(canvas.start, facts.zone), True
        except ModelRetry:
            start = facts.start
    start = start or datetime(2026, 1, 5, _NOON, tzinfo=facts.zone)
    order = topological(canvas)
    entry = order[0]
    if isinstance(entry, Entry) and isinstance(entry.trigger, Recurring | OnDate):
        local = start.astimezone(facts.zone)
        at = datetime.combine(local.date(), time(entry.trigger.hour), facts.zone)
        start, certain = (at if at >= local else at + timedelta(days=1)), True
    index = {node.id: node for node in order}
    arrival: dict[str, tuple[datetime, bool]] = {entry.id: (start, certain)}
    for node in order:
        if node.id not in arrival:
            continue
        here, known = arrival[node.id]
        for target in following(node):
            there = index[target]
            due = due_after(there, here, facts.zone)
            sure = known or (isinstance(there, Delay) and there.until_hour is not None)
            if target not in arrival or due > arrival[target][0]:
                arrival[target] = (due, sure)
    return {name: when for name, (when, known) in arrival.items() if known and isinstance(index[name], Touch)}


def _days(span: timedelta) -> int:
    return -(-span // timedelta(days=1))
