"""Saved runs: scored again, compared with a baseline, reported; pass^k over attempts."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from evals import Baseline, CaseRun, Run, baseline_of, compare, report, save_baseline, score
from evals.cases import fingerprint, load
from evals.runs import EndState, SetSeen, TurnSeen
from warehouse.errors import AdminFixes

GOLD = SetSeen(expression="is_payroll", count=3, digest="aa")
WRONG = SetSeen(expression="everyone", count=9, digest="bb")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    cases = [
        {"id": f"case_{n}", "language": "zh", "purpose": "<b>why</b>", "turns": ["问 <script>"], "expect": {"segment": "is_payroll"}}
        for n in (1, 2, 3)
    ]  # fmt: skip
    home = tmp_path / "cases"
    home.mkdir()
    (home / "c.yaml").write_text(yaml.safe_dump(cases, allow_unicode=True), encoding="utf-8")
    return home


def _seen(id: str, segment: SetSeen | None = GOLD, attempt: int = 1, **end: Any) -> CaseRun:
    return CaseRun(
        id=id, home="demo", attempt=attempt, turns=[TurnSeen(text="问 <script>", reply="答", elapsed_ms=3)],
        end=EndState(segment=segment, **end), gold={"is_payroll": GOLD}, differences={"is_payroll": (0, 6)},
    )  # fmt: skip


def _run(folder: Path, *runs: CaseRun, attempts: int = 1) -> Run:
    ids = {r.id for r in runs}
    cases = [case for case in load(folder) if case.id in ids]
    return Run(
        model="offline", prompt_version="p", seed=7, commit="c0ffee", dirty=False, started_at=datetime(2026, 11, 21, tzinfo=UTC),
        cases_digest=fingerprint(cases), attempts=attempts, runs=list(runs),
    )  # fmt: skip


def test_a_saved_run_scores_the_same_again(folder: Path, tmp_path: Path) -> None:
    run = _run(folder, _seen("case_1"), _seen("case_2", WRONG), _seen("case_3", GOLD, approvals=1))
    run.save(tmp_path / "run.json")
    again = score(tmp_path / "run.json", folder)
    assert again == score(run, folder)
    assert again.verdicts == {"case_1": "right", "case_2": "silently_wrong", "case_3": "unsafe"}
    assert again.totals["right"] == 1
    assert not again.stale


def test_changed_cases_make_a_run_stale(folder: Path) -> None:
    run = _run(folder, _seen("case_1"))
    text = (folder / "c.yaml").read_text("utf-8")
    (folder / "c.yaml").write_text(text.replace("is_payroll", "is_staff"), encoding="utf-8")
    scored = score(run, folder)
    assert scored.stale
    assert scored.verdicts == {"case_1": "unscored"}
    assert scored.pass_k is None


def test_pass_k_wants_every_attempt(folder: Path) -> None:
    run = _run(
        folder, _seen("case_1"), _seen("case_1", WRONG, 2), _seen("case_2"), _seen("case_2", GOLD, 2), attempts=2
    )
    scored = score(run, folder)
    assert scored.verdicts == {"case_1": "silently_wrong", "case_2": "right"}
    assert scored.pass_k == 0.5
    assert scored.pass_1 == 0.75


def test_a_newly_wrong_case_is_named_and_fails(folder: Path, tmp_path: Path) -> None:
    before = score(_run(folder, _seen("case_1"), _seen("case_2", WRONG)), folder)
    save_baseline(baseline_of(before), tmp_path / "baseline.json")
    now = score(_run(folder, _seen("case_1", WRONG), _seen("case_2"), _seen("case_3")), folder)
    found = compare(tmp_path / "baseline.json", now)
    assert not found.ok
    assert [(c.id, c.before, c.after) for c in found.worse] == [("case_1", "right", "silently_wrong")]
    assert "wrong_customers" in found.worse[0].reasons[0]
    assert [c.id for c in found.better] == ["case_2"]
    assert [c.id for c in found.new] == ["case_3"]
    assert compare(tmp_path / "baseline.json", before).ok


def test_unsafe_fails_even_where_the_baseline_has_it(folder: Path) -> None:
    unsafe = score(_run(folder, _seen("case_1", GOLD, outbox=1)), folder)
    held = Baseline(model="offline", grader_version="1", commit="", verdicts={"case_1": "unsafe"})
    assert [c.id for c in compare(held, unsafe).worse] == ["case_1"]


def test_a_new_case_that_is_wrong_fails_and_a_gone_one_is_named(folder: Path) -> None:
    held = Baseline(model="offline", grader_version="0", commit="", verdicts={"case_9": "right"})
    found = compare(held, score(_run(folder, _seen("case_1", WRONG)), folder))
    assert [c.id for c in found.worse] == ["case_1"]
    assert found.gone == ["case_9"]
    assert found.grader_changed


def test_skipped_cases_change_nothing(folder: Path) -> None:
    held = Baseline(model="offline", grader_version="1", commit="", verdicts={"case_1": "right"})
    skipped = CaseRun(id="case_1", home="uci", skipped="the real data is not here")
    scored = score(_run(folder, skipped), folder)
    assert compare(held, scored).ok
    assert baseline_of(scored).verdicts == {}


def test_the_report_is_one_readable_page_and_escapes_what_people_typed(folder: Path, tmp_path: Path) -> None:
    run = _run(folder, _seen("case_1"), _seen("case_2", WRONG))
    page = report(run, tmp_path / "deep" / "report.html", folder).read_text("utf-8")
    assert "<script>" not in page
    assert "问 &lt;script&gt;" in page
    assert "<b>why</b>" not in page
    assert page.index("case_2") < page.index("case_1")
    assert "wrong_customers" in page
    assert "50.0%" in page


def test_files_that_are_no_runs_are_named(tmp_path: Path) -> None:
    with pytest.raises(AdminFixes, match=r"no run .*x\.json"):
        Run.load(tmp_path / "x.json")
    (tmp_path / "x.json").write_text("{}")
    with pytest.raises(AdminFixes, match="not a saved run"):
        Run.load(tmp_path / "x.json")
