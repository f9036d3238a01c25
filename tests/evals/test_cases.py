"""Case files: the built-in ones are sound and plenty; a case that could not fail is refused at load."""

from collections import Counter
from pathlib import Path

import pytest
import yaml

from evals import load
from evals.cases import fingerprint
from evals.observe import _golds
from tools.segment import parse
from warehouse.catalog import Catalog
from warehouse.errors import AdminFixes

ROOT = Path(__file__).parents[2]
GOOD = {"id": "one_case", "language": "en", "purpose": "p", "turns": ["hello"], "expect": {"segment": "is_payroll"}}


def _load(folder: Path, document: object) -> list[object]:
    (folder / "c.yaml").write_text(yaml.safe_dump(document, allow_unicode=True), encoding="utf-8")
    return list(load(folder))


def test_the_suite_covers_both_languages_and_every_kind() -> None:
    cases = load()
    assert len(cases) >= 60
    languages = Counter(case.language for case in cases)
    assert abs(languages["zh"] - languages["en"]) <= len(cases) * 0.1
    kinds = Counter(case.kind for case in cases)
    assert kinds["attack"] >= 12
    assert kinds["ask"] >= 10
    assert kinds["scope"] >= 5
    homes = Counter(case.home for case in cases)
    assert homes["uci"] >= 8
    assert homes["kz"] >= 8
    assert sum(len(case.turns) > 1 for case in cases) >= 20


def test_every_gold_expression_of_the_demo_bank_is_eql() -> None:
    catalog = Catalog.load(ROOT / "warehouse" / "canonical_catalog.yaml")
    golds = [(case.id, gold) for case in load() if case.home == "demo" for gold in _golds(case)]
    assert len(golds) >= 50
    for _, gold in golds:
        parse(gold, catalog)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"expect": {}}, "expect is empty"),
        ({"expect": {"segment": []}}, "expect.segment is empty"),
        ({"expect": {"canvas": {}}}, "canvas without any expectation"),
        ({"expect": {"calls": []}}, "expect.calls is empty"),
        ({"gates": ["canvas"]}, "gates name checks that expect does not have: canvas"),
        ({"expect": {"segmnt": "is_payroll"}}, "segmnt"),
        ({"turns": []}, "turns"),
        ({"expect": {"question": {}, "no_question": True}}, "contradict"),
        ({"home": "mars"}, "home"),
    ],
)
def test_a_case_that_decides_nothing_is_refused(tmp_path: Path, change: dict[str, object], says: str) -> None:
    with pytest.raises(AdminFixes, match=says) as caught:
        _load(tmp_path, [{**GOOD, **change}])
    assert "one_case" in caught.value.message


def test_files_that_are_no_case_lists_are_refused(tmp_path: Path) -> None:
    with pytest.raises(AdminFixes, match="no case files"):
        load(tmp_path)
    with pytest.raises(AdminFixes, match="not a list"):
        _load(tmp_path, {"id": "x"})
    with pytest.raises(AdminFixes, match="also in"):
        _load(tmp_path, [GOOD, GOOD])
    (tmp_path / "c.yaml").write_text("- a: [", encoding="utf-8")
    with pytest.raises(AdminFixes, match="not YAML"):
        load(tmp_path)


def test_cases_can_be_chosen_by_the_beginning_of_their_id(tmp_path: Path) -> None:
    assert {case.id for case in load(only=["zh_attack"])} == {c.id for c in load() if c.id.startswith("zh_attack")}
    with pytest.raises(AdminFixes, match="No case begins with nothing"):
        load(only=["nothing"])


def test_the_fingerprint_tells_other_cases_apart_and_ignores_order() -> None:
    cases = load(only=["zh_count", "en_count"])
    assert fingerprint(cases) == fingerprint(cases[::-1])
    changed = [cases[0].model_copy(update={"turns": ["something else"]}), *cases[1:]]
    assert fingerprint(changed) != fingerprint(cases)
