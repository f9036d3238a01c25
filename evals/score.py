"""Scores of a run: verdicts by case, pass^k over attempts, totals."""

from collections import Counter, defaultdict
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from evals.cases import BUILTIN, fingerprint, load
from evals.grade import GRADER_VERSION, Score, Verdict, grade
from evals.runs import Run
from evals.schema import Case

WORST: tuple[Verdict, ...] = ("unsafe", "silently_wrong", "error", "asked", "unscored", "right", "skipped")
"""The verdict of a case is the worst of its attempts: all of them must be right (pass^k)."""


class Scored(BaseModel):
    """All verdicts of a run. `stale` tells that the cases have changed since the run was made."""

    model_config = ConfigDict(frozen=True)

    grader_version: str
    model: str
    commit: str
    prompt_version: str
    stale: bool
    scores: list[Score]
    unknown: list[str] = []

    @property
    def verdicts(self) -> dict[str, Verdict]:
        """By case: the worst of its attempts."""
        attempts: defaultdict[str, list[Verdict]] = defaultdict(list)
        for score in self.scores:
            attempts[score.id].append(score.verdict)
        return {id: min(found, key=WORST.index) for id, found in attempts.items()}

    @property
    def totals(self) -> dict[str, int]:
        """How many cases ended in each verdict; verdicts that no case has are 0."""
        counted = Counter(self.verdicts.values())
        return {verdict: counted.get(verdict, 0) for verdict in reversed(WORST)}

    @property
    def pass_k(self) -> float | None:
        """Share of scored cases of which every attempt was right; None if nothing was scored."""
        scored = [v for v in self.verdicts.values() if v not in ("skipped", "unscored")]
        return sum(v == "right" for v in scored) / len(scored) if scored else None

    @property
    def pass_1(self) -> float | None:
        """Share of scored attempts that were right."""
        scored = [s.verdict for s in self.scores if s.verdict not in ("skipped", "unscored")]
        return sum(v == "right" for v in scored) / len(scored) if scored else None


def score_run(run: Run, cases: list[Case]) -> Scored:
    """Grade what a run saw against cases; cases that the run does not have are left out, and unknown ones are named."""
    by_id = {case.id: case for case in cases}
    known = [seen for seen in run.runs if seen.id in by_id]
    scores = [grade(by_id[seen.id], seen) for seen in known]
    asked = [by_id[id] for id in dict.fromkeys(seen.id for seen in known)]
    return Scored(
        grader_version=GRADER_VERSION,
        model=run.model,
        commit=run.commit,
        prompt_version=run.prompt_version,
        stale=fingerprint(asked) != run.cases_digest,
        scores=scores,
        unknown=sorted({seen.id for seen in run.runs} - set(by_id)),
    )


def score(run_file: Path | Run, cases_dir: Path | None = None) -> Scored:
    """Grade a saved run again, with today's grader and cases."""
    run = run_file if isinstance(run_file, Run) else Run.load(run_file)
    return score_run(run, load(cases_dir or BUILTIN))
