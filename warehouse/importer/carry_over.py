"""What a re-import must not lose: what Touchline itself wrote into the warehouse since the import before.

The bank's files replace the bank's rows. Sent touches (caps count them), running journeys, the outbox, uploaded lists and
opt-outs that came in meanwhile are not in those files and are kept.
"""

import json
from pathlib import Path

import duckdb

from warehouse.importer.staging import quoted
from warehouse.schema import BY_NAME

REPLACED = ("quarantined",)


def carry_over(old: Path, new: Path) -> dict[str, int]:
    """Copy from the old warehouse into the new one.

    Returns:
        Rows kept, by table (`consents` counts opt-outs); empty where there was no warehouse or only a demo bank.
    """
    if not old.exists():
        return {}
    con = duckdb.connect(str(new))
    try:
        con.execute(f"ATTACH '{str(old).replace(chr(39), chr(39) * 2)}' AS old (READ_ONLY)")
        listed = con.execute("SELECT value FROM old.meta WHERE key = 'import:campaigns'").fetchone()
        if listed is None:  # a demo bank: its customers and campaigns are made up
            return {}
        con.execute("BEGIN TRANSACTION")
        kept = _own_tables(con) | _own_campaigns(con, json.loads(listed[0]))
        kept |= {"consents": _opt_outs(con), "suppressions": _suppressions(con)}
        con.execute("COMMIT")
        con.execute("DETACH old")
        con.execute("CHECKPOINT")
        return {name: count for name, count in kept.items() if count}
    finally:
        con.close()


def _insert(con: duckdb.DuckDBPyConnection, sql: str, params: list[object] | None = None) -> int:
    row = con.execute(sql, params or []).fetchone()
    return int(row[0]) if row else 0


def _own_tables(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Tables that are not the bank's: enrolments, reservations, outbox, receipts, uploaded lists."""
    names = con.execute(
        "SELECT table_name FROM duckdb_tables() WHERE database_name = 'old' AND NOT temporary ORDER BY 1"
    ).fetchall()
    kept = {}
    for (name,) in names:
        if name not in BY_NAME and name not in REPLACED:
            con.execute(f"CREATE TABLE {quoted(name)} AS SELECT * FROM old.{quoted(name)} LIMIT 0")
            kept[str(name)] = _insert(con, f"INSERT INTO {quoted(name)} SELECT * FROM old.{quoted(name)}")
    return kept


def _own_campaigns(con: duckdb.DuckDBPyConnection, imported: list[str]) -> dict[str, int]:
    con.execute(
        """
        CREATE TEMP TABLE own AS
        SELECT DISTINCT campaign_id FROM (
          SELECT campaign_id FROM old.campaigns UNION ALL SELECT campaign_id FROM old.assignments
          UNION ALL SELECT campaign_id FROM old.touches)
        WHERE campaign_id IS NOT NULL AND NOT list_contains(?, campaign_id)
          AND campaign_id NOT IN (SELECT campaign_id FROM campaigns)
        """,
        [imported],
    )
    kept = {}
    for name in ("campaigns", "assignments", "touches"):
        names = ", ".join(quoted(c.name) for c in BY_NAME[name].columns)
        kept[name] = _insert(
            con, f"INSERT INTO {name} ({names}) SELECT {names} FROM old.{name} WHERE campaign_id IN (FROM own)"
        )
    names = ", ".join(quoted(c.name) for c in BY_NAME["grants"].columns)
    kept["grants"] = _insert(
        con,
        f"INSERT INTO grants ({names}) SELECT {names} FROM old.grants WHERE grant_id NOT IN (SELECT grant_id FROM grants) "
        "AND touch_id IN (SELECT touch_id FROM touches WHERE campaign_id IN (FROM own))",
    )
    return kept


def _opt_outs(con: duckdb.DuckDBPyConnection) -> int:
    """A refusal is kept unless the bank records a later consent; an assumed consent never undoes one."""
    con.execute(
        """
        CREATE TEMP TABLE refused AS
        SELECT o.* FROM old.consents AS o LEFT JOIN consents AS n USING (customer_id, channel, purpose)
        WHERE NOT o.opted_in AND o.customer_id IN (SELECT customer_id FROM customers) AND (
          n.opted_in IS NULL
          OR n.opted_in AND (n.source LIKE 'assumed%' OR n.updated_at IS NULL OR o.updated_at > n.updated_at))
        """
    )
    con.execute("DELETE FROM consents AS n USING refused AS r WHERE (n.customer_id, n.channel, n.purpose) = (r.customer_id, r.channel, r.purpose)")  # fmt: skip
    names = ", ".join(quoted(c.name) for c in BY_NAME["consents"].columns)
    return _insert(con, f"INSERT INTO consents ({names}) SELECT {names} FROM refused")


def _suppressions(con: duckdb.DuckDBPyConnection) -> int:
    """Suppressions since the old data cut-off came in through Touchline; they stay until the bank's files have them."""
    return _insert(
        con,
        """
        INSERT INTO suppressions (customer_id, reason, since, until)
        SELECT customer_id, reason, since, until FROM old.suppressions AS o
        WHERE since > (SELECT timezone('UTC', value::TIMESTAMPTZ) FROM old.meta WHERE key = 'as_of')
          AND customer_id IN (SELECT customer_id FROM customers)
          AND NOT EXISTS (SELECT 1 FROM suppressions AS s WHERE s.customer_id = o.customer_id AND s.reason = o.reason)
        """,
    )
