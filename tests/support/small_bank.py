"""A bank of a few customers made by hand: everybody can be reached and nobody is stopped unless the test says so."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from control.records import Actor, Records, control_url
from tools.segment import Segments
from warehouse.catalog import canonical_catalog
from warehouse.clock import Clock
from warehouse.home import Home, HomeInfo
from warehouse.store import Warehouse

AS_OF = datetime(2026, 11, 18, 1, 0, tzinfo=UTC)
OPERATOR = Actor(account="operator", person="operator")


class SmallBank:
    """The stores of a small home, and short ways to change its data."""

    def __init__(self, home: Home, warehouse: Warehouse, records: Records) -> None:
        self.home, self.warehouse, self.records = home, warehouse, records
        self.catalog = canonical_catalog()
        self.clock = Clock(start=AS_OF, wall=lambda: 0.0)
        self.segments = Segments(warehouse, self.catalog, records, OPERATOR)

    def run(self, sql: str, *params: object) -> None:
        with self.warehouse.writer() as con:
            con.execute(sql, list(params) or None)

    def touch(self, customer: int, moment: str, channel: str = "sms", category: str = "marketing", status: str = "sent", campaign: str = "old") -> None:  # fmt: skip
        """A touch in the past; `moment` is naive UTC."""
        self.run(
            """INSERT INTO touches (touch_id, campaign_id, customer_id, channel, category, status, decided_at, sent_at)
               SELECT 't' || (count(*) + 1), ?, ?, ?, ?, ?, ?::TIMESTAMP, ?::TIMESTAMP FROM touches""",
            campaign, customer, channel, category, status, moment, moment,
        )  # fmt: skip

    def event(self, customer: int, name: str, moment: str, product: int | None = None) -> None:
        self.run(
            """INSERT INTO events (event_id, customer_id, name, occurred_at, product_id, actor)
               SELECT count(*) + 1, ?, ?, ?::TIMESTAMP, ?, 'customer' FROM events""",
            customer, name, moment, product,
        )  # fmt: skip


def build_small_bank(root: Path, customers: int = 20) -> None:
    """Customers 1…n: adults, R3 assessed half a year before the cut-off, consent and reach on every channel."""
    home = Home(root)
    home.create(HomeInfo(name="小银行", kind="demo", clock_start=AS_OF, clock_origin=0.0))
    canonical_catalog().save(home.catalog)
    with open_small_bank(root) as bank:
        bank.run("INSERT INTO meta VALUES ('as_of', ?), ('zone', 'Asia/Shanghai')", AS_OF.isoformat())
        bank.run("INSERT INTO branches VALUES (1, '总行', '深圳', 'head', NULL), (2, '福田支行', '深圳', 'branch', 1)")
        bank.run(
            """INSERT INTO customers (customer_id, birth_date, branch_id, manager_id, opened_on, tier, risk_level,
                 risk_assessed_on, is_staff, has_mobile_bank, wecom_bound, is_payroll, aum)
               SELECT i, DATE '1990-05-05', 1 + i % 2, 7, DATE '2020-01-01', 'mass', 'R3', DATE '2026-05-18', false, true,
                 true, i % 2 = 0, i * 1000 FROM range(1, ? + 1) t(i)""",
            customers,
        )
        bank.run("INSERT INTO identities SELECT 'phone', 'hmac' || customer_id, customer_id FROM customers")
        bank.run(
            """INSERT INTO consents SELECT customer_id, channel, purpose, true, 'app', 'v1', TIMESTAMP '2024-01-01'
               FROM customers, (SELECT unnest(['sms', 'push', 'inapp', 'wecom', 'email', 'call', 'task']) AS channel),
                 (SELECT unnest(['marketing', 'service']) AS purpose)"""
        )
        bank.run(
            """INSERT INTO products VALUES (1, '安心一号', 'wealth', 'R2', 90, 0.031, DATE '2026-01-01', DATE '2027-12-31'),
               (2, '进取二号', 'wealth', 'R4', 180, 0.042, DATE '2026-01-01', DATE '2026-06-30'),
               (3, '一年定存', 'deposit', NULL, 365, 0.015, NULL, NULL)"""
        )


@contextmanager
def open_small_bank(root: Path) -> Iterator[SmallBank]:
    """The stores of a small bank that was built before."""
    home = Home(root)
    records = Records(control_url(home), Clock(start=AS_OF))
    with Warehouse(home.warehouse, folders=[home.exports]) as warehouse:
        try:
            yield SmallBank(home, warehouse, records)
        finally:
            records.close()


def copied(master: Path, root: Path) -> Path:
    shutil.copytree(master, root, ignore=shutil.ignore_patterns("*.lock", "owner.json"))
    return root
