"""Evidence: how a number came to be. Every number that reaches a reader belongs to such a record."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from warehouse.store import Params, Result, Warehouse


class Evidence(BaseModel):
    """One query that was run. `preview` holds at most 20 rows of aggregates; never a customer's row."""

    model_config = ConfigDict(frozen=True)

    id: str = Field("", description="'ev_<n>', given when it is kept by control.records.")
    title: str
    sql: str
    params: list[Any] = []
    row_count: int
    as_of: datetime = Field(description="The data cut-off at which it was run.")
    definition: str = Field("", description="What the figure means, from the catalog.")
    columns: list[str] = []
    preview: list[list[Any]] = []
    elapsed_ms: float = 0.0


PREVIEW_ROWS = 20


def record(
    warehouse: Warehouse, title: str, sql: str, params: Params, result: Result, *, definition: str = ""
) -> Evidence:
    """The record of a read that has been run. Pass aggregates only."""
    values = list(params.values()) if isinstance(params, dict) else list(params)
    return Evidence(
        title=title,
        sql=sql,
        params=[plain(v) for v in values],
        row_count=len(result.rows),
        as_of=warehouse.as_of,
        definition=definition,
        columns=result.columns,
        preview=[[plain(v) for v in row] for row in result.rows[:PREVIEW_ROWS]],
        elapsed_ms=round(result.elapsed_ms, 1),
    )


def both(zh: str, en: str) -> str:
    """A definition in both languages: evidence is kept once and read by everybody."""
    return " / ".join(part for part in (zh, en) if part)


def plain(value: Any) -> Any:
    """A value as JSON has it: decimals as floats, instants and dates as ISO text."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if hasattr(value, "isoformat"):
        return value.isoformat()
    try:
        return float(value)
    except (TypeError, ValueError):
        return str(value)
