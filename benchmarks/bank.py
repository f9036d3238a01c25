"""Building the demo bank (a million customers a minute), and reading a campaign out.

.venv/bin/python -m benchmarks.bank [--quick] [--customers 1000000]
"""

import tempfile
import time

from benchmarks._measuring import Row, median_seconds, peak_mb, report, sizes
from tools.analysis import read_out
from warehouse import demo_bank
from warehouse.catalog import Catalog
from warehouse.home import Home
from warehouse.store import Warehouse

CAMPAIGN = "c2026_09_payday"


def run(customers: int) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="touchline-bench-") as folder:
        home = Home(folder + "/home")
        started = time.perf_counter()
        demo_bank.build(home, customers=customers)
        built = time.perf_counter() - started
        catalog = Catalog.load(home.catalog)
        with Warehouse(home.warehouse) as warehouse:
            assigned = warehouse.read("SELECT count(*) FROM assignments WHERE campaign_id = ?", [CAMPAIGN]).scalar()
            read = median_seconds(lambda: read_out(warehouse, catalog, CAMPAIGN, None, None))
        return [
            Row(
                name=f"demo bank, {customers:,} customers",
                seconds=built,
                budget_s=customers / 1e6 * 60,
                peak_mb=peak_mb(),
            ),
            Row(name=f"experiment read-out, {assigned:,} assigned", seconds=read, budget_s=1.0, peak_mb=peak_mb()),
        ]


if __name__ == "__main__":
    asked = sizes(__doc__, customers=(1_000_000, 20_000))
    report("bank", run(asked.customers), quick=asked.quick)
