"""Random segment trees over the canonical catalog, for property and differential tests."""

from datetime import date

from hypothesis import strategies as st

from tools.segment import schema as s
from tools.segment.vocabulary import vocabulary
from warehouse.catalog import Attribute, Catalog, Kind, Property

NUMBERS = (Kind.number, Kind.money, Kind.integer)
Fields = dict[str, Attribute] | dict[str, Property]


class Trees:
    """Strategies for one catalog. `texts` limits constants to what a small bank holds, so that conditions match."""

    def __init__(self, catalog: Catalog, wild: bool) -> None:
        self.catalog = catalog
        self.wild = wild
        self.attributes = {a.name: a for a in catalog.attributes if not a.reference}

    def texts(self) -> st.SearchStrategy[str]:
        if not self.wild:
            return st.sampled_from(["深", "a", "x", "R"])
        return st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12)

    def numbers(self, kind: Kind) -> st.SearchStrategy[int | float]:
        if kind is Kind.integer:
            return st.integers(-50, 400) if not self.wild else st.integers(-(10**9), 10**9)
        amounts = st.one_of(st.integers(-5, 200_000), st.sampled_from([0.5, 1000.25, 50_000, 0, 99.999]))
        wild = st.floats(allow_nan=False, allow_infinity=False, width=64, min_value=-1e12, max_value=1e12)
        return st.one_of(amounts, wild) if self.wild else amounts

    def constant(self, field: Attribute | Property) -> st.SearchStrategy[s.Scalar]:
        if field.kind is Kind.bool:
            return st.booleans()
        if field.kind in NUMBERS:
            return self.numbers(field.kind)
        if field.kind is Kind.category and field.values:
            return st.sampled_from([v.value for v in field.values])
        days = st.dates(date(2024, 1, 1), date(2026, 12, 31)).map(date.isoformat)
        if field.kind is Kind.timestamp:
            return st.one_of(days, st.sampled_from(["2026-11-01T09:00:00", "2026-10-20T00:00:00+00:00"]))
        return days if field.kind is Kind.date else self.texts()

    def operand(self, fields: Fields) -> st.SearchStrategy[s.Operand]:
        names = [n for n, f in fields.items() if f.kind in NUMBERS]
        leaf = st.sampled_from(names).map(lambda n: s.Attr(name=n))
        number = st.one_of(st.integers(-3, 1000), st.sampled_from([0.5, 2.25])).map(lambda v: s.Const(value=v))
        both = st.recursive(
            st.one_of(leaf, number),
            lambda inner: st.builds(s.Arithmetic, op=st.sampled_from("+-*/"), left=inner, right=inner),
            max_leaves=4,
        )
        return st.builds(s.Arithmetic, op=st.sampled_from("+-*/"), left=leaf, right=both)

    def field_condition(self, fields: Fields) -> st.SearchStrategy[s.Node]:
        options = [
            st.sampled_from(sorted(fields)).flatmap(lambda n: self._compare(fields[n])),
            st.sampled_from(sorted(fields)).map(lambda n: s.IsUnknown(name=n)),
            st.sampled_from(sorted(fields)).flatmap(
                lambda n: st.lists(self.constant(fields[n]), min_size=1, max_size=3).map(
                    lambda values: s.In(name=n, values=tuple(values))
                )
            ),
        ]
        numeric = [n for n, f in fields.items() if f.kind in NUMBERS]
        if numeric:
            options.append(
                st.builds(
                    s.Compare,
                    left=self.operand(fields),
                    op=st.sampled_from(["<", "<=", ">", ">=", "!="]),
                    right=st.integers(-10, 1000).map(lambda v: s.Const(value=v)),
                )
            )
            options.append(
                st.sampled_from(numeric).flatmap(
                    lambda n: st.builds(
                        s.Between,
                        value=st.just(s.Attr(name=n)),
                        low=self.constant(fields[n]).map(lambda v: s.Const(value=v)),
                        high=self.constant(fields[n]).map(lambda v: s.Const(value=v)),
                    )
                )
            )
        flags = [n for n, f in fields.items() if f.kind is Kind.bool]
        if flags:
            options.append(st.sampled_from(flags).map(lambda n: s.Flag(name=n)))
        words = [n for n, f in fields.items() if f.kind in (Kind.text, Kind.category)]
        if words:
            how = st.sampled_from(["contains", "starts_with", "ends_with"])
            options.append(st.builds(s.Match, name=st.sampled_from(words), how=how, text=self.texts()))
        return st.one_of(options)

    def _compare(self, field: Attribute | Property) -> st.SearchStrategy[s.Node]:
        ordered = field.kind in (*NUMBERS, Kind.date, Kind.timestamp) or getattr(field, "ordered", False)
        op = st.sampled_from(["=", "!=", "<", "<=", ">", ">="] if ordered else ["=", "!="])
        constant = self.constant(field).map(lambda v: s.Const(value=v))
        attr = st.just(s.Attr(name=field.name))
        return st.one_of(
            st.builds(s.Compare, left=attr, op=op, right=constant),
            st.builds(s.Compare, left=constant, op=op, right=attr),
        )

    def combined(self, leaves: st.SearchStrategy[s.Node], size: int = 6) -> st.SearchStrategy[s.Node]:
        return st.recursive(
            leaves,
            lambda inner: st.one_of(
                st.lists(inner, min_size=2, max_size=3).map(lambda c: s.And(children=tuple(c))),
                st.lists(inner, min_size=2, max_size=3).map(lambda c: s.Or(children=tuple(c))),
                inner.map(lambda c: s.Not(child=c)),
            ),
            max_leaves=size,
        )

    def window(self) -> st.SearchStrategy[s.Window | None]:
        days = st.dates(date(2026, 9, 1), date(2026, 11, 30))
        dates = st.tuples(days, days).map(lambda d: s.Dates(start=min(d), end=max(d)))
        periods = ["today", "yesterday", "this_week", "last_week", "this_month", "last_month", "this_quarter",
                   "last_quarter", "this_year", "last_year"]  # fmt: skip
        return st.one_of(
            st.none(),
            st.builds(s.Last, amount=st.integers(1, 90), unit=st.sampled_from("hd")),
            dates,
            st.sampled_from(periods).map(lambda p: s.Calendar(period=p)),
        )

    def where(self, event: str) -> st.SearchStrategy[s.Node | None]:
        fields = {p.name: p for p in self.catalog.event(event).properties}
        return st.one_of(st.none(), self.combined(self.field_condition(fields), 3)) if fields else st.none()

    def behaviour(self) -> st.SearchStrategy[s.Node]:
        events = st.sampled_from([e.name for e in self.catalog.events])
        summed = {
            e.name: [p.name for p in e.properties if p.kind in NUMBERS]
            for e in self.catalog.events
            if any(p.kind in NUMBERS for p in e.properties)
        }
        op = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
        did = events.flatmap(lambda e: st.builds(s.Did, event=st.just(e), where=self.where(e), window=self.window()))
        count = events.flatmap(
            lambda e: st.builds(
                s.EventMeasure, measure=st.just("count"), event=st.just(e), where=self.where(e), window=self.window(),
                op=op, value=st.integers(-1, 5),
            )
        )  # fmt: skip
        recency = events.flatmap(
            lambda e: st.builds(
                s.EventMeasure, measure=st.just("recency"), event=st.just(e), where=self.where(e), window=self.window(),
                op=st.sampled_from(["<", "<=", ">", ">="]), value=st.integers(0, 60),
            )
        )  # fmt: skip
        total = st.sampled_from(sorted(summed)).flatmap(
            lambda e: st.builds(
                s.EventMeasure, measure=st.just("sum"), event=st.just(e), property=st.sampled_from(summed[e]),
                where=self.where(e), window=self.window(), op=op, value=st.sampled_from([0, 100, 1000.5, 20000]),
            )
        )  # fmt: skip
        gap = st.builds(s.Last, amount=st.integers(1, 48), unit=st.sampled_from("hd"))
        sequence = st.tuples(events, events).flatmap(
            lambda pair: st.builds(
                s.Sequence, first=st.just(pair[0]), first_where=self.where(pair[0]), negated=st.booleans(),
                second=st.just(pair[1]), second_where=self.where(pair[1]), gap=gap, window=self.window(),
            )
        )  # fmt: skip
        return st.one_of(did, count, recency, total, sequence, self.holds())

    def holds(self) -> st.SearchStrategy[s.Node]:
        fields = dict(vocabulary(self.catalog).holding_fields)
        kinds = ["", *[v.value for v in fields["kind"].values]]
        return st.builds(
            s.Holds, kind=st.sampled_from(kinds), where=st.one_of(st.none(), self.combined(self.field_condition(fields), 3)),
            matures_within_days=st.one_of(st.none(), st.integers(0, 400)),
        )  # fmt: skip

    def other(self) -> st.SearchStrategy[s.Node]:
        ranked = [n for n, a in self.attributes.items() if a.kind in (*NUMBERS, Kind.date, Kind.timestamp)]
        return st.one_of(
            st.just(s.Everyone()),
            st.builds(s.Sample, percent=st.sampled_from([0.1, 5, 33.3, 50, 100]), key=self.texts()),
            st.builds(s.Top, n=st.integers(1, 60), by=st.sampled_from(ranked), descending=st.booleans()),
        )

    def named(self) -> st.SearchStrategy[s.Node]:
        """Lists and segments: for parsing only."""
        return st.one_of(
            st.builds(s.InList, name=self.texts(), sha256=st.sampled_from(["", "sha256:ab"])),
            st.builds(s.InSegment, id=self.texts()),
        )

    def all(self, with_names: bool = False) -> st.SearchStrategy[s.Node]:
        leaves = [self.field_condition(self.attributes), self.behaviour(), self.other()]
        return self.combined(st.one_of([*leaves, self.named()] if with_names else leaves))
