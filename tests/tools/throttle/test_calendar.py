"""Golden tables of window edges and quiet hours."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from tools.throttle import QuietHours, ThrottlePolicy
from tools.throttle.calendar import quiet_at, window_next, window_start
from tools.throttle.policy import Calendar, Rolling

ZONE = ZoneInfo("Asia/Shanghai")


def bank_time(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE).astimezone(UTC)


@pytest.mark.parametrize(
    ("period", "moment", "start", "following"),
    [
        ("day", "2026-11-18T00:00", "2026-11-18T00:00", "2026-11-19T00:00"),
        ("day", "2026-11-18T23:59", "2026-11-18T00:00", "2026-11-19T00:00"),
        ("week", "2026-11-22T23:59", "2026-11-16T00:00", "2026-11-23T00:00"),
        ("week", "2026-11-16T00:00", "2026-11-16T00:00", "2026-11-23T00:00"),
        ("month", "2026-12-31T23:00", "2026-12-01T00:00", "2027-01-01T00:00"),
        ("month", "2028-02-29T12:00", "2028-02-01T00:00", "2028-03-01T00:00"),
        ("month", "2026-02-28T12:00", "2026-02-01T00:00", "2026-03-01T00:00"),
    ],
)
def test_calendar_windows_are_those_of_the_bank_zone(period: str, moment: str, start: str, following: str) -> None:
    window = Calendar.model_validate({"period": period})
    assert window_start(window, bank_time(moment), ZONE) == (bank_time(start), True)
    assert window_next(window, bank_time(moment), ZONE) == bank_time(following)


def test_a_rolling_window_does_not_include_its_first_moment() -> None:
    start, included = window_start(Rolling(hours=168), bank_time("2028-03-03T09:00"), ZONE)
    assert start == bank_time("2028-02-25T09:00")  # across 29 February
    assert not included


@pytest.mark.parametrize(
    ("channel", "moment", "rule", "action", "until"),
    [
        ("sms", "2026-11-18T19:59", None, None, None),
        ("sms", "2026-11-18T20:00", "messages_night", "defer", "2026-11-19T09:00"),
        ("sms", "2026-11-18T23:59", "messages_night", "defer", "2026-11-19T09:00"),
        ("sms", "2026-11-19T00:00", "messages_night", "defer", "2026-11-19T09:00"),
        ("sms", "2026-11-19T08:59", "messages_night", "defer", "2026-11-19T09:00"),
        ("sms", "2026-11-19T09:00", None, None, None),
        ("sms", "2028-02-28T22:00", "messages_night", "defer", "2028-02-29T09:00"),
        ("sms", "2026-12-31T22:00", "messages_night", "defer", "2027-01-01T09:00"),
        ("push", "2026-11-18T21:00", None, None, None),
        ("inapp", "2026-11-18T03:00", None, None, None),
        ("call", "2026-11-18T12:30", "call_lunch", "abandon", "2026-11-18T14:00"),
        # Saturday 2026-11-21; Sunday 2026-09-20 is worked in exchange for the holiday; 1 October is one.
        ("call", "2026-11-21T10:00", "call_holiday", "abandon", "2026-11-23T09:00"),
        ("call", "2026-09-20T10:00", None, None, None),
        ("call", "2026-10-01T10:00", "call_holiday", "abandon", "2026-10-08T09:00"),
    ],
)
def test_quiet_hours_of_the_cautious_default(
    channel: str, moment: str, rule: str | None, action: str | None, until: str | None
) -> None:
    quiet = quiet_at(ThrottlePolicy().quiet_hours, channel, "marketing", bank_time(moment), ZONE)
    if rule is None:
        assert quiet is None
    else:
        assert quiet is not None
        assert until is not None
        assert (quiet.rule, quiet.action, quiet.until) == (rule, action, bank_time(until))


def test_an_exempt_category_has_no_quiet_hours() -> None:
    night = QuietHours(name="n", channels=("sms",), start=time(20), end=time(9), exempt_categories=("service",))
    assert quiet_at((night,), "sms", "marketing", bank_time("2026-11-18T23:00"), ZONE) is not None
    assert quiet_at((night,), "sms", "service", bank_time("2026-11-18T23:00"), ZONE) is None
