"""Who is meant: requests as people of the trade say them, against expressions written by hand from their meaning."""

import pytest

from tools.segment import parse
from warehouse.catalog import Catalog

from .conftest import Say

FRESH = [
    ("代发客户里35岁以下没有信用卡的有多少", "is_payroll and age <= 35 and not has_credit_card"),
    ("how many payroll customers under 35 have no credit card", "is_payroll and age < 35 and not has_credit_card"),
    ("捞一下AUM 5万到20万的女性", "aum between 50000 and 200000 and gender = 'F'"),
    ("AUM 5-20万的女性", "aum between 50000 and 200000 and gender = 'F'"),
    ("AUM20个+的客户", "aum >= 200000"),
    ("ＡＵＭ２０万以上", "aum >= 200000"),
    ("AUM 5w以上", "aum >= 50000"),
    ("AUM超过三十万的", "aum > 300000"),
    ("AUM不到一百万的男性", "aum < 1000000 and gender = 'M'"),
    ("assets between 5 and 20 thousand", "aum between 5000 and 20000"),
    ("30-45岁", "age between 30 and 45"),
    ("深圳的私行客户", "city = '深圳' and tier = 'private'"),
    ("深圳或者广州的代发客户", "city in ('深圳', '广州') and is_payroll"),
    ("从未风评过的", "risk_level is unknown"),
    (
        "近30天买过理财的但近7天没登录过",
        "did(purchase where kind = 'wealth', last 30d) and not did(login, last 7d)",
    ),
    ("60天没登录的客户", "days_since_login >= 60"),
    ("近60天没登录的客户", "not did(login, last 60d)"),
    (
        "viewed wealth products at least twice in the last 7 days and didn't buy",
        "count(view_product where kind = 'wealth', last 7d) >= 2 and not did(purchase where kind = 'wealth', last 7d)",
    ),
    ("到期还有7天内的", "next_maturity_days <= 7"),
    ("7天内到期的理财", "holds(wealth, matures within 7d)"),
    ("deposits maturing within 10 days", "holds(deposit, matures within 10d)"),
    ("理财余额大于AUM的一半", "wealth_balance > aum * 0.5"),
    ("wealth balance over half of AUM", "wealth_balance > aum * 0.5"),
    ("理财余额占AUM超过30%", "wealth_balance / aum > 0.3"),
    ("一共多少客户", "everyone"),
    ("how many customers do we have", "everyone"),
    ("没有信用卡和贷款的", "not has_credit_card and not (loan_balance > 0)"),
    ("neither credit card nor loan", "not has_credit_card and not (loan_balance > 0)"),
    ("women under 30 or men over 60", "(gender = 'F' and age < 30) or (gender = 'M' and age > 60)"),
    ("AUM over 50k and under 200k", "aum > 50000 and aum < 200000"),
    ("AUM最高的1000个客户", "top(1000 by aum)"),
    ("R3以上的客户", "risk_level >= 'R3'"),
    ("affluent or above", "tier >= 'affluent'"),
    ("除了私行的代发客户", "not (tier = 'private') and is_payroll"),
    ("代发客户但不要本行员工", "is_payroll and not is_staff"),
    ("payroll customers excluding staff", "is_payroll and not is_staff"),
    ("买过5万以上理财的", "did(purchase where kind = 'wealth' and amount >= 50000)"),
    ("上个月买过基金的", "did(purchase where kind = 'fund', in last_month)"),
    ("bought a fund last month", "did(purchase where kind = 'fund', in last_month)"),
    ("10月1号到10月7号登录过的", "did(login, from 2026-10-01 to 2026-10-07)"),
    ("bought wealth since October", "did(purchase where kind = 'wealth', from 2026-10-01 to 2026-11-18)"),
    ("点了购买但1小时内没买的", "sequence(click_buy then not purchase within 1h)"),
    ("AUM大于20w的payroll", "aum > 200000 and is_payroll"),
    ("开户不到100天的", "account_age_days < 100"),
    ("未来7天发薪的代发客户", "days_to_payday <= 7 and is_payroll"),
    ("睡眠户有多少", "days_since_login >= 60"),
    ("bought funds but not wealth products",
     "did(purchase where kind = 'fund') and not did(purchase where kind = 'wealth')"),
    ("最近7天浏览过理财频道的", "did(view_page where page = 'wealth_channel', last 7d)"),
    ("信用卡或贷款都没有的", "not has_credit_card and not (loan_balance > 0)"),
    ("balanced customers", "risk_level = 'R3'"),
    ("近30天买过理财或者基金的", "did(purchase where kind in ('wealth', 'fund'), last 30d)"),
    ("近30天买过理财和基金的",
     "did(purchase where kind = 'wealth', last 30d) and did(purchase where kind = 'fund', last 30d)"),
    ("没买过理财和基金的", "not did(purchase where kind in ('wealth', 'fund'))"),
    ("AUM介于5万和20万之间", "aum between 50000 and 200000"),
    ("anyone with 3+ logins in the last week", "count(login, last 7d) >= 3"),
    ("近30天开户的", "account_age_days <= 30"),
    ("深圳分行的代发客户", "branch_id = '深圳分行' and is_payroll"),
    ("private banking clients not managed by a relationship manager", "tier = 'private' and not has_manager"),
    ("近30天累计转账超过5万的", "sum(transfer.amount, last 30d) > 50000"),
    ("customers who complained this year", "did(complaint, in this_year)"),
    ("is_payroll and aum >= 500000", "is_payroll and aum >= 500000"),
    ("`aum >= 200000`的代发客户有多少", "aum >= 200000 and is_payroll"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), FRESH, ids=[t for t, _ in FRESH])
def test_fresh_requests(say: Say, catalog: Catalog, text: str, expected: str) -> None:
    step = say(text)
    assert [call.tool for call in step.calls] == ["query_segment"], step
    assert parse(step.calls[0].args["segment"], catalog) == parse(expected, catalog)
    assert step.question is None


FOCUS = "is_payroll and aum >= 500000"
FOLLOW_UPS = [
    ("其中没有信用卡的呢", f"{FOCUS} and not has_credit_card"),
    ("only the women", f"{FOCUS} and gender = 'F'"),
    ("of those, how many have a credit card", f"{FOCUS} and has_credit_card"),
    ("剔掉私行的", f"{FOCUS} and not (tier = 'private')"),
    ("再加上近30天登录过的", f"{FOCUS} and did(login, last 30d)"),
    ("不对 是5万不是50万", "is_payroll and aum >= 50000"),
    ("不是50万 是5万", "is_payroll and aum >= 50000"),
    ("no, I meant 200k", "is_payroll and aum >= 200000"),
    ("把50万改成20万", "is_payroll and aum >= 200000"),
    ("再看看30岁以下的", f"{FOCUS} and age <= 30"),
    ("and in Shenzhen?", f"{FOCUS} and city = '深圳'"),
    ("改成100万", "is_payroll and aum >= 1000000"),
    ("不对，AUM 20万以上", "is_payroll and aum >= 200000"),
    # Without a connecting word a request starts anew, whatever is in focus.
    ("深圳的女性", "city = '深圳' and gender = 'F'"),
]


@pytest.mark.parametrize(("text", "expected"), FOLLOW_UPS, ids=[t for t, _ in FOLLOW_UPS])
def test_follow_ups(say: Say, catalog: Catalog, text: str, expected: str) -> None:
    step = say(text, segment=FOCUS)
    assert [call.tool for call in step.calls] == ["query_segment"], step
    assert parse(step.calls[0].args["segment"], catalog) == parse(expected, catalog)


BREAKDOWNS = [
    ("按城市分布", "city"), ("by branch", "branch_id"), ("break down by tier", "tier"), ("年龄分布", "age"), ("按客户等级拆一下", "tier"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "by"), BREAKDOWNS, ids=[t for t, _ in BREAKDOWNS])
def test_breakdowns_of_the_focus_and_of_everyone(say: Say, catalog: Catalog, text: str, by: str) -> None:
    focused, fresh = say(text, segment=FOCUS).calls[0].args, say(text).calls[0].args
    assert (focused["by"], fresh["by"]) == (by, by)
    assert parse(focused["segment"], catalog) == parse(FOCUS, catalog)
    assert fresh["segment"] == "everyone"


def test_breakdown_of_a_new_segment(say: Say) -> None:
    step = say("代发客户按城市分布")
    assert step.calls[0].args == {"segment": "is_payroll", "by": "city"}


ASKED = [
    ("优质客户有多少", "优质客户"),
    ("how many active customers", "active"),
    ("大额客户", "大额"),
    ("已婚的女性有多少", "婚姻状况"),
    ("customers with a good credit score", "credit score"),
    ("20个+的代发客户", "20个+"),
    ("AUM 5万的客户", "5万"),
    ("35岁左右的客户", "35岁左右"),
    ("代发的女性或者有信用卡的", "或"),
    ("AUM大于5万的泊尔客户", "泊尔"),
    ("customers whose balance dropped", "balance"),
    ("payroll customers with blorp", "blorp"),
]


@pytest.mark.parametrize(("text", "named"), ASKED, ids=[t for t, _ in ASKED])
def test_what_is_vague_missing_or_unknown_is_asked(say: Say, text: str, named: str) -> None:
    step = say(text)
    assert not step.calls
    assert step.question is not None
    assert named in step.question.text


@pytest.mark.parametrize("text", ["优质客户有多少", "how many active customers", "20个+的代发客户", "已婚的女性有多少",
                                  "代发的女性或者有信用卡的", "income over 10000"])  # fmt: skip
def test_clicked_options_are_understood(say: Say, text: str) -> None:
    step = say(text)
    assert step.question is not None
    assert step.question.options
    for option in step.question.options:
        answered = say(option)
        assert [call.tool for call in answered.calls] == ["query_segment"], (option, answered)


METRICS = [
    ("上个月MAU多少", {"metric": "mau", "period": "last_month"}),
    ("total AUM by branch", {"metric": "aum_total", "by": "branch_id"}),
    ("代发客户的户均AUM", {"metric": "aum_mean", "segment": "is_payroll"}),
]


@pytest.mark.parametrize(("text", "args"), METRICS, ids=[t for t, _ in METRICS])
def test_metrics(say: Say, text: str, args: dict[str, str]) -> None:
    step = say(text)
    assert [(call.tool, call.args) for call in step.calls] == [("query_metric", args)]
