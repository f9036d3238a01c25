"""Which conditions can only use today's snapshot: what the data does not keep a history of."""

from tools.segment import schema as s
from tools.segment.eql import to_text
from tools.segment.walk import attributes_of, children
from warehouse.catalog import Attribute, Catalog, DaysSince, DaysToBirthday, Kind, WithinYears, YearsSince

LASTING = {"birth_date", "opened_on", "gender", "customer_id"}
"""Columns that never change, so that today's value was also yesterday's."""


def snapshot_conditions(node: s.Node, catalog: Catalog) -> list[str]:
    """The texts of the conditions that cannot be evaluated at an earlier instant, in order, each once."""
    found: list[str] = []
    _collect(node, catalog, found)
    return list(dict.fromkeys(found))


def _collect(node: s.Node, catalog: Catalog, found: list[str]) -> None:
    below = children(node)
    for child in below:
        _collect(child, catalog, found)
    if below:
        return
    needs_today = isinstance(node, s.Holds | s.InList) or any(
        not _lasting(catalog.attribute(name)) for name in attributes_of(node)
    )
    if needs_today:
        found.append(to_text(node))


def _lasting(attribute: Attribute) -> bool:
    derived = attribute.derived
    if isinstance(derived, YearsSince | DaysSince | DaysToBirthday | WithinYears):
        return derived.column in LASTING
    return derived is None and attribute.name in LASTING and attribute.kind is not Kind.text
