"""What people say daily, against trees written by hand from the meaning of the words."""

import pytest

from tools.segment import parse
from warehouse.catalog import Catalog

from .conftest import Say

NOT_ACTIVATED = "has_credit_card and not card_activated"
SAID = [
    # A state is the attribute, of those who can be in it; a time makes it an action.
    ("没激活信用卡的客户", NOT_ACTIVATED),
    ("还没有激活信用卡的客户", NOT_ACTIVATED),
    ("有信用卡但没激活的客户", NOT_ACTIVATED),
    ("customers who have not activated their card", NOT_ACTIVATED),
    ("credit card holders who have not activated their card", NOT_ACTIVATED),
    ("激活了信用卡的客户", "card_activated"),
    ("近30天激活信用卡的客户", "did(activate_card, last 30d)"),
    # One holding with its kind, its amount and its day.
    ("理财到期金额10万以上、7天内到期", "holds(wealth, amount >= 100000, matures within 7d)"),
    ("wealth products over 100k maturing within 7 days", "holds(wealth, amount > 100000, matures within 7d)"),
    ("未来30天理财到期超过10万的", "holds(wealth, amount > 100000, matures within 30d)"),
    # Now beside then: 以上 includes, 超过 does not; a bare amount is at least that much.
    ("AUM比30天前下降30%以上", "aum / aum_30d_ago <= 0.7"),
    ("AUM fell by more than 30% in 30 days", "aum / aum_30d_ago < 0.7"),
    ("AUM掉了20%的客户", "aum / aum_30d_ago <= 0.8"),
    ("近30天AUM涨了5万以上的客户", "aum - aum_30d_ago >= 50000"),
    ("customers whose AUM grew by at least 10%", "aum / aum_30d_ago >= 1.1"),
    ("AUM下降不到10%的代发客户", "aum < aum_30d_ago and aum / aum_30d_ago > 0.9 and is_payroll"),
    # One beside another.
    ("存款比理财多", "deposit_balance > wealth_balance"),
    ("存款比理财少的女性", "deposit_balance < wealth_balance and gender = 'F'"),
    ("存款比理财多10万以上", "deposit_balance - wealth_balance >= 100000"),
    ("more deposits than wealth products", "deposit_balance > wealth_balance"),
    ("30多岁的女性", "age between 30 and 39 and gender = 'F'"),
    ("women in their 30s", "gender = 'F' and age between 30 and 39"),
    # 18 November 2026 is a Wednesday: the past days of a span come round in a year, or in a month.
    ("本月过生日的客户", "days_to_birthday <= 12 or days_to_birthday between 348 and 364"),
    ("birthday this month", "days_to_birthday <= 12 or days_to_birthday between 348 and 364"),
    ("下周过生日的客户", "days_to_birthday between 5 and 11"),
    ("这周发薪的客户", "days_to_payday <= 4 or days_to_payday between 28 and 29"),
    ("上周发薪的客户", "did(salary_credit, in last_week)"),
    ("本月开户的客户", "opened_on between '2026-11-01' and '2026-11-18'"),
    ("近半年没有购买任何产品", "not did(purchase, last 180d)"),
    ("what share of customers have a credit card", "has_credit_card"),
    ("有信用卡的占比多少", "has_credit_card"),
    ("绑定了企微的客户", "wecom_bound"),
    ("过去30天AUM下降超过5万的女性", "aum_30d_ago - aum > 50000 and gender = 'F'"),
    ("女性占比", "gender = 'F'"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), SAID, ids=[t for t, _ in SAID])
def test_segments(say: Say, catalog: Catalog, text: str, expected: str) -> None:
    step = say(text)
    assert [call.tool for call in step.calls] == ["query_segment"], step
    assert parse(step.calls[0].args["segment"], catalog) == parse(expected, catalog)
    assert "by" not in step.calls[0].args


FIGURES = [
    ("total deposits", {"metric": "deposit_total"}),
    ("what are total deposits", {"metric": "deposit_total"}),
    ("存款总额多少", {"metric": "deposit_total"}),
    ("MAU掉在哪", {"metric": "mau", "by": "branch_id"}),
    ("why is MAU falling", {"metric": "mau"}),
    ("代发客户占比多少", {"metric": "payroll_share"}),
    ("why did AUM drop last month", {"metric": "aum_total", "period": "last_month"}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "args"), FIGURES, ids=[t for t, _ in FIGURES])
def test_figures(say: Say, text: str, args: dict[str, str]) -> None:
    assert [(call.tool, call.args) for call in say(text).calls] == [("query_metric", args)]


def test_the_meaning_of_a_word_is_still_described(say: Say) -> None:
    assert [c.tool for c in say("what is MAU").calls] == ["describe_data"]
    assert [c.tool for c in say("存款总额口径是什么").calls] == ["describe_data"]


def test_an_earlier_figure_the_bank_does_not_have_is_not_replaced_silently(say: Say) -> None:
    step = say("AUM比60天前下降30%")
    assert not step.calls
    assert step.question is not None
    assert "30天前AUM" in step.question.text


@pytest.mark.parametrize("text", ["customers whose deposits fell 20%", "存款下降20%的客户"])
def test_what_has_no_earlier_figure_is_told(say: Say, text: str) -> None:
    step = say(text)
    assert not step.calls
    assert step.question is not None
    assert "aum / aum_30d_ago <= 0.8" in step.question.options[0]


def test_leaving_out_a_state_keeps_the_focus(say: Say, catalog: Catalog) -> None:
    (call,) = say("剔掉没激活信用卡的", segment="is_payroll").calls
    assert parse(call.args["segment"], catalog) == parse(f"is_payroll and not ({NOT_ACTIVATED})", catalog)


@pytest.mark.parametrize("text", ["同意营销的客户", "customers who consented to marketing"])
def test_consent_is_a_condition_and_no_approval(say: Say, text: str) -> None:
    step = say(text)
    assert not step.calls
    assert step.question is not None
    assert any("refused_marketing" in option for option in step.question.options)


@pytest.mark.parametrize("text", ["其中女性占比多少", "of those, what share are women"])
def test_a_share_of_those_in_focus_is_told_by_groups_of_the_focus(say: Say, text: str) -> None:
    # The share that query_segment gives is one of all customers: here it would be the wrong one.
    (call,) = say(text, segment="is_payroll").calls
    assert call.args == {"segment": "is_payroll", "by": "gender"}
