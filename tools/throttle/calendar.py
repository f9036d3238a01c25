"""Bank time for the throttle: where cap windows begin and end, and when quiet hours end. Pure functions of an instant."""

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
    """Where a cap's window begins, UTC, and whether that moment itself belongs to it (calendar: yes; rolling: no)."""
    if isinstance(window, Rolling):
        return instant - timedelta(hours=window.hours), False
    return day_start(_first_day(window, instant.astimezone(zone).date()), zone), True


def window_next(window: Rolling | Calendar, instant: datetime, zone: ZoneInfo) -> datetime:
    """The earliest instant after `instant` at which a touch made at `instant` no longer counts."""
    if isinstance(window, Rolling):
        return instant + timedelta(hours=window.hours)
    first = _first_day(window, instant.astimezone(zone).date())
    if window.period == "month":
        return day_start((first.replace(day=28) + timedelta(days=4)).replace(day=1), zone)
    return day_start(first + timedelta(days=1 if window.period == "day" else 7), zone)


def _first_day(window: Calendar, day: date) -> date:
    if window.period == "day":
        return day
    return day - timedelta(days=day.weekday()) if window.period == "week" else day.replace(day=1)


def quiet_at(
    windows: tuple[QuietHours, ...], channel: str, category: str, instant: datetime, zone: ZoneInfo
) -> Quiet | None:
    """The quiet hours of a channel that hold at an instant, or None. One that abandons goes before one that defers."""
    mine = [w for w in windows if channel in w.channels and category not in w.exempt_categories]
    holding = [w for w in mine if _holds(w, instant, zone)]
    if not holding:
        return None
    first = min(holding, key=lambda w: (w.action != "abandon", w.name))
    # Windows may follow each other (night, holiday, night): walk from end to end until none holds.
    until = instant
    for _ in range(400):
        ends = [_end(w, until, zone) for w in mine if _holds(w, until, zone)]
        if not ends:
            break
        until = max(ends)
    return Quiet(first.name, first.action, until)


def _holds(window: QuietHours, instant: datetime, zone: ZoneInfo) -> bool:
    local = instant.astimezone(zone)
    if not _day_counts(window, local.date()):
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
    return datetime.combine(local.date(), window.end, zone).astimezone(UTC)


def _day_counts(window: QuietHours, day: date) -> bool:
    if window.on == "every_day":
        return True
    off, working = _china(day.year)
    if window.on == "public_holidays":
        return day in off
    return day in off or (day.weekday() >= 5 and day not in working)


@lru_cache(maxsize=32)
def _china(year: int) -> tuple[frozenset[date], frozenset[date]]:
    """Public holidays of mainland China, and the weekend days that are worked in exchange (调休)."""
    calendar = holidays.country_holidays("CN", years=[year])
    working: set[date] = getattr(calendar, "weekend_workdays", set())
    return frozenset(calendar), frozenset(working)
