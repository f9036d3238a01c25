"""Questions: every option is a whole request that is understood, and an answer continues what was interrupted."""

from typing import Any

import pytest

from agent.models.base import Exchange, Step
from agent.models.offline import OfflineModel

from .conftest import turn

UNCLEAR = [
    "优质客户有多少", "how many active customers", "大额客户", "已婚的女性有多少", "customers with a good credit score", "20个+的代发客户", "20个+",
    "AUM 5万的客户", "35岁左右的客户", "代发的女性或者有信用卡的", "AUM大于5万的泊尔客户", "customers whose balance dropped", "payroll customers with blorp",
    "income over 10000", "同意营销的客户", "customers who consented to marketing", "优质的大额客户", "rich customers with kids", "三月的活动效果怎么样",
    "AUM比60天前下降30%", "年轻的高净值客户", "潜力客户按城市分布", "先发push，7天后发短信，14天后打电话", "按城市和等级分布", "学历是本科的代发客户",
    "customers with a mortgage", "信用评分700以上", "流失客户有多少", "young women", "small balance customers in Shenzhen", "活跃的代发客户", "AUM about 50k",
    "明天发短信能发多少", "how many can we reach", "代发客户按城市和等级分布", "how many investors are loyal", "高频交易的女性", "middle-aged payroll customers",
    "customers with iPhones", "炒股的代发客户", "有房的客户",
]  # fmt: skip


@pytest.mark.parametrize("text", UNCLEAR)
def test_every_option_is_understood(model: OfflineModel, text: str) -> None:
    step = model.next(turn(text, segment="is_payroll"))
    assert not step.calls
    assert step.question is not None
    for option in step.question.options:
        assert model.next(turn(option, segment="is_payroll")).calls, option
        assert option.count("`") % 2 == 0


def test_most_questions_offer_options(model: OfflineModel) -> None:
    asked = [model.next(turn(text, segment="is_payroll")).question for text in UNCLEAR]
    offered = [question for question in asked if question is not None and question.options]
    assert len(offered) >= 0.9 * len(UNCLEAR)


def answered(model: OfflineModel, text: str, answer: str, **focus: Any) -> Step:
    first = model.next(turn(text, **focus))
    assert first.question is not None, first
    return model.next(turn(answer, history=[Exchange(text=text, question=first.question)], **focus))


ANSWERS: list[tuple[str, str, str, dict[str, Any]]] = [
    ("20个+的代发客户", "AUM", "query_segment", {"segment": "aum >= 200000 and is_payroll"}),
    ("20个+的代发客户", "存款", "query_segment", {"segment": "deposit_balance >= 200000 and is_payroll"}),
    ("20个+的代发客户", "第二个", "query_segment", {"segment": "aum >= 200000 and is_payroll"}),
    ("AUM 5万的客户", "以上", "query_segment", {"segment": "aum >= 50000"}),
    ("AUM 5万的客户", "the last one", "query_segment", {"segment": "aum <= 50000"}),
    ("35岁左右的女性", "30到40岁", "query_segment", {"segment": "age between 30 and 40 and gender = 'F'"}),
    ("how many active customers", "the second one", "query_segment", {"segment": "count(login, last 30d) >= 4"}),
    ("how many active customers", "option 3", "query_segment", {"segment": "did(login, last 7d)"}),
    # A whole new request is no answer.
    ("20个+的代发客户", "女性客户有多少", "query_segment", {"segment": "gender = 'F'"}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "answer", "tool", "args"), ANSWERS, ids=[f"{t} | {a}" for t, a, _, _ in ANSWERS])
def test_answers(model: OfflineModel, text: str, answer: str, tool: str, args: dict[str, Any]) -> None:
    assert [(c.tool, c.args) for c in answered(model, text, answer).calls] == [(tool, args)]


def test_an_hour_and_an_audience_are_answers_too(model: OfflineModel) -> None:
    (throttle,) = answered(model, "明天发短信能发多少", "下午3点", segment="is_payroll").calls
    assert throttle.args["at"] == "2026-11-19T15:00+08:00"
    (draft,) = answered(model, "先发push，3天后发短信", "代发客户").calls
    assert draft.args["segment"] == "is_payroll"


def test_a_campaign_is_named_in_answer(model: OfflineModel) -> None:
    (call,) = answered(model, "三月的活动效果怎么样", "到期承接").calls
    assert (call.tool, call.args["campaign"]) == ("analyze_campaign", "c_maturity")
