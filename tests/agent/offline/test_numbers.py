"""Numbers and dates in both languages."""

from datetime import date
from decimal import Decimal

import cn2an
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.models.offline.dates import times
from agent.models.offline.moments import resolve
from agent.models.offline.numbers import chinese_numeral, quantity, span_range
from agent.models.offline.senses import Moment
from agent.models.offline.time_words import Today
from agent.models.offline.units import units
from tools.segment.schema import Calendar, Dates, Last
from warehouse.clock import BANK_ZONE

from .conftest import NOW

TODAY = Today(NOW, NOW, BANK_ZONE)


@given(st.integers(0, 99_999_999_999))
def test_chinese_numerals_round_trip(number: int) -> None:
    """Written by another library, read by ours."""
    assert chinese_numeral(cn2an.an2cn(number)) == number


@given(st.integers(1, 9_999_999), st.sampled_from(["{:d}", "{:,}"]))
def test_digits_round_trip(number: int, form: str) -> None:
    read = quantity(units(form.format(number)), 0)
    assert read is not None
    assert read[0].value == number


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5万", 50_000), ("5w", 50_000), ("20个", 200_000), ("1.5亿", 150_000_000), ("200k", 200_000), ("1.5m", 1_500_000),
        ("2 million", 2_000_000), ("三十五", 35), ("两百万", 2_000_000), ("一万二", 12_000), ("１０万", 100_000), ("¥500", 500),
        ("half a million", 500_000), ("twenty five", 25), ("五十万", 500_000), ("半万", 5_000),
    ],
)  # fmt: skip
def test_amounts(text: str, value: int) -> None:
    sequence = units(text)
    read = quantity(sequence, 0)
    assert read is not None
    assert (read[0].value, read[1]) == (Decimal(value), len(sequence))


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("5-20万", 50_000, 200_000), ("5万到20万", 50_000, 200_000), ("5-100万", 50_000, 1_000_000), ("5000到2万", 5_000, 20_000),
        ("between 5 and 20 thousand", 5_000, 20_000), ("30-45岁", 30, 45), ("5到20个", 50_000, 200_000),
        ("from 50k to 200k", 50_000, 200_000), ("30至45", 30, 45),
    ],
)  # fmt: skip
def test_ranges(text: str, low: int, high: int) -> None:
    read = span_range(units(text), 0)
    assert read is not None
    assert (read[0].low.value, read[0].high.value) == (low, high)


@pytest.mark.parametrize(
    ("text", "window"),
    [
        ("近30天", Last(amount=30, unit="d")), ("最近一周", Last(amount=7, unit="d")), ("近半年", Last(amount=180, unit="d")),
        ("in the last 2 weeks", Last(amount=14, unit="d")), ("过去12小时", Last(amount=12, unit="h")),
        ("上个月", Calendar(period="last_month")), ("last month", Calendar(period="last_month")), ("昨天", Calendar(period="yesterday")),
        ("since October", Dates(start=date(2026, 10, 1), end=date(2026, 11, 18))),
        ("10月以来", Dates(start=date(2026, 10, 1), end=date(2026, 11, 18))),
        ("10月1号到10月7号", Dates(start=date(2026, 10, 1), end=date(2026, 10, 7))),
        ("in September", Dates(start=date(2026, 9, 1), end=date(2026, 9, 30))),
        ("十二月", Dates(start=date(2025, 12, 1), end=date(2025, 12, 31))),
    ],
)  # fmt: skip
def test_windows(text: str, window: object) -> None:
    sequence = units(text)
    whole = [sense.value for sense, end in times(sequence, 0, TODAY) if sense.kind == "window" and end == len(sequence)]
    assert window in whole


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("明天早上9点", "2026-11-19T09:00:00+08:00"), ("next Monday 10:00", "2026-11-23T10:00:00+08:00"),
        ("今晚9点", "2026-11-18T21:00:00+08:00"), ("下周一上午10点半", "2026-11-23T10:30:00+08:00"),
        ("tomorrow at 9am", "2026-11-19T09:00:00+08:00"), ("Friday 3pm", "2026-11-20T15:00:00+08:00"),
        ("11月20号下午3点", "2026-11-20T15:00:00+08:00"), ("2026-11-20T10:00", "2026-11-20T10:00:00+08:00"),
        ("8点", "2026-11-19T08:00:00+08:00"), ("中午12点", "2026-11-18T12:00:00+08:00"),
    ],
)  # fmt: skip
def test_moments(text: str, instant: str) -> None:
    sequence = units(text)
    moments = [s.value for s, end in times(sequence, 0, TODAY) if s.kind == "moment" and end == len(sequence)]
    assert len(moments) == 1
    assert isinstance(moments[0], Moment)
    at = resolve(moments[0], TODAY)
    assert at is not None
    assert at.isoformat() == instant
