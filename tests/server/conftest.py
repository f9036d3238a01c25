"""A real `touchline serve` on loopback over a copy of the demo bank, and people who speak to it."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from warehouse.home import Home

ROOT = Path(__file__).parents[2]
START_S = 150.0


@dataclass
class Running:
    """A server process and its home."""

    home: Home
    process: "subprocess.Popen[bytes]"
    url: str
    log: Path

    def client(self, token: str = "", **headers: str) -> httpx.Client:
        given = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.Client(base_url=f"{self.url}/v1", headers={**given, **headers}, timeout=60, trust_env=False)

    def sign_in(self, account: str) -> httpx.Client:
        """A client of a demo user in a password session."""
        with self.client() as anybody:
            answer = anybody.post("/sign-in", json={"account": account, "password": f"{account}-demo"})
        assert answer.status_code == 200, answer.text
        return self.client(answer.json()["token"])

    def local(self, user: str = "operator") -> httpx.Client:
        """A client with the home's local token."""
        owner = self.home.owner()
        assert owner is not None
        return self.client(str(owner["token"]), **{"X-Touchline-User": user})


def start(home: Home, log: Path, port: int = 18700) -> Running:
    """Start a server on a home and wait until it answers."""
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "cli.main", "serve", "--home", str(home.root), "--port", str(port)],
            cwd=ROOT,
            env={**os.environ, "TOUCHLINE_LANG": "en"},
            stdout=out,
            stderr=out,
        )
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        owner = home.owner()
        if owner and owner.get("pid") == process.pid and owner.get("url"):
            try:
                if httpx.get(f"{owner['url']}/v1/health", trust_env=False).status_code == 200:
                    return Running(home, process, str(owner["url"]), log)
            except httpx.TransportError:
                pass
        time.sleep(0.1)
    process.kill()
    process.wait()
    raise AssertionError(f"The server did not start:\n{log.read_text()}")


def stop(running: Running) -> int:
    if running.process.poll() is None:
        running.process.send_signal(signal.SIGTERM)
    return running.process.wait(30)


@pytest.fixture(scope="session")
def server(demo_master: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One server for all tests that leave it running; they must not depend on each other's changes."""
    folder = tmp_path_factory.mktemp("served")
    shutil.copytree(demo_master.root, folder / "home", ignore=shutil.ignore_patterns("*.lock", "owner.json"))
    running = start(Home(folder / "home"), folder / "server.log")
    yield running
    stop(running)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Start servers that a test stops or breaks itself; all are stopped at the end."""
    started: list[Running] = []

    def begin(home: Home, port: int = 18700) -> Running:
        running = start(home, tmp_path / f"server{len(started)}.log", port)
        started.append(running)
        return running

    yield begin
    for running in started:
        stop(running)
