"""One planted house for the attacks of a module."""

import shutil
from collections.abc import Iterator

import pytest
from attacked_house import House, hostile_playbooks, plant

from knowledge import PlaybookIndex
from knowledge.library import BUILTIN
from server.stores import Stores
from warehouse.home import Home


@pytest.fixture(scope="module")
def house(demo_master: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One planted house for the tests of a module: each attack leaves it as it was, or the test fails."""
    folder = tmp_path_factory.mktemp("attacked")
    shutil.copytree(demo_master.root, folder / "home", ignore=shutil.ignore_patterns("*.lock", "owner.json"))
    home = Home(folder / "home")
    plant(home)
    stores = Stores(home)
    playbooks = PlaybookIndex(home.chroma, folders=[BUILTIN, hostile_playbooks(folder / "own")])
    assert "hostile" in {p.id for p in playbooks.all()}
    found = House(stores, playbooks, stores.authority.actor("operator"))
    yield found
    stores.close()
