"""Touches: who comes to one becomes a candidate, in the wording of his branch; what was decided moves him on."""

from control.records import Actor
from tools.canvas.bank_time import opening
from tools.canvas.effects import CANDIDATE_COLUMNS
from tools.canvas.engine.flow import ROW, Flow
from tools.canvas.engine.journey import Journey
from tools.canvas.enrolments import branch_arm, share_sql
from tools.canvas.schema import Touch
from tools.segment.segments import branch_scope
from tools.throttle.sql import Params, execute, temp_name
from warehouse.clock import naive_utc
from warehouse.errors import DeveloperFixes, ModelRetry

WINDOW_RULE = "sending_window"


def lay_out(flow: Flow, touch: Touch, group: str) -> None:
    """Make a group ready for its touch: a task's customers without a manager go elsewhere, the others wait for the next
    sending window or for the decision."""
    n = int(flow.con.execute(f"SELECT count(*) FROM {group}").fetchall()[0][0])
    if touch.unmanaged:
        managed = "customer_id IN (SELECT customer_id FROM customers WHERE manager_id IS NOT NULL)"
        kept, n = flow.make(f"SELECT {ROW} FROM {group} WHERE {managed}", Params())
        rest, others = flow.make(
            f"SELECT {ROW} FROM {group} WHERE customer_id NOT IN (SELECT customer_id FROM {kept})", Params()
        )
        flow.go(touch.id, rest, touch.unmanaged, others)
        group = kept
    if n:
        flow.at_touch[touch.id] = group


def candidates(flow: Flow) -> str | None:
    """A TEMP table of everybody laid out at touches, to be decided; None for nobody. Outside the canvas's sending windows
    they are deferred to the next opening instead, which is put on record."""
    if not flow.at_touch:
        return None
    opens = opening(flow.journey.canvas.sending_windows, flow.instant, flow.zone)
    if opens is None:
        raise ModelRetry("None of the canvas's sending windows ever opens.", "Give one of them a day and an hour.")
    table = _candidates(flow)
    if opens <= flow.instant:
        return table
    decided, params = temp_name("windowed"), Params()
    columns = ", ".join(f"c.{name}" for name, _ in CANDIDATE_COLUMNS)
    execute(
        flow.con,
        f"""CREATE TEMP TABLE {decided} AS SELECT {columns}, 'defer' AS decision, {params.add(WINDOW_RULE)} AS rule,
              {params.add(naive_utc(opens))}::TIMESTAMP AS until FROM {table} c""",
        params,
    )
    flow.effects.note(flow.con, decided, flow.instant)
    settle(flow, decided)
    for made in (table, decided):
        flow.con.execute(f"DROP TABLE {made}")
    return None


def _candidates(flow: Flow) -> str:
    journey, params, parts = flow.journey, Params(), []
    campaign, category = params.add(journey.campaign_id), params.add(journey.canvas.category)
    priority = params.add(journey.canvas.priority)
    for touch in journey.touches:
        if touch.id not in flow.at_touch:
            continue
        here = params.add(touch.id)
        arm, join = arm_sql(journey, touch, params)
        parts.append(
            f"""SELECT g.customer_id, {campaign}::VARCHAR, {here}::VARCHAR, {params.add(touch.channel)}::VARCHAR,
                  {category}::VARCHAR, {priority}::INTEGER, {params.add(touch.product_id)}::INTEGER,
                  {campaign} || '.' || {here} || '.' || g.customer_id
                    || CASE WHEN g.entry_no > 1 THEN '.' || g.entry_no ELSE '' END,
                  {arm}, {params.add(journey.waves[touch.id])}::INTEGER, g.expires_at
                FROM {flow.at_touch[touch.id]} g {join}"""
        )
    table, columns = temp_name("candidates"), ", ".join(name for name, _ in CANDIDATE_COLUMNS)
    execute(flow.con, f"CREATE TEMP TABLE {table} AS SELECT * FROM ({' UNION ALL '.join(parts)}) t ({columns})", params)
    return table


def arm_sql(journey: Journey, touch: Touch, params: Params, customer: str = "g.customer_id") -> tuple[str, str]:
    """SQL of a customer's arm of a touch by keyed hash, and the join with `customers k` that it needs.

    A branch's override gives its customers, and those of the branches below it, its own arms (`branch_arm`); where several
    fit, that of the nearest branch.
    """
    key = f"{journey.key}/{touch.id}"
    base = share_sql(params, key, [(arm.name, arm.share) for arm in touch.arms], customer)
    mine = [o for o in journey.canvas.overrides if o.node == touch.id]
    if not mine:
        return base, ""
    system = Actor(account="engine", person="system")
    scopes = [
        (branch_scope(journey.segments.warehouse, system.model_copy(update={"branches": (o.branch_id,)})) or (), o)
        for o in mine
    ]
    lines = []
    for branches, override in sorted(scopes, key=lambda pair: len(pair[0])):
        shares = [(branch_arm(arm.name, override.branch_id), arm.share) for arm in override.arms]
        lines.append(f"WHEN k.branch_id IN ({params.all(branches)}) THEN {share_sql(params, key, shares, customer)}")
    return f"CASE {' '.join(lines)} ELSE {base} END", f"LEFT JOIN customers k ON k.customer_id = {customer}"


def settle(flow: Flow, decided: str) -> None:
    """Move the decided candidates of a journey: sends and abandons to the next node, deferrals wait for `until`.

    Raises:
        DeveloperFixes: a candidate was deferred to an instant that is not later.
    """
    journey = flow.journey
    for touch in journey.touches:
        group = flow.at_touch.pop(touch.id, None)
        if group is None:
            continue
        params = Params()
        mine = f"d.campaign_id = {params.add(journey.campaign_id)} AND d.node_id = {params.add(touch.id)}"
        joined, _ = flow.make(
            f"""SELECT g.customer_id, g.entry_no, g.entered_at,
                  CASE WHEN d.decision = 'defer' THEN d.expires_at END AS expires_at,
                  g.sent + CASE WHEN d.decision = 'send' THEN 1 ELSE 0 END AS sent, d.decision, d.rule, d.until
                FROM {group} g JOIN {decided} d ON d.customer_id = g.customer_id WHERE {mine}""",
            params,
        )
        counts = flow.con.execute(f"SELECT decision, rule, count(*), min(until) FROM {joined} GROUP BY ALL").fetchall()
        onward = 0
        for decision, rule, n, first in counts:
            journey.moved[touch.id, str(decision), str(rule)] += int(n)
            if decision == "defer" and (first is None or first <= naive_utc(flow.instant)):
                raise DeveloperFixes(
                    "A touch was deferred to the same instant.", "An `until` must be later than the tick."
                )
            onward += int(n) if decision != "defer" else 0
            flow.sends += int(n) if decision == "send" else 0
        if any(decision == "defer" for decision, *_ in counts):
            flow.stay(f"SELECT {ROW}, until FROM {joined} WHERE decision = 'defer'", touch.id, "until")
        if onward:
            group, n = flow.make(f"SELECT {ROW} FROM {joined} WHERE decision <> 'defer'", Params())
            flow.arrive(group, touch.next, n)
