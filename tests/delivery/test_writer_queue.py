"""Decide-and-reserve must be one at a time: within the writer queue a cap holds, around it the cap breaks."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import duckdb

from delivery import RealEffects, Slot
from tests.support.released_bank import START, ReleasedBank
from tools.segment import Segments
from tools.throttle import ThrottlePolicy
from warehouse.store import Warehouse

PEOPLE = 40
Transaction = Callable[[], "Iterator[duckdb.DuckDBPyConnection]"]


def touch(bank: ReleasedBank, name: str, open_: Transaction, meet: Callable[[], object]) -> None:
    """Decide a push to the same customers for one campaign, wait for the other one, and commit."""
    segments = Segments(bank.warehouse, bank.catalog, bank.records, bank.authority.actor("operator"))
    effects = RealEffects(ThrottlePolicy(), segments, {name: Slot("full", 1)})
    with contextmanager(open_)() as con:
        con.execute(
            f"""CREATE TEMP TABLE due_{name} AS SELECT customer_id, '{name}' AS campaign_id, 'touch_1' AS node_id,
                  'push' AS channel, 'marketing' AS category, 50 AS priority, NULL::INTEGER AS product_id,
                  '{name}.touch_1.' || customer_id AS touch_id, 'a' AS arm, 1 AS wave, NULL::TIMESTAMP AS expires_at
                FROM reachable"""
        )
        decided = effects.decide(con, f"due_{name}", START, {name: 1_000_000})
        con.execute(f"DROP TABLE {decided}")
        meet()


def both(bank: ReleasedBank, open_: Transaction, meet: Callable[[], object]) -> int:
    """Two campaigns at once; how many customers got more pushes than the cap of one a day allows."""
    threads = [threading.Thread(target=touch, args=(bank, name, open_, meet)) for name in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    over = """SELECT count(*) FROM (SELECT customer_id FROM touches WHERE campaign_id IN ('one', 'two')
              GROUP BY 1 HAVING count(*) > 1)"""
    assert bank.count("SELECT count(*) FROM touches WHERE campaign_id IN ('one', 'two')") >= PEOPLE
    return bank.count(over)


def reachable(bank: ReleasedBank) -> None:
    """Customers whom a push would reach now, found by asking the throttle itself."""
    with bank.warehouse.writer() as con:
        con.execute(
            """CREATE TABLE reachable AS SELECT customer_id FROM customers c WHERE has_mobile_bank AND NOT is_staff
               AND EXISTS (FROM consents k WHERE k.customer_id = c.customer_id AND channel = 'push' AND opted_in
                 AND purpose = 'marketing')
               AND NOT EXISTS (FROM suppressions s WHERE s.customer_id = c.customer_id)
               AND NOT EXISTS (FROM touches t WHERE t.customer_id = c.customer_id
                 AND coalesce(sent_at, decided_at) > TIMESTAMP '2026-10-01')
               AND birth_date < DATE '2000-01-01'
               ORDER BY hash(customer_id) LIMIT 200"""
        )


def around_the_queue(warehouse: Warehouse) -> Transaction:
    def open_() -> Iterator[duckdb.DuckDBPyConnection]:
        con = warehouse._con.cursor()
        con.execute("BEGIN TRANSACTION")
        yield con
        con.execute("COMMIT")
        con.close()

    return open_


def through_the_queue(warehouse: Warehouse) -> Transaction:
    def open_() -> Iterator[duckdb.DuckDBPyConnection]:
        with warehouse.writer() as con:
            yield con

    return open_


def test_around_the_writer_queue_a_cap_breaks(bank: ReleasedBank) -> None:
    reachable(bank)
    meet = threading.Barrier(2, timeout=60)
    assert both(bank, around_the_queue(bank.warehouse), meet.wait) >= PEOPLE


def test_through_the_writer_queue_it_holds(bank: ReleasedBank) -> None:
    reachable(bank)
    assert both(bank, through_the_queue(bank.warehouse), lambda: None) == 0
