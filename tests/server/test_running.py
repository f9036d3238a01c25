"""The server as a process: ports, owners, signals, what is left behind."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from server.run import listen, url_of
from server.scheduler import Scheduler
from warehouse.errors import AdminFixes
from warehouse.home import Home, HomeBusy

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


def touchline(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *args],
        cwd=ROOT,
        env={**os.environ, "TOUCHLINE_LANG": "en"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_taken_port_gives_way_to_the_next_free_one() -> None:
    first = listen(18900)
    taken = first.getsockname()[1]
    second = listen(taken)
    assert second.getsockname()[1] > taken
    assert url_of(second) == f"http://127.0.0.1:{second.getsockname()[1]}"
    first.close()
    second.close()


def test_a_host_of_another_machine_is_refused() -> None:
    with pytest.raises(AdminFixes, match="Nothing can listen"):
        listen(18950, "203.0.113.7")


def test_a_second_server_on_the_home_is_told_who_owns_it(server) -> None:
    second = touchline("serve", "--home", str(server.home.root))
    assert second.returncode == 2
    assert server.url in second.stderr
    assert str(server.process.pid) in second.stderr
    assert len(second.stderr.strip().splitlines()) == 1
    assert httpx.get(f"{server.url}/v1/health", trust_env=False).status_code == 200


def test_a_taken_port_is_told_and_ctrl_c_gives_the_home_back(serve, server, demo_home: Home) -> None:
    """Two homes are served side by side; the second one's port is that of the first."""
    taken = int(server.url.rpartition(":")[2])
    running = serve(demo_home, taken)
    assert running.url != server.url
    assert f"Port {taken} is taken" in running.log.read_text()
    gives_the_home_back(running, signal.SIGINT)


def gives_the_home_back(running, number: signal.Signals) -> None:
    with pytest.raises(HomeBusy), running.home.own():
        pass
    running.process.send_signal(number)
    assert running.process.wait(30) == 0
    assert not running.home.owner_file.exists()
    with running.home.own():
        pass
    assert "Traceback" not in running.log.read_text()


def test_a_killed_server_leaves_a_home_that_can_be_used_and_a_signal_stops_the_next(serve, demo_home: Home) -> None:
    running = serve(demo_home)
    running.process.kill()
    running.process.wait()
    assert demo_home.owner_file.exists()  # nobody could remove it; the lock is what counts
    counted = touchline("segment", "count", "everyone", "--home", str(demo_home.root), "--json")
    assert counted.returncode == 0, counted.stderr
    again = serve(demo_home)
    assert httpx.get(f"{again.url}/v1/health", trust_env=False).status_code == 200
    gives_the_home_back(again, signal.SIGTERM)


def test_it_becomes_ready(server) -> None:
    deadline = time.monotonic() + 120
    with server.client() as anybody:
        while (answer := anybody.get("/ready")).status_code != 200 and time.monotonic() < deadline:
            assert answer.json()["code"] == "configuration"
            time.sleep(0.2)
    assert answer.status_code == 200, answer.text


def test_it_says_503_with_the_reason_while_a_store_cannot_be_opened(serve, demo_home: Home) -> None:
    (demo_home.root / "control.sqlite").write_bytes(b"no database at all" * 200)
    running = serve(demo_home)
    deadline = time.monotonic() + 120
    with running.client() as anybody:
        while "starting" in (answer := anybody.get("/ready")).json().get("detail", "") and time.monotonic() < deadline:
            time.sleep(0.2)
    assert answer.status_code == 503, answer.text
    assert answer.json()["store"] == "records"
    assert answer.json()["fix"]


def test_a_scheduler_survives_what_can_be_mended_and_says_so() -> None:
    import threading

    calls: list[int] = []
    done = threading.Event()

    def work() -> None:
        calls.append(1)
        if len(calls) == 1:
            raise AdminFixes("The outbox is full.", "Empty it.")
        done.set()

    scheduler = Scheduler(work, interval_s=60)
    scheduler.start()
    while not calls:
        pass
    scheduler.nudge()
    assert done.wait(5)
    scheduler.stop()
    assert len(calls) >= 2
    assert scheduler.failure == ""


def test_a_scheduler_that_met_the_unforeseen_is_not_well(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    monkeypatch.setattr(threading, "excepthook", lambda _: None)
    scheduler = Scheduler(lambda: [][1], interval_s=60)
    scheduler.start()
    scheduler.stop(5)
    assert not scheduler.alive
    assert scheduler.failure == "stopped"
