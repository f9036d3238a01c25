"""Policies that say two things: refused with the place and the fix, in both languages; and what is only warned about."""

from datetime import UTC, date, datetime

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.small_bank import SmallBank
from tools.throttle import ThrottlePolicy, load_policy
from tools.throttle.calendar import quiet_at
from tools.throttle.contradictions import Finding, check, contradictions
from tools.throttle.coverage import always_quiet, longest_quiet
from tools.throttle.policy import QuietHours
from warehouse.catalog import canonical_catalog
from warehouse.clock import BANK_ZONE, day_start
from warehouse.errors import AdminFixes

DAY = {"window": "calendar", "period": "day"}
WEEK = {"window": "calendar", "period": "week"}
MONTH = {"window": "calendar", "period": "month"}
ROLL_7 = {"window": "rolling", "hours": 168}
ROLL_1 = {"window": "rolling", "hours": 24}
TODAY = date(2026, 11, 18)


def cap(name: str, window: dict[str, object], most: int, scope: str = "global", **more: object) -> dict[str, object]:
    return {"name": name, "scope": scope, "window": window, "max": most, **more}


def quiet(name: str, start: str, end: str, on: str = "every_day", **more: object) -> dict[str, object]:
    return {"name": name, "channels": ["sms"], "start": start, "end": end, "on": on, **more}


def found(document: dict[str, object]) -> list[Finding]:
    return contradictions(ThrottlePolicy.model_validate({"caps": [], "quiet_hours": [], **document}))


REFUSED: list[tuple[str, str, dict[str, object]]] = [
    ("same_window", "caps.b", {"caps": [cap("a", DAY, 1), cap("b", DAY, 2)]}),
    ("same_window", "caps.b", {"caps": [cap("a", ROLL_7, 2, "channel"), cap("b", ROLL_7, 2, "channel")]}),
    ("same_window", "caps.b",
     {"caps": [cap("a", DAY, 1, "tier", tiers=["mass"]), cap("b", DAY, 2, "tier", tiers=["mass"])]}),
    ("shorter_allows_more", "caps.a", {"caps": [cap("a", DAY, 5), cap("b", ROLL_7, 3)]}),
    ("shorter_allows_more", "caps.b", {"caps": [cap("a", MONTH, 2, "category"), cap("b", WEEK, 3, "category")]}),
    ("never_freed", "caps.a", {"caps": [cap("a", DAY, 0, over="defer")]}),
    ("never_freed", "capacity.c", {"capacity": [{"name": "c", "channel": "sms", "window": DAY, "max": 0}]}),
    ("same_window", "capacity.d",
     {"capacity": [{"name": n, "channel": "sms", "window": DAY, "max": 10} for n in ("c", "d")]}),
    ("shorter_allows_more", "capacity.c",
     {"capacity": [{"name": "c", "channel": "sms", "window": DAY, "max": 11},
                   {"name": "d", "channel": "sms", "window": WEEK, "max": 10}]}),
    ("above_promise", "caps.a",
     {"caps": [cap("a", WEEK, 3, "channel")],
      "consent": {"promised": [{"channel": "sms", "purpose": "marketing", "window": MONTH, "max": 2}]}}),
    ("above_promise", "caps.a",
     {"caps": [cap("a", DAY, 3, channels=["sms"])],
      "consent": {"promised": [{"channel": "sms", "purpose": "marketing", "window": DAY, "max": 2}]}}),
    ("shorter_allows_more", "consent.promised.sms",
     {"consent": {"promised": [{"channel": "sms", "purpose": "marketing", "window": WEEK, "max": 3},
                               {"channel": "sms", "purpose": "marketing", "window": MONTH, "max": 2}]}}),
    ("same_window", "consent.promised.sms",
     {"consent": {"promised": [{"channel": "sms", "purpose": "marketing", "window": WEEK, "max": n} for n in (1, 2)]}}),
    ("quiet_for_ever", "quiet_hours.n", {"quiet_hours": [quiet("n", "18:00", "12:00"), quiet("m", "12:00", "18:00")]}),
    ("quiet_for_ever", "quiet_hours.n",
     {"quiet_hours": [quiet("n", "20:00", "09:00"), quiet("m", "09:00", "15:00"), quiet("o", "14:00", "20:00")]}),
    ("quiet_for_ever", "quiet_hours.n",
     {"quiet_hours": [quiet("n", "20:00", "09:00"), quiet("m", "09:00", "20:00", exempt_categories=["service"])]}),
    ("unknown_tier", "caps.a.tiers", {"caps": [cap("a", DAY, 1, "tier", tiers=["welth"])]}),
    ("unknown_category", "caps.a.exempt_categories", {"caps": [cap("a", DAY, 1, exempt_categories=["servce"])]}),
    ("unknown_category", "caps.a.only_categories", {"caps": [cap("a", DAY, 1, only_categories=["care"])]}),
    ("unknown_category", "quiet_hours.n.exempt_categories",
     {"quiet_hours": [quiet("n", "20:00", "09:00", exempt_categories=["urgent"])]}),
    ("unknown_category", "priorities", {"priorities": {"cares": 10}}),
    ("unknown_risk_level", "suitability.levels", {"suitability": {"levels": ["R1", "R2", "R3", "R4", "R5", "R6"]}}),
    ("unknown_product_kind", "suitability.kinds", {"suitability": {"kinds": ["welth"]}}),
    ("unknown_reason", "suppression.marketing", {"suppression": {"marketing": ["dead"]}}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "place", "document"), REFUSED, ids=[f"{c}-{p}-{n}" for n, (c, p, _) in enumerate(REFUSED)]
)
def test_a_contradiction_is_found_at_its_place(code: str, place: str, document: dict[str, object]) -> None:
    (finding,) = found(document)
    assert (finding.code, finding.place, finding.severity) == (code, place, "error")
    assert finding.zh != finding.en
    assert any("\u4e00" <= c <= "\u9fff" for c in finding.zh + finding.fix_zh)
    assert finding.fix_zh
    assert finding.fix_en


SOUND: list[dict[str, object]] = [
    {"caps": [cap("a", DAY, 1), cap("b", ROLL_1, 2)]},  # a day and 24 hours are not the same window
    {"caps": [cap("a", DAY, 1), cap("b", DAY, 2, exempt_categories=["service"])]},
    {"caps": [cap("a", DAY, 1, channels=["sms"]), cap("b", DAY, 2, channels=["push"])]},
    {"caps": [cap("a", DAY, 3, "tier", tiers=["private"]), cap("b", DAY, 1, "tier", tiers=["mass"])]},
    {"caps": [cap("a", DAY, 0)]},
    {"caps": [cap("a", DAY, 2), cap("b", ROLL_7, 2)]},
    {"caps": [cap("a", ROLL_7, 9, channels=["sms", "push"])],
     "consent": {"promised": [{"channel": "sms", "purpose": "marketing", "window": MONTH, "max": 2}]}},
    {"caps": [cap("a", DAY, 9, "channel", only_categories=["service"])],
     "consent": {"promised": [{"channel": "sms", "purpose": "marketing", "window": DAY, "max": 2}]}},
    {"caps": [cap("a", DAY, 2, "channel")],
     "consent": {"promised": [{"channel": "sms", "purpose": "marketing", "window": DAY, "max": 2}]}},
    {"quiet_hours": [quiet("n", "20:00", "09:00"), quiet("m", "09:00", "20:00", "non_working_days")]},
    {"quiet_hours": [quiet("n", "18:00", "12:00"), quiet("m", "12:00", "17:59")]},
    {"quiet_hours": [quiet("n", "18:00", "12:00"), {**quiet("m", "12:00", "18:00"), "channels": ["push"]}]},
    {"caps": [cap("a", DAY, 1, exempt_categories=["care"])], "consent": {"purposes": {"care": "marketing"}}},
    {"priorities": {"care": 10}, "consent": {"purposes": {"care": "service"}}},
]  # fmt: skip


@pytest.mark.parametrize("document", SOUND, ids=range(len(SOUND)))
def test_what_only_looks_like_a_contradiction_is_let_be(document: dict[str, object]) -> None:
    assert found(document) == []


def test_the_default_is_sound_and_says_only_that_the_calendar_of_next_year_is_missing() -> None:
    assert check(ThrottlePolicy(), canonical_catalog(), date(2026, 3, 1)) == []
    told = check(ThrottlePolicy(), canonical_catalog(), TODAY)
    assert [(f.code, f.severity) for f in told] == [("calendar_ends", "warning")]
    assert "2027" in told[0].zh
    mended = ThrottlePolicy.model_validate({"workdays_added": ["2027-02-14"]})
    assert check(mended, canonical_catalog(), TODAY) == []


def test_warnings() -> None:
    document = {
        "caps": [cap("all", DAY, 2), cap("one", DAY, 3, "channel")],
        "quiet_hours": [
            quiet("night", "20:00", "09:00"),
            {"name": "off", "channels": ["sms"], "all_day": True, "on": "non_working_days"},
        ],
        "suitability": {"levels": ["R1", "R2", "R3", "R4"]},
    }
    policy = ThrottlePolicy.model_validate(document)
    assert contradictions(policy) == []
    told = check(policy, canonical_catalog(), date(2026, 3, 1))
    assert {(f.code, f.severity, f.place) for f in told} == {
        ("never_binds", "warning", "caps.one"),
        ("expires_in_quiet", "warning", "defer_expires_hours"),
        ("level_left_out", "warning", "suitability.levels"),
    }


def test_a_contact_rule_that_the_catalog_cannot_tell() -> None:
    policy = ThrottlePolicy.model_validate({"contact": {"sms": "has_carrier_pigeon"}})
    (finding,) = check(policy, canonical_catalog(), date(2026, 3, 1))
    assert (finding.code, finding.severity, finding.place) == ("contact_rule", "error", "contact.sms")
    assumed = policy.model_copy(update={"consent": policy.consent.model_copy(update={"assumed": True})})
    assert [f.severity for f in check(assumed, canonical_catalog(), date(2026, 3, 1))] == ["warning"]


def test_the_longest_chain_of_2026_is_spring_festival() -> None:
    windows = [
        QuietHours.model_validate(quiet("night", "20:00", "09:00")),
        QuietHours.model_validate({"name": "off", "channels": ["sms"], "all_day": True, "on": "public_holidays"}),
    ]
    # The notice of the State Council: 15 February (Sunday) to 23 February (Monday); the 14th is worked. Quiet from 20:00
    # on the 14th until 9:00 on the 24th.
    assert longest_quiet(windows, date(2026, 1, 10), days=200) == (4 + 9 * 24 + 9, date(2026, 2, 14))
    assert longest_quiet(windows, date(2026, 5, 10), days=31) == (13, date(2026, 5, 10))
    assert longest_quiet(windows[1:], date(2026, 3, 1), days=20) == (0, date(2026, 3, 1))


def test_a_file_with_faults_is_refused_in_both_languages(bank: SmallBank) -> None:
    path = bank.home.policies / "throttle.yaml"
    path.write_text(yaml.safe_dump({"caps": [cap("a", DAY, 1), cap("b", DAY, 2)], "priorities": {"cares": 1}}))
    with pytest.raises(AdminFixes) as refused:
        load_policy(bank.home)
    error = refused.value
    assert "caps.b" in error.message
    assert "priorities" in error.message
    assert "只保留其中一条" in error.details["fix_zh"]
    assert "各说各话" in error.details["message_zh"]
    path.write_text(yaml.safe_dump({"caps": [cap("a", DAY, -1)]}))
    with pytest.raises(AdminFixes, match=r"caps\.0\.max.*greater than or equal to 0") as refused:
        load_policy(bank.home)
    assert "不能小于 0" in refused.value.details["message_zh"]
    path.write_text("caps: [")
    with pytest.raises(AdminFixes, match="not YAML"):
        load_policy(bank.home)


CLOCKS = st.integers(0, 47).map(lambda n: f"{n // 2:02d}:{n % 2 * 30:02d}")
WINDOWS = st.lists(
    st.tuples(CLOCKS, CLOCKS, st.sampled_from(["every_day", "public_holidays", "non_working_days"])).filter(
        lambda w: w[0] != w[1]
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=40, deadline=None)
@given(WINDOWS)
def test_always_quiet_means_that_the_calendar_finds_no_free_half_hour(windows: list[tuple[str, str, str]]) -> None:
    made = tuple(QuietHours.model_validate(quiet(f"w{n}", *w)) for n, w in enumerate(windows))
    # A working day, a Saturday, and New Year's Day 2027 (a Friday and a holiday): one of each kind.
    days = [date(2026, 11, 18), date(2026, 11, 21), date(2027, 1, 1)]
    half_hours = [day_start(day, BANK_ZONE).timestamp() + 1800 * n for day in days for n in range(48)]
    free = [t for t in half_hours if quiet_at(made, "sms", "x", datetime.fromtimestamp(t, UTC), BANK_ZONE) is None]
    assert always_quiet(made) == (not free)
