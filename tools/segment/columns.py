"""Catalog fields as Ibis values: columns as they are, derived attributes computed at the evaluation instant."""

import calendar
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir

from tools.segment.periods import bank_day
from warehouse.catalog import (
    Attribute,
    Catalog,
    DaysSince,
    DaysToBirthday,
    DaysToMonthDay,
    DaysToNextMaturity,
    Exists,
    Kind,
    NotNull,
    Property,
    WithinYears,
    YearsSince,
)
from warehouse.clock import naive_utc
from warehouse.errors import AdminFixes
from warehouse.schema import BY_NAME

TYPES = {
    "BIGINT": "int64", "INTEGER": "int32", "TINYINT": "int8", "VARCHAR": "string", "BOOLEAN": "boolean", "DATE": "date",
    "TIMESTAMP": "timestamp", "DECIMAL(18,2)": "decimal(18, 2)", "DOUBLE": "float64", "JSON": "json",
}  # fmt: skip
_KIND_TYPES = {
    Kind.number: "float64", Kind.money: "decimal(18, 2)", Kind.integer: "int64", Kind.bool: "boolean",
    Kind.category: "string", Kind.text: "string", Kind.date: "date", Kind.timestamp: "timestamp",
}  # fmt: skip


@ibis.udf.scalar.builtin(name="timezone")  # type: ignore[untyped-decorator]
def _timezone(zone: str, instant: datetime) -> datetime:  # type: ignore[empty-body]
    """DuckDB's own conversion, for zones whose offset changes during the year."""


def table(name: str, alias: str = "") -> ir.Table:
    """A canonical table, unbound."""
    columns = {c.name: TYPES[c.type] for c in BY_NAME[name].columns}
    return ibis.table(columns, name=alias or name)


@dataclass(frozen=True)
class Moment:
    """The evaluation instant and what follows from it."""

    at: datetime
    zone: ZoneInfo

    @cached_property
    def today(self) -> date:
        return bank_day(self.at, self.zone)

    @cached_property
    def instant(self) -> datetime:
        return naive_utc(self.at)

    def local_date(self, value: ir.TimestampValue) -> ir.DateValue:
        """The bank-zone day of a naive UTC instant."""
        offsets = {self._offset(self.at - timedelta(days=91 * n)) for n in range(120)}
        if len(offsets) == 1:
            return (value + ibis.interval(minutes=int(offsets.pop().total_seconds() // 60))).date()
        return _timezone(str(self.zone), _timezone("UTC", value)).date()

    def _offset(self, instant: datetime) -> timedelta:
        return instant.astimezone(UTC).astimezone(self.zone).utcoffset() or timedelta()

    def years_before(self, years: int) -> date:
        day = min(self.today.day, calendar.monthrange(self.today.year - years, self.today.month)[1])
        return self.today.replace(year=self.today.year - years, day=day)


@dataclass(frozen=True)
class Customers:
    """The `customers` relation with what derived attributes need joined to it."""

    catalog: Catalog
    moment: Moment
    relation: ir.Table = field(repr=False)

    @classmethod
    def make(cls, catalog: Catalog, moment: Moment, with_maturity: bool) -> "Customers":
        columns: dict[str, str] = {c.name: TYPES[c.type] for c in BY_NAME["customers"].columns}
        for attribute in catalog.attributes:
            if attribute.derived is None and attribute.name not in columns:
                columns[attribute.name] = _KIND_TYPES[attribute.kind]
        relation = ibis.table(columns, name="customers")
        if with_maturity:
            holdings = table("holdings")
            coming = holdings.filter(holdings.matures_on >= ibis.literal(moment.today))
            nearest = coming.group_by("customer_id").aggregate(_next_maturity=coming.matures_on.min())
            joined = relation.left_join(nearest, relation.customer_id == nearest.customer_id)
            relation = joined.select(*[relation[c] for c in columns], nearest["_next_maturity"])
        return cls(catalog, moment, relation)

    def value(self, name: str) -> ir.Value:
        """An attribute at the evaluation instant; NULL is unknown."""
        attribute = self.catalog.attribute(name)
        derived = attribute.derived
        t = self.relation
        if derived is None:
            return t[name]
        today = self.moment.today
        match derived:
            case YearsSince(column=column):
                day = t[column]
                reached = 229 if today.month == 2 and today.day == 28 and not calendar.isleap(today.year) else today.month * 100 + today.day  # fmt: skip
                passed = day.month() * 100 + day.day() > reached
                return ibis.literal(today.year) - day.year() - passed.cast("int32")
            case DaysSince(column=column):
                value = t[column]
                day = self.moment.local_date(value) if isinstance(value, ir.TimestampValue) else value
                return ibis.literal(today).delta(day, unit="day")
            case DaysToMonthDay(column=column):
                return self._days_to_month_day(t[column].cast("int32"))
            case DaysToBirthday(column=column):
                return self._days_to_anniversary(t[column])
            case DaysToNextMaturity():
                return t["_next_maturity"].delta(ibis.literal(today), unit="day")
            case WithinYears(column=column, years=years):
                return t[column] > ibis.literal(self.moment.years_before(years))
            case Exists(table=other, column=column, equals=equals):
                rows = table(other)
                rows = rows.filter(rows[column].notnull() if equals is None else rows[column] == equals)
                return t.customer_id.isin(rows.customer_id)
            case NotNull(column=column):
                return t[column].notnull()

    def _days_to_month_day(self, day: ir.IntegerValue) -> ir.IntegerValue:
        today = self.moment.today
        length = calendar.monthrange(today.year, today.month)[1]
        following = calendar.monthrange(today.year + today.month // 12, today.month % 12 + 1)[1]
        here = ibis.least(day, ibis.literal(length))
        there = ibis.least(day, ibis.literal(following))
        days = ibis.ifelse(here >= today.day, here - today.day, there + (length - today.day))
        return ibis.ifelse(day.isnull(), ibis.null("int32"), days)  # DuckDB's least() skips NULLs

    def _days_to_anniversary(self, day: ir.DateValue) -> ir.IntegerValue:
        today = self.moment.today

        def in_year(year: int) -> ir.DateValue:
            number = day.day()
            if not calendar.isleap(year):
                number = ibis.ifelse((day.month() == 2) & (number == 29), ibis.literal(28), number)
            return ibis.date(ibis.literal(year), day.month(), number)

        this_year = in_year(today.year)
        coming = ibis.ifelse(this_year >= ibis.literal(today), this_year, in_year(today.year + 1))
        return coming.delta(ibis.literal(today), unit="day")


@dataclass(frozen=True)
class Rows:
    """Events or detail rows with the fields that a `where` names."""

    relation: ir.Table
    fields: Mapping[str, Property | Attribute]

    def value(self, name: str) -> ir.Value:
        return self.relation[f"p_{name}"]


def detail(rows: ir.Table, fields: Mapping[str, Property], used: set[str], keep: tuple[str, ...]) -> ir.Table:
    """Rows of `events` or `holdings`, already narrowed, with the used properties as columns `p_<name>`.

    They are narrowed before products are joined: a join used twice becomes a CTE that DuckDB materialises whole.

    Raises:
        AdminFixes: a property's source in the catalog names no column.
    """
    chosen = {f: fields[f] for f in sorted(used)}
    columns: dict[str, ir.Value] = {k: rows[k] for k in keep}
    joined = rows
    if any(p.source.startswith("products.") for p in chosen.values()):
        products = table("products")
        joined = rows.left_join(products, rows.product_id == products.product_id)
        for f, prop in chosen.items():
            if prop.source.startswith("products."):
                columns[f"p_{f}"] = _column(products, prop, prop.source.removeprefix("products."))
    for f, prop in chosen.items():
        if prop.source.startswith("properties."):
            columns[f"p_{f}"] = _json(rows["properties"][prop.source.removeprefix("properties.")], prop.kind)
        elif not prop.source.startswith("products."):
            columns[f"p_{f}"] = _column(rows, prop, prop.source)
    return joined.select(**columns)


def _column(rows: ir.Table, prop: Property, column: str) -> ir.Value:
    if column not in rows.columns:
        raise AdminFixes(f"The catalog's property {prop.name} has the source {prop.source!r}.", "Name a column there.")
    return rows[column]


def _json(value: ir.JSONValue, kind: Kind) -> ir.Value:
    if kind in (Kind.number, Kind.money, Kind.integer):
        return value.float
    if kind is Kind.bool:
        return value.bool
    text = value.str
    return text.cast(_KIND_TYPES[kind]) if kind in (Kind.date, Kind.timestamp) else text
