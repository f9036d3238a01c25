"""Arbitration across campaigns: the candidate touches of 200 strategies in one tick, by priority and then stable hash, under
the default caps and the touches of the last 30 days.

This is `decide` as the nightly plan and every tick call it, every rule and reason included. Ten candidates a customer; the
budget of 12 s is for 40 M candidates of 4 M customers and is scaled to what was asked for. The peer walks the same
candidates in the same order in plain Python over the same counts, caps alone; both must send the same touches.

.venv/bin/python -m benchmarks.arbitration [--quick] [--customers N]
"""

import time
from collections import Counter

from benchmarks._measuring import REPEATS, Row, alone, median_seconds, report, sizes
from benchmarks.throttle import AS_OF, bank, open_segments, windows
from tools.throttle import ThrottlePolicy, decide
from warehouse.clock import naive_utc
from warehouse.store import Warehouse

STRATEGIES, PER_CUSTOMER = 200, 10
BUDGET_S, FULL = 12.0, 4_000_000
CANDIDATES = f"""CREATE TEMP TABLE tick AS
    SELECT customer_id, 's' || n AS campaign_id, 'touch_1' AS node_id,
      CASE n % 3 WHEN 0 THEN 'sms' WHEN 1 THEN 'push' ELSE 'wecom' END AS channel, 'marketing' AS category,
      1 + n % 100 AS priority, NULL::INTEGER AS product_id, 's' || n || '.touch_1.' || customer_id AS touch_id, 'a' AS arm,
      1 AS wave
    FROM (SELECT customer_id, (hash(customer_id) + i * {STRATEGIES // PER_CUSTOMER}) % {STRATEGIES} AS n
          FROM customers, range({PER_CUSTOMER}) t(i))"""


def ours(customers: int) -> tuple[float, int]:
    """Median seconds to arbitrate, and how many are sent."""
    home = bank(customers)
    with Warehouse(home.warehouse) as warehouse:
        segments, records = open_segments(warehouse, home)
        sent = 0
        with warehouse.overlay() as con:
            con.execute(CANDIDATES)

            def arbitrate() -> None:
                nonlocal sent
                decided = decide(con, "tick", AS_OF, ThrottlePolicy(), segments)
                sent = con.execute(f"SELECT count(*) FROM {decided} WHERE decision = 'send'").fetchall()[0][0]
                con.execute(f"DROP TABLE {decided}")

            seconds = median_seconds(arbitrate)
        records.close()
    return seconds, sent


def peer(customers: int) -> tuple[float, int]:
    """Median seconds of a plain loop over those candidates that no rule about the customer stops, in the same order; and
    how many it sends. What the customers have had, and the order, are there before the clock starts."""
    home = bank(customers)
    with Warehouse(home.warehouse) as warehouse:
        segments, records = open_segments(warehouse, home)
        with warehouse.overlay() as con:
            con.execute(CANDIDATES)
            decided = decide(con, "tick", AS_OF, ThrottlePolicy(), segments)
            rows = con.execute(
                f"""SELECT customer_id, channel FROM {decided} WHERE decision = 'send' OR rule LIKE 'cap%'
                    ORDER BY priority DESC, md5(touch_id), touch_id"""
            ).fetchall()
            had: Counter[tuple[str, int, str]] = Counter()
            for name, start, _, channel in windows():
                counted = con.execute(
                    f"""SELECT customer_id, {"channel" if channel else "''"} AS here, count(*) FROM touches
                        WHERE sent_at >= ? AND sent_at <= ? AND category <> 'service' GROUP BY ALL""",
                    [start, naive_utc(AS_OF)],
                ).fetchall()
                had.update({(name, customer, here): n for customer, here, n in counted})
        records.close()
    caps = [(name, most, bool(channel)) for name, _, most, channel in windows()]
    seconds = []
    for _ in range(REPEATS):
        counts, sent = had.copy(), 0
        started = time.perf_counter()
        for customer, channel in rows:
            keys = [(name, customer, channel if apart else "") for name, _, apart in caps]
            if all(counts[key] < most for key, (_, most, _) in zip(keys, caps, strict=True)):
                sent += 1
                for key in keys:
                    counts[key] += 1
        seconds.append(time.perf_counter() - started)
    return sorted(seconds)[len(seconds) // 2], sent


def run(customers: int) -> list[Row]:
    mine, theirs = alone(ours, customers), alone(peer, customers)
    assert mine.value[1] == theirs.value[1], f"sent {mine.value[1]}, the loop {theirs.value[1]}"
    return [
        Row(
            name=f"arbitration, {STRATEGIES} strategies, {customers * PER_CUSTOMER:,} candidates, {customers:,} customers",
            seconds=mine.value[0],
            budget_s=BUDGET_S * customers / FULL,
            peer="plain Python loop over sorted candidates, caps alone",
            peer_seconds=theirs.value[0],
            peak_mb=mine.peak_mb,
            peer_peak_mb=theirs.peak_mb,
        )
    ]


if __name__ == "__main__":
    # A tenth of the scale of the budget: decide() holds whole candidates, and 40 M of them do not fit this machine.
    asked = sizes(__doc__, customers=(400_000, 20_000))
    report("arbitration", run(asked.customers), quick=asked.quick)
