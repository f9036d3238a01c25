"""A tick: every due customer of some journeys moves on, all candidates of a round arbitrated together."""

from collections.abc import Sequence
from datetime import datetime

import duckdb

from tools.canvas.effects import Effects
from tools.canvas.engine.flow import Flow
from tools.canvas.engine.journey import Journey
from tools.canvas.engine.steps import step
from tools.canvas.engine.touching import candidates, settle
from tools.throttle.sql import temp_name


def tick(con: duckdb.DuckDBPyConnection, journeys: Sequence[Journey], instant: datetime, effects: Effects) -> None:
    """Advance journeys to an instant, until nobody of them is due.

    Raises:
        DeveloperFixes: the effects defer a candidate to an instant that is not later.
    """
    flows = [Flow(con, journey, instant, effects) for journey in journeys]
    remaining = {journey.campaign_id: journey.remaining(con) for journey in journeys}
    for flow in flows:
        flow.begin()
    # A touch after a touch is a second round; the graph has no circles, so there is a last one.
    while found := [(flow, table) for flow in flows if (table := _forward(flow))]:
        tables = [table for _, table in found]
        together = tables[0]
        if len(tables) > 1:
            together = temp_name("candidates")
            everything = " UNION ALL ".join(f"FROM {table}" for table in tables)
            con.execute(f"CREATE TEMP TABLE {together} AS {everything}")
            tables.append(together)
        limits = {
            flow.journey.campaign_id: max(0, remaining[flow.journey.campaign_id] - flow.sends) for flow, _ in found
        }
        decided = effects.decide(con, together, instant, limits)
        for flow, _ in found:
            settle(flow, decided)
        for table in (*tables, decided):
            con.execute(f"DROP TABLE {table}")
    for flow in flows:
        flow.close()


def _forward(flow: Flow) -> str | None:
    """Let everybody go on to the next touch; the candidates, if there are any."""
    while True:
        for node in flow.journey.order:
            step(node, flow)
        if not flow.at_touch:
            return None
        if table := candidates(flow):
            return table
