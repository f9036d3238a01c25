"""A bank of any size for benchmarks, 25 events a customer over 180 days, kept in the bench folder between runs.

Rows are functions of their number through DuckDB's hash, and each event name is written in order of time, so that nothing
is sorted: a hundred million events take about two minutes. For what a bank's data looks like, see `warehouse.demo_bank`.
"""

import shutil
from datetime import UTC, datetime
from pathlib import Path

from benchmarks._measuring import bench_dir
from warehouse.catalog import canonical_catalog
from warehouse.home import Home, HomeInfo
from warehouse.schema import EVENTS
from warehouse.store import Warehouse

AS_OF = datetime(2026, 11, 18, 1, 0, tzinfo=UTC)
EVENTS_PER_CUSTOMER = 25
DAYS = 180
SHARES = {"login": 0.30, "pay": 0.24, "view_page": 0.14, "transfer": 0.08, "view_product": 0.08, "slot_shown": 0.06}
"""Shares of the frequent events; the other names divide what is left equally."""

VERSION = 1
"""Of this generator: a folder built by another is built anew."""


def big_bank(customers: int) -> Home:
    """The home of a bank with so many customers, built if it is not in the bench folder yet."""
    home = Home(bench_dir() / f"bank-{customers}-v{VERSION}")
    if home.exists():
        return home
    making = Home(home.root.with_suffix(".partial"))
    shutil.rmtree(making.root, ignore_errors=True)
    making.create(HomeInfo(name="bench", kind="demo", clock_start=AS_OF))
    canonical_catalog().save(making.catalog)
    with Warehouse(making.warehouse, memory_limit="10GB") as warehouse:
        fill(warehouse, customers)
    making.root.rename(home.root)
    return home


def fill(warehouse: Warehouse, customers: int) -> None:
    with warehouse.writer() as con:
        con.execute("INSERT INTO meta VALUES ('as_of', ?), ('zone', 'Asia/Shanghai')", [AS_OF.isoformat()])
        con.execute(
            """INSERT INTO products SELECT i, 'product ' || i, (['wealth','fund','deposit','insurance','gold'])[1 + i % 5],
                 'R' || (1 + i % 5), 30 * (1 + i % 12), 0.02 + i % 7 / 500, NULL, NULL FROM range(1, 61) t(i)"""
        )
        con.execute(
            """INSERT INTO branches SELECT i, 'branch ' || i, 'city ' || (i % 12), CASE i WHEN 0 THEN 'head' ELSE 'branch' END,
                 CASE i WHEN 0 THEN NULL ELSE 0 END FROM range(0, 60) t(i)"""
        )
    with warehouse.writer() as con:
        con.execute(CUSTOMERS_SQL, [customers])
    for name in sorted(EVENTS):
        count = int(customers * EVENTS_PER_CUSTOMER * _share(name))
        with warehouse.writer() as con:
            con.execute(EVENTS_SQL, {"name": name, "count": count, "customers": customers, "code": EVENTS.index(name)})
    with warehouse.writer() as con:
        con.execute(HOLDINGS_SQL, [customers, customers // 2])


def _share(name: str) -> float:
    return SHARES.get(name, (1 - sum(SHARES.values())) / (len(EVENTS) - len(SHARES)))


CUSTOMERS_SQL = """
INSERT INTO customers (customer_id, gender, birth_date, city, branch_id, manager_id, opened_on, tier, risk_level,
    risk_assessed_on, is_staff, is_payroll, payday, has_mobile_bank, wecom_bound, has_credit_card, card_activated,
    third_party_pay_bound, deposit_balance, wealth_balance, fund_balance, loan_balance, aum, aum_30d_ago, monthly_spend,
    last_login_at)
SELECT i, CASE WHEN u1 < 0.5 THEN 'F' ELSE 'M' END, DATE '1945-01-01' + (u2 * 24000)::INTEGER, 'city ' || (h2 % 12), h2 % 60,
    CASE WHEN u1 < 0.3 THEN h1 % 500 END, DATE '2010-01-01' + (u3 * 6000)::INTEGER,
    CASE WHEN money < 50000 THEN 'mass' WHEN money < 500000 THEN 'affluent' WHEN money < 6000000 THEN 'wealth' ELSE 'private' END,
    CASE WHEN u3 < 0.7 THEN 'R' || (1 + h1 % 5) END, CASE WHEN u3 < 0.7 THEN DATE '2026-11-18' - (u2 * 700)::INTEGER END,
    h1 % 997 = 0, u2 < 0.35, CASE WHEN u2 < 0.35 THEN 1 + h2 % 31 END, u1 < 0.7, u3 < 0.25, u3 < 0.4, u3 < 0.3, u2 < 0.5,
    money * 0.6, money * 0.3, money * 0.1, CASE WHEN u3 < 0.1 THEN 100000 * u1 ELSE 0 END, money, money * (0.7 + 0.6 * u1),
    2000 * u2, TIMESTAMP '2026-11-18 00:59:00' - to_seconds((power(u3, 3) * 400 * 86400)::BIGINT)
FROM (SELECT i, h1, h2, h1 % 10007 / 10007 AS u1, h2 % 10009 / 10009 AS u2, h1 // 65536 % 10037 / 10037 AS u3,
        least(2e7, exp(9.0 + 1.9 * sqrt(-2 * ln((h1 % 9973 + 1) / 9974)) * cos(6.283185 * (h2 % 9967) / 9967))) AS money
      FROM (SELECT i, hash(i, 1)::UHUGEINT % 1000000007::UHUGEINT AS h1, hash(i, 2)::UHUGEINT % 1000000009::UHUGEINT AS h2
            FROM range(1, ? + 1) t(i)))
ORDER BY i
"""

EVENTS_SQL = f"""
INSERT INTO events
SELECT $code * 1000000000::BIGINT + i, 1 + (hash(i, $code) % $customers)::BIGINT, $name,
    TIMESTAMP '2026-11-18 01:00:00' - to_microseconds((($count - i) * ({DAYS} * 86400e6 / $count))::BIGINT),
    CASE i % 10 WHEN 0 THEN 'web' WHEN 1 THEN 'branch' ELSE 'app' END,
    CASE WHEN $name IN ('view_product', 'click_buy', 'purchase', 'redeem') THEN 1 + i % 60 END,
    CASE WHEN $name IN ('pay', 'transfer', 'purchase', 'redeem', 'salary_credit') THEN (hash(i) % 5000000 / 100)::DECIMAL(18, 2) END,
    CASE i % 20 WHEN 0 THEN 'staff' ELSE 'customer' END,
    CASE WHEN $name = 'view_page' THEN (['{{"page":"home","seconds":5}}', '{{"page":"transfer","seconds":40}}', '{{"page":"wealth","seconds":120}}'])[1 + i % 3] END
FROM range(1, $count + 1) t(i)
"""

HOLDINGS_SQL = """
INSERT INTO holdings SELECT i, 1 + (hash(i, 9) % ?)::BIGINT, 1 + i % 60, (hash(i) % 50000000 / 100)::DECIMAL(18, 2),
    DATE '2026-11-18' - (i % 300)::INTEGER, DATE '2026-11-18' + (i % 700 - 100)::INTEGER
FROM range(1, ? + 1) t(i)
"""


if __name__ == "__main__":
    print(Path(big_bank(500_000).root))
