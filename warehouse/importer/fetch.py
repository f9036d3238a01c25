"""A database query staged to Parquet by a process of its own: the driver, its memory and the password stay there.

`python -m warehouse.importer.fetch` reads {"url", "query", "out"} as JSON from standard input, so that no password is seen in
the list of processes, and writes every value as text: types are checked with all other sources' later.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import date, datetime, time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from warehouse.importer.mapping import MappingError

BATCH = 50_000
FROM_ENVIRONMENT = "env:"


def fetch(name: str, url: str, query: str, out: Path) -> str:
    """Run a query in another database and keep its rows in a Parquet file.

    Args:
        url: of SQLAlchemy, or `env:NAME` for the environment variable that holds it.

    Returns:
        Where the rows came from, without the password.

    Raises:
        MappingError: the URL cannot be used or the query fails.
    """
    address = _address(name, url)
    label = _label(name, address)
    order = json.dumps({"url": address, "query": query, "out": str(out)})
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-m", "warehouse.importer.fetch"],
        input=order,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))},
    )
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
        raise MappingError(
            f"The query of source {name!r} failed at {label}: {reason}",
            "Check `url`, `query` and that the database can be reached and its driver is installed.",
        )
    return label


def _address(name: str, url: str) -> str:
    if not url.startswith(FROM_ENVIRONMENT):
        return url
    variable = url.removeprefix(FROM_ENVIRONMENT)
    if variable not in os.environ:
        raise MappingError(
            f"Source {name!r} takes its URL from {variable}, which is not set.", f"Set {variable} and import again."
        )
    return os.environ[variable]


def _label(name: str, address: str) -> str:
    try:
        return make_url(address).render_as_string(hide_password=True)
    except SQLAlchemyError:
        raise MappingError(
            f"The URL of source {name!r} is not one of SQLAlchemy.", "Write it as postgresql+psycopg://user@host/bank."
        ) from None


def copy(url: str, query: str, out: Path) -> int:
    """Write the query's rows to a Parquet file of text columns; how many."""
    engine = create_engine(url)
    rows = 0
    try:
        with engine.connect().execution_options(stream_results=True, yield_per=BATCH) as con:
            result = con.exec_driver_sql(query)
            schema = pa.schema([(column, pa.string()) for column in result.keys()])  # noqa: SIM118
            with pq.ParquetWriter(out, schema) as writer:
                for batch in result.partitions(BATCH):
                    writer.write_table(_table(batch, schema))
                    rows += len(batch)
    finally:
        engine.dispose()
    return rows


def _table(batch: Sequence[Sequence[object]], schema: pa.Schema) -> pa.Table:
    columns = zip(*batch, strict=True)
    return pa.table([pa.array([as_text(v) for v in column], pa.string()) for column in columns], schema=schema)


def as_text(value: object) -> str | None:
    """A driver's value as the importer reads it."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else str(value)


def main() -> int:
    order = json.load(sys.stdin)
    try:
        copy(order["url"], order["query"], Path(order["out"]))
    except (SQLAlchemyError, ImportError, pa.ArrowInvalid) as error:
        secret = _password(order["url"])
        first = str(error).splitlines()[0]
        sys.stderr.write(f"{type(error).__name__}: {first.replace(secret, '***') if secret else first}\n")
        return 2
    return 0


def _password(url: str) -> str:
    return make_url(url).password or ""


if __name__ == "__main__":
    sys.exit(main())
