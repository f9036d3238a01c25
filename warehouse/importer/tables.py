"""Canonical rows made by the mapping's SELECTs: run where only the staged sources are visible, then checked.

A source record is good or bad as a whole: if one row made of it is bad, all of them are set aside with it.
"""

import hashlib
import hmac
import re
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa

from warehouse.catalog import fold, nearest
from warehouse.clock import naive_utc
from warehouse.importer.casts import canonical
from warehouse.importer.mapping import Mapping, MappingError
from warehouse.importer.staging import ROWS_PER_SOURCE, quoted
from warehouse.schema import BY_NAME, TABLES, Column, Table

FUTURE_IS_FINE = {
    ("products", "on_sale_from"), ("products", "on_sale_to"), ("benefits", "valid_from"), ("benefits", "valid_to"),
    ("holdings", "matures_on"), ("grants", "expired_at"), ("suppressions", "until"), ("campaigns", "ended_at"),
}  # fmt: skip
"""Dates that say when something will end; every other date or time lies at or before the data cut-off."""

CONTACTS = Table(
    "contacts",
    (
        Column("customer_id", "BIGINT", True, (), "customers.customer_id"),
        Column("name", "VARCHAR"), Column("phone", "VARCHAR"), Column("email", "VARCHAR"),
    ),
    key=("customer_id",),
)  # fmt: skip


def targets(mapping: Mapping) -> list[Table]:
    """The tables a mapping fills, parents first, `customers` with its extra columns, the contact vault last."""
    extras = tuple(
        Column(a.name, a.type, a.required, tuple(v.value for v in a.values)) for a in mapping.catalog.attributes
    )
    found = []
    for table in TABLES:
        if table.name in mapping.tables or (table.name == "identities" and (mapping.identities or mapping.contacts)):
            columns = table.columns + (extras if table.name == "customers" else ())
            found.append(Table(table.name, columns, table.key, table.sort, table.big, table.extra_columns))
    return [*found, CONTACTS] if mapping.contacts else found


class Sandbox:
    """A connection that sees the staged sources and nothing else: no files, no network, no settings, no writing."""

    def __init__(self, path: Path, zone: str) -> None:
        self._con = duckdb.connect(str(path), read_only=True)
        self._con.execute(f"SET TimeZone = '{zone}'")
        self._con.execute("SET python_enable_replacements = false")  # else a SELECT could name this code's variables
        self._con.execute("SET enable_external_access = false")
        self._con.execute("SET lock_configuration = true")

    def define(self, name: str, sql: str) -> None:
        """Make a view that later SELECTs may use. Raises: MappingError, as `select` does."""
        place = f"views.{name}"
        self._check(place, sql)
        try:
            self._con.execute(f"CREATE TEMP VIEW {quoted(name)} AS {sql}")
        except duckdb.Error as error:
            raise _refused(place, error) from None

    def close(self) -> None:
        self._con.close()

    def select(self, place: str, sql: str) -> pa.RecordBatchReader:
        """Run one SELECT of the mapping.

        Raises:
            MappingError: it is not exactly one SELECT, or DuckDB refuses it; the message names the place.
        """
        self._check(place, sql)
        try:
            return self._con.sql(sql).to_arrow_reader(100_000)
        except duckdb.Error as error:
            raise _refused(place, error) from None

    def _check(self, place: str, sql: str) -> None:
        try:
            statements = self._con.extract_statements(sql)
        except duckdb.Error as error:
            raise _refused(place, error) from None
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise MappingError(
                f"The mapping's {place} is not exactly one SELECT.", "Write one SELECT over the sources."
            )


def _refused(place: str, error: duckdb.Error) -> MappingError:
    reason = " ".join(line.strip() for line in str(error).split("\n\n")[0].splitlines()[:2])
    return MappingError(
        f"The mapping's {place} does not run: {reason}",
        "Mend the SELECT; it sees the sources by their names, with _row, _number and _line in each.",
    )


def make(con: duckdb.DuckDBPyConnection, sandbox: Sandbox, mapping: Mapping, key: bytes) -> None:
    """Run all SELECTs into `made_<table>` (`_made` numbers the rows, `_row` names the record each comes from)."""
    for name, sql in mapping.views.items():
        sandbox.define(name, sql)
    for table in targets(mapping):
        if table.name == "identities":
            continue
        sql = mapping.contacts if table.name == "contacts" else mapping.tables[table.name]
        place = "contacts" if table.name == "contacts" else f"tables.{table.name}"
        _keep(con, table, place, sandbox.select(place, sql))
    if mapping.identities or mapping.contacts:
        _make_identities(con, sandbox, mapping, key)


def _keep(con: duckdb.DuckDBPyConnection, table: Table, place: str, rows: pa.RecordBatchReader) -> None:
    names = rows.schema.names
    for name in names:
        if name != "_row" and table.column(name) is None:
            near = nearest(name, [c.name for c in table.columns])
            raise MappingError(
                f"The mapping's {place} gives a column {name!r} that {table.name} does not have.",
                f"Did you mean {', '.join(near)}?" if near else "Declare it under catalog.attributes, or leave it out.",
            )
    absent = [c.name for c in table.columns if c.name not in names and (c.required or _is_extra(table, c))]
    if absent:
        raise MappingError(f"The mapping's {place} does not give {', '.join(absent)}.", "Add it to the SELECT.")
    row = "" if "_row" in names else "NULL::BIGINT AS _row, "
    order = ["_row", *table.key] if "_row" in names else names
    con.register("incoming", rows)
    con.execute(
        f"CREATE TABLE {quoted('made_' + table.name)} AS SELECT row_number() OVER "
        f"(ORDER BY {', '.join(quoted(n) for n in order if n in names)}) AS _made, {row}* FROM incoming"
    )
    con.unregister("incoming")


def _is_extra(table: Table, column: Column) -> bool:
    return table.name == "customers" and BY_NAME["customers"].column(column.name) is None


def _make_identities(con: duckdb.DuckDBPyConnection, sandbox: Sandbox, mapping: Mapping, key: bytes) -> None:
    """Only HMACs with the bank's key are kept, so that equal values can be matched and none can be read."""
    con.execute(
        "CREATE TABLE made_identities (_made BIGINT, _row BIGINT, kind VARCHAR, value_hmac VARCHAR, customer_id VARCHAR)"
    )
    selects = [(i.kind, f"identities.{i.kind}", i.select) for i in mapping.identities]
    if mapping.contacts:
        inner = mapping.contacts.strip().rstrip(";")
        row = "_row, " if "_row" in sandbox.select("contacts", inner).schema.names else ""
        selects.append(("phone", "contacts", f"SELECT {row}customer_id, phone AS value FROM ({inner}) AS c"))
    number, seen = 0, set[tuple[str, str, str]]()
    for kind, place, sql in selects:
        reader = sandbox.select(place, sql)
        if not {"customer_id", "value"} <= set(reader.schema.names):
            raise MappingError(f"The mapping's {place} does not give customer_id and value.", "Name its columns so.")
        made: list[tuple[int, int | None, str, str, str]] = []
        for batch in reader:
            for record in batch.to_pylist():
                if record["value"] is None or record["customer_id"] is None:
                    continue
                value = hmac.new(key, normal(str(record["value"])).encode(), hashlib.sha256).hexdigest()
                entry = (kind, value, str(record["customer_id"]))
                if entry in seen:  # the same fact from another record: nothing is lost by keeping it once
                    continue
                seen.add(entry)
                number += 1
                made.append((number, record.get("_row"), *entry))
        if made:
            columns = list(zip(*made, strict=True))
            con.register("incoming", pa.table(
                [pa.array(columns[0], pa.int64()), pa.array(columns[1], pa.int64())] + [pa.array(c, pa.string()) for c in columns[2:]],
                names=["_made", "_row", "kind", "value_hmac", "customer_id"],
            ))  # fmt: skip
            con.execute("INSERT INTO made_identities SELECT * FROM incoming")
            con.unregister("incoming")


def normal(value: str) -> str:
    """An identifying value as it is compared: widths and case folded, spaces and hyphens dropped."""
    return re.sub(r"[\s\-]", "", fold(value))


def check(con: duckdb.DuckDBPyConnection, mapping: Mapping) -> None:
    """Make `typed_<table>` and find every bad row, again and again until no more parents go missing."""
    tables = targets(mapping)
    cut_off = naive_utc(mapping.cut_off)
    last_day = mapping.cut_off.astimezone(ZoneInfo(mapping.zone)).replace(tzinfo=None)
    futures = {("customers", a.name) for a in mapping.catalog.attributes if a.future} | FUTURE_IS_FINE
    for table in tables:
        held = dict(con.execute(
            "SELECT column_name, data_type FROM duckdb_columns() WHERE database_name = current_database() AND table_name = ?",
            ["made_" + table.name],
        ).fetchall())  # fmt: skip
        _type(con, table, held)
        for column in table.columns:
            _check_column(
                con, table, column, held, None if (table.name, column.name) in futures else (cut_off, last_day)
            )
    names = {t.name for t in tables}
    for table in tables:
        for column in table.columns:
            parent = column.references.partition(".")[0]
            if parent and parent not in names:
                _refuse_unfilled(con, table, column, parent)
    while True:
        before = _count(con)
        for table in tables:
            _check_key(con, table)
            for column in table.columns:
                if column.references and column.references.partition(".")[0] in names:
                    _check_reference(con, table, column)
        if _count(con) == before:
            return


def _type(con: duckdb.DuckDBPyConnection, table: Table, held: dict[str, str]) -> None:
    fields = ", ".join(
        f"{canonical(quoted(c.name), held[c.name], c.type) if c.name in held else f'NULL::{c.type}'} AS {quoted(c.name)}"
        for c in table.columns
    )
    con.execute(
        f"CREATE TABLE {quoted('typed_' + table.name)} AS SELECT _made, _row, {fields} FROM {quoted('made_' + table.name)}"
    )


def _check_column(
    con: duckdb.DuckDBPyConnection,
    table: Table,
    column: Column,
    held: dict[str, str],
    limit: tuple[datetime, datetime] | None,
) -> None:
    value = f"t.{quoted(column.name)}"
    if column.name in held and held[column.name] != column.type:
        _note(
            con,
            table,
            "type",
            column,
            column.type,
            f"m.{quoted(column.name)} IS NOT NULL AND {value} IS NULL",
            made=True,
        )
    if column.required:
        given = f"m.{quoted(column.name)}" if column.name in held else value
        _note(con, table, "required", column, "", f"{given} IS NULL", made=True)
    if column.allowed:
        wrong = f"{value} IS NOT NULL AND NOT list_contains(?, {value})"
        _note(con, table, "allowed", column, ", ".join(column.allowed), wrong, [list(column.allowed)])
    if limit and column.type in ("DATE", "TIMESTAMP"):
        last = limit[0] if column.type == "TIMESTAMP" else limit[1].date()
        _note(con, table, "future", column, "", f"{value} > ?", [last])


def _note(
    con: duckdb.DuckDBPyConnection,
    table: Table,
    kind: str,
    column: Column,
    expected: str,
    wrong: str,
    params: list[object] | None = None,
    *,
    made: bool = False,
) -> None:
    join = f"JOIN {quoted('made_' + table.name)} AS m USING (_made)" if made else ""
    con.execute(
        f"INSERT INTO problems SELECT t._row, '', t._row % {ROWS_PER_SOURCE}, ?, t._made, ?, ?, ? "
        f"FROM {quoted('typed_' + table.name)} AS t {join} WHERE {wrong}",
        [table.name, kind, column.name, expected, *(params or [])],
    )


def usable(table: str) -> str:
    """A relation: the rows of `typed_<table>` that nothing is wrong with, neither themselves nor their record."""
    return (
        f"(SELECT * FROM {quoted('typed_' + table)} WHERE _made NOT IN (SELECT made FROM problems WHERE tbl = '{table}') "
        "AND (_row IS NULL OR _row NOT IN (SELECT _row FROM problems WHERE _row IS NOT NULL)))"
    )


def _count(con: duckdb.DuckDBPyConnection) -> int:
    row = con.execute("SELECT count(*) FROM problems").fetchone()
    return int(row[0]) if row else 0


def _check_key(con: duckdb.DuckDBPyConnection, table: Table) -> None:
    """Of rows with one key the first is kept."""
    if not table.key:
        return
    key = ", ".join(quoted(c) for c in table.key)
    con.execute(
        f"INSERT INTO problems SELECT _row, '', _row % {ROWS_PER_SOURCE}, ?, _made, 'duplicate', ?, '' FROM ("
        f"SELECT _row, _made, row_number() OVER (PARTITION BY {key} ORDER BY _made) AS n FROM {usable(table.name)}"
        ") WHERE n > 1",
        [table.name, ", ".join(table.key)],
    )


def _check_reference(con: duckdb.DuckDBPyConnection, table: Table, column: Column) -> None:
    parent, _, key = column.references.partition(".")
    con.execute(
        f"INSERT INTO problems SELECT _row, '', _row % {ROWS_PER_SOURCE}, ?, _made, 'dangling', ?, ? FROM {usable(table.name)} AS u "
        f"WHERE {quoted(column.name)} IS NOT NULL AND NOT EXISTS "
        f"(SELECT 1 FROM {usable(parent)} AS p WHERE p.{quoted(key)} = u.{quoted(column.name)})",
        [table.name, column.name, column.references],
    )


def _refuse_unfilled(con: duckdb.DuckDBPyConnection, table: Table, column: Column, parent: str) -> None:
    row = con.execute(f"SELECT count({quoted(column.name)}) FROM {quoted('typed_' + table.name)}").fetchone()
    if row and row[0]:
        raise MappingError(
            f"The mapping's tables.{table.name} gives {column.name}, which refers to {parent}, but does not fill {parent}.",
            f"Add a SELECT for {parent}, or leave {column.name} out.",
        )
