"""Random segment trees over the canonical catalog, for property and differential tests."""

from collections.abc import Callable
from datetime import date
from typing import get_args

from hypothesis import strategies as st

from tools.segment import schema as s
from tools.segment.vocabulary import Listing, vocabulary
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
        dated = [n for n, f in fields.items() if f.kind in (Kind.date, Kind.timestamp)]
        if dated:
            options.append(
                st.sampled_from(dated).flatmap(
                    lambda n: st.builds(s.During, name=st.just(n), window=self.stretch(fields[n]))
                )
            )
            days = self.difference(dated, lambda n: s.Attr(name=n))
            options.append(st.builds(s.Compare, left=days, op=st.sampled_from(["<", ">="]), right=self.few()))
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

    def few(self) -> st.SearchStrategy[s.Operand]:
        return st.integers(-1, 60).map(lambda v: s.Const(value=v))

    def difference(self, names: list[str], named: Callable[[str], s.Operand]) -> st.SearchStrategy[s.Operand]:
        side = st.sampled_from(names).map(named)
        return st.builds(s.Arithmetic, op=st.just("-"), left=side, right=side)

    def window(self, dated: bool = False, monthly: bool = False, entry: bool = True) -> st.SearchStrategy[s.Window]:
        days = st.dates(date(2026, 6, 1), date(2026, 11, 30))
        dates = st.tuples(days, days).map(lambda d: s.Dates(start=min(d), end=max(d)))
        periods = st.sampled_from(get_args(s.Period)).map(lambda p: s.Calendar(period=p))
        pairs = st.tuples(st.integers(1, 6), st.integers(1, 6))
        months = pairs.map(lambda n: s.Months(start=max(n), end=min(n)))
        if monthly:
            return st.one_of(dates, periods, months)
        unit = st.just("d") if dated else st.sampled_from(get_args(s.TimeUnit))
        ago = st.tuples(st.integers(1, 60), st.integers(1, 60)).filter(lambda n: n[0] != n[1])
        entry = [st.just(s.SinceEntry())] if entry else []
        return st.one_of(
            *entry,
            st.builds(s.Last, amount=st.integers(1, 90), unit=unit),
            st.builds(lambda n, u: s.Ago(start=max(n), end=min(n), unit=u), ago, unit),
            dates, periods, months,
        )  # fmt: skip

    def stretch(self, field: Attribute | Property) -> st.SearchStrategy[s.Stretch]:
        dated = field.kind is Kind.date
        unit = st.just("d") if dated else st.sampled_from(get_args(s.TimeUnit))
        return st.one_of(self.window(dated, entry=False), st.builds(s.Next, amount=st.integers(1, 90), unit=unit))

    def listing(self, listing: Listing) -> st.SearchStrategy[dict[str, object]]:
        """`where` and `window` of a list."""
        fields = dict(listing.fields)
        where = st.one_of(st.none(), self.combined(self.field_condition(fields), 3)) if fields else st.none()
        window = st.one_of(st.none(), self.window(listing.dated, listing.monthly))
        return st.fixed_dictionaries({"where": where, "window": window})

    def measure(self, listing: Listing) -> st.SearchStrategy[s.Measure]:
        fields = listing.fields
        numeric = [n for n, f in fields.items() if f.kind in NUMBERS]
        ordered = [n for n, f in fields.items() if f.kind in (*NUMBERS, Kind.date, Kind.timestamp) or f.ordered]
        kinds = [("count", [""]), ("recency", [""]), ("since_first", [""]), ("distinct", list(fields)), ("latest", list(fields)),
                 ("earliest", list(fields)), ("sum", numeric), ("avg", numeric), ("min", ordered), ("max", ordered)]  # fmt: skip
        possible = [(kind, name) for kind, names in kinds for name in names]
        return st.tuples(st.sampled_from(possible), self.listing(listing)).map(
            lambda x: s.Measure(measure=x[0][0], property=x[0][1], of=listing.name, **x[1])
        )

    def measured(self, listing: Listing) -> st.SearchStrategy[s.Node]:
        """A measure held against what it can be held against."""
        return self.measure(listing).flatmap(lambda m: self.against(m, listing))

    def against(self, measure: s.Measure, listing: Listing) -> st.SearchStrategy[s.Node]:
        own = measure.measure in ("min", "max", "latest", "earliest")
        field = listing.fields[measure.property] if own else None
        length = measure.measure in ("recency", "since_first")
        equal, sized = ["=", "!="], ["<", "<=", ">", ">="]
        if field is None or field.kind in NUMBERS:
            op = st.sampled_from(sized if length else [*sized, *equal])
            fixed = st.sampled_from([-1, 0, 1, 2, 3, 5, 30, 100, 1000.5, 20000]).map(lambda v: s.Const(value=v))
            numeric = [n for n, a in self.attributes.items() if a.kind in NUMBERS]
            attribute = st.sampled_from(numeric).map(lambda n: s.Attr(name=n))
            number = st.one_of(attribute, self.number(listing))
            computed = st.builds(s.Arithmetic, op=st.sampled_from("+-*/"), left=st.just(measure), right=number)
            return st.one_of(
                st.builds(s.Compare, left=st.just(measure), op=op, right=fixed),
                st.builds(s.Compare, left=fixed, op=op, right=st.just(measure)),
                st.builds(s.Between, value=st.just(measure), low=fixed, high=fixed),
                st.builds(s.Compare, left=st.just(measure), op=op, right=number),
                st.builds(s.Compare, left=computed, op=st.sampled_from(sized), right=fixed),
                st.builds(s.Between, value=computed, low=fixed, high=number),
            )
        ordered = field.kind in (Kind.date, Kind.timestamp) or field.ordered
        op = st.sampled_from([*sized, *equal] if ordered else equal)
        constant = self.constant(field).map(lambda v: s.Const(value=v))
        beside = [self.measure(listing).filter(lambda m: m.measure in ("latest", "earliest")).map(
            lambda m: m.model_copy(update={"property": measure.property})
        )]  # fmt: skip
        values = [v.value for v in field.values]
        names = [
            n for n, a in self.attributes.items() if a.kind is field.kind and [v.value for v in a.values] == values
        ]
        if names:
            beside.append(st.sampled_from(names).map(lambda n: s.Attr(name=n)))
        compared = [
            st.builds(s.Compare, left=st.just(measure), op=op, right=constant),
            st.builds(s.Compare, left=st.just(measure), op=op, right=st.one_of(beside)),
        ]
        if ordered:
            compared.append(st.builds(s.Between, value=st.just(measure), low=constant, high=constant))
        if field.kind in (Kind.date, Kind.timestamp):
            gap = st.builds(s.Arithmetic, op=st.just("-"), left=st.just(measure), right=st.one_of(beside))
            compared.append(st.builds(s.Compare, left=gap, op=st.sampled_from(sized), right=self.few()))
        return st.one_of(compared)

    def number(self, listing: Listing) -> st.SearchStrategy[s.Operand]:
        """A measure that is a number, over the same list."""
        return self.listing(listing).map(lambda x: s.Measure(measure="count", of=listing.name, **x))

    def behaviour(self) -> st.SearchStrategy[s.Node]:
        listings = vocabulary(self.catalog).listings.values()
        events = [x for x in listings if x.entity is None]
        tables = [x for x in listings if x.entity is not None]
        did = st.sampled_from(events).flatmap(lambda x: self.listing(x).map(lambda o: s.Did(event=x.name, **o)))
        has = st.sampled_from(tables).flatmap(lambda x: self.listing(x).map(lambda o: s.HasRow(table=x.name, **o)))
        measured = st.one_of(st.sampled_from(events), st.sampled_from(tables)).flatmap(self.measured)
        gap = st.builds(s.Last, amount=st.integers(1, 48), unit=st.sampled_from(get_args(s.TimeUnit)))
        step = st.sampled_from(events).flatmap(
            lambda x: st.builds(
                lambda o, negated, gap: s.Step(event=x.name, where=o["where"], negated=negated, gap=gap),
                self.listing(x), st.booleans(), gap,
            )
        )  # fmt: skip
        sequence = st.sampled_from(events).flatmap(
            lambda x: st.builds(
                lambda o, steps: s.Sequence(event=x.name, steps=tuple(steps), **o),
                self.listing(x), st.lists(step, min_size=1, max_size=3),
            )
        )  # fmt: skip
        return st.one_of(did, has, measured, measured, sequence, self.holds())

    def holds(self) -> st.SearchStrategy[s.Node]:
        listing = vocabulary(self.catalog).holding
        assert listing is not None
        kinds = ["", *[v.value for v in listing.fields["kind"].values]]
        where = st.one_of(st.none(), self.combined(self.field_condition(dict(listing.fields)), 3))
        days = st.one_of(st.none(), st.integers(1, 400))
        return st.builds(s.Holds, kind=st.sampled_from(kinds), where=where, matures_within_days=days)

    def other(self) -> st.SearchStrategy[s.Node]:
        ranked = [n for n, a in self.attributes.items() if a.kind in (*NUMBERS, Kind.date, Kind.timestamp)]
        by = st.sampled_from(ranked).map(lambda n: s.Attr(name=n))
        listings = list(vocabulary(self.catalog).listings.values())
        measured = (
            st.sampled_from(listings)
            .flatmap(self.measure)
            .filter(lambda m: m.measure in ("count", "distinct", "recency", "sum"))
        )
        return st.one_of(
            st.just(s.Everyone()),
            st.builds(s.Sample, percent=st.sampled_from([0.1, 5, 33.3, 50, 100]), key=self.texts()),
            st.builds(s.Top, n=st.integers(1, 60), by=st.one_of(by, measured), descending=st.booleans()),
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
