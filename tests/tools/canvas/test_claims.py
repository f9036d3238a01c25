"""Promises no message may make: found through every trick, and not found where there is none."""

import pytest

from tools.canvas.claims import forbidden
from tools.canvas.rates import annual_rate_shown, number_of, periodic_rate, printed_returns


@pytest.mark.parametrize(
    "text",
    [
        "保 本 高息", "保，本，收，益", "本产品保.本", "保…本", "保\u200b本", "稳★赚", "零 风 险", "０风险", "無風險理財", "穩賺不賠",
        "這款產品保證本金", "本金百分百保障", "预期收益率三个点", "收益旱涝保收", "谨防诈骗。本产品稳赚不赔", "我们承诺收益", "收益最高",
        "存5万元送米油", "存款有礼", "存入5万元，即赠50元话费", "新客存入满1万可领红包", "錯過再沒有", "最后一次机会",
        "Guaranteed high returns", "g u a r a n t e e d returns", "r-i-s-k-f-r-e-e", "a risk-free product",
        "GUARANTEED INCOME every month", "ＧＵＡＲＡＮＴＥＥＤ ｒｅｔｕｒｎｓ", "your principal is fully guaranteed",
        "gift for your deposit", "deposit 50,000 and get a gift", "We are no. 1", "an expected yield", "last chance",
    ],
)  # fmt: skip
def test_a_promise_is_found_however_it_is_written(text: str) -> None:
    assert forbidden(text)


@pytest.mark.parametrize(
    "text",
    [
        "非保本浮动收益", "本产品不保本，投资须谨慎", "理财有风险", "理财不等于零风险", "员工不承诺保本保收益", "不得承诺收益",
        "您的贷款需提供担保，本行将尽快审核", "投保本产品前请阅读条款", "您参保。本月起", "请确保息费按时归还",
        "您还没有风险评估记录，请先完成测评", "无风险测评结果的客户请先测评", "谨防以“稳赚不赔”为诱饵的骗局", "第一名单已确认",
        "您的存款已到账。赠送的积分将于月底失效", "您的定存到期提醒已发送", "保存后送审", "库存有限，赠完即止", "生日礼券已放进您的卡券包",
        "Returns are not guaranteed.", "not a risk-free investment", "Beware of guaranteed returns", "No investment is without risk",
        "We cannot promise principal guaranteed products", "Your deposit arrived. A gift card is for sale.",
    ],
)  # fmt: skip
def test_warnings_negations_and_longer_words_are_no_promises(text: str) -> None:
    assert forbidden(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "年化收益3.5%", "业绩比较基准 3.10%", "年化百分之三点五", "收益率三个点", "收益约3 . 5 ％", "年化３．５％", "收 益 率 3.5%",
        "业绩比较基准3.15", "七日年化2.1", "年化三点二", "a yield of 5%", "three point five percent annual return",
        "returns of three percent",
    ],
)  # fmt: skip
def test_a_rate_reads_as_a_return_in_digits_and_words(text: str) -> None:
    assert printed_returns(text, None)


@pytest.mark.parametrize(
    "text",
    ["咖啡立减50%", "收益分配已到账5000.5元", "申购费率1折", "Come back for 20% off coffee", "本期收益已到账 12.30 元",
     "第3.5期产品", "十个点亮的灯"],
)  # fmt: skip
def test_other_numbers_are_no_returns(text: str) -> None:
    assert printed_returns(text, 0.031) == []


@pytest.mark.parametrize("text", ["现在 3.1 %", "百分之三点一", "now 3.1 %", "three point one percent"])
def test_the_benchmark_itself_is_a_return_without_any_word_for_it(text: str) -> None:
    assert printed_returns(text, 0.031)
    assert printed_returns(text, 3.1)
    assert not printed_returns(text, 0.042)


def test_numbers_in_words_and_rates_of_loans() -> None:
    assert [number_of(t) for t in ("三点二五", "十二", "百二十", "three point two five", "3 . 2")] == [
        3.25,
        12,
        120,
        3.25,
        3.2,
    ]
    assert annual_rate_shown("年化利率（单利）4.2%起")
    assert annual_rate_shown("an annualised rate of 4.2 %")
    assert not annual_rate_shown("月息0.35%")
    assert [bool(periodic_rate(t)) for t in ("日息万三", "免息三期", "每天仅需利息两元", "日常消费")] == [
        True,
        True,
        True,
        False,
    ]
