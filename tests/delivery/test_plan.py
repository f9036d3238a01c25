"""The nightly plan: by priority across the day, reserved, counted once, released when it can no longer be used."""

from datetime import UTC, datetime, time

import pytest

from delivery.plan import EARLIER, Plan, last_due
from tests.support.released_bank import ReleasedBank, campaign, push
from tools.canvas.schema import Canvas
from warehouse.clock import BANK_ZONE

pytestmark = pytest.mark.slow
AFTERNOON = "2026-11-18T15:00"
"""The released bank opens at 10:00."""


def later(key: str, priority: int) -> Canvas:
    return campaign(push(), key=key, priority=priority).model_copy(update={"start": AFTERNOON})


def share(plan: Plan, release: str) -> dict[str, object]:
    return next(c for c in plan.campaigns if c.campaign == release).model_dump()


def standing(bank: ReleasedBank, release: str) -> int:
    return bank.count("SELECT count(*) FROM reservations WHERE campaign_id = ? AND state = 'standing'", release)


@pytest.fixture
def two(bank: ReleasedBank) -> tuple[str, str]:
    """A campaign of high priority in the afternoon and one of low priority now, for the same customers, both by push."""
    return bank.approved(later("high", 90)).id, bank.approved(campaign(push(), key="low", priority=10)).id


def test_the_higher_priority_wins_although_it_comes_later(bank: ReleasedBank, two: tuple[str, str]) -> None:
    high, low = two
    plan = bank.deliverer.plan()
    winner, loser = share(plan, high), share(plan, low)
    assert winner["won"] > 100
    for one in (winner, loser):
        assert one["candidates"] == one["won"] + one["deferred"] + sum(one["lost"].values())
    assert loser["lost"]["cap_channel_daily"] > 50
    assert loser["lost_to"][high] > 50
    assert set(loser["lost_to"]) <= {high, EARLIER}
    assert plan.reserved == standing(bank, high) + standing(bank, low)
    assert bank.deliverer.last_plan() == plan


def test_what_was_planned_is_what_happens(bank: ReleasedBank, two: tuple[str, str]) -> None:
    high, low = two
    plan = bank.deliverer.plan()
    assert bank.count("SELECT count(*) FROM touches WHERE campaign_id IN (?, ?)", high, low) == 0
    first = {r.release: r for r in bank.deliverer.run_due()}
    assert first[low].decided["send"] == share(plan, low)["won"]
    bank.pass_(hours=5)
    second = {r.release: r for r in bank.deliverer.run_due()}
    assert second[high].decided["send"] == share(plan, high)["won"]
    # Each touch used its own reservation up, and nothing is counted twice.
    used = "SELECT count(*) FROM reservations r JOIN touches t USING (touch_id) WHERE r.state = 'used'"
    assert bank.count(used) == plan.reserved
    assert standing(bank, high) == standing(bank, low) == 0
    more = """SELECT count(*) FROM (SELECT customer_id FROM touches WHERE campaign_id IN (?, ?) GROUP BY 1
              HAVING count(*) > 1)"""
    assert bank.count(more, high, low) == 0


def test_without_a_plan_the_earlier_tick_takes_the_place(bank: ReleasedBank, two: tuple[str, str]) -> None:
    high, low = two
    first = {r.release: r for r in bank.deliverer.run_due()}
    bank.pass_(hours=5)
    second = {r.release: r for r in bank.deliverer.run_due()}
    assert first[low].decided["send"] > second[high].decided.get("send", 0)


def test_a_cancelled_campaign_frees_its_places_for_the_next_tick(bank: ReleasedBank, two: tuple[str, str]) -> None:
    high, low = two
    plan = bank.deliverer.plan()
    bank.authority.revoke(high, bank.principal(), "not this week")
    report = {r.release: r for r in bank.deliverer.run_due()}[low]
    assert standing(bank, high) == 0
    assert bank.count("SELECT count(*) FROM reservations WHERE campaign_id = ? AND state = 'released'", high) > 100
    assert report.decided["send"] > share(plan, low)["won"] + 50


def test_a_reservation_whose_time_is_long_past_expires(bank: ReleasedBank, two: tuple[str, str]) -> None:
    high, _ = two
    bank.deliverer.plan()
    with bank.warehouse.writer() as con:
        con.execute("UPDATE reservations SET planned_at = planned_at - INTERVAL 60 HOUR WHERE campaign_id = ?", [high])
    bank.deliverer.run_due()
    assert bank.count("SELECT count(*) FROM reservations WHERE campaign_id = ? AND state = 'expired'", high) > 100


def test_a_second_plan_keeps_what_the_first_reserved(bank: ReleasedBank) -> None:
    low = bank.approved(later("low", 10)).id
    first = bank.deliverer.plan()
    made = bank.warehouse.read("SELECT touch_id, made_at FROM reservations ORDER BY ALL").rows
    high = bank.approved(later("high", 90)).id
    bank.pass_(minutes=5)
    second = bank.deliverer.plan()
    assert share(second, low)["won"] == share(first, low)["won"] == standing(bank, low)
    assert share(second, high)["lost_to"][low] > 50
    kept = "SELECT touch_id, made_at FROM reservations WHERE campaign_id = ? ORDER BY ALL"
    assert bank.warehouse.read(kept, [low]).rows == made


def test_a_plan_is_due_once_a_day_at_the_policy_s_time() -> None:
    now = datetime(2026, 11, 18, 2, tzinfo=UTC)
    assert last_due(None, now, BANK_ZONE) is None
    assert last_due(time(10), now, BANK_ZONE) == now
    assert last_due(time(10, 1), now, BANK_ZONE) == datetime(2026, 11, 17, 2, 1, tzinfo=UTC)


def test_the_server_plans_when_the_policy_says_so(bank: ReleasedBank) -> None:
    assert bank.deliverer.plan_due() is None
    (bank.home.policies / "throttle.yaml").write_text("plan_at: '02:00'\n", "utf-8")
    assert bank.deliverer.plan_due() is not None
    assert bank.deliverer.plan_due() is None
    bank.pass_(days=1)
    assert bank.deliverer.plan_due() is not None
