"""The policy of a release: nothing that either the approved or today's policy forbids is allowed by both together."""

from datetime import date
from typing import Any

import pytest

from delivery.policy import tighter
from tools.throttle import ThrottlePolicy

DAY = {"window": "calendar", "period": "day"}
MONTH = {"window": "calendar", "period": "month"}


def policy(**document: Any) -> ThrottlePolicy:
    return ThrottlePolicy.model_validate({"caps": [], "quiet_hours": [], **document})


def capacity(most: int) -> dict[str, Any]:
    return {"name": "gateway", "channel": "sms", "window": DAY, "max": most}


def promise(most: int) -> dict[str, Any]:
    return {"channel": "sms", "purpose": "marketing", "window": MONTH, "max": most}


def test_caps_capacity_and_promises_of_both_hold() -> None:
    one = policy(
        caps=[{"name": "day", "scope": "global", "window": DAY, "max": 1}],
        capacity=[capacity(100)],
        consent={"promised": [promise(4)]},
    )
    other = policy(
        caps=[{"name": "day", "scope": "global", "window": DAY, "max": 2}],
        capacity=[capacity(50)],
        consent={"promised": [promise(2)]},
    )
    for both in (tighter(one, other), tighter(other, one)):
        assert {cap.max for cap in both.caps} == {1, 2}
        assert {limit.max for limit in both.capacity} == {100, 50}
        assert {p.max for p in both.consent.promised} == {4, 2}
        assert len({cap.name for cap in both.caps}) == 2
    assert tighter(one, policy()).capacity == one.capacity
    assert tighter(policy(), one).consent.promised == one.consent.promised


@pytest.mark.parametrize(
    ("approved", "current", "term"), [(None, None, None), (365, None, 365), (None, 90, 90), (365, 90, 90)]
)
def test_the_shorter_term_of_a_consent_holds(approved: int | None, current: int | None, term: int | None) -> None:
    both = tighter(policy(consent={"term_days": approved}), policy(consent={"term_days": current}, version=2))
    assert both.consent.term_days == term


def test_a_day_is_worked_only_if_both_say_so_and_off_if_either_does() -> None:
    one = policy(holidays_added=["2027-02-11"], workdays_added=["2027-02-14", "2027-02-20"])
    other = policy(holidays_added=["2027-02-20"], workdays_added=["2027-02-14", "2027-02-21"])
    both = tighter(one, other)
    assert set(both.holidays_added) == {date(2027, 2, 11), date(2027, 2, 20)}
    assert both.workdays_added == (date(2027, 2, 14),)


def test_quiet_hours_of_both_hold_and_what_is_looser_today_does_not_count() -> None:
    night = {"name": "night", "channels": ["sms"], "start": "20:00", "end": "09:00"}
    approved = policy(quiet_hours=[night], defer_expires_hours=24, consent={"not_needed": ["task"]})
    looser = policy(defer_expires_hours=96, consent={"not_needed": ["task", "push"]}, contact={})
    both = tighter(approved, looser)
    assert [q.name for q in both.quiet_hours] == ["night"]
    assert (both.defer_expires_hours, both.consent.not_needed) == (24, ("task",))
    assert both.contact == approved.contact
