"""Sources in a database: copied to Parquet by another process, then checked like any file."""

import sqlite3
from pathlib import Path

import duckdb
import pytest

from warehouse.home import Home
from warehouse.importer import MappingError, run
from warehouse.importer.fetch import fetch


@pytest.fixture
def database(tmp_path) -> Path:
    path = tmp_path / "bank.sqlite"
    with sqlite3.connect(path) as con:
        con.execute("CREATE TABLE deeds (id, customer INT, what TEXT, moment TEXT, amount REAL)")
        con.executemany(
            "INSERT INTO deeds VALUES (?, ?, ?, ?, ?)",
            [(1, 1, "login", "2026-01-05 10:00", None), (2, 2, "pay", "2026-01-05T10:00:00+00:00", 12.5),
             ("three", 3, "login", "2026-01-06 10:00", None)],
        )  # fmt: skip
    con.close()
    return path


def test_a_database_is_a_source(small_bank, tmp_path, database, monkeypatch):
    monkeypatch.setenv("BANK_DB", f"sqlite:///{database}")
    deeds = small_bank.mapping["sources"]["deeds"]
    del deeds["path"]
    deeds |= {"url": "env:BANK_DB", "query": "SELECT * FROM deeds"}
    home = Home(tmp_path / "home")
    report = run(home, small_bank.file)
    source = report.source("deeds")
    assert (source.read, source.imported, source.quarantined) == (3, 2, 1)
    assert source.path == f"sqlite:///{database}"
    with duckdb.connect(str(home.warehouse), read_only=True) as con:
        assert con.execute("SELECT event_id, amount::DOUBLE, occurred_at::VARCHAR FROM events ORDER BY 1").fetchall() == [
            (1, None, "2026-01-05 02:00:00"), (2, 12.5, "2026-01-05 10:00:00"),
        ]  # fmt: skip
    assert [(r.kind, r.places) for r in report.reasons] == [("type", ["deeds:3"])]


def test_a_failing_query_says_so_without_the_password(tmp_path):
    with pytest.raises(MappingError, match="no such table") as refused:
        fetch("deeds", f"sqlite:///{tmp_path}/empty.sqlite", "SELECT * FROM nowhere_at_all", tmp_path / "x.parquet")
    assert "query" in refused.value.fix
    with pytest.raises(MappingError) as refused:
        fetch("deeds", "postgresql+psycopg://me:s3cret-word@127.0.0.1:1/bank", "SELECT 1", tmp_path / "x.parquet")
    assert "s3cret-word" not in str(refused.value)
    with pytest.raises(MappingError, match="NOT_SET_ANYWHERE"):
        fetch("deeds", "env:NOT_SET_ANYWHERE", "SELECT 1", tmp_path / "x.parquet")
