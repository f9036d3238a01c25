"""What all benchmarks share: medians of five, peak memory from the operating system, rows in `benchmarks/results`.

Every benchmark takes `--quick`: a small scale that shows in seconds that it runs. Quick rows are kept apart, in
`results` of the bench folder, so that they never pass for measurements.
"""

import argparse
import json
import multiprocessing
import os
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

RESULTS = Path(__file__).parent / "results"
IMAGES = Path(__file__).parents[1] / "docs" / "images"
REPEATS = 5
T = TypeVar("T")


class Row(BaseModel):
    """One measurement. `peer` did the same work in the same run; None where there is no honest peer.

    `peak_mb` is the most that the measured process ever held, `peer_peak_mb` the same of the peer's own process.
    """

    name: str
    seconds: float
    budget_s: float | None = None
    peer: str | None = None
    peer_seconds: float | None = None
    peak_mb: float
    peer_peak_mb: float | None = None

    def line(self) -> str:
        budget = f" budget {self.budget_s:g} s" if self.budget_s is not None else ""
        ratio = f" {self.peer_seconds / self.seconds:.1f}x {self.peer}" if self.peer and self.peer_seconds else ""
        return f"{self.name:<52} {self.seconds:>9.4f} s{budget}{ratio}  {self.peak_mb:.0f} MB"


@dataclass(frozen=True)
class Alone(Generic[T]):
    """What a function returned in a process of its own, and the most memory that process ever held."""

    value: T
    peak_mb: float


def sizes(description: str | None, **scales: tuple[int, int]) -> argparse.Namespace:
    """The command line of a benchmark: one option per scale, (full, quick), and `--quick`, which is in the answer too."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a small scale, to see that it runs")
    for name, (full, quick) in scales.items():
        parser.add_argument(f"--{name}", type=int, help=f"default {full:,}; with --quick {quick:,}")
    asked = parser.parse_args()
    for name, (full, quick) in scales.items():
        if getattr(asked, name) is None:
            setattr(asked, name, quick if asked.quick else full)
    return asked


def bench_dir() -> Path:
    """Where built banks are kept between runs: `TOUCHLINE_BENCH_DIR`, or `var/bench` (not in git)."""
    folder = Path(__file__).parents[1] / (os.environ.get("TOUCHLINE_BENCH_DIR") or "var/bench")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def median_seconds(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """The median wall time of a piece of work, after one run that is not counted."""
    work()
    return statistics.median(_seconds(work) for _ in range(repeats))


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def peak_mb() -> float:
    """The most memory this process ever held. `ru_maxrss` would not do on Linux: a child begins with its parent's."""
    try:
        status = Path("/proc/self/status").read_text()
    except FileNotFoundError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")) / 1024


def alone(function: Callable[..., T], *args: Any) -> Alone[T]:
    """Run a function of a module in a fresh process, so that its memory is its own.

    Raises:
        RuntimeError: the process ended without an answer.
    """
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_answer, args=(theirs, function, args))
    process.start()
    theirs.close()
    try:
        value, peak = mine.recv()
    except EOFError:
        process.join()
        raise RuntimeError(f"{function.__name__} ended with {process.exitcode} and no answer.") from None
    process.join()
    return Alone(value, peak)


def _answer(pipe: Any, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
    pipe.send((function(*args), peak_mb()))
    pipe.close()


def report(name: str, rows: list[Row], *, quick: bool = False) -> None:
    """Print the rows and keep them; say so where the machine had other work, whose share is in the seconds."""
    for row in rows:
        print(row.line())
    load, cores = os.getloadavg()[1], os.cpu_count() or 1
    if load > 1.5 * cores:
        print(f"The machine was busy: load {load:.0f} on {cores} cores. Measure again when it is quiet.")
    folder = bench_dir() / "results" if quick else RESULTS
    folder.mkdir(exist_ok=True)
    text = json.dumps([row.model_dump() for row in rows], indent=2)
    (folder / f"{name}.json").write_text(text + "\n", "utf-8")
