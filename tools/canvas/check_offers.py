"""Checks of what a canvas offers and what it may cost at worst: products, suitability, benefits, budget, maximum."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime

from tools.canvas.check_texts import RISKY_KINDS
from tools.canvas.facts import Benefit, Facts, Product
from tools.canvas.findings import Finding, error, warning
from tools.canvas.graph import following, topological
from tools.canvas.schema import Canvas, Touch
from tools.canvas.wording import complete, sms_parts


def check_offers(canvas: Canvas, facts: Facts, arrivals: dict[str, datetime]) -> Iterator[Finding]:
    """Products and benefits, one touch after the other.

    Args:
        arrivals: touch → when it is sent, as far as that is known.
    """
    for touch in (n for n in canvas.nodes if isinstance(n, Touch)):
        moment = arrivals.get(touch.id) or facts.start
        if touch.product_id is not None and facts.products is not None:
            yield from _product(touch, facts.products.get(touch.product_id), facts, moment)
        if touch.benefit_id is not None and facts.benefits is not None:
            yield from _validity(touch, facts.benefits.get(touch.benefit_id), facts, moment)
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


def _product(touch: Touch, product: Product | None, facts: Facts, moment: datetime | None) -> Iterator[Finding]:
    if product is None:
        yield error(
            "unknown_product",
            touch.id,
            (f"没有编号为 {touch.product_id} 的产品。", f"There is no product {touch.product_id}."),
            ("换成在售产品的编号。", "Name a product that exists."),
        )
        return
    if moment is not None and not product.on_sale(moment.astimezone(facts.zone).date()):
        day = moment.astimezone(facts.zone).date().isoformat()
        yield error(
            "not_on_sale",
            touch.id,
            (f"产品 {product.name} 在 {day} 不在售。", f"Product {product.name} is not on sale on {day}."),
            ("换一个在售产品，或改触达日期。", "Choose a product on sale then, or another date."),
        )
    if product.kind in facts.policy.suitability.kinds and product.risk_level and facts.people is not None:
        yield from _suitability(touch, product, product.risk_level, facts)


def _suitability(touch: Touch, product: Product, level: str, facts: Facts) -> Iterator[Finding]:
    people, levels = facts.people, facts.policy.suitability.levels
    if people is None or level not in levels:
        return
    below = {known: people.by_level.get(known, 0) for known in levels[: levels.index(level)]}
    below = {known: n for known, n in below.items() if n}
    unassessed = people.size - sum(people.by_level.get(known, 0) for known in levels)
    unfit = sum(below.values()) + unassessed
    if not unfit:
        return
    parts = [f"{known} {n:,}" for known, n in below.items()]
    zh = "、".join([*(f"{p} 人" for p in parts), *([f"未评估或已过期 {unassessed:,} 人"] if unassessed else [])])
    en = ", ".join([*parts, *([f"without a valid assessment {unassessed:,}"] if unassessed else [])])
    none_left = unfit >= people.size
    yield (error if none_left else warning)(
        "above_risk_level",
        touch.id,
        (f"产品 {product.name}（{level}）超出客群 {people.size:,} 人中 {unfit:,} 人的有效风评（{zh}），他们不会收到这一波。",
         f"Product {product.name} ({level}) is above the valid risk level of {unfit:,} of the {people.size:,} in the audience "
         f"({en}); they will not get this touch."),
        (f"在客群中加 risk_level >= '{level}' and assessment_valid，或换低风险产品。",
         f"Add risk_level >= '{level}' and assessment_valid to the audience, or offer a product of lower risk."),
    )  # fmt: skip


def _validity(touch: Touch, benefit: Benefit | None, facts: Facts, moment: datetime | None) -> Iterator[Finding]:
    if benefit is None:
        yield error(
            "unknown_benefit",
            touch.id,
            (f"没有编号为 {touch.benefit_id} 的权益。", f"There is no benefit {touch.benefit_id}."),
            ("换成存在的权益编号。", "Name a benefit that exists."),
        )
        return
    day = moment.astimezone(facts.zone).date() if moment is not None else None
    if day is None:
        return
    if (benefit.valid_from and day < benefit.valid_from) or (benefit.valid_to and day > benefit.valid_to):
        span = f"{benefit.valid_from or '…'} – {benefit.valid_to or '…'}"
        yield error(
            "benefit_validity",
            touch.id,
            (f"权益 {benefit.name} 有效期为 {span}，{day} 发放时不在期内。",
             f"The benefit {benefit.name} is valid {span}, not on {day} when it is given."),
            ("换一个有效的权益，或改触达日期。", "Choose a benefit that is valid then, or another date."),
        )  # fmt: skip


def check_costs(canvas: Canvas, facts: Facts) -> Iterator[Finding]:
    """Stock, limits per customer, budget and maximum, at worst: the dearest way for everybody. Needs a sound graph."""
    benefits = facts.benefits or {}
    given: dict[int, list[str]] = defaultdict(list)
    for node in canvas.nodes:
        if isinstance(node, Touch) and node.benefit_id in benefits:
            given[node.benefit_id].append(node.id)
    for benefit_id, places in given.items():
        yield from _benefit(canvas, benefits[benefit_id], places, facts)
    worst = worst_cost(canvas, facts)
    if canvas.budget is not None and worst > canvas.budget:
        yield error(
            "budget",
            "budget",
            (f"最坏情况花费 {worst:,.2f} 元，超过预算 {canvas.budget:,.2f} 元。",
             f"At worst it costs {worst:,.2f} CNY, more than the budget of {canvas.budget:,.2f}."),
            ("提高预算，缩小客群或 max_touches，或换便宜的渠道和权益。",
             "Raise the budget, narrow the audience or max_touches, or choose cheaper channels and benefits."),
        )  # fmt: skip
    elif canvas.budget is None and given:
        yield warning(
            "no_budget",
            "budget",
            (f"发放权益但没有设预算，最坏情况花费 {worst:,.2f} 元。",
             f"It gives benefits without a budget; at worst it costs {worst:,.2f} CNY."),
            ("设置 budget。", "Set budget."),
        )  # fmt: skip
    if facts.size is not None and canvas.max_touches < facts.size:
        yield warning(
            "max_touches",
            "max_touches",
            (f"触达上限 {canvas.max_touches:,} 小于客群 {facts.size:,} 人，后面的人收不到。",
             f"The maximum of {canvas.max_touches:,} touches is below the audience of {facts.size:,}: some get nothing."),
            ("提高 max_touches，或缩小客群。", "Raise max_touches, or narrow the audience."),
        )  # fmt: skip


def _benefit(canvas: Canvas, benefit: Benefit, places: list[str], facts: Facts) -> Iterator[Finding]:
    each = int(dearest(canvas, lambda touch: float(touch.benefit_id == benefit.benefit_id)))
    again = canvas.reentry.at_most or 1 if canvas.reentry.allowed else 1
    if benefit.per_customer_limit is not None and each * again > benefit.per_customer_limit:
        yield error(
            "benefit_limit",
            places[-1],
            (f"权益 {benefit.name} 每人限 {benefit.per_customer_limit} 份，一位客户最多会收到 {each * again} 份。",
             f"The benefit {benefit.name} is limited to {benefit.per_customer_limit} per customer; one could get "
             f"{each * again}."),
            ("减少发放这项权益的触达，或换一项权益。", "Give it in fewer touches, or choose another benefit."),
        )  # fmt: skip
    if benefit.left is None:
        return
    most = canvas.max_touches if facts.size is None else min(canvas.max_touches, facts.size * each)
    if most > benefit.left:
        yield (error if benefit.left <= 0 else warning)(
            "benefit_stock",
            places[0],
            (f"权益 {benefit.name} 剩余 {max(0, benefit.left):,} 份，最多要发 {most:,} 份。",
             f"{max(0, benefit.left):,} of the benefit {benefit.name} are left; up to {most:,} would be given."),
            ("补库存，缩小客群，或换一项权益。", "Add stock, narrow the audience, or choose another benefit."),
        )  # fmt: skip


def worst_cost(canvas: Canvas, facts: Facts) -> float:
    """CNY if everybody in the audience got the dearest way, or `max_touches` the dearest touch, whichever is less."""

    def cost(touch: Touch) -> float:
        signature = canvas.signature or facts.bank or "本行"
        parts = (
            [sms_parts(complete(arm.text, "sms", signature)) for arm in touch.arms] if touch.channel == "sms" else [1]
        )
        benefit = (facts.benefits or {}).get(touch.benefit_id or -1)
        return facts.costs.touch(touch.channel, max(parts)) + (benefit.unit_cost if benefit else 0.0)

    by_maximum = canvas.max_touches * max((cost(n) for n in canvas.nodes if isinstance(n, Touch)), default=0.0)
    if facts.size is None:
        return round(by_maximum, 2)
    again = canvas.reentry.at_most if canvas.reentry.allowed else 1
    if again is None:
        return round(by_maximum, 2)
    return round(min(by_maximum, facts.size * dearest(canvas, cost) * again), 2)


def dearest(canvas: Canvas, cost: Callable[[Touch], float]) -> float:
    """The largest sum of a touch's cost along any way; whoever takes the way for unmanaged customers gets no task."""
    most: dict[str, float] = {}
    for node in reversed(topological(canvas)):
        after = max((most[target] for target in following(node)), default=0.0)
        if isinstance(node, Touch):
            after = max(cost(node) + most[node.next], most[node.unmanaged] if node.unmanaged else 0.0)
        most[node.id] = after
    return max(most.values())
