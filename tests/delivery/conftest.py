"""A fresh released bank per test."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from tests.support.lively_bank import build_lively_bank
from tests.support.released_bank import ReleasedBank
from tests.support.small_bank import copied
from warehouse.home import Home


@pytest.fixture
def bank(demo_home: Home) -> Iterator[ReleasedBank]:
    opened = ReleasedBank(demo_home)
    yield opened
    opened.close()


OPENED = datetime.fromisoformat("2026-11-02T09:00:00+08:00")


@pytest.fixture(scope="session")
def lively_master(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("lively") / "home"
    build_lively_bank(root)
    ReleasedBank(Home(root), start=OPENED).close()  # the people of the control plane
    return root


@pytest.fixture
def lively(lively_master: Path, tmp_path: Path) -> Iterator[ReleasedBank]:
    """Sixty customers with a fortnight of life, on a clock that begins with it."""
    opened = ReleasedBank(Home(copied(lively_master, tmp_path / "home")), start=OPENED)
    yield opened
    opened.close()
