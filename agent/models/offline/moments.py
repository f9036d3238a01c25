"""Moments to come: 明天早上9点, next Monday 10:00, tonight, 11月20号上午10点."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from agent.models.offline.calendar_dates import date_at
from agent.models.offline.numbers import quantity
from agent.models.offline.senses import Moment, Sense
from agent.models.offline.time_words import Today, text_at, word_at
from agent.models.offline.units import Unit


def _clock(seq: Sequence[Unit], i: int) -> tuple[int, int, str, int] | None:
    """9:00, 9点半, 10点15分, 9am, at 9: (hour, minute, part, next position)."""
    j = i + 1 if text_at(seq, i) == "at" else i
    read = quantity(seq, j)
    if read is None or read[0].measure or not 0 <= read[0].value <= 24 or read[0].value % 1:
        return None
    hour, k, minute, part = int(read[0].value), read[1], 0, ""
    explicit = False
    if text_at(seq, k) == ":" and k + 1 < len(seq) and seq[k + 1].kind == "number" and int(float(seq[k + 1].text)) < 60:
        minute, k, explicit = int(float(seq[k + 1].text)), k + 2, True
        if text_at(seq, k) == ":" and k + 1 < len(seq) and seq[k + 1].kind == "number":
            k += 2
    elif clock := word_at("clock", seq, k):
        k, explicit = clock[1], True
        if half := word_at("half_past", seq, k):
            minute, k = int(half[0]), half[1]
        elif (minutes := quantity(seq, k)) and not minutes[0].measure and minutes[0].value < 60:
            minute, k = int(minutes[0].value), minutes[1] + (1 if text_at(seq, minutes[1]) == "分" else 0)
        elif text_at(seq, k) == "整":
            k += 1
    if (named := word_at("part", seq, k)) and seq[k].kind == "word":
        part, k, explicit = named[0], named[1], True
    if not explicit and j == i:
        return None
    return hour, minute, part, k


def moments(seq: Sequence[Unit], i: int, today: Today) -> list[tuple[Sense, int]]:
    """明天早上9点, next Monday 10:00, 今晚9点, 11月20号上午10点, 2026-11-20T10:00, tomorrow."""
    day: date | None = None
    part, hour, minute = "", None, 0
    j, last = i, i
    while j < len(seq):
        if day is None and (read := _day(seq, j, today)):
            day, j, named = read
            part = part or named
        elif not part and (word := word_at("part", seq, j)):
            part, j = word
        elif hour is None and (clock := _clock(seq, j)):
            hour, minute, j = clock[0], clock[1], clock[3]
            part = part or clock[2]
        elif j > i and j == last and (filler := word_at("filler", seq, j)):
            j = filler[1]
            continue
        elif j > i and j == last and text_at(seq, j) == "t" and seq[j - 1].kind == "number":
            j += 1
            continue
        else:
            break
        last = j
    if last == i:
        return []
    if hour is None and day is None:
        return []
    if hour is not None:
        if (part in ("pm", "night") and hour < 12) or (part == "noon" and hour < 11):
            hour += 12
        elif part == "am" and hour == 12:
            hour = 0
        if hour == 24:
            day, hour = (day + timedelta(days=1) if day else None), 0
    elif part == "noon":
        hour = 12
    return [(Sense("moment", value=Moment(day, hour, minute, part)), last)]


def _day(seq: Sequence[Unit], i: int, today: Today) -> tuple[date, int, str] | None:
    if word := word_at("night", seq, i):
        return today.day + timedelta(days=int(word[0])), word[1], "night"
    if word := word_at("day", seq, i):
        return today.day + timedelta(days=int(word[0])), word[1], ""
    monday = today.day - timedelta(days=today.day.weekday())
    if (following := word_at("next_week", seq, i)) and (weekday := word_at("weekday", seq, following[1])):
        return monday + timedelta(days=7 + int(weekday[0])), weekday[1], ""
    this = word_at("this_week_word", seq, i)
    if weekday := word_at("weekday", seq, this[1] if this else i):
        found = monday + timedelta(days=int(weekday[0]))
        return found if found >= today.day else found + timedelta(days=7), weekday[1], ""
    read = date_at(seq, i)
    if read is None or read[2] is None:
        return None
    year, month, day, j = read
    assert day is not None
    try:
        found = date(year or today.day.year, month, day)
    except ValueError:
        return None
    return found if year or found >= today.day else found.replace(year=found.year + 1), j, ""


def resolve(moment: Moment, today: Today) -> datetime | None:
    """The instant in the bank's zone; without a day the next such time; None where no hour was said."""
    if moment.hour is None:
        return None
    now = today.now.astimezone(today.zone)
    day = moment.day or now.date()
    found = datetime(day.year, day.month, day.day, moment.hour, moment.minute, tzinfo=today.zone)
    return found + timedelta(days=1) if moment.day is None and found <= now else found
