"""A plain row-by-row evaluator of segment trees over Python lists: independent of the compiler, slow and obvious."""

import hashlib
import json
import operator
from calendar import isleap, monthrange
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from tools.segment import schema as s
from tools.segment.vocabulary import OCCURRENCE
from warehouse.catalog import Catalog, Kind

OPS = {"=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
FLIP = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


@dataclass(repr=False)
class Bank:
    customers: list[dict[str, Any]]
    events: list[dict[str, Any]]
    holdings: list[dict[str, Any]]
    products: dict[int, dict[str, Any]]
    identities: list[dict[str, Any]]
    suppressions: list[dict[str, Any]]
    monthly: list[dict[str, Any]] = field(default_factory=list)
    grants: list[dict[str, Any]] = field(default_factory=list)
    touches: list[dict[str, Any]] = field(default_factory=list)
    benefits: dict[int, dict[str, Any]] = field(default_factory=dict)


class Evaluator:
    """Who is in a segment, decided customer by customer. None stands for unknown."""

    def __init__(
        self, bank: Bank, catalog: Catalog, at: datetime, zone: ZoneInfo, entries: dict[int, datetime]
    ) -> None:
        self.entries = entries
        self.bank, self.catalog, self.at, self.zone = bank, catalog, at, zone
        self.today = at.astimezone(zone).date()
        self.now = at.astimezone(UTC).replace(tzinfo=None)
        self.lists: dict[str, dict[int, list[dict[str, Any]]]] = {}
        for table in ("events", "holdings", "monthly", "grants", "touches"):
            by_customer = self.lists[table] = {}
            for row in getattr(bank, table):
                by_customer.setdefault(row["customer_id"], []).append(row)

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
            case s.During():
                value = self.value(node.name, row, over)
                return value is not None and self.inside(value, node.window, known=False)
            case s.Did():
                return bool(self.rows(row["customer_id"], node.event, node.where, node.window))
            case s.HasRow():
                return bool(self.rows(row["customer_id"], node.table, node.where, node.window))
            case s.Holds():
                return any(self.holding(node, h) for h in self.rows(row["customer_id"], "holding", None, None))
            case s.Sequence():
                return self.sequence(node, row["customer_id"])
            case s.Sample():
                digits = hashlib.md5(f"{node.key}:{row['customer_id']}".encode()).hexdigest()[:8]
                return Decimal(int(digits, 16)) / Decimal(2**32) * 100 < Decimal(str(node.percent))
            case s.Top():
                base = [c for c in self.bank.customers if all(self.true(b, c, None) for b in beside)]
                known = [(self.operand(node.by, c, None), c["customer_id"]) for c in base]
                known = [k for k in known if k[0] is not None]
                known.sort(key=lambda k: k[1])
                known.sort(key=lambda k: k[0], reverse=node.descending)
                return row["customer_id"] in {k[1] for k in known[: node.n]}
            case _:
                raise AssertionError(node)

    def flat(self, node: s.Node) -> list[s.Node]:
        return [p for c in node.children for p in self.flat(c)] if isinstance(node, s.And) else [node]

    def field(self, operand: s.Operand, over: Any) -> Any:
        """The catalog entry whose values an operand has; None for what is computed."""
        if isinstance(operand, s.Attr):
            return self.catalog.attribute(operand.name) if over is None else over[operand.name]
        if isinstance(operand, s.Measure) and operand.measure in ("min", "max", "latest", "earliest"):
            return self.fields(operand.of)[operand.property]
        return None

    def fields(self, name: str) -> dict[str, Any]:
        entity = self.catalog.entity_index.get(name)
        if entity is not None:
            return {p.name: p for p in entity.properties}
        return {p.name: p for p in [*OCCURRENCE, *self.catalog.event(name).properties]}

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
                for h in self.lists["holdings"].get(row["customer_id"], [])
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
        source, _, part = prop.source.partition(":")
        table, _, column = source.partition(".")
        if table == "properties":
            return (json.loads(row["properties"]) if row["properties"] else {}).get(column)
        if column:
            other = {"products": self.bank.products, "benefits": self.bank.benefits}[table]
            found = other.get(row[f"{table.removesuffix('s')}_id"])
            return found[column] if found else None
        value = row[source]
        if part and value is not None:
            local = value.replace(tzinfo=UTC).astimezone(self.zone)
            return {"day": local.date(), "hour": local.hour, "weekday": local.isoweekday()}[part]
        happened = isinstance(value, date) and "event_id" not in row and not prop.ahead
        if happened and value > (self.now if isinstance(value, datetime) else self.today):
            return None
        return value

    def operand(self, operand: s.Operand, row: dict[str, Any], over: Any) -> Any:
        match operand:
            case s.Attr():
                return self.value(operand.name, row, over)
            case s.Const():
                return operand.value
            case s.Measure():
                return self.measure(operand, row["customer_id"])
            case s.Arithmetic():
                a, b = self.operand(operand.left, row, over), self.operand(operand.right, row, over)
                if a is None or b is None:
                    return None
                if isinstance(a, date):
                    return self.days(a, b)
                a, b = float(a), float(b)
                if operand.op == "/":
                    return a / b if b else None
                return {"+": a + b, "-": a - b, "*": a * b}[operand.op]

    def days(self, later: date, earlier: date) -> float:
        if isinstance(later, datetime) and isinstance(earlier, datetime):
            return (later.replace(microsecond=0) - earlier.replace(microsecond=0)) / timedelta(days=1)
        a, b = (self.local_day(x) for x in (later, earlier))
        return float((a - b).days)

    def local_day(self, value: date) -> date:
        if isinstance(value, datetime):
            return value.replace(tzinfo=UTC).astimezone(self.zone).date()
        return value

    def compare(self, left: s.Operand, op: str, right: s.Operand, row: dict[str, Any], over: Any) -> bool:
        if isinstance(left, s.Const):
            left, right, op = right, left, FLIP[op]
        a, b = self.operand(left, row, over), self.operand(right, row, over)
        if a is None or b is None:
            return False
        field = self.field(left, over)
        if field is not None and field.kind is Kind.category and op not in ("=", "!="):
            order = [v.value for v in field.values]
            return a in order and b in order and OPS[op](order.index(a), order.index(b))
        if not isinstance(right, s.Const):
            if isinstance(a, str | date):
                return OPS[op](a, b)
            return OPS[op](float(a), float(b))
        if isinstance(left, s.Measure) and left.measure in ("recency", "since_first") and self.timed(left.of):
            # a length of time is held against a constant as an instant, to the microsecond
            return OPS[op]((self.now - self.end(left, row["customer_id"])) / timedelta(days=1), b)
        if field is None:
            return OPS[op](float(a), b)
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

    def inside(self, moment: date, window: Any, known: bool = True, entered: datetime | None = None) -> bool:
        """Whether a day or an instant lies in a window; `known`: and is not later than the evaluation instant."""
        precise = isinstance(moment, datetime)
        if known and moment > (self.now if precise else self.today):
            return False
        if window is None:
            return True
        if isinstance(window, s.SinceEntry):
            return entered is not None and (moment > entered if precise else moment >= self.local_day(entered))
        if isinstance(window, s.Last | s.Next | s.Ago):
            unit = {"min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}[window.unit]
            here = self.now if precise else self.today
            if isinstance(window, s.Next):
                return (here < moment if precise else here <= moment) and moment <= here + unit * window.amount
            start, end = (window.start, window.end) if isinstance(window, s.Ago) else (window.amount, 0)
            return here - unit * start < moment <= here - unit * end
        day = self.local_day(moment)
        if isinstance(window, s.Dates):
            return window.start <= day <= window.end
        if isinstance(window, s.Months):
            back = (self.today.year - day.year) * 12 + self.today.month - day.month
            return window.end <= back <= window.start
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

    def timed(self, name: str) -> bool:
        """Whether rows carry instants rather than days."""
        return self.fields(name)[self.clock(name)].kind is Kind.timestamp

    def clock(self, name: str) -> str:
        entity = self.catalog.entity_index.get(name)
        return entity.time if entity else "occurred_at"

    def rows(self, customer: int, name: str, where: Any, window: Any) -> list[dict[str, Any]]:
        entity, fields = self.catalog.entity_index.get(name), self.fields(name)
        found = []
        for row in self.lists[entity.table if entity else "events"].get(customer, []):
            if entity is None and row["name"] != name:
                continue
            moment = row[fields[self.clock(name)].source]
            if moment is None:
                seen = window is None
            elif entity is not None and entity.grain == "month":
                seen = moment < self.today.replace(day=1) and self.inside(moment, window)
            else:
                seen = self.inside(moment, window, entered=self.entries.get(customer))
            if seen and (where is None or self.true(where, row, fields)):
                found.append(row)
        return found

    def end(self, node: s.Measure, customer: int) -> Any:
        column = self.fields(node.of)[self.clock(node.of)].source
        times = [r[column] for r in self.rows(customer, node.of, node.where, node.window) if r[column] is not None]
        if not times:
            return None
        return max(times) if node.measure in ("recency", "latest") else min(times)

    def measure(self, node: s.Measure, customer: int) -> Any:
        rows = self.rows(customer, node.of, node.where, node.window)
        fields = self.fields(node.of)
        if node.measure == "count":
            return len(rows)
        if node.measure in ("recency", "since_first"):
            end = self.end(node, customer)
            if end is None:
                return None
            return self.days(self.now if isinstance(end, datetime) else self.today, end)
        prop, column = fields[node.property], fields[self.clock(node.of)].source
        pairs = [(row[column], self.property(prop, row)) for row in rows]
        values = [value for _, value in pairs if value is not None]
        if node.measure == "sum":
            return sum(values)
        if node.measure == "distinct":
            return len(set(values))
        if not values:
            return None
        if node.measure == "avg":
            return float(sum(values)) / len(values)
        order = [v.value for v in prop.values] if prop.kind is Kind.category else None
        if node.measure in ("min", "max"):
            chosen = min if node.measure == "min" else max
            return chosen(values, key=(lambda v: order.index(v)) if order else None)
        timed = [(moment, value) for moment, value in pairs if moment is not None and value is not None]
        if not timed:
            return None
        end = max(m for m, _ in timed) if node.measure == "latest" else min(m for m, _ in timed)
        return max(value for moment, value in timed if moment == end)

    def holding(self, node: s.Holds, row: dict[str, Any]) -> bool:
        fields = self.fields("holding")
        if node.kind and self.property(fields["kind"], row) != node.kind:
            return False
        if node.matures_within_days is not None:
            on = row["matures_on"]
            if on is None or not self.today <= on <= self.today + timedelta(days=node.matures_within_days):
                return False
        return node.where is None or self.true(node.where, row, fields)

    def sequence(self, node: s.Sequence, customer: int) -> bool:
        def follows(start: datetime, steps: tuple[s.Step, ...]) -> bool:
            if not steps:
                return True
            step, *rest = steps
            gap = {"min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}[step.gap.unit]
            gap *= step.gap.amount
            rows = self.rows(customer, step.event, step.where, None)
            after = [r["occurred_at"] for r in rows if start < r["occurred_at"] <= start + gap]
            if step.negated:
                return start + gap <= self.now and not after and follows(start, tuple(rest))
            return any(follows(moment, tuple(rest)) for moment in after)

        starts = self.rows(customer, node.event, node.where, node.window)
        return any(follows(e["occurred_at"], node.steps) for e in starts)
