"""The import from beginning to end."""

import dataclasses
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import yaml

from warehouse.catalog import canonical_catalog, nearest
from warehouse.clock import Clock
from warehouse.errors import AdminFixes
from warehouse.home import Home, HomeInfo, write_atomically
from warehouse.importer import quarantine, replace
from warehouse.importer.carry_over import carry_over
from warehouse.importer.fetch import fetch
from warehouse.importer.load import load
from warehouse.importer.mapping import Mapping, MappingError, Text, load_mapping
from warehouse.importer.meanings import bank_catalog
from warehouse.importer.report import ImportReport
from warehouse.importer.sources import PROBLEMS, check_source
from warehouse.importer.staging import Staged, stage
from warehouse.importer.tables import Sandbox, check, make, targets

Progress = Callable[[str], None]
REPORT = "import-report.json"


def run(
    home: Home,
    mapping: Path,
    sources: dict[str, Path] | None = None,
    demo: bool = False,
    progress: Progress | None = None,
    clock: Clock | None = None,
) -> ImportReport:
    """Fill a home from a bank's files. The home's lock is held meanwhile; conversations and approvals are untouched.

    Everything is built beside the home's stores and put in place at the end, so that a failed import changes nothing.

    Args:
        mapping: the YAML file that says what the files mean.
        sources: other paths for some of the mapping's sources.
        demo: make it a demo home whose clock starts at the mapping's `as_of`.
        progress: told what is being done, one line at a time.
        clock: what time it is; only for the report and the origin of a demo home's clock.

    Raises:
        MappingError: the mapping or a whole file cannot be used. Bad rows are no error: they go to quarantine.
        AdminFixes: the home is a demo home and the import is not for one, or the other way round.
        HomeBusy: another process owns the home.
    """
    started = time.perf_counter()
    tell = progress or (lambda _line: None)
    meaning = load_mapping(mapping)
    paths = _paths(meaning, mapping, sources or {})
    with home.own(doing="import"):
        folder = replace.start(home)
        try:
            _refuse_other_kind(home, demo)
            report = _build(home, folder, meaning, paths, demo, tell, clock or Clock(), started)
            tell("Putting it in place")
            replace.finish(home, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return report


def _refuse_other_kind(home: Home, demo: bool) -> None:
    """A demo home has users whose passwords everybody knows: it never becomes a real one, nor a real one a demo."""
    if not home.info_file.exists():
        return
    kind = home.info().kind
    if (kind == "demo") != demo:
        raise AdminFixes(
            f"{home.root} is a {kind} home.",
            "Import with --demo, or into another --home."
            if kind == "demo"
            else "Import without --demo, or into another --home.",
        )


def _paths(mapping: Mapping, file: Path, given: dict[str, Path]) -> dict[str, Path]:
    """Where each source's file is; sources in a database have none unless one was given instead."""
    for name in given:
        if name not in mapping.sources:
            near = nearest(name, mapping.sources) or list(mapping.sources)
            raise MappingError(f"The mapping has no source {name!r}.", f"Its sources are {', '.join(near)}.")
    paths = {}
    for name, source in mapping.sources.items():
        if source.url and name not in given:
            continue
        if name not in given and not source.path:
            raise MappingError(
                f"The mapping says no path for source {name!r}.", f"Name it with `--source {name}=PATH`."
            )
        paths[name] = (given[name] if name in given else file.parent / source.path).expanduser().resolve()
    return paths


def _build(
    home: Home,
    folder: Path,
    mapping: Mapping,
    paths: dict[str, Path],
    demo: bool,
    tell: Progress,
    clock: Clock,
    started: float,
) -> ImportReport:
    scratch = folder / "scratch"
    scratch.mkdir()
    work, good = scratch / "work.duckdb", scratch / "good.duckdb"
    con = duckdb.connect(str(work))
    try:
        con.execute(f"SET TimeZone = '{mapping.zone}'")
        con.execute(PROBLEMS)
        con.execute(f"ATTACH '{str(good).replace(chr(39), chr(39) * 2)}' AS good")
        staged = _stage(con, mapping, paths, scratch, tell)
        con.execute("DETACH good")
        tell("Running the mapping's SELECTs")
        sandbox = Sandbox(good, mapping.zone)
        try:
            make(con, sandbox, mapping, home.key("hmac"))
        finally:
            sandbox.close()
        tell("Checking keys, references and dates")
        check(con, mapping)
        con.execute(f"ATTACH '{str(good).replace(chr(39), chr(39) * 2)}' AS good (READ_ONLY)")
        tables = targets(mapping)
        stored = [t for t in tables if t.name not in ("contacts", "identities")]
        lookups = quarantine.settle(con, staged, stored)
        quarantine.write(con, staged, tables, folder / "quarantine")
        source_reports = [quarantine.source_report(con, s, stored, lookup=s.name in lookups) for s in staged]
        reasons = quarantine.reasons(con)
        con.close()
        tell("Writing the warehouse")
        held = load(work, folder / "warehouse.duckdb", folder / "contacts.duckdb", mapping, mapping.zone)
        con = duckdb.connect(str(work), read_only=True)
        table_reports = [quarantine.table_report(con, t.name, held[t.name]) for t in tables]
    finally:
        con.close()
    kept = carry_over(home.warehouse, folder / "warehouse.duckdb")
    tell("Writing the catalog")
    con = duckdb.connect(str(folder / "warehouse.duckdb"), read_only=True)
    try:
        catalog = bank_catalog(con, mapping, canonical_catalog())
    finally:
        con.close()
    catalog.save(folder / "catalog.yaml")
    shutil.rmtree(scratch)
    report = ImportReport(
        mapping=mapping.name,
        title=mapping.title,
        licence=mapping.licence,
        citation=mapping.citation,
        as_of=mapping.cut_off,
        zone=mapping.zone,
        demo=demo,
        sources=source_reports,
        tables=table_reports,
        reasons=reasons,
        consent=mapping.consent.basis,
        consent_reason=mapping.consent.reason,
        missing=[Text(zh=m.words.zh, en=m.words.en) for m in catalog.missing],
        carried_over=kept,
        quarantine_file="quarantine/quarantine.parquet",
        imported_at=clock.now(),
        seconds=round(time.perf_counter() - started, 2),
    ).checked()
    write_atomically(folder / REPORT, report.model_dump_json(indent=2))
    write_atomically(folder / "import-report.txt", str(report))
    info = HomeInfo(
        name=mapping.title.en,
        kind="demo" if demo else "real",
        zone=mapping.zone,
        clock_start=mapping.cut_off if demo else None,
        clock_origin=clock.wall() if demo else 0.0,
        consent=mapping.consent.basis,
        source=f"import {mapping.name}",
    )
    write_atomically(folder / home.info_file.name, yaml.safe_dump(info.model_dump(mode="json"), allow_unicode=True))
    return report


def _stage(
    con: duckdb.DuckDBPyConnection, mapping: Mapping, paths: dict[str, Path], scratch: Path, tell: Progress
) -> list[Staged]:
    staged = []
    for ordinal, (name, source) in enumerate(mapping.sources.items(), 1):
        tell(f"Reading {name}")

        def count(read: int, name: str = name) -> None:
            if read % 1_000_000 < 10_000 and read >= 1_000_000:
                tell(f"Reading {name}: {read:,} records")

        if name in paths:
            one = stage(con, name, ordinal, source, paths[name], count)
        else:
            copied = scratch / f"{name}.parquet"
            origin = fetch(name, source.url, source.query, copied)
            one = dataclasses.replace(stage(con, name, ordinal, source, copied, count), origin=origin)
        check_source(con, one, source)
        tell(f"Read {name}: {one.read:,} records")
        staged.append(one)
    return staged
