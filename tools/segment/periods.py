"""Windows of time as instants: what `last 30d`, `in last_month` or two dates mean at an evaluation instant."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from tools.segment import schema as s
from warehouse.clock import day_start, naive_utc
from warehouse.errors import DeveloperFixes

FAR = 300_000
"""Days; longer spans are cut to this, which still reaches beyond any bank's data."""


def bank_day(at: datetime, zone: ZoneInfo) -> date:
    return at.astimezone(zone).date()


def calendar_days(period: s.Period, today: date) -> tuple[date, date]:
    """First and last day of a calendar period, both included; the current ones end today at the latest in effect,
    because nothing later than the evaluation instant is seen."""
    monday = today - timedelta(days=today.weekday())
    month = today.replace(day=1)
    quarter = month.replace(month=(month.month - 1) // 3 * 3 + 1)
    year = month.replace(month=1)
    one = timedelta(days=1)
    match period:
        case "today":
            return today, today
        case "yesterday":
            return today - one, today - one
        case "this_week":
            return monday, monday + timedelta(days=6)
        case "last_week":
            return monday - timedelta(days=7), monday - one
        case "this_month":
            return month, _months_on(month, 1) - one
        case "last_month":
            return (month - one).replace(day=1), month - one
        case "this_quarter":
            return quarter, _months_on(quarter, 3) - one
        case "last_quarter":
            end = quarter - one
            return end.replace(day=1, month=end.month - 2), end
        case "this_year":
            return year, year.replace(month=12, day=31)
        case "last_year":
            return year.replace(year=year.year - 1), year - one


def _months_on(first: date, months: int) -> date:
    total = first.year * 12 + first.month - 1 + months
    return date(total // 12, total % 12 + 1, 1)


def months_back(start: int, end: int, today: date) -> tuple[date, date]:
    """First and last day of the whole months from `start` to `end` months before the present one."""
    month = today.replace(day=1)
    return _months_on(month, -start), _months_on(month, 1 - end) - timedelta(days=1)


def length(amount: int, unit: s.TimeUnit) -> timedelta:
    match unit:
        case "min":
            return timedelta(minutes=amount)
        case "h":
            return timedelta(hours=amount)
        case "d":
            return timedelta(days=min(amount, FAR))


def days(window: s.Last | s.Next | s.Ago | s.Months | s.Dates | s.Calendar, today: date) -> tuple[date, date]:
    """First and last bank day of a window, as dates are held against it; both included."""
    match window:
        case s.Months(start=start, end=end):
            return months_back(start, end, today)
        case s.Calendar(period=period):
            return calendar_days(period, today)
        case s.Dates(start=first, end=last):
            return first, last
    if window.unit != "d":
        raise DeveloperFixes("A date has no time of day: a window over it is told in days.")
    one = timedelta(days=1)
    match window:
        case s.Last(amount=amount):
            return today - length(amount, "d") + one, today
        case s.Next(amount=amount):
            return today, today + length(amount, "d")
        case s.Ago(start=begins, end=ends):
            return today - length(begins, "d") + one, today - length(ends, "d")


def bounds(
    window: s.Last | s.Next | s.Ago | s.Months | s.Dates | s.Calendar, at: datetime, zone: ZoneInfo
) -> tuple[datetime, bool, datetime]:
    """(start, whether the start itself is included, end exclusive): naive UTC."""
    after = timedelta(microseconds=1)
    match window:
        case s.Last(amount=amount, unit=unit):
            return naive_utc(at - length(amount, unit)), False, naive_utc(at + after)
        case s.Next(amount=amount, unit=unit):
            return naive_utc(at), False, naive_utc(at + length(amount, unit) + after)
        case s.Ago(start=begins, end=ends, unit=unit):
            return naive_utc(at - length(begins, unit)), False, naive_utc(at - length(ends, unit) + after)
    first, last = days(window, bank_day(at, zone))
    end = min(last, date.max - timedelta(days=2)) + timedelta(days=1)
    return naive_utc(day_start(first, zone)), True, naive_utc(day_start(end, zone))
