"""What a check may know about the bank besides the canvas: products, the bank's name, policy, audience, the clock."""

from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from tools.canvas.schema import Canvas, Touch
from tools.throttle import ThrottlePolicy
from warehouse.clock import BANK_ZONE
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
class Facts:
    """Everything is optional: a check without facts says less, never something else.

    `start` is when the canvas would be released (aware), `audience` the size of its entry segment.
    """

    products: dict[int, Product] | None = None
    bank: str = ""
    policy: ThrottlePolicy = field(default_factory=ThrottlePolicy)
    audience: int | None = None
    start: datetime | None = None
    zone: ZoneInfo = BANK_ZONE


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
