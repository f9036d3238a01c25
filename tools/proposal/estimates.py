"""What is stated with a proposal: forecast of the throttle, suitability, consent, exclusions, branches."""

from datetime import datetime

import duckdb
import pyarrow as pa

from tools.canvas import Canvas
from tools.canvas.graph import arrivals, touches
from tools.canvas.schema import HoldOut
from tools.proposal.audience import Ids
from tools.proposal.schema import (
    BranchWaterfall,
    ChannelWaterfall,
    ConsentBasis,
    Forecast,
    Group,
    SuitabilityCount,
    WaterfallStep,
)
from tools.segment import Node, Segments
from tools.throttle import Held, ThrottlePolicy, decide, waterfall
from warehouse.clock import naive_utc
from warehouse.home import HomeInfo

AUDIENCE = "proposed_audience"
"""TEMP table (customer_id) of an overlay: the audience at submission."""


def lay_out(con: duckdb.DuckDBPyConnection, ids: Ids) -> None:
    """Put the audience into the overlay."""
    con.register("proposed_ids", pa.table({"customer_id": pa.array(ids, pa.int64())}))
    con.execute(f"CREATE OR REPLACE TEMP TABLE {AUDIENCE} AS FROM proposed_ids")
    con.unregister("proposed_ids")


def forecast(
    con: duckdb.DuckDBPyConnection, canvas: Canvas, start: datetime, policy: ThrottlePolicy, segments: Segments
) -> list[Forecast]:
    """What the throttle says to the whole audience at each touch's earliest instant, each touch by itself. Touches that
    the canvas itself will have made by then are not counted, so later waves may meet more caps than stated."""
    found = []
    when = arrivals(canvas, start, segments.warehouse.zone)
    for wave, touch in enumerate(touches(canvas), start=1):
        con.execute(
            f"""CREATE OR REPLACE TEMP TABLE proposed_candidates AS
                SELECT customer_id, 'proposed' AS campaign_id, $node AS node_id, $channel AS channel,
                       $category AS category, $priority::INTEGER AS priority, $product::INTEGER AS product_id,
                       'proposed.' || $node || '.' || customer_id AS touch_id, $arm AS arm, $wave::INTEGER AS wave
                FROM {AUDIENCE}""",
            {
                "node": touch.id,
                "channel": touch.channel,
                "category": canvas.category,
                "priority": canvas.priority,
                "product": touch.product_id,
                "arm": touch.arms[0].name,
                "wave": wave,
            },
        )
        decided = decide(con, "proposed_candidates", when[touch.id], policy, segments)
        rows = con.execute(
            f"SELECT decision, rule, count(*) FROM {decided} GROUP BY ALL ORDER BY count(*) DESC, rule"
        ).fetchall()
        con.execute(f"DROP TABLE {decided}")
        totals = {kind: sum(n for d, _, n in rows if d == kind) for kind in ("send", "defer", "abandon")}
        by_rule = {str(rule): int(n) for d, rule, n in rows if d != "send"}
        found.append(
            Forecast(
                node=touch.id,
                channel=touch.channel,
                at=when[touch.id],
                candidates=sum(totals.values()),
                send=totals["send"],
                defer=totals["defer"],
                abandon=totals["abandon"],
                by_rule=by_rule,
            )
        )
    return found


def waterfalls(
    canvas: Canvas, node: Node, start: datetime, policy: ThrottlePolicy, segments: Segments
) -> list[ChannelWaterfall]:
    """Net reach of each touch at its earliest instant, by branch."""
    when = arrivals(canvas, start, segments.warehouse.zone)
    held = next((Held(n.percent, n.key) for n in canvas.nodes if isinstance(n, HoldOut)), None)
    found = []
    for touch in touches(canvas):
        fall = waterfall(
            segments,
            node,
            touch.channel,
            when[touch.id],
            policy,
            canvas.category,
            touch.product_id,
            held,
            by_branch=True,
        )
        steps = [WaterfallStep.model_validate(step.model_dump()) for step in fall.steps]
        branches = [BranchWaterfall(name=b.name, counts=b.counts) for b in fall.branches]
        found.append(
            ChannelWaterfall(node=touch.id, channel=touch.channel, at=when[touch.id], steps=steps, branches=branches)
        )
    return found


def by_branch(con: duckdb.DuckDBPyConnection) -> list[Group]:
    """The audience by branch, the largest first."""
    rows = con.execute(
        f"""SELECT coalesce(b.name, '') AS branch, count(*) FROM {AUDIENCE} a JOIN customers c USING (customer_id)
            LEFT JOIN branches b USING (branch_id) GROUP BY 1 ORDER BY 2 DESC, 1"""
    ).fetchall()
    return [Group(name=name, count=n) for name, n in rows]


def exclusions(con: duckdb.DuckDBPyConnection, at: datetime) -> list[Group]:
    """How many of the audience stand on a suppression list, by reason; the throttle keeps every one of them out."""
    rows = con.execute(
        f"""SELECT s.reason, count(DISTINCT s.customer_id) FROM suppressions s SEMI JOIN {AUDIENCE} a USING (customer_id)
            WHERE coalesce(s.since, $at) <= $at AND coalesce(s.until, TIMESTAMP '9999-12-31') > $at
            GROUP BY 1 ORDER BY 2 DESC, 1""",
        {"at": naive_utc(at)},
    ).fetchall()
    return [Group(name=name, count=n) for name, n in rows]


def consent(con: duckdb.DuckDBPyConnection, canvas: Canvas, policy: ThrottlePolicy, info: HomeInfo) -> ConsentBasis:
    """What the contacts rest on."""
    purpose = policy.consent.purpose(canvas.category)
    rows = con.execute(
        f"""SELECT channel || ': ' || coalesce(source, 'unknown source')
              || CASE WHEN version IS NULL THEN '' ELSE ' ' || version END AS source, count(*)
            FROM consents SEMI JOIN {AUDIENCE} USING (customer_id)
            WHERE opted_in AND purpose = $purpose AND list_contains($channels, channel) GROUP BY 1 ORDER BY 2 DESC, 1""",
        {"purpose": purpose, "channels": sorted({touch.channel for touch in touches(canvas)})},
    ).fetchall()
    return ConsentBasis(basis=info.consent, purpose=purpose, sources=[Group(name=s, count=n) for s, n in rows])


def suitability(
    con: duckdb.DuckDBPyConnection, canvas: Canvas, policy: ThrottlePolicy, at: datetime, segments: Segments
) -> list[SuitabilityCount]:
    """For every product that needs an assessment: how many of the audience may and may not be offered it."""
    found = []
    rules = policy.suitability
    day = at.astimezone(segments.warehouse.zone).date()
    for product in dict.fromkeys(touch.product_id for touch in touches(canvas) if touch.product_id is not None):
        rows = con.execute("SELECT name, kind, risk_level FROM products WHERE product_id = ?", [product]).fetchall()
        if not rows or rows[0][1] not in rules.kinds:
            continue
        name, _, level = rows[0]
        counts = con.execute(
            f"""WITH a AS (
                  SELECT list_position($levels, c.risk_level) AS mine, list_position($levels, $level) AS theirs,
                         date_diff('day', c.risk_assessed_on, $day::DATE) AS age
                  FROM {AUDIENCE} JOIN customers c USING (customer_id))
                SELECT count(*) FILTER (mine IS NULL),
                       count(*) FILTER (mine IS NOT NULL AND coalesce(age >= $validity, true)),
                       count(*) FILTER (age < $validity AND coalesce(mine < theirs, true) AND mine IS NOT NULL),
                       count(*) FILTER (age < $validity AND mine >= theirs) FROM a""",
            {"levels": list(rules.levels), "level": level, "day": day, "validity": rules.validity_days},
        ).fetchall()[0]
        found.append(
            SuitabilityCount(
                product_id=product,
                product=str(name),
                risk_level=level,
                never_assessed=counts[0],
                expired=counts[1],
                too_low=counts[2],
                assessed_and_fit=counts[3],
            )
        )
    return found
