"""A control plane per test: SQLite in a temporary folder, and PostgreSQL in a schema of its own where it is reachable."""

import importlib.util
import secrets
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from control.authority import Authority, passwords
from control.records import Records
from warehouse.clock import Clock

SERVER = "postgresql+psycopg://postgres@127.0.0.1:5432/test"


def postgres_reason() -> str:
    if importlib.util.find_spec("psycopg") is None:
        return "psycopg is not installed"
    try:
        socket.create_connection(("127.0.0.1", 5432), timeout=1).close()
    except OSError as error:
        return f"no PostgreSQL on 127.0.0.1:5432 ({error})"
    return ""


class Time:
    """A wall clock that tests move."""

    def __init__(self) -> None:
        self.seconds = datetime(2026, 11, 18, 1, 0, tzinfo=UTC).timestamp()

    def __call__(self) -> float:
        return self.seconds

    def pass_(self, **units: float) -> None:
        self.seconds += timedelta(**units).total_seconds()


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def clock(time: Time) -> Clock:
    return Clock(wall=time)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def control_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'control.sqlite'}"
        return
    reason = postgres_reason()
    if reason:
        pytest.skip(reason)
    schema = f"touchline_{secrets.token_hex(4)}"
    engine = sa.create_engine(SERVER, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE SCHEMA {schema}")
    try:
        yield f"{SERVER}?options=-csearch_path%3D{schema}"
    finally:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"DROP SCHEMA {schema} CASCADE")
        engine.dispose()


@pytest.fixture
def records(control_url: str, clock: Clock) -> Iterator[Records]:
    store = Records(control_url, clock)
    yield store
    store.close()


@pytest.fixture(autouse=True)
def cheap_passwords(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real hash with little work, so that 100 tests do not spend a minute on demo passwords."""
    monkeypatch.setattr(passwords, "_HASHER", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))


@pytest.fixture
def authority(control_url: str, clock: Clock, tmp_path: Path) -> Iterator[Authority]:
    head = tmp_path / "audit-head.json"
    store = Authority(control_url, clock, b"k" * 32, policies=tmp_path / "policies", head_file=head, demo=True)
    store.bootstrap_demo()
    yield store
    store.close()
