"""Sources as they are: every record as text with its number and line, the unreadable ones set aside with a reason."""

import csv
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa

from warehouse.catalog import nearest
from warehouse.importer.lines import Block, Dialect, Lines, blocks, header
from warehouse.importer.mapping import MappingError, Source

ROWS_PER_SOURCE = 1 << 40
"""`_row`, the one number that names a record across sources, is ordinal * this + the record's number."""

csv.field_size_limit(1 << 24)


@dataclass(frozen=True)
class Staged:
    """What became of a source: table `raw_<name>` (`_number`, `_line`, `_raw`, then its columns as text).

    `read` counts records, readable or not; `truncated` says that the file breaks
    off; `origin` is the database that the file was copied from, without its password.
    """

    name: str
    ordinal: int
    path: Path
    sha256: str
    size: int
    columns: list[str]
    read: int
    truncated: bool
    origin: str = ""


def quoted(name: str) -> str:
    """An identifier for SQL."""
    return '"' + name.replace('"', '""') + '"'


def kind_of(path: Path, source: Source) -> str:
    """How a file is to be read: as the mapping says, else by its ending."""
    if source.format:
        return source.format
    ending = "".join(path.suffixes[-2:]).lower()
    if ending.endswith(".parquet"):
        return "parquet"
    if ending.endswith((".json", ".jsonl", ".ndjson", ".json.gz", ".jsonl.gz", ".ndjson.gz")):
        return "json"
    return "csv"


def stage(
    con: duckdb.DuckDBPyConnection, name: str, ordinal: int, source: Source, path: Path, tell: Callable[[int], None]
) -> Staged:
    """Read one source into `raw_<name>`, and its unreadable records into `unreadable`.

    Args:
        con: the importer's own database, which has the table `unreadable`.
        tell: called now and then with the number of records read so far.

    Raises:
        MappingError: the file is missing or cannot be read as a whole, or a declared column is not in it.
    """
    if not path.is_file():
        raise MappingError(f"The file {path} of source {name!r} is missing.", f"Name it with `--source {name}=PATH`.")
    kind = kind_of(path, source)
    if kind == "csv":
        columns, read, truncated = _stage_csv(con, name, ordinal, source, path, tell)
    elif kind == "json":
        columns, read, truncated = _stage_json(con, name, ordinal, source, path, tell)
    else:
        columns, read, truncated = *_stage_parquet(con, name, path), False
    missing = [c for c in source.columns if c not in columns]
    if missing:
        near = nearest(missing[0], columns)
        raise MappingError(
            f"The file {path.name} of source {name!r} has no column {missing[0]!r}.",
            f"It may be {', '.join(near)}." if near else f"Its columns are {', '.join(columns[:30])}.",
        )
    sha256, size = _hash(path)
    return Staged(name, ordinal, path, sha256, size, columns, read, truncated)


def _hash(path: Path) -> tuple[str, int]:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest(), path.stat().st_size


def _stage_csv(
    con: duckdb.DuckDBPyConnection, name: str, ordinal: int, source: Source, path: Path, tell: Callable[[int], None]
) -> tuple[list[str], int, bool]:
    try:
        columns = header(path, source.encoding, source.delimiter, source.quote) if source.header else list(source.names)
    except (ValueError, UnicodeDecodeError) as error:
        reason = "its first line is not in that encoding" if isinstance(error, UnicodeDecodeError) else str(error)
        raise MappingError(
            f"The file {path.name} of source {name!r} cannot be read: {reason}.",
            "Check encoding, delimiter and header of the source in the mapping.",
        ) from None
    _check_names(columns, name, path)
    dialect = Dialect(source.encoding, source.delimiter, source.quote, len(columns), source.final_newline)
    with Lines(path) as lines:
        read = _fill(con, name, ordinal, columns, blocks(lines, dialect, skip_header=source.header), tell)
        return columns, read, lines.truncated


def _stage_json(
    con: duckdb.DuckDBPyConnection, name: str, ordinal: int, source: Source, path: Path, tell: Callable[[int], None]
) -> tuple[list[str], int, bool]:
    """JSON Lines: one object per line. The columns are the declared ones and those of the first object."""
    with Lines(path) as lines:
        first = _object(lines.peek(0) or b"", source.encoding) or {}
        columns = list(dict.fromkeys([*first, *source.columns]))
        if not columns:
            raise MappingError(
                f"The file {path.name} of source {name!r} has no object in its first line.",
                "Write one JSON object per line, or describe the columns in the mapping.",
            )
        _check_names(columns, name, path)
        read = _fill(con, name, ordinal, columns, _json_blocks(lines, source.encoding, columns), tell)
        return columns, read, lines.truncated


def _object(raw: bytes, encoding: str) -> dict[str, object] | None:
    try:
        value = json.loads(raw.decode(encoding))
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _json_blocks(lines: Lines, encoding: str, columns: list[str]) -> Iterator[Block]:
    number, known = 0, set(columns)
    while not lines.ended:
        block = Block()
        for raw in lines.take(10_000):
            number += 1
            text = raw.decode(encoding, "backslashreplace").rstrip("\r\n")
            record = _object(raw, encoding)
            if record is None or not record.keys() <= known:
                last = lines.ended and not raw.endswith(b"\n")
                block.bad.append((number, number, text, "cut_off" if last else "json" if record is None else "fields"))
                continue
            block.numbers.append(number)
            block.lines.append(number)
            block.raw.append(text)
            block.rows.append([_as_text(record.get(column)) for column in columns])
        yield block


def _as_text(value: object) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _fill(
    con: duckdb.DuckDBPyConnection,
    name: str,
    ordinal: int,
    columns: list[str],
    stream: Iterator[Block],
    tell: Callable[[int], None],
) -> int:
    fields = ", ".join(f"{quoted(c)} VARCHAR" for c in columns)
    con.execute(f"CREATE TABLE {quoted('raw_' + name)} (_number BIGINT, _line BIGINT, _raw VARCHAR, {fields})")
    read = 0
    for block in stream:
        read += len(block.numbers) + len(block.bad)
        if block.numbers:
            values = list(zip(*block.rows, strict=True))
            chunk = pa.table(
                [
                    pa.array(block.numbers, pa.int64()),
                    pa.array(block.lines, pa.int64()),
                    pa.array(block.raw, pa.string()),
                ]
                + [pa.array(column, pa.string()) for column in values],
                names=["_number", "_line", "_raw", *columns],
            )
            con.register("chunk", chunk)
            con.execute(f"INSERT INTO {quoted('raw_' + name)} SELECT * FROM chunk")
            con.unregister("chunk")
        if block.bad:
            con.executemany(
                "INSERT INTO unreadable VALUES (?, ?, ?, ?, ?, ?)",
                [(ordinal * ROWS_PER_SOURCE + n, name, n, line, raw, kind) for n, line, raw, kind in block.bad],
            )
        tell(read)
    return read


def _stage_parquet(con: duckdb.DuckDBPyConnection, name: str, path: Path) -> tuple[list[str], int]:
    """Parquet has no lines: the place of a record is its number. Values become text; types are checked later."""
    try:
        con.execute("SELECT * FROM read_parquet(?) LIMIT 0", [str(path)])
        columns = [d[0] for d in con.description or []]
        _check_names(columns, name, path)
        fields = ", ".join(f"CAST({quoted(c)} AS VARCHAR) AS {quoted(c)}" for c in columns)
        con.execute(
            f"CREATE TABLE {quoted('raw_' + name)} AS SELECT file_row_number + 1 AS _number, NULL::BIGINT AS _line, "
            f"NULL::VARCHAR AS _raw, {fields} FROM read_parquet(?, file_row_number = true)",
            [str(path)],
        )
    except duckdb.Error as error:
        raise MappingError(
            f"The Parquet file {path.name} of source {name!r} cannot be read: {_first_line(error)}.",
            "A Parquet file that was cut off or damaged is lost as a whole: export it again.",
        ) from None
    rows = con.execute(f"SELECT count(*) FROM {quoted('raw_' + name)}").fetchone()
    return columns, int(rows[0]) if rows else 0


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0].rstrip(".")


def _check_names(columns: list[str], name: str, path: Path) -> None:
    lowered = [c.lower() for c in columns]
    repeated = sorted({c for c in lowered if lowered.count(c) > 1})
    reserved = [c for c in lowered if c in ("", "_number", "_line", "_raw", "_row")]
    if repeated or reserved:
        what = f"the column name {repeated[0]!r} twice" if repeated else f"a column named {reserved[0]!r}"
        raise MappingError(
            f"The file {path.name} of source {name!r} has {what}.",
            "Give every column a name of its own, or set `header: false` and list `names`.",
        )
