"""The dry run: the journey engine on a simulated clock over overlay tables, and what those customers then did.

Every condition is evaluated at the simulated instant: no event, consent, suppression or assessment dated later says
anything. What the warehouse knows only as of today (balances, tiers) is used as it is and named in
`snapshot_conditions`. The result is history replayed, not a forecast.
"""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta

import duckdb
from pydantic import BaseModel, ConfigDict, Field

from control.records import digest
from tools.canvas.draw import draw
from tools.canvas.effects import DryEffects
from tools.canvas.enrolments import enrolments_ddl
from tools.canvas.graph import goal_expression, length, topological
from tools.canvas.journey import Journey, tick
from tools.canvas.schema import Canvas, Condition, Entry, Node, Touch
from tools.segment import Segments, expand, parse
from tools.throttle import ThrottlePolicy
from tools.throttle.rules import skipped_rules
from warehouse.catalog import Catalog, Language
from warehouse.clock import naive_utc
from warehouse.errors import DeveloperFixes, ModelRetry
from warehouse.evidence import Evidence

_ENROLMENTS = "dry_enrolments"
_HOUR = timedelta(hours=1)
_TICKS = 24 * 400
_CAPS = ("cap_", "max_touches")


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class NodeRun(Frozen):
    """What happened at one node.

    entered = held_out + capped + deferred + abandoned + sent + passed + goal + waiting: `capped` were over a frequency cap
    or the canvas's maximum of touches, `deferred` still wait for their touch at the end, `abandoned` were stopped by any
    other rule, `passed` went on or ended at a node that is no touch, `goal` reached the goal while here, `waiting` are
    still in a delay at the end. Who was abandoned or capped at a touch goes on to the next node all the same.
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
            last touch that is deferred over a night is still seen.
        key: names the simulated campaign.

    Raises:
        ModelRetry: the start is not before the data cut-off, or an expression does not fit.
    """
    started = time.perf_counter()
    as_of, zone = segments.warehouse.as_of, segments.warehouse.zone
    if start is None:
        start = _hour(as_of - length(canvas, zone, as_of - timedelta(days=30)) - timedelta(days=1))
    if start >= as_of:
        raise ModelRetry(
            f"A dry run must start before the data cut-off {as_of.astimezone(zone):%Y-%m-%d %H:%M}.",
            "Give an earlier start, or none.",
        )
    with segments.warehouse.overlay() as con:
        con.execute(f"DROP TABLE IF EXISTS {_ENROLMENTS}")
        con.execute(enrolments_ddl(_ENROLMENTS, temporary=True))
        journey = Journey(canvas, key, key, segments, _ENROLMENTS)
        effects = DryEffects(con, policy, segments)
        journey.enter(con, start)
        ticks = 0
        for instant in _instants(con, journey, start, as_of):
            ticks += 1
            if ticks > _TICKS:
                raise DeveloperFixes("The dry run does not come to an end.", "Report the canvas.")
            tick(con, [journey], instant, effects)
        nodes = _nodes(con, journey)
        aftermath = _aftermath(con, canvas, segments, start, as_of)
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
        evidence=_evidence(canvas, segments, policy, start, nodes, aftermath, elapsed),
    )


def snapshot_conditions(canvas: Canvas, segments: Segments) -> list[str]:
    """The conditions of entry and branches that could only use today's snapshot, each once."""
    found: dict[str, None] = {}
    for node in canvas.nodes:
        text = node.segment if isinstance(node, Entry) else node.expression if isinstance(node, Condition) else ""
        if text:
            tree = expand(parse(text, segments.catalog), segments.records)
            found |= dict.fromkeys(segments.snapshot_only(tree))
    return list(found)


def _instants(con: duckdb.DuckDBPyConnection, journey: Journey, start: datetime, as_of: datetime) -> Iterator[datetime]:
    """Every instant at which somebody is due, no two within an hour, none after the cut-off."""
    last: datetime | None = None
    while (due := journey.next_due(con)) is not None:
        instant = due if last is None or due >= last + _HOUR else last + _HOUR
        if instant > as_of:
            return
        yield max(instant, start)
        last = instant


def _hour(instant: datetime) -> datetime:
    return instant.replace(minute=0, second=0, microsecond=0)


def _nodes(con: duckdb.DuckDBPyConnection, journey: Journey) -> list[NodeRun]:
    staying = dict(
        con.execute(
            f"SELECT node_id, count(*) FROM {_ENROLMENTS} WHERE journey_id = $j AND state = 'active' GROUP BY 1",
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
        waiting=0 if is_touch else staying,
        by_rule=stopped,
    )


def _aftermath(
    con: duckdb.DuckDBPyConnection, canvas: Canvas, segments: Segments, start: datetime, as_of: datetime
) -> list[Aftermath]:
    """Who reached the goal after entering, by arm; everybody entered at `start`, so the window closes at one instant."""
    closes = min(as_of, start + timedelta(days=canvas.goal.window_days))
    tree = parse(goal_expression(canvas.goal), segments.catalog)
    reached = segments.ids_sql(tree, at=closes, entries=_ENROLMENTS)
    rows = con.execute(
        f"""SELECT arm, count(*), count(*) FILTER (WHERE customer_id IN ({reached})) FROM {_ENROLMENTS}
            GROUP BY arm ORDER BY arm"""
    ).fetchall()
    return [Aftermath(arm=arm, customers=n, reached_goal=goal) for arm, n, goal in rows]


def _evidence(
    canvas: Canvas,
    segments: Segments,
    policy: ThrottlePolicy,
    start: datetime,
    nodes: list[NodeRun],
    aftermath: list[Aftermath],
    elapsed: float,
) -> list[Evidence]:
    entry = next(node for node in canvas.nodes if isinstance(node, Entry))
    goal = parse(goal_expression(canvas.goal), segments.catalog)
    shared = {"as_of": segments.warehouse.as_of, "elapsed_ms": elapsed}
    names = ("entered", "held_out", "capped", "deferred", "abandoned", "sent", "passed", "goal", "waiting")
    run = Evidence(
        title=f"dry run: {canvas.name}",
        sql=segments.ids_sql(parse(entry.segment, segments.catalog), at=start),
        params=[
            start.isoformat(),
            digest(canvas.model_dump(mode="json")),
            digest(policy.model_dump(mode="json")),
        ],
        row_count=len(nodes),
        definition=(
            "Everybody of the query enters at the start and moves through the canvas on a simulated clock; parameters: "
            "start, digest of the canvas, digest of the contact policy. History replayed, not a forecast. See docs/canvas.md."
        ),
        columns=["node", *names],
        preview=[[node.id, *(getattr(node, name) for name in names)] for node in nodes[:20]],
        **shared,
    )
    after = Evidence(
        title=f"dry run, goal reached: {canvas.name}",
        sql=segments.ids_sql(
            goal, at=min(segments.warehouse.as_of, start + timedelta(days=canvas.goal.window_days)), entries=_ENROLMENTS
        ),
        params=[naive_utc(start).isoformat()],
        row_count=len(aftermath),
        definition=(
            f"{_ENROLMENTS} holds everybody who entered, with the time of entry. Association only: in reality nobody of "
            "them was treated by this canvas."
        ),
        columns=["arm", "customers", "reached goal"],
        preview=[[a.arm, a.customers, a.reached_goal] for a in aftermath],
        **shared,
    )
    return [run, after]
