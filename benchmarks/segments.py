"""Segments on a demo bank: an attribute segment, a hash sample, a behaviour segment; the peer is pandas in memory.

.venv/bin/python -m benchmarks.segments [--customers 1000000]
"""

import tempfile

import pandas as pd

from benchmarks._measuring import Row, median_seconds, peak_mb, report, sizes
from control.records import Actor, Records, control_url
from tools.segment import Segments, parse
from warehouse import demo_bank
from warehouse.catalog import Catalog
from warehouse.home import Home
from warehouse.store import Warehouse

ATTRIBUTE = "is_payroll and aum between 5万 and 20万 and not has_credit_card"
BEHAVIOUR = "did(view_product, last 30d) and not did(purchase, last 7d)"
SAMPLE = "sample(5%, 'bench')"


def run(customers: int) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="touchline-bench-") as folder:
        home = Home(folder + "/home")
        demo_bank.build(home, customers=customers)
        catalog = Catalog.load(home.catalog)
        records = Records(control_url(home), home.clock())
        with Warehouse(home.warehouse) as warehouse:
            segments = Segments(warehouse, catalog, records, Actor(account="bench", person="bench"))

            def count(expression: str) -> int:
                return segments.count(parse(expression, catalog), diagnose=False).count

            frame = warehouse.read_arrow(
                "SELECT is_payroll, aum::DOUBLE AS aum, has_credit_card FROM customers"
            ).to_pandas()
            events = warehouse.read_arrow(
                "SELECT customer_id, name, occurred_at FROM events WHERE name IN ('view_product', 'purchase')"
            ).to_pandas()
            cut = pd.Timestamp(warehouse.as_of).tz_localize(None)

            def attribute_peer() -> int:
                return int((frame.is_payroll & frame.aum.between(50_000, 200_000) & ~frame.has_credit_card).sum())

            def behaviour_peer() -> int:
                viewed = events[(events.name == "view_product") & (events.occurred_at > cut - pd.Timedelta(days=30))]
                bought = events[(events.name == "purchase") & (events.occurred_at > cut - pd.Timedelta(days=7))]
                return len(set(viewed.customer_id) - set(bought.customer_id))

            assert count(ATTRIBUTE) == attribute_peer()
            assert count(BEHAVIOUR) == behaviour_peer()
            size = f"{customers:,} customers"
            return [
                Row(
                    name=f"attribute segment, {size}",
                    seconds=median_seconds(lambda: count(ATTRIBUTE)),
                    peer="pandas in memory",
                    peer_seconds=median_seconds(attribute_peer),
                    peak_mb=peak_mb(),
                ),
                Row(
                    name=f"behaviour segment, {size}, {len(events):,} of its events",
                    seconds=median_seconds(lambda: count(BEHAVIOUR)),
                    peer="pandas in memory",
                    peer_seconds=median_seconds(behaviour_peer),
                    peak_mb=peak_mb(),
                ),
                Row(name=f"hash sample, {size}", seconds=median_seconds(lambda: count(SAMPLE)), peak_mb=peak_mb()),
            ]


if __name__ == "__main__":
    asked = sizes(__doc__, customers=(1_000_000, 20_000))
    report("segments", run(asked.customers), quick=asked.quick)
