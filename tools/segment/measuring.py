"""Measures compiled: one grouped pass over the rows of a list, held against constants, or put beside other figures."""

from abc import ABC
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import ibis
import ibis.expr.types as ir

from tools.segment import schema as s
from tools.segment.columns import Customers
from tools.segment.comparing import FLIP, OPS, rank
from tools.segment.looking import Looking
from tools.segment.periods import FAR
from tools.segment.rows import time_column
from tools.segment.vocabulary import Field, vocabulary
from tools.segment.walk import attributes_in, measures_of

ZERO = ("count", "distinct", "sum")
"""Measures that are 0, not unknown, where there are no rows."""
LENGTHS = ("recency", "since_first")


@dataclass(frozen=True)
class Figures:
    """Customers with attributes (`a_<name>`) and measures (`m_<n>`) side by side."""

    relation: ir.Table
    measures: Sequence[s.Measure]

    def value(self, name: str) -> ir.Value:
        return self.relation[f"a_{name}"]

    def figure(self, measure: s.Measure) -> ir.Value:
        return self.relation[f"m_{self.measures.index(measure)}"]


@dataclass(frozen=True)
class Lone:
    """The customers who have a measure, with its value as `v`."""

    relation: ir.Table

    def value(self, name: str) -> ir.Value:
        raise AssertionError(name)

    def figure(self, measure: s.Measure) -> ir.Value:
        return self.relation.v


class Measuring(Looking, ABC):
    """Compiles comparisons of measures."""

    def _compare_measures(
        self, parts: Sequence[s.Compare], customers: Customers, fields: Mapping[str, Field]
    ) -> ir.BooleanValue:
        """Comparisons that hold together and have measures in them."""
        customer = customers.relation.customer_id
        lone = _lone(parts)
        if lone is None:
            sides = [side for part in parts for side in (part.left, part.right)]
            figures = self._figures(sides, customers)
            together = ibis.and_(*[self._compare(part, figures, fields) for part in parts])
            return customer.isin(figures.relation.filter(together).customer_id)
        totals = self._totals(lone)
        together = ibis.and_(*[self._against_constant(part, totals, fields) for part in parts])
        if lone.measure in ZERO and all(_holds_for_zero(part) for part in parts):
            return ~customer.isin(totals.filter(~together).customer_id)
        return customer.isin(totals.filter(together).customer_id)

    def _against_constant(self, part: s.Compare, totals: ir.Table, fields: Mapping[str, Field]) -> ir.BooleanValue:
        """A comparison of a lone measure. A length of time is compared as an instant, which is exact."""
        left, op, right = part.left, part.op, part.right
        if isinstance(left, s.Const):
            left, op, right = right, FLIP[op], left
        assert isinstance(left, s.Measure)
        assert isinstance(right, s.Const)
        if left.measure in LENGTHS and isinstance(totals.t, ir.TimestampValue):
            amount = max(-FAR, min(FAR, float(right.value)))
            bound = self.moment.instant - timedelta(days=amount)
            return OPS[FLIP[op]](totals.t, ibis.literal(bound))
        return self._compare(s.Compare(left=left, op=op, right=right), Lone(self._valued(left, totals)), fields)

    def _figures(self, operands: Sequence[s.Operand], customers: Customers) -> Figures:
        """All customers with what the operands need: attributes as they are, measures joined to them."""
        measures = list(dict.fromkeys(m for operand in operands for m in measures_of(operand)))
        names = sorted({name for operand in operands for name in attributes_in(operand)})
        base = customers.relation
        base = base.select("customer_id", **{f"a_{name}": customers.value(name) for name in names})
        columns: dict[str, ir.Value] = {column: base[column] for column in base.columns}
        joined = base
        for number, measure in enumerate(measures):
            totals = self._valued(measure, self._totals(measure))
            totals = totals.select(**{f"c_{number}": totals.customer_id, f"v_{number}": totals.v})
            joined = joined.left_join(totals, base.customer_id == totals[f"c_{number}"])
            value = totals[f"v_{number}"]
            columns[f"m_{number}"] = value.fill_null(0) if measure.measure in ZERO else value
        return Figures(joined.select(**columns), measures)

    def _totals(self, node: s.Measure) -> ir.Table:
        """One row for each customer with rows: customer_id, and the figure as `v` — or, for lengths of time, the instant
        or day that they begin at, as `t`."""
        listing = vocabulary(self.catalog).listings[node.of]
        rows = self.occurrences(node.of, node.where, node.window, *([node.property] if node.property else []))
        if node.measure in ("latest", "earliest"):
            return self._at_an_end(rows, node, time_column(listing))
        grouped = rows.group_by("customer_id")
        if node.measure == "count":
            return grouped.aggregate(v=rows.count())
        if node.measure in LENGTHS:
            time = rows[time_column(listing)]
            return grouped.aggregate(t=time.max() if node.measure == "recency" else time.min())
        value = rows[f"p_{node.property}"]
        if order := self._ranks(node):
            value = rank(value, order)
        match node.measure:
            case "sum":
                return grouped.aggregate(v=value.sum().fill_null(0))
            case "distinct":
                return grouped.aggregate(v=value.nunique())
            case "min":
                return grouped.aggregate(v=value.min())
            case "max":
                return grouped.aggregate(v=value.max())
            case _:  # a mean of exact sums, the same on every engine
                return grouped.aggregate(v=value.sum().cast("float64") / value.count().nullif(0))

    def _at_an_end(self, rows: ir.Table, node: s.Measure, time: str) -> ir.Table:
        """The property in the first or last row that has it; of rows at the same time, the largest."""
        known = rows.filter(rows[f"p_{node.property}"].notnull())
        known = known.select("customer_id", t=known[time], p=known[f"p_{node.property}"])
        ends = known.group_by("customer_id").aggregate(e_t=known.t.max() if node.measure == "latest" else known.t.min())
        ends = ends.select(e_customer="customer_id", e_t="e_t").view()
        at_end = known.join(ends, [known.customer_id == ends.e_customer, known.t == ends.e_t])
        at_end = at_end.select("customer_id", "p")
        return at_end.group_by("customer_id").aggregate(v=at_end.p.max())

    def _valued(self, node: s.Measure, totals: ir.Table) -> ir.Table:
        if node.measure not in LENGTHS:
            return totals
        return totals.select("customer_id", v=self.moment.since_days(totals.t))

    def _unknown_figure(self, operand: s.Operand, customers: Customers) -> ir.BooleanValue | None:
        """True for customers for whom an operand with measures is unknown; None if it never is."""
        customer = customers.relation.customer_id
        if not isinstance(operand, s.Measure):
            figures = self._figures([operand], customers)
            missing = self._operand(operand, figures).isnull()
            return customer.isin(figures.relation.filter(missing).customer_id)
        if operand.measure in ZERO:
            return None
        totals = self._valued(operand, self._totals(operand))
        return ~customer.isin(totals.filter(totals.v.notnull()).customer_id)


def _lone(parts: Sequence[s.Compare]) -> s.Measure | None:
    """The one measure that all parts hold against constants."""
    sides = [side for part in parts for side in (part.left, part.right) if not isinstance(side, s.Const)]
    first = sides[0]
    alone = isinstance(first, s.Measure) and len(sides) == len(parts) and all(side == first for side in sides)
    return first if alone and isinstance(first, s.Measure) else None


def _holds_for_zero(part: s.Compare) -> bool:
    left, op, right = part.left, part.op, part.right
    if isinstance(left, s.Const):
        left, op, right = right, FLIP[op], left
    assert isinstance(right, s.Const)
    compare: Callable[[object, object], bool] = OPS[op]
    return compare(0, right.value)
