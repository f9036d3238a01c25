"""Small helpers for the engine's statements."""

from datetime import datetime

import duckdb

from tools.throttle.sql import Params, execute
from warehouse.clock import naive_utc


def changed(con: duckdb.DuckDBPyConnection, sql: str, params: Params | None = None) -> int:
    """Run a statement that changes or makes rows; returns how many."""
    return int(execute(con, sql, Params() if params is None else params).fetchall()[0][0])


def moment_sql(instant: datetime) -> str:
    """An instant as a literal, for statements that are put together without parameters."""
    return f"TIMESTAMP '{naive_utc(instant).isoformat(sep=' ')}'"


def text_sql(value: str) -> str:
    """A text as a literal."""
    return "'" + value.replace("'", "''") + "'"
