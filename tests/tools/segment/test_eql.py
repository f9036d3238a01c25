"""EQL by example: the design's expressions, both languages, amounts, errors that tell the place and the nearest names."""

import pytest

from tools.segment import ExpressionError, Segments, parse, to_text
from tools.segment.words import describe
from warehouse.catalog import Catalog

DESIGN = [
    "is_payroll and age < 35 and aum between 5万 and 20万 and not has_credit_card",
    "count(view_product where kind = 'wealth', last 7d) >= 2 and not did(purchase where kind = 'wealth', last 30d)",
    "holds(wealth, amount > 100000, matures within 7d)",
    "sequence(click_buy then not purchase within 1h, last 3d)",
    "aum / aum_30d_ago < 0.7",
    "sample(5%, 'wave-a')",
    "top(1000 by aum)",
]


@pytest.mark.parametrize("text", DESIGN)
def test_design_examples_parse_and_run(segments: Segments, eql_catalog: Catalog, text: str) -> None:
    found = segments.count(parse(text, eql_catalog))
    assert 0 <= found.count <= found.total == 70


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("代发客户 且 年龄＜３５", "is_payroll and age < 35"),
        ("客户等级 == '私行' 或 tier >= wealth", "tier = 'private' or tier >= 'wealth'"),
        ("AUM 介于 5万 和 20w", "aum between 50000 and 200000"),
        ("aum >= 1.5亿", "aum >= 150000000"),
        ("aum > 3k and aum < 2m", "aum > 3000 and aum < 2000000"),
        ("aum / aum_30d_ago < 70%", "aum / aum_30d_ago < 0.7"),
        ("城市 属于 （‘深圳’、“长沙”）", "city in ('深圳', '长沙')"),
        ("做过(购买 其中 产品类型 = '理财', 最近 30天)", "did(purchase where kind = 'wealth', last 30d)"),
        ("非 (risk_level is unknown)", "not (risk_level is unknown)"),
        ("睡眠户", "days_since_login >= 60"),
        ("city not in (深圳)", "not (city in ('深圳'))"),
        ("持有(理财)", "holds(wealth)"),
        ("did(login, 从 2026-10-01 到 2026-10-31)", "did(login, from 2026-10-01 to 2026-10-31)"),
        ("count(login, in 上月) between 2 and 4", "count(login, in last_month) between 2 and 4"),
        ("30天前AUM > 1", "aum_30d_ago > 1"),
        (r"branch_id = 'it\'s'", r"branch_id = 'it\'s'"),
    ],
)
def test_words_of_both_languages_become_canonical(eql_catalog: Catalog, text: str, canonical: str) -> None:
    tree = parse(text, eql_catalog)
    assert to_text(tree) == canonical
    assert parse(canonical, eql_catalog) == tree


@pytest.mark.parametrize(
    ("text", "token", "nearest"),
    [
        ("is_payroll and agee < 5", "agee", "age"),
        ("tier = 'privat'", "'privat'", "private"),
        ("did(purchas, last 3d)", "purchas", "purchase"),
        ("did(purchase where knd = 'wealth')", "knd", "kind"),
        ("holds(welth)", "welth", "wealth"),
    ],
)
def test_unknown_names_offer_the_nearest(eql_catalog: Catalog, text: str, token: str, nearest: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text, eql_catalog)
    assert caught.value.details["token"] == token
    assert caught.value.details["position"] == text.index(token)
    assert nearest in caught.value.details["nearest"]
    assert f"»{token}«" in caught.value.text("zh")
    assert nearest in caught.value.text("zh")


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("age <", 5), ("(is_payroll", 11), ("is_payroll and and age < 3", 15), ("age < 'x'", 6), ("aum", 0), ("1 < 2", 0),
        ("city < '深圳'", 5), ("aum between 1", 13), ("top(0 by aum)", 4), ("top(5 by city)", 9), ("sample(0%, 'k')", 7),
        ("recency(login) = 3", 0), ("did(login where did(login))", 20), ("is_payroll # staff", 11), ("city = 'x", 7),
        ("did(login, last 2w)", 16), ("did(login, in next_month)", 14), ("age + 'x' > 3", 6), ("count(login)", 0), ("", 0),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(eql_catalog: Catalog, text: str, position: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text, eql_catalog)
    assert caught.value.details["position"] == position
    assert caught.value.details["message_zh"]


def test_same_word_for_two_things_is_asked_about(eql_catalog: Catalog) -> None:
    first, second, *rest = eql_catalog.attributes
    twin = second.model_copy(update={"words": first.words})
    doubled = Catalog(attributes=[first, twin, *rest])
    with pytest.raises(ExpressionError, match=f"{first.name} or {twin.name}"):
        parse(f"{first.words.zh} is unknown", doubled)


def test_description_says_everything(eql_catalog: Catalog) -> None:
    tree = parse(
        "is_payroll and aum between 5万 and 20万 and not did(purchase where kind = 'wealth', last 30d)", eql_catalog
    )
    assert (
        describe(tree, eql_catalog, "zh")
        == "代发客户，且AUM在5万元到20万元之间（含两端），且最近30天没有过购买（产品类型为理财）"
    )
    assert describe(tree, eql_catalog, "en") == (
        "payroll, and AUM from 50,000 CNY to 200,000 CNY (both included), and no purchase (product kind is wealth) in the last 30 days"
    )
