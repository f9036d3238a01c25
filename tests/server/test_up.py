"""`touchline up`: server and pages together, and both gone after one signal."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx

from warehouse.home import Home

ROOT = Path(__file__).parents[2]


def answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False, timeout=5).status_code == 200
    except httpx.TransportError:
        return False


def test_server_and_pages_start_and_stop_together(demo_home: Home, tmp_path: Path) -> None:
    log = tmp_path / "up.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "cli.main",
                "up",
                "--home",
                str(demo_home.root),
                "--port",
                "19100",
                "--ui-port",
                "19150",
            ],
            cwd=ROOT,
            env={**os.environ, "TOUCHLINE_LANG": "en"},
            stdout=out,
            stderr=out,
        )
    try:
        deadline = time.monotonic() + 90
        while "demo sign-ins" not in log.read_text() and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.2)
        text = log.read_text()
        pages = next(line.split()[1] for line in text.splitlines() if line.startswith("pages"))
        api = next(line.split()[1] for line in text.splitlines() if line.startswith("API"))
        assert answers(f"{api}/health")
        while not answers(f"{pages}/_stcore/health") and time.monotonic() < deadline:
            time.sleep(0.2)
        assert answers(f"{pages}/_stcore/health")
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    assert not answers(f"{pages}/_stcore/health")
    assert not answers(f"{api}/health")
    assert not demo_home.owner_file.exists()
