"""Ibis as a compiler only: expressions become DuckDB's SQL, our own connection runs it."""

import ibis
import ibis.expr.types as ir


def to_sql(expression: ir.Expr) -> str:
    return str(ibis.to_sql(expression, dialect="duckdb"))
