"""Small helpers for the engine's statements."""

import duckdb

from tools.throttle.sql import Params, execute


def changed(con: duckdb.DuckDBPyConnection, sql: str, params: Params | None = None) -> int:
    """Run a statement that changes or makes rows; returns how many."""
    return int(execute(con, sql, Params() if params is None else params).fetchall()[0][0])
