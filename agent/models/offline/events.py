"""Conditions on what customers did: `近30天买过理财`, `viewed wealth products at least twice in the last 7 days`."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from agent.models.offline.amounts import Amount, amount, compare
from agent.models.offline.boolean import conjunction
from agent.models.offline.lexicon import kind_property
from agent.models.offline.numbers import Quantity
from agent.models.offline.senses import Duration, Item, Sense
from tools.segment.schema import (
    Attr,
    Compare,
    Comparison,
    Const,
    Did,
    Flag,
    In,
    Last,
    Measure,
    Node,
    Not,
    Window,
)  # fmt: skip
from warehouse.catalog import Catalog, Event, Kind


@dataclass(slots=True)
class EventSaid:
    """One mention of an event with everything said around it."""

    names: tuple[str, ...]
    values: list[Sense] = field(default_factory=list)
    together: bool = False
    """Several objects joined by `and`: each was done, not any of them."""
    flags: list[Sense] = field(default_factory=list)
    amount: Amount | None = None
    total: bool = False
    times: Amount | None = None
    window: Window | None = None
    ever: bool = False


def window_of(duration: Duration) -> Last:
    return Last(amount=duration.amount, unit="h" if duration.unit == "h" else "d")


def item_window(item: Item) -> Window | None:
    """The window an item stands for; a bare length of time (`for 60 days`, `7天内`) counts back from now."""
    calendar = item.all("window")
    if calendar:
        return cast(Window, calendar[-1].value)
    if sense := item.sense("within", "duration"):
        return window_of(cast(Duration, sense.value))
    return None


def read_event(items: Sequence[Item], i: int, said: EventSaid, catalog: Catalog) -> int:
    """Take in what follows a verb; returns the next position."""
    j = i
    while j < len(items):
        item = items[j]
        if (item.has("window", "within") and said.window is None and not _belongs_to_next(items, j)) or (
            item.has("duration") and said.window is None and not item.has("quantity") and not _belongs_to_next(items, j)
        ):
            said.window, j = item_window(item), j + 1
        elif (value := _value(item, said, catalog)) and not (
            j + 1 < len(items) and items[j + 1].has("event") and item.han
        ):
            said.values.append(value)
            j += 1
            k = j
            while k < len(items) and items[k].has("and", "or", "comma") and not items[k].has("have"):
                k += 1
            if k > j and k < len(items) and _value(items[k], said, catalog):
                said.together = said.together or any(x.has("and") and not x.has("comma", "or") for x in items[j:k])
            if k > j and k < len(items) and _value(items[k], said, catalog) and not items[k].has("event"):
                j = k
        elif (flag := item.sense("property")) and _flag(flag, said, catalog):
            said.flags.append(flag)
            j += 1
        elif (item.has("property") and _amount_property(item, said, catalog) and amount(items, j + 1)) or (
            _plain_object(item, said, catalog) and not _continues(items, j + 1, said, catalog)
        ):
            j += 1
        elif item.has("total"):
            said.total, j = True, j + 1
        elif read := amount(items, j):
            what, k = read
            if what.measure == "times" and said.times is None:
                said.times, j = what, k
            elif (
                what.measure in ("", "money", "wan")
                and said.amount is None
                and _has_amount(said, catalog)
                and what.op
                and (what.factor > 1 or what.measure or item.has("op") or item.has("range", "quantity"))
            ):
                said.amount, j = what, k
            else:
                break
        elif item.has("de", "have", "be") and j + 1 < len(items) and _continues(items, j + 1, said, catalog):
            j += 1
        else:
            break
    return j


def _plain_object(item: Item, said: EventSaid, catalog: Catalog) -> bool:
    """`bought any product`, 购买任何产品: the name of what every such event has, without a value, narrows nothing."""
    kinds = {p.name for n in said.names for p in catalog.event(n).properties if p.kind is Kind.category}
    return any(s.name in kinds for s in item.all("property")) and not _value(item, said, catalog)


def _belongs_to_next(items: Sequence[Item], j: int) -> bool:
    """In Chinese a window stands before its verb: `买过理财近7天没登录` gives 近7天 to 登录."""
    if not items[j].han:
        return False
    k = j + 1
    while k < len(items) and items[k].has("not", "be", "have"):
        k += 1
    return k < len(items) and items[k].has("event", "not_event")


def _continues(items: Sequence[Item], j: int, said: EventSaid, catalog: Catalog) -> bool:
    if j >= len(items):
        return False
    return bool(_value(items[j], said, catalog)) or (items[j].has("quantity") and amount(items, j) is not None)


def _value(item: Item, said: EventSaid, catalog: Catalog) -> Sense | None:
    for sense in item.all("property_value"):
        if any(kind_property(catalog.event(name), sense) for name in said.names):
            return sense
    return None


def _flag(flag: Sense, said: EventSaid, catalog: Catalog) -> bool:
    return any(p.name == flag.name and p.kind is Kind.bool for n in said.names for p in catalog.event(n).properties)


def _money(event: Event) -> str:
    return next((p.name for p in event.properties if p.kind is Kind.money), "")


def _has_amount(said: EventSaid, catalog: Catalog) -> bool:
    return any(_money(catalog.event(name)) for name in said.names)


def _amount_property(item: Item, said: EventSaid, catalog: Catalog) -> bool:
    return any(s.name == _money(catalog.event(n)) for s in item.all("property") for n in said.names)


def choose(said: EventSaid, catalog: Catalog) -> list[str]:
    """The events that can carry everything that was said."""
    return [
        name
        for name in said.names
        if all(kind_property(catalog.event(name), v) for v in said.values)
        and all(any(p.name == f.name for p in catalog.event(name).properties) for f in said.flags)
        and (said.amount is None or _money(catalog.event(name)))
    ]


def where_of(name: str, said: EventSaid, catalog: Catalog, with_amount: bool = True) -> Node | None:
    """The condition on one occurrence."""
    nodes: list[Node] = []
    by_property: dict[str, list[str]] = {}
    for value in said.values:
        by_property.setdefault(value.detail, []).append(value.name)
    for name_, values in by_property.items():
        unique = list(dict.fromkeys(values))
        nodes.append(
            Compare(left=Attr(name=name_), op="=", right=Const(value=unique[0]))
            if len(unique) == 1
            else In(name=name_, values=tuple(unique))
        )
    nodes.extend(Flag(name=flag.name) for flag in said.flags)
    if with_amount and said.amount:
        nodes.append(compare(Attr(name=_money(catalog.event(name))), said.amount))
    return conjunction(nodes) if nodes else None


def build(name: str, said: EventSaid, catalog: Catalog) -> Node:
    """The condition: did, a count, or a sum. The window is whole, the count at least one unless told otherwise."""
    if said.total and said.amount and said.amount.value is not None:
        return _measure(
            "sum", name, said, said.amount, _money(catalog.event(name)), where_of(name, said, catalog, False)
        )
    where = where_of(name, said, catalog)
    if said.times is None:
        return Did(event=name, where=where, window=said.window)
    if said.times.between:
        return conjunction([
            _measure("count", name, said, Amount(">=", said.times.between.low), "", where),
            _measure("count", name, said, Amount("<=", said.times.between.high), "", where),
        ])  # fmt: skip
    return _measure("count", name, said, said.times, "", where)


def build_all(name: str, said: EventSaid, catalog: Catalog, negated: bool) -> Node:
    """Like `build`; 买过理财和基金 asks for both, 没买过理财和基金 excludes either."""
    properties = {value.detail for value in said.values}
    if not said.together or negated or len(properties) > 1:
        return build(name, said, catalog)
    return conjunction([build(name, replace(said, values=[value]), catalog) for value in said.values])


def _measure(measure: str, name: str, said: EventSaid, what: Amount, property_: str, where: Node | None) -> Node:
    value = float(cast(Quantity, what.value).plain)
    op = cast(Comparison, what.op or "=")
    if measure == "count" and op == "=" and value == 0:
        return Not(child=Did(event=name, where=where, window=said.window))
    figure = Measure(
        measure="count" if measure == "count" else "sum", of=name, property=property_, where=where, window=said.window
    )
    return Compare(left=figure, op=op, right=Const(value=int(value) if value.is_integer() else value))


def carries(catalog: Catalog, names: Sequence[str], value: Sense) -> bool:
    """Whether one of these events has a property with this value."""
    return any(kind_property(catalog.event(name), value) for name in names)
