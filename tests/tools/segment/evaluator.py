"""A plain row-by-row evaluator of segment trees over Python lists: independent of the compiler, slow and obvious."""

import hashlib
import json
import operator
from calendar import isleap, monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from tools.segment import schema as s
from warehouse.catalog import Catalog, Kind

OPS = {"=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
FLIP = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


@dataclass
class Bank:
    customers: list[dict[str, Any]]
    events: list[dict[str, Any]]
    holdings: list[dict[str, Any]]
    products: dict[int, dict[str, Any]]
    identities: list[dict[str, Any]]
    suppressions: list[dict[str, Any]]


class Evaluator:
    """Who is in a segment, decided customer by customer. None stands for unknown."""

    def __init__(self, bank: Bank, catalog: Catalog, at: datetime, zone: ZoneInfo) -> None:
        self.bank, self.catalog, self.at, self.zone = bank, catalog, at, zone
        self.today = at.astimezone(zone).date()
        self.now = at.astimezone(UTC).replace(tzinfo=None)
        self.events: dict[int, list[dict[str, Any]]] = {}
        for e in bank.events:
            self.events.setdefault(e["customer_id"], []).append(e)
        self.holdings: dict[int, list[dict[str, Any]]] = {}
        for h in bank.holdings:
            self.holdings.setdefault(h["customer_id"], []).append(h)

    def members(self, node: s.Node) -> set[int]:
        return {c["customer_id"] for c in self.bank.customers if self.true(node, c, None)}

    # `over` is None for customers, else the function that reads a property of the row

    def true(self, node: s.Node, row: dict[str, Any], over: Any, beside: tuple[s.Node, ...] = ()) -> bool:
        match node:
            case s.Everyone():
                return True
            case s.And():
                parts = self.flat(node)
                others = tuple(p for p in parts if not isinstance(p, s.Top))
                return all(self.true(p, row, over, others if isinstance(p, s.Top) else ()) for p in parts)
            case s.Or():
                return any(self.true(c, row, over) for c in node.children)
            case s.Not():
                return not self.true(node.child, row, over)
            case s.Flag():
                return self.value(node.name, row, over) is True
            case s.Compare():
                return self.compare(node.left, node.op, node.right, row, over)
            case s.Between():
                return self.compare(node.value, ">=", node.low, row, over) and self.compare(
                    node.value, "<=", node.high, row, over
                )
            case s.In():
                return any(self.compare(s.Attr(name=node.name), "=", s.Const(value=v), row, over) for v in node.values)
            case s.Match():
                value = self.value(node.name, row, over)
                if value is None:
                    return False
                return {
                    "contains": node.text in value,
                    "starts_with": value.startswith(node.text),
                    "ends_with": value.endswith(node.text),
                }[node.how]
            case s.IsUnknown():
                return self.value(node.name, row, over) is None
            case s.Did():
                return bool(self.occurrences(row["customer_id"], node.event, node.where, node.window))
            case s.EventMeasure():
                return self.measure(node, row["customer_id"])
            case s.Holds():
                return any(self.holding(node, h) for h in self.holdings.get(row["customer_id"], []))
            case s.Sequence():
                return self.sequence(node, row["customer_id"])
            case s.Sample():
                digits = hashlib.md5(f"{node.key}:{row['customer_id']}".encode()).hexdigest()[:8]
                return Decimal(int(digits, 16)) / Decimal(2**32) * 100 < Decimal(str(node.percent))
            case s.Top():
                base = [c for c in self.bank.customers if all(self.true(b, c, None) for b in beside)]
                known = [(self.value(node.by, c, None), c["customer_id"]) for c in base]
                known = [k for k in known if k[0] is not None]
                known.sort(key=lambda k: k[1])
                known.sort(key=lambda k: k[0], reverse=node.descending)
                return row["customer_id"] in {k[1] for k in known[: node.n]}
            case _:
                raise AssertionError(node)

    def flat(self, node: s.Node) -> list[s.Node]:
        return [p for c in node.children for p in self.flat(c)] if isinstance(node, s.And) else [node]

    def field(self, name: str, over: Any) -> Any:
        return self.catalog.attribute(name) if over is None else over[name]

    def value(self, name: str, row: dict[str, Any], over: Any) -> Any:
        if over is not None:
            return self.property(over[name], row)
        derived = self.catalog.attribute(name).derived
        if derived is None:
            return row.get(name)
        kind = derived.kind
        column = row.get(getattr(derived, "column", ""))
        if kind == "not_null":
            return column is not None
        if kind == "exists":
            rows = {
                "identities": self.bank.identities,
                "suppressions": self.bank.suppressions,
                "holdings": self.bank.holdings,
            }[derived.table]
            return any(
                r["customer_id"] == row["customer_id"]
                and (r[derived.column] == derived.equals if derived.equals else r[derived.column] is not None)
                for r in rows
            )
        if kind == "days_to_next_maturity":
            coming = [
                h["matures_on"]
                for h in self.holdings.get(row["customer_id"], [])
                if h["matures_on"] and h["matures_on"] >= self.today
            ]
            return (min(coming) - self.today).days if coming else None
        if column is None:
            return None
        if kind == "years_since":
            return max(n for n in range(-1, 200) if n < 0 or self.birthday(column, column.year + n) <= self.today)
        if kind == "days_since":
            day = column.replace(tzinfo=UTC).astimezone(self.zone).date() if isinstance(column, datetime) else column
            return (self.today - day).days
        if kind == "days_to_month_day":
            return next(n for n in range(40) if self.is_day(self.today + timedelta(days=n), column))
        if kind == "days_to_anniversary":
            return next(
                n
                for n in range(400)
                if self.birthday(column, (self.today + timedelta(days=n)).year) == self.today + timedelta(days=n)
            )
        if kind == "within_years":
            return column > self.birthday(self.today, self.today.year - derived.years)
        raise AssertionError(kind)

    def birthday(self, born: date, year: int) -> date:
        return (
            date(year, 2, 28)
            if (born.month, born.day) == (2, 29) and not isleap(year)
            else date(year, born.month, born.day)
        )

    def is_day(self, day: date, number: int) -> bool:
        return day.day == min(number, monthrange(day.year, day.month)[1])

    def property(self, prop: Any, row: dict[str, Any]) -> Any:
        source = prop.source
        if source.startswith("products."):
            product = self.bank.products.get(row["product_id"])
            return product[source.split(".")[1]] if product else None
        if source.startswith("properties."):
            return (json.loads(row["properties"]) if row["properties"] else {}).get(source.split(".")[1])
        return row[source]

    def operand(self, operand: s.Operand, row: dict[str, Any], over: Any) -> Any:
        match operand:
            case s.Attr():
                return self.value(operand.name, row, over)
            case s.Const():
                return operand.value
            case s.Arithmetic():
                a, b = self.operand(operand.left, row, over), self.operand(operand.right, row, over)
                if a is None or b is None:
                    return None
                a, b = float(a), float(b)
                if operand.op == "/":
                    return a / b if b else None
                return {"+": a + b, "-": a - b, "*": a * b}[operand.op]

    def compare(self, left: s.Operand, op: str, right: s.Operand, row: dict[str, Any], over: Any) -> bool:
        if isinstance(left, s.Const):
            left, right, op = right, left, FLIP[op]
        a, b = self.operand(left, row, over), self.operand(right, row, over)
        if a is None or b is None:
            return False
        if not isinstance(left, s.Attr) or not isinstance(right, s.Const):
            return OPS[op](float(a), float(b))
        field = self.field(left.name, over)
        if field.kind is Kind.category and op not in ("=", "!="):
            order = [v.value for v in field.values]
            return a in order and OPS[op](order.index(a), order.index(b))
        if field.kind is Kind.date:
            return OPS[op](a, date.fromisoformat(b))
        if field.kind is Kind.timestamp:
            if len(b) == 10:
                return OPS[op](a.replace(tzinfo=UTC).astimezone(self.zone).date(), date.fromisoformat(b))
            when = datetime.fromisoformat(b)
            when = when if when.tzinfo else when.replace(tzinfo=self.zone)
            return OPS[op](a.replace(tzinfo=UTC), when)
        if isinstance(a, Decimal) and isinstance(b, float):
            return OPS[op](a, Decimal(str(b)))
        return OPS[op](a, b)

    def inside(self, moment: datetime, window: Any) -> bool:
        if moment > self.now:
            return False
        if window is None:
            return True
        if isinstance(window, s.Last):
            span = timedelta(hours=window.amount) if window.unit == "h" else timedelta(days=window.amount)
            return self.now - span < moment
        day = moment.replace(tzinfo=UTC).astimezone(self.zone).date()
        if isinstance(window, s.Dates):
            return window.start <= day <= window.end
        return self.in_period(day, window.period)

    def in_period(self, day: date, period: str) -> bool:
        t = self.today
        if period in ("today", "yesterday"):
            return day == (t if period == "today" else t - timedelta(days=1))
        back = 0 if period.startswith("this") else 1
        unit = period.split("_")[1]
        if unit == "week":
            return (day - timedelta(days=day.weekday())) == t - timedelta(days=t.weekday() + 7 * back)
        number = {
            "month": lambda d: d.year * 12 + d.month,
            "quarter": lambda d: d.year * 4 + (d.month - 1) // 3,
            "year": lambda d: d.year,
        }[unit]
        return number(day) == number(t) - back

    def occurrences(self, customer: int, event: str, where: Any, window: Any) -> list[dict[str, Any]]:
        fields = {p.name: p for p in self.catalog.event(event).properties}
        return [
            e
            for e in self.events.get(customer, [])
            if e["name"] == event
            and self.inside(e["occurred_at"], window)
            and (where is None or self.true(where, e, fields))
        ]

    def measure(self, node: s.EventMeasure, customer: int) -> bool:
        found = self.occurrences(customer, node.event, node.where, node.window)
        if node.measure == "count":
            return OPS[node.op](len(found), node.value)
        if node.measure == "recency":
            if not found:
                return False
            return OPS[node.op]((self.now - max(e["occurred_at"] for e in found)) / timedelta(days=1), node.value)
        prop = next(p for p in self.catalog.event(node.event).properties if p.name == node.property)
        values = [self.property(prop, e) for e in found]
        return OPS[node.op](float(sum(v for v in values if v is not None)), node.value)

    def holding(self, node: s.Holds, row: dict[str, Any]) -> bool:
        entity = next(e for e in self.catalog.entities if e.table == "holdings")
        fields = {p.name: p for p in entity.properties}
        if node.kind and self.property(fields["kind"], row) != node.kind:
            return False
        if node.matures_within_days is not None:
            on = row["matures_on"]
            if on is None or not self.today <= on <= self.today + timedelta(days=node.matures_within_days):
                return False
        return node.where is None or self.true(node.where, row, fields)

    def sequence(self, node: s.Sequence, customer: int) -> bool:
        gap = timedelta(hours=node.gap.amount) if node.gap.unit == "h" else timedelta(days=node.gap.amount)
        second = [e["occurred_at"] for e in self.occurrences(customer, node.second, node.second_where, None)]
        for e in self.occurrences(customer, node.first, node.first_where, node.window):
            start = e["occurred_at"]
            followed = any(start < moment <= start + gap for moment in second)
            if not node.negated and followed:
                return True
            if node.negated and start + gap <= self.now and not followed:
                return True
        return False
