"""The journey engine: one SQL step per node moves every due customer. The same code runs dry and for real."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import duckdb

from tools.canvas.effects import CANDIDATE_COLUMNS, Effects
from tools.canvas.enrolments import share_sql, within_sql
from tools.canvas.graph import due_after, goal_expression, key_of, topological
from tools.canvas.schema import Canvas, Condition, Delay, Entry, Exit, HoldOut, Touch
from tools.segment import Segments, parse
from tools.throttle.sql import Params, execute, relation, temp_name
from warehouse.clock import naive_utc
from warehouse.errors import DeveloperFixes


@dataclass
class Journey:
    """One canvas at work on one enrolments table.

    Args:
        canvas: a canvas without errors (`check`).
        journey_id: names its rows in the enrolments table.
        campaign_id: the campaign that its touches belong to; unique among journeys that advance together.
        segments: compiles entry and conditions; its actor sets the branch scope.
        enrolments: name of the table (`enrolments_ddl`), TEMP or real.
        expressions: expression → its form by value, where `in_segment` is expanded (from a release's payload).

    `entered` counts, since the object was made, how many came to each node; `moved` how they left it: (node id, outcome,
    rule) → n, with the outcome 'next', 'held_out', 'goal', 'done', 'send', 'defer' or 'abandon'.
    """

    canvas: Canvas
    journey_id: str
    campaign_id: str
    segments: Segments
    enrolments: str
    expressions: dict[str, str] = field(default_factory=dict)
    entered: Counter[str] = field(default_factory=Counter)
    moved: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        relation(self.enrolments)
        self.order = topological(self.canvas)
        self.nodes = {node.id: node for node in self.order}
        self.touches = [node for node in self.order if isinstance(node, Touch)]
        self.waves = {node.id: number for number, node in enumerate(self.touches, start=1)}
        self.entry = next(node for node in self.order if isinstance(node, Entry))
        self.key = key_of(self.canvas)

    def enter(self, con: duckdb.DuckDBPyConnection, instant: datetime, audience: str | None = None) -> int:
        """Enrol the audience, as far as it is not enrolled yet; returns how many.

        Args:
            audience: relation with customer_id (a frozen audience); None evaluates the entry's segment at the instant.
        """
        source = relation(audience) if audience else f"({self._ids(self.entry.segment, instant)})"
        params = Params()
        journey, moment = params.add(self.journey_id), params.add(naive_utc(instant))
        n = _changed(
            con,
            f"""INSERT INTO {self.enrolments} (journey_id, customer_id, entered_at, node_id, due_at, state, arm, sent)
                SELECT DISTINCT {journey}, a.customer_id, {moment}, {params.add(self.entry.id)}, {moment}, 'active',
                       'treatment', 0
                FROM {source} a ANTI JOIN
                  (SELECT customer_id FROM {self.enrolments} WHERE journey_id = {journey}) e USING (customer_id)""",
            params,
        )
        self.entered[self.entry.id] += n
        return n

    def next_due(self, con: duckdb.DuckDBPyConnection) -> datetime | None:
        """The next instant at which somebody is due; None when nobody is active."""
        params = Params()
        row = execute(
            con,
            f"SELECT min(due_at) FROM {self.enrolments} WHERE journey_id = {params.add(self.journey_id)} "
            "AND state = 'active'",
            params,
        ).fetchall()
        moment: datetime | None = row[0][0]
        return moment.replace(tzinfo=UTC) if moment else None

    def remaining(self, con: duckdb.DuckDBPyConnection) -> int:
        """How many touches the canvas's maximum still allows."""
        params = Params()
        row = execute(
            con,
            f"SELECT coalesce(sum(sent), 0) FROM {self.enrolments} WHERE journey_id = {params.add(self.journey_id)}",
            params,
        ).fetchall()
        return max(0, self.canvas.max_touches - int(row[0][0]))

    def leave_at_goal(self, con: duckdb.DuckDBPyConnection, instant: datetime) -> int:
        """Take out the active customers who reached the goal within its window after their entry; returns how many."""
        params = Params()
        groups = execute(
            con,
            f"SELECT DISTINCT entered_at FROM {self.enrolments} WHERE journey_id = {params.add(self.journey_id)} "
            "AND state = 'active'",
            params,
        ).fetchall()
        return sum(self._leave_group(con, entered_at, instant) for (entered_at,) in groups)

    def _leave_group(self, con: duckdb.DuckDBPyConnection, entered_at: datetime, instant: datetime) -> int:
        """Those who entered at one instant: their window closes at one instant, too."""
        closes = entered_at.replace(tzinfo=UTC) + timedelta(days=self.canvas.goal.window_days)
        params, group, gone = Params(), temp_name("entries"), temp_name("gone")
        execute(
            con,
            f"""CREATE TEMP TABLE {group} AS SELECT customer_id, entered_at, node_id FROM {self.enrolments}
                WHERE journey_id = {params.add(self.journey_id)} AND state = 'active'
                  AND entered_at = {params.add(entered_at)}""",
            params,
        )
        reached = self._ids(goal_expression(self.canvas.goal), min(instant, closes), entries=group)
        n = _changed(con, f"CREATE TEMP TABLE {gone} AS SELECT * FROM {group} WHERE customer_id IN ({reached})")
        if n:
            for node_id, count in con.execute(f"SELECT node_id, count(*) FROM {gone} GROUP BY 1").fetchall():
                self.moved[str(node_id), "goal", "goal"] += int(count)
            change = "state = 'goal', left_at = {moment}, due_at = NULL, expires_at = NULL"
            self._update(con, instant, change, f"customer_id IN (SELECT customer_id FROM {gone})")
        for table in (group, gone):
            con.execute(f"DROP TABLE {table}")
        return n

    def candidates(self, con: duckdb.DuckDBPyConnection, instant: datetime) -> str | None:
        """Move everybody due on to the next touch; name a TEMP table of those due at touches, or None if nobody is."""
        for node in self.order:
            if isinstance(node, Condition):
                self._branch(con, node, instant)
            elif isinstance(node, HoldOut):
                self._hold_out(con, node, instant)
            elif isinstance(node, Exit):
                n = self._update(con, instant, "state = 'done', left_at = {moment}, due_at = NULL", "true", node.id)
                self.moved[node.id, "done", "exit"] += n
            elif isinstance(node, Entry | Delay):
                self._go(con, node.id, node.next, instant)
        params, parts = Params(), []
        journey, moment = params.add(self.journey_id), params.add(naive_utc(instant))
        campaign, category = params.add(self.campaign_id), params.add(self.canvas.category)
        priority = params.add(self.canvas.priority)
        for touch in self.touches:
            here = params.add(touch.id)
            arm = share_sql(params, f"{self.key}/{touch.id}", [(arm.name, arm.share) for arm in touch.arms])
            parts.append(
                f"""SELECT customer_id, {campaign}::VARCHAR, {here}::VARCHAR, {params.add(touch.channel)}::VARCHAR,
                      {category}::VARCHAR, {priority}::INTEGER, {params.add(touch.product_id)}::INTEGER,
                      {campaign} || '.' || {here} || '.' || customer_id, {arm}, {params.add(self.waves[touch.id])}::INTEGER,
                      expires_at
                    FROM {self.enrolments}
                    WHERE journey_id = {journey} AND state = 'active' AND node_id = {here} AND due_at <= {moment}"""
            )
        if not parts:
            return None
        table, columns = temp_name("candidates"), ", ".join(name for name, _ in CANDIDATE_COLUMNS)
        sql = f"CREATE TEMP TABLE {table} AS SELECT * FROM ({' UNION ALL '.join(parts)}) t ({columns})"
        if _changed(con, sql, params):
            return table
        con.execute(f"DROP TABLE {table}")
        return None

    def settle(self, con: duckdb.DuckDBPyConnection, instant: datetime, decided: str) -> None:
        """Move this journey's decided candidates: sends and abandons to the next node, deferrals wait for `until`."""
        relation(decided)
        for touch in self.touches:
            params = Params()
            mine = f"d.campaign_id = {params.add(self.campaign_id)} AND d.node_id = {params.add(touch.id)}"
            counts = execute(
                con, f"SELECT decision, rule, count(*) FROM {decided} d WHERE {mine} GROUP BY ALL", params
            ).fetchall()
            if not counts:
                continue
            for decision, rule, n in counts:
                self.moved[touch.id, str(decision), str(rule)] += int(n)
                if decision != "defer":
                    self.entered[touch.next] += int(n)
            due = naive_utc(due_after(self.nodes[touch.next], instant, self.segments.warehouse.zone))
            execute(
                con,
                f"""UPDATE {self.enrolments} e SET
                      node_id = CASE WHEN d.decision = 'defer' THEN e.node_id ELSE {params.add(touch.next)} END,
                      due_at = CASE WHEN d.decision = 'defer' THEN d.until ELSE {params.add(due)} END,
                      expires_at = CASE WHEN d.decision = 'defer' THEN d.expires_at END,
                      sent = e.sent + CASE WHEN d.decision = 'send' THEN 1 ELSE 0 END
                    FROM {decided} d
                    WHERE {mine} AND e.journey_id = {params.add(self.journey_id)} AND e.customer_id = d.customer_id
                      AND e.state = 'active' AND e.node_id = d.node_id""",
                params,
            )

    def _branch(self, con: duckdb.DuckDBPyConnection, node: Condition, instant: datetime) -> None:
        params, here = Params(), temp_name("entries")
        where = self._where(params, node.id, instant)
        due = f"CREATE TEMP TABLE {here} AS SELECT customer_id, entered_at FROM {self.enrolments} WHERE {where}"
        if _changed(con, due, params):
            yes = f"customer_id IN ({self._ids(node.expression, instant, entries=here)})"
            self._go(con, node.id, node.yes, instant, yes)
            self._go(con, node.id, node.no, instant)
        con.execute(f"DROP TABLE {here}")

    def _hold_out(self, con: duckdb.DuckDBPyConnection, node: HoldOut, instant: datetime) -> None:
        params = Params()
        held = within_sql(params, node.key, node.percent)
        n = self._update(
            con,
            instant,
            "state = 'held_out', arm = 'control', left_at = {moment}, due_at = NULL",
            held,
            node.id,
            params,
        )
        self.moved[node.id, "held_out", "hold_out"] += n
        self._go(con, node.id, node.next, instant)

    def _go(
        self, con: duckdb.DuckDBPyConnection, here: str, there: str, instant: datetime, which: str = "true"
    ) -> None:
        """Move those due at a node who meet a condition on to another node."""
        params = Params()
        due = naive_utc(due_after(self.nodes[there], instant, self.segments.warehouse.zone))
        change = f"node_id = {params.add(there)}, due_at = {params.add(due)}"
        n = self._update(con, instant, change, which, here, params)
        self.moved[here, "next", there] += n
        self.entered[there] += n

    def _update(
        self,
        con: duckdb.DuckDBPyConnection,
        instant: datetime,
        change: str,
        which: str,
        node: str | None = None,
        params: Params | None = None,
    ) -> int:
        """Change the rows of active customers, those due at `node` if it is named, who meet a condition."""
        params = Params() if params is None else params
        moment = params.add(naive_utc(instant))
        where = self._where(params, node, instant)
        return _changed(
            con, f"UPDATE {self.enrolments} SET {change.format(moment=moment)} WHERE {where} AND {which}", params
        )

    def _where(self, params: Params, node: str | None, instant: datetime) -> str:
        where = f"journey_id = {params.add(self.journey_id)} AND state = 'active'"
        if node is not None:
            where += f" AND node_id = {params.add(node)} AND due_at <= {params.add(naive_utc(instant))}"
        return where

    def _ids(self, expression: str, instant: datetime, entries: str | None = None) -> str:
        tree = parse(self.expressions.get(expression, expression), self.segments.catalog)
        return self.segments.ids_sql(tree, at=instant, entries=entries)


def tick(con: duckdb.DuckDBPyConnection, journeys: Sequence[Journey], instant: datetime, effects: Effects) -> None:
    """Advance journeys to an instant: until nobody is due, with all candidates of a round arbitrated together.

    Raises:
        DeveloperFixes: the effects defer a candidate to an instant that is not later.
    """
    for journey in journeys:
        journey.leave_at_goal(con, instant)
    for _ in range(1 + sum(len(journey.touches) for journey in journeys)):
        found = [(journey, table) for journey in journeys if (table := journey.candidates(con, instant))]
        if not found:
            return
        tables = [table for _, table in found]
        together = tables[0]
        if len(tables) > 1:
            together = temp_name("candidates")
            everything = " UNION ALL ".join(f"FROM {table}" for table in tables)
            con.execute(f"CREATE TEMP TABLE {together} AS {everything}")
            tables.append(together)
        limits = {journey.campaign_id: journey.remaining(con) for journey, _ in found}
        decided = effects.decide(con, together, instant, limits)
        for journey, _ in found:
            journey.settle(con, instant, decided)
        for table in (*tables, decided):
            con.execute(f"DROP TABLE {table}")
    raise DeveloperFixes(
        "A deferred touch came due again at the same instant.", "An `until` must be later than the tick."
    )


def _changed(con: duckdb.DuckDBPyConnection, sql: str, params: Params | None = None) -> int:
    """Run a statement that changes or makes rows; returns how many."""
    return int(execute(con, sql, Params() if params is None else params).fetchall()[0][0])
