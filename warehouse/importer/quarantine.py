"""Records that were set aside: settled once, counted, and written with their place and original content."""

from pathlib import Path

import duckdb

from warehouse.importer.mapping import Text
from warehouse.importer.report import Reason, SourceReport, TableReport, message
from warehouse.importer.staging import ROWS_PER_SOURCE, Staged, quoted
from warehouse.importer.tables import usable
from warehouse.schema import Table

FIRST_PLACES = 5
COLUMNS = "source, record, line, tbl, col, kind, message_zh, message_en, content"


def settle(con: duckdb.DuckDBPyConnection, sources: list[Staged], tables: list[Table]) -> set[str]:
    """Name every problem's source, and set aside the records that no table takes.

    Returns:
        The sources whose records no table names (`_row`): they are only looked up in.
    """
    lookups = set()
    for staged in sources:
        low, high = staged.ordinal * ROWS_PER_SOURCE, (staged.ordinal + 1) * ROWS_PER_SOURCE
        con.execute("UPDATE problems SET source = ? WHERE _row BETWEEN ? AND ?", [staged.name, low, high - 1])
        # Contacts and identities do not make a record imported: it must be in the warehouse itself.
        made = " UNION ALL ".join(f"SELECT _row FROM {quoted('typed_' + t.name)}" for t in tables)
        con.execute(f"CREATE OR REPLACE TEMP TABLE taken AS SELECT DISTINCT _row FROM ({made}) WHERE _row BETWEEN ? AND ?",
                    [low, high - 1])  # fmt: skip
        if not con.execute("SELECT 1 FROM taken LIMIT 1").fetchone():
            lookups.add(staged.name)
            continue
        con.execute(
            f"INSERT INTO problems SELECT _row, ?, _number, '', NULL, 'unused', '', '' FROM good.{quoted(staged.name)} "
            "WHERE _row NOT IN (SELECT _row FROM taken)",
            [staged.name],
        )
    con.execute("INSERT INTO problems SELECT _row, source, record, '', NULL, kind, '', '' FROM unreadable")
    return lookups


def write(con: duckdb.DuckDBPyConnection, sources: list[Staged], tables: list[Table], folder: Path) -> None:
    """Fill table `quarantine` (one row per record and reason) and write it as Parquet and CSV into a private folder."""
    con.execute(
        "CREATE TABLE quarantine (source VARCHAR, record BIGINT, line BIGINT, tbl VARCHAR, col VARCHAR, kind VARCHAR, "
        "message_zh VARCHAR, message_en VARCHAR, content VARCHAR)"
    )
    con.execute(
        "CREATE TABLE texts (kind VARCHAR, col VARCHAR, expected VARCHAR, message_zh VARCHAR, message_en VARCHAR)"
    )
    for kind, col, expected in con.execute("SELECT DISTINCT kind, col, expected FROM problems ORDER BY ALL").fetchall():
        text = message(kind, col, expected)
        con.execute("INSERT INTO texts VALUES (?, ?, ?, ?, ?)", [kind, col, expected, text.zh, text.en])
    known = "SELECT DISTINCT _row, source, record, tbl, made, kind, col, expected FROM problems"
    for staged in sources:
        con.execute(
            f"""
            INSERT INTO quarantine
            SELECT p.source, p.record, coalesce(u.line, r._line), p.tbl, p.col, p.kind, message_zh, message_en,
                   coalesce(u.raw, r._raw, r._json)
            FROM ({known}) AS p JOIN texts USING (kind, col, expected)
            LEFT JOIN unreadable AS u ON u.source = p.source AND u.record = p.record
            LEFT JOIN (SELECT _number, _line, _raw, CASE WHEN _raw IS NULL THEN to_json(struct_pack({_pairs(staged)}))::VARCHAR END AS _json
                       FROM {quoted("raw_" + staged.name)}
                       WHERE _number IN (SELECT record FROM problems WHERE source = $name)) AS r ON r._number = p.record
            WHERE p.source = $name
            """,
            {"name": staged.name},
        )
    for table in tables:
        con.execute(
            f"""
            INSERT INTO quarantine
            SELECT '', NULL, NULL, p.tbl, p.col, p.kind, message_zh, message_en, to_json(m)::VARCHAR
            FROM ({known}) AS p JOIN texts USING (kind, col, expected) JOIN {quoted("made_" + table.name)} AS m ON m._made = p.made
            WHERE p._row IS NULL AND p.tbl = ?
            """,
            [table.name],
        )
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name, options in (("quarantine.parquet", "FORMAT parquet"), ("quarantine.csv", "FORMAT csv, HEADER")):
        path = str(folder / name).replace("'", "''")
        con.execute(f"COPY (SELECT {COLUMNS} FROM quarantine ORDER BY ALL) TO '{path}' ({options})")
        (folder / name).chmod(0o600)


def _pairs(staged: Staged) -> str:
    return ", ".join(f"{quoted(c)} := {quoted(c)}" for c in staged.columns)


def source_report(con: duckdb.DuckDBPyConnection, staged: Staged, tables: list[Table], *, lookup: bool) -> SourceReport:
    """Counted from both ends: imported from what the tables hold, quarantined from what was set aside."""
    low, high = staged.ordinal * ROWS_PER_SOURCE, (staged.ordinal + 1) * ROWS_PER_SOURCE - 1
    if lookup:
        imported = _count(con, f"SELECT count(*) FROM good.{quoted(staged.name)}")
    else:
        held = " UNION ALL ".join(f"SELECT _row FROM {usable(t.name)}" for t in tables)
        imported = _count(con, f"SELECT count(DISTINCT _row) FROM ({held}) WHERE _row BETWEEN {low} AND {high}")
    quarantined = _count(con, "SELECT count(DISTINCT record) FROM quarantine WHERE source = ?", staged.name)
    return SourceReport(
        name=staged.name, path=staged.origin or str(staged.path), sha256=staged.sha256, bytes=staged.size, read=staged.read,
        imported=imported, quarantined=quarantined, lookup=lookup, truncated=staged.truncated,
    )  # fmt: skip


def table_report(con: duckdb.DuckDBPyConnection, table: str, imported: int) -> TableReport:
    """`imported` is what the new store holds; what was set aside is counted apart from it."""
    made = quoted("typed_" + table)
    read = _count(con, f"SELECT count(*) FROM {made}")
    aside = _count(
        con,
        f"SELECT count(*) FROM {made} WHERE _made IN (SELECT made FROM problems WHERE tbl = ?) "
        "OR _row IN (SELECT _row FROM problems WHERE _row IS NOT NULL)",
        table,
    )
    return TableReport(name=table, read=read, imported=imported, quarantined=aside)


def reasons(con: duckdb.DuckDBPyConnection) -> list[Reason]:
    """Reasons with counts, most frequent first, each with its first places."""
    found = con.execute(
        """
        SELECT kind, source, tbl, col, message_zh, message_en, count(*) AS records,
               list(coalesce(line, record) ORDER BY record) FILTER (record IS NOT NULL) AS places
        FROM (SELECT DISTINCT kind, source, tbl, col, message_zh, message_en, record, line FROM quarantine
              WHERE record IS NOT NULL
              UNION ALL SELECT kind, source, tbl, col, message_zh, message_en, NULL, NULL FROM quarantine WHERE record IS NULL)
        GROUP BY ALL ORDER BY records DESC, source, tbl, col, kind
        """
    ).fetchall()
    return [
        Reason(
            kind=kind, source=source, table=table, column=col, records=count,
            message=Text(zh=zh, en=en), places=[f"{source}:{place}" for place in (places or [])[:FIRST_PLACES]] or [table],
        )
        for kind, source, table, col, zh, en, count, places in found
    ]  # fmt: skip


def _count(con: duckdb.DuckDBPyConnection, sql: str, *params: str) -> int:
    row = con.execute(sql, list(params)).fetchone()
    return int(row[0]) if row else 0
