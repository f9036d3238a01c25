"""The control plane's database: SQLite in a home, or PostgreSQL by URL; the same tables and guarantees in both.

Tables come into being only by the Alembic migrations beside this module, also in tests and demo homes: there is one
way to a schema, so a bank's upgrade runs the code that every test ran. An up-to-date database costs one SELECT to
open; Alembic is imported only when there is something to migrate.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, Dialect, Engine, make_url
from sqlalchemy.orm import Session

from warehouse.errors import AdminFixes
from warehouse.home import Home

MIGRATIONS = Path(__file__).parent / "migrations"
HEAD = "0004"
"""The newest migration; a test holds it equal to what the folder says."""

BUSY_TIMEOUT_MS = 10_000
_MIGRATION_LOCK = 7_305_221
"""Any number that nobody else in the database uses for pg_advisory_xact_lock."""


class Instant(sa.types.TypeDecorator[datetime]):
    """An aware UTC instant; SQLite keeps no zone, so it is put back on reading."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def control_url(home: Home) -> str:
    """The URL of a home's embedded control plane."""
    return f"sqlite:///{home.control}"


def sqlite_path(url: str | URL) -> Path | None:
    """The file of a SQLite URL; None for another database or one in memory."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
        return None
    return Path(str(parsed.database))


class Database:
    """Sessions on one control plane. Made by `Records` and `Authority`; safe to share between threads.

    Args:
        url: `sqlite:////home/control.sqlite`, or `postgresql+psycopg://user@host/database`.

    Raises:
        AdminFixes: the database cannot be reached, or was made by a newer Touchline.
    """

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        try:
            self.engine = _engine(self.url)
            self._writing = self.engine.execution_options(writing=True)
            self._migrate()
        except ModuleNotFoundError as error:
            raise AdminFixes(
                f"The driver {error.name} for {self.url.drivername} is not installed.",
                f"Run `pip install {error.name}`.",
            ) from None
        except sa.exc.OperationalError as error:
            # The driver's text names host and file, never the password; the URL is rendered without it too.
            raise AdminFixes(
                f"The control plane {self.url.render_as_string(hide_password=True)} cannot be opened: "
                f"{str(error.orig).splitlines()[0]}",
                "Check the URL, that the server runs, and that the folder is writable.",
            ) from None

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session for reading, of one consistent snapshot on SQLite."""
        with Session(self.engine) as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """One transaction, committed at the end, rolled back on error. On SQLite it holds the write lock from the start,
        so what it reads stays true until it commits; on PostgreSQL lock the rows that a decision rests on."""
        with Session(self._writing, expire_on_commit=False) as session, session.begin():
            yield session

    def close(self) -> None:
        self.engine.dispose()

    def _migrate(self) -> None:
        if self._version() == HEAD:
            return
        with self._writing.connect() as connection, connection.begin():
            if not self.is_sqlite:
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(:n)"), {"n": _MIGRATION_LOCK})
            _upgrade(connection)

    def _version(self) -> str | None:
        with self.engine.connect() as connection:
            if not sa.inspect(connection).has_table("alembic_version"):
                return None
            version = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
        if version is not None and str(version) > HEAD:
            raise AdminFixes(
                f"The control plane has schema {version}; this Touchline knows {HEAD}.", "Use a newer Touchline."
            )
        return None if version is None else str(version)


def _engine(url: URL) -> Engine:
    if url.get_backend_name() != "sqlite":
        return sa.create_engine(url, pool_pre_ping=True)
    engine = sa.create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def _configure(connection: sqlite3.Connection, _: object) -> None:
        connection.isolation_level = None  # transactions are begun below, not guessed by the driver
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")  # an approval survives a power cut, not only a crash

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        options: dict[str, Any] = dict(connection.get_execution_options())
        connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("writing") else "BEGIN")

    return engine


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, HEAD)
