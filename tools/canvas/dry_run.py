"""The dry run: the journey engine on a simulated clock over overlay tables, and what those customers then did.

Every condition is evaluated at the simulated instant: no event, consent, suppression or assessment dated later says
anything. What the warehouse knows only as of today (balances, tiers) is used as it is and named in
`snapshot_conditions`. The result is history replayed, not a forecast.
"""

import math
import time
from collections.abc import Iterator
from datetime import datetime, timedelta

import duckdb
from pydantic import BaseModel, ConfigDict, Field

from control.records import digest
from tools.canvas.draw import draw
from tools.canvas.effects import DryEffects
from tools.canvas.engine import Journey, tick
from tools.canvas.engine.leaving import reached_sql
from tools.canvas.enrolments import enrolments_ddl, marks_ddl, marks_of
from tools.canvas.graph import expressions_of, length, topological
from tools.canvas.schema import Canvas, Entry, Node, Once, OnDate, Recurring, Tag, Touch
from tools.canvas.tags import PREFIX
from tools.segment import Segments, expand, parse
from tools.throttle import ThrottlePolicy
from tools.throttle.rules import skipped_rules
from warehouse.catalog import Catalog, Language
from warehouse.clock import naive_utc
from warehouse.errors import ModelRetry
from warehouse.evidence import Evidence

ENROLMENTS = "dry_enrolments"
_HOUR = timedelta(hours=1)
_GRID = 24 * 28
_CAPS = ("cap_", "max_touches")


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class NodeRun(Frozen):
    """What happened at one node.

    entered = held_out + capped + deferred + abandoned + sent + passed + goal + left + waiting: `capped` were over a frequency cap
    or the canvas's maximum of touches, `deferred` still wait for their touch at the end, `abandoned` were stopped by any
    other rule, `passed` went on or ended at a node that is no touch (or has no manager for a task), `goal` reached the goal
    while here, `left` met a `leave_when` here, `waiting` are still in a delay or wait at the end. Who was abandoned or capped at a touch goes on to the next node all the same.
    """

    id: str
    kind: str
    entered: int = 0
    held_out: int = 0
    capped: int = 0
    deferred: int = 0
    abandoned: int = 0
    sent: int = 0
    passed: int = 0
    goal: int = 0
    left: int = 0
    waiting: int = 0
    by_rule: dict[str, int] = Field({}, description="Rule → candidates it capped or abandoned.")


class Aftermath(Frozen):
    """What those customers did from their entry to the data cut-off, within the goal's window: history.

    The arms were never treated differently in reality, so a difference between them is chance or association, never an
    effect of this canvas.
    """

    arm: str
    customers: int
    reached_goal: int


class DryRun(Frozen):
    """The result of a dry run; `nodes` in working order."""

    start: datetime
    end: datetime
    nodes: list[NodeRun]
    snapshot_conditions: list[str]
    aftermath: list[Aftermath]
    ticks: int
    consent_assumed: bool = False
    skipped: dict[str, str] = {}
    elapsed_ms: float = 0.0
    evidence: list[Evidence] = []

    def counts(self) -> dict[str, dict[str, int]]:
        """The numbers that `draw` shows, per node."""
        names = ("entered", "held_out", "sent", "capped", "deferred", "abandoned")
        return {node.id: {name: getattr(node, name) for name in names} for node in self.nodes}

    def picture(self, canvas: Canvas, language: Language, catalog: Catalog | None = None) -> str:
        return draw(canvas, language, self.counts(), catalog)


def dry_run(
    canvas: Canvas, segments: Segments, policy: ThrottlePolicy, start: datetime | None = None, key: str = "dry"
) -> DryRun:
    """Run a canvas on the past. Writes nothing but TEMP tables of its own.

    Args:
        canvas: one without errors (`check`).
        start: the simulated release, aware; None means the data cut-off less the canvas's length and one day, so that a
            last touch that is deferred over a night is still seen; less the time in which customers keep entering, too
            (`_ENTERING`), where its trigger is no `once`.
        key: names the simulated campaign.

    Raises:
        ModelRetry: the start is not before the data cut-off, or an expression does not fit.
    """
    started = time.perf_counter()
    as_of, zone = segments.warehouse.as_of, segments.warehouse.zone
    if start is None:
        start = _hour(as_of - length(canvas, zone, as_of - timedelta(days=30)) - timedelta(days=1) - _entering(canvas))
    if start >= as_of:
        raise ModelRetry(
            f"A dry run must start before the data cut-off {as_of.astimezone(zone):%Y-%m-%d %H:%M}.",
            "Give an earlier start, or none.",
        )
    with segments.warehouse.overlay() as con:
        replay = Replay(con, canvas, segments, policy, start, key)
        ticks = sum(1 for _ in replay.run(as_of))
        nodes = _nodes(con, replay.journey)
        aftermath = _aftermath(con, replay.journey, as_of)
    channels = sorted({node.channel for node in canvas.nodes if isinstance(node, Touch)})
    elapsed = round((time.perf_counter() - started) * 1000, 1)
    return DryRun(
        start=start,
        end=as_of,
        nodes=nodes,
        snapshot_conditions=snapshot_conditions(canvas, segments),
        aftermath=aftermath,
        ticks=ticks,
        consent_assumed=policy.consent.assumed,
        skipped=skipped_rules(list(channels), start, policy, segments),
        elapsed_ms=elapsed,
        evidence=_evidence(replay.journey, policy, start, nodes, aftermath, elapsed),
    )


class Replay:
    """A journey on a simulated clock, in an overlay of its own."""

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        canvas: Canvas,
        segments: Segments,
        policy: ThrottlePolicy,
        start: datetime,
        key: str = "dry",
        effects: type[DryEffects] = DryEffects,
    ) -> None:
        for table in (ENROLMENTS, marks_of(ENROLMENTS)):
            con.execute(f"DROP TABLE IF EXISTS {table}")
        con.execute(enrolments_ddl(ENROLMENTS, temporary=True))
        con.execute(marks_ddl(ENROLMENTS, temporary=True))
        self.con, self.start = con, start
        self.journey = Journey(canvas, key, key, segments, ENROLMENTS)
        self.effects = effects(con, policy, segments)

    def run(self, until: datetime) -> Iterator[datetime]:
        """Advance to every instant at which there is something to do, on whole hours after the start, and tell it.

        Where customers keep entering for longer than a few weeks the grid is coarser: at most `_GRID` ticks.
        """
        hours = max(1, math.ceil((until - self.start) / _HOUR / _GRID)) if self.journey.streams else 1
        instant: datetime | None = self.start
        while instant is not None and instant <= until:
            self.advance(instant)
            yield instant
            instant = self._next(instant, until, hours * _HOUR)

    def advance(self, instant: datetime) -> None:
        """Let in who enters at an instant, and tick if anybody is due: what a release does at this clock reading."""
        self.effects.at_instant(self.con, instant)
        self.let_in(instant)
        if self.journey.due(self.con, instant):
            tick(self.con, [self.journey], instant, self.effects)

    def let_in(self, instant: datetime) -> int:
        """Enrol who enters at an instant; returns how many."""
        if not self.journey.streams:
            return self.journey.enter(self.con, instant) if instant == self.start else 0
        entering = self.journey.entrants(self.con, instant, self.start)
        if entering is None:
            return 0
        n = self.journey.enter(self.con, instant, entering)
        self.con.execute(f"DROP TABLE {entering}")
        return n

    def _next(self, instant: datetime, until: datetime, grid: timedelta) -> datetime | None:
        """The next instant of the grid, later than this one, at which somebody is due, enters, or is waited for no more."""
        coming = [
            moment
            for moment in (
                self.journey.next_due(self.con),
                self.journey.next_entry(self.con, instant, until),
                self.journey.next_happened(self.con, until),
            )
            if moment is not None
        ]
        if not coming:
            return None
        first = max(min(coming), instant + timedelta(microseconds=1))
        whole = _hour(first)
        if whole < first:
            whole += _HOUR
        while whole < instant + grid:
            whole += _HOUR
        return whole


def snapshot_conditions(canvas: Canvas, segments: Segments) -> list[str]:
    """What could only use today's snapshot, each once: conditions over customers, key dates, managers and branches. The
    canvas's own tags are not among them: they are simulated."""
    own = {f"in_list('{PREFIX}{node.name}')" for node in canvas.nodes if isinstance(node, Tag)}
    found: dict[str, None] = {}
    for text in expressions_of(canvas):
        tree = expand(parse(text, segments.catalog), segments.records)
        found |= dict.fromkeys(segments.snapshot_only(tree))
    for node in canvas.nodes:
        if isinstance(node, Entry) and isinstance(node.trigger, OnDate):
            known = parse(f"{node.trigger.date} is unknown", segments.catalog)
            if segments.snapshot_only(known):
                found[node.trigger.date] = None
        elif isinstance(node, Touch) and node.unmanaged:
            found["manager_id"] = None
    if canvas.overrides:
        found["branch_id"] = None
    return [text for text in found if text not in own]


def _entering(canvas: Canvas) -> timedelta:
    """For how long customers enter in a dry run that was not told when to start."""
    trigger = next(node.trigger for node in canvas.nodes if isinstance(node, Entry))
    match trigger:
        case Once():
            return timedelta()
        case Recurring(every="month"):
            return timedelta(days=31)
        case _:
            return timedelta(days=7)


def _hour(instant: datetime) -> datetime:
    return instant.replace(minute=0, second=0, microsecond=0)


def _nodes(con: duckdb.DuckDBPyConnection, journey: Journey) -> list[NodeRun]:
    staying = dict(
        con.execute(
            f"SELECT node_id, count(*) FROM {ENROLMENTS} WHERE journey_id = $j AND state = 'active' GROUP BY 1",
            {"j": journey.journey_id},
        ).fetchall()
    )
    return [_node(node, journey, int(staying.get(node.id, 0))) for node in topological(journey.canvas)]


def _node(node: Node, journey: Journey, staying: int) -> NodeRun:
    moves = {(outcome, rule): n for (where, outcome, rule), n in journey.moved.items() if where == node.id}
    stopped = {rule: n for (outcome, rule), n in moves.items() if outcome == "abandon"}
    capped = sum(n for rule, n in stopped.items() if rule.startswith(_CAPS))
    is_touch = isinstance(node, Touch)

    def of(outcome: str) -> int:
        return sum(n for (what, _), n in moves.items() if what == outcome)

    return NodeRun(
        id=node.id,
        kind=node.kind,
        entered=journey.entered[node.id],
        held_out=of("held_out"),
        capped=capped,
        deferred=staying if is_touch else 0,
        abandoned=sum(stopped.values()) - capped,
        sent=of("send"),
        passed=of("next") + of("done"),
        goal=of("goal"),
        left=of("left"),
        waiting=0 if is_touch else staying,
        by_rule=stopped,
    )


def _aftermath(con: duckdb.DuckDBPyConnection, journey: Journey, as_of: datetime) -> list[Aftermath]:
    """Who reached the goal within its window after entering, by arm."""
    reached = reached_sql(journey, ENROLMENTS, as_of)
    entries = f"SELECT arm, customer_id, r.entry_no IS NOT NULL AS goal FROM {ENROLMENTS} LEFT JOIN ({reached}) r USING (customer_id, entry_no)"
    if journey.canvas.reentry.allowed:
        entries = f"SELECT arm, customer_id, bool_or(goal) AS goal FROM ({entries}) GROUP BY arm, customer_id"
    rows = con.execute(
        f"SELECT arm, count(*), count(*) FILTER (goal) FROM ({entries}) GROUP BY arm ORDER BY arm"
    ).fetchall()
    return [Aftermath(arm=arm, customers=n, reached_goal=goal) for arm, n, goal in rows]


def _evidence(
    journey: Journey,
    policy: ThrottlePolicy,
    start: datetime,
    nodes: list[NodeRun],
    aftermath: list[Aftermath],
    elapsed: float,
) -> list[Evidence]:
    canvas, segments = journey.canvas, journey.segments
    shared = {"as_of": segments.warehouse.as_of, "elapsed_ms": elapsed}
    names = ("entered", "held_out", "capped", "deferred", "abandoned", "sent", "passed", "goal", "left", "waiting")
    run = Evidence(
        title=f"dry run: {canvas.name}",
        sql=journey.ids(journey.entry.segment, start),
        params=[
            start.isoformat(),
            digest(canvas.model_dump(mode="json")),
            digest(policy.model_dump(mode="json")),
        ],
        row_count=len(nodes),
        definition=(
            "Customers of the query enter when the trigger says and move through the canvas on a simulated clock; "
            "parameters: start, digest of the canvas, digest of the contact policy. History replayed, not a forecast. See docs/canvas.md."
        ),
        columns=["node", *names],
        preview=[[node.id, *(getattr(node, name) for name in names)] for node in nodes[:20]],
        **shared,
    )
    after = Evidence(
        title=f"dry run, goal reached: {canvas.name}",
        sql=reached_sql(journey, ENROLMENTS, segments.warehouse.as_of),
        params=[naive_utc(start).isoformat()],
        row_count=len(aftermath),
        definition=(
            f"{ENROLMENTS} holds everybody who entered, with the time of entry. Association only: in reality nobody of "
            "them was treated by this canvas."
        ),
        columns=["arm", "customers", "reached goal"],
        preview=[[a.arm, a.customers, a.reached_goal] for a in aftermath],
        **shared,
    )
    return [run, after]
