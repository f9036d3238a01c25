"""Where a segment's expression runs: DuckDB in this process, or Spark where one machine is outgrown.

The tree and its compiler are the same for all; an engine turns the Ibis expression into its own SQL and runs it. Several
segments at once are the columns of one query (`flags`), which an engine reads the customers for only once.
"""

import os
import shutil
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import ibis.expr.types as ir
import pyarrow as pa

from tools.segment import schema as s
from tools.segment.compiler import Compiler
from tools.segment.dialects import JSON_PART, Dialect, to_sql
from warehouse.errors import AdminFixes
from warehouse.schema import TABLES
from warehouse.store import Warehouse

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_REQUIRED = {table.name: tuple(c.name for c in table.columns if c.required) for table in TABLES}

LIST_MEMBERS = "list_members"
"""Beside the canonical tables: uploaded lists, if there are any."""


class Engine(Protocol):
    """Runs Ibis expressions over the canonical tables."""

    dialect: Dialect

    def run(self, expression: ir.Table) -> pa.Table: ...


class DuckEngine:
    """The embedded default: the warehouse of this home, read through its guarded handle."""

    dialect: Dialect = "duckdb"

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse

    def run(self, expression: ir.Table) -> pa.Table:
        return self.warehouse.read_arrow(to_sql(expression))


class SparkEngine:
    """Spark over a folder of Parquet: `<table>.parquet` for every canonical table, as `export_tables` writes them.

    Args:
        folder: a path or address that Spark can read.
        session: the session to use; its settings stay as they are. None: a local one on two cores.

    Raises:
        AdminFixes: PySpark or Java is missing, or there is no `customers.parquet`.
    """

    dialect: Dialect = "spark"

    def __init__(self, folder: Path | str, session: "SparkSession | None" = None) -> None:
        self._session = (session or local_session()).newSession()
        self._session.conf.set("spark.sql.session.timeZone", "UTC")
        for function in _FUNCTIONS:
            self._session.sql(function)
        found = {
            name for name in (*(t.name for t in TABLES), LIST_MEMBERS) if self._view(name, f"{folder}/{name}.parquet")
        }
        if "customers" not in found:
            raise AdminFixes(
                f"There is no customers.parquet in {folder}.",
                "Write the tables there with tools.segment.engines.export_tables, or name their folder.",
            )

    def _view(self, name: str, path: str) -> bool:
        from pyspark.errors import AnalysisException

        try:
            rows = self._session.read.parquet(path)
        except AnalysisException as error:
            if "PATH_NOT_FOUND" in str(error):
                return False
            raise
        # Parquet columns may all be NULL to Spark, and `in` over keys that may be NULL is a loop over all pairs.
        for column in _REQUIRED.get(name, ("customer_id",)):
            rows = rows.filter(f"{column} IS NOT NULL")
        rows.createOrReplaceTempView(name)
        return True

    def run(self, expression: ir.Table) -> pa.Table:
        return self._session.sql(to_sql(expression, "spark")).toArrow()


_FUNCTIONS = (
    f"""CREATE OR REPLACE TEMPORARY FUNCTION {JSON_PART}(document STRING, name STRING) RETURNS VARIANT
        RETURN try_variant_get(try_parse_json(document), concat('$.', name), 'variant')""",
    """CREATE OR REPLACE TEMPORARY FUNCTION timezone(zone STRING, instant TIMESTAMP_NTZ) RETURNS TIMESTAMP_NTZ
        RETURN convert_timezone('UTC', zone, instant)""",
)
"""What a session needs beside Spark's own: JSON with types kept, and DuckDB's `timezone` on instants in UTC."""


def local_session(cores: int = 2, memory: str = "1g") -> "SparkSession":
    """A quiet Spark in this machine, bound to loopback, without its web pages.

    Raises:
        AdminFixes: PySpark or Java is missing.
    """
    if _java() is None:
        raise AdminFixes("Spark needs Java, and none was found.", "Install Java 17 or newer, or set JAVA_HOME.")
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # about pandas 3, whose frames are not used here
        try:
            from pyspark.sql import SparkSession
        except ImportError:
            raise AdminFixes(
                "Segments on Spark need PySpark.", "Install it with `make extras`, or `pip install 'touchline[spark]'`."
            ) from None

        builder: Any = SparkSession.builder
        settings = {
            "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1", "spark.driver.memory": memory,
            "spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.log.level": "ERROR",
            "spark.sql.shuffle.partitions": str(cores),
            "spark.sql.warehouse.dir": str(Path(tempfile.gettempdir()) / "touchline-spark"),  # else a folder wherever one stands
        }  # fmt: skip
        session: SparkSession = (
            builder.master(f"local[{cores}]").appName("touchline").config(map=settings).getOrCreate()
        )
    return session


def _java() -> str | None:
    home = os.environ.get("JAVA_HOME")
    return shutil.which("java", path=f"{home}/bin") if home else shutil.which("java")


def flags(compiler: Compiler, nodes: Mapping[str, s.Node]) -> ir.Table:
    """Every customer who may be seen, with one boolean column per segment; never NULL.

    The compiler must carry what all of the trees need (`Segments.compiler` of their conjunction).
    """
    here = compiler.here()
    everybody, index = here.customers, compiler.catalog.attribute_index
    columns = {name: here.condition(node, everybody, index, True).cast("boolean") for name, node in nodes.items()}
    return everybody.relation.select("customer_id", **columns)


def export_tables(warehouse: Warehouse, folder: Path) -> list[str]:
    """Write every canonical table, and the uploaded lists, to `<folder>/<table>.parquet` for another engine.

    Args:
        folder: inside one of the warehouse's own folders, such as the home's exports.

    Returns:
        The names of the tables written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    known = {row[0] for row in warehouse.read("SELECT table_name FROM information_schema.tables").rows}
    names = [name for name in (*(t.name for t in TABLES), LIST_MEMBERS) if name in known]
    with warehouse.overlay() as con:
        for name in names:
            target = str(folder / f"{name}.parquet").replace("'", "''")
            con.execute(f"COPY \"{name}\" TO '{target}' (FORMAT parquet, COMPRESSION zstd)")
    return names
