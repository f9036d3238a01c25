"""From segment tree to SQL, through Ibis as a compiler: unbound tables in, one SELECT out.

Two-valued logic: in a filter a NULL already counts as false; only below a `not` every comparison is closed with
`coalesce(…, false)`, so that the engine can still push plain filters down.
"""

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

import ibis
import ibis.expr.types as ir

from tools.segment import schema as s
from tools.segment.columns import Customers, Moment, Rows, detail, table
from tools.segment.eql import to_text
from tools.segment.errors import ExpressionError
from tools.segment.hashing import threshold_hex
from tools.segment.periods import FAR, bounds
from tools.segment.scope import FAMILY, family
from tools.segment.vocabulary import Field, vocabulary
from tools.segment.walk import attributes_of, fields_of, flatten, operands
from warehouse.catalog import Attribute, Catalog, DaysToNextMaturity, Kind
from warehouse.clock import day_start, naive_utc, to_utc
from warehouse.errors import DeveloperFixes

_OPS: dict[s.Comparison, Callable[[ir.Value, ir.Value], ir.BooleanValue]] = {
    "=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_FLIP: dict[s.Comparison, s.Comparison] = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


@dataclass(frozen=True)
class Compiler:
    """Compiles trees without `in_segment` (expand first).

    Args:
        entries: a relation (customer_id, entered_at) for `since entry`.
        source: a relation with customer_id that limits the population, or `customers`.
        branches: the branches whose customers may be seen; None means all.
    """

    catalog: Catalog
    moment: Moment
    entries: str | None = None
    source: str = "customers"
    branches: tuple[int, ...] | None = None
    customers: Customers = field(init=False)
    with_maturity: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "customers", Customers.make(self.catalog, self.moment, self.with_maturity))

    @classmethod
    def for_names(cls, names: set[str], catalog: Catalog, moment: Moment, **options: object) -> "Compiler":
        """A compiler whose customers carry what these attributes need."""
        derived = {catalog.attribute(n).derived for n in names if isinstance(catalog.attribute(n).derived, DaysToNextMaturity)}  # fmt: skip
        return cls(catalog, moment, with_maturity=bool(derived), **options)  # type: ignore[arg-type]

    # Relations

    def population(self) -> ir.Table:
        """Everybody who may be seen: the one place where the branch scope is applied."""
        t = self.customers.relation
        if self.source != "customers":
            due = ibis.table({"customer_id": "int64"}, name=self.source)
            t = t.filter(t.customer_id.isin(due.customer_id))
        if self.branches is not None:
            t = t.filter(t.branch_id.isin(self.branches) if self.branches else ibis.literal(False))
        return t

    def members(self, node: s.Node) -> ir.Table:
        """The customers of a segment, with all columns."""
        here = self.here()
        return here.customers.relation.filter(here.condition(node, here.customers, self.catalog.attribute_index, False))

    def here(self) -> "Compiler":
        """This compiler with the population as its customers, so that conditions and population share one relation."""
        scoped = Compiler.__new__(Compiler)
        for name in ("catalog", "moment", "entries", "source", "branches", "with_maturity"):
            object.__setattr__(scoped, name, getattr(self, name))
        object.__setattr__(scoped, "customers", Customers(self.catalog, self.moment, self.population()))
        return scoped

    # Conditions

    def condition(
        self, node: s.Node, rows: "Customers | Rows", fields: Mapping[str, Field], negated: bool
    ) -> ir.BooleanValue:
        """A condition over a relation; below a `not`, never NULL."""
        match node:
            case s.Everyone():
                return ibis.literal(True)
            case s.And():
                return self._conjunction(node, rows, fields, negated)
            case s.Or(children=children):
                parts = [self.condition(child, rows, fields, negated) for child in children]
                return ibis.or_(*parts)
            case s.Not(child=child):
                return ~self.condition(child, rows, fields, True)
            case s.Flag(name=name):
                return _closed(rows.value(name), negated)
            case s.Compare():
                return _closed(self._compare(node, rows, fields), negated)
            case s.Between(value=value, low=low, high=high):
                above = self._compare(s.Compare(left=value, op=">=", right=low), rows, fields)
                below = self._compare(s.Compare(left=value, op="<=", right=high), rows, fields)
                return _closed(above & below, negated)
            case s.In():
                return _closed(self._in(node, rows, fields), negated)
            case s.Match(name=name, how=how, text=text):
                value = self._name_of(fields[name], rows.value(name))
                found = {"contains": value.contains, "starts_with": value.startswith, "ends_with": value.endswith}[how](
                    text
                )
                return _closed(found, negated)
            case s.IsUnknown(name=name):
                return rows.value(name).isnull()
            case s.Top():
                return self._top(node, [], rows)
            case _:
                assert isinstance(rows, Customers)
                return self._customer_condition(node, rows.relation.customer_id)

    def _customer_condition(self, node: s.Node, customer: ir.IntegerValue) -> ir.BooleanValue:
        match node:
            case s.Did(event=event, where=where, window=window):
                return customer.isin(self.occurrences(event, where, window).customer_id)
            case s.EventMeasure():
                return self._measure(node, customer)
            case s.Holds():
                return customer.isin(self._holdings(node).customer_id)
            case s.Sequence():
                return customer.isin(self._sequence(node).customer_id)
            case s.InList(name=name, sha256=sha):
                lists = ibis.table({"name": "string", "sha256": "string", "customer_id": "int64"}, name="list_members")
                chosen = lists.filter(lists.name == name)
                return customer.isin((chosen.filter(chosen.sha256 == sha) if sha else chosen).customer_id)
            case s.Sample(percent=percent, key=key):
                limit = threshold_hex(percent)
                if limit is None:
                    return ibis.literal(True)
                return (ibis.literal(f"{key}:") + customer.cast("string")).hexdigest("md5").left(8) < limit
            case _:
                raise DeveloperFixes(f"{to_text(node)} must be expanded before it is compiled.")

    def _conjunction(
        self, node: s.And, rows: "Customers | Rows", fields: Mapping[str, Field], negated: bool
    ) -> ir.BooleanValue:
        parts = flatten(node)
        others = [part for part in parts if not isinstance(part, s.Top)]
        conditions = [self.condition(part, rows, fields, negated) for part in others]
        conditions += [self._top(part, others, rows) for part in parts if isinstance(part, s.Top)]
        return ibis.and_(*conditions)

    def _top(self, node: s.Top, others: Sequence[s.Node], rows: "Customers | Rows") -> ir.BooleanValue:
        assert isinstance(rows, Customers)
        base = rows.relation
        for other in others:
            base = base.filter(self.condition(other, rows, self.catalog.attribute_index, False))
        inner = Customers(self.catalog, self.moment, base)
        value = inner.value(node.by)
        ranked = base.filter(value.notnull()).order_by(
            value.desc() if node.descending else value.asc(), base.customer_id.asc()
        )
        return rows.relation.customer_id.isin(ranked.limit(node.n).customer_id)

    # Comparisons

    def _compare(self, node: s.Compare, rows: "Customers | Rows", fields: Mapping[str, Field]) -> ir.BooleanValue:
        left, op, right = node.left, node.op, node.right
        if isinstance(left, s.Const) and not isinstance(right, s.Const):
            left, op, right = right, _FLIP[op], left
        if isinstance(left, s.Attr) and isinstance(right, s.Const):
            return self._compare_constant(fields[left.name], rows.value(left.name), op, right.value)
        return _OPS[op](self._operand(left, rows), self._operand(right, rows))

    def _compare_constant(self, f: Field, value: ir.Value, op: s.Comparison, constant: s.Scalar) -> ir.BooleanValue:
        if isinstance(f, Attribute) and f.reference and isinstance(constant, str):
            found = self._referenced(f, value, constant)
            return found if op == "=" else ~found
        kind = FAMILY[f.kind]
        if kind == "category" and op not in ("=", "!="):
            order = [v.value for v in f.values]
            compare: Callable[[int, int], bool] = _OPS[op]
            wanted = [v for i, v in enumerate(order) if compare(i, order.index(str(constant)))]
            return value.isin(wanted) if wanted else ibis.ifelse(value.isnull(), ibis.null("boolean"), False)
        if kind == "date":
            return _OPS[op](value, ibis.literal(date.fromisoformat(str(constant))))
        if kind == "timestamp":
            return self._compare_instant(value, op, str(constant))
        return _OPS[op](value, _literal(constant, f.kind))

    def _compare_instant(self, value: ir.Value, op: s.Comparison, text: str) -> ir.BooleanValue:
        """A constant without a time of day means the whole bank day."""
        try:
            day = date.fromisoformat(text)
        except ValueError:
            return _OPS[op](value, ibis.literal(naive_utc(to_utc(datetime.fromisoformat(text), self.moment.zone))))
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

    def _in(self, node: s.In, rows: "Customers | Rows", fields: Mapping[str, Field]) -> ir.BooleanValue:
        f, value = fields[node.name], rows.value(node.name)
        if family(f) in ("date", "timestamp") or (isinstance(f, Attribute) and f.reference):
            return ibis.or_(*[self._compare_constant(f, value, "=", v) for v in node.values])
        return value.isin([_literal(v, f.kind) for v in node.values])

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

    def _name_of(self, f: Field, value: ir.Value) -> ir.Value:
        if not (isinstance(f, Attribute) and f.reference):
            return value
        raise ExpressionError(
            f"{f.name} is matched by its whole name.", f"{f.name} 只能按完整名称匹配。",
            fix=f"Use {f.name} = '…' or {f.name} in (…).", fix_zh=f"请用 {f.name} = '…' 或 {f.name} in (…)。",
        )  # fmt: skip

    def _operand(self, operand: s.Operand, rows: "Customers | Rows") -> ir.Value:
        match operand:
            case s.Attr(name=name):
                return rows.value(name)
            case s.Const(value=value):
                return ibis.literal(value)
            case s.Arithmetic(op=op, left=left, right=right):
                a, b = (self._operand(side, rows).cast("float64") for side in (left, right))
                match op:
                    case "+":
                        return a + b
                    case "-":
                        return a - b
                    case "*":
                        return a * b
                    case _:
                        return a / b.nullif(0)

    # Events and holdings

    def occurrences(self, event: str, where: s.Node | None, window: s.Window | None, *also: str) -> ir.Table:
        """The occurrences of an event up to the evaluation instant: customer_id, occurred_at, used properties."""
        fields = {p.name: p for p in self.catalog.event(event).properties}
        used = (attributes_of(where) if where else set()) | set(also)
        rows = table("events")
        rows = rows.filter(rows["name"] == event, rows.occurred_at <= ibis.literal(self.moment.instant))
        if isinstance(window, s.SinceEntry):
            rows = self._since_entry(rows)
        elif window is not None:
            start, included, end = bounds(window, self.moment.at, self.moment.zone)
            lower = ibis.literal(start)
            rows = rows.filter(rows.occurred_at >= lower if included else rows.occurred_at > lower)
            if not isinstance(window, s.Last):
                rows = rows.filter(rows.occurred_at < ibis.literal(end))
        rows = detail(rows, fields, used, ("customer_id", "occurred_at"))
        if where is not None:
            rows = rows.filter(self.condition(where, Rows(rows, fields), fields, False))
        return rows

    def _since_entry(self, rows: ir.Table) -> ir.Table:
        if self.entries is None:
            raise ExpressionError(
                "'since entry' has a meaning only in the conditions of a canvas.", "since entry（自进入）只能用在流程画布的条件里。",
                fix="Use a window such as last 7d.", fix_zh="请改用如 last 7d（最近 7天）的时间窗。",
            )  # fmt: skip
        entries = ibis.table({"customer_id": "int64", "entered_at": "timestamp"}, name=self.entries)
        joined = rows.join(entries, [rows.customer_id == entries.customer_id, rows.occurred_at > entries.entered_at])
        return joined.select(*[rows[c] for c in rows.columns])

    def _measure(self, node: s.EventMeasure, customer: ir.IntegerValue) -> ir.BooleanValue:
        rows = self.occurrences(node.event, node.where, node.window, *([node.property] if node.property else []))
        grouped = rows.group_by("customer_id")
        compare = _OPS[node.op]
        if node.measure == "recency":
            latest = grouped.aggregate(v=rows.occurred_at.max())
            days = max(-FAR, min(FAR, node.value))
            bound = ibis.literal(self.moment.instant - timedelta(days=days))
            return customer.isin(latest.filter(_OPS[_FLIP[node.op]](latest.v, bound)).customer_id)
        if node.measure == "count":
            totals = grouped.aggregate(v=rows.count())
        else:
            totals = grouped.aggregate(v=rows[f"p_{node.property}"].sum().fill_null(0))
        value = int(node.value) if float(node.value).is_integer() and abs(node.value) < 2**62 else float(node.value)
        zero_counts: Callable[[float, float], bool] = compare
        if zero_counts(0, node.value):
            return ~customer.isin(totals.filter(~compare(totals.v, ibis.literal(value))).customer_id)
        return customer.isin(totals.filter(compare(totals.v, ibis.literal(value))).customer_id)

    def _holdings(self, node: s.Holds) -> ir.Table:
        fields = dict(vocabulary(self.catalog).holding_fields)
        used = (attributes_of(node.where) if node.where else set()) | ({"kind"} if node.kind else set())
        rows = table("holdings")
        if node.matures_within_days is not None:
            today = self.moment.today
            end = today + timedelta(days=min(node.matures_within_days, FAR))
            rows = rows.filter(rows.matures_on.between(ibis.literal(today), ibis.literal(end)))
        rows = detail(rows, fields, used, ("customer_id", "matures_on"))
        if node.kind:
            rows = rows.filter(rows.p_kind == node.kind)
        if node.where is not None:
            rows = rows.filter(self.condition(node.where, Rows(rows, fields), fields, False))
        return rows

    def _sequence(self, node: s.Sequence) -> ir.Table:
        first = self.occurrences(node.first, node.first_where, node.window)
        second = self.occurrences(node.second, node.second_where, None)
        second = second.select(s_customer="customer_id", s_at="occurred_at").view()
        gap = ibis.interval(hours=node.gap.amount) if node.gap.unit == "h" else ibis.interval(days=node.gap.amount)
        follows = [
            first.customer_id == second.s_customer,
            second.s_at > first.occurred_at,
            second.s_at <= first.occurred_at + gap,
        ]
        if not node.negated:
            return first.semi_join(second, follows)
        over = first.filter(first.occurred_at + gap <= ibis.literal(self.moment.instant))
        follows = [
            over.customer_id == second.s_customer,
            second.s_at > over.occurred_at,
            second.s_at <= over.occurred_at + gap,
        ]
        return over.anti_join(second, follows)

    # Unknowns

    def unknown(self, node: s.Node) -> ir.BooleanValue | None:
        """True for customers for whom some compared operand of the expression is unknown; None if nothing can be."""
        here = self.customers
        parts = [self._operand(operand, here).isnull() for operand in operands(node)]
        for measure in fields_of(node, s.EventMeasure):
            if measure.measure == "recency":
                rows = self.occurrences(measure.event, measure.where, measure.window)
                parts.append(~here.relation.customer_id.isin(rows.customer_id))
        return ibis.or_(*parts) if parts else None


def _closed(value: ir.BooleanValue, negated: bool) -> ir.BooleanValue:
    return value.fill_null(False) if negated else value


def _literal(value: s.Scalar, kind: Kind) -> ir.Value:
    if kind is Kind.money and isinstance(value, int | float) and not isinstance(value, bool):
        exact = Decimal(str(value))
        if exact == exact.quantize(Decimal("0.01")) and abs(exact) < 10**15:
            return ibis.literal(exact, type="decimal(18, 2)")
        return ibis.literal(float(value))
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 2**62:
        return ibis.literal(float(value))
    return ibis.literal(value)
