"""Fixtures that several rooms' tests share: a built demo bank, the real data, and what a skip means in CI."""

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from knowledge import PlaybookIndex
from server.stores import Stores
from warehouse import demo_bank
from warehouse.catalog import Catalog
from warehouse.home import Home
from warehouse.store import Warehouse

ROOT = Path(__file__).parents[1]
AS_OF = datetime(2026, 11, 18, 1, 0, tzinfo=UTC)
CUSTOMERS = 3_000


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Where TOUCHLINE_FORBID_SKIPS is set (.ci/run), a skipped test has failed: what it needs ought to be there."""
    report = yield
    if report.skipped and os.environ.get("TOUCHLINE_FORBID_SKIPS") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, which CI forbids: {report.longrepr}"
    return report


@pytest.fixture(autouse=True)
def _no_model_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test speaks to an endpoint that happens to be configured on the developer's machine."""
    for name in list(os.environ):
        if name.startswith(("TOUCHLINE_MODEL_", "OPENAI_")):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with the real data; the test is skipped where it is missing."""
    folder = Path(os.environ.get("TOUCHLINE_SHARED", ROOT.parent / "shared"))
    if not (folder / "data").is_dir():
        pytest.skip("the real data in ../shared is not here")
    return folder


@pytest.fixture(scope="session")
def demo_master(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A demo bank of 3,000 customers, built once. Never write to it: take `demo_home`."""
    home = Home(tmp_path_factory.mktemp("demo") / "home")
    demo_bank.build(home, customers=CUSTOMERS, seed=7, as_of=AS_OF)
    PlaybookIndex(home.chroma).warm()
    stores = Stores(home)
    assert stores.authority, "migrated, and with its people, whose passwords take long to hash"
    stores.close()
    return home


@pytest.fixture
def demo_home(demo_master: Home, tmp_path: Path) -> Home:
    """A fresh copy of the demo bank."""
    shutil.copytree(demo_master.root, tmp_path / "home", ignore=shutil.ignore_patterns("*.lock", "owner.json"))
    return Home(tmp_path / "home")


@pytest.fixture
def warehouse(demo_home: Home) -> Iterator[Warehouse]:
    """The copied demo bank's warehouse, writable."""
    with Warehouse(demo_home.warehouse, folders=[demo_home.inbox, demo_home.exports, demo_home.outbox]) as store:
        yield store


@pytest.fixture
def catalog(demo_home: Home) -> Catalog:
    return Catalog.load(demo_home.catalog)
