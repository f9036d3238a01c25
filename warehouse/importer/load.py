"""The new stores: a warehouse filled from the checked rows, and a contact vault, both in a temporary folder."""

import json
from pathlib import Path

import duckdb

from warehouse.clock import naive_utc
from warehouse.importer.mapping import Mapping, MappingError
from warehouse.importer.staging import quoted
from warehouse.importer.tables import targets, usable
from warehouse.schema import CONTACTS_DDL, SCHEMA_VERSION, TABLES

QUARANTINED_DDL = """
CREATE TABLE quarantined (source VARCHAR, record BIGINT, line BIGINT, tbl VARCHAR, col VARCHAR, kind VARCHAR)
"""
"""What was set aside, without its content: that is in the home's quarantine folder only."""


def load(work: Path, warehouse: Path, contacts: Path, mapping: Mapping, zone: str) -> dict[str, int]:
    """Fill both stores from the work database.

    Returns:
        Rows now held, by table (`contacts` among them).
    """
    con = duckdb.connect(str(warehouse))
    try:
        con.execute(f"SET TimeZone = '{zone}'")
        _create(con, mapping)
        con.execute(f"ATTACH {_literal(work)} AS work (READ_ONLY)")
        con.execute(f"ATTACH {_literal(contacts)} AS vault")
        con.execute(CONTACTS_DDL.replace("EXISTS contacts", "EXISTS vault.contacts"))
        held = {}
        con.execute("BEGIN TRANSACTION")
        for table in targets(mapping):
            if table.name == "contacts":
                continue
            names = ", ".join(quoted(c.name) for c in table.columns)
            order = ", ".join(quoted(c) for c in dict.fromkeys((*table.sort, *table.key))) or "ALL"
            con.execute(
                f"INSERT INTO {quoted(table.name)} ({names}) SELECT {names} FROM {_work(table.name)} ORDER BY {order}"
            )
            held[table.name] = _count(con, table.name)
        if mapping.consent.basis == "assumed":
            held["consents"] = _assume_consent(con, mapping)
        con.execute(
            "INSERT INTO quarantined SELECT source, record, line, tbl, col, kind FROM work.quarantine ORDER BY ALL"
        )
        _meta(con, mapping)
        con.execute("COMMIT")
        if mapping.contacts:
            # One transaction cannot write two databases, so the vault is filled in its own.
            names = "customer_id, name, phone, email"
            con.execute(f"INSERT INTO vault.contacts SELECT {names} FROM {_work('contacts')} ORDER BY customer_id")
            held["contacts"] = _count(con, "vault.contacts")
        con.execute("DETACH vault")
        con.execute("DETACH work")
        con.execute("CHECKPOINT")
    finally:
        con.close()
    contacts.chmod(0o600)
    return held


def _work(table: str) -> str:
    return usable(table).replace('FROM "typed_', 'FROM work."typed_').replace("FROM problems", "FROM work.problems")


def _literal(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _create(con: duckdb.DuckDBPyConnection, mapping: Mapping) -> None:
    for table in TABLES:
        con.execute(table.ddl())
    for attribute in mapping.catalog.attributes:
        con.execute(f"ALTER TABLE customers ADD COLUMN {quoted(attribute.name)} {attribute.type}")
    con.execute(QUARANTINED_DDL)


def _assume_consent(con: duckdb.DuckDBPyConnection, mapping: Mapping) -> int:
    consent = mapping.consent
    reason = consent.reason.en if consent.reason else ""
    con.execute(
        """
        INSERT INTO consents
        SELECT customer_id, channel, purpose, true, ?, ?, ?
        FROM customers, unnest(?::VARCHAR[]) AS c(channel), unnest(?::VARCHAR[]) AS p(purpose)
        ORDER BY channel, purpose, customer_id
        """,
        [f"assumed: {reason}", "assumed", naive_utc(mapping.cut_off), consent.channels, consent.purposes],
    )
    return _count(con, "consents")


def _meta(con: duckdb.DuckDBPyConnection, mapping: Mapping) -> None:
    campaigns = [str(r[0]) for r in con.execute("SELECT campaign_id FROM campaigns ORDER BY 1").fetchall()]
    unknown = sorted(set(mapping.designs) - set(campaigns))
    if unknown:
        raise MappingError(
            f"The mapping's designs name {unknown[0]!r}, which is no campaign.",
            f"Its campaigns are {', '.join(campaigns)}.",
        )
    rows = {
        "schema_version": str(SCHEMA_VERSION),
        "as_of": mapping.cut_off.isoformat(),
        "zone": mapping.zone,
        "import:mapping": mapping.name,
        "import:campaigns": json.dumps(campaigns),
        "consent": mapping.consent.basis,
    }
    for campaign, design in mapping.designs.items():
        rows |= design.meta(campaign)
    con.executemany("INSERT INTO meta VALUES (?, ?)", [list(row) for row in rows.items()])


def _count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    row = con.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(row[0]) if row else 0
