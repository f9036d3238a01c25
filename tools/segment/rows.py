"""The rows of events and detail tables as Ibis relations: their columns, and the properties that a condition uses."""

from collections.abc import Mapping
from dataclasses import dataclass

import ibis
import ibis.expr.types as ir

from tools.segment.columns import KIND_TYPES, TYPES, Moment, table
from tools.segment.vocabulary import Listing
from warehouse.catalog import Kind, Property
from warehouse.errors import AdminFixes
from warehouse.schema import BY_NAME


@dataclass(frozen=True)
class Rows:
    """Rows of a list with the used properties as columns `p_<name>`."""

    relation: ir.Table
    fields: Mapping[str, Property]

    def value(self, name: str) -> ir.Value:
        return self.relation[f"p_{name}"]


def relation_of(listing: Listing) -> ir.Table:
    """The unbound table of a list; one that the canonical schema does not know has the columns its catalog entry names."""
    if listing.entity is None:
        return table("events")
    name = listing.entity.table
    if name in BY_NAME:
        return table(name)
    columns = {"customer_id": "int64"}
    for prop in listing.fields.values():
        head, _, rest = prop.source.partition(".")
        column, _, part = head.partition(":")
        if not rest:
            columns[column] = "timestamp" if part else KIND_TYPES[prop.kind]
        elif head == "properties":
            columns["properties"] = "json"
        elif head in BY_NAME:
            key = BY_NAME[head].key[0]
            columns[key] = next(TYPES[c.type] for c in BY_NAME[head].columns if c.name == key)
    return ibis.table(columns, name=name)


def time_column(listing: Listing) -> str:
    """The column that windows are about; empty where there is none.

    Raises:
        AdminFixes: the catalog names a property that is no date or time of the table itself.
    """
    if not listing.time:
        return ""
    prop = listing.fields.get(listing.time)
    if prop is None or prop.kind not in (Kind.date, Kind.timestamp) or not prop.source.isidentifier():
        raise AdminFixes(
            f"The catalog's detail table {listing.name} has the time {listing.time!r}, which is none of its dates.",
            "Name one of its properties that is a date or a time of the table itself.",
        )
    return prop.source


def detail(rows: ir.Table, listing: Listing, used: set[str], moment: Moment, keep: tuple[str, ...]) -> ir.Table:
    """Rows, already narrowed, with the used properties as columns `p_<name>`.

    They are narrowed before other tables are joined: a join used twice becomes a CTE that DuckDB materialises whole.

    Raises:
        AdminFixes: a property's source in the catalog names no column.
    """
    chosen = {name: listing.fields[name] for name in sorted(used)}
    columns: dict[str, ir.Value] = {column: rows[column] for column in keep}
    joined = rows
    others: dict[str, ir.Table] = {}
    for prop in chosen.values():
        head, _, rest = prop.source.partition(".")
        if rest and head != "properties" and head not in others:
            others[head] = other = _beside(rows, prop, head)
            key = BY_NAME[head].key[0]
            joined = joined.left_join(other, rows[key] == other[key])
    for name, prop in chosen.items():
        columns[f"p_{name}"] = _known(_value(rows, prop, others, moment), prop, listing, moment)
    return joined.select(**columns)


def _beside(rows: ir.Table, prop: Property, name: str) -> ir.Table:
    if name not in BY_NAME or BY_NAME[name].key[0] not in rows.columns:
        raise _misnamed(prop)
    return table(name)


def _value(rows: ir.Table, prop: Property, others: Mapping[str, ir.Table], moment: Moment) -> ir.Value:
    head, _, rest = prop.source.partition(".")
    if rest and head == "properties":
        return _json(rows["properties"][rest], prop.kind)
    if rest:
        return _column(others[head], prop, rest)
    column, _, part = head.partition(":")
    value = _column(rows, prop, column)
    match part:
        case "":
            return value
        case "day":
            return moment.local_date(value)
        case "hour":
            return moment.local(value).hour()
        case "weekday":
            return moment.local(value).day_of_week.index() + 1
        case _:
            raise _misnamed(prop)


def _known(value: ir.Value, prop: Property, listing: Listing, moment: Moment) -> ir.Value:
    """What happened to a row of a detail table after the evaluation instant is not known at it."""
    if listing.entity is None or prop.ahead or prop.name == listing.time:
        return value
    if isinstance(value, ir.TimestampValue):
        return ibis.ifelse(value <= ibis.literal(moment.instant), value, ibis.null("timestamp"))
    if isinstance(value, ir.DateValue):
        return ibis.ifelse(value <= ibis.literal(moment.today), value, ibis.null("date"))
    return value


def _column(rows: ir.Table, prop: Property, column: str) -> ir.Value:
    if column not in rows.columns:
        raise _misnamed(prop)
    return rows[column]


def _misnamed(prop: Property) -> AdminFixes:
    return AdminFixes(f"The catalog's property {prop.name} has the source {prop.source!r}.", "Name a column there.")


def _json(value: ir.JSONValue, kind: Kind) -> ir.Value:
    if kind in (Kind.number, Kind.money, Kind.integer):
        return value.float
    if kind is Kind.bool:
        return value.bool
    text = value.str
    return text.cast(KIND_TYPES[kind]) if kind in (Kind.date, Kind.timestamp) else text
