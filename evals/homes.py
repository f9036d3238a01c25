"""The banks that cases are asked on: built once per run in a temporary folder, copied where a case plants something."""

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path

from evals.schema import HomeKind
from warehouse import demo_bank, importer
from warehouse.errors import AdminFixes
from warehouse.home import Home

ROOT = Path(__file__).parents[1]
AS_OF = datetime(2026, 11, 18, 1, 0, tzinfo=UTC)
"""The data cut-off of the demo bank that cases speak of: Wednesday 18 November 2026, 09:00 in Shanghai."""
CUSTOMERS = 5_000

_REAL: dict[HomeKind, tuple[str, str, str]] = {
    "uci": ("uci_bank.yaml", "bank", "uci_bank_full.csv.gz"),
    "kz": ("kz_credit.yaml", "mailing", "kz_credit_mailing.parquet"),
}


def shared_data() -> Path:
    """The folder of the real data; TOUCHLINE_SHARED names another `shared` than the one beside the project."""
    return Path(os.environ.get("TOUCHLINE_SHARED", ROOT.parent / "shared")) / "data"


class Homes:
    """Master homes of one run. Nothing outside `folder` is written.

    Args:
        folder: a temporary folder; whoever made it removes it.
        demo: an existing demo home to copy instead of building one.

    Raises:
        AdminFixes: `demo` is no demo home.
    """

    def __init__(self, folder: Path, *, seed: int = 7, customers: int = CUSTOMERS, demo: Path | None = None) -> None:
        self.folder = folder
        self.seed = seed
        self.customers = customers
        self._demo = _demo_home(demo) if demo is not None else None
        self._masters: dict[HomeKind, Home] = {}
        self._copies = 0

    def missing(self, kind: HomeKind) -> str:
        """Why a kind of home cannot be built here; empty if it can."""
        if kind == "demo":
            return ""
        mapping, _, file = _REAL[kind]
        if not (ROOT / "warehouse" / "mappings" / mapping).exists():
            return f"there is no mapping {mapping}"
        return "" if (shared_data() / file).exists() else f"the real data {file} is not in {shared_data()}"

    def master(self, kind: HomeKind) -> Home:
        """The home of a kind, built at the first call."""
        if kind not in self._masters:
            self._masters[kind] = self._build(kind)
        return self._masters[kind]

    def copy(self, kind: HomeKind) -> Home:
        """A fresh copy that a case may spoil."""
        self._copies += 1
        return _copy(self.master(kind).root, self.folder / f"{kind}-{self._copies}")

    def _build(self, kind: HomeKind) -> Home:
        root = self.folder / f"{kind}-master"
        if kind == "demo":
            if self._demo is not None:
                return _copy(self._demo, root)
            home = Home(root)
            demo_bank.build(home, customers=self.customers, seed=self.seed, as_of=AS_OF)
            return home
        mapping, source, file = _REAL[kind]
        home = Home(root)
        importer.run(home, ROOT / "warehouse" / "mappings" / mapping, {source: shared_data() / file}, demo=True)
        return home


def _demo_home(root: Path) -> Path:
    if Home(root).info().kind != "demo":
        raise AdminFixes(f"{root} is a real home.", "Evals run on demo homes only; leave --home out to build one.")
    return root


def _copy(source: Path, target: Path) -> Home:
    # A conversation of the original is none of the copy's business, and its lock is not ours.
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("home.lock", "owner.json", "threads.sqlite*"))
    return Home(target)
