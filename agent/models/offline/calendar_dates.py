"""Dates and spans of dates: 10月1号到10月7号, since 1 October, 9月以来, 2026-10-01 to 2026-10-07."""

import calendar as months
from collections.abc import Sequence
from datetime import date, timedelta

from agent.models.offline.numbers import quantity
from agent.models.offline.senses import Sense
from agent.models.offline.time_words import Today, text_at, word_at
from agent.models.offline.units import Unit
from tools.segment.schema import Dates


def date_at(seq: Sequence[Unit], i: int) -> tuple[int | None, int, int | None, int] | None:
    """A date: (year or None, month, day or None for a whole month, next position)."""
    year: int | None = None
    j = i

    def number(at: int, low: int, high: int) -> int | None:
        if at < len(seq) and seq[at].kind == "number" and seq[at].text.isdigit() and low <= int(seq[at].text) <= high:
            return int(seq[at].text)
        return None

    if (first := number(j, 1990, 2100)) is not None and j + 1 < len(seq):
        mark = seq[j + 1].text
        if mark in ("-", "/", ".") and (month := number(j + 2, 1, 12)) is not None:
            if j + 4 < len(seq) and seq[j + 3].text == mark and (day := number(j + 4, 1, 31)) is not None:
                return first, month, day, j + 5
            return first, month, None, j + 3
        if mark == "年":
            year, j = first, j + 2
    if seq[j].kind == "word" if j < len(seq) else False:
        named = word_at("month", seq, j)
        if named is None or (seq[j].text in ("may", "mar", "sat") and not (number(named[1], 1, 31))):
            return None
        month, j = int(named[0]), named[1]
        if (day := number(j, 1, 31)) is not None:
            j += 1
            if j < len(seq) and seq[j].text in ("st", "nd", "rd", "th"):
                j += 1
            if (after := number(j, 1990, 2100)) is not None:
                year, j = after, j + 1
            return year, month, day, j
        if (after := number(j, 1990, 2100)) is not None:
            return after, month, None, j + 1
        return year, month, None, j
    if (day := number(j, 1, 31)) is not None:
        k = j + 1
        if k < len(seq) and seq[k].text in ("st", "nd", "rd", "th"):
            k += 1
        if k < len(seq) and seq[k].text == "of":
            k += 1
        if (named := word_at("month", seq, k)) and seq[k].kind == "word":
            if (after := number(named[1], 1990, 2100)) is not None:
                return after, int(named[0]), day, named[1] + 1
            return year, int(named[0]), day, named[1]
    read = quantity(seq, j) if j < len(seq) else None
    if read and read[0].measure == "" and read[1] < len(seq) and seq[read[1]].text == "月" and 1 <= read[0].value <= 12:
        month, j = int(read[0].value), read[1] + 1
        if j < len(seq) and seq[j].text == "份":
            return year, month, None, j + 1
        day_read = quantity(seq, j)
        if day_read and day_read[0].measure == "" and 1 <= day_read[0].value <= 31:
            k = day_read[1]
            if k < len(seq) and seq[k].text in ("日", "号"):
                return year, month, int(day_read[0].value), k + 1
        return year, month, None, j
    return None


def _past(year: int | None, month: int, day: int, today: date) -> date | None:
    """The latest such day that is not in the future, where no year is given."""
    try:
        if year is not None:
            return date(year, month, day)
        found = date(today.year, month, day)
        return found if found <= today else date(today.year - 1, month, day)
    except ValueError:
        return None


def _days(read: tuple[int | None, int, int | None, int], today: date) -> tuple[date, date] | None:
    year, month, day, _ = read
    start = _past(year, month, day or 1, today)
    if start is None:
        return None
    return start, start if day else start.replace(day=months.monthrange(start.year, start.month)[1])


def date_windows(seq: Sequence[Unit], i: int, today: Today) -> list[tuple[Sense, int]]:
    """10月1号到10月7号, October, since 1 October, 9月以来, 2026-10-01 to 2026-10-07."""
    since = word_at("since", seq, i)
    j = since[1] if since else (i + 1 if seq[i].text in ("between", "in", "on") else i)
    read = date_at(seq, j) if j < len(seq) else None
    if read is None:
        if since and (relative := word_at("relative", seq, j)):
            start = {"this_month": today.data_day.replace(day=1), "this_year": today.data_day.replace(month=1, day=1),
                     "yesterday": today.data_day - timedelta(days=1), "today": today.data_day,
                     "this_week": today.data_day - timedelta(days=today.data_day.weekday()),
                     "last_week": today.data_day - timedelta(days=today.data_day.weekday() + 7),
                     "last_month": (today.data_day.replace(day=1) - timedelta(days=1)).replace(day=1)}.get(relative[0])  # fmt: skip
            if start:
                return [(Sense("window", value=Dates(start=start, end=today.data_day)), relative[1])]
        return []
    days = _days(read, today.data_day)
    if days is None:
        return []
    found: list[tuple[Sense, int]] = []
    joined = word_at("to", seq, read[3]) or ((("", read[3] + 1)) if text_at(seq, read[3]) == "and" and j > i else None)
    second = date_at(seq, joined[1]) if joined and joined[1] < len(seq) else None
    if second is None and joined and read[2] and (day := quantity(seq, joined[1])) and day[0].measure == "":
        k = day[1] + (1 if text_at(seq, day[1]) in ("日", "号") else 0)
        if k > day[1] and 1 <= day[0].value <= 31:
            second = (days[0].year, read[1], int(day[0].value), k)
    if second and (end := _days((second[0] or (days[0].year if read[0] else None), *second[1:]), today.data_day)):
        start = days[0] if days[0] <= end[1] else days[0].replace(year=days[0].year - 1)
        found.append((Sense("window", value=Dates(start=start, end=end[1])), second[3]))
    ending = word_at("since_after", seq, read[3]) or (word_at("since_after", seq, joined[1]) if joined else None)
    if since or ending:
        found.append((Sense("window", value=Dates(start=days[0], end=max(days[0], today.data_day))),
                      ending[1] if ending else read[3]))  # fmt: skip
    if not since:
        found.append((Sense("window", value=Dates(start=days[0], end=days[1])), read[3]))
        if not read[2]:
            found.append((Sense("month", name=str(read[0] or ""), value=read[1]), read[3]))
    return found
