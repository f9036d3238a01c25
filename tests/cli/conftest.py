"""The service reached both ways: in-process on a free home, and over HTTP at a real server that owns it."""

import io
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from cli.credentials import Who
from cli.desk import at_desk
from cli.main import main
from warehouse.home import Home

ROOT = Path(__file__).parents[2]
START_S = 150.0

Desk = Callable[..., AbstractContextManager[object]]


def serve(home: Home, log: Path) -> "subprocess.Popen[bytes]":
    """Start `touchline serve` and wait until it is ready."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "cli.main", "serve", "--home", str(home.root), "--port", "18800"],
            cwd=ROOT,
            stdout=out,
            stderr=out,
        )
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        owner = home.owner()
        if owner and owner.get("pid") == process.pid and owner.get("url"):
            try:
                if httpx.get(f"{owner['url']}/v1/ready", trust_env=False).status_code == 200:
                    return process
            except httpx.TransportError:
                pass
        time.sleep(0.1)
    process.kill()
    process.wait()
    raise AssertionError(f"The server did not start:\n{log.read_text()}")


@pytest.fixture(scope="session")
def started() -> "Callable[[Home, Path], subprocess.Popen[bytes]]":
    """How a test starts a server of its own."""
    return serve


@pytest.fixture(scope="module", params=["in-process", "http"])
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def unserved(demo_master: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A copy of the demo bank for all tests in-process."""
    return copied(demo_master, tmp_path_factory.mktemp("in-process"))


@pytest.fixture(scope="session")
def served(demo_master: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A copy of the demo bank that one server owns, for all tests over HTTP."""
    folder = tmp_path_factory.mktemp("http")
    home = copied(demo_master, folder)
    process = serve(home, folder / "server.log")
    yield home
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0


def copied(master: Home, folder: Path) -> Home:
    shutil.copytree(master.root, folder / "home", ignore=shutil.ignore_patterns("*.lock", "owner.json"))
    return Home(folder / "home")


@pytest.fixture(scope="module")
def home(way: str, request: pytest.FixtureRequest) -> Home:
    """The home of a way. Shared by all tests of it: they leave no trace that another would stumble over."""
    found: Home = request.getfixturevalue("unserved" if way == "in-process" else "served")
    return found


@pytest.fixture
def desk(home: Home) -> Desk:
    """`with desk("operator") as d:` or `with desk("approver", password=True) as d:`"""

    def sit(
        user: str | None = None, *, password: bool = False, token: str | None = None
    ) -> AbstractContextManager[object]:
        return at_desk(home.root, Who(user=user, token=token, password=f"{user}-demo" if password else None))

    return sit


@pytest.fixture(scope="session")
def free_home(demo_master: Home, tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A copy of the demo bank that nobody owns."""
    folder = tmp_path_factory.mktemp("free") / "home"
    shutil.copytree(demo_master.root, folder, ignore=shutil.ignore_patterns("*.lock", "owner.json"))
    return Home(folder)


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Run the command in this process: all of `main`, without starting an interpreter each time."""

    def run(*args: str, input: str = "", **environment: str) -> Ran:
        with monkeypatch.context() as patch:
            for name in [n for n in os.environ if n.startswith("TOUCHLINE_")]:
                patch.delenv(name)
            for name, value in environment.items():
                patch.setenv(name, value)
            patch.setattr(sys, "argv", ["touchline", *args])
            patch.setattr(sys, "stdin", io.StringIO(input))
            capsys.readouterr()
            with pytest.raises(SystemExit) as left:
                main()
        out, err = capsys.readouterr()
        return Ran(int(left.value.code or 0), out, err)

    return run


@pytest.fixture
def touchline() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the command as a process."""

    def run(*args: str, input: str | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("TOUCHLINE_")}
        return subprocess.run(
            [sys.executable, "-m", "cli.main", *args],
            cwd=ROOT,
            env={**kept, "TOUCHLINE_LANG": "en", **environment},
            input=input,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )

    return run
