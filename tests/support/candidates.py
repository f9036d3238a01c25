"""Candidates of a tick as a TEMP table, and their decisions as plain rows."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import duckdb

from tests.support.small_bank import SmallBank
from tools.throttle import ThrottlePolicy, decide


def naive(text: str) -> datetime:
    """An instant as DuckDB's TIMESTAMP columns hold it: UTC, without a zone."""
    return datetime.fromisoformat(text)


@dataclass(frozen=True)
class Candidate:
    customer: int
    channel: str = "sms"
    category: str = "marketing"
    priority: int = 50
    campaign: str = "new"
    node: str = "touch_1"
    product: int | None = None
    expires_at: datetime | None = None

    @property
    def touch_id(self) -> str:
        return f"{self.campaign}.{self.node}.{self.customer}"


@dataclass(frozen=True)
class Decision:
    decision: str
    rule: str
    until: datetime | None


def put(con: duckdb.DuckDBPyConnection, rows: Iterable[Candidate], table: str = "tick") -> str:
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE {table} (customer_id BIGINT, campaign_id VARCHAR, node_id VARCHAR, channel VARCHAR,
            category VARCHAR, priority INTEGER, product_id INTEGER, touch_id VARCHAR, arm VARCHAR, wave INTEGER,
            expires_at TIMESTAMP)"""
    )
    for c in rows:
        con.execute(
            f"INSERT INTO {table} VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'a', 1, ?)",
            [c.customer, c.campaign, c.node, c.channel, c.category, c.priority, c.product, c.touch_id, c.expires_at],
        )
    return table


def decisions(
    bank: SmallBank,
    rows: list[Candidate],
    instant: datetime,
    policy: ThrottlePolicy | None = None,
    limits: dict[str, int] | None = None,
) -> dict[str, Decision]:
    """touch_id → decision; checks that there is exactly one per candidate."""
    with bank.warehouse.overlay() as con:
        table = decide(con, put(con, rows), instant, policy or ThrottlePolicy(), bank.segments, limits=limits)
        found = con.execute(f"SELECT touch_id, decision, rule, until FROM {table}").fetchall()
    assert sorted(row[0] for row in found) == sorted(c.touch_id for c in rows)
    return {touch: Decision(*rest) for touch, *rest in found}
