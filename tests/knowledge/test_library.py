"""Playbook files: the built-in ones are sound, and bad ones are named with file and field without harm to the others."""

import re
import shutil
from pathlib import Path
from typing import get_args

import pytest
import yaml

from knowledge import BUILTIN, Library, Playbook, PlaybookIndex, UnknownPlaybook
from knowledge.schema import FORBIDDEN, Channel
from tools.canvas.claims import forbidden
from tools.segment import parse
from warehouse.catalog import Catalog
from warehouse.schema import CHANNELS

ROOT = Path(__file__).parents[2]
FOREIGN = ("previous_outcome", "dormancy")
"""Attributes of imported banks only; tests/tools/playbook checks those audiences on the real data."""
PLAYBOOKS = Library.read([BUILTIN]).playbooks


def _document(id: str) -> tuple[dict[str, object], str]:
    text = (BUILTIN / f"{id}.md").read_text("utf-8")
    _, head, body = text.split("---\n", 2)
    return yaml.safe_load(head), body


def _write(folder: Path, name: str, document: dict[str, object], body: str = "") -> Path:
    path = folder / name
    path.write_text(f"---\n{yaml.safe_dump(document, allow_unicode=True)}---\n{body}", encoding="utf-8")
    return path


def test_builtin_playbooks_are_all_accepted() -> None:
    library = Library.read([BUILTIN])
    assert library.problems == ()
    assert len(library.playbooks) == len(list(BUILTIN.glob("*.md"))) >= 12
    assert all(path.stem in {p.id for p in library.playbooks} for path in BUILTIN.glob("*.md"))


@pytest.mark.parametrize("playbook", PLAYBOOKS, ids=lambda p: p.id)
def test_audiences_conditions_and_goals_mean_something_in_the_canonical_catalog(playbook: Playbook) -> None:
    catalog = Catalog.load(ROOT / "warehouse" / "canonical_catalog.yaml")
    parse(playbook.audience.expression, catalog)
    for audience in playbook.fallback_audiences:
        if any(name in audience.expression for name in FOREIGN):
            continue
        parse(audience.expression, catalog)
    for wave in playbook.waves:
        if wave.only_if not in ("all", "goal_not_reached"):
            parse(wave.only_if, catalog)
    goal = playbook.goal
    parse(f"did({goal.event}{f' where {goal.where}' if goal.where else ''})", catalog)


@pytest.mark.parametrize("playbook", PLAYBOOKS, ids=lambda p: p.id)
def test_figures_measured_on_in_app_placements_are_never_offered_for_sms(playbook: Playbook) -> None:
    for figure in playbook.evidence:
        text = figure.origin.zh + figure.limits.zh + figure.limits.en
        if re.search(r"站内(栏位|页面)|in-app p", text):
            assert set(figure.channels) == {"inapp"}, figure.figure.en


@pytest.mark.parametrize("playbook", PLAYBOOKS, ids=lambda p: p.id)
def test_a_product_message_carries_its_risk_line(playbook: Playbook) -> None:
    """Whoever names wealth products to a customer says that they are not deposits."""
    for wave in playbook.waves:
        if wave.channel in ("call", "task"):
            continue
        for text in [wave.text, *(arm.text for arm in wave.arms)]:
            if "产品" in text.zh and "风险" in text.zh:
                assert "理财非存款，投资须谨慎" in text.zh
                assert "not deposits" in text.en


@pytest.mark.parametrize("playbook", PLAYBOOKS, ids=lambda p: p.id)
def test_no_words_of_a_playbook_make_a_forbidden_claim(playbook: Playbook) -> None:
    for wave in playbook.waves:
        for text in [wave.text, *(arm.text for arm in wave.arms)]:
            assert forbidden(text.zh) == forbidden(text.en) == []


def test_channels_are_those_of_the_house() -> None:
    assert set(get_args(Channel)) == set(CHANNELS)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("这款产品保本", True),
        ("稳赚不赔", True),
        ("A guaranteed 4 %", True),
        ("Invest with care", False),
        ("按时还款", False),
    ],
)
def test_promises_are_recognised(words: str, found: bool) -> None:
    assert bool(FORBIDDEN.search(words)) is found


@pytest.mark.parametrize(
    ("change", "names"),
    [
        ({"waves": []}, "waves"),
        ({"goal": {"event": "purchase", "window_days": 0}}, "goal.window_days"),
        ({"surprise": 1}, "surprise"),
        ({"channels": ["fax"]}, "channels.0"),
        ({"title": {"zh": "只有中文"}}, "title.en"),
        ({"examples": {"zh": ["一"], "en": ["one"]}}, "examples.zh"),
    ],
)
def test_a_bad_field_is_named_and_the_rest_loads(tmp_path: Path, change: dict[str, object], names: str) -> None:
    document, body = _document("payday")
    _write(tmp_path, "ours.md", {**document, "id": "ours", **change}, body)
    library = Library.read([BUILTIN, tmp_path])
    assert len(library.playbooks) == len(PLAYBOOKS)
    (problem,) = library.problems
    assert "ours.md" in str(problem.error)
    assert names in str(problem.error)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("no fences", "no front matter"),
        ("---\na: [1\n---\n", "not YAML"),
        ("---\n- a\n---\n", "not a list of fields"),
    ],
)
def test_a_file_that_is_no_playbook_is_named(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "odd.md").write_text(text, encoding="utf-8")
    (problem,) = Library.read([tmp_path]).problems
    assert "odd.md" in problem.error.message
    assert says in problem.error.message
    assert problem.error.fix


def test_unlawful_words_and_lunch_calls_are_refused(tmp_path: Path) -> None:
    document, _ = _document("maturity_renewal")
    waves = document["waves"]
    assert isinstance(waves, list)
    promising = {**waves[0], "text": {"zh": "到期续接稳赚", "en": "Renew now"}}
    at_lunch = {**waves[3], "hour": 12}
    signed = {**waves[1], "text": {"zh": "【某行】您有产品到期，回T退订", "en": "Maturing"}}
    for name, wave, says in (
        ("a.md", promising, "稳赚"), ("b.md", at_lunch, "lunch"), ("c.md", signed, "added by the system"),
    ):  # fmt: skip
        _write(tmp_path, name, {**document, "id": name[0] + "_case", "waves": [wave]})
        problem = next(p for p in Library.read([tmp_path]).problems if p.file.name == name)
        assert says in str(problem.error)


def test_a_banks_own_folder_adds_and_replaces(tmp_path: Path) -> None:
    document, body = _document("birthday")
    _write(tmp_path, "birthday.md", {**document, "title": {"zh": "本行生日", "en": "Our birthdays"}}, body)
    _write(tmp_path, "anniversary.md", {**document, "id": "anniversary"}, body)
    index = PlaybookIndex(tmp_path / "chroma", [BUILTIN, tmp_path])
    assert index.get("birthday").title.en == "Our birthdays"
    assert index.get("anniversary").id == "anniversary"
    assert len(index.all()) == len(PLAYBOOKS) + 1
    with pytest.raises(UnknownPlaybook, match="payday"):
        index.get("nothing")


def test_two_files_with_one_id_in_a_folder_are_reported(tmp_path: Path) -> None:
    shutil.copy(BUILTIN / "payday.md", tmp_path / "a.md")
    shutil.copy(BUILTIN / "payday.md", tmp_path / "b.md")
    library = Library.read([tmp_path])
    assert len(library.playbooks) == 1
    assert "already used by a.md" in library.problems[0].error.message
    assert "b.md" in library.problems[0].error.message


def test_a_missing_folder_is_reported(tmp_path: Path) -> None:
    (problem,) = Library.read([tmp_path / "nowhere"]).problems
    assert "nowhere" in problem.error.message
