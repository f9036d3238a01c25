"""A home: the folder that holds one bank's stores, and the lock that lets one process own them."""

import json
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

import yaml
from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, Field

from warehouse.clock import Clock
from warehouse.errors import AdminFixes


class HomeInfo(BaseModel):
    """`home.yaml`: what kind of home this is. Written by `touchline demo-bank` and `touchline import`."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(description="The bank's name as shown in the UI.")
    kind: Literal["demo", "real"] = Field(description="A demo home has demo users and its own clock.")
    zone: str = "Asia/Shanghai"
    clock_start: datetime | None = Field(None, description="Demo homes: the instant at which the home's time began.")
    clock_origin: float = Field(0.0, description="Demo homes: real POSIX seconds at which clock_start was now.")
    consent: Literal["recorded", "assumed"] = Field(
        "recorded", description="'assumed' is labelled everywhere and never lets a real channel send."
    )
    source: str = Field("", description="What filled the warehouse: 'demo-bank seed 7', or the mapping's name.")


class HomeBusy(AdminFixes):
    """Another process owns this home's stores."""

    code = "home_busy"


class Home:
    """Paths of a home. Making one touches nothing on disk."""

    def __init__(self, root: Path | str) -> None:
        self.root = Path(root).expanduser().resolve()
        self.warehouse = self.root / "warehouse.duckdb"
        self.contacts = self.root / "contacts.duckdb"
        self.control = self.root / "control.sqlite"
        self.threads = self.root / "threads.sqlite"
        self.chroma = self.root / "chroma"
        self.catalog = self.root / "catalog.yaml"
        self.policies = self.root / "policies"
        self.inbox = self.root / "inbox"
        self.outbox = self.root / "outbox"
        self.exports = self.root / "exports"
        self.quarantine = self.root / "quarantine"
        self.info_file = self.root / "home.yaml"
        self.owner_file = self.root / "owner.json"
        self.keys = self.root / "keys"

    def __repr__(self) -> str:
        return f"Home({str(self.root)!r})"

    def create(self, info: HomeInfo) -> None:
        """Make the folders and write `home.yaml`. The folder is private to its owner: it holds a bank's data."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in (self.policies, self.inbox, self.outbox, self.exports, self.quarantine):
            folder.mkdir(exist_ok=True)
        self.keys.mkdir(mode=0o700, exist_ok=True)
        write_atomically(
            self.info_file, yaml.safe_dump(info.model_dump(mode="json"), allow_unicode=True, sort_keys=False)
        )

    def exists(self) -> bool:
        return self.info_file.exists() and self.warehouse.exists()

    def info(self) -> HomeInfo:
        """Read `home.yaml`.

        Raises:
            AdminFixes: there is no home here.
        """
        if not self.info_file.exists():
            raise AdminFixes(
                f"There is no Touchline home in {self.root}.",
                "Build one with `touchline demo-bank` or `touchline import MAPPING.yaml`, or name another with --home.",
            )
        return HomeInfo.model_validate(yaml.safe_load(self.info_file.read_text("utf-8")))

    def clock(self) -> Clock:
        info = self.info()
        start = info.clock_start if info.kind == "demo" else None
        return Clock(zone=ZoneInfo(info.zone), start=start, origin=info.clock_origin)

    def key(self, name: str) -> bytes:
        """A 32-byte secret of this home, made on first use and readable by its owner only (`hmac`, `session`, `audit`)."""
        self.keys.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self.keys / name
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path.read_bytes()
        with os.fdopen(descriptor, "wb") as file:
            secret = secrets.token_bytes(32)
            file.write(secret)
        return secret

    @contextmanager
    def own(self, **owner: Any) -> Iterator[None]:
        """Hold the home's lock; `owner` (for a server: its url and local token) is written beside it, mode 0600.

        Raises:
            HomeBusy: another process holds it; `details['owner']` tells how to reach it.
        """
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = FileLock(self.root / "home.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            who = self.owner() or {}
            raise HomeBusy(
                f"The home {self.root} is in use by process {who.get('pid', 'unknown')}.",
                f"Talk to it at {who['url']}, or stop it." if who.get("url") else "Wait until it ends, or stop it.",
                owner=who,
            ) from None
        try:
            record = {"pid": os.getpid(), "since": time.time(), **owner}
            descriptor = os.open(self.owner_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w") as file:
                json.dump(record, file)
            yield
        finally:
            self.owner_file.unlink(missing_ok=True)
            lock.release()

    def owner(self) -> dict[str, Any] | None:
        """Who says that he owns the home; None if nobody does or the record cannot be read."""
        try:
            record: dict[str, Any] = json.loads(self.owner_file.read_text())
        except (OSError, ValueError):
            return None
        return record


def write_atomically(path: Path, text: str) -> None:
    """Replace a file's content so that a reader, or a crash, sees the old text or the new one, never a part."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    with partial.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
