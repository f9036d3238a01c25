"""What a check may know about the bank besides the canvas: products, benefits, policy, costs, audience, clock, locks."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from tools.canvas.costs import Costs
from tools.canvas.schema import Canvas, Entry, Touch
from tools.segment import Segments, resolve
from tools.throttle import ThrottlePolicy
from warehouse.clock import BANK_ZONE
from warehouse.errors import ModelRetry
from warehouse.store import Warehouse


@dataclass(frozen=True)
class Product:
    """A row of `products`."""

    product_id: int
    name: str
    kind: str
    risk_level: str | None
    benchmark_rate: float | None
    on_sale_from: date | None
    on_sale_to: date | None

    def on_sale(self, day: date) -> bool:
        return (self.on_sale_from is None or self.on_sale_from <= day) and (
            self.on_sale_to is None or day <= self.on_sale_to
        )


@dataclass(frozen=True)
class Benefit:
    """A row of `benefits`; `left` is the stock less what was granted already."""

    benefit_id: int
    name: str
    unit_cost: float
    left: int | None
    per_customer_limit: int | None
    valid_from: date | None
    valid_to: date | None


@dataclass(frozen=True)
class Audience:
    """Who is in the entry's segment now: how many, how many of them without a manager, and how many by the risk level of a
    valid assessment ('' is never assessed or expired)."""

    size: int
    unmanaged: int
    by_level: Mapping[str, int]


@dataclass(frozen=True)
class Facts:
    """Everything is optional: a check without facts says less, never something else.

    `start` is when the canvas would be released (aware), `audience` the size of its entry segment, `people` more about it;
    `heads` are the canvases as the template makes them, one per language: the locked parts of one of them should hold.
    """

    products: dict[int, Product] | None = None
    benefits: dict[int, Benefit] | None = None
    branches: dict[int, str] | None = None
    bank: str = ""
    policy: ThrottlePolicy = field(default_factory=ThrottlePolicy)
    costs: Costs = field(default_factory=Costs)
    audience: int | None = None
    people: Audience | None = None
    start: datetime | None = None
    zone: ZoneInfo = BANK_ZONE
    heads: tuple[Canvas, ...] = ()

    @property
    def size(self) -> int | None:
        return self.people.size if self.people is not None else self.audience


def facts_of(segments: Segments, canvas: Canvas, facts: Facts) -> Facts:
    """These facts with what the warehouse knows about the canvas: products, benefits, branches and audience.

    An entry segment that cannot be read leaves the audience unknown: the check of expressions tells about it.
    """
    warehouse = segments.warehouse
    return replace(
        facts,
        products=products_of(warehouse, canvas),
        benefits=benefits_of(warehouse, canvas),
        branches=dict(warehouse.read("SELECT branch_id, name FROM branches").rows),
        people=_people(segments, canvas, facts),
        zone=warehouse.zone,
    )


def products_of(warehouse: Warehouse, canvas: Canvas) -> dict[int, Product]:
    """The products that the canvas's touches name, as far as they exist."""
    wanted = sorted({n.product_id for n in canvas.nodes if isinstance(n, Touch) and n.product_id is not None})
    if not wanted:
        return {}
    rows = warehouse.read(
        """SELECT product_id, name, kind, risk_level, benchmark_rate, on_sale_from, on_sale_to FROM products
           WHERE product_id IN (SELECT unnest(?::INTEGER[]))""",
        [wanted],
    ).rows
    return {row[0]: Product(*row) for row in rows}


def benefits_of(warehouse: Warehouse, canvas: Canvas) -> dict[int, Benefit]:
    """The benefits that the canvas's touches give, as far as they exist."""
    wanted = sorted({n.benefit_id for n in canvas.nodes if isinstance(n, Touch) and n.benefit_id is not None})
    if not wanted:
        return {}
    rows = warehouse.read(
        """SELECT benefit_id, name, coalesce(unit_cost, 0)::DOUBLE,
                  stock - (SELECT count(*) FROM grants g WHERE g.benefit_id = b.benefit_id),
                  per_customer_limit, valid_from, valid_to
           FROM benefits b WHERE benefit_id IN (SELECT unnest(?::INTEGER[]))""",
        [wanted],
    ).rows
    return {row[0]: Benefit(*row[:5], *(_day(value) for value in row[5:])) for row in rows}


def _day(value: date | datetime | None) -> date | None:
    return value.date() if isinstance(value, datetime) else value


def _people(segments: Segments, canvas: Canvas, facts: Facts) -> Audience | None:
    entry = next((n for n in canvas.nodes if isinstance(n, Entry)), None)
    if entry is None:
        return None
    try:
        ids = segments.ids_sql(resolve(entry.segment, segments.catalog, segments.records))
    except ModelRetry:
        return None
    warehouse = segments.warehouse
    oldest = warehouse.as_of.astimezone(warehouse.zone).date() - timedelta(days=facts.policy.suitability.validity_days)
    rows = warehouse.read(
        f"""SELECT CASE WHEN risk_assessed_on > ? THEN coalesce(risk_level, '') ELSE '' END AS level, count(*),
                   count(*) FILTER (WHERE manager_id IS NULL)
            FROM customers WHERE customer_id IN ({ids}) GROUP BY 1""",
        [oldest],
    ).rows
    return Audience(
        size=sum(row[1] for row in rows),
        unmanaged=sum(row[2] for row in rows),
        by_level={row[0]: row[1] for row in rows},
    )
