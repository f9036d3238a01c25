"""From text to typed source tables: null tokens, declared types, required and allowed values, repeated rows."""

import duckdb

from warehouse.importer.casts import typed
from warehouse.importer.mapping import Source, SourceColumn
from warehouse.importer.staging import ROWS_PER_SOURCE, Staged, quoted

PROBLEMS = """
CREATE TABLE problems (_row BIGINT, source VARCHAR, record BIGINT, tbl VARCHAR, made BIGINT,
                       kind VARCHAR, col VARCHAR, expected VARCHAR);
CREATE TABLE unreadable (_row BIGINT, source VARCHAR, record BIGINT, line BIGINT, raw VARCHAR, kind VARCHAR);
"""
"""What is wrong with which record. `_row` is NULL for a made row that comes from no single record."""

PLAIN = SourceColumn()


def check_source(con: duckdb.DuckDBPyConnection, staged: Staged, source: Source) -> None:
    """Find the bad records of `raw_<name>`, and make `good.<name>`: `_row`, `_number`, `_line` and typed columns.

    `good` is an attached database that holds nothing else: what the mapping's SELECTs get to see.
    """
    name, base = staged.name, staged.ordinal * ROWS_PER_SOURCE
    clean = quoted("clean_" + name)
    specs = [(c, source.columns.get(c, PLAIN)) for c in staged.columns]
    values = ", ".join(
        f"CASE WHEN NOT list_contains(?, trim({quoted(c)})) THEN {quoted(c)} END AS {quoted(c)}" for c, _ in specs
    )
    con.execute(
        f"CREATE TABLE {clean} AS SELECT _number, _line, {values} FROM {quoted('raw_' + name)}",
        [[*source.nulls, *spec.nulls] for _, spec in specs],
    )
    for column, spec in specs:
        for kind, expected, wrong, params in _wrong(column, spec):
            con.execute(
                f"INSERT INTO problems SELECT ? + _number, ?, _number, '', NULL, ?, ?, ? FROM {clean} WHERE {wrong}",
                [base, name, kind, column, expected, *params],
            )
    if source.unique:
        _repeated(con, staged, source)
    fields = ", ".join(f"{typed(quoted(c), spec.type)} AS {quoted(c)}" for c, spec in specs)
    con.execute(
        f"CREATE TABLE good.{quoted(name)} AS SELECT {base} + _number AS _row, _number, _line, {fields} FROM {clean} "
        "WHERE _number NOT IN (SELECT record FROM problems WHERE source = ?) ORDER BY _number",
        [name],
    )
    con.execute(f"DROP TABLE {clean}")


def _wrong(column: str, spec: SourceColumn) -> list[tuple[str, str, str, list[object]]]:
    """(kind, expected, condition, parameters) of what a column's description rules out."""
    value = quoted(column)
    found: list[tuple[str, str, str, list[object]]] = []
    if spec.type != "VARCHAR":
        found.append(("type", spec.type, f"{value} IS NOT NULL AND {typed(value, spec.type)} IS NULL", []))
    if spec.required:
        found.append(("required", "", f"{value} IS NULL", []))
    if spec.allowed:
        found.append(
            (
                "allowed",
                ", ".join(spec.allowed),
                f"{value} IS NOT NULL AND NOT list_contains(?, {value})",
                [spec.allowed],
            )
        )
    return found


def _repeated(con: duckdb.DuckDBPyConnection, staged: Staged, source: Source) -> None:
    whole = source.unique == ["*"]
    columns = staged.columns if whole else source.unique
    same = ", ".join(quoted(c) for c in columns)
    con.execute(
        f"""
        INSERT INTO problems
        SELECT ? + _number, ?, _number, '', NULL, ?, ?, '' FROM (
          SELECT _number, row_number() OVER (PARTITION BY {same} ORDER BY _number) AS n
          FROM {quoted("clean_" + staged.name)} WHERE _number NOT IN (SELECT record FROM problems WHERE source = ?)
        ) WHERE n > 1
        """,
        [
            staged.ordinal * ROWS_PER_SOURCE, staged.name, "repeated" if whole else "duplicate",
            "" if whole else ", ".join(columns), staged.name,
        ],
    )  # fmt: skip
