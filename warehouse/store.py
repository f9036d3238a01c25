"""The one handle on `warehouse.duckdb`: guarded reads, one writer at a time, private overlays for dry runs."""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa

from warehouse.errors import AdminFixes, DeveloperFixes, ModelRetry
from warehouse.schema import SCHEMA_VERSION, TABLES

Params = Sequence[Any] | Mapping[str, Any]


class QueryTimeout(ModelRetry):
    """A query was stopped because it took longer than allowed."""

    code = "timeout"
    status = 504


@dataclass(frozen=True)
class Result:
    """What a read returned, with what an evidence record needs.

    `rows` are tuples in column order; `elapsed_ms` is the wall time of the query.
    """

    columns: list[str]
    rows: list[tuple[Any, ...]]
    elapsed_ms: float

    def dicts(self) -> list[dict[str, Any]]:
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]

    def scalar(self) -> Any:
        return self.rows[0][0]


class Warehouse:
    """Owns the DuckDB instance of one home. One per process; DuckDB lets no other process in meanwhile.

    Args:
        path: the database file; made with the canonical schema if missing.
        folders: the only folders that SQL may read or write files in (inbox, exports, outbox).
        memory_limit: DuckDB's limit, such as '4GB'.
        timeout_s: default limit of a read.
    """

    def __init__(
        self,
        path: Path,
        *,
        folders: Sequence[Path] = (),
        memory_limit: str = "6GB",
        threads: int | None = None,
        timeout_s: float = 60.0,
    ) -> None:
        self.path = path
        self.timeout_s = timeout_s
        self._write_lock = threading.RLock()
        try:
            self._con = duckdb.connect(str(path))
        except duckdb.Error as error:
            raise AdminFixes(
                f"The warehouse {path} cannot be opened: {str(error).splitlines()[0]}",
                "Stop the process that holds it, or restore the file from a backup.",
            ) from None
        self._con.execute("SET TimeZone = 'UTC'")
        self._con.execute("SET preserve_insertion_order = false")
        self._con.execute(f"SET memory_limit = '{memory_limit}'")
        if threads:
            self._con.execute(f"SET threads = {int(threads)}")
        for table in TABLES:
            self._con.execute(table.ddl())
        self._con.execute(
            "INSERT INTO meta SELECT 'schema_version', ? WHERE NOT EXISTS (FROM meta WHERE key = 'schema_version')",
            [str(SCHEMA_VERSION)],
        )
        # Only these folders from here on; the two SETs after it cannot be undone while the process runs.
        places = [str(folder) + "/" for folder in folders]
        self._con.execute("SET allowed_directories = ?", [places])
        self._con.execute("SET enable_external_access = false")
        self._con.execute("SET lock_configuration = true")

    def close(self) -> None:
        self._con.close()

    def __enter__(self) -> "Warehouse":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def read(self, sql: str, params: Params = (), *, timeout_s: float | None = None) -> Result:
        """Run exactly one SELECT and fetch it whole.

        Raises:
            DeveloperFixes: the text is not one SELECT.
            QueryTimeout: it ran longer than `timeout_s`.
        """
        with self._select(sql, timeout_s) as cursor:
            started = time.perf_counter()
            cursor.execute(sql, params if params else None)
            columns = [d[0] for d in cursor.description or []]
            rows = cursor.fetchall()
            return Result(columns, rows, (time.perf_counter() - started) * 1000)

    def read_arrow(self, sql: str, params: Params = (), *, timeout_s: float | None = None) -> pa.Table:
        """Like `read`, as an Arrow table (for millions of rows)."""
        with self._select(sql, timeout_s) as cursor:
            return cursor.sql(sql, params=params if params else None).to_arrow_table()

    @contextmanager
    def _select(self, sql: str, timeout_s: float | None) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor for one SELECT, interrupted when the time is up."""
        statements = self._con.extract_statements(sql)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise DeveloperFixes("A read must be exactly one SELECT.", "Use writer() for changes.")
        limit = self.timeout_s if timeout_s is None else timeout_s
        cursor = self._con.cursor()
        timer = threading.Timer(limit, cursor.interrupt)
        timer.daemon = True
        timer.start()
        try:
            yield cursor
        except duckdb.InterruptException:
            raise QueryTimeout(
                f"The query took longer than {limit:g} s.", "Narrow it, or raise the time limit."
            ) from None
        finally:
            timer.cancel()
            cursor.close()

    @contextmanager
    def writer(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """The writer queue: one transaction at a time in this process, committed at the end, rolled back on error.

        DuckDB's snapshot isolation lets two transactions both count 0 touches and both insert one; every
        decide-and-reserve must therefore run inside this.
        """
        with self._write_lock:
            cursor = self._con.cursor()
            cursor.execute("BEGIN TRANSACTION")
            try:
                yield cursor
            except BaseException:
                cursor.execute("ROLLBACK")
                raise
            else:
                cursor.execute("COMMIT")
            finally:
                cursor.close()

    @contextmanager
    def overlay(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A private cursor whose TEMP tables nobody else sees and which vanish with it: for dry runs and decisions.

        It is not guarded: callers create TEMP tables only.
        """
        cursor = self._con.cursor()
        try:
            yield cursor
        finally:
            cursor.close()

    def meta(self, key: str) -> str | None:
        rows = self.read("SELECT value FROM meta WHERE key = ?", [key]).rows
        return str(rows[0][0]) if rows else None

    @property
    def as_of(self) -> datetime:
        """The data cut-off, an instant in UTC: no row is later.

        Raises:
            AdminFixes: the warehouse holds no data yet.
        """
        text = self.meta("as_of")
        if text is None:
            raise AdminFixes(
                "The warehouse holds no data yet.", "Fill it with `touchline demo-bank` or `touchline import`."
            )
        return datetime.fromisoformat(text).astimezone(UTC)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.meta("zone") or "Asia/Shanghai")
