"""The engine on a simulated clock, and the dry run: no future, no difference between runs, nobody lost."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import duckdb
import pytest

from tests.support.canvases import canvas_of
from tests.support.small_bank import AS_OF, SmallBank
from tools.canvas import Canvas, DryEffects, DryRun, Journey, dry_run, enrolments_ddl, tick
from tools.canvas.schema import Goal
from tools.segment import bucket, threshold
from tools.throttle import ThrottlePolicy
from warehouse.errors import DeveloperFixes, ModelRetry

START = datetime(2026, 11, 9, 1, 0, tzinfo=UTC)  # Monday 09:00 in the bank
SMS = {"channel": "sms", "day": 0, "hour": 12}
PUSH = {"channel": "push", "day": 3, "hour": 12}
CALL = {"channel": "call", "day": 4, "hour": 10}


def run(
    bank: SmallBank, canvas: Canvas, policy: ThrottlePolicy | None = None, start: datetime | None = START
) -> DryRun:
    return dry_run(canvas, bank.segments, policy or ThrottlePolicy(), start)


def conserved(result: DryRun) -> None:
    for n in result.nodes:
        parts = (n.held_out, n.capped, n.deferred, n.abandoned, n.sent, n.passed, n.goal, n.left, n.waiting)
        assert n.entered == sum(parts), n


def node(result: DryRun, name: str):  # type: ignore[no-untyped-def]
    return next(n for n in result.nodes if n.id == name)


def test_the_hold_out_is_the_keyed_hash(bank: SmallBank) -> None:
    held = {n for n in range(1, 21) if bucket("wave-a", n) < threshold(30)}
    assert held  # golden by construction of md5: see tests of tools.segment
    with bank.warehouse.overlay() as con:
        con.execute(enrolments_ddl("e", temporary=True))
        journey = Journey(canvas_of(SMS, holdout_percent=30), "j", "j", bank.segments, "e")
        assert journey.enter(con, START) == 20
        assert journey.enter(con, START) == 0  # nobody twice
        tick(con, [journey], START, DryEffects(con, ThrottlePolicy(), bank.segments))
        rows = con.execute("SELECT customer_id FROM e WHERE state = 'held_out' AND arm = 'control'").fetchall()
    assert {row[0] for row in rows} == held


def test_arms_split_by_keyed_hash_and_touch_ids_are_stable(bank: SmallBank) -> None:
    arms = [{"name": "a", "share": 50, "text": "甲"}, {"name": "b", "share": 50, "text": "乙"}]
    canvas = canvas_of({**SMS, "hour": None, "arms": arms}, holdout_percent=0)
    rows: list[tuple[int, str, str, int]] = []

    class Watching(DryEffects):
        def decide(
            self, con: duckdb.DuckDBPyConnection, candidates: str, instant: datetime, limits: Mapping[str, int]
        ) -> str:
            rows.extend(con.execute(f"SELECT customer_id, arm, touch_id, wave FROM {candidates}").fetchall())
            return super().decide(con, candidates, instant, limits)

    with bank.warehouse.overlay() as con:
        con.execute(enrolments_ddl("e", temporary=True))
        journey = Journey(canvas, "j", "camp", bank.segments, "e")
        journey.enter(con, START)
        tick(con, [journey], START, Watching(con, ThrottlePolicy(), bank.segments))
    assert len(rows) == 20
    for customer, arm, touch_id, wave in rows:
        assert arm == ("a" if bucket("测试/touch_1", customer) < threshold(50) else "b")
        assert (touch_id, wave) == (f"camp.touch_1.{customer}", 1)


def test_waves_come_at_their_day_and_hour(bank: SmallBank) -> None:
    moments: list[tuple[str, datetime]] = []

    class Watching(DryEffects):
        def decide(
            self, con: duckdb.DuckDBPyConnection, candidates: str, instant: datetime, limits: Mapping[str, int]
        ) -> str:
            nodes = con.execute(f"SELECT DISTINCT node_id FROM {candidates}").fetchall()
            moments.extend((n, instant) for (n,) in nodes)
            return super().decide(con, candidates, instant, limits)

    with bank.warehouse.overlay() as con:
        con.execute(enrolments_ddl("e", temporary=True))
        journey = Journey(canvas_of(SMS, PUSH, CALL), "j", "j", bank.segments, "e")
        effects = Watching(con, ThrottlePolicy(), bank.segments)
        journey.enter(con, START)
        while due := journey.next_due(con):
            tick(con, [journey], due, effects)
    assert moments == [
        ("touch_1", datetime(2026, 11, 9, 4, tzinfo=UTC)),
        ("touch_2", datetime(2026, 11, 12, 4, tzinfo=UTC)),
        ("touch_3", datetime(2026, 11, 13, 2, tzinfo=UTC)),
    ]


def test_who_reaches_the_goal_leaves_before_the_next_touch(bank: SmallBank) -> None:
    everybody = canvas_of(SMS, PUSH, holdout_percent=0)
    bank.event(1, "purchase", "2026-11-10 03:00", product=1)  # between the waves
    bank.event(2, "purchase", "2026-11-10 03:00", product=3)  # a deposit: not the goal
    bank.event(3, "purchase", "2026-11-08 03:00", product=1)  # before entry
    result = run(bank, everybody)
    conserved(result)
    assert node(result, "touch_1").sent == 20
    assert node(result, "touch_2").sent == 19
    assert sum(n.goal for n in result.nodes) == 1


def test_a_goal_after_its_window_is_no_goal(bank: SmallBank) -> None:
    canvas = canvas_of(SMS, {**PUSH, "day": 5}, holdout_percent=0, goal=Goal(event="purchase", window_days=2))
    bank.event(1, "purchase", "2026-11-10 03:00", product=1)
    bank.event(2, "purchase", "2026-11-12 03:00", product=1)
    result = run(bank, canvas)
    assert sum(n.goal for n in result.nodes) == 1
    assert [(a.arm, a.reached_goal) for a in result.aftermath] == [("treatment", 1)]


def test_an_event_of_the_future_changes_no_decision(bank: SmallBank) -> None:
    canvas = canvas_of(SMS, PUSH, {**CALL, "only_if": "did(login, last 2d)"}, segment="not did(view_product, last 30d)")
    before = run(bank, canvas)
    for n in range(1, 21):
        bank.event(n, "view_product", "2026-11-09 01:00:01")  # a second after entry
        bank.event(n, "login", "2026-11-13 02:00:01")  # a second after the condition
        bank.event(n, "purchase", "2026-11-14 03:00", product=1)  # after the last touch
    after = run(bank, canvas)
    assert after.nodes == before.nodes
    assert node(after, "touch_3").entered == 0
    bank.event(4, "login", "2026-11-13 02:00:00")
    assert node(run(bank, canvas), "touch_3").entered == 1


def test_a_dry_run_twice_gives_the_same_and_leaves_no_trace(bank: SmallBank) -> None:
    canvas = canvas_of(SMS, PUSH, CALL)
    tables = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'main'"
    before = bank.warehouse.read(tables).scalar(), bank.warehouse.read("SELECT count(*) FROM touches").scalar()
    first, second = run(bank, canvas), run(bank, canvas)
    assert (first.nodes, first.aftermath) == (second.nodes, second.aftermath)
    assert before == (
        bank.warehouse.read(tables).scalar(),
        bank.warehouse.read("SELECT count(*) FROM touches").scalar(),
    )


def test_its_own_simulated_touches_count_for_caps(bank: SmallBank) -> None:
    canvas = canvas_of({**SMS, "hour": None}, {**SMS, "hour": 15, "only_if": "all"}, PUSH, holdout_percent=0)
    result = run(bank, canvas)
    conserved(result)
    assert (node(result, "touch_1").sent, node(result, "touch_2").sent, node(result, "touch_3").sent) == (20, 0, 20)
    assert node(result, "touch_2").by_rule == {"cap_channel_daily": 20}


def test_real_touches_of_the_past_count_and_those_after_the_instant_do_not(bank: SmallBank) -> None:
    bank.touch(1, "2026-11-09 03:00")
    bank.touch(2, "2026-11-09 05:00")
    result = run(bank, canvas_of(SMS, holdout_percent=0))
    assert (node(result, "touch_1").sent, node(result, "touch_1").capped) == (19, 1)


def test_deferred_customers_come_back_in_the_morning(bank: SmallBank) -> None:
    result = run(bank, canvas_of({**SMS, "hour": 22}, PUSH, holdout_percent=0))
    conserved(result)
    assert node(result, "touch_1").sent == 20
    assert node(result, "touch_1").deferred == 0
    stopped_at_night = dry_run(
        canvas_of({**SMS, "day": 8, "hour": 22}, holdout_percent=0), bank.segments, ThrottlePolicy(), START
    )
    conserved(stopped_at_night)
    assert node(stopped_at_night, "touch_1").deferred == 0  # 17 November 22:00 → 18 November 09:00, the cut-off
    assert node(stopped_at_night, "touch_1").sent == 20


def test_deferred_at_the_end_of_the_run_are_told(bank: SmallBank) -> None:
    late = START + timedelta(hours=12, minutes=1)
    result = run(bank, canvas_of({**SMS, "day": 8, "hour": 22}, holdout_percent=0), start=late)
    conserved(result)
    bank.run("UPDATE meta SET value = '2026-11-17T23:00:00+00:00' WHERE key = 'as_of'")
    result = run(bank, canvas_of({**SMS, "day": 8, "hour": 22}, holdout_percent=0))
    conserved(result)
    assert (node(result, "touch_1").deferred, node(result, "touch_1").sent) == (20, 0)


def test_abandoned_customers_go_on_to_the_next_wave(bank: SmallBank) -> None:
    bank.run("UPDATE consents SET opted_in = false WHERE channel = 'sms'")
    result = run(bank, canvas_of(SMS, PUSH, holdout_percent=0))
    conserved(result)
    assert (node(result, "touch_1").abandoned, node(result, "touch_2").sent) == (20, 20)


def test_the_maximum_of_touches_holds_over_all_waves(bank: SmallBank) -> None:
    result = run(bank, canvas_of(SMS, PUSH, holdout_percent=0, max_touches=25))
    conserved(result)
    assert (node(result, "touch_1").sent, node(result, "touch_2").sent) == (20, 5)
    assert node(result, "touch_2").by_rule == {"max_touches": 15}


def test_journeys_that_advance_together_are_arbitrated_together(bank: SmallBank) -> None:
    loud = canvas_of({**SMS, "hour": None}, holdout_percent=0, priority=90)
    quiet = canvas_of({**SMS, "hour": None}, holdout_percent=0, priority=10)
    with bank.warehouse.overlay() as con:
        con.execute(enrolments_ddl("e", temporary=True))
        journeys = [Journey(c, name, name, bank.segments, "e") for c, name in ((quiet, "quiet"), (loud, "loud"))]
        for journey in journeys:
            journey.enter(con, START)
        effects = DryEffects(con, ThrottlePolicy(), bank.segments)
        tick(con, journeys, START, effects)
        sent = Counter(row[0] for row in con.execute("SELECT campaign_id FROM dry_touches").fetchall())
        sent_by_row = con.execute("SELECT journey_id, sum(sent) FROM e GROUP BY 1 ORDER BY 1").fetchall()
    assert sent == {"loud": 20}
    assert sent_by_row == [("loud", 20), ("quiet", 0)]


def test_a_touch_straight_after_a_touch_is_a_second_round(bank: SmallBank) -> None:
    both = canvas_of({**SMS, "hour": None}, {"channel": "push", "only_if": "all"}, holdout_percent=0)
    result = run(bank, both)
    conserved(result)
    assert (node(result, "touch_1").sent, node(result, "touch_2").sent) == (20, 20)


def test_effects_that_defer_to_now_are_a_fault(bank: SmallBank) -> None:
    class Stuck(DryEffects):
        def decide(
            self, con: duckdb.DuckDBPyConnection, candidates: str, instant: datetime, limits: Mapping[str, int]
        ) -> str:
            con.execute(
                f"""CREATE OR REPLACE TEMP TABLE stuck AS
                    SELECT *, 'defer' AS decision, 'x' AS rule, ?::TIMESTAMP AS until FROM {candidates}""",
                [instant.replace(tzinfo=None)],
            )
            return "stuck"

    with bank.warehouse.overlay() as con:
        con.execute(enrolments_ddl("e", temporary=True))
        journey = Journey(canvas_of({**SMS, "hour": None}), "j", "j", bank.segments, "e")
        journey.enter(con, START)
        with pytest.raises(DeveloperFixes, match="same instant"):
            tick(con, [journey], START, Stuck(con, ThrottlePolicy(), bank.segments))


def test_snapshot_conditions_are_named(bank: SmallBank) -> None:
    canvas = canvas_of(SMS, {**PUSH, "only_if": "wecom_bound"}, segment="aum > 5000 and did(login, last 30d)")
    assert run(bank, canvas).snapshot_conditions == ["aum > 5000", "wecom_bound"]


def test_a_start_after_the_cut_off_is_refused(bank: SmallBank) -> None:
    with pytest.raises(ModelRetry, match="before the data cut-off"):
        run(bank, canvas_of(SMS), start=AS_OF)


def test_without_a_start_the_whole_canvas_fits_before_the_cut_off(bank: SmallBank) -> None:
    result = run(bank, canvas_of(SMS, PUSH, CALL), start=None)
    conserved(result)
    assert result.start < AS_OF - timedelta(days=4)
    assert node(result, "done").entered == 20 - node(result, "hold_out").held_out


def test_many_customers_over_many_ticks_stay_one_row_each(bank: SmallBank) -> None:
    # DuckDB moves row numbers once whole blocks of rows are deleted: what a tick rewrites must be named otherwise.
    bank.run(
        "INSERT INTO customers (customer_id, birth_date) SELECT 1000 + i, DATE '1990-05-05' FROM range(30000) t(i)"
    )
    result = run(bank, canvas_of(SMS, {**SMS, "day": 1}, {**SMS, "day": 2}, PUSH, holdout_percent=0))
    conserved(result)
    assert {n.entered for n in result.nodes} == {30_020}
