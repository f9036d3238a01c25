"""One engine, two clocks: at the same clock readings over the same data a dry run and a release decide the same."""

import os
import random
from datetime import datetime, timedelta

import duckdb
import pytest

from tests.support.random_canvases import KINDS, TRIGGERS, random_canvas
from tests.support.released_bank import ReleasedBank
from tools.canvas import Canvas, DryEffects
from tools.canvas.dry_run import ENROLMENTS, Replay
from tools.throttle import load_policy

OPENED = datetime.fromisoformat("2026-11-02T09:00:00+08:00")
ROW = "customer_id, entry_no, entered_at, node_id, arrived_at, due_at, expires_at, state, arm, sent, left_at"
DECISION = "touch_id, customer_id, node_id, channel, category, arm, wave, decision, rule, until, decided_at"
MANY = int(os.environ.get("TOUCHLINE_CANVASES", "7"))


class Recording(DryEffects):
    """A dry run's effects that also keep every single decision, as a release does."""

    def __init__(self, con: duckdb.DuckDBPyConnection, *more: object) -> None:
        super().__init__(con, *more)  # type: ignore[arg-type]
        con.execute(
            "CREATE OR REPLACE TEMP TABLE kept (touch_id VARCHAR, customer_id BIGINT, node_id VARCHAR, channel VARCHAR, "
            "category VARCHAR, arm VARCHAR, wave INTEGER, decision VARCHAR, rule VARCHAR, until TIMESTAMP, decided_at TIMESTAMP)"
        )

    def decide(self, con, candidates, instant, limits):  # type: ignore[no-untyped-def]
        decided = super().decide(con, candidates, instant, limits)
        self.note(con, decided, instant)
        return decided

    def note(self, con, decided, instant):  # type: ignore[no-untyped-def]
        con.execute(f"INSERT INTO kept SELECT {DECISION.replace('decided_at', '?')} FROM {decided}", [_naive(instant)])


def _naive(instant: datetime) -> datetime:
    return instant.replace(tzinfo=None) - (instant.utcoffset() or timedelta())


def readings(dice: random.Random, pauses: tuple[int, ...]) -> list[datetime]:
    """Uneven clock readings over a fortnight, as a server's scheduler might have made them with pauses in between."""
    found = [OPENED]
    while found[-1] < OPENED + timedelta(days=13):
        found.append(found[-1] + timedelta(minutes=dice.choice(pauses)))
    return found


def dry(bank: ReleasedBank, canvas: Canvas, key: str, moments: list[datetime]) -> dict[str, list[tuple[object, ...]]]:
    from tools.segment import Segments

    segments = Segments(bank.warehouse, bank.catalog, bank.records, bank.authority.actor("operator"))
    with bank.warehouse.overlay() as con:
        replay = Replay(con, canvas, segments, load_policy(bank.home), moments[0], key, Recording)
        for moment in moments:
            replay.advance(moment)
        return {
            "enrolments": con.execute(f"SELECT {ROW} FROM {ENROLMENTS} ORDER BY ALL").fetchall(),
            "decisions": con.execute(f"SELECT {DECISION} FROM kept ORDER BY ALL").fetchall(),
            "tags": con.execute("SELECT name, customer_id, since, until FROM dry_tags ORDER BY ALL").fetchall(),
        }


def real(bank: ReleasedBank, release: str, moments: list[datetime]) -> dict[str, list[tuple[object, ...]]]:
    deliverer = bank.new_deliverer()
    for place, moment in enumerate(moments):
        bank.wall = (moment - OPENED).total_seconds()
        if place % 7 == 3:
            deliverer = bank.new_deliverer()  # a restart
        assert not [r.problem for r in deliverer.run_due() if r.problem]
    read = bank.warehouse.read
    return {
        "enrolments": read(f"SELECT {ROW} FROM enrolments WHERE journey_id = ? ORDER BY ALL", [release]).rows,
        "decisions": read(
            f"""SELECT {DECISION} FROM (
                  SELECT *, 'send' AS decision, NULL::TIMESTAMP AS until FROM touches WHERE campaign_id = $r
                  UNION ALL BY NAME SELECT * FROM decisions WHERE campaign_id = $r AND decision <> 'hold_out')
                ORDER BY ALL""",
            {"r": release},
        ).rows,
        "tags": read("SELECT name, customer_id, since, until FROM canvas_tags WHERE journey_id = ? ORDER BY ALL", [release]).rows,
    }  # fmt: skip


def compare(
    bank: ReleasedBank, canvas: Canvas, dice: random.Random, pauses: tuple[int, ...]
) -> dict[str, list[tuple[object, ...]]]:
    moments = readings(dice, pauses)
    proposal = bank.approved_stream(canvas)
    simulated = dry(bank, canvas, proposal.id, moments)
    happened = real(bank, proposal.id, moments)
    for what, rows in simulated.items():
        assert happened[what] == rows, what
    left = bank.folder(proposal.id)
    lines = sum(len(file.read_text("utf-8").splitlines()) for file in left.glob("*.jsonl"))
    assert lines == sum(1 for row in simulated["decisions"] if row[7] == "send")
    return simulated


@pytest.mark.timeout(600)
@pytest.mark.parametrize("place", [0, pytest.param(3, marks=pytest.mark.slow)])
def test_a_dry_run_and_a_release_decide_the_same(lively: ReleasedBank, place: int) -> None:
    found = compare(lively, random_canvas(random.Random(place), TRIGGERS[place]), random.Random(place), (1300, 2500))
    assert found["enrolments"]
    assert found["decisions"]


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(MANY))
def test_many_dry_runs_and_releases_decide_the_same(lively: ReleasedBank, seed: int) -> None:
    dice = random.Random(100 + seed)
    canvas = random_canvas(dice, TRIGGERS[seed % len(TRIGGERS)])
    compare(lively, canvas, dice, (7, 60, 640, 1500))


def test_the_random_canvases_have_every_kind_of_node() -> None:
    kinds = {node.kind for node in random_canvas(random.Random(1)).nodes}
    assert kinds >= {*KINDS, "entry", "exit"}
