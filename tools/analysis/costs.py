"""What a campaign sent, cost and brought: the funnel of its touches, complaints, cost per incremental goal."""

from dataclasses import replace

import ibis.expr.types as ir

from tools.analysis.campaigns import Design
from tools.analysis.outcomes import Outcome, assigned_values, of_event
from tools.analysis.schema import Economics, Effect, Funnel
from tools.analysis.statistics import NOTHING, Difference, Sample, ready, welch
from tools.segment.columns import table
from tools.segment.compiler import Compiler
from tools.segment.sql import to_sql
from warehouse.evidence import Evidence, record
from warehouse.store import Warehouse

COMPLAINT = "complaint"


def funnel(warehouse: Warehouse, compiler: Compiler, plan: Design) -> tuple[list[Funnel], Evidence]:
    """Touches by arm and channel: decided, sent, delivered, opened, clicked. Held-out records are not touches."""
    touches = table("touches")
    here = touches.filter(touches.campaign_id == plan.id, touches.status != "held_out")
    if compiler.branches is not None:
        here = here.filter(here.customer_id.isin(compiler.customers.relation.customer_id))
    counted = here.group_by(["arm", "channel"]).aggregate(
        touches=here.count(), sent=here.sent_at.count(), delivered=here.delivered_at.count(),
        opened=here.opened_at.count(), clicked=here.clicked_at.count(),
    )  # fmt: skip
    sql = to_sql(counted.order_by(["arm", "channel"]))
    result = warehouse.read(sql)
    rows = [
        Funnel(
            arm=str(r["arm"] or ""), channel=str(r["channel"] or ""), touches=r["touches"], sent=r["sent"],
            delivered=r["delivered"], opened=r["opened"], clicked=r["clicked"],
        )
        for r in result.dicts()
    ]  # fmt: skip
    return rows, record(warehouse, f"{plan.id}: touches", sql, [], result)


def economics(
    warehouse: Warehouse,
    compiler: Compiler,
    plan: Design,
    goal: Outcome | None,
    stages: list[Funnel],
    control: str,
    causal: bool,
    goal_effect: Effect | None,
) -> tuple[Economics, list[Evidence]]:
    """Cost, incremental goals and amount, complaints. Increments need a randomised control; without one they are None."""
    sent = sum(f.sent for f in stages if f.arm != control)
    cost = sent * plan.cost_per_touch if plan.cost_per_touch is not None else None
    evidence: list[Evidence] = []
    goals = amount = None
    treated = 0
    if goal is not None:
        a, b = _two(_samples(warehouse, compiler, plan, goal, evidence), control)
        treated = b.n
        if causal and plan.strata:
            goals = _times(goal_effect, b.n)
        elif causal and not ready(a, b, binary=True):
            goals = _times(_effect(welch(a, b)), b.n)
        if causal and not plan.strata and _has_amount(compiler, goal):
            x, y = _two(_samples(warehouse, compiler, plan, _amount_of(goal), evidence), control)
            amount = _times(_effect(welch(x, y)), y.n) if not ready(x, y, binary=False) else None
    # A bank that records no complaints has not had none: they stay unknown.
    complaints: int | None = None
    effect: Effect | None = None
    if COMPLAINT in compiler.catalog.event_index:
        by_arm = _samples(warehouse, compiler, plan, of_event(COMPLAINT, "", compiler.catalog), evidence)
        a, b = _two(by_arm, control)
        complaints, treated = int(b.total), treated or b.n
        if not ready(a, b, binary=True):
            effect = _effect(welch(a, b))
    clear = goals is not None and goals.ci[0] > 0
    found = Economics(
        touches_sent=sent, cost=cost, treated=treated,
        incremental_goals=goals.diff if goals else None, incremental_goals_ci=goals.ci if goals else None,
        incremental_amount=amount.diff if amount else None, incremental_amount_ci=amount.ci if amount else None,
        cost_per_incremental_goal=cost / goals.diff if cost is not None and goals is not None and clear else None,
        complaints=complaints, complaints_per_touch=complaints / sent if complaints is not None and sent else None, complaint_effect=effect,
    )  # fmt: skip
    return found, evidence


def _samples(
    warehouse: Warehouse, compiler: Compiler, plan: Design, measured: Outcome, evidence: list[Evidence]
) -> dict[str, Sample]:
    assignments = table("assignments")
    assigned: ir.Table = assignments.filter(assignments.campaign_id == plan.id)
    if compiler.branches is not None:
        assigned = assigned.filter(assigned.customer_id.isin(compiler.customers.relation.customer_id))
    assigned = assigned.select("customer_id", "arm", "assigned_at")
    valued = assigned_values(compiler, measured, assigned, plan.window_days)
    cells = valued.group_by("arm").aggregate(
        n=valued.v.count(), total=valued.v.sum().fill_null(0.0), squares=(valued.v * valued.v).sum().fill_null(0.0)
    )
    sql = to_sql(cells.order_by("arm"))
    result = warehouse.read(sql)
    what = f"{measured.name} amount" if measured.counted == "amount" else measured.name
    evidence.append(record(warehouse, f"{plan.id}: {what} by arm", sql, [], result))
    return {str(arm): Sample(int(n), float(total), float(squares)) for arm, n, total, squares in result.rows}


def _two(by_arm: dict[str, Sample], control: str) -> tuple[Sample, Sample]:
    treated = sum((s for arm, s in by_arm.items() if arm != control), NOTHING)
    return by_arm.get(control, NOTHING), treated


def _effect(d: Difference) -> Effect:
    return Effect(diff=d.diff, ci=(d.low, d.high), p=d.p, relative=d.relative)


def _times(effect: Effect | None, customers: int) -> Effect | None:
    """A difference per customer as a total over so many customers."""
    if effect is None:
        return None
    low, high = effect.ci
    return Effect(
        diff=effect.diff * customers, ci=(low * customers, high * customers), p=effect.p, relative=effect.relative
    )


def _has_amount(compiler: Compiler, goal: Outcome) -> bool:
    return any(p.name == "amount" for p in compiler.catalog.event(goal.event).properties)


def _amount_of(goal: Outcome) -> Outcome:
    return replace(goal, counted="amount", binary=False)
