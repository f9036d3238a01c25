"""No word is dropped: a content word that nobody knows, put anywhere, never leaves the calls as they were."""

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from agent.models.offline import OfflineModel
from tests.support.thorough import examples
from warehouse.catalog import Catalog
from warehouse.clock import BANK_ZONE

from .conftest import CAMPAIGNS, CATALOG, EXAMPLES, turn

REQUESTS = [
    "代发客户里35岁以下没有信用卡的有多少",
    "how many payroll customers under 35 have no credit card",
    "AUM 5万到20万的女性",
    "近30天买过理财的但近7天没登录过",
    "viewed wealth products at least twice in the last 7 days",
    "其中没有信用卡的呢",
    "only the women",
    "按城市分布",
    "上个月MAU多少",
    "total AUM by branch",
    "给这批客户做个活动：先发push，3天后没买的发短信，再过3天客户经理打电话，留10%对照",
    "D1企微 D5push D30短信 D60电话",
    "第二波换企微",
    "hold-out 15%",
    "明天上午10点给这批人发短信能发多少",
    "how many can we text tomorrow at 9am",
    "提交审批",
    "批了吗",
    "撤回刚才那步",
    "试跑一下",
    "11月首购那波咋样",
    "did the September payday campaign work? by age",
    "比一下9月发薪日活动和11月首购",
    "不对 是5万不是50万",
]
NONSENSE = ["blorp", "zquxid", "泊尔", "靐龘"]
FOCUS = "is_payroll and aum >= 500000"


@pytest.fixture(scope="module")
def reader() -> OfflineModel:
    return OfflineModel(Catalog.load(CATALOG), EXAMPLES, lambda: CAMPAIGNS, BANK_ZONE)


def places(text: str) -> list[int]:
    """Where a word can stand: not inside an English word or a number."""
    return [
        p
        for p in range(len(text) + 1)
        if not re.search(r"[A-Za-z0-9.]$", text[:p]) or not re.match(r"[A-Za-z0-9.%]", text[p:])
    ]


@pytest.mark.property
@settings(max_examples=examples(150), deadline=None)
@given(request=st.sampled_from(REQUESTS), nonsense=st.sampled_from(NONSENSE), share=st.floats(0, 1))
@example(request=REQUESTS[0], nonsense="泊尔", share=0.0)
def test_an_unknown_word_is_never_dropped(reader: OfflineModel, request: str, nonsense: str, share: float) -> None:
    before = reader.next(turn(request, segment=FOCUS, canvas=True))
    assert before.calls, request
    spots = places(request)
    spot = spots[min(int(share * len(spots)), len(spots) - 1)]
    spoiled = f"{request[:spot]} {nonsense} {request[spot:]}"
    after = reader.next(turn(spoiled, segment=FOCUS, canvas=True))
    assert after.calls != before.calls, spoiled
    if after.calls:
        # Free text may go on into a query or a topic, but only as it was said.
        assert any(nonsense in str(call.args) for call in after.calls), (spoiled, after.calls)
    else:
        assert after.question or after.remark


@pytest.mark.property
@settings(max_examples=examples(60), deadline=None)
@given(text=st.text(alphabet="代发客户AUM万以上没有买过理财近30天的和或按城市 abcdefg,.?0123456789", max_size=30))
def test_any_text_gets_an_answer_and_the_same_one_twice(reader: OfflineModel, text: str) -> None:
    once, twice = reader.next(turn(text)), reader.next(turn(text))
    assert (once.calls, once.question, once.remark) == (twice.calls, twice.question, twice.remark)
    assert once.calls or once.question or once.remark
