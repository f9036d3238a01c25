"""The canonical catalog: complete, unambiguous, and true to the schema."""

from collections import defaultdict
from collections.abc import Iterator

import pytest

from tools.segment import parse
from warehouse import demo_bank, schema
from warehouse.catalog import Catalog, Exists, Kind, Property, canonical_catalog, fold
from warehouse.errors import AdminFixes, NotFound

LANGUAGES = ("zh", "en")
NO_PREDICATE = {"customer_id", "birth_date"}
"""Columns of `customers` that are no attribute: the key, and a date that would name a person (`age` stands for it)."""

SHARED_WORDS = {
    # A holding is an entity (its rows) and a condition (having any); both readings select the same customers.
    ("zh", "持仓"): {"has_holding", "holding"},
    ("zh", "持有产品"): {"has_holding", "holding"},
    ("en", "holdings"): {"has_holding", "holding"},
}

KINDS = {
    "DATE": {Kind.date}, "TIMESTAMP": {Kind.timestamp}, "BOOLEAN": {Kind.bool}, schema.MONEY: {Kind.money},
    "VARCHAR": {Kind.category, Kind.text}, "INTEGER": {Kind.integer, Kind.category}, "TINYINT": {Kind.integer},
    "BIGINT": {Kind.integer}, "DOUBLE": {Kind.number},
}  # fmt: skip


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return canonical_catalog()


def named_words(catalog: Catalog, language: str) -> dict[str, set[str]]:
    words: dict[str, set[str]] = defaultdict(set)
    for group in (catalog.attributes, catalog.events, catalog.entities, catalog.metrics, catalog.terms):
        for item in group:
            for word in item.words.all(language):
                words[fold(word)].add(item.name)
    for attribute in catalog.attributes:
        for value in attribute.values:
            for word in value.all(language):
                words[fold(word)].add(f"{attribute.name}={value.value}")
    for missing in catalog.missing:
        for word in missing.words.all(language):
            words[fold(word)].add(f"missing {missing.words.en}")
    return words


def properties(catalog: Catalog) -> Iterator[tuple[str, Property]]:
    for event in catalog.events:
        yield from (("events", p) for p in event.properties)
    for entity in catalog.entities:
        yield from ((entity.table, p) for p in entity.properties)


def test_every_column_of_customers_is_covered(catalog: Catalog) -> None:
    columns = {c.name for c in schema.BY_NAME["customers"].columns}
    direct = {a.name for a in catalog.attributes if a.derived is None}
    assert direct == columns - NO_PREDICATE


def test_kinds_and_values_agree_with_the_schema(catalog: Catalog) -> None:
    for attribute in catalog.attributes:
        column = schema.BY_NAME["customers"].column(attribute.name)
        if attribute.derived is not None or column is None:
            continue
        assert attribute.kind in KINDS[column.type], attribute.name
        if column.allowed:
            assert [v.value for v in attribute.values] == list(column.allowed), attribute.name
        assert attribute.kind != Kind.category or attribute.values or attribute.reference, attribute.name


def test_derivations_rest_on_existing_columns(catalog: Catalog) -> None:
    for attribute in catalog.attributes:
        derived = attribute.derived
        if derived is None or not hasattr(derived, "column"):
            continue
        table = derived.table if isinstance(derived, Exists) else "customers"
        column = schema.BY_NAME[table].column(derived.column)
        assert column is not None, attribute.name
        if isinstance(derived, Exists) and derived.equals is not None:
            assert derived.equals in column.allowed, attribute.name


def test_all_events_and_their_properties_have_a_source(catalog: Catalog) -> None:
    assert [e.name for e in catalog.events] == list(schema.EVENTS)
    for table, prop in properties(catalog):
        head, _, tail = prop.source.partition(".")
        if not tail:
            assert schema.BY_NAME[table].column(head) is not None, prop
        elif head == "properties":
            assert table == "events"
        else:
            assert schema.BY_NAME[head].column(tail) is not None, prop
        column = schema.BY_NAME[head].column(tail) if tail and head != "properties" else None
        if column and column.allowed:
            assert {v.value for v in prop.values} <= set(column.allowed)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("catalog", [canonical_catalog(), demo_bank.catalog()], ids=["canonical", "demo bank"])
def test_no_word_names_two_things(catalog: Catalog, language: str) -> None:
    clashes = {w: names for w, names in named_words(catalog, language).items() if len(names) > 1}
    expected = {word: names for (lang, word), names in SHARED_WORDS.items() if lang == language}
    assert clashes == expected


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_within_an_entry_are_not_repeated(catalog: Catalog, language: str) -> None:
    for group in (catalog.attributes, catalog.events, catalog.metrics, catalog.terms):
        for item in group:
            words = [fold(w) for w in item.words.all(language)]
            assert len(words) == len(set(words)), item.name


def test_everything_has_both_languages_and_a_definition(catalog: Catalog) -> None:
    for attribute in catalog.attributes:
        assert attribute.words.zh
        assert attribute.words.en
        assert attribute.definition_zh, attribute.name
        assert attribute.definition_en, attribute.name
        assert attribute.owner, attribute.name
        counted = attribute.kind in (Kind.money, Kind.number, Kind.integer)
        assert not counted or attribute.reference or (attribute.unit_zh and attribute.unit_en), attribute.name
    for metric in catalog.metrics:
        assert metric.definition_zh, metric.name
        assert metric.definition_en, metric.name
    for event in catalog.events:
        assert event.verbs_zh, event.name
        assert event.verbs_en, event.name


def test_metrics_name_what_exists(catalog: Catalog) -> None:
    for metric in catalog.metrics:
        if metric.kind in ("sum", "mean"):
            assert catalog.attribute(metric.attribute).kind is Kind.money
        if metric.kind.startswith("event_"):
            assert catalog.event(metric.event)
        if metric.kind == "event_amount":
            assert any(p.source == "amount" for p in catalog.event(metric.event).properties)


def test_a_term_has_a_meaning_or_options_never_both(catalog: Catalog) -> None:
    for term in catalog.terms:
        assert bool(term.expression) != (len(term.options) >= 2), term.name


def test_proxies_of_missing_things_exist(catalog: Catalog) -> None:
    known = {*catalog.attribute_index, *catalog.event_index, *catalog.metric_index}
    for missing in catalog.missing:
        assert set(missing.proxies) <= known, missing.words.en


@pytest.mark.parametrize(
    ("language", "word", "name"),
    [
        ("zh", "代发", "is_payroll"), ("en", "payroll", "is_payroll"), ("zh", "岁", "age"), ("en", "years old", "age"),
        ("zh", "理财", "wealth_balance"), ("en", "wealth products balance", "wealth_balance"), ("zh", "睡眠户", "dormant"),
        ("zh", "长尾", "long_tail"), ("zh", "管户", "has_manager"), ("zh", "临界", "near_tier"), ("zh", "私行", "tier=private"),
        ("en", "gold", "tier=affluent"), ("zh", "女性", "gender=F"), ("en", "Shenzhen", "city=深圳"), ("zh", "优质客户", "good_customer"),
        ("zh", "首购", "first_wealth_purchase"), ("en", "credit score", "missing credit score"), ("zh", "月活", "mau"),
    ],
)  # fmt: skip
def test_trade_words(catalog: Catalog, language: str, word: str, name: str) -> None:
    assert named_words(catalog, language)[fold(word)] == {name}


def test_saving_and_loading_keeps_everything(catalog: Catalog, tmp_path) -> None:
    catalog.save(tmp_path / "catalog.yaml")
    assert Catalog.load(tmp_path / "catalog.yaml") == catalog


def test_a_wrong_catalog_names_the_place(tmp_path) -> None:
    path = tmp_path / "catalog.yaml"
    path.write_text("attributes: [{name: age, kind: years, words: {zh: 年龄, en: age}}]", "utf-8")
    with pytest.raises(AdminFixes, match=r"attributes\.0\.kind"):
        Catalog.load(path)


def test_unknown_names_answer_with_the_nearest(catalog: Catalog) -> None:
    with pytest.raises(NotFound) as error:
        catalog.attribute("wealth_balanse")
    assert "wealth_balance" in error.value.details["nearest"]


def test_every_expression_is_eql(catalog: Catalog) -> None:
    for term in catalog.terms:
        for expression in [term.expression, *term.options]:
            if expression:
                parse(expression, catalog)
    for metric in catalog.metrics:
        if metric.condition:
            event = metric.kind.startswith("event_")
            parse(f"did({metric.event} where {metric.condition})" if event else metric.condition, catalog)
