"""A catalog of thousands of tags, named as a bank's tag factory names them: subject, product, window, kind."""

from itertools import islice, product

from warehouse.catalog import Attribute, Catalog, Kind, Value, Words

SUBJECTS = (("payroll", "代发", "payroll"), ("mortgage", "房贷", "mortgage"), ("merchant", "商户", "merchant"), ("senior", "老年", "senior"),
            ("young", "青年", "young adult"), ("owner", "车主", "car owner"), ("student", "学生", "student"), ("farmer", "涉农", "farming"),
            ("dormant", "睡眠", "dormant"), ("newcomer", "新户", "newcomer"))  # fmt: skip
THINGS = (("fund", "基金", "fund"), ("gold", "贵金属", "gold"), ("deposit", "定期", "time deposit"), ("card", "信用卡", "credit card"),
          ("insurance", "保险", "insurance"), ("transfer", "转账", "transfer"), ("bill", "缴费", "bill payment"), ("travel", "出行", "travel"),
          ("grocery", "商超", "grocery"), ("loan", "消费贷", "consumer loan"))  # fmt: skip
WINDOWS = ((7, "近7天", "last 7 days"), (30, "近30天", "last 30 days"), (90, "近90天", "last 90 days"), (180, "近半年", "half a year"),
           (365, "近一年", "a year"))  # fmt: skip
FIGURES = (("count", "次数", "count", Kind.integer), ("amount", "金额", "amount", Kind.money), ("average", "笔均", "average", Kind.money),
           ("active", "活跃", "active", Kind.bool), ("preference", "偏好", "preference", Kind.category), ("score", "评分", "score", Kind.number),
           ("growth", "环比", "growth", Kind.number), ("rank", "排名", "rank", Kind.integer), ("flag", "标识", "flag", Kind.bool),
           ("level", "等级", "level", Kind.category))  # fmt: skip
LEVELS = [
    Value(value=v, zh=zh, en=en)
    for v, zh, en in (("high", "高", "high"), ("mid", "中", "medium"), ("low", "低", "low"))
]


def with_many_tags(catalog: Catalog, count: int = 5_000) -> Catalog:
    """The catalog with so many further attributes (at most 5,000 different ones)."""
    made = [
        Attribute(
            name=f"{s}_{t}_{figure}_{days}d", kind=kind, words=Words(zh=f"{s_zh}{t_zh}{w_zh}{f_zh}", en=f"{s_en} {t_en} {f_en} {w_en}"),
            values=[v.model_copy(update={"zh": f"{t_zh}{f_zh}{v.zh}", "en": f"{t_en} {f_en} {v.en}"}) for v in LEVELS] if kind is Kind.category else [],
            owner="tag factory", definition_zh=f"{s_zh}客户{w_zh}的{t_zh}{f_zh}", definition_en=f"{t_en} {f_en} of {s_en} customers, {w_en}",
        )
        for (s, s_zh, s_en), (t, t_zh, t_en), (days, w_zh, w_en), (figure, f_zh, f_en, kind) in islice(
            product(SUBJECTS, THINGS, WINDOWS, FIGURES), count
        )
    ]  # fmt: skip
    return catalog.model_copy(update={"attributes": [*catalog.attributes, *made]})
