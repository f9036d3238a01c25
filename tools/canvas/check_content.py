"""Checks of what a canvas says and asks for: expressions, goal, texts, products, timing, limits."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from tools.canvas.claims import forbidden, printed_returns
from tools.canvas.facts import Facts
from tools.canvas.findings import Finding, Text, error, warning
from tools.canvas.graph import due_after, following, goal_expression, length, topological
from tools.canvas.schema import Canvas, Condition, Delay, Entry, Touch
from tools.canvas.wording import PLACEHOLDERS, SMS_LIMIT, complete, open_placeholders, sms_parts
from tools.canvas.wording import length as text_length
from tools.canvas.words import channel_name
from tools.segment import ExpressionError, Node, parse
from tools.segment.schema import Did, EventMeasure, SinceEntry
from tools.segment.schema import Sequence as EventSequence
from tools.segment.walk import walk
from tools.throttle.calendar import quiet_at
from warehouse.catalog import Catalog, nearest
from warehouse.clock import parse_instant
from warehouse.errors import ModelRetry

RISKY_KINDS = ("wealth", "fund", "insurance", "gold")
_NOON = 10


def check_expressions(canvas: Canvas, catalog: Catalog) -> Iterator[Finding]:
    """Entry, conditions and goal must fit the catalog."""
    for node in canvas.nodes:
        if isinstance(node, Entry):
            yield from _expression(node.segment, node.id, catalog, entry=True)
        elif isinstance(node, Condition):
            yield from _expression(node.expression, node.id, catalog)
    goal = canvas.goal
    if goal.event not in catalog.event_index:
        near = nearest(goal.event, catalog.event_index) or list(catalog.event_index)[:3]
        yield error(
            "unknown_event",
            "goal.event",
            (f"目标事件 {goal.event} 不在数据目录里。", f"The catalog has no event {goal.event}."),
            (f"可用：{'、'.join(near)}。", f"Use one of: {', '.join(near)}."),
        )
    elif goal.where:
        yield from _expression(goal_expression(goal), "goal.where", catalog)


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
    return any(
        isinstance(part, Did | EventMeasure | EventSequence) and isinstance(part.window, SinceEntry)
        for part in walk(node)
    )


def check_texts(canvas: Canvas, facts: Facts) -> Iterator[Finding]:
    """Every wording of every touch."""
    signature = canvas.signature or facts.bank or "本行"
    for touch in (n for n in canvas.nodes if isinstance(n, Touch)):
        product = (facts.products or {}).get(touch.product_id or -1)
        for arm in touch.arms:
            place = f"{touch.id}.{arm.name}"
            if not arm.text.strip():
                yield error(
                    "no_text",
                    place,
                    (f"{place} 没有文案。", f"{place} has no text."),
                    ("写上文案。", "Write a text."),
                )
                continue
            yield from _placeholders(arm.text, place, touch)
            for hit in forbidden(arm.text):
                yield error(
                    "forbidden_claim",
                    place,
                    (
                        f"文案含禁用表述「{hit.words}」：{hit.reason_zh}。",
                        f"The text says “{hit.words}”: {hit.reason_en}.",
                    ),
                    ("删去或改写这句话。", "Remove or rewrite these words."),
                )
            if product is not None and product.kind in RISKY_KINDS:
                for shown in printed_returns(arm.text, product.benchmark_rate):
                    yield error(
                        "rate_as_return",
                        place,
                        (f"把 {shown} 写得像收益；业绩比较基准不是收益承诺。",
                         f"{shown} reads as a return; a benchmark is not a promised return."),
                        ("不要在文案里写收益率数字。", "Leave rates out of the text."),
                    )  # fmt: skip
            if touch.channel == "sms":
                yield from _sms(complete(arm.text, "sms", signature), place)


def _placeholders(text: str, place: str, touch: Touch) -> Iterator[Finding]:
    for name in open_placeholders(text):
        if name not in PLACEHOLDERS:
            yield error(
                "placeholder",
                place,
                (f"没有占位符 {{{name}}}。", f"There is no placeholder {{{name}}}."),
                (f"可用：{'、'.join(PLACEHOLDERS)}。", f"Use one of: {', '.join(PLACEHOLDERS)}."),
            )
        elif name == "product" and touch.product_id is None:
            yield error(
                "placeholder",
                place,
                ("用了 {product}，但这一波没有指定产品。", "{product} is used, but this touch names no product."),
                ("指定 product_id，或去掉占位符。", "Set product_id, or remove the placeholder."),
            )
    if text.count("{") != text.count("}") or text.count("{") != len(open_placeholders(text)):
        yield error(
            "placeholder",
            place,
            ("花括号不成对，占位符读不出来。", "The braces do not pair, so a placeholder cannot be read."),
            ("占位符写成 {name}。", "Write placeholders like {name}."),
        )


def _sms(text: str, place: str) -> Iterator[Finding]:
    size, parts = text_length(text), sms_parts(text)
    if size > SMS_LIMIT:
        yield error(
            "sms_too_long",
            place,
            (f"连同落款和退订共 {size} 字，超过 {SMS_LIMIT} 字上限。",
             f"With sender and opt-out it has {size} characters, more than {SMS_LIMIT}."),
            ("缩短文案。", "Shorten the text."),
        )  # fmt: skip
    elif parts > 1:
        yield warning(
            "sms_parts",
            place,
            (f"连同落款和退订共 {size} 字，按 {parts} 条短信计费。",
             f"With sender and opt-out it has {size} characters and is billed as {parts} messages."),
            ("缩到一条以内可省费用。", "Shorten it to one message to save cost."),
        )  # fmt: skip


def check_products(canvas: Canvas, facts: Facts, arrivals: dict[str, datetime]) -> Iterator[Finding]:
    """Products must exist and be on sale when they are offered; a campaign for a risky kind should name one."""
    for touch in (n for n in canvas.nodes if isinstance(n, Touch)):
        if touch.product_id is None or facts.products is None:
            continue
        product = facts.products.get(touch.product_id)
        if product is None:
            yield error(
                "unknown_product",
                touch.id,
                (f"没有编号为 {touch.product_id} 的产品。", f"There is no product {touch.product_id}."),
                ("换成在售产品的编号。", "Name a product that exists."),
            )
            continue
        moment = arrivals.get(touch.id) or facts.start
        if moment is not None and not product.on_sale(moment.astimezone(facts.zone).date()):
            day = moment.astimezone(facts.zone).date().isoformat()
            yield error(
                "not_on_sale",
                touch.id,
                (f"产品 {product.name} 在 {day} 不在售。", f"Product {product.name} is not on sale on {day}."),
                ("换一个在售产品，或改触达日期。", "Choose a product on sale then, or another date."),
            )
    if any(kind in canvas.goal.where for kind in RISKY_KINDS) and not any(
        isinstance(n, Touch) and n.product_id is not None for n in canvas.nodes
    ):
        yield warning(
            "no_product",
            "nodes",
            ("目标是理财类购买，但没有一波指定产品，适当性无从核对。",
             "The goal is a purchase that needs suitability, but no touch names a product, so suitability is not checked."),
            ("在画布文件中给触达填上产品（product_id）。", "Put the product into the touches of the canvas file (product_id)."),
        )  # fmt: skip


def check_times(canvas: Canvas, facts: Facts, arrivals: dict[str, datetime]) -> Iterator[Finding]:
    """Touches in quiet hours, and a goal window that closes before the last touch."""
    for touch in (n for n in canvas.nodes if isinstance(n, Touch)):
        moment = arrivals.get(touch.id)
        if moment is None:
            continue
        quiet = quiet_at(facts.policy.quiet_hours, touch.channel, canvas.category, moment, facts.zone)
        if quiet is None:
            continue
        hour = moment.astimezone(facts.zone).strftime("%H:%M")
        what: Text = ("会延到时段结束再发", "it will wait until they end") if quiet.action == "defer" else (
            "会被放弃", "it will be abandoned"
        )  # fmt: skip
        message: Text = (
            f"{channel_name(touch.channel, 'zh')}安排在 {hour}，属于勿扰时段 {quiet.rule}，{what[0]}。",
            f"The {channel_name(touch.channel, 'en')} at {hour} falls into the quiet hours {quiet.rule}; {what[1]}.",
        )
        fix: Text = ("改到勿扰时段之外。", "Choose an hour outside them.")
        yield (warning if quiet.action == "defer" else error)("quiet_hours", touch.id, message, fix)
    start = facts.start or datetime(2026, 1, 5, 2, tzinfo=facts.zone)
    longest = length(canvas, facts.zone, start)
    if longest > timedelta(days=canvas.goal.window_days):
        yield warning(
            "goal_window",
            "goal.window_days",
            (f"流程最长 {_days(longest)} 天，目标窗口只有 {canvas.goal.window_days} 天。",
             f"The longest way takes {_days(longest)} days, the goal window only {canvas.goal.window_days}."),
            (f"把目标窗口设为 {_days(longest) + 7} 天以上。", f"Set the goal window to {_days(longest) + 7} days or more."),
        )  # fmt: skip


def check_limits(canvas: Canvas, facts: Facts) -> Iterator[Finding]:
    """The maximum of touches against the audience; the start."""
    if facts.audience is not None and canvas.max_touches < facts.audience:
        yield warning(
            "max_touches",
            "max_touches",
            (f"触达上限 {canvas.max_touches:,} 小于客群 {facts.audience:,} 人，后面的人收不到。",
             f"The maximum of {canvas.max_touches:,} touches is below the audience of {facts.audience:,}: some get nothing."),
            ("提高 max_touches，或缩小客群。", "Raise max_touches, or narrow the audience."),
        )  # fmt: skip
    if canvas.start:
        try:
            parse_instant(canvas.start, facts.zone)
        except ModelRetry as problem:
            yield error(
                "start",
                "start",
                (f"{canvas.start!r} 不是时间。", problem.message),
                ("写成 2026-11-20T09:00。", problem.fix),
            )


def planned(canvas: Canvas, facts: Facts) -> dict[str, datetime]:
    """Touch → when it would be sent, as far as that is known: from the canvas's start, else from a delay with an hour.

    Without a start the day is that of the facts' start, or an ordinary Monday; only the hour means something then.
    """
    start, certain = facts.start, False
    if canvas.start:
        try:
            start, certain = parse_instant(canvas.start, facts.zone), True
        except ModelRetry:
            start = facts.start
    start = start or datetime(2026, 1, 5, _NOON, tzinfo=facts.zone)
    order = topological(canvas)
    index = {node.id: node for node in order}
    arrival: dict[str, tuple[datetime, bool]] = {order[0].id: (start, certain)}
    for node in order:
        if node.id not in arrival:
            continue
        here, known = arrival[node.id]
        for target in following(node):
            there = index[target]
            due = due_after(there, here, facts.zone)
            sure = known or (isinstance(there, Delay) and there.until_hour is not None)
            if target not in arrival or due > arrival[target][0]:
                arrival[target] = (due, sure)
    return {name: when for name, (when, known) in arrival.items() if known and isinstance(index[name], Touch)}


def _days(span: timedelta) -> int:
    return -(-span // timedelta(days=1))
