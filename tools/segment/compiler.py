"""From segment tree to SQL, through Ibis as a compiler: unbound tables in, one SELECT out.

Two-valued logic: in a filter a NULL already counts as false; only below a `not` every comparison is closed with
`coalesce(…, false)`, so that the engine can still push plain filters down.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import ibis
import ibis.expr.types as ir

from tools.segment import schema as s
from tools.segment.columns import Customers, Moment
from tools.segment.comparing import Valued
from tools.segment.eql import to_text
from tools.segment.hashing import threshold_hex
from tools.segment.measuring import Measuring
from tools.segment.vocabulary import Field
from tools.segment.walk import flatten, measures_of, operands
from warehouse.catalog import Catalog, DaysToNextMaturity
from warehouse.errors import DeveloperFixes


@dataclass(frozen=True)
class Compiler(Measuring):
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

    def condition(self, node: s.Node, rows: Valued, fields: Mapping[str, Field], negated: bool) -> ir.BooleanValue:
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
                return self._comparison([node], rows, fields, negated)
            case s.Between(value=value, low=low, high=high):
                above, below = s.Compare(left=value, op=">=", right=low), s.Compare(left=value, op="<=", right=high)
                return self._comparison([above, below], rows, fields, negated)
            case s.In():
                return _closed(self._in(node, rows, fields), negated)
            case s.Match():
                return _closed(self._match(node, rows), negated)
            case s.During():
                return _closed(self._during(node, rows), negated)
            case s.IsUnknown(name=name):
                return rows.value(name).isnull()
            case s.Top():
                return self._top(node, [], rows)
            case _:
                assert isinstance(rows, Customers)
                return self._customer_condition(node, rows.relation.customer_id)

    def _comparison(
        self, parts: Sequence[s.Compare], rows: Valued, fields: Mapping[str, Field], negated: bool
    ) -> ir.BooleanValue:
        """Comparisons that hold together; those with measures are about customers."""
        if any(measures_of(side) for part in parts for side in (part.left, part.right)):
            assert isinstance(rows, Customers)
            return self._compare_measures(parts, rows, fields)
        return _closed(ibis.and_(*[self._compare(part, rows, fields) for part in parts]), negated)

    def _customer_condition(self, node: s.Node, customer: ir.IntegerValue) -> ir.BooleanValue:
        match node:
            case s.Did(event=event, where=where, window=window):
                return customer.isin(self.occurrences(event, where, window).customer_id)
            case s.HasRow(table=of, where=where, window=window):
                return customer.isin(self.occurrences(of, where, window).customer_id)
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
                # All 32 digits compare with the first 8 as those 8 do: a longer text is never below its own beginning.
                return (ibis.literal(f"{key}:") + customer.cast("string")).hexdigest("md5") < limit
            case _:
                raise DeveloperFixes(f"{to_text(node)} must be expanded before it is compiled.")

    def _conjunction(self, node: s.And, rows: Valued, fields: Mapping[str, Field], negated: bool) -> ir.BooleanValue:
        parts = flatten(node)
        others = [part for part in parts if not isinstance(part, s.Top)]
        conditions = [self.condition(part, rows, fields, negated) for part in others]
        conditions += [self._top(part, others, rows) for part in parts if isinstance(part, s.Top)]
        return ibis.and_(*conditions)

    def _top(self, node: s.Top, others: Sequence[s.Node], rows: Valued) -> ir.BooleanValue:
        assert isinstance(rows, Customers)
        base = rows.relation
        for other in others:
            base = base.filter(self.condition(other, rows, self.catalog.attribute_index, False))
        inner = Customers(self.catalog, self.moment, base)
        if measures_of(node.by):
            figures = self._figures([node.by], inner)
            base, value = figures.relation, self._operand(node.by, figures)
        else:
            value = self._operand(node.by, inner)
        ranked = base.filter(value.notnull()).order_by(
            value.desc() if node.descending else value.asc(), base.customer_id.asc()
        )
        return rows.relation.customer_id.isin(ranked.limit(node.n).customer_id)

    # Unknowns

    def unknown(self, node: s.Node) -> ir.BooleanValue | None:
        """True for customers for whom some compared operand of the expression is unknown; None if nothing can be."""
        here = self.customers
        parts = [
            self._unknown_figure(operand, here) if measures_of(operand) else self._operand(operand, here).isnull()
            for operand in operands(node)
        ]
        possible = [part for part in parts if part is not None]
        return ibis.or_(*possible) if possible else None


def _closed(value: ir.BooleanValue, negated: bool) -> ir.BooleanValue:
    return value.fill_null(False) if negated else value
