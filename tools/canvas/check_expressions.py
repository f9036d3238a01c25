"""Checks of what a canvas names: expressions, events, dates of its trigger, tags."""

import re
from collections.abc import Iterator

from tools.canvas.findings import Finding, error, warning
from tools.canvas.graph import goal_expression
from tools.canvas.schema import (
    AudienceSplit,
    Canvas,
    Condition,
    Entry,
    OnDate,
    OnEvent,
    OnEventWithout,
    Override,
    Tag,
    Trigger,
    Wait,
)
from tools.segment import ExpressionError, Node, parse
from tools.segment.schema import Holds, SinceEntry
from tools.segment.walk import behaviours
from warehouse.catalog import Attribute, Catalog, Kind, nearest
from warehouse.errors import ModelRetry

_TAG = re.compile(r"in_list\('tag:([^']+)'\)")


def check_expressions(canvas: Canvas, catalog: Catalog) -> Iterator[Finding]:
    """Entry, trigger, conditions, splits, waits, reasons to leave and goal must fit the catalog."""
    for node in canvas.nodes:
        match node:
            case Entry():
                yield from _expression(node.segment, node.id, catalog, entry=True)
                yield from _trigger(node.trigger, node.id, catalog)
            case Condition():
                yield from _expression(node.expression, node.id, catalog)
            case AudienceSplit():
                for case in node.cases:
                    yield from _expression(case.expression, f"{node.id}.{case.name}", catalog)
                yield from _same_cases(node)
            case Wait():
                yield from _event(node.event, node.where, node.id, catalog)
    for number, text in enumerate(canvas.leave_when, start=1):
        yield from _expression(text, f"leave_when.{number}", catalog)
    yield from _goal(canvas, catalog)
    yield from _tags(canvas)


def expressions_of(canvas: Canvas) -> dict[str, str]:
    """Place → every EQL condition of a canvas on customers, in reading order; the entry's first."""
    found = {node.id: node.segment for node in canvas.nodes if isinstance(node, Entry)}
    for node in canvas.nodes:
        if isinstance(node, Condition):
            found[node.id] = node.expression
        elif isinstance(node, AudienceSplit):
            found |= {f"{node.id}.{case.name}": case.expression for case in node.cases}
    return found | {f"leave_when.{n}": text for n, text in enumerate(canvas.leave_when, start=1)}


def _expression(text: str, place: str, catalog: Catalog, *, entry: bool = False) -> Iterator[Finding]:
    try:
        node = parse(text, catalog)
    except ExpressionError as problem:
        yield error(
            "expression",
            place,
            (str(problem.details["message_zh"]), problem.message),
            (str(problem.details["fix_zh"]), problem.fix),
        )
        return
    except ModelRetry as problem:
        yield error("expression", place, (problem.message, problem.message), (problem.fix, problem.fix))
        return
    if entry and _since_entry(node):
        yield error(
            "since_entry_at_entry",
            place,
            ("入口条件里不能用 since entry：此时还没有人进入。", "`since entry` means nothing at the entry itself."),
            ("改用 last 30d 之类的时间窗。", "Use a window such as last 30d."),
        )


def _since_entry(node: Node) -> bool:
    return any(not isinstance(part, Holds) and isinstance(part.window, SinceEntry) for part in behaviours(node))


def _event(name: str, where: str, place: str, catalog: Catalog) -> Iterator[Finding]:
    if name not in catalog.event_index:
        near = nearest(name, catalog.event_index) or list(catalog.event_index)[:3]
        yield error(
            "unknown_event",
            place,
            (f"事件 {name} 不在数据目录里。", f"The catalog has no event {name}."),
            (f"可用：{'、'.join(near)}。", f"Use one of: {', '.join(near)}."),
        )
    elif where:
        yield from _expression(f"did({name} where {where})", place, catalog)


def _goal(canvas: Canvas, catalog: Catalog) -> Iterator[Finding]:
    goal = canvas.goal
    if goal.event in catalog.event_index and goal.where:
        yield from _expression(goal_expression(goal), "goal.where", catalog)
    else:
        yield from _event(goal.event, "", "goal.event", catalog)


def _trigger(trigger: Trigger, place: str, catalog: Catalog) -> Iterator[Finding]:
    if isinstance(trigger, OnEvent | OnEventWithout):
        yield from _event(trigger.event, trigger.where, place, catalog)
    if isinstance(trigger, OnEventWithout):
        yield from _event(trigger.without, trigger.without_where, place, catalog)
        if (trigger.event, trigger.where) == (trigger.without, trigger.without_where):
            yield error(
                "trigger_same_event",
                place,
                ("“做了 A 没做 B”的 A 和 B 是同一件事，永远没有人进入。",
                 "A and B of “did A and not B” are the same event: nobody ever enters."),
                ("把 without 换成后续那一步的事件。", "Set `without` to the event of the next step."),
            )  # fmt: skip
    if isinstance(trigger, OnDate):
        yield from _date(trigger, place, catalog)


def _date(trigger: OnDate, place: str, catalog: Catalog) -> Iterator[Finding]:
    attribute = catalog.attribute_index.get(trigger.date)
    dates = [a.name for a in catalog.attributes if is_date(a)]
    if attribute is None or not is_date(attribute):
        near = [name for name in nearest(trigger.date, dates) if name in dates] or dates[:5]
        yield error(
            "not_a_date",
            place,
            (f"{trigger.date} 不是日期，也不是距某日的天数。",
             f"{trigger.date} is neither a date nor a number of days to or since one."),
            (f"可用：{'、'.join(near)}。", f"Use one of: {', '.join(near)}."),
        )  # fmt: skip
    elif trigger.days < 0 and not trigger.yearly and _is_past(attribute):
        yield error(
            "date_past",
            place,
            (f"{trigger.date} 是已经过去的日子，不能提前 {-trigger.days} 天进入。",
             f"{trigger.date} lies in the past: nobody can enter {-trigger.days} days before it."),
            ("把 days 改为 0 或正数，或加 yearly: true。", "Set days to 0 or more, or yearly: true."),
        )  # fmt: skip


def is_date(attribute: Attribute) -> bool:
    """Whether a trigger can be relative to it: a date, or a derived number of days to or since one."""
    derived = attribute.derived
    return attribute.kind is Kind.date or (derived is not None and derived.kind.startswith(("days_to_", "days_since")))


def repeats(attribute: Attribute | None) -> bool:
    """Whether the date comes again for the same customer: a payday, a birthday, the next maturity."""
    return attribute is not None and attribute.derived is not None and attribute.derived.kind.startswith("days_to_")


def _is_past(attribute: Attribute) -> bool:
    return attribute.derived is not None and attribute.derived.kind == "days_since"


def _same_cases(node: AudienceSplit) -> Iterator[Finding]:
    seen: dict[str, str] = {}
    for case in node.cases:
        first = seen.setdefault(case.expression.strip(), case.name)
        if first != case.name:
            yield error(
                "duplicate_case",
                f"{node.id}.{case.name}",
                (f"分支 {case.name} 与 {first} 条件相同，永远走不到。",
                 f"Case {case.name} has the same condition as {first}: nobody ever takes it."),
                ("改条件，或删掉这个分支。", "Change its condition, or remove it."),
            )  # fmt: skip


def _tags(canvas: Canvas) -> Iterator[Finding]:
    """A condition on a tag that this canvas never sets: it holds only if another canvas does."""
    own = {node.name for node in canvas.nodes if isinstance(node, Tag) and not node.remove}
    for place, text in expressions_of(canvas).items():
        for name in sorted(set(_TAG.findall(text)) - own):
            yield warning(
                "tag_elsewhere",
                place,
                (f"标签 {name} 不是这张画布打的，要靠别的画布。", f"The tag {name} is not put on by this canvas."),
                ("确认有画布打这个标签，或加一个打标节点。", "Make sure another canvas does, or add a tag node."),
            )
    for node in canvas.nodes:
        if isinstance(node, Tag) and node.remove and node.expires_days is not None:
            yield warning(
                "tag_expiry",
                node.id,
                ("去掉标签时有效期没有意义。", "An expiry means nothing where a tag is taken off."),
                ("删掉 expires_days。", "Remove expires_days."),
            )


def override_place(override: Override) -> str:
    return f"overrides.{override.branch_id}.{override.node}"
