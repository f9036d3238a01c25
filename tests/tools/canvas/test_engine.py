"""Every kind of node, trigger and setting on given clock readings, and that no reading sees what comes after it."""

import random
from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Any

import duckdb
import pytest

from tests.support.lively_bank import enliven
from tests.support.random_canvases import TRIGGERS, random_canvas
from tests.support.small_bank import SmallBank
from tools.canvas import Canvas, DryEffects, StaleData
from tools.canvas.bank_time import last_round, next_round, opening
from tools.canvas.dry_run import ENROLMENTS, Replay
from tools.canvas.schema import (
    Arm,
    AudienceSplit,
    Case,
    Condition,
    Delay,
    Entry,
    Exit,
    Goal,
    Hours,
    Node,
    Once,
    OnDate,
    OnEvent,
    OnEventWithout,
    Override,
    Recurring,
    Reentry,
    SendingWindow,
    Share,
    Split,
    Tag,
    TimeSplit,
    Touch,
    Trigger,
    Wait,
)
from tools.segment import bucket, threshold
from tools.throttle import ThrottlePolicy
from warehouse.clock import BANK_ZONE, naive_utc


def at(text: str) -> datetime:
    """A bank time of November 2026: '9 09:00' is Monday the 9th."""
    day, clock = text.split()
    return datetime.fromisoformat(f"2026-11-{int(day):02d}T{clock}:00+08:00")


def canvas(*nodes: Node, segment: str = "everyone", trigger: Trigger | None = None, **more: Any) -> Canvas:
    entry = Entry(id="entry", segment=segment, trigger=trigger or Once(), next=nodes[0].id)
    settings: dict[str, Any] = {"name": "机", "goal": Goal(event="purchase"), "max_touches": 1000, **more}
    return Canvas(nodes=[entry, *nodes, Exit(id="yes"), Exit(id="no"), Exit(id="other")], **settings)


def touch(name: str = "t", channel: str = "sms", then: str = "yes", **more: Any) -> Touch:
    return Touch.model_validate(
        {"id": name, "channel": channel, "arms": [Arm(name="a", share=100, text="您好")], "next": then, **more}
    )


class Played:
    """What was played: a canvas on clock readings."""

    def __init__(self, bank: SmallBank, work: Canvas, readings: Sequence[datetime]) -> None:
        with bank.warehouse.overlay() as con:
            replay = Replay(con, work, bank.segments, ThrottlePolicy(), readings[0])
            self.problems = []
            for moment in readings:
                try:
                    replay.advance(moment)
                except StaleData as problem:
                    self.problems.append(problem.message)
            self.rows = con.execute(
                f"SELECT customer_id, entry_no, node_id, state, due_at, entered_at FROM {ENROLMENTS} ORDER BY ALL"
            ).fetchall()
            self.sent = con.execute("SELECT touch_id, arm, sent_at FROM dry_touches ORDER BY ALL").fetchall()
            self.moved = dict(replay.journey.moved)

    def at(self, node: str) -> set[int]:
        return {row[0] for row in self.rows if row[2] == node}


def test_a_split_is_the_keyed_hash(bank: SmallBank) -> None:
    ways = [Share(name="x", share=25, next="yes"), Share(name="y", share=40, next="no"), Share(name="z", share=35, next="other")]  # fmt: skip
    played = Played(bank, canvas(Split(id="s", key="wave-a", ways=ways)), [at("9 09:00")])
    places = {n: bucket("wave-a", n) for n in range(1, 21)}
    assert played.at("yes") == {n for n, place in places.items() if place < threshold(25)} != set()
    assert played.at("no") == {n for n, place in places.items() if threshold(25) <= place < threshold(65)} != set()
    assert played.at("other") == {n for n, place in places.items() if place >= threshold(65)} != set()
    assert bucket("wave-a", 1) == 0xF516AD85


def test_a_wait_sees_its_event_at_the_next_tick_or_times_out(bank: SmallBank) -> None:
    bank.event(1, "login", "2026-11-09 01:00")  # at the very instant of arrival: before it
    bank.event(2, "login", "2026-11-09 03:30")
    bank.event(3, "login", "2026-11-10 00:59")  # in time, though the tick that sees it comes after the time is out
    bank.event(4, "login", "2026-11-10 01:01")
    work = canvas(Wait(id="w", event="login", days=1, happened="yes", timed_out="no"))
    early = Played(bank, work, [at("9 09:00"), at("9 12:00")])
    assert (early.at("yes"), len(early.at("w"))) == ({2}, 19)
    played = Played(bank, work, [at("9 09:00"), at("9 12:00"), at("10 09:30")])
    assert (played.at("yes"), len(played.at("no"))) == ({2, 3}, 18)


def test_a_wait_asks_for_properties(bank: SmallBank) -> None:
    bank.event(1, "purchase", "2026-11-09 03:00", product=1)
    bank.event(2, "purchase", "2026-11-09 03:00", product=3)
    wait = Wait(id="w", event="purchase", where="kind = 'deposit'", days=1, happened="yes", timed_out="no")
    played = Played(bank, canvas(wait, goal=Goal(event="complaint")), [at("9 09:00"), at("9 12:00")])
    assert played.at("yes") == {2}


def test_an_audience_split_takes_the_first_that_holds(bank: SmallBank) -> None:
    cases = [Case(name="p", expression="aum > 15000", next="yes"), Case(name="q", expression="is_payroll", next="no")]
    played = Played(bank, canvas(AudienceSplit(id="s", cases=cases, otherwise="other")), [at("9 09:00")])
    assert played.at("yes") == {16, 17, 18, 19, 20}
    assert played.at("no") == set(range(2, 16, 2))
    assert played.at("other") == set(range(1, 16, 2))


@pytest.mark.parametrize(
    ("when", "where"),
    [("9 19:59", "other"), ("9 20:00", "yes"), ("10 00:00", "yes"), ("10 07:59", "yes"), ("10 08:00", "other"),
     ("13 12:00", "no"), ("12 12:00", "other"), ("13 14:00", "other")],
)  # fmt: skip
def test_a_time_split_reads_the_banks_clock(bank: SmallBank, when: str, where: str) -> None:
    windows = [
        Hours(name="night", start=time(20), end=time(8), next="yes"),
        Hours(name="friday", start=time(12), end=time(14), days=(5,), next="no"),
    ]
    played = Played(bank, canvas(TimeSplit(id="s", windows=windows, otherwise="other")), [at(when)])
    assert len(played.at(where)) == 20


def test_tags_are_read_by_later_conditions_until_they_expire_or_are_taken_off(bank: SmallBank) -> None:
    def work(days: int, **more: Any) -> Canvas:
        return canvas(
            Tag(id="tag", name="seen", next="wait", **more),
            Delay(id="wait", days=days, next="check"),
            Condition(id="check", expression="in_list('tag:seen')", yes="yes", no="no"),
            segment="is_payroll",
        )

    readings = [at("9 09:00"), at("10 09:00"), at("11 09:00")]
    assert len(Played(bank, work(1), readings).at("yes")) == 10
    assert len(Played(bank, work(1, expires_days=2), readings).at("yes")) == 10
    assert len(Played(bank, work(2, expires_days=2), readings).at("no")) == 10
    assert len(Played(bank, work(1, remove=True), readings).at("no")) == 10


def test_leave_when_ends_it_at_once_and_later(bank: SmallBank) -> None:
    bank.event(1, "transfer", "2026-11-10 00:00")
    work = canvas(Delay(id="wait", days=2, next="t"), touch(), leave_when=("aum > 19000", "did(transfer, since entry)"))
    played = Played(bank, work, [at("9 09:00"), at("11 09:00")])
    assert {row[0] for row in played.rows if row[3] == "left"} == {1, 20}
    assert len(played.sent) == 18
    assert (played.moved["entry", "left", "leave_when_1"], played.moved["wait", "left", "leave_when_2"]) == (1, 1)


@pytest.mark.parametrize(
    ("rule", "entries"),
    [(Reentry(), 1), (Reentry(allowed=True), 4), (Reentry(allowed=True, after_days=2), 2), (Reentry(allowed=True, at_most=3), 3)],
)  # fmt: skip
def test_re_entry_never_twice_at_a_time(bank: SmallBank, rule: Reentry, entries: int) -> None:
    # In at 10:00 every day, out at 10:00 on the next: the round of the same tick still finds them inside.
    work = canvas(Delay(id="wait", hours=20, next="yes"), trigger=Recurring(hour=10), reentry=rule)
    readings = [at("9 09:00") + timedelta(hours=h) for h in range(0, 24 * 4, 2)]
    played = Played(bank, work, readings)
    assert {row[1] for row in played.rows} == set(range(1, entries + 1))
    slow = canvas(Delay(id="wait", days=9, next="yes"), trigger=Recurring(hour=10), reentry=rule)
    assert {row[1] for row in Played(bank, slow, readings).rows} == {1}


def test_nobody_enters_after_the_end(bank: SmallBank) -> None:
    work = canvas(touch(), trigger=Recurring(hour=10), reentry=Reentry(allowed=True), end="2026-11-10T10:00")
    played = Played(bank, work, [at("9 09:00"), at("9 10:00"), at("10 10:00"), at("11 10:00")])
    assert {row[1] for row in played.rows} == {1, 2}


def test_sending_windows_defer_to_the_next_opening_within_quiet_hours(bank: SmallBank) -> None:
    windows = (SendingWindow(start=time(8), end=time(10)), SendingWindow(start=time(14), end=time(15)))
    work = canvas(touch(), sending_windows=windows)
    waiting = Played(bank, work, [at("9 11:00")])
    assert waiting.moved == {
        ("entry", "next", "t"): 20,
        ("t", "defer", "sending_window"): 20,
    }
    assert {row[4] for row in waiting.rows} == {naive_utc(at("9 14:00"))}
    night = Played(bank, work, [at("9 16:00"), at("10 08:00"), at("10 09:00")])  # 8:00 is open, and quiet until 9:00
    assert night.moved["t", "defer", "quiet_messages_night"] == 20
    assert {row[2] for row in night.sent} == {naive_utc(at("10 09:00"))}


def test_openings_of_windows() -> None:
    def opens(moment: str, *windows: SendingWindow) -> str:
        found = opening(windows, at(moment), BANK_ZONE)
        return f"{found.astimezone(BANK_ZONE):%d %H:%M}" if found else "never"

    late = SendingWindow(start=time(22), end=time(2), days=(2,))  # Tuesdays, each hour by its own day
    assert opens("9 12:00", late) == "10 00:00"
    assert opens("10 01:59", late) == "10 01:59"
    assert opens("10 02:00", late) == "10 22:00"
    assert opens("11 00:00", late) == "17 00:00"
    assert opens("9 12:00") == "09 12:00"
    assert opens("9 12:00", SendingWindow(start=time(9), end=time(10), days=(8,))) == "never"


def test_a_branch_and_those_below_it_get_its_words(bank: SmallBank) -> None:
    bank.run("INSERT INTO branches VALUES (3, '网点', '深圳', 'outlet', 2)")
    bank.run("UPDATE customers SET branch_id = 1 + customer_id % 3")
    two = [Arm(name="a", share=50, text="甲"), Arm(name="b", share=50, text="乙")]
    overrides = (
        Override(branch_id=2, node="t", arms=two),
        Override(branch_id=3, node="t", arms=[Arm(name="c", share=100, text="丙")]),
    )
    played = Played(bank, canvas(touch(), overrides=overrides), [at("9 09:00")])
    for touch_id, arm, _ in played.sent:
        customer = int(touch_id.rsplit(".", 1)[1])
        half = "a" if bucket("机/t", customer) < threshold(50) else "b"
        assert arm == {1: "a", 2: f"{half}@2", 3: "c@3"}[1 + customer % 3]
    assert {arm for _, arm, _ in played.sent} == {"a", "a@2", "b@2", "c@3"}


def test_a_task_without_a_manager_goes_elsewhere(bank: SmallBank) -> None:
    bank.run("UPDATE customers SET manager_id = NULL WHERE customer_id <= 5")
    played = Played(bank, canvas(touch(channel="task", unmanaged="no")), [at("9 09:00")])
    assert (played.at("no"), len(played.sent)) == ({1, 2, 3, 4, 5}, 15)


def test_touches_of_a_second_entry_have_keys_of_their_own(bank: SmallBank) -> None:
    work = canvas(
        touch(channel="push"), segment="aum = 1000", trigger=Recurring(hour=10), reentry=Reentry(allowed=True)
    )
    played = Played(bank, work, [at("9 09:00"), at("9 10:00"), at("10 10:00")])
    assert [row[0] for row in played.sent] == ["dry.t.1", "dry.t.1.2"]


def test_a_round_that_was_missed_for_a_day_is_left_out(bank: SmallBank) -> None:
    work = canvas(touch(), trigger=Recurring(every="week", days=(1,), hour=10))
    assert Played(bank, work, [at("9 09:00"), at("10 10:00")]).rows
    assert not Played(bank, work, [at("9 09:00"), at("10 10:01")]).rows
    assert not Played(bank, work, [at("9 10:01"), at("9 11:00")]).rows  # it came round before it was opened
    assert Played(bank, work, [at("9 10:00")]).rows


def test_stale_data_enter_nobody(bank: SmallBank) -> None:
    bank.run("UPDATE meta SET value = '2026-11-08T00:00:00+00:00' WHERE key = 'as_of'")
    work = canvas(touch(), trigger=Recurring(hour=10, max_data_age_hours=26))
    assert Played(bank, work, [at("9 10:00")]).rows
    late = Played(bank, work, [at("9 10:01"), at("10 10:00")])
    assert not late.rows
    assert "50 hours old; 26 are allowed" in late.problems[0]


def test_rounds_of_schedules() -> None:
    def around(trigger: Recurring, moment: str) -> tuple[str, str]:
        before, after = last_round(trigger, at(moment), BANK_ZONE), next_round(trigger, at(moment), BANK_ZONE)
        assert before
        return tuple(f"{m.astimezone(BANK_ZONE):%m-%d %H}" for m in (before, after))  # type: ignore[return-value]

    assert around(Recurring(hour=9), "9 09:00") == ("11-09 09", "11-10 09")
    assert around(Recurring(every="week", days=(1, 4), hour=9), "10 08:00") == ("11-09 09", "11-12 09")
    assert around(Recurring(every="month", days=(31,), hour=9), "30 10:00") == ("11-30 09", "12-31 09")
    assert around(Recurring(every="month", days=(15,), hour=9), "9 10:00") == ("10-15 09", "11-15 09")


def test_an_event_enters_at_the_tick_that_sees_it(bank: SmallBank) -> None:
    bank.event(1, "view_product", "2026-11-09 00:59", product=1)  # before it was opened
    bank.event(2, "view_product", "2026-11-09 02:00", product=1)
    bank.event(3, "view_product", "2026-11-09 02:00", product=3)  # another kind
    bank.event(4, "view_product", "2026-11-09 05:00", product=1)
    work = canvas(
        touch(channel="push"),
        segment="aum < 4000",
        trigger=OnEvent(event="view_product", where="kind = 'wealth'"),
        reentry=Reentry(allowed=True),
    )
    readings = [at("9 09:00"), at("9 12:00"), at("9 15:00"), at("9 18:00")]
    played = Played(bank, work, readings)
    assert [(row[0], row[1], row[5]) for row in played.rows] == [(2, 1, naive_utc(at("9 12:00")))]


def test_an_event_that_becomes_visible_late_still_enters_once(bank: SmallBank) -> None:
    work = canvas(Delay(id="d", days=1, next="yes"), trigger=OnEvent(event="login"), reentry=Reentry(allowed=True))
    with bank.warehouse.overlay() as con:
        replay = Replay(con, work, bank.segments, ThrottlePolicy(), at("9 09:00"))
        entered = []
        for moment in ("9 09:00", "9 12:00", "9 15:00", "10 15:00", "12 09:00"):
            if moment == "9 15:00":
                bank.event(5, "login", "2026-11-09 02:00")  # happened before the last tick
            if moment == "12 09:00":
                bank.event(6, "login", "2026-11-09 02:00")  # two days late, and more
            entered.append(replay.let_in(at(moment)))
    assert entered == [0, 0, 1, 0, 0]


def test_a_breakpoint_enters_when_the_gap_has_passed(bank: SmallBank) -> None:
    for customer in (1, 2, 3):
        bank.event(customer, "click_buy", "2026-11-09 02:00")
    bank.event(1, "purchase", "2026-11-09 02:59")
    bank.event(2, "purchase", "2026-11-09 03:10")  # after the gap, before anybody could speak to them
    bank.event(4, "click_buy", "2026-11-09 00:30")  # before it was opened; its gap passes afterwards
    trigger = OnEventWithout(event="click_buy", without="purchase", within_minutes=60)
    work = canvas(Delay(id="d", days=1, next="yes"), trigger=trigger, goal=Goal(event="complaint"))
    assert not Played(bank, work, [at("9 09:00"), at("9 09:29")]).rows
    assert Played(bank, work, [at("9 09:00"), at("9 10:59")]).at("d") == {4}
    assert Played(bank, work, [at("9 09:00"), at("9 11:30")]).at("d") == {3, 4}


@pytest.mark.parametrize(("days", "born"), [(0, "1990-11-12"), (-3, "1990-11-15"), (5, "1990-11-07")])
def test_a_key_date_by_days_before_and_after(bank: SmallBank, days: int, born: str) -> None:
    bank.run("UPDATE customers SET birth_date = ?::DATE WHERE customer_id IN (3, 9)", born)
    work = canvas(Delay(id="d", days=9, next="yes"), trigger=OnDate(date="days_to_birthday", days=days, hour=9))
    played = Played(bank, work, [at("11 08:00") + timedelta(hours=h) for h in range(0, 48)])
    assert [(row[0], row[5]) for row in played.rows] == [(3, naive_utc(at("12 09:00"))), (9, naive_utc(at("12 09:00")))]


@pytest.mark.parametrize(("year", "expected"), [(2026, {4, 5}), (2028, {4})])
def test_the_29th_of_february_falls_on_the_28th_in_other_years(bank: SmallBank, year: int, expected: set[int]) -> None:
    bank.run("UPDATE customers SET opened_on = DATE '2020-02-28' WHERE customer_id = 4")
    bank.run("UPDATE customers SET opened_on = DATE '2020-02-29' WHERE customer_id = 5")
    bank.run("UPDATE meta SET value = ? WHERE key = 'as_of'", f"{year}-03-05T00:00:00+00:00")
    trigger = OnDate(date="opened_on", yearly=True, hour=9)
    start = datetime.fromisoformat(f"{year}-02-28T08:00:00+08:00")
    played = Played(
        bank, canvas(Delay(id="d", days=9, next="yes"), trigger=trigger), [start, start + timedelta(hours=1)]
    )
    assert played.at("d") == expected


class Remembering(DryEffects):
    """Keeps every decision with its instant."""

    def __init__(self, con: duckdb.DuckDBPyConnection, *more: Any) -> None:
        super().__init__(con, *more)
        self.kept: list[tuple[Any, ...]] = []

    def decide(self, con, candidates, instant, limits):  # type: ignore[no-untyped-def]
        decided = super().decide(con, candidates, instant, limits)
        self.note(con, decided, instant)
        return decided

    def note(self, con, decided, instant):  # type: ignore[no-untyped-def]
        rows = con.execute(f"SELECT touch_id, arm, decision, rule, until FROM {decided} ORDER BY ALL").fetchall()
        self.kept += [(instant, *row) for row in rows]


FUTURE = (
    "INSERT INTO events (event_id, customer_id, name, occurred_at, product_id, actor) SELECT 900000 + customer_id * 10 + n, customer_id, name, $t, 1, 'customer' FROM customers, (SELECT unnest(['login', 'view_product', 'click_buy', 'purchase', 'transfer']) AS name, unnest(range(5)) AS n)",
    "INSERT INTO touches (touch_id, campaign_id, customer_id, channel, category, status, decided_at, sent_at) SELECT 'f' || customer_id || channel, 'future', customer_id, channel, 'marketing', 'sent', $t, $t FROM customers, (SELECT unnest(['sms', 'push', 'wecom']) AS channel)",
    "INSERT INTO consents SELECT customer_id, channel, 'marketing', customer_id % 2 = 0, 'app', 'v2', $t FROM customers, (SELECT unnest(['sms', 'push', 'wecom', 'task']) AS channel)",
    "INSERT INTO suppressions SELECT customer_id, 'refused', $t, NULL FROM customers WHERE customer_id % 2 = 0",
    "INSERT INTO grants (grant_id, benefit_id, customer_id, issued_at) SELECT customer_id, 1, customer_id, $t FROM customers",
    "CREATE TABLE IF NOT EXISTS canvas_tags (journey_id VARCHAR, name VARCHAR, customer_id BIGINT, since TIMESTAMP, until TIMESTAMP)",
    "INSERT INTO canvas_tags SELECT 'other', 'reached', customer_id, $t, NULL FROM customers",
)  # fmt: skip


@pytest.mark.parametrize("seed", range(2))
def test_no_clock_reading_sees_what_comes_after_it(bank: SmallBank, seed: int) -> None:
    enliven(bank)
    dice = random.Random(seed)
    work = random_canvas(dice, TRIGGERS[(3, 1)[seed]])
    readings = [at("9 09:00") + timedelta(hours=h) for h in (0, 2, 25, 26, 49, 77, 100, 102)]
    cut = readings[5] + timedelta(minutes=dice.randrange(1, 60))

    def decisions() -> tuple[list[Any], list[Any]]:
        with bank.warehouse.overlay() as con:
            replay = Replay(con, work, bank.segments, ThrottlePolicy(), readings[0], "dry", Remembering)
            for moment in readings[:6]:
                replay.advance(moment)
            assert isinstance(replay.effects, Remembering)
            rows = con.execute(f"SELECT * FROM {ENROLMENTS} ORDER BY ALL").fetchall()
            return replay.effects.kept, rows

    before = decisions()
    for statement in FUTURE:
        bank.run(statement.replace("$t", f"TIMESTAMP '{naive_utc(cut)}'"))
    assert decisions() == before
    assert before[0]
