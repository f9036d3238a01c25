"""Throttle decisions with reasons: 4 M candidates against 40 M touches under the default policy (budget 2.5 s).

.venv/bin/python -m benchmarks.throttle [--quick] [--customers 4000000] [--touches 40000000]
"""

import tempfile
from datetime import UTC, datetime

from benchmarks._measuring import Row, median_seconds, peak_mb, report, sizes
from control.records import Actor, Records, control_url
from tools.segment import Segments
from tools.throttle import ThrottlePolicy, decide
from warehouse.catalog import canonical_catalog
from warehouse.clock import Clock
from warehouse.home import Home, HomeInfo
from warehouse.store import Warehouse

AS_OF = datetime(2026, 11, 18, 4, 0, tzinfo=UTC)
BUDGET_S = 2.5


def fill(warehouse: Warehouse, customers: int, touches: int) -> None:
    """A bank with touches over the last 30 days, sorted by time, one customer in a hundred sharing a phone."""
    with warehouse.writer() as con:
        con.execute("INSERT INTO meta VALUES ('as_of', ?), ('zone', 'Asia/Shanghai')", [AS_OF.isoformat()])
        con.execute(
            """INSERT INTO customers (customer_id, birth_date, branch_id, tier, risk_level, risk_assessed_on, is_staff,
                 has_mobile_bank, wecom_bound, aum)
               SELECT i, DATE '1960-01-01' + (i % 15000)::INTEGER, i % 50, 'mass', 'R' || (1 + i % 5),
                 DATE '2026-11-01' - (i % 500)::INTEGER, i % 997 = 0, i % 4 <> 0, i % 3 = 0, i % 100000 FROM range(?) t(i)""",
            [customers],
        )
        con.execute(
            """INSERT INTO identities SELECT 'phone', 'h' || CASE WHEN i % 100 = 0 THEN i + 1 ELSE i END, i
               FROM range(?) t(i)""",
            [customers],
        )
        con.execute(
            """INSERT INTO consents SELECT i, 'sms', 'marketing', i % 10 <> 0, 'app', 'v1', TIMESTAMP '2025-01-01'
               FROM range(?) t(i)""",
            [customers],
        )
        con.execute(
            "INSERT INTO suppressions SELECT i, 'refused', NULL, NULL FROM range(?) t(i) WHERE i % 50 = 7", [customers]
        )
        con.execute("INSERT INTO products VALUES (1, 'p', 'wealth', 'R2', 90, 0.03, NULL, NULL)")
        con.execute(
            """INSERT INTO touches (touch_id, campaign_id, customer_id, node_id, arm, wave, channel, category, status, rule,
                 decided_at, sent_at)
               SELECT 't' || i, 'c' || (i % 200), (i * 2654435761) % ?, 'touch_1', 'a', 1,
                 CASE i % 3 WHEN 0 THEN 'sms' WHEN 1 THEN 'push' ELSE 'wecom' END,
                 CASE WHEN i % 10 = 0 THEN 'service' ELSE 'marketing' END, 'delivered', 'allowed', moment, moment
               FROM (SELECT i, TIMESTAMP '2026-10-19 04:00' + to_microseconds((i * (30 * 86400 * 1e6 / ?))::BIGINT) AS moment
                     FROM range(?) t(i))""",
            [customers, touches, touches],
        )  # fmt: skip


def run(customers: int, touches: int) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="touchline-bench-") as folder:
        home = Home(folder)
        home.create(HomeInfo(name="bench", kind="demo", clock_start=AS_OF))
        records = Records(control_url(home), Clock(start=AS_OF))
        with Warehouse(home.warehouse, folders=[home.exports]) as warehouse:
            fill(warehouse, customers, touches)
            segments = Segments(warehouse, canonical_catalog(), records, Actor(account="bench", person="bench"))
            with warehouse.overlay() as con:
                con.execute(
                    """CREATE TEMP TABLE tick AS SELECT customer_id, 'new' AS campaign_id, 'touch_1' AS node_id,
                         'sms' AS channel, 'marketing' AS category, 50 AS priority, 1 AS product_id,
                         'new.touch_1.' || customer_id AS touch_id, 'a' AS arm, 1 AS wave FROM customers"""
                )

                def decide_all() -> None:
                    decided = decide(con, "tick", AS_OF, ThrottlePolicy(), segments)
                    con.execute(f"DROP TABLE {decided}")

                seconds = median_seconds(decide_all)
        records.close()
    name = f"throttle decision, {customers:,} candidates x {touches:,} touches"
    return [Row(name=name, seconds=seconds, budget_s=BUDGET_S, peak_mb=peak_mb())]


if __name__ == "__main__":
    asked = sizes(__doc__, customers=(4_000_000, 20_000), touches=(40_000_000, 200_000))
    report("throttle", run(asked.customers, asked.touches), quick=asked.quick)
