"""Places that the nightly plan keeps for campaigns: used by their own touch, or let go and free for the next tick."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import duckdb

from tools.throttle.sql import relation
from warehouse.clock import naive_utc
from warehouse.store import Warehouse


def settle(con: duckdb.DuckDBPyConnection, decided: str, instant: datetime) -> None:
    """A touch that is sent uses its reservation up, one that is abandoned lets it go; a deferred one keeps it."""
    con.execute(
        f"""UPDATE reservations r SET state = CASE d.decision WHEN 'send' THEN 'used' ELSE 'released' END, ended_at = $now
            FROM {relation(decided)} d
            WHERE d.touch_id = r.touch_id AND r.state = 'standing' AND d.decision <> 'defer'""",
        {"now": naive_utc(instant)},
    )


def end_stale(warehouse: Warehouse, live: Sequence[str], now: datetime, expires_hours: int) -> None:
    """End the reservations that nothing can use any more: the campaign is over, the customer has left its journey (at the
    goal, or in another way), or their time has passed by longer than a touch may wait."""
    ending = {
        "released": """(NOT list_contains($live, campaign_id) OR EXISTS (
                         FROM (SELECT journey_id, customer_id, bool_or(e.state = 'active') AS inside FROM enrolments e
                               GROUP BY ALL) j
                         WHERE j.journey_id = r.campaign_id AND j.customer_id = r.customer_id AND NOT j.inside))""",
        "expired": "planned_at < $latest",
    }
    if not warehouse.read("SELECT 1 FROM reservations WHERE state = 'standing' LIMIT 1").rows:
        return
    values = {
        "live": list(live),
        "latest": naive_utc(now - timedelta(hours=expires_hours)),
        "now": naive_utc(now),
    }
    with warehouse.writer() as con:
        for state, condition in ending.items():
            used = {name: value for name, value in values.items() if f"${name}" in condition or name == "now"}
            con.execute(
                f"UPDATE reservations r SET state = '{state}', ended_at = $now WHERE state = 'standing' AND {condition}",
                used,
            )
