"""Who enters a canvas at a tick, by its trigger.

A schedule (recurring, key dates) comes round at its hour; an event is dealt with at the first tick that sees it. What a
trigger has dealt with is marked, so that nothing enters anybody twice and data that come late are not lost.
"""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import duckdb

from tools.canvas.bank_time import last_round, next_round
from tools.canvas.engine.occurrences import key_date_sql
from tools.canvas.engine.sql import changed
from tools.canvas.schema import OnDate, OnEvent, OnEventWithout, Recurring
from tools.throttle.sql import Params, execute, temp_name
from warehouse.clock import naive_utc
from warehouse.errors import AdminFixes

if TYPE_CHECKING:
    from tools.canvas.engine.journey import Journey

LATE = timedelta(days=2)
"""An event that becomes visible later than this after it happened (or its gap passed) enters nobody any more."""
CATCH_UP = timedelta(hours=24)
"""A round of a schedule that was missed for longer than this is left out."""


class StaleData(AdminFixes):
    """A round of a schedule is due, but the data are older than its trigger allows."""

    code = "stale_data"


def entrants(con: duckdb.DuckDBPyConnection, journey: "Journey", instant: datetime, opened: datetime) -> str | None:
    """Evaluate a journey's trigger: a TEMP table (customer_id) of who may enter now, or None if it has nobody.

    What it has dealt with is marked in the same transaction; `Journey.enter` is called with as many of them as the release
    lets in. `once` is not evaluated here.

    Args:
        opened: when the journey began; events before it say nothing, a round of a schedule at that very instant counts.

    Raises:
        StaleData: see there; the round stays due for a day.
    """
    if journey.ends is not None and instant > journey.ends:
        return None
    trigger = journey.entry.trigger
    source: str | None = None
    met = temp_name("met")
    match trigger:
        case Recurring() | OnDate() if came := _round(con, journey, trigger, instant, opened):
            source = key_date_sql(journey.segments, trigger, came) if isinstance(trigger, OnDate) else ""
        case OnEvent() | OnEventWithout() if _events(con, met, journey, trigger, instant, opened):
            source = f"SELECT customer_id FROM {met}"
    table, n = temp_name("entrants"), 0
    if source is not None:
        fitting = journey.ids(journey.entry.segment, instant)
        both = f"SELECT customer_id FROM ({source}) WHERE customer_id IN ({fitting})" if source else fitting
        n = journey.may_enter(con, table, both, instant)
    for made in (met, *([] if n else [table])):
        con.execute(f"DROP TABLE IF EXISTS {made}")
    return table if n else None


def next_entry(con: duckdb.DuckDBPyConnection, journey: "Journey", after: datetime, until: datetime) -> datetime | None:
    """When the trigger has something to do next, after one instant and not after another; for a simulated clock."""
    if journey.ends is not None:
        until = min(until, journey.ends)
    trigger = journey.entry.trigger
    match trigger:
        case Recurring() | OnDate():
            coming = next_round(trigger, after, journey.segments.warehouse.zone)
            return coming if coming <= until else None
        case OnEvent() | OnEventWithout():
            gap = timedelta(minutes=trigger.within_minutes) if isinstance(trigger, OnEventWithout) else timedelta()
            rows = con.execute(
                f"""SELECT min(occurred_at) FROM ({journey.occurrences(trigger.event, trigger.where, until)})
                    WHERE occurred_at > $after AND occurred_at <= $until""",
                {"after": naive_utc(after - gap), "until": naive_utc(until - gap)},
            ).fetchall()
            moment: datetime | None = rows[0][0]
            return moment.replace(tzinfo=UTC) + gap if moment else None
        case _:
            return None


def _round(
    con: duckdb.DuckDBPyConnection, journey: "Journey", trigger: Recurring | OnDate, instant: datetime, opened: datetime
) -> datetime | None:
    """The schedule's latest round, if it has not been dealt with; it is marked."""
    warehouse = journey.segments.warehouse
    came = last_round(trigger, instant, warehouse.zone)
    if came is None or came < opened or instant - came > CATCH_UP:
        return None
    params = Params()
    mark = f"journey_id = {params.add(journey.journey_id)} AND customer_id IS NULL AND moment = {params.add(naive_utc(came))}"
    if execute(con, f"SELECT 1 FROM {journey.marks} WHERE {mark}", params).fetchall():
        return None
    age = instant - warehouse.as_of
    if age > timedelta(hours=trigger.max_data_age_hours):
        raise StaleData(
            f"{journey.canvas.name!r} was due at {came.astimezone(warehouse.zone):%Y-%m-%d %H:%M}, but the data are "
            f"{age.total_seconds() / 3600:.0f} hours old; {trigger.max_data_age_hours} are allowed.",
            "Import fresh data; the round stays due for a day.",
        )
    con.execute(f"INSERT INTO {journey.marks} VALUES (?, NULL, ?)", [journey.journey_id, naive_utc(came)])
    return came


def _events(
    con: duckdb.DuckDBPyConnection, new: str, journey: "Journey", trigger: OnEvent | OnEventWithout, instant: datetime,
    opened: datetime,
) -> bool:  # fmt: skip
    """Make a TEMP table of the events that became visible (or whose gap has passed) since they were last looked at, and
    mark them; False if there are none."""
    gap = timedelta(minutes=trigger.within_minutes) if isinstance(trigger, OnEventWithout) else timedelta()
    params = Params()
    journey_id = params.add(journey.journey_id)
    since, until = max(opened, instant - LATE), instant
    n = changed(
        con,
        f"""CREATE TEMP TABLE {new} AS SELECT DISTINCT customer_id, occurred_at
            FROM ({journey.occurrences(trigger.event, trigger.where, instant)}) o
            WHERE occurred_at > {params.add(naive_utc(since - gap))} AND occurred_at <= {params.add(naive_utc(until - gap))}
              AND NOT EXISTS (FROM {journey.marks} m WHERE m.journey_id = {journey_id} AND m.customer_id = o.customer_id
                AND m.moment = o.occurred_at)""",
        params,
    )
    if not n:
        return False
    con.execute(
        f"DELETE FROM {journey.marks} WHERE journey_id = ? AND customer_id IS NOT NULL AND moment <= ?",
        [journey.journey_id, naive_utc(since - gap)],
    )
    con.execute(f"INSERT INTO {journey.marks} SELECT ?, customer_id, occurred_at FROM {new}", [journey.journey_id])
    if isinstance(trigger, OnEventWithout):
        # Who did it after the gap, but before this tick sees them, has done it: they do not enter.
        done = journey.occurrences(trigger.without, trigger.without_where, instant)
        con.execute(
            f"""DELETE FROM {new} WHERE (customer_id, occurred_at) IN (
                  SELECT n.customer_id, n.occurred_at FROM {new} n JOIN ({done}) o
                    ON o.customer_id = n.customer_id AND o.occurred_at > n.occurred_at)"""
        )
    return True
