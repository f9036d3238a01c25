"""Who leaves a canvas before its end: the goal reached within its window, or a `leave_when` condition that holds."""

from datetime import datetime
from typing import TYPE_CHECKING

import duckdb

from tools.canvas.engine.sql import changed
from tools.throttle.sql import Params, temp_name

if TYPE_CHECKING:
    from tools.canvas.engine.journey import Journey


def reached_sql(journey: "Journey", entries: str, instant: datetime) -> str:
    """A SELECT of (customer_id, entry_no) of the entries after which the goal was reached within its window.

    Args:
        entries: relation (customer_id, entry_no, entered_at).
    """
    goal = journey.canvas.goal
    done = journey.occurrences(goal.event, goal.where, instant)
    return f"""
        SELECT DISTINCT e.customer_id, e.entry_no FROM {entries} e
        JOIN (SELECT * FROM ({done}) WHERE occurred_at > (SELECT min(entered_at) FROM {entries})) o
          ON o.customer_id = e.customer_id AND o.occurred_at > e.entered_at
            AND o.occurred_at <= e.entered_at + to_days({int(goal.window_days)})"""


def leavers(con: duckdb.DuckDBPyConnection, journey: "Journey", instant: datetime) -> str | None:
    """TEMP table of the active customers who leave now: the columns of a group, node_id, arrived_at, outcome ('goal' or
    'left'), rule. None for nobody."""
    active, params = temp_name("active"), Params()
    n = changed(
        con,
        f"""CREATE TEMP TABLE {active} AS SELECT customer_id, entry_no, entered_at, arrived_at, sent, node_id
            FROM {journey.enrolments} WHERE journey_id = {params.add(journey.journey_id)} AND state = 'active'""",
        params,
    )
    gone = temp_name("gone")
    found = n and _leavers(con, journey, instant, active, gone)
    con.execute(f"DROP TABLE {active}")
    return gone if found else None


def _leavers(con: duckdb.DuckDBPyConnection, journey: "Journey", instant: datetime, active: str, gone: str) -> bool:
    params = Params()
    lines = [f"WHEN customer_id IN (SELECT customer_id FROM goal) THEN {params.add('goal')}"]
    for number, expression in enumerate(journey.canvas.leave_when, start=1):
        fitting = journey.ids(expression, instant, entries=active)
        lines.append(f"WHEN customer_id IN ({fitting}) THEN {params.add(f'leave_when_{number}')}")
    n = changed(
        con,
        f"""CREATE TEMP TABLE {gone} AS
            WITH goal AS ({reached_sql(journey, active, instant)})
            SELECT * EXCLUDE (rule), rule, CASE WHEN rule = 'goal' THEN 'goal' ELSE 'left' END AS outcome,
              NULL::TIMESTAMP AS expires_at
            FROM (SELECT *, CASE {" ".join(lines)} END AS rule FROM {active}) WHERE rule IS NOT NULL""",
        params,
    )
    if not n:
        con.execute(f"DROP TABLE {gone}")
    return bool(n)
