"""Try the mutants: break each rule in a copy of the project and see a test fail.

.venv/bin/python -m tests.mutants.run [--only WORD] [--write]

Exits 1 when a mutant survives. `--write` keeps what was seen in docs/mutants.md.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.mutants.listing import ROOT, Mutant, mutants

LEFT_OUT = (
    ".venv",
    ".git",
    "var",
    "results",
    "runs",
    "images",
    "__pycache__",
    ".mypy_cache",
    ".ruff_cache",
    ".hypothesis",
)
LONGEST_S = 300
"""Seconds that the tests of one mutant may take."""
PAGE = ROOT / "docs" / "mutants.md"


def caught_by(copy: Path, mutant: Mutant) -> str | None:
    """The first test that fails once the rule is broken in the copy; None when all pass.

    Raises:
        RuntimeError: the mutant does not fit the code, or the tests could not be run at all.
    """
    if problem := mutant.misplaced(copy):
        raise RuntimeError(problem)
    path = copy / mutant.file
    sound = path.read_text("utf-8")
    path.write_text(sound.replace(mutant.old, mutant.new), "utf-8")
    try:
        return _failing(copy, mutant.tests)
    finally:
        path.write_text(sound, "utf-8")


def _failing(copy: Path, tests: tuple[str, ...]) -> str | None:
    environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1", "TOUCHLINE_KILLS": "1"}
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "--no-header", *tests]
    try:
        ran = subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, timeout=LONGEST_S)
    except subprocess.TimeoutExpired:
        return f"{tests[0]} (did not come to an end)"
    if ran.returncode == 0:
        return None
    failed = re.search(r"^(?:FAILED|ERROR) (\S+)", ran.stdout, re.MULTILINE)
    if ran.returncode == 1 and failed:
        return failed.group(1)
    raise RuntimeError(f"pytest ended with {ran.returncode}: {(ran.stdout + ran.stderr)[-600:]}")


def tried(only: str) -> Iterator[tuple[str, Mutant, str | None]]:
    """(room, mutant, the test that caught it or None), one after the other."""
    with tempfile.TemporaryDirectory(prefix="touchline-mutants-") as folder:
        copy = Path(folder) / "project"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*LEFT_OUT))
        for room, items in mutants(only).items():
            for mutant in items:
                yield room, mutant, caught_by(copy, mutant)


def page(seen: list[tuple[str, Mutant, str | None]]) -> str:
    """What was seen, as a page of the docs."""
    rows = [f"| {room} | {mutant.name} | `{mutant.file}` | `{test}` |" for room, mutant, test in seen]
    return "\n".join(
        [
            "# Mutants",
            "",
            "Rules broken on purpose, and the first test that failed when they were. The lists are `tests/mutants/*.yaml`;",
            "`.venv/bin/python -m tests.mutants.run --write` tries them all again and writes this page.",
            "",
            f"{len(seen)} mutants, {sum(test is not None for _, _, test in seen)} caught.",
            "",
            "| room | broken rule | file | caught by |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--only", default="", help="only rooms or names that contain this")
    options.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(ROOT)}")
    asked = options.parse_args()
    seen = []
    for room, mutant, test in tried(asked.only):
        print(f"{'caught  ' if test else 'SURVIVED'}  {room}: {mutant.name}{f'  ({test})' if test else ''}", flush=True)
        seen.append((room, mutant, test))
    if asked.write:
        PAGE.write_text(page(seen), "utf-8")
    return 0 if all(test for _, _, test in seen) else 1


if __name__ == "__main__":
    sys.exit(main())
