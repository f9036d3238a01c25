"""What each kind of node does with the group of customers that comes to it. Touches: `tools.canvas.engine.touching`."""

from datetime import datetime
from functools import singledispatch

from tools.canvas.bank_time import holds
from tools.canvas.engine.flow import ROW, Flow
from tools.canvas.engine.touching import lay_out
from tools.canvas.enrolments import share_sql, within_sql
from tools.canvas.schema import (
    AudienceSplit,
    Condition,
    Delay,
    Entry,
    Exit,
    HoldOut,
    Node,
    Split,
    Tag,
    TimeSplit,
    Touch,
    Wait,
)
from tools.canvas.tags import Tagging
from tools.throttle.sql import Params
from warehouse.errors import DeveloperFixes


@singledispatch
def step(node: Node, flow: Flow) -> None:
    """Move everybody who is at a node on, as far as it is time."""
    raise DeveloperFixes(f"The engine does not know nodes of the kind {node.kind!r}.")


@step.register
def _entry(node: Entry, flow: Flow) -> None:
    if group := flow.take_all(node.id):
        flow.go(node.id, group, node.next)


@step.register
def _exit(node: Exit, flow: Flow) -> None:
    if group := flow.take_all(node.id):
        n = int(flow.con.execute(f"SELECT count(*) FROM {group}").fetchall()[0][0])
        flow.journey.moved[node.id, "done", "exit"] += n
        flow.end(group, node.id, "done")


@step.register
def _hold_out(node: HoldOut, flow: Flow) -> None:
    group = flow.take_all(node.id)
    if not group:
        return
    params = Params()
    held, n = flow.make(f"SELECT {ROW} FROM {group} WHERE {within_sql(params, node.key, node.percent)}", params)
    rest, others = flow.make(
        f"SELECT {ROW} FROM {group} WHERE customer_id NOT IN (SELECT customer_id FROM {held})", Params()
    )
    if n:
        flow.journey.moved[node.id, "held_out", "hold_out"] += n
        flow.end(held, node.id, "held_out", "control")
    flow.go(node.id, rest, node.next, others)


@step.register
def _delay(node: Delay, flow: Flow) -> None:
    due, arriving = flow.take(node.id)
    if due:
        flow.go(node.id, due, node.next)
    if arriving:
        until = flow.due_at(node.id)
        if until <= flow.instant:
            flow.go(node.id, arriving, node.next)
        else:
            flow.stay(f"SELECT {ROW} FROM {arriving}", node.id, until)


@step.register
def _wait(node: Wait, flow: Flow) -> None:
    # Those whose event has happened were handed on when the tick began.
    due, arriving = flow.take(node.id)
    if due:
        flow.go(node.id, due, node.timed_out)
    if arriving:
        until = flow.due_at(node.id)
        if until <= flow.instant:
            flow.go(node.id, arriving, node.timed_out)
        else:
            flow.stay(f"SELECT {ROW} FROM {arriving}", node.id, until)


@step.register
def _condition(node: Condition, flow: Flow) -> None:
    if group := flow.take_all(node.id):
        fitting = flow.journey.ids(node.expression, flow.instant, entries=group)
        flow.branch(node.id, group, f"customer_id IN ({fitting})", node.yes, node.no)


@step.register
def _audience_split(node: AudienceSplit, flow: Flow) -> None:
    group = flow.take_all(node.id)
    if not group:
        return
    for case in node.cases:
        fitting = flow.journey.ids(case.expression, flow.instant, entries=group)
        met, n = flow.make(f"SELECT {ROW} FROM {group} WHERE customer_id IN ({fitting})", Params())
        flow.go(node.id, met, case.next, n)
        group, _ = flow.make(
            f"SELECT {ROW} FROM {group} WHERE customer_id NOT IN (SELECT customer_id FROM {met})", Params()
        )
    flow.go(node.id, group, node.otherwise)


@step.register
def _split(node: Split, flow: Flow) -> None:
    group = flow.take_all(node.id)
    if not group:
        return
    params = Params()
    way = share_sql(params, node.key, [(way.name, way.share) for way in node.ways])
    named, _ = flow.make(f"SELECT {ROW}, {way} AS way FROM {group}", params)
    for one in node.ways:
        here = Params()
        part, n = flow.make(f"SELECT {ROW} FROM {named} WHERE way = {here.add(one.name)}", here)
        flow.go(node.id, part, one.next, n)


@step.register
def _time_split(node: TimeSplit, flow: Flow) -> None:
    if group := flow.take_all(node.id):
        flow.go(node.id, group, way_of(node, flow.instant.astimezone(flow.zone)))


def way_of(node: TimeSplit, local: datetime) -> str:
    """Where a split by time of day leads at an instant of the bank's zone."""
    return next((window.next for window in node.windows if holds(window, local)), node.otherwise)


@step.register
def _tag(node: Tag, flow: Flow) -> None:
    if group := flow.take_all(node.id):
        until = flow.later(node.expires_days) if node.expires_days else None
        flow.effects.tag(flow.con, Tagging(flow.journey.journey_id, node.name, node.remove, until), group, flow.instant)
        flow.go(node.id, group, node.next)


@step.register
def _touch(node: Touch, flow: Flow) -> None:
    if group := flow.take_all(node.id):
        lay_out(flow, node, group)
