"""Throttle decisions with reasons: 4 M candidates against 40 M touches under six rules, and writing the reservations.

The peers answer the narrower question whether the caps leave room — no reasons, no suitability, consent or quiet hours —
over the same touches, and their answer is checked against what the caps alone decide here. The Redis loop keeps a sorted
set of touches per customer and channel group and counts by score, pipelined, as a caller that sends one message at a time
would; it runs over a tenth of the first customers and is scaled linearly, which favours it (the rest would not fit).

.venv/bin/python -m benchmarks.throttle [--quick] [--customers N]
"""

import shutil
import statistics
import time
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import redis

from benchmarks._drawing import draw
from benchmarks._measuring import IMAGES, REPEATS, Row, alone, bench_dir, median_seconds, report, sizes
from control.records import Actor, Records, control_url
from delivery.effects import RealEffects, Slot
from delivery.tables import make
from tools.segment import Segments
from tools.throttle import ThrottlePolicy, decide
from tools.throttle.calendar import window_start
from tools.throttle.policy import Rolling
from warehouse.catalog import canonical_catalog
from warehouse.clock import Clock, naive_utc
from warehouse.home import Home, HomeInfo
from warehouse.store import Warehouse

AS_OF = datetime(2026, 11, 18, 4, 0, tzinfo=UTC)
TOUCHES_PER_CUSTOMER = 10
BUDGET_S, WRITE_BUDGET_S = 2.5, 5.0
SHARE_OF_REDIS = 10
VERSION = 1
"""Of this generator: a folder built by another is built anew."""
TICK = """CREATE TEMP TABLE tick AS SELECT customer_id, 'new' AS campaign_id, 'touch_1' AS node_id, 'sms' AS channel,
            'marketing' AS category, 50 AS priority, 1 AS product_id, 'new.touch_1.' || customer_id AS touch_id, 'a' AS arm,
            1 AS wave FROM customers"""


def bank(customers: int) -> Home:
    """A bank with touches over the last 30 days, sorted by time; kept in the bench folder between runs."""
    home = Home(bench_dir() / f"touches-{customers}-v{VERSION}")
    if home.exists():
        return home
    making = Home(home.root.with_suffix(".partial"))
    shutil.rmtree(making.root, ignore_errors=True)
    making.create(HomeInfo(name="bench", kind="demo", clock_start=AS_OF))
    with Warehouse(making.warehouse) as warehouse:
        fill(warehouse, customers, customers * TOUCHES_PER_CUSTOMER)
    making.root.rename(home.root)
    return home


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


def open_segments(warehouse: Warehouse, home: Home) -> tuple[Segments, Records]:
    records = Records(control_url(home), Clock(start=AS_OF))
    return Segments(warehouse, canonical_catalog(), records, Actor(account="bench", person="bench")), records


def ours(customers: int) -> tuple[float, float, int]:
    """Seconds to decide, seconds to write the reservations, and how many are sent."""
    home = bank(customers)
    with Warehouse(home.warehouse) as warehouse:
        segments, records = open_segments(warehouse, home)
        with warehouse.overlay() as con:
            con.execute(TICK)

            def decide_all() -> None:
                con.execute(f"DROP TABLE {decide(con, 'tick', AS_OF, ThrottlePolicy(), segments)}")

            seconds = median_seconds(decide_all)
        with warehouse.writer() as con:
            make(con)
        writing = []
        for _ in range(REPEATS):
            # What a wave does with its decisions, rolled back so that the next round writes the same.
            with warehouse.overlay() as con:
                con.execute("BEGIN TRANSACTION")
                con.execute(TICK)
                decided = decide(con, "tick", AS_OF, ThrottlePolicy(), segments)
                started = time.perf_counter()
                RealEffects(ThrottlePolicy(), segments, {"new": Slot("full", 1)}).carry_out(con, decided, AS_OF)
                writing.append(time.perf_counter() - started)
                sent = con.execute(f"SELECT count(*) FROM {decided} WHERE decision = 'send'").fetchall()[0][0]
                con.execute("ROLLBACK")
        records.close()
    return seconds, statistics.median(writing), int(sent)


def windows() -> list[tuple[str, datetime, int, str]]:
    """The default caps as the peers need them: name, start, maximum, and the channel that counts alone."""
    policy, zone = ThrottlePolicy(), Clock(start=AS_OF).zone
    return [
        (
            cap.name,
            # A rolling window leaves its first moment out.
            naive_utc(window_start(cap.window, AS_OF, zone)[0])
            + timedelta(microseconds=1 if isinstance(cap.window, Rolling) else 0),
            cap.max,
            "sms" if cap.scope == "channel" else "",
        )
        for cap in policy.caps
    ]


def stopped_by_caps(home: Home, most: int) -> int:
    """How many customers, of those with a number below `most`, our caps alone stop: what the peers are checked against."""
    with Warehouse(home.warehouse) as warehouse:
        segments, records = open_segments(warehouse, home)
        loose = ThrottlePolicy(contact={}, quiet_hours=())
        loose = loose.model_copy(
            update={
                "consent": loose.consent.model_copy(update={"assumed": True}),
                "suppression": loose.suppression.model_copy(
                    update={"marketing": (), "service": (), "staff": False, "minimum_age": 0}
                ),
                "identity": loose.identity.model_copy(update={"kinds": ()}),
            }
        )
        with warehouse.overlay() as con:
            con.execute(
                TICK.replace("1 AS product_id", "NULL::INTEGER AS product_id") + f" WHERE customer_id < {int(most)}"
            )
            con.execute("CREATE OR REPLACE TEMP TABLE consents AS FROM consents LIMIT 0")
            decided = decide(con, "tick", AS_OF, loose, segments)
            found = con.execute(f"SELECT count(*) FROM {decided} WHERE decision <> 'send'").fetchall()[0][0]
        records.close()
    return int(found)


def touches_of(home: Home, most: int) -> pd.DataFrame:
    start = min(start for _, start, _, _ in windows())
    with Warehouse(home.warehouse) as warehouse:
        return warehouse.read_arrow(
            """SELECT customer_id, channel, sent_at FROM touches WHERE sent_at >= ? AND sent_at <= ? AND customer_id < ?
               AND category <> 'service'""",
            [start, naive_utc(AS_OF), most],
        ).to_pandas()  # fmt: skip


def pandas_peer(customers: int) -> tuple[float, int]:
    """Median seconds of a group-by per cap over touches that are in memory already, and how many customers are stopped."""
    frame = touches_of(bank(customers), customers)
    stopped = np.zeros(customers, bool)

    def count() -> None:
        stopped[:] = False
        for _, start, most, channel in windows():
            mine = frame[frame.sent_at >= start]
            mine = mine[mine.channel == channel] if channel else mine
            counts = mine.groupby("customer_id", sort=False).size()
            stopped[counts.index[counts >= most].to_numpy()] = True

    return median_seconds(count), int(stopped.sum())


def redis_peer(customers: int) -> tuple[float, int, int]:
    """Median seconds, scaled to all customers, of counting by score in Redis; how many of the subset are stopped, and its
    size. The counters are loaded before the clock starts."""
    some = max(1, customers // SHARE_OF_REDIS)
    frame = touches_of(bank(customers), some)
    server = redis.Redis(host="127.0.0.1", port=6379)
    prefix = "touchline-bench:"
    scores = frame.sent_at.astype("datetime64[us]").astype("int64")
    pipe = server.pipeline(transaction=False)
    for place, (customer, channel, score) in enumerate(zip(frame.customer_id, frame.channel, scores, strict=True)):
        pipe.zadd(f"{prefix}{customer}", {str(place): int(score)})
        if channel == "sms":
            pipe.zadd(f"{prefix}{customer}:sms", {str(place): int(score)})
        if place % 5_000 == 0:
            pipe.execute()
    pipe.execute()
    caps = [
        (int(np.datetime64(start, "us").astype("int64")), most, f":{channel}" if channel else "")
        for _, start, most, channel in windows()
    ]
    stopped = 0

    def count() -> None:
        nonlocal stopped
        stopped = 0
        for first in range(0, some, 1_000):
            asking = server.pipeline(transaction=False)
            group = range(first, min(some, first + 1_000))
            for customer in group:
                for start, _, channel in caps:
                    asking.zcount(f"{prefix}{customer}{channel}", start, "+inf")
            found = asking.execute()
            for place in range(len(group)):
                counts = found[place * len(caps) : (place + 1) * len(caps)]
                stopped += any(n >= most for n, (_, most, _) in zip(counts, caps, strict=True))

    try:
        seconds = median_seconds(count) * customers / some
    finally:
        for first in range(0, some, 1_000):
            server.delete(*(f"{prefix}{c}{tail}" for c in range(first, first + 1_000) for tail in ("", ":sms")))
        server.close()
    return seconds, stopped, some


def run(customers: int) -> list[Row]:
    home = bank(customers)
    mine = alone(ours, customers)
    decided, written, sent = mine.value
    in_memory, by_score = alone(pandas_peer, customers), alone(redis_peer, customers)
    assert in_memory.value[1] == stopped_by_caps(home, customers), "pandas counts otherwise"
    assert by_score.value[1] == stopped_by_caps(home, by_score.value[2]), "Redis counts otherwise"
    scale = f"{customers:,} candidates x {customers * TOUCHES_PER_CUSTOMER:,} touches"
    return [
        Row(
            name=f"throttle decision with reasons, {scale}",
            seconds=decided,
            budget_s=BUDGET_S,
            peer="pandas group-by of the caps alone",
            peer_seconds=in_memory.value[0],
            peak_mb=mine.peak_mb,
            peer_peak_mb=in_memory.peak_mb,
        ),
        Row(
            name=f"throttle decision with reasons, {scale} (against Redis)",
            seconds=decided,
            budget_s=BUDGET_S,
            peer=f"Redis counters of the caps alone, {by_score.value[2]:,} customers scaled up",
            peer_seconds=by_score.value[0],
            peak_mb=mine.peak_mb,
        ),
        Row(
            name=f"writing {sent:,} reservations, their outbox, and the journal of the rest",
            seconds=written,
            budget_s=WRITE_BUDGET_S,
            peak_mb=mine.peak_mb,
        ),
    ]


def series(largest: int) -> list[Row]:
    """The cost from an eighth of the customers to all of them, drawn."""
    found = [(customers, alone(ours, customers)) for customers in (largest // 8, largest // 4, largest // 2, largest)]
    draw(
        IMAGES / "throttle-scaling.svg",
        "Deciding one touch of every customer, ten past touches each",
        {
            "decide, with reasons": [(n, measured.value[0]) for n, measured in found],
            "write reservations and journal": [(n, measured.value[1]) for n, measured in found],
        },
        "customers",
        "seconds",
    )
    return [
        Row(name=f"throttle decision, series: {n:,} customers", seconds=measured.value[0], peak_mb=measured.peak_mb)
        for n, measured in found
    ]


if __name__ == "__main__":
    asked = sizes(__doc__, customers=(4_000_000, 40_000))
    rows = run(asked.customers)
    if not asked.quick:
        rows += series(asked.customers)
    report("throttle", rows, quick=asked.quick)
