"""Each rule about a customer, alone, on a bank where everybody may otherwise be touched."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.support.candidates import Candidate, decisions, naive
from tests.support.small_bank import AS_OF, SmallBank
from tools.throttle import ThrottlePolicy
from tools.throttle.policy import Consent
from warehouse.errors import AdminFixes

NIGHT = datetime(2026, 11, 18, 14, 0, tzinfo=UTC)  # 22:00 in the bank


def rule_of(
    bank: SmallBank, candidate: Candidate, instant: datetime = AS_OF, policy: ThrottlePolicy | None = None
) -> str:
    found = decisions(bank, [candidate], instant, policy)[candidate.touch_id]
    assert (found.decision == "send") == (found.rule == "allowed")
    return found.rule


def test_nobody_is_stopped_without_a_reason(bank: SmallBank) -> None:
    assert {d.rule for d in decisions(bank, [Candidate(n) for n in range(1, 21)], AS_OF).values()} == {"allowed"}


@pytest.mark.parametrize(
    ("since", "until", "rule"),
    [
        (None, None, "suppressed_refused"),
        ("2026-11-18 01:00", None, "suppressed_refused"),
        ("2026-11-18 01:01", None, "allowed"),
        ("2026-01-01", "2026-11-18 01:00", "allowed"),
        ("2026-01-01", "2026-11-18 01:01", "suppressed_refused"),
    ],
)
def test_a_suppression_holds_from_since_until_before_until(
    bank: SmallBank, since: str | None, until: str | None, rule: str
) -> None:
    bank.run("INSERT INTO suppressions VALUES (1, 'refused', ?::TIMESTAMP, ?::TIMESTAMP)", since, until)
    assert rule_of(bank, Candidate(1)) == rule


def test_a_refusal_of_marketing_leaves_service_alone_but_the_deceased_get_nothing(bank: SmallBank) -> None:
    bank.run("INSERT INTO suppressions VALUES (1, 'refused', NULL, NULL), (2, 'deceased', NULL, NULL)")
    assert rule_of(bank, Candidate(1, category="service")) == "allowed"
    assert rule_of(bank, Candidate(2, category="service")) == "suppressed_deceased"


def test_staff_and_minors_get_no_marketing(bank: SmallBank) -> None:
    bank.run("UPDATE customers SET is_staff = true WHERE customer_id = 1")
    bank.run("UPDATE customers SET birth_date = DATE '2008-11-19' WHERE customer_id = 2")
    bank.run("UPDATE customers SET birth_date = DATE '2008-11-18' WHERE customer_id = 3")
    bank.run("UPDATE customers SET birth_date = NULL WHERE customer_id = 4")
    assert [rule_of(bank, Candidate(n)) for n in (1, 2, 3, 4)] == ["staff", "under_age", "allowed", "allowed"]


@pytest.mark.parametrize(
    ("level", "assessed", "product", "rule"),
    [
        ("R3", "2026-05-18", 1, "allowed"),
        ("R3", "2026-05-18", 2, "risk_too_high"),
        ("R4", "2026-05-18", 2, "allowed"),
        (None, None, 1, "risk_never_assessed"),
        ("R3", None, 1, "risk_never_assessed"),
        ("R3", "2025-11-19", 1, "allowed"),  # 364 days old
        ("R3", "2025-11-18", 1, "risk_assessment_expired"),  # 365 days old
        ("R3", "2026-11-19", 1, "risk_never_assessed"),  # after the instant
        (None, None, 3, "allowed"),  # a deposit needs no suitability
        ("R5", "2026-05-18", 99, "unknown_product"),
    ],
)
def test_suitability(bank: SmallBank, level: str | None, assessed: str | None, product: int, rule: str) -> None:
    bank.run("UPDATE customers SET risk_level = ?, risk_assessed_on = ?::DATE WHERE customer_id = 1", level, assessed)
    assert rule_of(bank, Candidate(1, product=product)) == rule


def test_an_unrated_product_suits_nobody(bank: SmallBank) -> None:
    bank.run("INSERT INTO products VALUES (9, '未评级', 'fund', NULL, NULL, NULL, NULL, NULL)")
    assert rule_of(bank, Candidate(1, product=9)) == "product_unrated"


def test_consent_is_by_channel_and_purpose_and_not_from_the_future(bank: SmallBank) -> None:
    bank.run("UPDATE consents SET opted_in = false WHERE customer_id = 1 AND channel = 'sms' AND purpose = 'marketing'")
    bank.run("UPDATE consents SET updated_at = TIMESTAMP '2026-11-18 01:01' WHERE customer_id = 2")
    bank.run("DELETE FROM consents WHERE customer_id = 3")
    assert rule_of(bank, Candidate(1)) == "no_consent"
    assert rule_of(bank, Candidate(1, channel="push")) == "allowed"
    assert rule_of(bank, Candidate(1, category="service")) == "allowed"
    assert rule_of(bank, Candidate(2)) == "no_consent"
    assert rule_of(bank, Candidate(2), AS_OF + timedelta(minutes=1)) == "allowed"
    assert rule_of(bank, Candidate(3)) == "no_consent"


def test_assumed_consent_does_not_override_a_refusal(bank: SmallBank) -> None:
    bank.run("DELETE FROM consents WHERE customer_id = 1")
    bank.run("UPDATE consents SET opted_in = false WHERE customer_id = 2")
    assumed = ThrottlePolicy(consent=Consent(assumed=True))
    assert rule_of(bank, Candidate(1), policy=assumed) == "allowed"
    assert rule_of(bank, Candidate(2), policy=assumed) == "no_consent"


def test_who_cannot_be_reached(bank: SmallBank) -> None:
    bank.run("DELETE FROM identities WHERE customer_id = 1")
    bank.run("UPDATE customers SET wecom_bound = false, has_mobile_bank = NULL WHERE customer_id = 1")
    channels = ("sms", "wecom", "push", "task")
    assert [rule_of(bank, Candidate(1, channel=c)) for c in channels] == [*["not_contactable"] * 3, "allowed"]


def test_a_contact_rule_beyond_the_catalog_is_a_fault_unless_consent_is_assumed(bank: SmallBank) -> None:
    strange = ThrottlePolicy(contact={"sms": "has_carrier_pigeon"})
    with pytest.raises(AdminFixes, match="has_carrier_pigeon"):
        rule_of(bank, Candidate(1), policy=strange)
    assert (
        rule_of(bank, Candidate(1), policy=strange.model_copy(update={"consent": Consent(assumed=True)})) == "allowed"
    )


def test_an_unknown_customer_is_abandoned(bank: SmallBank) -> None:
    assert rule_of(bank, Candidate(4711)) == "unknown_customer"


def test_one_person_with_two_numbers_is_touched_once(bank: SmallBank) -> None:
    # 1-2 share a phone, 2-3 an identity card: one person; 5-6 share only a device: two.
    bank.run("INSERT INTO identities VALUES ('phone', 'shared', 1), ('phone', 'shared', 2)")
    bank.run("INSERT INTO identities VALUES ('id_card', 'card', 2), ('id_card', 'card', 3)")
    bank.run("INSERT INTO identities VALUES ('device', 'pad', 5), ('device', 'pad', 6)")
    found = decisions(bank, [Candidate(n) for n in (1, 2, 3, 5, 6)], AS_OF)
    stopped = {touch for touch, d in found.items() if d.rule == "duplicate_person"}
    assert stopped == {"new.touch_1.2", "new.touch_1.3"}
    assert rule_of(bank, Candidate(3)) == "allowed"  # alone in the tick, he is the person's one
    most = ThrottlePolicy.model_validate({"identity": {"keep": "most_aum"}})
    found = decisions(bank, [Candidate(n) for n in (1, 2, 3)], AS_OF, most)
    assert {touch for touch, d in found.items() if d.rule == "allowed"} == {"new.touch_1.3"}


def test_a_person_reached_before_by_the_campaign_is_not_reached_through_another_number(bank: SmallBank) -> None:
    bank.run("INSERT INTO identities VALUES ('phone', 'shared', 1), ('phone', 'shared', 2)")
    bank.touch(1, "2026-11-01", campaign="new")
    assert rule_of(bank, Candidate(2)) == "duplicate_person"
    assert rule_of(bank, Candidate(2, campaign="other")) == "allowed"
    assert rule_of(bank, Candidate(1)) == "allowed"


def test_quiet_hours_defer_or_abandon_and_deferral_expires(bank: SmallBank) -> None:
    sms, call = Candidate(1), Candidate(2, channel="call")
    late = Candidate(3, expires_at=naive("2026-11-19 00:59"))
    in_time = Candidate(4, expires_at=naive("2026-11-19 01:00"))
    found = decisions(bank, [sms, call, late, in_time], NIGHT)
    assert found[sms.touch_id].decision == "defer"
    assert found[sms.touch_id].until == naive("2026-11-19 01:00")  # 09:00 in the bank
    assert found[call.touch_id].decision == "abandon"
    assert (found[late.touch_id].decision, found[late.touch_id].rule) == ("abandon", "quiet_messages_night_expired")
    assert found[in_time.touch_id].decision == "defer"


def test_a_naive_instant_is_bank_time_and_never_simply_sent(bank: SmallBank) -> None:
    assert rule_of(bank, Candidate(1), datetime(2026, 11, 18, 22, 0)) == "quiet_messages_night"  # noqa: DTZ001
    assert rule_of(bank, Candidate(1), datetime(2026, 11, 18, 14, 0)) == "allowed"  # noqa: DTZ001


def test_a_rule_about_the_customer_goes_before_quiet_hours(bank: SmallBank) -> None:
    bank.run("INSERT INTO suppressions VALUES (1, 'refused', NULL, NULL)")
    assert rule_of(bank, Candidate(1), NIGHT) == "suppressed_refused"
