from collections.abc import Iterator
from pathlib import Path

import pytest

from knowledge import PlaybookIndex
from tests.support.small_bank import OPERATOR, SmallBank, build_small_bank, copied, open_small_bank
from tools.base import ToolContext


@pytest.fixture(scope="session")
def small_master(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("small") / "home"
    build_small_bank(root)
    return root


@pytest.fixture
def bank(small_master: Path, tmp_path: Path) -> Iterator[SmallBank]:
    with open_small_bank(copied(small_master, tmp_path / "home")) as made:
        yield made


@pytest.fixture
def context(bank: SmallBank) -> ToolContext:
    return ToolContext(
        home=bank.home,
        warehouse=bank.warehouse,
        catalog=bank.catalog,
        records=bank.records,
        playbooks=PlaybookIndex(bank.home.chroma),
        clock=bank.clock,
        actor=OPERATOR,
        thread="t1",
        language="zh",
    )
