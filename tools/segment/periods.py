"""Windows of time as instants: what `last 30d`, `in last_month` or two dates mean at an evaluation instant."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from tools.segment import schema as s
from warehouse.clock import day_start, naive_utc

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
            return month, _next_month(month) - one
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


def _next_month(first: date) -> date:
    return _months_on(first, 1)


def _months_on(first: date, months: int) -> date:
    total = first.year * 12 + first.month - 1 + months
    return date(total // 12, total % 12 + 1, 1)


def bounds(window: s.Last | s.Dates | s.Calendar, at: datetime, zone: ZoneInfo) -> tuple[datetime, bool, datetime]:
    """(start, whether the start itself is included, end exclusive): naive UTC. `last` ends at the instant itself, which
    the caller bounds anyway."""
    if isinstance(window, s.Last):
        span = timedelta(hours=window.amount) if window.unit == "h" else timedelta(days=min(window.amount, FAR))
        return naive_utc(at - span), False, naive_utc(at + timedelta(microseconds=1))
    if isinstance(window, s.Calendar):
        first, last = calendar_days(window.period, bank_day(at, zone))
    else:
        first, last = window.start, window.end
    return naive_utc(day_start(first, zone)), True, naive_utc(day_start(min(last, date.max - timedelta(days=2)) + timedelta(days=1), zone))  # fmt: skip
