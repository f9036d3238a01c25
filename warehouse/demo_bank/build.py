"""Build a demo bank: everything into a folder beside its place, then moved there, `home.yaml` last."""

import json
import os
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from warehouse.catalog import Attribute, Catalog, Kind, Value, Words, canonical_catalog
from warehouse.clock import BANK_ZONE, to_utc
from warehouse.demo_bank import behaviour, campaigns, cast, contact, people, positions
from warehouse.demo_bank.dice import Dice
from warehouse.demo_bank.world import World
from warehouse.errors import ModelRetry
from warehouse.home import Home, HomeInfo, write_atomically
from warehouse.schema import BY_NAME, CONTACTS_DDL, SCHEMA_VERSION, TABLES

NAME = "示范银行 Demo Bank"
AS_OF = datetime(2026, 11, 18, 9, 0, tzinfo=BANK_ZONE)
Progress = Callable[[str, float], None]
"""Told the step that begins and the fraction of the work that is done."""

STORES = ("warehouse.duckdb", "contacts.duckdb", "catalog.yaml", "truths.json")
DERIVED = ("control.sqlite", "audit-head.json", "threads.sqlite", "chroma", "outbox", "policies", "quarantine")
"""What belongs to the data of a home and goes with it when the home is built anew. Keys, inbox and exports stay."""


@dataclass(frozen=True)
class Report:
    """What was built: rows per table, campaign ids, and how long it took in seconds."""

    home: Path
    customers: int
    seed: int
    as_of: datetime
    rows: dict[str, int]
    campaigns: list[str]
    seconds: float
    steps: dict[str, float] = field(default_factory=dict)


def build(
    home: Home,
    *,
    customers: int = 20_000,
    seed: int = 7,
    as_of: datetime = AS_OF,
    force: bool = False,
    progress: Progress | None = None,
    origin: float | None = None,
    threads: int | None = None,
) -> Report:
    """Make a demo home: the same arguments give the same rows, whatever the machine.

    Args:
        customers: how many, at least 500.
        as_of: the data cut-off and the instant at which the home's clock starts; naive means bank time.
        force: replace a demo home that is already there, with all that was decided in it; never a real bank's.
        origin: real POSIX seconds at which the clock starts; now if not given.

    Raises:
        ModelRetry: a home is there and `force` is not set, or it is a real bank's, or an argument is out of range.
        HomeBusy: another process owns the home.
    """
    if not 500 <= customers <= 20_000_000:
        raise ModelRetry(f"A demo bank of {customers:,} customers cannot be built.", "Ask for 500 to 20,000,000.")
    if (home.info_file.exists() or home.warehouse.exists()) and not force:
        raise ModelRetry(
            f"There is already a home in {home.root}.", "Name another with --home, or replace it with --force."
        )
    if home.info_file.exists() and home.info().kind == "real":
        raise ModelRetry(
            f"The home {home.root} holds a real bank, its approvals and its audit.",
            "Name another with --home; if it really is to go, remove the folder yourself.",
        )
    started = time.perf_counter()
    as_of = to_utc(as_of)
    with home.own(purpose="demo-bank"):
        site = home.root / f".building-{os.getpid()}"
        shutil.rmtree(site, ignore_errors=True)
        site.mkdir(mode=0o700)
        try:
            rows, plans, steps = _fill(site, home, customers, seed, as_of, progress or _silent, threads)
            catalog().save(site / "catalog.yaml")
            document = {"seed": seed, "customers": customers, "campaigns": [campaigns.truth(p) for p in plans]}
            write_atomically(site / "truths.json", json.dumps(document, ensure_ascii=False, indent=2))
            _move_in(site, home)
        finally:
            shutil.rmtree(site, ignore_errors=True)
        info = HomeInfo(
            name=NAME, kind="demo", zone=BANK_ZONE.key, clock_start=as_of,
            clock_origin=time.time() if origin is None else origin, consent="recorded", source=f"demo-bank seed {seed}",
        )  # fmt: skip
        home.create(info)
    return Report(
        home.root, customers, seed, as_of, rows, [p.campaign_id for p in plans], time.perf_counter() - started, steps
    )


def catalog() -> Catalog:
    """The demo bank's catalog: the canonical one with this bank's cities, branches and outlets."""
    canonical = canonical_catalog()
    entries = cast.branches()

    def named(level: str) -> list[Value]:
        """The places of a level; outlets are mostly called without their city ('南山支行', 'Nanshan branch')."""
        values = []
        for place in (b for b in entries if b.level == level):
            short = place.english.split(" ", 1)[1].removesuffix(" Outlet")
            values.append(
                Value(
                    value=place.name,
                    zh=place.name,
                    en=place.english,
                    synonyms_zh=[place.name.removeprefix(place.city)] if level == "outlet" else [],
                    synonyms_en=[f"{short} Outlet", f"{short} branch"] if level == "outlet" else [],
                )
            )
        return values

    cities = {c.zh for c in cast.CITIES}
    attributes: list[Attribute] = []
    for attribute in canonical.attributes:
        if attribute.name == "city":
            here = [v for v in attribute.values if v.value in cities]
            attribute = attribute.model_copy(update={"values": here})
        elif attribute.name == "branch_id":
            attribute = attribute.model_copy(update={"values": named("branch")})
        attributes.append(attribute)
        if attribute.name == "branch_id":
            attributes.append(
                Attribute(
                    name="outlet_id",
                    kind=Kind.category,
                    words=Words(
                        zh="网点", en="outlet", synonyms_zh=["支行", "所属网点", "所属支行", "归属网点", "开户网点", "各网点", "各支行"],
                        synonyms_en=["outlets", "sub-branch", "sub-branches", "local branch", "home outlet"],
                    ),
                    values=named("outlet"),
                    owner="机构系统 / organisation system",
                    definition_zh="客户归属的网点（支行），按名称显示和匹配。",
                    definition_en="The outlet that the customer belongs to, shown and matched by its name.",
                    reference="branches.name",
                )
            )  # fmt: skip
    return canonical.model_copy(update={"attributes": attributes})


def _silent(step: str, fraction: float) -> None:
    """The progress callback of a caller that gave none."""


def _fill(
    site: Path, home: Home, customers: int, seed: int, as_of: datetime, progress: Progress, threads: int | None
) -> tuple[dict[str, int], list[campaigns.Plan], dict[str, float]]:
    """Build both DuckDB files in `site`; rows per table, the campaigns, and seconds per step."""
    con = duckdb.connect(str(site / "warehouse.duckdb"))
    steps: dict[str, float] = {}
    plans: list[campaigns.Plan] = []
    try:
        con.execute("SET TimeZone = 'UTC'")
        con.execute("SET memory_limit = '8GB'")
        con.execute(f"SET temp_directory = '{site / 'spill'}'")
        if threads:
            con.execute(f"SET threads = {int(threads)}")
        for table in TABLES:
            con.execute(table.ddl())
        con.execute("ATTACH ? AS vault".replace("?", f"'{site / 'contacts.duckdb'}'"))
        con.execute(CONTACTS_DDL.replace(" contacts ", " vault.contacts "))
        local = as_of.astimezone(BANK_ZONE)
        offset = local.utcoffset()
        assert offset is not None
        world = World(con, Dice(seed), customers, local.replace(tzinfo=None), offset)
        world.dice.install(con)

        def granted() -> dict[str, int]:
            return {p.campaign_id: p.benefit_id for p in plans if p.benefit_id is not None}

        work: list[tuple[str, float, Callable[[], object]]] = [
            ("branches, staff, products", 0.01, lambda: people.fixed_tables(world)),
            ("people", 0.07, lambda: people.traits(world)),
            ("campaigns", 0.06, lambda: plans.extend(campaigns.run_campaigns(world))),
            ("holdings", 0.05, lambda: positions.purchases(world)),
            ("customers", 0.05, lambda: people.customers(world)),
            ("suppressions", 0.01, lambda: contact.suppressions(world)),
            ("events", 0.50, lambda: behaviour.events(world)),
            ("month-ends", 0.10, lambda: positions.monthly(world)),
            ("consents", 0.08, lambda: contact.consents(world)),
            ("identities", 0.04, lambda: contact.identities(world, home.key("hmac"))),
            ("contacts", 0.02, lambda: contact.contacts(world, "vault")),
            ("benefits", 0.01, lambda: contact.grants(world, granted())),
        ]
        done = 0.0
        for step, share, act in work:
            progress(step, done)
            began = time.perf_counter()
            act()
            steps[step] = round(time.perf_counter() - began, 2)
            done = min(1.0, done + share)
        for key, value in (
            ("as_of", as_of.astimezone(UTC).isoformat()),
            ("zone", BANK_ZONE.key),
            ("schema_version", str(SCHEMA_VERSION)),
        ):
            con.execute("INSERT INTO meta VALUES (?, ?)", [key, value])
        rows = {name: world.count(name) for name in BY_NAME}
        con.execute("CHECKPOINT")
        con.execute("CHECKPOINT vault")
    finally:
        con.close()
    progress("done", 1.0)
    return rows, plans, steps


def _move_in(site: Path, home: Home) -> None:
    """Put the stores in their place. Without `home.yaml` a folder is no home, so it goes first and comes back last."""
    home.info_file.unlink(missing_ok=True)
    for name in (*STORES, *DERIVED):
        for path in (home.root / name, home.root / f"{name}.wal", home.root / f"{name}-wal", home.root / f"{name}-shm"):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
    for name in STORES:
        (site / name).chmod(0o600)
        (site / name).replace(home.root / name)
