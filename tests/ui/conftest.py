"""A real server over a copy of the demo bank, and people at its pages."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pages import Pages, running

from warehouse.home import Home


@pytest.fixture(scope="module")
def api(demo_master: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a server for the tests of a module; they must not depend on each other's changes."""
    folder = tmp_path_factory.mktemp("pages")
    shutil.copytree(demo_master.root, folder / "home", ignore=shutil.ignore_patterns("*.lock", "owner.json"))
    with running(Home(folder / "home"), "serve", folder / "log", 18800) as at:
        yield at["API"]


@pytest.fixture
def visit(api: str, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Pages]:
    """Open the pages in a language, signed in if an account is named."""
    monkeypatch.setenv("TOUCHLINE_URL", api)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    def open_(language: str = "en", account: str = "") -> Pages:
        pages = Pages(language)
        return pages.sign_in(account) if account else pages

    return open_


@pytest.fixture
def up(demo_home: Home, tmp_path: Path) -> Iterator[tuple[str, Home]]:
    """`touchline up` on a fresh demo home: the pages' address, and the home."""
    assert "TOUCHLINE_URL" not in os.environ
    with running(demo_home, "up", tmp_path / "up.log", 18900) as at:
        yield at["pages"], demo_home
