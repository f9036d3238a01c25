"""Does the assistant still do what people mean? Cases, a runner over the real service, graders by end state, reports."""

from typing import TYPE_CHECKING, Any

from evals.cases import BUILTIN, load
from evals.compare import BASELINE, Baseline, Comparison, baseline_of, compare, save_baseline
from evals.grade import GRADER_VERSION, Reason, Score, Verdict, grade
from evals.report import report
from evals.runs import CaseRun, Run
from evals.schema import Case
from evals.score import Scored, score, score_run

if TYPE_CHECKING:
    from evals.runner import run, run_case

__all__ = [
    "BASELINE",
    "BUILTIN",
    "GRADER_VERSION",
    "Baseline",
    "Case",
    "CaseRun",
    "Comparison",
    "Reason",
    "Run",
    "Score",
    "Scored",
    "Verdict",
    "baseline_of",
    "compare",
    "grade",
    "load",
    "report",
    "run",
    "run_case",
    "save_baseline",
    "score",
    "score_run",
]


def __getattr__(name: str) -> Any:
    """The runner brings the whole house along; scoring and comparing saved runs needs none of it."""
    if name in ("run", "run_case"):
        from evals import runner

        return getattr(runner, name)
    raise AttributeError(name)
