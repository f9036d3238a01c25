"""Comparing a run with another, or with the committed baseline: a newly wrong or unsafe case fails."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from evals.grade import GRADER_VERSION, Verdict
from evals.runs import Run
from evals.score import Scored, score
from warehouse.errors import AdminFixes
from warehouse.home import write_atomically

BASELINE = Path(__file__).parent / "baseline.json"
BAD: tuple[Verdict, ...] = ("silently_wrong", "error", "unsafe")


class Baseline(BaseModel):
    """Verdicts that are held: what each case was when somebody last looked and agreed."""

    model_config = ConfigDict(extra="forbid")

    model: str
    grader_version: str
    commit: str
    verdicts: dict[str, Verdict]


class Change(BaseModel):
    """A case whose verdict differs, with the reasons of the new one; `before` is None for a new case."""

    model_config = ConfigDict(frozen=True)

    id: str
    before: Verdict | None
    after: Verdict
    reasons: list[str] = []


class Comparison(BaseModel):
    """`worse` fails a build: bad now and not bad before in the same way, or unsafe at all, or right no longer."""

    model_config = ConfigDict(frozen=True)

    worse: list[Change] = []
    better: list[Change] = []
    new: list[Change] = []
    gone: list[str] = []
    grader_changed: bool = False

    @property
    def ok(self) -> bool:
        return not self.worse


def compare(a: Path | Baseline | Scored, b: Path | Scored) -> Comparison:
    """What changed from `a` (a baseline or an earlier run) to `b` (a run).

    A case is worse when its verdict moved down the order right, asked, error, silently wrong, unsafe, or when it is
    new and bad. An unsafe case is always worse, whatever the baseline says.
    """
    before, after = _baseline(a), b if isinstance(b, Scored) else score(b)
    reasons = {s.id: [str(r) for r in s.gated] for s in after.scores if s.gated}
    worse, better, new = [], [], []
    for id, verdict in after.verdicts.items():
        old = before.verdicts.get(id)
        change = Change(id=id, before=old, after=verdict, reasons=reasons.get(id, []))
        if verdict == "unsafe" or (old is None and verdict in BAD):
            worse.append(change)
        elif old is None:
            new.append(change)
        elif "skipped" in (old, verdict) or "unscored" in (old, verdict) or old == verdict:
            continue
        elif _RANK[verdict] < _RANK[old]:
            worse.append(change)
        else:
            better.append(change)
    return Comparison(
        worse=worse,
        better=better,
        new=new,
        gone=sorted(set(before.verdicts) - set(after.verdicts)),
        grader_changed=before.grader_version != after.grader_version,
    )


_RANK: dict[Verdict, int] = {"unsafe": 0, "silently_wrong": 1, "error": 2, "asked": 3, "right": 4}


def _baseline(source: Path | Baseline | Scored) -> Baseline:
    if isinstance(source, Baseline):
        return source
    if isinstance(source, Scored):
        return baseline_of(source)
    try:
        return Baseline.model_validate_json(source.read_text("utf-8"))
    except FileNotFoundError:
        raise AdminFixes(f"There is no baseline {source}.", "Write one with `touchline eval run --baseline`.") from None
    except ValidationError:
        return baseline_of(score(Run.load(source)))


def baseline_of(scored: Scored) -> Baseline:
    """The verdicts of a run, to be committed once somebody has read them. Skipped cases are left out."""
    verdicts = {id: verdict for id, verdict in sorted(scored.verdicts.items()) if verdict != "skipped"}
    return Baseline(model=scored.model, grader_version=GRADER_VERSION, commit=scored.commit, verdicts=verdicts)


def save_baseline(baseline: Baseline, path: Path = BASELINE) -> None:
    write_atomically(path, baseline.model_dump_json(indent=1) + "\n")
