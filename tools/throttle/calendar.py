"""Bank time for the throttle: where cap windows begin and end, and when quiet hours end. Pure functions of an instant."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays

from tools.throttle.policy import Calendar, QuietHours, Rolling
from warehouse.clock import day_start


@dataclass(frozen=True)
class Quiet:
    """Quiet hours that hold at an instant: `until` is the first instant at which none of the channel's windows holds."""

    rule: str
    action: str
    until: datetime


def window_start(window: Rolling | Calendar, instant: datetime, zone: ZoneInfo) -> tuple[datetime, bool]:
    """Where a window begins, UTC, and whether that moment itself belongs to it (calendar: yes; rolling: no)."""
    if isinstance(window, Rolling):
        return instant - timedelta(hours=window.hours), False
    if window.period == "hour":
        return _hour(instant, zone), True
    return day_start(_first_day(window, instant.astimezone(zone).date()), zone), True


def window_next(window: Rolling | Calendar, instant: datetime, zone: ZoneInfo) -> datetime:
    """The earliest instant after `instant` at which a touch made at `instant` no longer counts."""
    if isinstance(window, Rolling):
        return instant + timedelta(hours=window.hours)
    if window.period == "hour":
        return _hour(instant, zone) + timedelta(hours=1)
    first = _first_day(window, instant.astimezone(zone).date())
    days = {"day": 1, "week": 7}.get(window.period)
    if days is not None:
        return day_start(first + timedelta(days=days), zone)
    months = first.year * 12 + first.month - 1 + {"month": 1, "quarter": 3, "year": 12}[window.period]
    return day_start(date(months // 12, months % 12 + 1, 1), zone)


def _hour(instant: datetime, zone: ZoneInfo) -> datetime:
    """The full hour of the zone's clock; zones are off by whole minutes, so the instant steps back by its minutes."""
    local = instant.astimezone(zone)
    return instant - timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)


def _first_day(window: Calendar, day: date) -> date:
    match window.period:
        case "week":
            return day - timedelta(days=day.weekday())
        case "month":
            return day.replace(day=1)
        case "quarter":
            return day.replace(month=day.month - (day.month - 1) % 3, day=1)
        case "year":
            return day.replace(month=1, day=1)
    return day


def quiet_at(
    windows: tuple[QuietHours, ...],
    channel: str,
    category: str,
    instant: datetime,
    zone: ZoneInfo,
    holidays_added: Collection[date] = (),
    workdays_added: Collection[date] = (),
) -> Quiet | None:
    """The quiet hours of a channel that hold at an instant, or None. One that abandons goes before one that defers.

    The last two arguments are the policy's days beyond the calendar of mainland China.
    """
    mine = [w for w in windows if channel in w.channels and category not in w.exempt_categories]
    calendar = _Days(frozenset(holidays_added), frozenset(workdays_added))
    holding = [w for w in mine if _holds(w, instant, zone, calendar)]
    if not holding:
        return None
    first = min(holding, key=lambda w: (w.action != "abandon", w.name))
    # Windows may follow each other (night, holiday, night): walk from end to end until none holds.
    until = instant
    for _ in range(400):
        ends = [_end(w, until, zone) for w in mine if _holds(w, until, zone, calendar)]
        if not ends:
            break
        until = max(ends)
    return Quiet(first.name, first.action, until)


def day_counts(
    window: QuietHours, day: date, holidays_added: Collection[date], workdays_added: Collection[date]
) -> bool:
    """Whether a day is one of those on which quiet hours hold."""
    return _Days(frozenset(holidays_added), frozenset(workdays_added)).counts(window, day)


def _holds(window: QuietHours, instant: datetime, zone: ZoneInfo, calendar: "_Days") -> bool:
    local = instant.astimezone(zone)
    if not calendar.counts(window, local.date()):
        return False
    clock = local.time()
    if window.all_day:
        return True
    if window.start < window.end:
        return window.start <= clock < window.end
    return clock >= window.start or clock < window.end


def _end(window: QuietHours, instant: datetime, zone: ZoneInfo) -> datetime:
    local = instant.astimezone(zone)
    tomorrow = local.date() + timedelta(days=1)
    if window.all_day or (window.start > window.end and local.time() >= window.start):
        # Each day is judged on its own, so the night is left at midnight and entered again if the next day counts too.
        return day_start(tomorrow, zone)
    # The fold says which of the two 01:30 of a night when clocks go back is meant; without it the end may lie behind.
    return datetime.combine(local.date(), window.end, zone).replace(fold=local.fold).astimezone(UTC)


@dataclass(frozen=True)
class _Days:
    """Which days are off: mainland China's holidays, and what the policy adds to them."""

    holidays: frozenset[date]
    workdays: frozenset[date]

    def counts(self, window: QuietHours, day: date) -> bool:
        if window.on == "every_day":
            return True
        if window.on == "dates":
            return any(span.first <= day <= span.last for span in window.dates)
        if day in self.holidays:
            return True
        if day in self.workdays:
            return False
        off, working = _china(day.year)
        return day in off or (window.on == "non_working_days" and day.weekday() >= 5 and day not in working)


def adjusted_days_known(year: int) -> bool:
    """Whether the calendar holds the State Council's arrangement of a year: which weekend days are worked."""
    return any(day.year == year for day in _china(year)[1])


@lru_cache(maxsize=32)
def _china(year: int) -> tuple[frozenset[date], frozenset[date]]:
    """Public holidays of mainland China, and the weekend days that are worked in exchange (调休).

    The library names the holidays and the days off in exchange, but not the Sunday in the middle of a golden week: a
    weekend that touches a holiday is part of it, as it is in the State Council's notices.
    """
    calendar = holidays.country_holidays("CN", years=[year - 1, year, year + 1])
    working: set[date] = getattr(calendar, "weekend_workdays", set())
    off = set(calendar) - working
    for step in (timedelta(days=1), timedelta(days=-1)):
        for day in sorted(off, reverse=step.days < 0):
            while (day := day + step).weekday() >= 5 and day not in working:
                off.add(day)
    return frozenset(off), frozenset(working)
