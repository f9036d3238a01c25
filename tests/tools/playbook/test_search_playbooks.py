"""`search_playbooks` on a real demo bank and on a bank that lacks most of what playbooks speak of."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from control.records import Actor, Records, control_url
from knowledge import BUILTIN, PlaybookIndex
from tools.base import ToolContext
from tools.playbook import TOOLS, FoundPlaybooks, SearchPlaybooks
from tools.segment import parse
from warehouse import importer
from warehouse.catalog import Catalog
from warehouse.home import Home
from warehouse.store import Warehouse

(TOOL,) = TOOLS
ACTOR = Actor(account="operator", person="p_operator", roles=("operator",))


@pytest.fixture(scope="module")
def playbooks(tmp_path_factory: pytest.TempPathFactory) -> PlaybookIndex:
    return PlaybookIndex(tmp_path_factory.mktemp("chroma"))


@pytest.fixture
def context(demo_home: Home, warehouse: Warehouse, catalog: Catalog, playbooks: PlaybookIndex) -> Iterator[ToolContext]:
    clock = demo_home.clock()
    records = Records(control_url(demo_home), clock)
    yield ToolContext(
        home=demo_home, warehouse=warehouse, catalog=catalog, records=records, playbooks=playbooks,
        clock=clock, actor=ACTOR, thread="t", language="zh",
    )  # fmt: skip
    records.close()


def _search(context: ToolContext, query: str, k: int = 3) -> FoundPlaybooks:
    found, _ = TOOL.run(context, SearchPlaybooks(query=query, k=k))
    assert isinstance(found, FoundPlaybooks)
    return found


def test_it_cites_the_playbook_and_the_count_on_this_bank(context: ToolContext) -> None:
    found, evidence = TOOL.run(context, SearchPlaybooks(query="睡眠户怎么唤醒", k=1))
    (book,) = found.playbooks
    assert book.id == "dormant_winback"
    assert book.audience.how == "as_written"
    truth = context.warehouse.read(
        "SELECT count(*) FROM customers WHERE has_mobile_bank AND last_login_at < TIMESTAMP '2026-09-19 16:00:00'"
    ).scalar()
    assert book.audience.count == truth > 0
    assert book.audience.total == context.warehouse.read("SELECT count(*) FROM customers").scalar()
    assert [e.id for e in evidence] == [book.audience.evidence]
    assert context.records.evidence([book.audience.evidence])[0].row_count == 1
    assert [w.channel for w in book.waves] == ["sms", "push", "call"]
    assert all("Mobile" not in w.text for w in book.waves)


def test_the_language_of_the_thread_decides_the_words(context: ToolContext) -> None:
    english = dataclasses.replace(context, language="en")
    book = _search(english, "win back dormant customers", 1).playbooks[0]
    assert book.title == "Dormant customer win-back"
    assert "Mobile banking" in book.waves[0].text
    assert all(figure.origin and figure.limits for figure in book.figures)


def test_figures_come_with_the_channels_they_may_be_quoted_for(context: ToolContext) -> None:
    book = _search(context, "客户生日关怀", 1).playbooks[0]
    assert book.id == "birthday"
    assert [figure.channels for figure in book.figures] == [["inapp"]]


@pytest.mark.slow
def test_every_audience_of_every_playbook_is_somebody_or_says_why(context: ToolContext) -> None:
    for playbook in context.playbooks.all():
        book = next(b for b in _search(context, playbook.title.zh, 10).playbooks if b.id == playbook.id)
        assert book.audience.how in ("as_written", "alternative")
        assert book.audience.count
        parse(book.audience.expression, context.catalog)
        if book.audience.how == "alternative":
            assert "本行目前没有" in book.audience.why


def test_a_bank_without_the_attributes_gets_the_alternative_or_is_told(context: ToolContext) -> None:
    bare = Catalog(
        attributes=[a for a in context.catalog.attributes if a.name in ("age", "deposit_balance")],
        events=[e.model_copy(update={"properties": []}) for e in context.catalog.events if e.name == "login"],
    )
    poor = dataclasses.replace(context, catalog=bare)
    older = _search(poor, "老年客户怎么服务", 1).playbooks[0]
    assert (older.id, older.audience.how) == ("older_customers_managed", "alternative")
    assert older.audience.expression == "age >= 60"
    assert "actor" in older.audience.why
    card = _search(poor, "信用卡没激活的催一下", 1)
    assert card.playbooks[0].audience.how == "none"
    assert card.playbooks[0].audience.count is None
    assert "has_credit_card" in card.playbooks[0].audience.why
    assert "无法表达" in card.notes[0]


def test_another_subject_finds_nothing(context: ToolContext) -> None:
    found = _search(context, "what is the weather in Paris tomorrow")
    assert found.playbooks == []
    assert "剧本" in found.notes[0]


def test_an_expression_that_nobody_meets_is_said(context: ToolContext, tmp_path: Path) -> None:
    text = (BUILTIN / "birthday.md").read_text("utf-8").replace("days_to_birthday <= 7", "age > 150")
    (tmp_path / "birthday.md").write_text(text, encoding="utf-8")
    own = dataclasses.replace(context, playbooks=PlaybookIndex(tmp_path / "chroma", [tmp_path]))
    book = _search(own, "生日关怀", 1).playbooks[0]
    assert (book.audience.how, book.audience.count) == ("nobody", 0)
    assert "本行目前没有" in book.audience.why


@pytest.mark.shared
@pytest.mark.parametrize(
    ("mapping", "source", "file", "query", "id", "expression"),
    [
        ("uci_bank", "bank", "uci_bank_full.csv.gz", "call about term deposits", "term_deposit_call", "previous_outcome = 'success'"),
        ("kz_credit", "mailing", "kz_credit_mailing.parquet", "loan offer to past borrowers", "loan_offer", "dormancy <= 12"),
    ],
)  # fmt: skip
def test_real_banks_get_an_audience_of_their_own_data(
    shared: Path, tmp_path: Path, playbooks: PlaybookIndex, mapping: str, source: str, file: str, query: str, id: str, expression: str
) -> None:  # fmt: skip
    home = Home(tmp_path / "real")
    path = Path(__file__).parents[3] / "warehouse" / "mappings" / f"{mapping}.yaml"
    importer.run(home, path, {source: shared / "data" / file}, demo=True)
    clock = home.clock()
    records = Records(control_url(home), clock)
    with Warehouse(home.warehouse) as store:
        bank = ToolContext(
            home=home, warehouse=store, catalog=Catalog.load(home.catalog), records=records, playbooks=playbooks, clock=clock,
            actor=ACTOR, thread="t", language="en",
        )  # fmt: skip
        book = _search(bank, query, 1).playbooks[0]
    records.close()
    assert (book.id, book.audience.how, book.audience.expression) == (id, "alternative", expression)
    assert (book.audience.count or 0) > 500
