"""Two policies compared in words: what is tighter, what looser, and that alike policies have no difference."""

from typing import Any

import pytest

from tools.throttle import ThrottlePolicy
from tools.throttle.difference import differences

DAY, WEEK = {"window": "calendar", "period": "day"}, {"window": "calendar", "period": "week"}
ROLL = {"window": "rolling", "hours": 168}


def cap(most: int = 2, window: dict[str, Any] = DAY, **more: Any) -> dict[str, Any]:
    return {"caps": [{"name": "c", "scope": "global", "window": window, "max": most, **more}]}


def quiet(start: str = "20:00", end: str = "09:00", **more: Any) -> dict[str, Any]:
    return {"quiet_hours": [{"name": "n", "channels": ["sms"], "start": start, "end": end, **more}]}


def promised(most: int) -> dict[str, Any]:
    return {"consent": {"promised": [{"channel": "sms", "purpose": "marketing", "window": WEEK, "max": most}]}}


def capacity(most: int, **more: Any) -> dict[str, Any]:
    return {"capacity": [{"name": "g", "channel": "sms", "window": DAY, "max": most, **more}]}


TIGHTER: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("caps.c", cap(2), cap(1)),
    ("caps.c", {"caps": []}, cap()),
    ("caps.c", cap(2, DAY), cap(2, WEEK)),
    ("caps.c", cap(exempt_categories=["service"]), cap()),
    ("caps.c", cap(over="defer"), cap(over="abandon")),
    ("capacity.g", capacity(10), capacity(9)),
    ("capacity.g", {"capacity": []}, capacity(10)),
    ("quiet_hours.n", {"quiet_hours": []}, quiet()),
    ("quiet_hours.n", quiet("20:00"), quiet("19:30")),
    ("quiet_hours.n", quiet(on="non_working_days"), quiet()),
    ("quiet_hours.n", quiet(on="public_holidays"), quiet(on="non_working_days")),
    ("quiet_hours.n", quiet(exempt_categories=["service"]), quiet()),
    ("quiet_hours.n", quiet(), quiet(action="abandon")),
    ("quiet_hours.n", quiet(), quiet(channels=["sms", "push"])),
    ("consent.promised.sms_marketing_week", promised(3), promised(2)),
    ("consent.promised.sms_marketing_week", {}, promised(2)),
    ("consent.term_days", {}, {"consent": {"term_days": 365}}),
    ("consent.term_days", {"consent": {"term_days": 365}}, {"consent": {"term_days": 90}}),
    ("consent.not_needed", {"consent": {"not_needed": ["task"]}}, {}),
    ("consent.purposes", {"consent": {"purposes": {"care": "service"}}}, {"consent": {"purposes": {}}}),
    ("consent.assumed", {"consent": {"assumed": True}}, {}),
    ("defer_expires_hours", {"defer_expires_hours": 72}, {}),
    ("suppression.marketing", {"suppression": {"marketing": ["refused"]}}, {"suppression": {"marketing": ["refused", "frozen"]}}),
    ("suppression.staff", {"suppression": {"staff": False}}, {}),
    ("suppression.minimum_age", {"suppression": {"minimum_age": 16}}, {}),
    ("suitability.validity_days", {}, {"suitability": {"validity_days": 180}}),
    ("suitability.kinds", {"suitability": {"kinds": ["fund"]}}, {"suitability": {"kinds": ["fund", "wealth"]}}),
    ("identity.kinds", {"identity": {"kinds": ["phone"]}}, {}),
    ("statuses_not_counted", {}, {"statuses_not_counted": ["held_out", "abandoned", "deferred", "capped", "released",
                                                          "cancelled", "expired", "suppressed"]}),
    ("holidays_added", {}, {"holidays_added": ["2027-02-11"]}),
    ("workdays_added", {"workdays_added": ["2027-02-14"]}, {}),
    ("contact.email", {}, {"contact": {**ThrottlePolicy().contact, "email": "age > 20"}}),
]  # fmt: skip
OTHER: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("caps.c", cap(2, DAY), cap(1, {"window": "rolling", "hours": 1})),
    ("caps.c", cap(2, ROLL), cap(2, WEEK)),
    ("caps.c", cap(2, DAY), cap(2, {"window": "rolling", "hours": 48})),
    ("caps.c", cap(), cap(channels=["sms"])),
    ("quiet_hours.n", quiet("20:00", "09:00"), quiet("21:00", "10:00")),
    ("quiet_hours.n", quiet("20:00"), quiet("19:00", exempt_categories=["service"])),
    ("priorities", {}, {"priorities": {"service": 10}}),
    ("plan_at", {}, {"plan_at": "02:30"}),
    ("suitability.levels", {}, {"suitability": {"levels": ["R1", "R2", "R3", "R4"]}}),
    ("identity.keep", {}, {"identity": {"keep": "most_aum"}}),
    ("contact.sms", {}, {"contact": {**ThrottlePolicy().contact, "sms": "has_phone and age > 20"}}),
]


def made(document: dict[str, Any]) -> ThrottlePolicy:
    return ThrottlePolicy.model_validate(document)


@pytest.mark.parametrize(("place", "loose", "tight"), TIGHTER, ids=[f"{n}-{p}" for n, (p, *_) in enumerate(TIGHTER)])
def test_what_takes_something_away_is_tighter_and_the_way_back_looser(
    place: str, loose: dict[str, Any], tight: dict[str, Any]
) -> None:
    (there,), (back,) = differences(made(loose), made(tight)), differences(made(tight), made(loose))
    assert (there.place, there.direction) == (place, "tighter")
    assert (back.place, back.direction) == (place, "looser")
    for change in (there, back):
        assert any("\u4e00" <= c <= "\u9fff" for c in change.zh)
        assert not any("\u4e00" <= c <= "\u9fff" for c in change.en), change.en


@pytest.mark.parametrize(("place", "before", "after"), OTHER, ids=[f"{n}-{p}" for n, (p, *_) in enumerate(OTHER)])
def test_what_is_neither_is_not_claimed_to_be(place: str, before: dict[str, Any], after: dict[str, Any]) -> None:
    for one, other in ((before, after), (after, before)):
        assert [(c.place, c.direction) for c in differences(made(one), made(other))] == [(place, "other")]


def test_no_part_of_a_policy_changes_unseen() -> None:
    told = {place.split(".")[0] for place, *_ in (*TIGHTER, *OTHER)}
    # The file's own version number decides nothing.
    assert set(ThrottlePolicy.model_fields) - told == {"version"}
    for part in ("consent", "suppression", "suitability", "identity"):
        inner = type(getattr(ThrottlePolicy(), part)).model_fields
        seen = {place.split(".")[1] for place, *_ in (*TIGHTER, *OTHER) if place.startswith(f"{part}.")}
        assert set(inner) - seen <= {"service"}, part


def test_alike_policies_differ_in_nothing() -> None:
    assert differences(ThrottlePolicy(), ThrottlePolicy()) == []
    assert differences(made(quiet("20:00")), made(quiet("20:00"))) == []
