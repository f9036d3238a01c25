"""The read-out of a campaign: arms, effect, checks of the randomisation, groups, funnel and economics."""

from collections.abc import Sequence
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from control.records import Actor
from tools.analysis import notes as say
from tools.analysis.campaigns import Design, control_arm, design
from tools.analysis.costs import economics, funnel
from tools.analysis.outcomes import Outcome, assigned_values, of_event, outcome
from tools.analysis.schema import ArmEffect, ArmResult, Effect, GroupResult, ReadOut
from tools.analysis.statistics import (
    NOTHING,
    SRM_ALARM,
    Difference,
    Sample,
    post_stratified,
    ready,
    sample_ratio,
    welch,
)
from tools.segment.breakdown import Grouping, group_key, grouping, label_rows
from tools.segment.columns import Moment, table
from tools.segment.compiler import Compiler
from tools.segment.segments import branch_scope
from tools.segment.sql import to_sql
from warehouse.catalog import Attribute, Catalog, Language
from warehouse.errors import ModelRetry
from warehouse.evidence import Evidence, record
from warehouse.store import Warehouse

GROUP_MINIMUM = 100
"""Customers per arm and group below which a group is shown without inference."""


@dataclass(frozen=True)
class Cell:
    """The customers of one arm, group and stratum: assigned, and those of them with a known outcome."""

    arm: str
    group: object
    stratum: tuple[object, ...]
    assigned: int
    sample: Sample


def read_out(
    warehouse: Warehouse,
    catalog: Catalog,
    campaign: str,
    metric: str | None = None,
    by: str | None = None,
    actor: Actor | None = None,
    language: Language = "en",
) -> ReadOut:
    """Read out a campaign on a metric (default: its goal), optionally by an attribute.

    Args:
        metric: a catalog metric, an event, or a yes/no or numeric attribute.
        actor: limits the customers to his branches; None means the whole bank.

    Raises:
        NotFound: there is no such campaign, metric or attribute.
        ModelRetry: the campaign has no goal and no metric was named.
    """
    plan = design(warehouse, campaign)
    measured = goal(plan, catalog) if metric is None or not metric.strip() else _measured(metric, plan, catalog)
    grouped = catalog.attribute(by) if by else None
    names = measured.attributes | set(plan.strata) | ({grouped.name} if grouped else set())
    moment = Moment(warehouse.as_of, warehouse.zone)
    compiler = Compiler.for_names(names, catalog, moment, branches=branch_scope(warehouse, actor)).here()
    cut = _grouping(warehouse, compiler, plan, grouped)
    sql = to_sql(_cells(compiler, plan, measured, grouped, cut))
    result = warehouse.read(sql)
    cells = [_cell(row, len(plan.strata)) for row in result.rows]
    evidence = [
        record(warehouse, f"{plan.id}: {measured.name}", sql, [], result, definition=measured.definition(language))
    ]
    return _assemble(warehouse, compiler, plan, measured, grouped, cut, cells, evidence, language)


def goal(plan: Design, catalog: Catalog) -> Outcome:
    """A campaign's own goal as an outcome.

    Raises:
        ModelRetry: it has none.
    """
    if not plan.goal_event:
        raise ModelRetry(f"Campaign {plan.id} has no goal event on record.", "Name a metric, such as conversion.")
    return of_event(plan.goal_event, plan.goal_where, catalog)


def _measured(metric: str, plan: Design, catalog: Catalog) -> Outcome:
    """A named metric; the word for the goal itself means the campaign's goal."""
    return goal(plan, catalog) if metric.strip() in ("goal", "目标") else outcome(metric.strip(), catalog)


def _grouping(warehouse: Warehouse, compiler: Compiler, plan: Design, grouped: Attribute | None) -> Grouping:
    if grouped is None:
        return Grouping(kind="values")
    customers = compiler.customers
    assigned = table("assignments")
    here = assigned.filter(assigned.campaign_id == plan.id)
    members = customers.relation.filter(customers.relation.customer_id.isin(here.customer_id))
    return grouping(warehouse, members.select(v=customers.value(grouped.name)), grouped)


def _cells(compiler: Compiler, plan: Design, measured: Outcome, grouped: Attribute | None, cut: Grouping) -> ir.Table:
    """Sufficient statistics by arm, group and stratum: arm, g, s0…, assigned, n, total, squares."""
    assignments = table("assignments")
    assigned = assignments.filter(assignments.campaign_id == plan.id)
    customers = compiler.customers
    columns: dict[str, ir.Value] = {}
    if grouped is not None:
        key = group_key(customers, grouped, compiler.moment, cut)
        if grouped.reference:
            key = key.cast("int64")
        columns["g"] = key
    for number, name in enumerate(plan.strata):
        columns[f"s{number}"] = customers.value(name)
    if columns or compiler.branches is not None:
        known = customers.relation.select(c_id=customers.relation.customer_id, **columns)
        joined = assigned.join(known, assigned.customer_id == known.c_id)
        assigned = joined.select(
            assigned.customer_id, assigned.arm, assigned.assigned_at, **{c: known[c] for c in columns}
        )
    else:
        assigned = assigned.select("customer_id", "arm", "assigned_at")
    valued = assigned_values(compiler, measured, assigned, plan.window_days)
    if grouped is None:
        valued = valued.mutate(g=ibis.null("int64"))
    keys = ["arm", "g", *[f"s{n}" for n in range(len(plan.strata))]]
    cells = valued.group_by(keys).aggregate(
        assigned=valued.count(), n=valued.v.count(), total=valued.v.sum().fill_null(0.0),
        squares=(valued.v * valued.v).sum().fill_null(0.0),
    )  # fmt: skip
    return cells.order_by(keys)


def _cell(row: Sequence[object], strata: int) -> Cell:
    arm, group, *rest = row
    stratum = tuple(rest[:strata])
    assigned, n, total, squares = rest[strata:]
    sample = Sample(int(n), float(total), float(squares))  # type: ignore[call-overload,arg-type]
    return Cell(str(arm), group, stratum, int(assigned), sample)  # type: ignore[call-overload]


def _assemble(
    warehouse: Warehouse,
    compiler: Compiler,
    plan: Design,
    measured: Outcome,
    grouped: Attribute | None,
    cut: Grouping,
    cells: list[Cell],
    evidence: list[Evidence],
    language: Language,
) -> ReadOut:
    control = control_arm(sorted({c.arm for c in cells}))
    arms = sorted({c.arm for c in cells}, key=lambda arm: (arm != control, arm))
    sizes = {arm: sum(c.assigned for c in cells if c.arm == arm) for arm in arms}
    srm_p = sample_ratio(sizes, plan.ratio) if plan.randomised and plan.ratio and compiler.branches is None else None
    broken = srm_p is not None and srm_p < SRM_ALARM
    effect, reason, naive = compare(
        cells, control, [a for a in arms if a != control], measured.binary, bool(plan.strata)
    )
    effects = []
    for arm in arms:
        if arm != control and control:
            one, why, _ = compare(cells, control, [arm], measured.binary, bool(plan.strata))
            effects.append(ArmEffect(arm=arm, effect=one, reason=why))
    groups = (
        _groups(warehouse, grouped, cut, cells, arms, control, measured.binary, bool(plan.strata)) if grouped else []
    )
    stages, more = funnel(warehouse, compiler, plan)
    causal = plan.randomised and bool(control) and len(arms) > 1 and not broken
    aim = goal(plan, compiler.catalog) if plan.goal_event else None
    goal_effect = effect if aim is not None and aim == measured else None
    spent, money = economics(warehouse, compiler, plan, aim, stages, control, causal, goal_effect)
    return ReadOut(
        arms=[_arm(arm, _pool(cells, arm)) for arm in arms],
        effect=effect,
        srm_p=srm_p,
        causal=causal,
        notes=say.notes(plan, measured, arms, control, sizes, cells_known(cells), effect, reason, srm_p, naive, groups, grouped,
                        spent, warehouse.as_of, compiler.branches is not None, language),
        evidence=[*evidence, more, *money],
        campaign=plan.id, campaign_name=plan.name, metric=measured.name, metric_label=measured.label(language),
        unit=measured.unit(language), definition=measured.definition(language), control=control, reason=reason,
        effects=effects, naive=naive, by=grouped.name if grouped else "", groups=groups, funnel=stages, economics=spent,
        as_of=warehouse.as_of, window_days=plan.window_days if measured.event else None,
    )  # fmt: skip


def compare(
    cells: list[Cell], control: str, treated: list[str], binary: bool, stratified: bool, least: int = 0
) -> tuple[Effect | None, str, Effect | None]:
    """(effect, reason why there is none, the naive effect beside a stratified one) of some arms against the control."""
    a = _pool(cells, control) if control else NOTHING
    b = _pool_many(cells, treated)
    reason = ready(a, b, binary, least) if least else ready(a, b, binary)
    if reason:
        return None, reason, None
    naive = welch(a, b)
    if not stratified:
        return _effect(naive), "", None
    strata = list(dict.fromkeys(c.stratum for c in cells))
    pairs = []
    for stratum in strata:
        part = [c for c in cells if c.stratum == stratum]
        pairs.append((_pool(part, control), _pool_many(part, treated)))
    found = post_stratified(pairs)
    if found is None:
        return None, "no_variation", _effect(naive)
    return _effect(found), "", _effect(naive)


def cells_known(cells: list[Cell]) -> tuple[int, int]:
    """Assigned customers, and those whose outcome is known."""
    return sum(c.assigned for c in cells), sum(c.sample.n for c in cells)


def _groups(
    warehouse: Warehouse,
    grouped: Attribute,
    cut: Grouping,
    cells: list[Cell],
    arms: list[str],
    control: str,
    binary: bool,
    stratified: bool,
) -> list[GroupResult]:
    labels = _reference_names(warehouse, grouped)
    found = []
    values = list(dict.fromkeys(c.group for c in cells))
    sized = [(value, sum(c.assigned for c in cells if c.group == value)) for value in values]
    order = {row.value: place for place, row in enumerate(label_rows(grouped, cut, sized))}
    for value, n in sized:
        label = label_rows(grouped, cut, [(value, n)])[0]
        part = [c for c in cells if c.group == value]
        effect, reason, _ = compare(part, control, [a for a in arms if a != control], binary, stratified, GROUP_MINIMUM)
        name = labels.get(value)
        found.append(
            GroupResult(
                value=label.value, zh=name or label.zh, en=name or label.en,
                arms=[_arm(arm, _pool(part, arm)) for arm in arms], effect=effect, reason=reason,
            )
        )  # fmt: skip
    return sorted(found, key=lambda g: order.get(g.value, len(order)))


def _reference_names(warehouse: Warehouse, grouped: Attribute) -> dict[object, str]:
    if not grouped.reference:
        return {}
    other, column = grouped.reference.split(".")
    rows = table(other)
    found = warehouse.read(to_sql(rows.select(rows[rows.columns[0]], rows[column]))).rows
    return {key: str(name) for key, name in found}


def _pool(cells: list[Cell], arm: str) -> Sample:
    return _pool_many(cells, [arm])


def _pool_many(cells: list[Cell], arms: Sequence[str]) -> Sample:
    return sum((c.sample for c in cells if c.arm in arms), NOTHING)


def _arm(arm: str, sample: Sample) -> ArmResult:
    return ArmResult(arm=arm, n=sample.n, mean=sample.mean)


def _effect(d: Difference) -> Effect:
    return Effect(diff=d.diff, ci=(d.low, d.high), p=d.p, relative=d.relative)
