"""`touchline bench`: every benchmark of `benchmarks/`, each in a process of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.language import say
from cli.options import Json, Lang
from cli.output import BadUsage, note, show, table

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"

Quick = Annotated[
    bool,
    typer.Option(
        "--quick",
        help=say("小规模试跑，结果不入库。", "A small scale, to see that they run; results are not kept as figures."),
    ),
]


def bench(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]...", help=say("只跑这些（默认全部）。", "Only these (default: all)."))] = None,
    quick: Quick = False, as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    scripts = {path.stem: path for path in sorted(BENCHMARKS.glob("*.py")) if not path.stem.startswith("_")}
    if not scripts:
        raise BadUsage(
            say(f"{BENCHMARKS} 里没有基准。", f"There are no benchmarks in {BENCHMARKS}."),
            say("请在源码目录里运行。", "Run it from a checkout of the sources."),
        )
    wrong = [name for name in names or [] if name not in scripts]
    if wrong:
        raise BadUsage(
            say(f"没有基准 {', '.join(wrong)}。", f"There is no benchmark {', '.join(wrong)}."),
            say("可选：", "There are: ") + (", ".join(scripts) or "-") + ".",
        )
    failed = []
    for name in names or scripts:
        note(f"bench {name} …")
        # The scripts' own output is for people; stdout is kept for the result.
        command = [sys.executable, "-m", f"benchmarks.{name}", *(["--quick"] if quick else [])]
        done = subprocess.run(command, stdout=sys.stderr, check=False, cwd=BENCHMARKS.parent)
        if done.returncode:
            failed.append(name)
    rows = _results(_quick_results() if quick else BENCHMARKS / "results", list(names or scripts))
    headings = ("name", "seconds", "budget_s", "peer", "peer_seconds", "peak_mb")
    show(rows, as_json, lambda: table(headings, [[row.get(h) for h in headings] for row in rows]))
    if failed:
        raise BadUsage(
            say(f"失败：{', '.join(failed)}。", f"These failed: {', '.join(failed)}."),
            say("看上面的输出。", "See above."),
        )


def _quick_results() -> Path:
    """Where `benchmarks._measuring` keeps rows of `--quick` runs."""
    return BENCHMARKS.parent / (os.environ.get("TOUCHLINE_BENCH_DIR") or "var/bench") / "results"


def _results(folder: Path, names: list[str]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for name in names:
        file = folder / f"{name}.json"
        if not file.exists():
            continue
        found = json.loads(file.read_text("utf-8"))
        rows += found if isinstance(found, list) else found.get("rows", [])
    return rows


def register(app: typer.Typer) -> None:
    app.command("bench", help=say("测量性能并与预算比较。", "Measure against the budgets."))(bench)
