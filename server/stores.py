"""One instance of everything a home has, each opened when it is first needed: `touchline --help` opens nothing.

Whoever makes a `Stores` holds the home's lock.
"""

import sqlite3
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar, cast

import duckdb

from warehouse.catalog import Catalog
from warehouse.clock import Clock
from warehouse.errors import AdminFixes, TouchlineError
from warehouse.home import Home, HomeInfo
from warehouse.importer import complete
from warehouse.store import Warehouse

if TYPE_CHECKING:
    from agent import Assistant
    from control.authority import Authority
    from control.records import Records
    from delivery import Deliverer
    from knowledge import PlaybookIndex

T = TypeVar("T")

CHECKED = ("warehouse", "records", "catalog", "authority", "playbooks", "assistant", "deliverer")
"""The stores without which a server is not ready, in the order in which one rests on another."""


class HomeTime:
    """The wall clock of a home. In a demo home it can be moved forward while everything runs; never back."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


class Stores:
    """The stores of one home, opened lazily and once, whatever thread asks first.

    Heavy modules (DuckDB, SQLAlchemy, Chroma, LangGraph) are imported only when their store is opened.
    """

    def __init__(self, home: Home) -> None:
        self.home = home
        # An import that broke off while its files were moved is finished before anything of it is opened.
        complete(home)
        self._opening = threading.RLock()
        self._opened: dict[str, object] = {}
        self.audience_branches: dict[str, frozenset[int]] = {}
        """By a proposal's digest; kept by `server.scope`."""
        self._info = home.info()
        self._time = HomeTime()
        found = home.clock()
        self.clock = Clock(zone=found.zone, start=found.start, origin=found.origin, wall=self._time)

    @property
    def info(self) -> HomeInfo:
        return self._info

    def _once(self, name: str, open_: Callable[[], T]) -> T:
        if name not in self._opened:
            with self._opening:
                if name not in self._opened:
                    self._opened[name] = open_()
        return cast(T, self._opened[name])

    def is_open(self, name: str) -> bool:
        return name in self._opened

    def move_clock(self, seconds: float) -> None:
        """Move a demo home's now forward, for everything that runs and for later runs (`home.yaml`)."""
        moved = self._info.model_copy(update={"clock_origin": self._info.clock_origin - seconds})
        self.home.create(moved)
        self._info = moved
        self._time.ahead += seconds

    @property
    def warehouse(self) -> Warehouse:
        home = self.home
        return self._once(
            "warehouse", lambda: Warehouse(home.warehouse, folders=[home.inbox, home.exports, home.outbox])
        )

    @property
    def catalog(self) -> Catalog:
        """The bank's catalog with the self-service tags of this home."""
        return self._once("catalog", self._read_catalog)

    def _read_catalog(self) -> Catalog:
        catalog, tags = Catalog.load(self.home.catalog), self.records.tags()
        if not tags:
            return catalog
        from tools.segment.tagged import with_tags

        return with_tags(catalog, tags)

    def renew_catalog(self) -> None:
        """A tag was made or removed: from now on everybody who is asked knows."""
        with self._opening:
            catalog = self._opened["catalog"] = self._read_catalog()
            if self.is_open("assistant"):
                self.assistant.use(catalog)
            if self.is_open("deliverer"):
                self.deliverer.use(catalog)

    @property
    def records(self) -> "Records":
        def open_() -> "Records":
            from control.records import Records, control_url

            return Records(control_url(self.home), self.clock)

        return self._once("records", open_)

    @property
    def authority(self) -> "Authority":
        def open_() -> "Authority":
            from control.authority import Authority
            from control.records import control_url

            authority = Authority(
                control_url(self.home),
                self.clock,
                self.home.key("audit"),
                policies=self.home.policies,
                head_file=self.home.root / "audit-head.json",
                demo=self._info.kind == "demo",
            )
            if self._info.kind == "demo":
                authority.bootstrap_demo()
            return authority

        return self._once("authority", open_)

    @property
    def playbooks(self) -> "PlaybookIndex":
        def open_() -> "PlaybookIndex":
            from knowledge import PlaybookIndex

            return PlaybookIndex(self.home.chroma)

        return self._once("playbooks", open_)

    @property
    def assistant(self) -> "Assistant":
        def open_() -> "Assistant":
            from agent import Assistant

            return Assistant(self.home, self.warehouse, self.catalog, self.records, self.playbooks, self.clock)

        return self._once("assistant", open_)

    @property
    def deliverer(self) -> "Deliverer":
        def open_() -> "Deliverer":
            from delivery import Deliverer

            return Deliverer(self.home, self.warehouse, self.authority, self.records, self.catalog, self.clock)

        return self._once("deliverer", open_)

    def check(self) -> None:
        """Open what is not open yet and ask the databases something.

        Raises:
            AdminFixes: a store cannot be opened or does not answer; the message names it.
        """
        from sqlalchemy.exc import SQLAlchemyError

        from knowledge import KnowledgeError

        name = ""
        try:
            for name in CHECKED:
                getattr(self, name)
            name = "warehouse"
            self.warehouse.read("SELECT 1")
            name = "records"
            self.records.segments(1)
        except AdminFixes:
            raise
        except (TouchlineError, KnowledgeError, SQLAlchemyError, sqlite3.Error, duckdb.Error, OSError) as error:
            # Its text may hold paths or values; its class is enough to begin with.
            raise AdminFixes(
                f"The store {name!r} cannot be used ({type(error).__name__}).",
                "Look at the server's log; restore the file from a backup, or free the disk.",
                message_zh=f"存储 {name} 无法使用（{type(error).__name__}）。",
                fix_zh="请看服务日志；从备份恢复文件，或清理磁盘。",
                store=name,
            ) from error

    def close(self) -> None:
        """Close what was opened, the last first."""
        for store in reversed(list(self._opened.values())):
            close = getattr(store, "close", None)
            if callable(close):
                close()
        self._opened.clear()
