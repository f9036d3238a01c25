"""Which conditions can only use today's snapshot: what the data does not keep a history of."""

from tools.segment import schema as s
from tools.segment.eql import to_text
from tools.segment.vocabulary import vocabulary
from tools.segment.walk import Behaviour, attributes_of, behaviours, children
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
    needs_today = (
        isinstance(node, s.InList)
        or any(not _lasting(catalog.attribute(name)) for name in attributes_of(node))
        or any(_vanishing(part, catalog) for part in behaviours(node))
    )
    if needs_today:
        found.append(to_text(node))


def _vanishing(part: Behaviour, catalog: Catalog) -> bool:
    """Whether it looks at a detail table whose rows disappear when they are over."""
    if isinstance(part, s.Holds):
        return True
    entity = vocabulary(catalog).listings[_list(part)].entity
    return entity is not None and not entity.history


def _list(part: s.Did | s.HasRow | s.Sequence | s.Measure) -> str:
    if isinstance(part, s.Measure):
        return part.of
    return part.table if isinstance(part, s.HasRow) else part.event


def _lasting(attribute: Attribute) -> bool:
    derived = attribute.derived
    if isinstance(derived, YearsSince | DaysSince | DaysToBirthday | WithinYears):
        return derived.column in LASTING
    return derived is None and attribute.name in LASTING and attribute.kind is not Kind.text
