"""A canvas at work on an enrolments table: what it is, who is in it, and when it has something to do."""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import duckdb

from tools.canvas.engine.entering import entrants, next_entry
from tools.canvas.engine.occurrences import watched_sql
from tools.canvas.engine.sql import changed, moment_sql, text_sql
from tools.canvas.enrolments import marks_of
from tools.canvas.graph import key_of, topological
from tools.canvas.schema import Canvas, Entry, Once, Tag, Touch, Wait
from tools.canvas.tags import PREFIX
from tools.segment import Node, Segments, parse
from tools.throttle.sql import Params, execute, relation
from warehouse.clock import naive_utc, parse_instant


@dataclass
class Journey:
    """One canvas at work on one enrolments table.

    Args:
        canvas: a canvas without errors (`check`).
        journey_id: names its rows in the enrolments table.
        campaign_id: the campaign that its touches belong to; unique among journeys that advance together.
        segments: compiles entry and conditions; its actor sets the branch scope.
        enrolments: name of the table (`enrolments_ddl`), TEMP or real; triggers other than `once` also need its marks
            (`marks_ddl`).
        expressions: expression → its form by value, where `in_segment` is expanded (from a release's payload).

    `entered` counts, since the object was made, how many came to each node; `moved` how they left it: (node id, outcome,
    rule) → n, with the outcome 'next', 'held_out', 'goal', 'left', 'done', 'send', 'defer' or 'abandon'.
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
        self._watched: dict[tuple[str, str], str] = {}
        self._trees: dict[str, Node] = {}
        self.marks = marks_of(self.enrolments)
        self.order = topological(self.canvas)
        self.nodes = {node.id: node for node in self.order}
        self.touches = [node for node in self.order if isinstance(node, Touch)]
        self.waits = [node for node in self.order if isinstance(node, Wait)]
        self.waves = {node.id: number for number, node in enumerate(self.touches, start=1)}
        self.entry = next(node for node in self.order if isinstance(node, Entry))
        self.key = key_of(self.canvas)
        own = {PREFIX + node.name for node in self.order if isinstance(node, Tag)}
        if own:
            self.segments = replace(self.segments, known_lists=self.segments.known_lists | own)

    @property
    def streams(self) -> bool:
        """Whether customers keep entering: every trigger but `once`."""
        return not isinstance(self.entry.trigger, Once)

    @property
    def ends(self) -> datetime | None:
        """Nobody enters after this instant; None is no end."""
        end = self.canvas.end
        return parse_instant(end, self.segments.warehouse.zone) if end else None

    def entrants(self, con: duckdb.DuckDBPyConnection, instant: datetime, opened: datetime) -> str | None:
        """See `tools.canvas.engine.entering.entrants`."""
        return entrants(con, self, instant, opened)

    def next_entry(self, con: duckdb.DuckDBPyConnection, after: datetime, until: datetime) -> datetime | None:
        """See `tools.canvas.engine.entering.next_entry`."""
        return next_entry(con, self, after, until)

    def enter(self, con: duckdb.DuckDBPyConnection, instant: datetime, audience: str | None = None) -> int:
        """Enrol the audience, as far as the canvas lets it enter (again); returns how many.

        Args:
            audience: relation with customer_id; None evaluates the entry's segment at the instant.
        """
        if self.ends is not None and instant > self.ends:
            return 0
        source = relation(audience) if audience else f"({self.ids(self.entry.segment, instant)})"
        params = Params()
        journey, moment = params.add(self.journey_id), params.add(naive_utc(instant))
        n = changed(
            con,
            f"""INSERT INTO {self.enrolments}
                  (journey_id, customer_id, entered_at, node_id, arrived_at, due_at, state, arm, sent, entry_no)
                SELECT {journey}, a.customer_id, {moment}, {params.add(self.entry.id)}, {moment}, {moment}, 'active',
                       'treatment', 0, coalesce(e.entries, 0) + 1
                FROM (SELECT DISTINCT customer_id FROM {source}) a LEFT JOIN ({self._before(params)}) e USING (customer_id)
                WHERE {self._may_enter(params, "e", instant)}""",
            params,
        )
        self.entered[self.entry.id] += n
        return n

    def _before(self, params: Params) -> str:
        return (
            "SELECT customer_id, count(*) AS entries, max(left_at) AS last_left, bool_or(state = 'active') AS inside "
            f"FROM {self.enrolments} WHERE journey_id = {params.add(self.journey_id)} GROUP BY customer_id"
        )

    def _may_enter(self, params: Params, e: str, instant: datetime) -> str:
        """SQL that is true for who may enter, given `_before`: never twice at a time, again only by the re-entry rule."""
        rule = self.canvas.reentry
        if not rule.allowed:
            return f"{e}.entries IS NULL"
        again = [f"NOT {e}.inside"]
        if rule.after_days:
            days = params.add(rule.after_days)
            again.append(f"{e}.last_left <= {params.add(naive_utc(instant))} - to_days({days}::INTEGER)")
        if rule.at_most is not None:
            again.append(f"{e}.entries < {params.add(rule.at_most)}")
        return f"({e}.entries IS NULL OR ({' AND '.join(again)}))"

    def may_enter(self, con: duckdb.DuckDBPyConnection, table: str, source: str, instant: datetime) -> int:
        """Make a TEMP table (customer_id) of a source's customers who may enter; returns how many."""
        params = Params()
        return changed(
            con,
            f"""CREATE TEMP TABLE {table} AS SELECT a.customer_id
                FROM (SELECT DISTINCT customer_id FROM ({source})) a LEFT JOIN ({self._before(params)}) e USING (customer_id)
                WHERE {self._may_enter(params, "e", instant)}""",
            params,
        )

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

    def due(self, con: duckdb.DuckDBPyConnection, instant: datetime) -> bool:
        """Whether a tick at an instant would move anybody: somebody is due, or what somebody waits for has happened."""
        first = self.next_due(con)
        if first is not None and first <= instant:
            return True
        return first is not None and any(
            con.execute(f"SELECT 1 FROM ({self.happened_sql(wait, instant)}) LIMIT 1").fetchall()
            for wait in self.waited_at(con)
        )

    def waited_at(self, con: duckdb.DuckDBPyConnection) -> list[Wait]:
        """The waits at which somebody is."""
        if not self.waits:
            return []
        params = Params()
        rows = execute(
            con,
            f"SELECT DISTINCT node_id FROM {self.enrolments} WHERE journey_id = {params.add(self.journey_id)} "
            "AND state = 'active'",
            params,
        ).fetchall()
        return [wait for wait in self.waits if (wait.id,) in rows]

    def next_happened(self, con: duckdb.DuckDBPyConnection, until: datetime) -> datetime | None:
        """When what somebody waits for happens next; for a simulated clock, which has to tick then."""
        moments = [
            con.execute(f"SELECT min(occurred_at) FROM ({self.happened_sql(wait, until)})").fetchall()[0][0]
            for wait in self.waited_at(con)
        ]
        return min((moment.replace(tzinfo=UTC) for moment in moments if moment), default=None)

    def happened_sql(self, wait: Wait, instant: datetime) -> str:
        """A SELECT of (customer_id, occurred_at): those at a wait whose event came after they did, and before their time
        was out."""
        where = f"journey_id = {text_sql(self.journey_id)} AND state = 'active' AND node_id = {text_sql(wait.id)}"
        return f"""
            SELECT e.customer_id, min(o.occurred_at) AS occurred_at
            FROM (SELECT customer_id, arrived_at, due_at FROM {self.enrolments} WHERE {where}) e
            JOIN (SELECT * FROM ({self.occurrences(wait.event, wait.where, instant)})
                  WHERE occurred_at >= (SELECT min(arrived_at) FROM {self.enrolments} WHERE {where})) o
              ON o.customer_id = e.customer_id AND o.occurred_at > e.arrived_at
                AND o.occurred_at <= least(e.due_at, {moment_sql(instant)})
            GROUP BY e.customer_id"""

    def occurrences(self, event: str, where: str, instant: datetime) -> str:
        """A SELECT of (customer_id, occurred_at) of an event up to an instant; nothing later is seen.

        Compiled once: a tick every few seconds looks at the same events again and again.
        """
        if (event, where) not in self._watched:
            self._watched[event, where] = watched_sql(self.segments, event, where)
        return f"SELECT * FROM ({self._watched[event, where]}) WHERE occurred_at <= {moment_sql(instant)}"

    def remaining(self, con: duckdb.DuckDBPyConnection) -> int:
        """How many touches the canvas's maximum still allows."""
        params = Params()
        row = execute(
            con,
            f"SELECT coalesce(sum(sent), 0) FROM {self.enrolments} WHERE journey_id = {params.add(self.journey_id)}",
            params,
        ).fetchall()
        return max(0, self.canvas.max_touches - int(row[0][0]))

    def ids(self, expression: str, instant: datetime, entries: str | None = None) -> str:
        """A SELECT of customer_id of an expression of the canvas at an instant."""
        if expression not in self._trees:
            self._trees[expression] = parse(self.expressions.get(expression, expression), self.segments.catalog)
        return self.segments.ids_sql(self._trees[expression], at=instant, entries=entries)
