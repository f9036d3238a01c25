"""Daily wordings of counts, waves, caps and read-outs, against trees and arguments written by hand from their meaning."""

from datetime import UTC, datetime
from typing import Any

import pytest

from agent.models.offline import OfflineModel
from tools.segment import parse
from warehouse.catalog import Catalog
from warehouse.clock import BANK_ZONE

from .conftest import CAMPAIGNS, EXAMPLES, Say, turn

FOCUS = "is_payroll and city = '东莞'"
SEGMENTS = [
    # A noun that belongs to the name of the state behind it is no holding of its own.
    ("credit card holders whose card is not activated", "has_credit_card and not card_activated", ""),
    ("cardholders whose card has not been activated", "has_credit_card and not card_activated", ""),
    ("customers whose card is activated", "card_activated", ""),
    # An amount before its product, with the day it matures, is one holding.
    ("customers holding more than 100,000 in wealth products maturing within 30 days",
     "holds(wealth, amount > 100000, matures within 30d)", ""),
    ("payroll customers holding at least 50,000 in funds maturing within 10 days",
     "is_payroll and holds(fund, amount >= 50000, matures within 10d)", ""),
    ("下面7天内有理财到期的客户", "holds(wealth, matures within 7d)", ""),
    ("30天内资产掉了三成以上的", "aum / aum_30d_ago <= 0.7", ""),
    ("AUM涨了2成以上的客户", "aum / aum_30d_ago >= 1.2", ""),
    ("风评R3及以上 而且没过期的", "risk_level >= 'R3' and assessment_valid", ""),
    ("风评过期的代发客户", "not assessment_valid and not (risk_level is unknown) and is_payroll", ""),
    # 再 carries nothing; what is excluded narrows the segment in focus.
    ("再剔掉60天没登录的", f"{FOCUS} and not (days_since_login >= 60)", FOCUS),
    ("drop the city condition", "is_payroll", FOCUS),
    ("去掉城市条件", "is_payroll", FOCUS),
    ("remove the payroll condition", "city = '东莞'", FOCUS),
    ("drop the login condition", "is_payroll", "is_payroll and days_since_login >= 60"),
    ("drop the age and city conditions", "is_payroll", f"{FOCUS} and age < 35"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected", "focus"), SEGMENTS, ids=[t for t, _, _ in SEGMENTS])
def test_segments(say: Say, catalog: Catalog, text: str, expected: str, focus: str) -> None:
    step = say(text, segment=focus)
    assert [call.tool for call in step.calls] == ["query_segment"], step
    assert parse(step.calls[0].args["segment"], catalog) == parse(expected, catalog)
    assert "by" not in step.calls[0].args


def test_a_condition_that_is_not_there_cannot_be_dropped(say: Say) -> None:
    step = say("drop the age condition", segment=FOCUS)
    assert not step.calls
    assert step.question is not None
    assert "age" in step.question.text
    assert step.question.options
    assert all(say(option, segment=FOCUS).calls for option in step.question.options)


@pytest.mark.parametrize(
    "text", ["break that down by city", "break this down by city", "split that by city", "break it down by city"]
)
def test_breakdowns_of_the_segment_in_focus(say: Say, catalog: Catalog, text: str) -> None:
    call = say(text, segment=FOCUS).calls[0]
    assert call.tool == "query_segment"
    assert parse(call.args["segment"], catalog) == parse(FOCUS, catalog)
    assert call.args["by"] == "city"


WAVES: list[tuple[str, str, list[tuple[str, int, str]], dict[str, Any]]] = [
    ("Draft a campaign for payroll customers: push first, SMS after 3 days if the card is still not activated, keep 20% as control",
     "", [("push", 0, "all"), ("sms", 3, "goal_not_reached")],
     {"segment": "is_payroll", "holdout_percent": 20, "goal_event": "activate_card"}),
    ("Campaign for payroll customers: push, then SMS after 3 days to those who still have not logged in, keep 20% as control",
     "", [("push", 0, "all"), ("sms", 3, "goal_not_reached")],
     {"segment": "is_payroll", "holdout_percent": 20, "goal_event": "login"}),
    ("push, then SMS after 3 days to those who did not buy a wealth product, 10% hold-out",
     FOCUS, [("push", 0, "all"), ("sms", 3, "goal_not_reached")],
     {"holdout_percent": 10, "goal_event": "purchase", "goal_where": "kind = 'wealth'"}),
    ("Campaign for payroll customers: push, SMS after 3 days, call after 7 days, 10% hold-out",
     "", [("push", 0, "all"), ("sms", 3, "goal_not_reached"), ("call", 7, "goal_not_reached")],
     {"segment": "is_payroll", "holdout_percent": 10}),
    # `another` counts from the wave before, and so do days that do not rise.
    ("Campaign for payroll customers: push, SMS after 3 days, call after another 7 days",
     "", [("push", 0, "all"), ("sms", 3, "goal_not_reached"), ("call", 10, "goal_not_reached")], {}),
    ("Campaign for payroll customers: push, SMS after 7 days, call after 3 days",
     "", [("push", 0, "all"), ("sms", 7, "goal_not_reached"), ("call", 10, "goal_not_reached")], {}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "focus", "waves", "more"), WAVES, ids=[w[0] for w in WAVES])
def test_waves(say: Say, text: str, focus: str, waves: list[tuple[str, int, str]], more: dict[str, Any]) -> None:
    step = say(text, segment=focus)
    assert [call.tool for call in step.calls] == ["draft_canvas"], step
    args = step.calls[0].args
    assert [(w["channel"], w["day"], w["only_if"]) for w in args["waves"]] == waves
    assert {name: args.get(name) for name in more} == more


def test_days_counted_from_the_first_wave_are_said_so(say: Say) -> None:
    rising = say("Campaign for payroll customers: push, SMS after 3 days, call after 7 days")
    assert "first wave" in rising.remark
    assert "D7" in rising.remark
    assert say("Campaign for payroll customers: push, SMS after 3 days").remark == ""


THROTTLE = [
    ("If I text all payroll customers on 20 November at 12:30, how many will get through?",
     "is_payroll", "sms", "2026-11-20T12:30+08:00"),
    ("check the caps for a push to women in Dongguan tomorrow at 7pm",
     "gender = 'F' and city = '东莞'", "push", "2026-11-19T19:00+08:00"),
    ("how many dormant customers could we phone today at 21:30?",
     "days_since_login >= 60", "call", "2026-11-18T21:30+08:00"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "segment", "channel", "at"), THROTTLE, ids=[t[0] for t in THROTTLE])
def test_throttle(say: Say, catalog: Catalog, text: str, segment: str, channel: str, at: str) -> None:
    call = say(text).calls[0]
    assert call.tool == "check_throttle"
    assert parse(call.args["segment"], catalog) == parse(segment, catalog)
    assert (call.args["channel"], call.args["at"]) == (channel, at)


def test_a_canvas_loses_its_third_wave(say: Say) -> None:
    call = say("remove the third wave", segment=FOCUS, canvas=True).calls[0]
    assert (call.tool, call.args) == ("edit_canvas", {"edits": [{"op": "remove_wave", "wave": 3}]})


def test_a_campaign_is_read_out_by_its_complaints(catalog: Catalog) -> None:
    known = [*CAMPAIGNS, ("c_october", "October daily push", datetime(2026, 10, 1, tzinfo=UTC))]
    model = OfflineModel(catalog, EXAMPLES, lambda: known, BANK_ZONE)
    call = model.next(turn("Did the October daily push cause more complaints?")).calls[0]
    assert (call.tool, call.args) == ("analyze_campaign", {"campaign": "c_october", "metric": "complaint_customers"})


def test_what_to_do_about_maturities_is_a_question_to_the_playbooks(say: Say) -> None:
    text = "下周有一批理财到期 怎么承接比较好"
    call = say(text).calls[0]
    assert (call.tool, call.args) == ("search_playbooks", {"query": text})


@pytest.mark.parametrize(("text", "segment"), [
    ("有没有代发的客户", "is_payroll"),
    ("有没有40岁以上的代发客户", "age >= 40 and is_payroll"),
    ("没有信用卡的客户有多少", "not has_credit_card"),
])  # fmt: skip
def test_whether_there_are_any_is_a_count_and_not_a_negation(say: Say, text: str, segment: str) -> None:
    assert [call.args["segment"] for call in say(text).calls] == [segment]
