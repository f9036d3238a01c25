"""Comparisons compiled: constants in the form of the field they are held against, names of branches, stretches of time."""

import operator
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Protocol

import ibis
import ibis.expr.types as ir

from tools.segment import schema as s
from tools.segment.columns import Moment, table
from tools.segment.periods import bounds, days
from tools.segment.scope import FAMILY, family
from tools.segment.vocabulary import Field, vocabulary
from warehouse.catalog import Attribute, Catalog, Kind
from warehouse.clock import day_start, naive_utc, to_utc

OPS: dict[s.Comparison, Callable[[ir.Value, ir.Value], ir.BooleanValue]] = {
    "=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
FLIP: dict[s.Comparison, s.Comparison] = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
OWN = ("min", "max", "latest", "earliest")
"""Measures whose results are values of the property itself."""


class Valued(Protocol):
    """Rows whose fields can be named."""

    def value(self, name: str) -> ir.Value: ...


class Measured(Valued, Protocol):
    """Customers with figures beside them."""

    def figure(self, measure: s.Measure) -> ir.Value: ...


class Comparing:
    """Compiles comparisons at one evaluation instant."""

    catalog: Catalog
    moment: Moment

    def _compare(self, node: s.Compare, rows: Valued, fields: Mapping[str, Field]) -> ir.BooleanValue:
        left, op, right = node.left, node.op, node.right
        if isinstance(left, s.Const) and not isinstance(right, s.Const):
            left, op, right = right, FLIP[op], left
        field = self._field(left, fields)
        if isinstance(right, s.Const):
            ranks = self._ranks(left)
            if ranks:
                return OPS[op](self._operand(left, rows), ibis.literal(ranks.index(str(right.value))))
            if field is not None:
                return self._compare_constant(field, self._operand(left, rows), op, right.value)
            return OPS[op](self._operand(left, rows), number(right.value))
        a, b = self._operand(left, rows), self._operand(right, rows)
        if field is not None and FAMILY[field.kind] == "category":
            by_rank = op not in ("=", "!=") or self._ranks(left) or self._ranks(right)
            order = [v.value for v in field.values]
            if by_rank:
                a, b = (v if self._ranks(o) else rank(v, order) for v, o in ((a, left), (b, right)))
        return OPS[op](a, b)

    def _field(self, operand: s.Operand, fields: Mapping[str, Field]) -> Field | None:
        """The field whose values an operand has; None for what is computed."""
        if isinstance(operand, s.Attr):
            return fields[operand.name]
        if isinstance(operand, s.Measure) and operand.measure in OWN:
            return vocabulary(self.catalog).listings[operand.of].fields[operand.property]
        return None

    def _ranks(self, operand: s.Operand) -> list[str]:
        """The ordered values of which an operand is the place: the smallest or largest of a category; else nothing."""
        if not (isinstance(operand, s.Measure) and operand.measure in ("min", "max")):
            return []
        field = self._field(operand, {})
        return [v.value for v in field.values] if field is not None and field.kind is Kind.category else []

    def _compare_constant(self, f: Field, value: ir.Value, op: s.Comparison, constant: s.Scalar) -> ir.BooleanValue:
        if isinstance(f, Attribute) and f.reference and isinstance(constant, str):
            found = self._referenced(f, value, constant)
            return found if op == "=" else ~found
        kind = FAMILY[f.kind]
        if kind == "category" and op not in ("=", "!="):
            order = [v.value for v in f.values]
            compare: Callable[[int, int], bool] = OPS[op]
            wanted = [v for i, v in enumerate(order) if compare(i, order.index(str(constant)))]
            return value.isin(wanted) if wanted else ibis.ifelse(value.isnull(), ibis.null("boolean"), False)
        if kind == "date":
            return OPS[op](value, ibis.literal(date.fromisoformat(str(constant))))
        if kind == "timestamp":
            return self._compare_instant(value, op, str(constant))
        return OPS[op](value, literal(constant, f.kind))

    def _compare_instant(self, value: ir.Value, op: s.Comparison, text: str) -> ir.BooleanValue:
        """A constant without a time of day means the whole bank day."""
        try:
            day = date.fromisoformat(text)
        except ValueError:
            return OPS[op](value, ibis.literal(naive_utc(to_utc(datetime.fromisoformat(text), self.moment.zone))))
        start = ibis.literal(naive_utc(day_start(day, self.moment.zone)))
        end = ibis.literal(naive_utc(day_start(day + timedelta(days=1), self.moment.zone)))
        match op:
            case "=":
                return (value >= start) & (value < end)
            case "!=":
                return (value < start) | (value >= end)
            case "<":
                return value < start
            case ">=":
                return value >= start
            case "<=":
                return value < end
            case _:
                return value >= end

    def _in(self, node: s.In, rows: Valued, fields: Mapping[str, Field]) -> ir.BooleanValue:
        f, value = fields[node.name], rows.value(node.name)
        # a derived yes/no is itself a comparison, which SQL does not read as the left side of IN
        if family(f) in ("date", "timestamp", "bool") or (isinstance(f, Attribute) and f.reference):
            return ibis.or_(*[self._compare_constant(f, value, "=", v) for v in node.values])
        return value.isin([literal(v, f.kind) for v in node.values])

    def _match(self, node: s.Match, rows: Valued) -> ir.BooleanValue:
        value = rows.value(node.name)
        found = {"contains": value.contains, "starts_with": value.startswith, "ends_with": value.endswith}
        return found[node.how](node.text)

    def _during(self, node: s.During, rows: Valued) -> ir.BooleanValue:
        value = rows.value(node.name)
        if isinstance(value, ir.DateValue):
            first, last = days(node.window, self.moment.today)
            return value.between(ibis.literal(first), ibis.literal(last))
        start, included, end = bounds(node.window, self.moment.at, self.moment.zone)
        lower = ibis.literal(start)
        return (value >= lower if included else value > lower) & (value < ibis.literal(end))

    def _referenced(self, f: Attribute, value: ir.Value, name: str) -> ir.BooleanValue:
        """A branch by its name means it and what is below it (head office, branch, outlet: two steps)."""
        other, column = f.reference.split(".")
        rows = table(other)
        key = rows.columns[0]
        if other != "branches":
            return value.isin(rows.filter(rows[column] == name)[key])
        upper = table(other).select(u_id="branch_id", u_name=column, u_parent="parent_id")
        top = table(other).select(t_id="branch_id", t_name=column)
        line = rows.left_join(upper, rows.parent_id == upper.u_id).left_join(top, upper.u_parent == top.t_id)
        line = line.select(rows.branch_id, n=rows[column], u=upper.u_name, t=top.t_name)
        return value.isin(line.filter((line.n == name) | (line.u == name) | (line.t == name)).branch_id)

    def _operand(self, operand: s.Operand, rows: Valued) -> ir.Value:
        match operand:
            case s.Attr(name=name):
                return rows.value(name)
            case s.Const(value=value):
                return ibis.literal(value)
            case s.Measure():
                figures: Measured = rows  # type: ignore[assignment]
                return figures.figure(operand)
            case s.Arithmetic(op=op, left=left, right=right):
                return self._arithmetic(op, self._operand(left, rows), self._operand(right, rows))

    def _arithmetic(self, op: str, left: ir.Value, right: ir.Value) -> ir.Value:
        if isinstance(left, ir.DateValue | ir.TimestampValue):
            return self.moment.difference(left, right)
        a, b = left.cast("float64"), right.cast("float64")
        match op:
            case "+":
                return a + b
            case "-":
                return a - b
            case "*":
                return a * b
            case _:
                return a / b.nullif(0)


def rank(value: ir.Value, order: list[str]) -> ir.IntegerValue:
    """The place of a category's value in its order, from 0; unknown for what is not among them."""
    return value.cases(*((name, place) for place, name in enumerate(order)))


def number(value: s.Scalar) -> ir.Value:
    """A constant beside a computed number."""
    assert not isinstance(value, str)
    return ibis.literal(int(value) if float(value).is_integer() and abs(value) < 2**62 else float(value))


def literal(value: s.Scalar, kind: Kind) -> ir.Value:
    """A constant beside a column of a kind: amounts to the cent are compared exactly."""
    if kind is Kind.money and isinstance(value, int | float) and not isinstance(value, bool):
        exact = Decimal(str(value))
        if exact == exact.quantize(Decimal("0.01")) and abs(exact) < 10**15:
            return ibis.literal(exact, type="decimal(18, 2)")
        return ibis.literal(float(value))
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**62:
        return ibis.literal(float(value))
    return ibis.literal(value)
