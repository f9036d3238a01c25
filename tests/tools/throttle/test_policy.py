"""The policy file: what it refuses, and whose consent rule wins."""

from datetime import time

import pytest
import yaml
from pydantic import ValidationError

from tests.support.small_bank import SmallBank
from tools.throttle import ThrottlePolicy, load_policy
from tools.throttle.contradictions import contradictions
from warehouse.errors import AdminFixes

DAY = {"window": "calendar", "period": "day"}
WEEK = {"window": "rolling", "hours": 168}


def cap(name: str, window: dict[str, object], most: int, **more: object) -> dict[str, object]:
    return {"name": name, "scope": "global", "window": window, "max": most, **more}


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"caps": [cap("a", DAY, 1), cap("a", WEEK, 2)]}, "two cap are called 'a'"),
        ({"caps": [cap("a", DAY, -1)]}, "greater than or equal to 0"),
        (
            {"quiet_hours": [{"name": "n", "channels": ["sms"], "start": "09:00", "end": "09:00"}]},
            "differs from the end",
        ),
        ({"quiet_hours": [{"name": "n", "channels": ["sms"], "all_day": True}]}, "for ever"),
        ({"quiet_hours": [{"name": "n", "channels": ["fax"], "start": "20:00", "end": "09:00"}]}, "fax"),
        ({"cap": []}, "cap"),
    ],
)
def test_nonsense_is_refused(document: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        ThrottlePolicy.model_validate(document)


@pytest.mark.parametrize(
    ("caps", "said"),
    [
        ([cap("a", DAY, 1), cap("b", DAY, 2)], "two things about the same window"),
        ([cap("a", DAY, 5), cap("b", WEEK, 3)], "allows 5 in a shorter window"),
    ],
)
def test_a_file_that_contradicts_itself_is_refused(bank: SmallBank, caps: list[dict[str, object]], said: str) -> None:
    (bank.home.policies / "throttle.yaml").write_text(yaml.safe_dump({"caps": caps}))
    with pytest.raises(AdminFixes, match=said):
        load_policy(bank.home)
    assert contradictions(ThrottlePolicy.model_validate({"caps": caps}))


def test_the_default_is_sound_and_survives_its_own_file() -> None:
    assert contradictions(ThrottlePolicy()) == []
    assert ThrottlePolicy.model_validate(ThrottlePolicy().model_dump(mode="json")) == ThrottlePolicy()


def test_the_file_of_a_home_is_read_and_its_faults_are_placed(bank: SmallBank) -> None:
    assert load_policy(bank.home) == ThrottlePolicy()
    path = bank.home.policies / "throttle.yaml"
    path.write_text("caps:\n- {name: day, scope: global, window: {window: calendar, period: day}, max: 0}\n")
    assert [c.max for c in load_policy(bank.home).caps] == [0]
    path.write_text("caps:\n- {name: day, scope: nobody, window: {window: calendar, period: day}, max: 0}\n")
    with pytest.raises(AdminFixes, match=r"caps\.0\.scope"):
        load_policy(bank.home)


def test_times_and_days_are_read_as_they_are_written(bank: SmallBank) -> None:
    path = bank.home.policies / "throttle.yaml"
    path.write_text(
        "quiet_hours:\n"
        "- {name: night, channels: [sms], start: 20:00, end: 9:30}\n"
        "- {name: off, channels: [sms], all_day: true, on: non_working_days}\n"
    )
    night, off = load_policy(bank.home).quiet_hours
    assert (night.start, night.end, off.on) == (time(20), time(9, 30), "non_working_days")
    path.write_text("quiet_hours:\n- {name: night, channels: [sms], start: 1200, end: '09:00'}\n")
    with pytest.raises(AdminFixes, match="start"):
        load_policy(bank.home)
