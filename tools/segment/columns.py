"""Catalog fields as Ibis values: columns as they are, derived attributes computed at the evaluation instant."""

import calendar
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache, cached_property
from zoneinfo import ZoneInfo

import ibis
import ibis.expr.types as ir

from tools.segment.periods import bank_day
from warehouse.catalog import (
    Catalog,
    DaysSince,
    DaysToBirthday,
    DaysToMonthDay,
    DaysToNextMaturity,
    Exists,
    Kind,
    NotNull,
    Tagged,
    WithinYears,
    YearsSince,
)
from warehouse.clock import naive_utc
from warehouse.schema import BY_NAME

TYPES = {
    "BIGINT": "int64", "INTEGER": "int32", "TINYINT": "int8", "VARCHAR": "string", "BOOLEAN": "boolean", "DATE": "date",
    "TIMESTAMP": "timestamp", "DECIMAL(18,2)": "decimal(18, 2)", "DOUBLE": "float64", "JSON": "json",
}  # fmt: skip
KIND_TYPES = {
    Kind.number: "float64", Kind.money: "decimal(18, 2)", Kind.integer: "int64", Kind.bool: "boolean",
    Kind.category: "string", Kind.text: "string", Kind.date: "date", Kind.timestamp: "timestamp",
}  # fmt: skip


@ibis.udf.scalar.builtin(name="timezone")  # type: ignore[untyped-decorator]
def _timezone(zone: str, instant: datetime) -> datetime:  # type: ignore[empty-body]
    """DuckDB's own conversion, for zones whose offset changes during the year."""


@cache
def table(name: str) -> ir.Table:
    """A canonical table, unbound."""
    return ibis.table({c.name: TYPES[c.type] for c in BY_NAME[name].columns}, name=name)


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
        return self.local(value).date()

    def local(self, value: ir.TimestampValue) -> ir.TimestampValue:
        """A naive UTC instant as the bank's clocks show it."""
        offsets = {self._offset(self.at - timedelta(days=91 * n)) for n in range(120)}
        if len(offsets) == 1:
            return value + ibis.interval(minutes=int(offsets.pop().total_seconds() // 60))
        return _timezone(str(self.zone), _timezone("UTC", value))

    def since_days(self, value: ir.Value) -> ir.NumericValue:
        """Days from a date (whole ones) or an instant (to the second, 24 hours each) to the evaluation instant."""
        here = self.today if isinstance(value, ir.DateValue) else self.instant
        return self.difference(ibis.literal(here), value)

    def difference(self, later: ir.Value, earlier: ir.Value) -> ir.NumericValue:
        """Days between two dates or instants; an instant beside a date counts as its bank day."""
        if isinstance(later, ir.TimestampValue) and isinstance(earlier, ir.TimestampValue):
            seconds = [value.truncate("s").epoch_seconds() for value in (later, earlier)]
            return (seconds[0] - seconds[1]).cast("float64") / 86_400
        sides = [self.local_date(v) if isinstance(v, ir.TimestampValue) else v for v in (later, earlier)]
        return sides[0].delta(sides[1], unit="day").cast("float64")

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
                columns[attribute.name] = KIND_TYPES[attribute.kind]
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
            case Tagged(tag=tag):
                held = ibis.table({"tag": "string", "customer_id": "int64"}, name="tag_members")
                return t.customer_id.isin(held.filter(held.tag == tag).customer_id)

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
