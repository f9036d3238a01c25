"""The lists of mutants stay true: each still fits the code it breaks."""

from pathlib import Path

import pytest

from tests.mutants.listing import Mutant, mutants
from tests.mutants.run import caught_by

LISTED = [(room, mutant) for room, items in mutants().items() for mutant in items]


@pytest.mark.parametrize(("room", "mutant"), LISTED, ids=[f"{room}: {mutant.name}" for room, mutant in LISTED])
def test_a_mutant_fits_the_code(room: str, mutant: Mutant) -> None:
    assert mutant.misplaced() is None
    assert mutant.old != mutant.new


def test_the_runner_tells_caught_from_survived(tmp_path: Path) -> None:
    (tmp_path / "rule.py").write_text("def allowed(n):\n    return n < 3\n", "utf-8")
    (tmp_path / "test_rule.py").write_text(
        "from rule import allowed\n\ndef test_three():\n    assert not allowed(3)\n", "utf-8"
    )
    at_edge = Mutant(name="edge", file="rule.py", old="n < 3", new="n <= 3", tests=("test_rule.py",))
    unseen = Mutant(name="below", file="rule.py", old="n < 3", new="n == 2", tests=("test_rule.py",))
    assert caught_by(tmp_path, at_edge) == "test_rule.py::test_three"
    assert caught_by(tmp_path, unseen) is None
    assert "n < 3" in (tmp_path / "rule.py").read_text("utf-8")
