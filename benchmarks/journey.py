"""A dry run of four waves: the set-wise engine, against a coroutine per customer that takes the same decisions.

.venv/bin/python -m benchmarks.journey [--customers 1000000] [--peers 20000] [--quick]

The peer holds everything it needs in Python dictionaries before its time starts. It runs on a bank of `--peers` customers,
on which both must count the same at every node; its seconds are scaled to the full size by the number of customers, which
favours it (its clock's heap grows faster than that).
"""

import asyncio
import heapq
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from benchmarks._drawing import draw
from benchmarks._measuring import IMAGES, Row, alone, median_seconds, report, sizes
from control.records import Actor, Records, control_url
from tools.canvas import Canvas, DryRun, dry_run
from tools.canvas.schema import Goal
from tools.canvas.waves import Placed, Plan, Wave, build
from tools.segment import Segments, bucket, threshold
from tools.throttle import ThrottlePolicy
from warehouse.catalog import canonical_catalog
from warehouse.clock import Clock
from warehouse.home import Home, HomeInfo
from warehouse.store import Warehouse

AS_OF = datetime(2026, 11, 18, 4, 0, tzinfo=UTC)
START = datetime(2026, 11, 5, 2, 0, tzinfo=UTC)
BUDGET_S = 10.0
WAVES = (("sms", 0), ("push", 3), ("wecom", 6), ("sms", 10))
NOON_UTC = 4
SERIES = (250_000, 500_000, 1_000_000, 2_000_000)
DAY = timedelta(days=1)


def canvas(customers: int) -> Canvas:
    text = "{name}您好，请看新服务。"
    waves = [Wave(channel=channel, day=day, hour=12, text=text) for channel, day in WAVES]  # type: ignore[arg-type]
    plan = Plan(
        segment="everyone",
        goal=Goal(event="purchase", window_days=14),
        waves=tuple(Placed(number, wave) for number, wave in enumerate(waves, start=1)),
        holdout_percent=10,
        key="bench",
        settings={"name": "bench", "max_touches": customers * len(waves)},
    )
    return build(plan)


def fill(warehouse: Warehouse, customers: int) -> None:
    """Two past touches, three logins and half a purchase for each customer over the last thirty days."""
    statements = (
        f"INSERT INTO meta VALUES ('as_of', '{AS_OF.isoformat()}'), ('zone', 'Asia/Shanghai')",
        """INSERT INTO customers (customer_id, birth_date, branch_id, tier, is_staff, has_mobile_bank, wecom_bound, aum)
           SELECT i, DATE '1960-01-01' + (i % 15000)::INTEGER, i % 50, 'mass', i % 997 = 0, i % 4 <> 0, i % 3 = 0, i % 100000
           FROM range($n) t(i)""",
        "INSERT INTO identities SELECT 'phone', 'h' || i, i FROM range($n) t(i)",
        """INSERT INTO consents SELECT i, channel, 'marketing', i % 10 <> 0, 'app', 'v1', TIMESTAMP '2025-01-01'
           FROM range($n) t(i), (SELECT unnest(['sms', 'push', 'wecom']) AS channel)""",
        "INSERT INTO suppressions SELECT i, 'refused', NULL, NULL FROM range($n) t(i) WHERE i % 50 = 7",
        """INSERT INTO events (event_id, customer_id, name, occurred_at, actor)
           SELECT i, (i * 2654435761) % $n, CASE WHEN i % 7 = 0 THEN 'purchase' ELSE 'login' END,
             TIMESTAMP '2026-10-19 04:00' + to_seconds((i * 7919) % 2592000), 'customer'
           FROM range($n * 7 // 2) t(i) ORDER BY 3, 4""",
        """INSERT INTO touches (touch_id, campaign_id, customer_id, channel, category, status, decided_at, sent_at)
           SELECT 't' || i, 'old', (i * 2654435761) % $n, ['sms', 'push', 'wecom'][(1 + i % 3)::INTEGER], 'marketing', 'sent', m, m
           FROM (SELECT i, TIMESTAMP '2026-10-19 04:00' + to_seconds((i * 6101) % 2592000) AS m FROM range($n * 2) t(i))
           ORDER BY m""",
    )  # fmt: skip
    with warehouse.writer() as con:
        for statement in statements:
            con.execute(statement, {"n": customers} if "$n" in statement else None)


@contextmanager
def bank(customers: int) -> Iterator[Segments]:
    with tempfile.TemporaryDirectory(prefix="touchline-bench-") as folder:
        home = Home(folder)
        home.create(HomeInfo(name="bench", kind="demo", clock_start=AS_OF))
        records = Records(control_url(home), Clock(start=AS_OF))
        with Warehouse(home.warehouse, folders=[home.exports], threads=2) as warehouse:
            fill(warehouse, customers)
            yield Segments(warehouse, canonical_catalog(), records, Actor(account="bench", person="bench"))
        records.close()


def engine(customers: int, repeats: int) -> float:
    with bank(customers) as segments:
        work = canvas(customers)
        return median_seconds(lambda: dry_run(work, segments, ThrottlePolicy(), START), repeats)


def counted(run: DryRun) -> Counter[str]:
    """What both sides must agree on: held out, goals, and per touch sent, capped, abandoned."""
    tally: Counter[str] = Counter()
    for node in run.nodes:
        tally["held_out"] += node.held_out
        tally["goal"] += node.goal
        if node.kind == "touch":
            for what in ("sent", "capped", "abandoned"):
                tally[f"{node.id} {what}"] += getattr(node, what)
    return +tally


@dataclass
class Facts:
    """All that a coroutine needs to know of its bank, in memory."""

    customers: dict[int, tuple[int, bool, bool, bool]]
    phones: set[int]
    consents: set[tuple[int, str]]
    suppressed: set[int]
    purchases: dict[int, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    touches: dict[int, list[tuple[datetime, str]]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def read(cls, warehouse: Warehouse) -> "Facts":
        rows = warehouse.read(
            "SELECT customer_id, year(birth_date), is_staff, has_mobile_bank, wecom_bound FROM customers"
        ).rows
        facts = cls(
            {row[0]: row[1:] for row in rows},
            {row[0] for row in warehouse.read("SELECT customer_id FROM identities").rows},
            set(warehouse.read("SELECT customer_id, channel FROM consents WHERE opted_in").rows),
            {row[0] for row in warehouse.read("SELECT customer_id FROM suppressions").rows},
        )  # fmt: skip
        for customer, moment in warehouse.read(
            "SELECT customer_id, occurred_at FROM events WHERE name = 'purchase'"
        ).rows:
            facts.purchases[customer].append(moment.replace(tzinfo=UTC))
        for customer, moment, channel in warehouse.read("SELECT customer_id, sent_at, channel FROM touches").rows:
            facts.touches[customer].append((moment.replace(tzinfo=UTC), channel))
        return facts

    def decide(self, customer: int, channel: str, now: datetime) -> str:
        """The rules of the default policy that this bank can run into, for one customer."""
        _, staff, mobile, wecom = self.customers[customer]
        if customer in self.suppressed or staff or (customer, channel) not in self.consents:
            return "abandoned"
        if not {"sms": customer in self.phones, "push": mobile, "wecom": wecom}[channel]:
            return "abandoned"
        today = (now + timedelta(hours=8)).date()
        day = week = month = 0
        for moment, on in self.touches[customer]:
            if moment > now:
                continue
            local = (moment + timedelta(hours=8)).date()
            day += local == today and on == channel
            week += moment > now - 7 * DAY
            month += (local.year, local.month) == (today.year, today.month)
        if day >= 1 or week >= 3 or month >= 8:
            return "capped"
        self.touches[customer].append((now, channel))
        return "sent"


class SimulatedClock:
    """Wakes coroutines in the order of their times."""

    def __init__(self) -> None:
        self._waiting: list[tuple[datetime, int, asyncio.Future[None]]] = []
        self._n = 0

    async def until(self, moment: datetime) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._n += 1
        heapq.heappush(self._waiting, (moment, self._n, future))
        await future

    async def run(self) -> None:
        await asyncio.sleep(0)
        while self._waiting:
            now = self._waiting[0][0]
            while self._waiting and self._waiting[0][0] == now:
                heapq.heappop(self._waiting)[2].set_result(None)
            await asyncio.sleep(0)


async def journey(customer: int, facts: Facts, clock: SimulatedClock, tally: Counter[str]) -> None:
    if bucket("bench", customer) < threshold(10):
        tally["held_out"] += 1
        return
    for number, (channel, day) in enumerate(WAVES, start=1):
        now = START.replace(hour=NOON_UTC) + day * DAY
        await clock.until(now)
        if any(START < moment <= now for moment in facts.purchases[customer]):
            tally["goal"] += 1
            return
        tally[f"touch_{number} {facts.decide(customer, channel, now)}"] += 1


async def everybody(facts: Facts) -> Counter[str]:
    clock, tally = SimulatedClock(), Counter[str]()
    tasks = [asyncio.create_task(journey(customer, facts, clock, tally)) for customer in facts.customers]
    await clock.run()
    await asyncio.gather(*tasks)
    return tally


def peer(customers: int) -> float:
    """Seconds of the coroutines; both sides count the same.

    Raises:
        AssertionError: they do not.
    """
    with bank(customers) as segments:
        expected = counted(dry_run(canvas(customers), segments, ThrottlePolicy(), START))
        facts = Facts.read(segments.warehouse)
        past = {customer: list(touches) for customer, touches in facts.touches.items()}
        found: list[Counter[str]] = []

        def once() -> None:
            facts.touches = defaultdict(list, {customer: list(touches) for customer, touches in past.items()})
            found.append(asyncio.run(everybody(facts)))

        seconds = median_seconds(once)
        assert all(tally == expected for tally in found), (found[0], expected)
        return seconds


def run(customers: int, peers: int, *, quick: bool) -> list[Row]:
    theirs = alone(peer, peers)
    scaled = theirs.value * customers / peers
    rows = []
    for size in [customers] if quick else sorted({*SERIES, customers}):
        mine = alone(engine, size, 5 if size == customers else 3)
        is_main = size == customers
        rows.append(
            Row(
                name=f"journey dry run, {size:,} customers, 4 waves",
                seconds=mine.value,
                budget_s=BUDGET_S if is_main else None,
                peer=f"coroutine per customer, {peers:,} scaled" if is_main else None,
                peer_seconds=scaled if is_main else None,
                peak_mb=mine.peak_mb,
                peer_peak_mb=theirs.peak_mb if is_main else None,
            )
        )
    if not quick:
        points = [(float(size), row.seconds) for size, row in zip(sorted({*SERIES, customers}), rows, strict=True)]
        draw(IMAGES / "bench-journey.svg", "A dry run of four waves", {"journey": points}, "customers", "seconds")
    return rows


if __name__ == "__main__":
    asked = sizes(__doc__, customers=(1_000_000, 20_000), peers=(20_000, 2_000))
    report("journey", run(asked.customers, asked.peers, quick=asked.quick), quick=asked.quick)
