"""What Ibis compiles differently from what a segment means, or not at all, put right per engine.

Every engine is to give the same customers for the same tree. Where Ibis' own rule for an engine would not (Spark's JSON
texts), or where it has none (md5 on Trino, ClickHouse and PostgreSQL), the rule is here. docs/scale.md tells what is left.
"""

from functools import cache
from typing import Any, ClassVar, Literal, TypeAlias

import ibis.expr.types as ir
import sqlglot.expressions as sge
from ibis.backends.sql.compilers.base import NULL, SQLGlotCompiler
from ibis.backends.sql.compilers.clickhouse import ClickHouseCompiler
from ibis.backends.sql.compilers.duckdb import DuckDBCompiler
from ibis.backends.sql.compilers.postgres import PostgresCompiler
from ibis.backends.sql.compilers.pyspark import PySparkCompiler
from ibis.backends.sql.compilers.trino import TrinoCompiler

Dialect: TypeAlias = Literal["duckdb", "spark", "trino", "clickhouse", "postgres"]

JSON_PART = "touchline_json_part"
"""A function of a Spark session (`SparkEngine` defines it): a part of a JSON text with its type kept, as a VARIANT."""


class _Spark(PySparkCompiler):  # type: ignore[misc]
    """Spark's `get_json_object` drops the quotes that tell a text from a number; NaN is a number, not unknown."""

    __slots__ = ()
    SIMPLE_OPS: ClassVar[
        dict[Any, str]
    ] = {}  # the parent's are made already; inherited ones would undo the rules below

    def visit_JSONGetItem(self, op: Any, *, arg: Any, index: Any) -> Any:
        return self.f.anon[JSON_PART](arg, index)

    def visit_UnwrapJSONString(self, op: Any, *, arg: Any) -> Any:
        return self.if_(self._kind(arg).eq(sge.convert("STRING")), self._as(arg, "string"), NULL)

    def visit_UnwrapJSONFloat64(self, op: Any, *, arg: Any) -> Any:
        number = self._kind(arg).rlike(sge.convert("^(BIGINT|DECIMAL|DOUBLE|FLOAT)"))
        return self.if_(number, self._as(arg, "double"), NULL)

    def visit_UnwrapJSONBoolean(self, op: Any, *, arg: Any) -> Any:
        return self.if_(self._kind(arg).eq(sge.convert("BOOLEAN")), self._as(arg, "boolean"), NULL)

    def _kind(self, part: Any) -> Any:
        return self.f.anon.schema_of_variant(part)

    def _as(self, part: Any, kind: str) -> Any:
        return self.f.anon.try_variant_get(part, sge.convert("$"), sge.convert(kind))

    def visit_NonNullLiteral(self, op: Any, *, value: Any, dtype: Any) -> Any:
        if dtype.is_floating():
            return SQLGlotCompiler.visit_NonNullLiteral(self, op, value=value, dtype=dtype)
        return super().visit_NonNullLiteral(op, value=value, dtype=dtype)

    def visit_Field(self, op: Any, *, rel: Any, name: str) -> Any:
        return SQLGlotCompiler.visit_Field(self, op, rel=rel, name=name)

    def visit_IsNull(self, op: Any, *, arg: Any) -> Any:
        return arg.is_(NULL)

    def visit_NotNull(self, op: Any, *, arg: Any) -> Any:
        return arg.is_(NULL).not_()


class _Trino(TrinoCompiler):  # type: ignore[misc]
    __slots__ = ()

    def visit_HexDigest(self, op: Any, *, arg: Any, how: str) -> Any:
        return self.f.lower(self.f.anon.to_hex(self.f.anon.md5(self.f.anon.to_utf8(arg))))


class _ClickHouse(ClickHouseCompiler):  # type: ignore[misc]
    __slots__ = ()

    def visit_HexDigest(self, op: Any, *, arg: Any, how: str) -> Any:
        return self.f.lower(self.f.anon.hex(self.f.anon.MD5(arg)))


class _Postgres(PostgresCompiler):  # type: ignore[misc]
    __slots__ = ()

    def visit_HexDigest(self, op: Any, *, arg: Any, how: str) -> Any:
        return self.f.anon.md5(arg)


@cache
def _compiler(dialect: Dialect) -> SQLGlotCompiler:
    compilers = {
        "duckdb": DuckDBCompiler, "spark": _Spark, "trino": _Trino, "clickhouse": _ClickHouse, "postgres": _Postgres,
    }  # fmt: skip
    return compilers[dialect]()


def to_sql(expression: ir.Expr, dialect: Dialect = "duckdb") -> str:
    """One SELECT in an engine's SQL, without parameters."""
    compiler = _compiler(dialect)
    return str(compiler.to_sqlglot(expression.unbind()).sql(dialect=compiler.dialect, pretty=True, copy=False))
