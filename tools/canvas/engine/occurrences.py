"""What customers did and what their key dates are, as SELECTs that the engine's steps join with."""

from datetime import UTC, datetime, timedelta

from tools.canvas.schema import OnDate
from tools.segment import Segments, parse
from tools.segment import schema as s
from tools.segment.sql import to_sql
from warehouse.catalog import Attribute, Kind
from warehouse.errors import ModelRetry

_ALL_TIMES = datetime(2300, 1, 1, tzinfo=UTC)
"""Later than anything that a bank has recorded."""


def watched_sql(segments: Segments, event: str, where: str) -> str:
    """A SELECT of (customer_id, occurred_at) of an event at all times; see `Journey.occurrences`.

    Raises:
        ExpressionError: `where` does not fit the event.
    """
    node = parse(f"did({event}{f' where {where}' if where else ''})", segments.catalog)
    if not isinstance(node, s.Did):
        raise ModelRetry(f"{event!r} is not an event.", "Name one of the catalog's events.")
    rows = segments.compiler(node, _ALL_TIMES).occurrences(node.event, node.where, None)
    return to_sql(rows.select("customer_id", "occurred_at"))


def key_date_condition(attribute: Attribute, trigger: OnDate, day: datetime) -> tuple[str, datetime]:
    """EQL that holds on the key date of whom the trigger means on a bank day, and the instant to evaluate it at.

    A count of days until or since a date is 0 on the date itself, so it is evaluated there: then two dates of a customer
    (two holdings that mature) do not hide each other. A count that is a plain column does not move with the instant.

    Raises:
        ModelRetry: the attribute is neither a date nor a count of days.
    """
    there = day - timedelta(days=trigger.days)
    if attribute.kind in (Kind.date, Kind.timestamp):
        return f"{attribute.name} = {there.date().isoformat()}", day
    if attribute.kind is not Kind.integer:
        raise ModelRetry(
            f"{attribute.name} is neither a date nor a number of days.", "Name a date, or days until or since one."
        )
    if attribute.derived is not None:
        return f"{attribute.name} = 0", there
    days = trigger.days if attribute.name.startswith("days_since") else -trigger.days
    return (f"{attribute.name} = {days}" if days >= 0 else f"{attribute.name} + {-days} = 0"), day


def key_date_sql(segments: Segments, trigger: OnDate, instant: datetime) -> str:
    """A SELECT of the customers whose key date, moved by the trigger's days, is the bank day of an instant."""
    attribute = segments.catalog.attribute(trigger.date)
    day = instant.astimezone(segments.warehouse.zone)
    if not trigger.yearly:
        text, moment = key_date_condition(attribute, trigger, day)
        return segments.ids_sql(parse(text, segments.catalog), at=moment)
    if attribute.kind is not Kind.date or attribute.derived is not None:
        raise ModelRetry(f"{attribute.name} is not a date that can come round every year.", "Leave `yearly` out.")
    there = (day - timedelta(days=trigger.days)).date()
    column = f'"{attribute.name}"'
    days = [there.month * 100 + there.day]
    if days == [228] and (there + timedelta(days=1)).month == 3:
        days.append(229)
    which = f"month({column}) * 100 + day({column}) IN ({', '.join(map(str, days))})"
    return f"SELECT customer_id FROM customers WHERE {which} AND {column} <= DATE '{there.isoformat()}'"
