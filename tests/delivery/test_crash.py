"""A kill -9 at any moment loses nothing and doubles nothing: in the end the release is the one that was never killed."""

import hashlib
import json
import multiprocessing
import os
import random
import sys
import time
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.release_worker import work
from tests.support.released_bank import ReleasedBank, campaign, copy, push, sms
from warehouse.home import Home

KILLS = int(os.environ.get("TOUCHLINE_KILLS", "4"))
"""How many processes are killed; `.ci/run` kills ten."""
DAYS_ON = 2 * 86_400 + 3 * 3_600
WAVES = (0.0, DAYS_ON)
KILLS_PER_WAVE = 3
PATIENCE = 120
"""Seconds that a run may take before it counts as hung."""
PROCESSES = multiprocessing.get_context("forkserver")
"""Processes that begin with everything imported: what is killed is the work, not the start of Python."""
PROCESSES.set_forkserver_preload(["tests.support.release_worker"])


def run(home: Home, wall: float, kill_after: float | None) -> float | None:
    """Run a worker; kill it so long after it is ready. The seconds it took, or None if it was killed."""
    here, there = PROCESSES.Pipe(duplex=False)
    worker = PROCESSES.Process(target=work, args=(str(home.root), wall, there))
    worker.start()
    there.close()
    try:
        assert here.poll(PATIENCE), "the worker did not open its stores"
        assert here.recv() == "ready"
        started = time.monotonic()
        finished = here.poll(PATIENCE if kill_after is None else kill_after)
        took = time.monotonic() - started
        worker.kill()  # SIGKILL
        if finished:
            assert here.recv() == "done"
            return took
        assert kill_after is not None, "a run that nobody killed did not come to its end"
        return None
    finally:
        worker.join(60)
        worker.close()
        here.close()


def left(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.glob("*.jsonl"))}


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_kills_at_random_moments_change_nothing(
    demo_home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A new process imports the main module of this one, which after a test of the pages is a page.
    monkeypatch.setitem(sys.modules, "__main__", ModuleType("__main__"))
    bank = ReleasedBank(demo_home)
    release = bank.approved(campaign(push(), sms(2), holdout=5)).id
    bank.close()
    clean = copy(demo_home, tmp_path / "clean")
    spans = {wall: finished(clean, wall) for wall in WAVES}
    dice, kills, rounds = random.Random(7), 0, 0
    while kills < KILLS:
        rounds += 1
        home = copy(demo_home, tmp_path / f"round-{rounds}")
        for wall in WAVES:
            # A wave dies at most so often and is then let run: however slow the machine, the test ends.
            for _ in range(min(KILLS_PER_WAVE, KILLS - kills)):
                took = run(home, wall, dice.uniform(0.0, spans[wall]))
                if took is not None:
                    spans[wall] = min(spans[wall], took)
                    break
                kills += 1
            finished(home, wall)
        check(home, clean, release)


def finished(home: Home, wall: float) -> float:
    """Let a run come to its end; the seconds it took."""
    took = run(home, wall, None)
    assert took is not None
    return took


def check(home: Home, clean: Home, release: str) -> None:
    folder = home.outbox / release
    files = left(folder)
    assert files == left(clean.outbox / release)
    manifest = json.loads((folder / "manifest.json").read_text())
    assert {f["file"]: f["sha256"] for f in manifest["files"]} == {
        name: hashlib.sha256(data).hexdigest() for name, data in files.items()
    }
    keys = [json.loads(line)["key"] for data in files.values() for line in data.splitlines()]
    assert len(keys) == len(set(keys)) == manifest["rows"] > 1000
    bank = ReleasedBank(home, DAYS_ON)
    try:
        assert bank.authority.audit.verify().ok
        assert bank.records.proposal(release).status == "released"
        sent = bank.warehouse.read(
            "SELECT touch_id FROM touches WHERE campaign_id = ? AND status = 'sent' AND sent_at IS NOT NULL", [release]
        ).rows
        assert {row[0] for row in sent} == set(keys)
        assert len(sent) == len(keys)
        over = bank.count(
            """SELECT count(*) FROM (SELECT customer_id FROM touches WHERE campaign_id = ?
               GROUP BY customer_id, channel, date_trunc('day', decided_at + INTERVAL 8 HOUR) HAVING count(*) > 1)""",
            release,
        )
        assert over == 0
        doubled = "SELECT count(*) - count(DISTINCT (campaign_id, customer_id)) FROM assignments WHERE campaign_id = ?"
        assert bank.count(doubled, release) == 0
    finally:
        bank.close()
