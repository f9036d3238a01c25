"""A segment by an attribute: which groups make sense for its kind, and what they are called in both languages."""

from collections.abc import Callable, Sequence
from datetime import date
from math import floor, log10
from typing import Any

import ibis
import ibis.expr.types as ir
from pydantic import BaseModel, ConfigDict

from tools.segment import schema as s
from tools.segment.columns import Customers, Moment, table
from tools.segment.eql import to_text
from tools.segment.sql import to_sql
from warehouse.catalog import Attribute, Catalog, Kind
from warehouse.evidence import Evidence, both, record
from warehouse.store import Warehouse

MONEY_BANDS = (0, 10_000, 50_000, 200_000, 500_000, 1_000_000, 6_000_000)
"""Lower ends in yuan, close to where banks draw their tiers."""
MAX_ROWS = 24
"""Groups shown; smaller ones beyond are added up as 'other'."""
FEW = 12
"""A whole number with no more distinct values than this is shown value by value."""


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class BreakdownRow(Frozen):
    """One group; `value` is the group's value or lower end (None is unknown), `zh` and `en` are its labels.

    `condition` is EQL for the group, empty where there is none ('other').
    """

    value: str | int | float | bool | None
    zh: str
    en: str
    count: int
    condition: str = ""


class Breakdown(Frozen):
    by: str
    rows: list[BreakdownRow]
    evidence: Evidence


class Grouping(Frozen):
    """How an attribute is cut into groups: lower ends of bands, a month, or the values themselves."""

    kind: str
    edges: tuple[float, ...] = ()


def grouping(warehouse: Warehouse, values: ir.Table, attribute: Attribute) -> Grouping:
    """Choose the groups for the values at hand (a table with the one column `v`)."""
    if attribute.reference or attribute.kind in (Kind.bool, Kind.category, Kind.text):
        return Grouping(kind="values")
    if attribute.kind in (Kind.date, Kind.timestamp):
        return Grouping(kind="months")
    if attribute.kind is Kind.money:
        return Grouping(kind="bands", edges=MONEY_BANDS)
    known = values.filter(values.v.notnull())
    summary = known.aggregate(
        n=known.v.nunique(), low=known.v.cast("float64").quantile(0.05), high=known.v.cast("float64").quantile(0.95)
    )
    distinct, low, high = warehouse.read(to_sql(summary)).rows[0]
    if not distinct or (distinct <= FEW and attribute.kind is Kind.integer):
        return Grouping(kind="values")
    step = nice((high - low) / 6, whole=attribute.kind is Kind.integer)
    first, last = floor(low / step), floor(high / step)
    return Grouping(kind="bands", edges=tuple(round(step * k, 10) for k in range(first, last + 1)))


def nice(step: float, whole: bool) -> float:
    """A step of 1, 2 or 5 times a power of ten, not below what was asked for by much."""
    if step <= 0:
        return 1.0
    power = 10.0 ** floor(log10(step))
    chosen = next((m * power for m in (1, 2, 5, 10) if step <= m * power * 1.25), 10 * power)
    return max(1.0, chosen) if whole else chosen


def group_key(customers: Customers, attribute: Attribute, moment: Moment, cut: Grouping) -> ir.Value:
    """The value by which customers are grouped: the value, the number of its band, or the first of its month."""
    value = customers.value(attribute.name)
    if cut.kind == "months":
        day = moment.local_date(value) if attribute.kind is Kind.timestamp else value
        return day.truncate("M")
    if cut.kind == "bands":
        number = value.cast("float64")
        band: ir.Value = ibis.literal(0)
        for edge in cut.edges:
            band = band + (number >= edge).cast("int32")
        return band  # NULL stays NULL: a comparison with it is NULL, and so is the sum
    return value


def break_down(
    warehouse: Warehouse, catalog: Catalog, moment: Moment, members: ir.Table, attribute: Attribute, title: str
) -> Breakdown:
    """Count the members of a segment by an attribute."""
    customers = Customers(catalog, moment, members)
    cut = grouping(warehouse, members.select(v=customers.value(attribute.name)), attribute)
    keyed = members.select(g=group_key(customers, attribute, moment, cut))
    counted = keyed.group_by("g").aggregate(n=keyed.count())
    if attribute.reference:
        other, column = attribute.reference.split(".")
        names = table(other)
        joined = counted.left_join(names, counted.g == names[names.columns[0]])
        counted = joined.select(g=names[column], n=counted.n).group_by("g").aggregate(n=lambda t: t.n.sum())
    sql = to_sql(counted.order_by(counted.n.desc(), counted.g))
    result = warehouse.read(sql)
    evidence = record(
        warehouse, title, sql, [], result, definition=both(attribute.definition_zh, attribute.definition_en)
    )
    return Breakdown(by=attribute.name, rows=label_rows(attribute, cut, result.rows), evidence=evidence)


def label_rows(attribute: Attribute, cut: Grouping, counted: Sequence[tuple[Any, ...]]) -> list[BreakdownRow]:
    """The groups with labels, in the order of their values where they have one, else by size; unknown last."""
    known = [(value, int(n)) for value, n in counted if value is not None]
    order = value_order(attribute, cut)
    known.sort(key=lambda pair: order(pair[0]) if order else -pair[1])
    rest: list[tuple[Any, int]] = []
    if len(known) > MAX_ROWS and cut.kind == "months":
        rest, known = known[:-MAX_ROWS], known[-MAX_ROWS:]
    elif len(known) > MAX_ROWS:
        known.sort(key=lambda pair: -pair[1])
        known, rest = known[:MAX_ROWS], known[MAX_ROWS:]
    rows = [labelled(attribute, cut, value, n) for value, n in known]
    if rest:
        rows.append(BreakdownRow(value="other", zh="其他", en="other", count=sum(n for _, n in rest)))
    unknown = sum(int(n) for value, n in counted if value is None)
    return [*rows, labelled(attribute, cut, None, unknown)] if unknown else rows


def value_order(attribute: Attribute, cut: Grouping) -> Callable[[Any], Any] | None:
    if attribute.ordered:
        order = [v.value for v in attribute.values]
        return lambda value: order.index(value) if value in order else len(order)
    if cut.kind in ("bands", "months") or (attribute.kind is Kind.integer and not attribute.reference):
        return lambda value: value
    if attribute.kind is Kind.bool:
        return lambda value: not value
    return None


def labelled(attribute: Attribute, cut: Grouping, value: Any, count: int) -> BreakdownRow:
    """One group with its labels and its condition."""
    name = attribute.name
    if value is None:
        condition = "" if attribute.reference else f"{name} is unknown"
        return BreakdownRow(value=None, zh="未知", en="unknown", count=count, condition=condition)
    if cut.kind == "months":
        assert isinstance(value, date)
        text = value.strftime("%Y-%m")
        return BreakdownRow(value=text, zh=text, en=text, count=count)
    if cut.kind == "bands":
        return band(attribute, cut.edges, int(value), count)
    if isinstance(value, bool):
        zh, en = ("是", "yes") if value else ("否", "no")
        condition = name if value else f"{name} = false"
        return BreakdownRow(value=value, zh=zh, en=en, count=count, condition=condition)
    found = next((v for v in attribute.values if v.value == value), None)
    shown = value if isinstance(value, int | float | str) else str(value)
    unlisted = bool(attribute.values) and found is None  # in the data but not in the catalog: EQL refuses it
    condition = "" if unlisted else to_text(s.Compare(left=s.Attr(name=name), op="=", right=s.Const(value=shown)))
    zh, en = (found.zh, found.en) if found else (str(value), str(value))
    return BreakdownRow(value=shown, zh=zh, en=en, count=count, condition=condition)


def band(attribute: Attribute, edges: tuple[float, ...], index: int, count: int) -> BreakdownRow:
    """The band from `edges[index - 1]` (included) to `edges[index]`; 0 is below the first."""
    attr = s.Attr(name=attribute.name)
    low = edges[index - 1] if index else None
    high = edges[index] if index < len(edges) else None
    zh, en = _amount(attribute, low, "zh"), _amount(attribute, low, "en")
    zh_high, en_high = _amount(attribute, high, "zh"), _amount(attribute, high, "en")
    above = s.Compare(left=attr, op=">=", right=s.Const(value=_plain(low or 0)))
    below = s.Compare(left=attr, op="<", right=s.Const(value=_plain(high or 0)))
    unit = attribute.unit_zh if attribute.kind is not Kind.money else ""
    if low is None:
        return BreakdownRow(
            value=f"<{high:g}", zh=f"{zh_high}{unit}以下", en=f"below {en_high}", count=count, condition=to_text(below)
        )
    if high is None:
        return BreakdownRow(
            value=low, zh=f"{zh}{unit}及以上", en=f"{en} and above", count=count, condition=to_text(above)
        )
    both = to_text(s.And(children=(above, below)))
    return BreakdownRow(value=low, zh=f"{zh}–{zh_high}{unit}", en=f"{en}–{en_high}", count=count, condition=both)


def _amount(attribute: Attribute, value: float | None, language: str) -> str:
    if value is None:
        return ""
    if attribute.kind is Kind.money:
        if language == "zh" and abs(value) >= 10_000:
            return f"{value / 10_000:g}万"
        return f"{value:,.0f}"
    return f"{value:g}"


def _plain(value: float) -> int | float:
    return int(value) if float(value).is_integer() else value
