"""Measures compiled: one grouped pass over the rows of a list, held against constants, or put beside other figures."""

from abc import ABC
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import ibis
import ibis.expr.types as ir

from tools.segment import schema as s
from tools.segment.columns import Customers
from tools.segment.comparing import FLIP, OPS, rank
from tools.segment.looking import Looking
from tools.segment.periods import FAR, bounds, days
from tools.segment.rows import Rows, relation_of, time_column
from tools.segment.vocabulary import Field, Listing, vocabulary
from tools.segment.walk import attributes_in, attributes_of, measures_of

ZERO = ("count", "distinct", "sum")
"""Measures that are 0, not unknown, where there are no rows."""
LENGTHS = ("recency", "since_first")
ENDS = ("latest", "earliest")


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
        if lone.measure not in LENGTHS or not isinstance(totals.t, ir.TimestampValue):
            totals = self._valued(lone, totals)
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
        if "t" in totals.columns:
            amount = max(-FAR, min(FAR, float(right.value)))
            bound = self.moment.instant - timedelta(days=amount)
            return OPS[FLIP[op]](totals.t, ibis.literal(bound))
        return self._compare(s.Compare(left=left, op=op, right=right), Lone(totals), fields)

    def _figures(self, operands: Sequence[s.Operand], customers: Customers) -> Figures:
        """All customers with what the operands need: attributes as they are, measures joined to them."""
        measures = list(dict.fromkeys(m for operand in operands for m in measures_of(operand)))
        names = sorted({name for operand in operands for name in attributes_in(operand)})
        base = customers.relation
        base = base.select("customer_id", **{f"a_{name}": customers.value(name) for name in names})
        columns: dict[str, ir.Value] = {column: base[column] for column in base.columns}
        joined = base
        for number, group in enumerate(_passes(measures)):
            totals = self._pass(group)
            totals = totals.rename({f"c_{number}": "customer_id"})
            joined = joined.left_join(totals, base.customer_id == totals[f"c_{number}"])
            for measure in group:
                name = f"m_{measures.index(measure)}"
                value = totals[f"v_{group.index(measure)}"]
                columns[name] = value.fill_null(0) if measure.measure in ZERO else value
        return Figures(joined.select(**columns), measures)

    def _pass(self, group: Sequence[s.Measure]) -> ir.Table:
        """Measures `v_<n>` of each customer with rows, in one pass over a list: each counts what is its own."""
        if len(group) == 1:
            totals = self._valued(group[0], self._totals(group[0]))
            return totals.select("customer_id", v_0=totals.v)
        listing = vocabulary(self.catalog).listings[group[0].of]
        rows = self._known(relation_of(listing), listing, undated=any(m.window is None for m in group))
        if (span := self._span(group, listing)) is not None:
            time = rows[time_column(listing)]
            rows = rows.filter(time >= ibis.literal(span[0]), time <= ibis.literal(span[1]))
        used = {name for m in group if m.where is not None for name in attributes_of(m.where)}
        rows = self._details(rows, listing, used | {m.property for m in group if m.property})
        figures = {}
        for number, measure in enumerate(group):
            own: list[ir.BooleanValue] = []
            if measure.window is not None:
                assert not isinstance(measure.window, s.SinceEntry)
                own = self._inside(rows[time_column(listing)], listing, measure.window)
            if measure.where is not None:
                own.append(self.condition(measure.where, Rows(rows, listing.fields), listing.fields, False))
            value = self._figure(measure, rows, ibis.and_(*own) if own else None)
            figures[f"v_{number}"] = self.moment.since_days(value) if measure.measure in LENGTHS else value
        return rows.group_by("customer_id").aggregate(**figures)

    def _span(
        self, group: Sequence[s.Measure], listing: Listing
    ) -> tuple[date, date] | tuple[datetime, datetime] | None:
        """The first and last day or instant that any window of a group reaches; None where one has no bounds."""
        windows = [m.window for m in group if m.window is not None and not isinstance(m.window, s.SinceEntry)]
        if len(windows) < len(group):
            return None
        if listing.dated:
            reached = [days(window, self.moment.today) for window in windows]
            return min(first for first, _ in reached), max(last for _, last in reached)
        instants = [bounds(window, self.moment.at, self.moment.zone) for window in windows]
        return min(start for start, _, _ in instants), max(end for _, _, end in instants)

    def _totals(self, node: s.Measure) -> ir.Table:
        """One row for each customer with rows: customer_id, and the figure as `v` — or, for lengths of time, the instant
        or day that they begin at, as `t`."""
        listing = vocabulary(self.catalog).listings[node.of]
        rows = self.occurrences(node.of, node.where, node.window, *([node.property] if node.property else []))
        if node.measure in ENDS and not (listing.monthly and _one_month(node.window)):
            return self._at_an_end(rows, node, time_column(listing))
        value = self._figure(node, rows, None)
        return rows.group_by("customer_id").aggregate(**{"t" if node.measure in LENGTHS else "v": value})

    def _figure(self, node: s.Measure, rows: ir.Table, only: ir.BooleanValue | None) -> ir.Value:
        """The aggregate of a measure over the rows of a customer that count for it."""
        if node.measure == "count":
            return rows.count(where=only)
        if node.measure in LENGTHS:
            time = rows[time_column(vocabulary(self.catalog).listings[node.of])]
            return time.max(where=only) if node.measure == "recency" else time.min(where=only)
        value = rows[f"p_{node.property}"]
        if order := self._ranks(node):
            value = rank(value, order)
        match node.measure:
            case "sum":
                return value.sum(where=only).fill_null(0)
            case "distinct":
                return value.nunique(where=only)
            case "min":
                return value.min(where=only)
            case "max" | "latest" | "earliest":
                return value.max(where=only)
            case _:  # a mean of exact sums, the same on every engine
                return value.sum(where=only).cast("float64") / value.count(where=only).nullif(0)

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


def _passes(measures: Sequence[s.Measure]) -> list[list[s.Measure]]:
    """Measures in groups that one pass over a list can take."""
    groups: dict[object, list[s.Measure]] = {}
    for measure in measures:
        alone = measure.measure in ENDS or isinstance(measure.window, s.SinceEntry)
        groups.setdefault(measure if alone else measure.of, []).append(measure)
    return list(groups.values())


def _one_month(window: s.Window | None) -> bool:
    """Whether a month-end history has one row in a window, so that it is the first, the last and the largest."""
    if isinstance(window, s.Months):
        return window.start == window.end
    return isinstance(window, s.Calendar) and window.period in ("this_month", "last_month")


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
