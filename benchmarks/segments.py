"""Segments at bank scale: attributes, a hash sample, behaviour over 100 million events, against Polars and chDB.

The product's own path is measured (`Segments.count`: reading the tree's lists, compiling through Ibis, the count, the unknowns
and the total), not a query written for the occasion. Every peer gets the same rows and, before anything is timed, has to give
the same count:

- Polars, streaming engine, over Parquet sorted as the warehouse is (by name and time), and again with the columns it
  needs held in memory before the clock starts;
- chDB, MergeTree tables with the same sort key, on disk as the warehouse is.

Each runs in a process of its own, with the same two threads, so that the memory shown is its own. Then the product alone at an
eighth, a quarter and half of the size: docs/images/segments-scale.svg draws the cost against the size.

.venv/bin/python -m benchmarks.segments [--quick] [--customers 4000000]
"""

import shutil
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from benchmarks._big_bank import AS_OF, VERSION, big_bank
from benchmarks._drawing import draw
from benchmarks._measuring import IMAGES, Alone, Row, alone, bench_dir, median_seconds, report, sizes
from control.records import Actor, Records, control_url
from tools.segment import Segments, parse
from tools.segment.engines import export_tables
from warehouse.catalog import Catalog
from warehouse.home import Home
from warehouse.store import Warehouse

WORK = {
    "attribute segment": ("is_payroll and aum between 5万 and 20万 and not has_credit_card", 0.05),
    "hash sample": ("sample(5%, 'bench')", 0.4),
    "behaviour segment": ("did(view_product, last 30d) and not did(purchase, last 7d)", 0.2),
}
"""What is counted, with its budget in seconds at four million customers."""

THREADS = 2
NOW = AS_OF.replace(tzinfo=None)
VIEWED, BOUGHT = NOW - timedelta(days=30), NOW - timedelta(days=7)
Answers = dict[str, tuple[int, float]]
"""By name of the work: the count, and the median seconds."""


def product(customers: int) -> Answers:
    """Counted by the product, in this process."""
    home = big_bank(customers)
    catalog = Catalog.load(home.catalog)
    records = Records(control_url(home), home.clock())
    with Warehouse(home.warehouse, threads=THREADS) as warehouse:
        segments = Segments(warehouse, catalog, records, Actor(account="bench", person="bench"))

        def count(expression: str) -> int:
            return segments.count(parse(expression, catalog), diagnose=False).count

        found = {name: _timed(lambda text=text: count(text)) for name, (text, _) in WORK.items()}
    records.close()
    return found


def polars_streaming(folder: Path) -> Answers:
    import polars as pl

    customers, events = pl.scan_parquet(folder / "customers.parquet"), pl.scan_parquet(folder / "events.parquet")
    return _polars(lambda: customers, lambda: events, engine="streaming")


def polars_in_memory(folder: Path) -> Answers:
    import polars as pl

    customers = pl.read_parquet(
        folder / "customers.parquet", columns=["customer_id", "is_payroll", "aum", "has_credit_card"]
    )
    wanted = pl.scan_parquet(folder / "events.parquet").filter(pl.col("name").is_in(["view_product", "purchase"]))
    events = wanted.select("customer_id", pl.col("name").cast(pl.Categorical), "occurred_at").collect()
    return _polars(customers.lazy, events.lazy, engine="streaming")


def _polars(customers: Callable[[], Any], events: Callable[[], Any], engine: Any) -> Answers:
    import polars as pl

    def attribute() -> int:
        chosen = pl.col("is_payroll") & pl.col("aum").is_between(50_000, 200_000) & ~pl.col("has_credit_card")
        return int(customers().filter(chosen).select(pl.len()).collect(engine=engine).item())

    def behaviour() -> int:
        name, when = pl.col("name"), pl.col("occurred_at")
        viewed = events().filter((name == "view_product") & (when > VIEWED) & (when <= NOW)).select("customer_id")
        bought = events().filter((name == "purchase") & (when > BOUGHT) & (when <= NOW)).select("customer_id")
        chosen = customers().select("customer_id").join(viewed, on="customer_id", how="semi")
        chosen = chosen.join(bought, on="customer_id", how="anti")
        return int(chosen.select(pl.len()).collect(engine=engine).item())

    return {"attribute segment": _timed(attribute), "behaviour segment": _timed(behaviour)}


def chdb_merge_tree(folder: Path, store: Path) -> Answers:
    from chdb.session import Session

    session = Session(str(store))
    run = _chdb_runner(session)
    if not store.with_suffix(".done").exists():
        _chdb_load(run, folder)
        store.with_suffix(".done").touch()
    run("USE bank")

    def count(sql: str) -> Callable[[], int]:
        return lambda: int(run(f"SELECT count() FROM customers WHERE {sql} SETTINGS max_threads = {THREADS}"))

    events = "SELECT customer_id FROM events WHERE name = '{}' AND occurred_at > '{}' AND occurred_at <= '{}'"
    viewed, bought = events.format("view_product", VIEWED, NOW), events.format("purchase", BOUGHT, NOW)
    return {
        "attribute segment": _timed(count("is_payroll AND aum BETWEEN 50000 AND 200000 AND NOT has_credit_card")),
        "hash sample": _timed(count("lower(hex(MD5('bench:' || toString(customer_id)))) < '0ccccccd'")),
        "behaviour segment": _timed(count(f"customer_id IN ({viewed}) AND customer_id NOT IN ({bought})")),
    }


def _chdb_runner(session: Any) -> Callable[[str], str]:
    return lambda sql: str(session.query(sql, "TabSeparated")).strip()


def _chdb_load(run: Callable[[str], str], folder: Path) -> None:
    run("DROP DATABASE IF EXISTS bank")
    run("CREATE DATABASE bank ENGINE = Atomic")
    run("USE bank")
    run("""CREATE TABLE events (customer_id Int64, name LowCardinality(String), occurred_at DateTime64(6, 'UTC'))
           ENGINE = MergeTree ORDER BY (name, occurred_at)""")
    run(f"INSERT INTO events SELECT customer_id, name, occurred_at FROM file('{folder}/events.parquet', Parquet)")
    run("""CREATE TABLE customers (customer_id Int64, is_payroll Bool, aum Decimal(18, 2), has_credit_card Bool)
           ENGINE = MergeTree ORDER BY customer_id""")
    run(f"""INSERT INTO customers SELECT customer_id, is_payroll, aum, has_credit_card
            FROM file('{folder}/customers.parquet', Parquet)""")


def _timed(count: Callable[[], int]) -> tuple[int, float]:
    found = count()
    return found, median_seconds(count)


def parquet(customers: int) -> Path:
    """The bank as Parquet for the peers, events in the warehouse's order; kept in the bench folder."""
    folder = bench_dir() / f"parquet-{customers}-v{VERSION}"
    if not folder.exists():
        home: Home = big_bank(customers)
        staged = home.exports / "tables"
        with Warehouse(home.warehouse, folders=[home.exports], threads=THREADS) as warehouse:
            export_tables(warehouse, staged)
        shutil.move(staged, folder)
    return folder


def run(customers: int, draw_it: bool) -> list[Row]:
    big_bank(customers)
    folder = parquet(customers)
    mine: Alone[Answers] = alone(product, customers)
    peers = {
        "Polars, streaming over Parquet": alone(polars_streaming, folder),
        "Polars, columns in memory": alone(polars_in_memory, folder),
        "chDB, MergeTree": alone(chdb_merge_tree, folder, bench_dir() / f"chdb-{customers}-v{VERSION}"),
    }
    rows = []
    size = f"{customers:,} customers"
    for name, (_, budget) in WORK.items():
        count, seconds = mine.value[name]
        shown = f"{name}, {size}" + (f", {customers * 25:,} events" if name.startswith("behaviour") else "")
        for peer, theirs in peers.items():
            if name not in theirs.value:
                continue
            their_count, their_seconds = theirs.value[name]
            if their_count != count:
                raise AssertionError(f"{name}: {count:,} here, {their_count:,} by {peer}.")
            rows.append(
                Row(
                    name=shown, seconds=seconds, budget_s=budget, peer=peer, peer_seconds=their_seconds,
                    peak_mb=mine.peak_mb, peer_peak_mb=theirs.peak_mb,
                )
            )  # fmt: skip
    return rows + _scale(customers, mine, draw_it)


def _scale(customers: int, largest: Alone[Answers], draw_it: bool) -> list[Row]:
    """The product alone at smaller sizes."""
    curves: dict[str, list[tuple[float, float]]] = {name: [] for name in WORK}
    rows = []
    for size in (customers // 8, customers // 4, customers // 2, customers):
        measured = largest if size == customers else alone(product, size)
        for name, (_, seconds) in measured.value.items():
            curves[name].append((size, seconds))
            rows.append(Row(name=f"{name} at {size:,}", seconds=seconds, peak_mb=measured.peak_mb))
    if draw_it:
        draw(IMAGES / "segments-scale.svg", "Counting a segment: cost against size (25 events a customer)", curves,
             "customers", "seconds, median of five")  # fmt: skip
    return rows


if __name__ == "__main__":
    asked = sizes(__doc__, customers=(4_000_000, 40_000))
    started = time.perf_counter()
    report("segments", run(asked.customers, not asked.quick), quick=asked.quick)
    print(f"in {time.perf_counter() - started:.0f} s")
