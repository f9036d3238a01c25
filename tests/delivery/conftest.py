"""A fresh released bank per test."""

from collections.abc import Iterator

import pytest

from tests.support.released_bank import ReleasedBank
from warehouse.home import Home


@pytest.fixture
def bank(demo_home: Home) -> Iterator[ReleasedBank]:
    opened = ReleasedBank(demo_home)
    yield opened
    opened.close()
