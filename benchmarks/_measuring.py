"""What all benchmarks share: medians of five, peak memory from the operating system, rows in `benchmarks/results`."""

import json
import resource
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel

RESULTS = Path(__file__).parent / "results"
REPEATS = 5


class Row(BaseModel):
    """One measurement. `peer` did the same work in the same run; None where there is no honest peer."""

    name: str
    seconds: float
    budget_s: float | None = None
    peer: str | None = None
    peer_seconds: float | None = None
    peak_mb: float

    def line(self) -> str:
        budget = f" budget {self.budget_s:g} s" if self.budget_s is not None else ""
        ratio = f" {self.peer_seconds / self.seconds:.1f}x {self.peer}" if self.peer and self.peer_seconds else ""
        return f"{self.name:<52} {self.seconds:>9.4f} s{budget}{ratio}  {self.peak_mb:.0f} MB"


def median_seconds(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """The median wall time of a piece of work, after one run that is not counted."""
    work()
    return statistics.median(_seconds(work) for _ in range(repeats))


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def report(name: str, rows: list[Row]) -> None:
    """Print the rows and keep them."""
    for row in rows:
        print(row.line())
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps([row.model_dump() for row in rows], indent=2)
    (RESULTS / f"{name}.json").write_text(text + "\n", "utf-8")
