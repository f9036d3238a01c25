"""Checks of every wording of a canvas, head office's and the branches': placeholders, promises, rates, length."""

from collections.abc import Iterator

from tools.canvas.check_expressions import override_place
from tools.canvas.check_graph import share_findings
from tools.canvas.claims import forbidden
from tools.canvas.facts import Facts, Product
from tools.canvas.findings import Finding, error, warning
from tools.canvas.rates import annual_rate_shown, periodic_rate, printed_returns
from tools.canvas.schema import Arm, Canvas, Touch
from tools.canvas.wording import PLACEHOLDERS, SMS_LIMIT, complete, open_placeholders, sms_parts
from tools.canvas.wording import length as text_length

RISKY_KINDS = ("wealth", "fund", "insurance", "gold")


def check_texts(canvas: Canvas, facts: Facts) -> Iterator[Finding]:
    """Every wording of every touch, and every branch's wording in its place."""
    touches = {node.id: node for node in canvas.nodes if isinstance(node, Touch)}
    for touch in touches.values():
        for arm in touch.arms:
            yield from _wording(canvas, touch, arm, f"{touch.id}.{arm.name}", facts)
    seen: set[tuple[int, str]] = set()
    for override in canvas.overrides:
        place = override_place(override)
        mine = touches.get(override.node)
        if mine is None:
            yield error(
                "override_node",
                place,
                (f"没有叫 {override.node} 的触达。", f"There is no touch {override.node}."),
                (f"可用：{'、'.join(touches)}。", f"Name one of: {', '.join(touches)}."),
            )
            continue
        if facts.branches is not None and override.branch_id not in facts.branches:
            yield error(
                "override_branch",
                place,
                (f"没有编号为 {override.branch_id} 的分行。", f"There is no branch {override.branch_id}."),
                ("写一个存在的分行编号。", "Name a branch that exists."),
            )
        if (override.branch_id, override.node) in seen:
            yield error(
                "override_twice",
                place,
                (f"分行 {override.branch_id} 对 {override.node} 写了两份文案。",
                 f"Branch {override.branch_id} has two sets of wordings for {override.node}."),
                ("只留一份。", "Keep one of them."),
            )  # fmt: skip
        seen.add((override.branch_id, override.node))
        yield from share_findings(place, [(arm.name, arm.share) for arm in override.arms])
        for arm in override.arms:
            yield from _wording(canvas, mine, arm, f"{place}.{arm.name}", facts)


def _wording(canvas: Canvas, touch: Touch, arm: Arm, place: str, facts: Facts) -> Iterator[Finding]:
    if not arm.text.strip():
        yield error(
            "no_text",
            place,
            (f"{place} 没有文案。", f"{place} has no text."),
            ("写上文案。", "Write a text."),
        )
        return
    product = (facts.products or {}).get(touch.product_id or -1)
    yield from _placeholders(arm.text, place, touch)
    yield from _promises(arm.text, place, product)
    if touch.channel != "task":
        yield from _loan(arm.text, place, product)
    if touch.channel == "sms":
        yield from _sms(complete(arm.text, "sms", canvas.signature or facts.bank or "本行"), place)


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


def _promises(text: str, place: str, product: Product | None) -> Iterator[Finding]:
    for hit in forbidden(text):
        yield error(
            "forbidden_claim",
            place,
            (f"文案含禁用表述「{hit.words}」：{hit.reason_zh}。", f"The text says “{hit.words}”: {hit.reason_en}."),
            ("删去或改写这句话。", "Remove or rewrite these words."),
        )
    if product is not None and product.kind in RISKY_KINDS:
        for shown in printed_returns(text, product.benchmark_rate):
            yield error(
                "rate_as_return",
                place,
                (f"把 {shown} 写得像收益；业绩比较基准不是收益承诺。",
                 f"{shown} reads as a return; a benchmark is not a promised return."),
                ("不要在文案里写收益率数字。", "Leave rates out of the text."),
            )  # fmt: skip
    elif product is None:
        for shown in printed_returns(text, None):
            yield warning(
                "rate_without_product",
                place,
                (f"文案写了 {shown}，但没有指定产品，无法核对是存款利率还是收益。",
                 f"The text prints {shown} and names no product: whether it is a deposit's rate or a return is not known."),
                ("指定 product_id；若是理财，不要写收益率数字。", "Set product_id; for wealth products leave rates out."),
            )  # fmt: skip


def _loan(text: str, place: str, product: Product | None) -> Iterator[Finding]:
    """A loan offered to a customer shows what it costs by the year; a price by the day or month never stands alone."""
    if annual_rate_shown(text):
        return
    periodic = periodic_rate(text)
    if product is not None and product.kind == "loan":
        said = (f"贷款 {product.name} 的文案没有展示年化利率。", f"The text offers the loan {product.name} without an annualised rate.")  # fmt: skip
    elif periodic:
        said = (f"写了「{periodic}」，没有写年化利率。", f"It says “{periodic}” without an annualised rate.")
    else:
        return
    yield error(
        "loan_rate", place, said, ("写明“年化利率（单利）x%”。", "Show it, such as “annualised rate (simple) x%”.")
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
