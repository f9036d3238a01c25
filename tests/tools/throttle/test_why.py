"""Why a customer did or did not get something: the decision is made by the throttle itself, the evidence is read back."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from delivery import RealEffects, Slot
from delivery.tables import make
from tests.support.candidates import Candidate, put
from tests.support.small_bank import AS_OF, SmallBank
from tools.throttle import Reason, ThrottlePolicy, why

WEEK = {"window": "rolling", "hours": 168}
DAY = {"window": "calendar", "period": "day"}
NIGHT = {"name": "night", "channels": ["sms"], "start": "20:00", "end": "09:00"}
LATE = AS_OF + timedelta(hours=13)  # 22:00 in the bank


def told(
    bank: SmallBank, document: dict[str, Any], at: datetime = AS_OF, also: tuple[Candidate, ...] = (), **more: Any
) -> Reason:
    """Decide about customer 1 as delivery does, and ask why."""
    policy = ThrottlePolicy.model_validate({"caps": [], "quiet_hours": [], "contact": {}, **document})
    effects = RealEffects(policy, bank.segments, {"new": Slot("full", 1)})
    with bank.warehouse.writer() as con:
        make(con)
        con.execute(f"DROP TABLE {effects.decide(con, put(con, [Candidate(1, **more), *also]), at, {})}")
    (reason,) = why(bank.warehouse, 1, "new", lambda instant: policy)
    for ground in reason.evidence:
        assert any("\u4e00" <= c <= "\u9fff" for c in ground.zh), ground
        assert not any("\u4e00" <= c <= "\u9fff" for c in ground.en), ground
    return reason


def test_the_touches_that_filled_a_cap_are_named(bank: SmallBank) -> None:
    bank.touch(1, "2026-11-17 20:00", channel="push", campaign="autumn")
    bank.touch(1, "2026-11-12 03:00", campaign="harvest")
    bank.touch(1, "2026-11-10 03:00", campaign="too old")
    bank.touch(1, "2026-11-13 03:00", campaign="failed", status="failed")
    bank.touch(2, "2026-11-13 03:00", campaign="somebody else")
    reason = told(bank, {"caps": [{"name": "week", "scope": "global", "window": WEEK, "max": 2}]})
    limit, first, second = reason.evidence
    assert (limit.data["used"], limit.data["max"]) == (2, 2)
    assert "at most 2 per customer in a rolling 7 days" in limit.en
    assert "最多 2 次" in limit.zh
    assert [g.data["campaign_id"] for g in (first, second)] == ["autumn", "harvest"]
    assert first.en == "2026-11-18 04:00 push, campaign autumn (sent)"


def test_a_deferring_cap_says_when_there_is_room(bank: SmallBank) -> None:
    bank.touch(1, "2026-11-17 20:00")
    reason = told(bank, {"caps": [{"name": "day", "scope": "global", "window": DAY, "max": 1, "over": "defer"}]})
    assert reason.decision == "defer"
    assert reason.evidence[-1].en == "there is room again from 2026-11-19 00:00"


def test_a_rival_of_the_same_tick_is_named_too(bank: SmallBank) -> None:
    rival = Candidate(1, campaign="high", priority=90)
    reason = told(bank, {"caps": [{"name": "week", "scope": "global", "window": WEEK, "max": 1}]}, also=(rival,))
    assert [g.data.get("campaign_id") for g in reason.evidence] == [None, "high"]


def test_what_has_failed_since_is_said_to_be_gone(bank: SmallBank) -> None:
    bank.touch(1, "2026-11-17 20:00")
    caps = {"caps": [{"name": "week", "scope": "global", "window": WEEK, "max": 1}]}
    told(bank, caps)
    bank.run("UPDATE touches SET status = 'failed'")
    policy = ThrottlePolicy.model_validate(caps)
    (reason,) = why(bank.warehouse, 1, "new", lambda instant: policy)
    assert [g.en for g in reason.evidence][1:] == [
        "the rest was taken by rivals of the same tick, or has failed or been cancelled since"
    ]


def test_the_quiet_hours_and_their_end(bank: SmallBank) -> None:
    (ground,) = told(bank, {"quiet_hours": [NIGHT]}, LATE).evidence
    assert "2026-11-18 22:00 is quiet" in ground.en
    assert "20:00–09:00" in ground.en
    assert "until 2026-11-19 09:00" in ground.en


def test_a_deferral_that_would_be_too_late(bank: SmallBank) -> None:
    expiry, quiet = told(bank, {"quiet_hours": [NIGHT], "defer_expires_hours": 2}, LATE).evidence
    assert expiry.en == "the wait would be longer than 2 hours"
    assert quiet.kind == "quiet"


@pytest.mark.parametrize(
    ("change", "rule", "said"),
    [
        ("DELETE FROM consents WHERE customer_id = 1", "no_consent", "SMS for marketing: no consent on record"),
        (
            "UPDATE consents SET opted_in = false, updated_at = '2026-05-01 02:00' WHERE customer_id = 1",
            "no_consent",
            "SMS for marketing: refused at 2026-05-01 10:00 (source app, version v1)",
        ),
        (
            "UPDATE consents SET updated_at = '2026-11-19 02:00' WHERE customer_id = 1",
            "no_consent",
            "SMS for marketing: agreed at 2026-11-19 10:00 (source app, version v1), after this decision",
        ),
        (
            "INSERT INTO suppressions VALUES (1, 'complaint_open', '2026-11-01 02:00', NULL)",
            "suppressed_complaint_open",
            "suppressed since 2026-11-01 10:00, not lifted",
        ),
        (
            "INSERT INTO identities VALUES ('phone', 'x', 1), ('phone', 'x', 2)",
            "duplicate_person",
            "shares phone with 1 other customer numbers",
        ),
    ],
)
def test_what_is_on_record_of_the_customer(bank: SmallBank, change: str, rule: str, said: str) -> None:
    bank.run(change)
    bank.run("UPDATE customers SET aum = 0 WHERE customer_id = 1")
    reason = told(bank, {"identity": {"keep": "most_aum"}}, also=(Candidate(2),))
    assert (reason.rule, [g.en for g in reason.evidence]) == (rule, [said])
    assert "2" not in str(reason.evidence[0].data) or rule != "duplicate_person", "the other number is not told"


def test_the_levels_and_when_the_assessment_expired(bank: SmallBank) -> None:
    bank.run("UPDATE customers SET risk_assessed_on = '2025-11-01' WHERE customer_id = 1")
    (ground,) = told(bank, {}, product=1).evidence
    assert ground.en == "the customer is R3, assessed on 2025-11-01, expired from 2026-11-01"


def test_a_consent_that_has_lapsed_says_since_when(bank: SmallBank) -> None:
    reason = told(bank, {"consent": {"term_days": 90}})
    assert reason.rule == "consent_lapsed"
    assert reason.evidence[0].en.endswith("lapsed from 2024-03-31")


def test_who_got_it_sees_the_consent_and_the_room_there_was(bank: SmallBank) -> None:
    bank.touch(1, "2026-11-12 03:00")
    reason = told(bank, {"caps": [{"name": "week", "scope": "global", "window": WEEK, "max": 3}]})
    assert reason.decision == "send"
    consent, room = reason.evidence
    assert consent.kind == "consent"
    assert room.en.endswith("1 were used before")


def test_a_promise_and_the_capacity_of_a_channel(bank: SmallBank) -> None:
    bank.touch(1, "2026-11-12 03:00")
    promised = {"channel": "sms", "purpose": "marketing", "window": WEEK, "max": 1}
    reason = told(bank, {"consent": {"promised": [promised]}})
    assert "customers were promised at most 1 in a rolling 7 days; 1 were used then" in reason.evidence[0].en


def test_the_capacity_names_nobody_else(bank: SmallBank) -> None:
    bank.touch(2, "2026-11-18 00:30")
    reason = told(bank, {"capacity": [{"name": "gateway", "channel": "sms", "window": DAY, "max": 1}]})
    assert reason.rule == "capacity_gateway"
    assert [g.kind for g in reason.evidence] == ["limit", "limit"]
    assert "customer" not in str([g.data for g in reason.evidence])
