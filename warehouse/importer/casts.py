"""SQL that turns text into a typed value, or NULL where it is not one. The type names come from schema and mapping."""

INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT")


def typed(value: str, target: str) -> str:
    """An expression of type `target` for the text expression `value`; NULL where the text does not fit.

    Integers must be whole ('1.0' is, '1.5' is not); numbers finite; a time without an offset is bank time (the session's
    zone) and comes out as an instant: TIMESTAMPTZ.
    """
    if target in INTEGERS:
        whole = f"TRY_CAST({value} AS DECIMAL(38, 9))"
        return f"CASE WHEN {whole} = trunc({whole}) THEN TRY_CAST(TRY_CAST({whole} AS HUGEINT) AS {target}) END"
    if target == "DOUBLE":
        return f"CASE WHEN isfinite(TRY_CAST({value} AS DOUBLE)) THEN TRY_CAST({value} AS DOUBLE) END"
    if target == "TIMESTAMP":
        return f"TRY_CAST({value} AS TIMESTAMPTZ)"
    if target == "VARCHAR":
        return value
    return f"TRY_CAST({value} AS {target})"


def canonical(column: str, held: str, target: str) -> str:
    """An expression of a canonical column's type for a mapping's result column that holds type `held`.

    Instants become naive UTC, the form of the warehouse's TIMESTAMP columns.
    """
    if target == "TIMESTAMP":
        return f"timezone('UTC', TRY_CAST({column} AS TIMESTAMPTZ))"
    if held == target:
        return column
    return typed(f"CAST({column} AS VARCHAR)", target)
