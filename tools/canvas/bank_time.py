"""Bank time for the engine: hours of the day, the next opening of a sending window, when a schedule comes round. Pure."""

import calendar
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from tools.canvas.schema import Hours, OnDate, Recurring, SendingWindow

_YEARS_LOOKED_AT = 2


def holds(hours: Hours | SendingWindow, local: datetime) -> bool:
    """Whether an instant of the bank's zone is within; each hour is judged by its own day. Start = end is the whole day."""
    if hours.days and local.isoweekday() not in hours.days:
        return False
    clock = local.time()
    if hours.start < hours.end:
        return hours.start <= clock < hours.end
    return hours.start == hours.end or clock >= hours.start or clock < hours.end


def opening(windows: Sequence[SendingWindow], instant: datetime, zone: ZoneInfo) -> datetime | None:
    """The first instant, this one or later, within one of the windows; the instant itself where there are none, None where
    none ever opens (`check` refuses such a canvas)."""
    local = instant.astimezone(zone)
    if not windows or any(holds(window, local) for window in windows):
        return instant
    for ahead in range(9):
        day = local.date() + timedelta(days=ahead)
        # A window that crosses midnight may open at midnight, where the day before is not one of its days.
        starts = sorted({window.start for window in windows} | {time(0)})
        for start in starts:
            there = datetime.combine(day, start, zone)
            if there > local and any(holds(window, there) for window in windows):
                return there.astimezone(UTC)
    return None


def last_round(trigger: Recurring | OnDate, instant: datetime, zone: ZoneInfo) -> datetime | None:
    """When a schedule came round last, at this instant or before it; None if not within two years."""
    day = instant.astimezone(zone).date()
    for _ in range(366 * _YEARS_LOOKED_AT):
        there = datetime(day.year, day.month, day.day, trigger.hour, tzinfo=zone).astimezone(UTC)
        if there <= instant and _on(trigger, day):
            return there
        day -= timedelta(days=1)
    return None


def next_round(trigger: Recurring | OnDate, instant: datetime, zone: ZoneInfo) -> datetime:
    """When a schedule comes round next, after this instant."""
    day = instant.astimezone(zone).date()
    while True:
        there = datetime(day.year, day.month, day.day, trigger.hour, tzinfo=zone).astimezone(UTC)
        if there > instant and _on(trigger, day):
            return there
        day += timedelta(days=1)


def _on(trigger: Recurring | OnDate, day: date) -> bool:
    if isinstance(trigger, OnDate) or trigger.every == "day":
        return True
    if trigger.every == "week":
        return day.isoweekday() in (trigger.days or (1,))
    length = calendar.monthrange(day.year, day.month)[1]
    return day.day in {min(number, length) for number in trigger.days or (1,)}
