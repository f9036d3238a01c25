"""The small bank with a fortnight of life in it: events, past touches, refusals, managers, branches, birthdays."""

from pathlib import Path

import duckdb

from tests.support.small_bank import SmallBank, build_small_bank, open_small_bank
from warehouse.home import Home

PEOPLE = 60


def build_lively_bank(root: Path) -> None:
    """`PEOPLE` customers; everything is drawn by hashes, so that it is the same every time."""
    build_small_bank(root, PEOPLE)
    with open_small_bank(root) as bank:
        enliven(bank)
    # An empty vault: a bank that keeps its addresses elsewhere, so that nothing fails for want of one.
    with duckdb.connect(str(Home(root).contacts)) as con:
        con.execute("CREATE TABLE contacts (customer_id BIGINT NOT NULL, name VARCHAR, phone VARCHAR, email VARCHAR)")


def enliven(bank: SmallBank) -> None:
    bank.run("INSERT INTO branches VALUES (3, '南山支行', '深圳', 'branch', 1), (4, '福田网点', '深圳', 'outlet', 2)")
    bank.run(
        """UPDATE customers SET branch_id = 1 + customer_id % 4, payday = 1 + customer_id % 28,
             manager_id = CASE WHEN customer_id % 3 = 0 THEN NULL ELSE 7 END,
             birth_date = DATE '1990-11-01' + (customer_id % 25)::INTEGER"""
    )
    bank.run("UPDATE customers SET birth_date = DATE '1988-02-29' WHERE customer_id = 7")
    bank.run(
        """INSERT INTO events (event_id, customer_id, name, occurred_at, product_id, actor)
           SELECT i, 1 + hash(i) % 60,
             ['login', 'login', 'view_product', 'view_product', 'click_buy', 'purchase', 'transfer'][(1 + hash(i * 7) % 7)::INTEGER],
             TIMESTAMP '2026-11-01' + to_minutes((hash(i * 13) % (17 * 1440))::INTEGER), 1 + hash(i * 3) % 3, 'customer'
           FROM range(1, 700) t(i)"""
    )
    bank.run(
        """INSERT INTO touches (touch_id, campaign_id, customer_id, channel, category, status, decided_at, sent_at)
           SELECT 'old' || i, 'old', 1 + hash(i * 5) % 60, ['sms', 'push', 'wecom'][(1 + hash(i) % 3)::INTEGER], 'marketing', 'sent', m, m
           FROM (SELECT i, TIMESTAMP '2026-10-28' + to_hours((hash(i * 11) % (20 * 24))::INTEGER) AS m
                 FROM range(1, 60) t(i))"""
    )
    bank.run("UPDATE consents SET opted_in = false WHERE channel = 'sms' AND customer_id % 11 = 0")
    bank.run("INSERT INTO suppressions SELECT customer_id, 'refused', TIMESTAMP '2026-11-08', NULL FROM customers WHERE customer_id % 13 = 0")  # fmt: skip
