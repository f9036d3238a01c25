"""A small bank of awkward customers: every kind of gap, boundary and tie, from a seeded generator."""

import json
import random
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import warehouse as warehouse_room
from control.records import Actor, Records
from tools.segment import Segments
from warehouse.catalog import Catalog
from warehouse.clock import Clock
from warehouse.schema import CHANNELS, EVENTS, PRODUCT_KINDS, RISK_LEVELS, TIERS
from warehouse.store import Warehouse

sys.path.insert(0, str(Path(__file__).parent))
from evaluator import Bank

AS_OF = datetime(2026, 11, 18, 1, 0, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")
CUSTOMERS = 70
ENTRIES = {n: AS_OF.replace(tzinfo=None) - timedelta(hours=n % 50, days=n % 9) for n in range(1, CUSTOMERS, 2)}
"""When every other customer entered a canvas."""


@pytest.fixture(scope="session")
def eql_catalog() -> Catalog:
    return Catalog.load(Path(warehouse_room.__file__).parent / "canonical_catalog.yaml")


def make_bank() -> Bank:
    dice = random.Random(11)

    def maybe(value: object, gap: float = 0.2) -> object:
        return None if dice.random() < gap else value

    def money(top: float) -> object:
        return maybe(
            Decimal(dice.choice([0, 5, 1000, 49999, 50000, 50001, int(top)])) + Decimal(dice.choice(["0", "0.25"])),
            0.15,
        )

    today = date(2026, 11, 18)
    customers = []
    for n in range(1, CUSTOMERS + 1):
        born = dice.choice(
            [date(2000, 2, 29), date(1991, 11, 18), date(1991, 11, 19), date(1960, 1, 1), date(2010, 11, 17)]
        )
        login = AS_OF.replace(tzinfo=None) - timedelta(hours=dice.choice([0, 1, 2, 9, 10, 24, 720, 2000]))
        customers.append(
            {
                "customer_id": n, "gender": maybe(dice.choice("FM")), "birth_date": maybe(born),
                "city": maybe(dice.choice(["深圳", "长沙", "xa"])), "branch_id": maybe(dice.choice([1, 2, 3, 4])),
                "manager_id": maybe(dice.choice([1, 2]), 0.5), "opened_on": maybe(today - timedelta(days=dice.choice([0, 1, 100, 365, 900]))),
                "tier": maybe(dice.choice(TIERS)), "risk_level": maybe(dice.choice(RISK_LEVELS), 0.4),
                "risk_assessed_on": maybe(dice.choice([date(2025, 11, 18), date(2025, 11, 19), date(2026, 5, 1)])),
                "is_staff": maybe(dice.random() < 0.1), "is_payroll": maybe(dice.random() < 0.5),
                "payday": maybe(dice.choice([1, 15, 17, 18, 19, 30, 31])), "has_mobile_bank": maybe(True), "wecom_bound": maybe(False),
                "has_credit_card": maybe(dice.random() < 0.5), "card_activated": maybe(dice.random() < 0.5, 0.5),
                "third_party_pay_bound": maybe(dice.random() < 0.5), "deposit_balance": money(9e5), "wealth_balance": money(3e5),
                "fund_balance": money(1e5), "loan_balance": money(1e6), "aum": money(2e6), "aum_30d_ago": money(2e6),
                "monthly_spend": money(2e4), "last_login_at": maybe(login),
            }
        )  # fmt: skip
    products = {
        k: {"product_id": k, "name": f"产品a{k}", "kind": dice.choice(PRODUCT_KINDS), "risk_level": maybe(dice.choice(RISK_LEVELS)),
            "term_days": maybe(dice.choice([30, 180])), "benchmark_rate": 0.02, "on_sale_from": None, "on_sale_to": None}
        for k in range(1, 9)
    }  # fmt: skip
    events = []
    pool = [EVENTS[0], EVENTS[0], *EVENTS]
    for n in range(1, 1500):
        name = dice.choice(pool)
        back = timedelta(
            hours=dice.choice([0, 1, 2, 8, 9, 10, 17, 24, 48, 168, 169, 720, 721, 1500, 9000]),
            seconds=dice.choice([0, 0, 1, 3599]),
        )
        properties = {
            "page": dice.choice(["home", "transfer", None]), "seconds": dice.choice([0, 5, 300, 2.5]), "first": dice.choice([True, False]),
            "merchant": "dining", "direction": "other_bank", "wallet": "alipay", "slot": "popup", "result": "R3", "purpose": "card", "topic": "service",
        }  # fmt: skip
        events.append(
            {
                "event_id": n, "customer_id": dice.randint(1, CUSTOMERS), "name": name, "occurred_at": AS_OF.replace(tzinfo=None) - back,
                "channel": maybe(dice.choice(["app", "web", "branch"])), "product_id": maybe(dice.choice([*products, 99])),
                "amount": money(3e4), "actor": maybe(dice.choice(["customer", "staff"])),
                "properties": maybe(json.dumps({k: v for k, v in properties.items() if dice.random() < 0.7}), 0.1),
            }
        )  # fmt: skip
    holdings = [
        {"holding_id": n, "customer_id": dice.randint(1, CUSTOMERS), "product_id": maybe(dice.choice([*products, 99])), "amount": money(2e5),
         "bought_on": maybe(date(2026, 1, 5)), "matures_on": maybe(today + timedelta(days=dice.choice([-1, 0, 1, 7, 8, 30, 300])))}
        for n in range(1, 90)
    ]  # fmt: skip
    identities = [
        {"kind": dice.choice(["phone", "device"]), "value_hmac": str(n), "customer_id": n} for n in range(1, 50)
    ]
    suppressions = [
        {"customer_id": n, "reason": dice.choice(["refused", "complaint_open"]), "since": None, "until": None}
        for n in range(5, 20)
    ]
    month_ends = [date(2026, month, 1) - timedelta(days=1) for month in range(5, 12)]
    monthly = [
        {"customer_id": n, "month": month, "aum_daily_avg": money(6e5), "tier": maybe(dice.choice(TIERS)), "is_mau": maybe(dice.random() < 0.7),
         "is_key_mau": maybe(dice.random() < 0.4), "salary_amount": money(2e4)}
        for n in range(1, CUSTOMERS + 1) for month in month_ends if dice.random() < 0.8
    ]  # fmt: skip
    benefits = {
        n: {"benefit_id": n, "name": f"权益a{n}", "kind": maybe(dice.choice(["coupon", "red_packet", "points"]))}
        for n in range(1, 5)
    }

    def later(moment: datetime | None) -> datetime | None:
        after = timedelta(days=dice.choice([0, 1, 3, 7, 8]), seconds=dice.choice([0, 0, 1]))
        return None if moment is None or dice.random() < 0.4 else moment + after

    grants, touches = [], []
    for n in range(1, 160):
        back = timedelta(hours=dice.choice([0, 1, 24, 168, 169, 720, 721, 1000, 1500, 3000]))
        issued = dice.choice([None, *[AS_OF.replace(tzinfo=None) - back] * 9])
        claimed = later(issued)
        grants.append(
            {"grant_id": n, "benefit_id": maybe(dice.choice([*benefits, 99])), "customer_id": dice.randint(1, CUSTOMERS), "issued_at": issued,
             "claimed_at": claimed, "redeemed_at": later(claimed), "expired_at": maybe(AS_OF.replace(tzinfo=None) - back + timedelta(days=30))}
        )  # fmt: skip
        decided = AS_OF.replace(tzinfo=None) - timedelta(hours=dice.choice([0, 1, 16, 17, 24, 200, 1000]))
        touches.append(
            {"touch_id": str(n), "campaign_id": dice.choice(["a1", "x2"]), "customer_id": dice.randint(1, CUSTOMERS),
             "channel": maybe(dice.choice(CHANNELS)), "status": dice.choice(["sent", "failed", "capped"]), "decided_at": decided,
             "delivered_at": later(decided), "opened_at": later(decided), "clicked_at": None}
        )  # fmt: skip
    return Bank(customers, events, holdings, products, identities, suppressions, monthly, grants, touches, benefits)


def fill(store: Warehouse, bank: Bank) -> None:
    tables = {"customers": bank.customers, "events": bank.events, "holdings": bank.holdings, "products": list(bank.products.values()),
              "identities": bank.identities, "suppressions": bank.suppressions, "monthly": bank.monthly, "grants": bank.grants, "touches": bank.touches,
              "benefits": list(bank.benefits.values())}  # fmt: skip
    branches = [
        (1, "总行", "head", None),
        (2, "深圳分行", "branch", 1),
        (3, "南山支行", "outlet", 2),
        (4, "长沙分行", "branch", 1),
    ]
    with store.writer() as con:
        for name, rows in tables.items():
            columns = list(rows[0])
            marks = ", ".join("?" for _ in columns)
            con.executemany(
                f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({marks})", [list(r.values()) for r in rows]
            )
        con.executemany("INSERT INTO branches VALUES (?, ?, NULL, ?, ?)", branches)
        con.execute("INSERT INTO staff VALUES (1, '甲', 'manager', 2), (2, '乙', 'manager', 4)")
        con.execute("CREATE TABLE entered (customer_id BIGINT, entered_at TIMESTAMP)")
        con.executemany("INSERT INTO entered VALUES (?, ?)", list(ENTRIES.items()))
        con.execute("INSERT INTO meta VALUES ('as_of', ?), ('zone', 'Asia/Shanghai')", [AS_OF.isoformat()])


@pytest.fixture(scope="session")
def bank() -> Bank:
    return make_bank()


@pytest.fixture(scope="session")
def store(bank: Bank, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warehouse]:
    with Warehouse(tmp_path_factory.mktemp("eql") / "w.duckdb") as opened:
        fill(opened, bank)
        yield opened


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    opened = Records(f"sqlite:///{tmp_path / 'control.sqlite'}", Clock(start=AS_OF))
    yield opened
    opened.close()


OPERATOR = Actor(account="operator", person="p1")


@pytest.fixture
def segments(store: Warehouse, eql_catalog: Catalog, records: Records) -> Segments:
    return Segments(store, eql_catalog, records, OPERATOR)
