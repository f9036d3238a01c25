"""Forecast, waterfall and why: numbers that add up, and an answer for every decision."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.small_bank import AS_OF, SmallBank
from tools.segment import bucket, parse, threshold
from tools.throttle import STEPS, Held, ThrottlePolicy, Waterfall, forecast, waterfall, why
from warehouse.clock import parse_instant
from warehouse.errors import NotFound


def everybody(bank: SmallBank, **more: object) -> Waterfall:
    node = parse("everyone", bank.catalog)
    return waterfall(bank.segments, node, "sms", AS_OF, ThrottlePolicy(), **more)  # type: ignore[arg-type]


def spoil(bank: SmallBank) -> None:
    """One customer lost at each step."""
    bank.run("INSERT INTO identities VALUES ('phone', 'shared', 1), ('phone', 'shared', 2)")
    bank.run("INSERT INTO suppressions VALUES (3, 'complaint_open', NULL, NULL)")
    bank.run("UPDATE customers SET risk_level = NULL WHERE customer_id = 4")
    bank.run("DELETE FROM consents WHERE customer_id = 5")
    bank.touch(6, "2026-11-17 20:00")


def test_the_waterfall_loses_each_at_his_step_and_adds_up(bank: SmallBank) -> None:
    spoil(bank)
    held = Held(30, "wave-a")
    found = everybody(bank, product_id=1, hold_out=held, by_branch=True)
    out = {n for n in range(1, 21) if bucket("wave-a", n) < threshold(30)} - {2, 3, 4, 5, 6}
    assert [(s.step, s.count, s.lost) for s in found.steps] == [
        ("matched", 20, 0), ("one_per_person", 19, 1), ("not_suppressed", 18, 1), ("suitable", 17, 1),
        ("consented_and_contactable", 16, 1), ("not_capped", 15, 1), ("not_held_out", 15 - len(out), len(out)),
    ]  # fmt: skip
    assert found.steps[3].rules == {"risk_never_assessed": 1}
    assert [sum(column) for column in zip(*(b.counts for b in found.branches), strict=True)] == [
        s.count for s in found.steps
    ]
    assert [b.name for b in found.branches] == ["总行", "福田支行"]


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sets(st.integers(1, 20)), st.sets(st.integers(1, 20)), st.sets(st.integers(1, 20)), st.floats(0.1, 99))
def test_steps_never_rise(
    bank: SmallBank, refused: set[int], silent: set[int], touched: set[int], percent: float
) -> None:
    bank.run("DELETE FROM suppressions")
    bank.run("DELETE FROM touches")
    bank.run("UPDATE consents SET opted_in = true")
    for n in refused:
        bank.run("INSERT INTO suppressions VALUES (?, 'refused', NULL, NULL)", n)
    for n in silent:
        bank.run("UPDATE consents SET opted_in = false WHERE customer_id = ?", n)
    for n in touched:
        bank.touch(n, "2026-11-17 20:00")
    found = everybody(bank, hold_out=Held(percent, "k"))
    counts = [s.count for s in found.steps]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] - sum(s.lost for s in found.steps) == counts[-1]
    assert counts[STEPS.index("not_capped")] == len(set(range(1, 21)) - refused - silent - touched)


def test_quiet_hours_are_told_beside_the_waterfall_and_decide_the_forecast(bank: SmallBank) -> None:
    night = parse_instant("2026-11-18T22:00")
    node = parse("is_payroll", bank.catalog)
    found = waterfall(bank.segments, node, "sms", night, ThrottlePolicy())
    assert (found.steps[-1].count, found.quiet_until) == (10, parse_instant("2026-11-19T09:00"))
    told = forecast(bank.segments, node, "sms", night, ThrottlePolicy())
    assert (told.candidates, told.allowed, told.deferred, told.abandoned) == (10, 0, 10, 0)
    assert told.by_rule == {"quiet_messages_night": 10}
    assert told.next_at == parse_instant("2026-11-19T09:00")


def test_the_forecast_adds_up(bank: SmallBank) -> None:
    spoil(bank)
    told = forecast(bank.segments, parse("everyone", bank.catalog), "sms", AS_OF, ThrottlePolicy(), product_id=1)
    assert told.candidates == told.allowed + told.deferred + told.abandoned == 20
    assert sum(told.by_rule.values()) == 5
    assert told.by_rule["cap_channel_daily"] == 1


def test_why_answers_for_sent_held_out_and_never_decided(bank: SmallBank) -> None:
    bank.touch(1, "2026-11-01 04:00", campaign="c1")
    bank.touch(2, "2026-11-01 04:00", campaign="c1", status="abandoned")
    bank.run("UPDATE touches SET rule = 'no_consent' WHERE customer_id = 2")
    bank.run("INSERT INTO assignments VALUES ('c1', 3, 'control', TIMESTAMP '2026-11-01')")
    told = [why(bank.warehouse, n, "c1") for n in (1, 2, 3, 4)]
    assert [[(r.decision, r.rule) for r in reasons] for reasons in told] == [
        [("send", "allowed")], [("abandon", "no_consent")], [("hold_out", "hold_out")], [],
    ]  # fmt: skip
    assert told[1][0].words_zh == "该渠道没有同意记录"
    with pytest.raises(NotFound, match="no customer"):
        why(bank.warehouse, 4711, "c1")
    with pytest.raises(NotFound, match="no campaign"):
        why(bank.warehouse, 1, "c2")


def test_why_reads_the_journal_of_delivery_where_there_is_one(bank: SmallBank) -> None:
    bank.run(
        """CREATE TABLE decisions (campaign_id VARCHAR, customer_id BIGINT, node_id VARCHAR, channel VARCHAR,
             decision VARCHAR, rule VARCHAR, decided_at TIMESTAMP, until TIMESTAMP)"""
    )
    bank.run(
        """INSERT INTO decisions VALUES ('c1', 1, 'touch_1', 'sms', 'defer', 'quiet_messages_night', '2026-11-01 14:00',
             '2026-11-02 01:00'), ('c1', 1, 'touch_1', 'sms', 'send', 'allowed', '2026-11-02 01:00', NULL)"""
    )
    bank.touch(1, "2026-11-02 01:00", campaign="c1")
    told = why(bank.warehouse, 1, "c1")
    assert [(r.decision, r.rule) for r in told] == [("defer", "quiet_messages_night"), ("send", "allowed")]
    assert told[0].words_en == "quiet hours messages_night"
