"""Caps: edges of windows, categories, statuses, rivals of one tick, and that none is ever exceeded."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.candidates import Candidate, decisions, naive, put
from tests.support.small_bank import AS_OF, SmallBank, build_small_bank, open_small_bank
from tests.support.thorough import examples
from tools.throttle import Cap, ThrottlePolicy, decide
from tools.throttle.policy import Calendar, Rolling

ZONE = ZoneInfo("Asia/Shanghai")
WEEK = Cap(name="week", scope="global", window=Rolling(hours=168), max=1)
DAY = Cap(name="day", scope="channel", window=Calendar(period="day"), max=1)
MONTH = Cap(name="month", scope="global", window=Calendar(period="month"), max=1)


def only(*caps: Cap, **more: object) -> ThrottlePolicy:
    return ThrottlePolicy(caps=caps, quiet_hours=(), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("cap", "touched", "rule"),
    [
        # now is 2026-11-18 01:00 UTC = 09:00 in the bank
        (WEEK, "2026-11-11 01:00:00", "allowed"),
        (WEEK, "2026-11-11 01:00:01", "cap_week"),
        (WEEK, "2026-11-18 01:00:00", "cap_week"),
        (WEEK, "2026-11-18 01:00:01", "allowed"),  # after the instant: says nothing about it
        (DAY, "2026-11-17 15:59:59", "allowed"),  # 23:59:59 in the bank
        (DAY, "2026-11-17 16:00:00", "cap_day"),  # midnight in the bank
        (MONTH, "2026-10-31 15:59:59", "allowed"),
        (MONTH, "2026-10-31 16:00:00", "cap_month"),
    ],
)
def test_edges_of_windows(bank: SmallBank, cap: Cap, touched: str, rule: str) -> None:
    bank.touch(1, touched)
    assert decisions(bank, [Candidate(1)], AS_OF, only(cap))["new.touch_1.1"].rule == rule


def test_a_month_cap_in_a_leap_february(bank: SmallBank) -> None:
    bank.touch(1, "2028-02-29 04:00")
    bank.run("UPDATE consents SET updated_at = NULL")
    march = datetime(2028, 3, 1, 2, tzinfo=UTC)
    late = datetime(2028, 2, 29, 5, tzinfo=UTC)
    assert decisions(bank, [Candidate(1)], late, only(MONTH))["new.touch_1.1"].rule == "cap_month"
    assert decisions(bank, [Candidate(1)], march, only(MONTH))["new.touch_1.1"].rule == "allowed"


def test_a_cap_of_zero_lets_nobody_through(bank: SmallBank) -> None:
    never = Cap(name="never", scope="global", window=Rolling(hours=1), max=0, over="defer")
    assert decisions(bank, [Candidate(1)], AS_OF, only(never))["new.touch_1.1"].decision == "abandon"


@pytest.mark.parametrize(
    ("status", "counts"),
    [("sent", True), ("delivered", True), ("reserved", True), ("outbox", True), ("never heard of", True), (None, True),
     ("failed", False), ("capped", False), ("held_out", False), ("abandoned", False), ("released", False)],
)  # fmt: skip
def test_which_statuses_count(bank: SmallBank, status: str | None, counts: bool) -> None:
    bank.touch(1, "2026-11-17 20:00", status=status)  # type: ignore[arg-type]
    assert (decisions(bank, [Candidate(1)], AS_OF, only(WEEK))["new.touch_1.1"].rule == "cap_week") == counts


def test_a_reservation_counts_from_its_decision(bank: SmallBank) -> None:
    bank.touch(1, "2026-11-17 20:00", status="reserved")
    bank.run("UPDATE touches SET sent_at = NULL")
    assert decisions(bank, [Candidate(1)], AS_OF, only(WEEK))["new.touch_1.1"].rule == "cap_week"


def test_exempt_categories_neither_count_nor_are_limited(bank: SmallBank) -> None:
    cap = WEEK.model_copy(update={"exempt_categories": ("service",)})
    bank.touch(1, "2026-11-17 20:00", category="service")
    bank.touch(2, "2026-11-17 20:00")
    found = decisions(bank, [Candidate(1), Candidate(2), Candidate(2, category="service", node="t2")], AS_OF, only(cap))
    assert [found[t].rule for t in ("new.touch_1.1", "new.touch_1.2", "new.t2.2")] == ["allowed", "cap_week", "allowed"]


def test_scopes(bank: SmallBank) -> None:
    by_category = Cap(name="kind", scope="category", window=Rolling(hours=24), max=1)
    group = Cap(name="loud", scope="global", window=Rolling(hours=24), max=1, channels=("sms", "call"))
    bank.touch(1, "2026-11-17 20:00", channel="sms", category="marketing")
    rows = [Candidate(1, channel="push", node="a"), Candidate(1, channel="call", node="b", category="care")]
    found = decisions(bank, rows, AS_OF, only(by_category, group))
    assert found["new.a.1"].rule == "cap_kind"
    assert found["new.b.1"].rule == "cap_loud"


def test_rivals_of_one_tick_go_by_priority_and_cannot_both_pass(bank: SmallBank) -> None:
    rows = [Candidate(1, campaign=c, priority=p) for c, p in (("low", 10), ("high", 90), ("middle", 50))]
    found = decisions(bank, rows, AS_OF, only(WEEK))
    assert {touch for touch, d in found.items() if d.decision == "send"} == {"high.touch_1.1"}
    assert decisions(bank, rows[::-1], AS_OF, only(WEEK)) == found


def test_a_rival_stopped_by_one_cap_uses_up_no_other(bank: SmallBank) -> None:
    bank.touch(1, "2026-11-17 20:00", channel="sms")
    two = Cap(name="two", scope="global", window=Rolling(hours=168), max=2)
    rows = [Candidate(1, channel="sms", priority=90, node="a"), Candidate(1, channel="push", priority=10, node="b")]
    found = decisions(bank, rows, AS_OF, only(DAY, two))
    assert (found["new.a.1"].rule, found["new.b.1"].rule) == ("cap_day", "allowed")


def test_a_deferring_cap_tells_when_the_window_is_free(bank: SmallBank) -> None:
    two = Cap(name="two", scope="global", window=Rolling(hours=48), max=2, over="defer")
    for moment in ("2026-11-16 02:00", "2026-11-17 05:00", "2026-11-17 23:00"):
        bank.touch(1, moment)
    found = decisions(bank, [Candidate(1)], AS_OF, only(two))["new.touch_1.1"]
    # Three touches and room for two: free when the second youngest leaves.
    assert (found.decision, found.until) == ("defer", naive("2026-11-19 05:00"))
    day = DAY.model_copy(update={"over": "defer"})
    found = decisions(bank, [Candidate(1, node="x")], AS_OF, only(day))["new.x.1"]
    assert (found.decision, found.until) == ("defer", naive("2026-11-18 16:00"))


def test_max_touches_cuts_a_campaign_and_only_that(bank: SmallBank) -> None:
    rows = [Candidate(n, campaign=c) for n in range(1, 11) for c in ("a", "b")]
    found = decisions(bank, rows, AS_OF, only(), {"a": 3})
    sent = Counter(touch[0] for touch, d in found.items() if d.decision == "send")
    assert sent == {"a": 3, "b": 10}
    assert {d.rule for d in found.values()} == {"allowed", "max_touches"}


CHANNELS = ("sms", "push", "wecom")
TICKS = st.lists(
    st.tuples(
        st.integers(1, 60),
        st.lists(
            st.tuples(st.integers(1, 3), st.sampled_from(CHANNELS), st.sampled_from(["marketing", "service"]), st.integers(0, 2)),
            min_size=1, max_size=8,
        ),
    ),
    min_size=1, max_size=6,
)  # fmt: skip


@pytest.fixture(scope="module")
def empty_bank(tmp_path_factory: pytest.TempPathFactory):  # type: ignore[no-untyped-def]
    root: Path = tmp_path_factory.mktemp("caps") / "home"
    build_small_bank(root, customers=3)
    with open_small_bank(root) as made:
        made.run("UPDATE consents SET updated_at = NULL")
        yield made


@pytest.mark.property
@settings(max_examples=examples(25), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TICKS)
def test_no_cap_is_ever_exceeded_when_reservations_are_applied(
    empty_bank: SmallBank, ticks: list[tuple[int, list[tuple[int, str, str, int]]]]
) -> None:
    caps = (
        Cap(name="day", scope="channel", window=Calendar(period="day"), max=1, exempt_categories=("service",)),
        Cap(name="roll", scope="global", window=Rolling(hours=72), max=2),
        Cap(name="kind", scope="category", window=Calendar(period="week"), max=3),
    )
    policy = only(*caps)
    sent: list[tuple[datetime, int, str, str]] = []
    instant, n = AS_OF, 0
    with empty_bank.warehouse.overlay() as con:
        con.execute("CREATE OR REPLACE TEMP TABLE reserved AS FROM touches LIMIT 0")
        for hours, rows in ticks:
            instant += timedelta(hours=hours)
            batch = []
            for customer, channel, category, priority in rows:
                n += 1
                batch.append(Candidate(customer, channel, category, priority, campaign=f"c{n}"))
            table = decide(con, put(con, batch), instant, policy, empty_bank.segments, ("touches", "reserved"))
            passed = con.execute(f"SELECT touch_id FROM {table} WHERE decision = 'send'").fetchall()
            assert con.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0] == len(batch)
            con.execute(
                f"""INSERT INTO reserved (touch_id, campaign_id, customer_id, channel, category, status, decided_at)
                    SELECT touch_id, campaign_id, customer_id, channel, category, 'reserved', ?
                    FROM {table} WHERE decision = 'send'""",
                [instant.replace(tzinfo=None)],
            )
            index = {c.touch_id: c for c in batch}
            sent += [(instant, index[t].customer, index[t].channel, index[t].category) for (t,) in passed]
    assert sent  # the first candidate of all always passes
    for moment, customer, channel, category in sent:
        mine = [s for s in sent if s[1] == customer and s[0] <= moment]
        local = moment.astimezone(ZONE)
        day = [
            s for s in mine if s[2] == channel and s[3] != "service" and s[0].astimezone(ZONE).date() == local.date()
        ]
        assert len(day) <= 1
        assert len([s for s in mine if s[0] > moment - timedelta(hours=72)]) <= 2
        monday = local.date() - timedelta(days=local.weekday())
        assert len([s for s in mine if s[3] == category and s[0].astimezone(ZONE).date() >= monday]) <= 3
