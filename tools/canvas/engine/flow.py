"""One journey's customers on their way through the nodes in one tick.

Groups of customers are TEMP tables with the columns `ROW`; a step reads the group that came to its node and hands on to
others. Where they end up is written once, when the tick is over: deleting and inserting their rows is ten times as fast as
updating them by a join.
"""

from datetime import datetime, timedelta

import duckdb

from tools.canvas.effects import Effects
from tools.canvas.engine.journey import Journey
from tools.canvas.engine.leaving import leavers
from tools.canvas.engine.sql import changed
from tools.canvas.graph import due_after
from tools.canvas.schema import Wait
from tools.throttle.sql import Params, execute, temp_name
from warehouse.clock import naive_utc

ROW = "customer_id, entry_no, entered_at, expires_at, sent"
"""At most one row of a customer is active in a journey, so that the customer names it; DuckDB's row numbers would not do:
they move when rows before them have been deleted."""
_WRITTEN = (
    "journey_id, customer_id, entry_no, entered_at, expires_at, sent, node_id, arrived_at, due_at, state, arm, left_at"
)


class Flow:
    """Made for one tick; `begin`, then steps and touches, then `close`."""

    def __init__(self, con: duckdb.DuckDBPyConnection, journey: Journey, instant: datetime, effects: Effects) -> None:
        self.con = con
        self.journey = journey
        self.instant = instant
        self.effects = effects
        self.zone = journey.segments.warehouse.zone
        self.sends = 0
        self.at_touch: dict[str, str] = {}
        self._ready: dict[str, list[str]] = {}
        self._arriving: dict[str, list[str]] = {}
        self._made: list[str] = []
        self._params = Params()
        self._moment = self._params.add(naive_utc(instant))
        self._journey = self._params.add(journey.journey_id)
        self._ends: list[str] = []

    def begin(self) -> None:
        """Take out who leaves (goal, `leave_when`), and gather who is due, by node."""
        journey, params = self.journey, Params()
        mine = f"journey_id = {params.add(journey.journey_id)} AND state = 'active'"
        gone = leavers(self.con, journey, self.instant)
        stays = ""
        if gone:
            self._made.append(gone)
            stays = f" AND customer_id NOT IN (SELECT customer_id FROM {gone})"
            self._leave(gone)
        happened = {wait: self._happened(wait) for wait in journey.waited_at(self.con)}
        due = [f"due_at <= {params.add(naive_utc(self.instant))}"]
        due += [f"customer_id IN (SELECT customer_id FROM {table})" for table in happened.values() if table]
        everybody, _ = self.make(
            f"""SELECT customer_id, entry_no, entered_at, expires_at, sent, node_id FROM {journey.enrolments}
                WHERE {mine} AND ({" OR ".join(due)}){stays}""",
            params,
        )
        nodes = [str(row[0]) for row in self.con.execute(f"SELECT DISTINCT node_id FROM {everybody}").fetchall()]
        for node_id in nodes:
            group = everybody
            if len(nodes) > 1:
                here = Params()
                group, _ = self.make(f"SELECT {ROW} FROM {everybody} WHERE node_id = {here.add(node_id)}", here)
            self._ready[node_id] = [group]
        for wait, table in happened.items():
            if table and wait.id in self._ready:
                (group,) = self._ready.pop(wait.id)
                self.branch(
                    wait.id, group, f"customer_id IN (SELECT customer_id FROM {table})", wait.happened, wait.timed_out
                )

    def _happened(self, wait: Wait) -> str:
        table, n = self.make(self.journey.happened_sql(wait, self.instant), Params())
        return table if n else ""

    def _leave(self, gone: str) -> None:
        for node_id, outcome, rule, n in self.con.execute(
            f"SELECT node_id, outcome, rule, count(*) FROM {gone} GROUP BY ALL"
        ).fetchall():
            self.journey.moved[str(node_id), str(outcome), str(rule)] += int(n)
        self._ends.append(
            f"""SELECT {ROW}, node_id, arrived_at, NULL::TIMESTAMP AS due_at, outcome AS state, 'treatment' AS arm,
                  {self._moment}::TIMESTAMP AS left_at FROM {gone}"""
        )

    # What steps use

    def make(self, select: str, params: Params) -> tuple[str, int]:
        """A TEMP table of a SELECT, dropped when the tick is over; and how many rows it has."""
        table = temp_name("group")
        n = changed(self.con, f"CREATE TEMP TABLE {table} AS {select}", params)
        self._made.append(table)
        return table, n

    def take(self, node_id: str) -> tuple[str | None, str | None]:
        """The groups that were waiting at a node and are due, and that came to it in this tick; None for nobody."""
        return self._one(self._ready.pop(node_id, [])), self._one(self._arriving.pop(node_id, []))

    def take_all(self, node_id: str) -> str | None:
        """Both groups of a node as one; None for nobody."""
        return self._one(self._ready.pop(node_id, []) + self._arriving.pop(node_id, []))

    def _one(self, groups: list[str]) -> str | None:
        if len(groups) < 2:
            return groups[0] if groups else None
        return self.make(" UNION ALL ".join(f"SELECT {ROW} FROM {group}" for group in groups), Params())[0]

    def go(self, here: str, group: str, there: str, n: int | None = None) -> None:
        """Hand a group on to another node."""
        if n is None:
            n = int(self.con.execute(f"SELECT count(*) FROM {group}").fetchall()[0][0])
        if not n:
            return
        self.journey.moved[here, "next", there] += n
        self.arrive(group, there, n)

    def arrive(self, group: str, there: str, n: int) -> None:
        """Like `go`, for touches, which tell themselves how they were left."""
        self.journey.entered[there] += n
        self._arriving.setdefault(there, []).append(group)

    def branch(self, here: str, group: str, which: str, yes: str, no: str, params: Params | None = None) -> None:
        """Hand those of a group who meet a condition on to one node, the others to another."""
        met, n = self.make(f"SELECT {ROW} FROM {group} WHERE {which}", params or Params())
        rest, others = self.make(
            f"SELECT {ROW} FROM {group} WHERE customer_id NOT IN (SELECT customer_id FROM {met})", Params()
        )
        self.go(here, met, yes, n)
        self.go(here, rest, no, others)

    def stay(self, select: str, node_id: str, due: datetime | str) -> None:
        """Where customers wait after this tick: a SELECT of `ROW`, and from when they are due there.

        Args:
            due: an instant, or the name of a column of the SELECT.
        """
        until = due if isinstance(due, str) else f"{self._params.add(naive_utc(due))}::TIMESTAMP"
        self._ends.append(
            f"""SELECT {ROW}, {self._params.add(node_id)}::VARCHAR, {self._moment}::TIMESTAMP, {until}, 'active', 'treatment',
                  NULL::TIMESTAMP FROM ({select}) s"""
        )

    def end(self, group: str, node_id: str, state: str, arm: str = "treatment") -> None:
        """Customers who stop being active here."""
        p = self._params
        self._ends.append(
            f"""SELECT customer_id, entry_no, entered_at, NULL::TIMESTAMP, sent, {p.add(node_id)}::VARCHAR,
                  {self._moment}::TIMESTAMP, NULL::TIMESTAMP, {p.add(state)}::VARCHAR, {p.add(arm)}::VARCHAR,
                  {self._moment}::TIMESTAMP FROM {group}"""
        )

    def due_at(self, node_id: str) -> datetime:
        """When somebody who comes to a node now is due there."""
        return due_after(self.journey.nodes[node_id], self.instant, self.zone)

    def later(self, days: int) -> datetime:
        return self.instant + timedelta(days=days)

    def close(self) -> None:
        """Write where everybody is now."""
        if self._ends:
            columns = f"{ROW}, node_id, arrived_at, due_at, state, arm, left_at"
            ends = temp_name("ends")
            execute(
                self.con,
                f"CREATE TEMP TABLE {ends} AS SELECT * FROM ({' UNION ALL '.join(self._ends)}) t ({columns})",
                self._params,
            )
            execute(
                self.con,
                f"""DELETE FROM {self.journey.enrolments} WHERE journey_id = {self._journey} AND state = 'active'
                      AND customer_id IN (SELECT customer_id FROM {ends})""",
                self._params,
            )
            written = _WRITTEN.replace("journey_id, ", "")
            execute(
                self.con,
                f"INSERT INTO {self.journey.enrolments} ({_WRITTEN}) SELECT {self._journey}, {written} FROM {ends}",
                self._params,
            )
            self._made.append(ends)
        for table in dict.fromkeys(self._made):
            self.con.execute(f"DROP TABLE {table}")
