"""Putting a finished import in place: all of it or nothing, whatever moment the machine stops."""

import os
import shutil
from pathlib import Path

from warehouse.home import Home

BUILDING = ".import-building"
READY = ".import-ready"
OBSOLETE = ("warehouse.duckdb.wal", "contacts.duckdb.wal")


def start(home: Home) -> Path:
    """An empty folder inside the home to build in; what a broken-off import left there is removed."""
    complete(home)
    folder = home.root / BUILDING
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    return folder


def finish(home: Home, folder: Path) -> None:
    """Put everything in `folder` in place. The rename is the commit: from then on `complete` can only go forward."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
    folder.rename(home.root / READY)
    complete(home)


def complete(home: Home) -> bool:
    """Finish an import that was committed but broke off while its files were moved.

    Call it before opening a home's stores.

    Returns:
        Whether there was one.
    """
    ready = home.root / READY
    if not ready.exists():
        return False
    for name in OBSOLETE:
        if (ready / name.removesuffix(".wal")).exists():
            (home.root / name).unlink(missing_ok=True)
    for path in sorted(ready.iterdir()):
        _move(path, home.root / path.name)
    ready.rmdir()
    home.create(home.info())
    return True


def _move(path: Path, target: Path) -> None:
    if not path.is_dir():
        path.replace(target)
        return
    target.mkdir(mode=0o700, exist_ok=True)
    for inner in sorted(path.iterdir()):
        _move(inner, target / inner.name)
    path.rmdir()
