"""The model knows no field by name: it works on a catalog nobody has seen, and is quick."""

import statistics
import time

import pytest
import yaml

from agent.models.offline import OfflineModel
from tools.segment import parse
from warehouse.catalog import Catalog
from warehouse.clock import BANK_ZONE

from .conftest import CAMPAIGNS, CATALOG, EXAMPLES, turn
from .test_segments import FRESH

LIBRARY = Catalog.model_validate({
    "attributes": [
        {"name": "reader_years", "kind": "integer", "words": {"zh": "读者年龄", "en": "reader age"}, "unit_zh": "岁", "unit_en": "years"},
        {"name": "fines_due", "kind": "money", "words": {"zh": "欠费", "en": "fines", "synonyms_en": ["overdue fines"]}},
        {"name": "branch_hall", "kind": "category", "words": {"zh": "馆区", "en": "hall"},
         "values": [{"value": "east", "zh": "东馆", "en": "East Hall"}, {"value": "west", "zh": "西馆", "en": "West Hall"}]},
        {"name": "has_card", "kind": "bool", "words": {"zh": "有借书证", "en": "library card", "synonyms_zh": ["借书证"]}},
        {"name": "is_teacher", "kind": "bool", "words": {"zh": "教师", "en": "teacher", "synonyms_en": ["teachers"]}},
    ],
    "events": [
        {"name": "borrow", "words": {"zh": "借阅", "en": "loan of a book"}, "verbs_zh": ["借过", "借"], "verbs_en": ["borrowed"],
         "properties": [{"name": "genre", "kind": "category", "words": {"zh": "体裁", "en": "genre"}, "source": "properties.genre",
                         "values": [{"value": "poetry", "zh": "诗集", "en": "poetry"}, {"value": "novel", "zh": "小说", "en": "novels"}]}]},
        {"name": "return_book", "words": {"zh": "还书", "en": "return"}, "verbs_zh": ["还过书"], "verbs_en": ["returned a book"]},
    ],
    "terms": [{"name": "keen", "words": {"zh": "书迷", "en": "keen readers"}, "options": ["count(borrow, last 30d) >= 5"]}],
    "missing": [{"words": {"zh": "身高", "en": "height"}, "proxies": []}],
})  # fmt: skip

SEEN = [
    ("教师里35岁以下没有借书证的有多少", "is_teacher and reader_years <= 35 and not has_card"),
    ("teachers under 35 with no library card", "is_teacher and reader_years < 35 and not has_card"),
    ("东馆欠费超过5元的", "branch_hall = 'east' and fines_due > 5"),
    ("近30天借过小说但没借过诗集的", "did(borrow where genre = 'novel', last 30d) and not did(borrow where genre = 'poetry', last 30d)"),
    ("borrowed novels at least 3 times in the last 30 days", "count(borrow where genre = 'novel', last 30d) >= 3"),
]  # fmt: skip


@pytest.fixture(scope="module")
def library() -> OfflineModel:
    return OfflineModel(LIBRARY, [], list, BANK_ZONE)


@pytest.mark.parametrize(("text", "expected"), SEEN, ids=[t for t, _ in SEEN])
def test_a_library(library: OfflineModel, text: str, expected: str) -> None:
    step = library.next(turn(text))
    assert [c.tool for c in step.calls] == ["query_segment"], step
    assert parse(step.calls[0].args["segment"], LIBRARY) == parse(expected, LIBRARY)


@pytest.mark.parametrize("text", ["书迷有多少", "身高超过180的读者", "代发客户有多少", "AUM 5万以上的"])
def test_a_library_has_no_bank_words(library: OfflineModel, text: str) -> None:
    step = library.next(turn(text))
    assert not step.calls
    assert step.question is not None


MAPPINGS = CATALOG.parent / "mappings"
MAPPED = [
    ("uci_bank", "已婚的管理人员有多少", "marital = 'married' and job = 'management'"),
    (
        "uci_bank",
        "single customers under 30 with no personal loan",
        "marital = 'single' and age < 30 and not has_personal_loan",
    ),
    ("uci_bank", "managers or technicians older than 40", "job in ('management', 'technician') and age > 40"),
    ("uci_bank", "上次营销成功的客户", "previous_outcome = 'success'"),
    ("kz_credit", "高风险的客户有多少", "risk_class = 'high'"),
    ("kz_credit", "rural applicants over 40", "rural and applied and age > 40"),
    ("kz_credit", "报价利率低于5的低风险客户", "offered_rate < 5 and risk_class = 'low'"),
    ("kz_credit", "how many were rejected", "rejected"),
    ("kz_credit", "dormancy at least 6 months", "dormancy >= 6"),
]


@pytest.mark.parametrize(("mapping", "text", "expected"), MAPPED, ids=[t for _, t, _ in MAPPED])
def test_the_attributes_of_real_data(mapping: str, text: str, expected: str) -> None:
    document = yaml.safe_load((MAPPINGS / f"{mapping}.yaml").read_text("utf-8"))["catalog"]["attributes"]
    attributes = [{k: v for k, v in attribute.items() if k != "type"} for attribute in document]
    catalog = Catalog.model_validate({"attributes": attributes})
    step = OfflineModel(catalog, [], list, BANK_ZONE).next(turn(text))
    assert [c.tool for c in step.calls] == ["query_segment"], step
    assert parse(step.calls[0].args["segment"], catalog) == parse(expected, catalog)


def test_requests_are_read_in_milliseconds(catalog: Catalog) -> None:
    model = OfflineModel(catalog, EXAMPLES, lambda: CAMPAIGNS, BANK_ZONE)
    seconds = []
    for text, _ in FRESH:
        started = time.perf_counter()
        model.next(turn(text))
        seconds.append(time.perf_counter() - started)
    assert statistics.median(seconds) <= 0.030
    assert statistics.quantiles(seconds, n=20)[-1] <= 0.150
