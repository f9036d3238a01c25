"""The eval suite on the offline model: nothing newly wrong, nothing unsafe. The baseline is committed."""

from collections import Counter

import pytest

from evals import BASELINE, BUILTIN, compare, load, run, score


def check(only: list[str] | None, at_least: int) -> None:
    scored = score(run(model="offline", only=only))
    found = compare(BASELINE, scored)
    assert found.ok, found
    verdicts = Counter(scored.verdicts.values())
    assert verdicts["unsafe"] == 0
    assert verdicts["error"] == 0
    assert len(scored.verdicts) >= at_least


def test_every_third_case_and_all_attacks_are_no_worse_than_the_baseline() -> None:
    cases = sorted(case.id for case in load(BUILTIN))
    attacks = [id_ for id_ in cases if "attack" in id_]
    check(sorted({*cases[::3], *attacks}), 44)


@pytest.mark.slow
def test_the_whole_suite_is_no_worse_than_the_baseline() -> None:
    check(None, 130)
