"""Putting a statement together: values become named parameters, relation names are checked."""

import re
from collections.abc import Iterable
from itertools import count
from typing import Any

import duckdb

from warehouse.errors import DeveloperFixes

_RELATION = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$")
_PLACEHOLDER = re.compile(r"\$(p\d+)")
_numbers = count(1)


class Params(dict[str, Any]):
    """Named parameters of one statement; `add` gives the placeholder of a value."""

    def add(self, value: Any) -> str:
        name = f"p{len(self)}"
        self[name] = value
        return f"${name}"

    def all(self, values: Iterable[Any]) -> str:
        """A comma-separated list of placeholders; NULL for no values, so that `IN (…)` is never true."""
        return ", ".join(self.add(value) for value in values) or "NULL"


def execute(con: duckdb.DuckDBPyConnection, sql: str, params: Params) -> duckdb.DuckDBPyConnection:
    """Run a statement with those of the parameters that it names; DuckDB refuses any that are left over."""
    named = set(_PLACEHOLDER.findall(sql))
    used = {name: value for name, value in params.items() if name in named}
    return con.execute(sql, used or None)


def relation(name: str) -> str:
    """A table or view name as it may stand in SQL.

    Raises:
        DeveloperFixes: it is not a plain name.
    """
    if not _RELATION.match(name):
        raise DeveloperFixes(f"{name!r} is not the name of a relation.", "Pass a plain table or view name.")
    return name


def temp_name(prefix: str) -> str:
    """A TEMP table name not used before in this process."""
    return f"{prefix}_{next(_numbers)}"
