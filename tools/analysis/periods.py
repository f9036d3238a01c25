"""Periods of a figure: read from text, as instants up to the data cut-off, and the period before."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from tools.analysis.schema import Period
from tools.segment import schema as s
from tools.segment.eql import parse
from tools.segment.errors import ExpressionError
from tools.segment.periods import bank_day, calendar_days
from tools.segment.segments import Segments
from warehouse.catalog import Catalog, Language
from warehouse.clock import day_start
from warehouse.errors import ModelRetry

Timed = s.Last | s.Dates | s.Calendar


@dataclass(frozen=True)
class Span:
    """A period as instants: (start, end], and as bank days where it is made of whole ones."""

    start: datetime
    end: datetime
    first: date
    last: date
    label_zh: str
    label_en: str
    days: bool

    def shown(self, language: Language) -> Period:
        return Period(
            start=self.first.isoformat(),
            end=self.last.isoformat(),
            label=self.label_zh if language == "zh" else self.label_en,
        )


def read_window(text: str, catalog: Catalog) -> Timed:
    """A period: 'last 30d', 'last_month', '2026-10', '2026-10-01..2026-10-31', or the same in Chinese ('上月').

    Raises:
        ModelRetry: it is none of these.
    """
    text = text.strip()
    if month := re.fullmatch(r"(\d{4})-(\d{2})", text):
        try:
            first = date(int(month[1]), int(month[2]), 1)
        except ValueError:
            raise ModelRetry(f"{text!r} is not a month.", "Write it as 2026-10.") from None
        return s.Dates(start=first, end=following(first) - timedelta(days=1))
    if day := re.fullmatch(r"(\d{4}-\d{2}-\d{2})(?:\s*(?:\.\.|/|~|至|to)\s*(\d{4}-\d{2}-\d{2}))?", text):
        text = f"from {day[1]} to {day[2] or day[1]}"
    for form in (text, f"in {text}"):
        try:
            node = parse(f"did({catalog.events[0].name}, {form})", catalog)
        except ExpressionError:
            continue
        assert isinstance(node, s.Did)
        if isinstance(node.window, Timed):
            return node.window
    raise ModelRetry(
        f"{text!r} is not a period.", "Write it as last 30d, this_month, last_month, 2026-10 or 2026-10-01..2026-10-31."
    )


def span(window: Timed, segments: Segments) -> Span:
    """The period as instants, cut at the data cut-off."""
    as_of, zone = segments.warehouse.as_of, segments.warehouse.zone
    if isinstance(window, s.Last):
        length = timedelta(hours=window.amount) if window.unit == "h" else timedelta(days=window.amount)
        zh = f"最近{window.amount}{'小时' if window.unit == 'h' else '天'}"
        en = f"last {window.amount}{window.unit}"
        start = as_of - length
        return Span(start, as_of, bank_day(start, zone), bank_day(as_of, zone), zh, en, False)
    if isinstance(window, s.Calendar):
        first, last = calendar_days(window.period, bank_day(as_of, zone))
    else:
        first, last = window.start, window.end
    return _days(first, last, segments)


def _days(first: date, last: date, segments: Segments) -> Span:
    as_of, zone = segments.warehouse.as_of, segments.warehouse.zone
    one = timedelta(microseconds=1)
    end = min(day_start(last + timedelta(days=1), zone) - one, as_of)
    label = f"{first:%Y-%m}" if is_month(first, last) else f"{first} – {last}"
    return Span(day_start(first, zone) - one, end, first, last, label, label, True)


def before(now: Span, window: Timed, segments: Segments) -> Span:
    """The period before: the preceding one of the same kind; an unfinished one is compared up to the same point."""
    if not now.days:
        length = now.end - now.start
        zone = segments.warehouse.zone
        start = now.start - length
        return Span(
            start,
            now.start,
            bank_day(start, zone),
            bank_day(now.start, zone),
            "上一个同长时段",
            "the period before",
            False,
        )
    if isinstance(window, s.Calendar) or is_month(now.first, now.last):
        months = {"quarter": 3, "year": 12}.get(window.period.split("_")[1], 1) if isinstance(window, s.Calendar) and "_" in window.period else 1  # fmt: skip
        if isinstance(window, s.Calendar) and window.period in ("today", "yesterday", "this_week", "last_week"):
            length = now.last - now.first + timedelta(days=1)
            previous = _days(now.first - length, now.last - length, segments)
        else:
            previous = _days(_back(now.first, months), now.first - timedelta(days=1), segments)
    else:
        length = now.last - now.first + timedelta(days=1)
        previous = _days(now.first - length, now.first - timedelta(days=1), segments)
    whole = day_start(now.last + timedelta(days=1), segments.warehouse.zone) - timedelta(microseconds=1)
    if now.end < whole:  # an unfinished period against the same stretch of the one before
        end = min(previous.end, previous.start + (now.end - now.start))
        return Span(previous.start, end, previous.first, bank_day(end, segments.warehouse.zone), previous.label_zh, previous.label_en, True)  # fmt: skip
    return previous


def is_month(first: date, last: date) -> bool:
    """Whether two bank days are the first and the last of one month."""
    return first.day == 1 and last == following(first) - timedelta(days=1)


def following(first: date) -> date:
    """The first day of the month after."""
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)


def _back(first: date, months: int) -> date:
    total = first.year * 12 + first.month - 1 - months
    return date(total // 12, total % 12 + 1, 1)
