"""Windows, durations, days and moments in both languages, resolved against the data cut-off and the clock.

A window without a year lies in the past (of `as_of`), a moment in the future (of `now`). A month counts 30 days in
`last 3 months` and is a calendar month in `上个月`. Weeks start on Monday; `next Friday` is Friday of next week.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import cast

from agent.models.offline.calendar_dates import date_windows
from agent.models.offline.moments import moments
from agent.models.offline.numbers import quantity
from agent.models.offline.senses import Duration, Sense
from agent.models.offline.time_words import Today, word_at
from agent.models.offline.units import Unit
from tools.segment.schema import Calendar, Dates, Last, Period


def _duration(seq: Sequence[Unit], i: int) -> tuple[Duration, int] | None:
    """60天, 两周, 3个月, a week, half a year, 半年."""
    if i >= len(seq):
        return None
    if seq[i].text in ("半", "half"):
        j = i + 2 if i + 1 < len(seq) and seq[i + 1].text in ("a", "an") else i + 1
        if unit := word_at("unit", seq, j):
            whole = {"365": 180, "30": 15, "1": None, "7": None, "90": 45, "h": None}[unit[0]]
            return (Duration(whole, "d"), unit[1]) if whole else None
        return None
    amount, j = 1, i
    if seq[i].text in ("a", "an"):
        j = i + 1
    elif read := quantity(seq, i):
        if read[0].measure not in ("", "wan") or read[0].value <= 0:
            return None
        amount = int(read[0].raw if read[0].measure == "wan" else read[0].value)
        j = read[1] - (1 if read[0].measure == "wan" else 0)
    else:
        return None
    unit = word_at("unit", seq, j)
    if unit is None or amount <= 0:
        return None
    return (Duration(amount, "h"), unit[1]) if unit[0] == "h" else (Duration(amount * int(unit[0]), "d"), unit[1])


def _last(duration: Duration) -> Last:
    return Last(amount=duration.amount, unit="h" if duration.unit == "h" else "d")


def times(seq: Sequence[Unit], i: int, today: Today) -> list[tuple[Sense, int]]:
    """All readings of time that begin at unit i: (sense, next position)."""
    found: list[tuple[Sense, int]] = []
    if read := _duration(seq, i):
        duration, j = read
        found.append((Sense("duration", value=duration), j))
        if (after := word_at("within", seq, j)) and seq[after[1] - 1].kind == "han":
            found.append((Sense("within", value=duration), after[1]))
        if later := word_at("after", seq, j):
            found.append((Sense("day_after", value=duration.days), later[1]))
        if back := word_at("ago", seq, j):
            found.append((Sense("ago", value=duration), back[1]))
    if (last := word_at("last", seq, i)) is not None:
        if read := _duration(seq, last[1]):
            j = read[1]
            if (within := word_at("within", seq, j)) and seq[j].kind == "han":
                j = within[1]
            found.append((Sense("window", value=_last(read[0])), j))
        elif (unit := word_at("unit", seq, last[1])) and unit[0] != "h" and (last[1] - i > 1 or seq[i].text == "past"):
            found.append((Sense("window", value=Last(amount=int(unit[0]), unit="d")), unit[1]))
    if (within := word_at("within", seq, i)) and seq[i].kind == "word" and (read := _duration(seq, within[1])):
        found.append((Sense("within", value=read[0]), read[1]))
    if (after := word_at("after_before", seq, i)) and (read := _duration(seq, after[1])):
        later = word_at("after", seq, read[1])
        found.append((Sense("day_after", value=read[0].days), later[1] if later else read[1]))
    if relative := word_at("relative", seq, i):
        found.append((Sense("window", value=Calendar(period=cast(Period, relative[0]))), relative[1]))
    if coming := word_at("coming", seq, i):
        found.append((Sense("coming", value=_coming(coming[0], today)), coming[1]))
    found.extend(_day_of_journey(seq, i))
    found.extend(date_windows(seq, i, today))
    found.extend(moments(seq, i, today))
    return found


def _coming(which: str, today: Today) -> Dates:
    """The days of next week, next month or tomorrow."""
    day = today.data_day
    if which == "tomorrow":
        return Dates(start=day + timedelta(days=1), end=day + timedelta(days=1))
    if which == "next_week":
        monday = day + timedelta(days=7 - day.weekday())
        return Dates(start=monday, end=monday + timedelta(days=6))
    first = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
    return Dates(start=first, end=(first + timedelta(days=32)).replace(day=1) - timedelta(days=1))


def _day_of_journey(seq: Sequence[Unit], i: int) -> list[tuple[Sense, int]]:
    """D5, T+3, 第5天, day 5."""
    j = None
    if seq[i].text in ("d", "t") and i + 1 < len(seq):
        j = i + 2 if seq[i + 1].text == "+" else i + 1
        if j >= len(seq) or seq[j].kind != "number" or (seq[j].start != seq[j - 1].end):
            return []
        return [(Sense("day_at", value=int(float(seq[j].text))), j + 1)]
    if seq[i].text in ("第", "day"):
        read = quantity(seq, i + 1)
        if read is None or read[0].measure:
            return []
        j = read[1]
        if seq[i].text == "第":
            if j >= len(seq) or seq[j].text not in ("天", "日"):
                return []
            j += 1
        return [(Sense("day_at", value=int(read[0].value)), j)]
    return []
