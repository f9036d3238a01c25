"""Which minutes of which kinds of days quiet hours cover. Pure; what a calendar says on a date is `calendar`'s."""

from collections.abc import Collection, Iterable
from datetime import date, timedelta

from tools.throttle.calendar import day_counts
from tools.throttle.policy import QuietHours

DAY = 24 * 60
"""Minutes. Quiet hours are told in minutes; seconds of a start or end are rounded towards longer quiet."""
KINDS = ("working", "weekend", "holiday")
"""Days by what the quiet hours distinguish: worked, a weekend without holiday, a public holiday."""
_ON = {
    "every_day": KINDS,
    "non_working_days": ("weekend", "holiday"),
    "public_holidays": ("holiday",),
    "dates": (),
}

Span = tuple[int, int]
"""Minutes of a day, the end not included."""


def spans(window: QuietHours) -> list[Span]:
    """What a window covers of each of its days, in order; an overnight one has two spans."""
    if window.all_day:
        return [(0, DAY)]
    start = window.start.hour * 60 + window.start.minute
    end = window.end.hour * 60 + window.end.minute + (window.end.second > 0 or window.end.microsecond > 0)
    if window.start < window.end:
        return [(start, end)]
    return [span for span in ((0, end), (start, DAY)) if span[0] < span[1]]


def merged(parts: Iterable[Span]) -> list[Span]:
    """Spans joined where they touch or overlap, in order."""
    found: list[Span] = []
    for start, end in sorted(parts):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def covered(windows: Iterable[QuietHours], kind: str) -> list[Span]:
    """What windows together cover of every day of a kind. Windows on named dates cover no kind of day."""
    return merged(span for window in windows if kind in _ON[window.on] for span in spans(window))


def always_quiet(windows: Iterable[QuietHours]) -> bool:
    """Whether windows together leave no minute of any kind of day."""
    known = list(windows)
    return all(covered(known, kind) == [(0, DAY)] for kind in KINDS)


def covers(wide: QuietHours, narrow: QuietHours) -> bool:
    """Whether one window is quiet whenever the other is: on each of its days and in each of its minutes."""
    if narrow.on == "dates":
        every = {(d.first, d.last) for d in narrow.dates}
        days = wide.on == "every_day" or (wide.on == "dates" and every <= {(d.first, d.last) for d in wide.dates})
    else:
        days = wide.on != "dates" and set(_ON[narrow.on]) <= set(_ON[wide.on])
    whole = merged(spans(wide))
    return days and all(any(a <= start and end <= b for a, b in whole) for start, end in merged(spans(narrow)))


def longest_quiet(
    windows: Collection[QuietHours],
    today: date,
    holidays_added: Collection[date] = (),
    workdays_added: Collection[date] = (),
    days: int = 731,
) -> tuple[int, date]:
    """The longest stretch without a free minute from today on: its length in full hours, rounded up, and its first day.

    Told in hours of the clock, so a night in which clocks change is an hour off.
    """
    added, worked = frozenset(holidays_added), frozenset(workdays_added)
    parts = [
        (number * DAY + start, number * DAY + end)
        for number in range(days)
        for window in windows
        if day_counts(window, today + timedelta(days=number), added, worked)
        for start, end in spans(window)
    ]
    length, start = max(((end - start, -start) for start, end in merged(parts)), default=(0, 0))
    return -(-length // 60), today + timedelta(days=-start // DAY)
