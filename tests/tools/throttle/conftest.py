from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.small_bank import SmallBank, build_small_bank, copied, open_small_bank


@pytest.fixture(scope="session")
def small_master(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("small") / "home"
    build_small_bank(root)
    return root


@pytest.fixture
def bank(small_master: Path, tmp_path: Path) -> Iterator[SmallBank]:
    with open_small_bank(copied(small_master, tmp_path / "home")) as made:
        yield made
