"""The canonical schema of `warehouse.duckdb`, as data: what the importer checks, the demo bank fills and tools read.

Instants are TIMESTAMP in UTC. Keys of big tables are checked by the importer and by ingestion rather than by
constraints: an index on 20 million events tripled memory and load time.
"""

from dataclasses import dataclass, field
from typing import Literal

SCHEMA_VERSION = 1
MONEY = "DECIMAL(18,2)"

TIERS = ("mass", "affluent", "wealth", "private")
RISK_LEVELS = ("R1", "R2", "R3", "R4", "R5")
PRODUCT_KINDS = ("deposit", "wealth", "fund", "insurance", "gold", "loan", "credit_card")
CHANNELS = ("sms", "push", "inapp", "wecom", "email", "call", "task")
PURPOSES = ("marketing", "service")
ACTORS = ("customer", "staff")
EVENTS = (
    "login", "view_product", "click_buy", "risk_assessment", "password_prompt", "purchase", "redeem", "transfer", "pay",
    "salary_credit", "bind_card", "activate_card", "view_page", "close_page", "slot_shown", "slot_clicked",
    "branch_visit", "complaint",
)  # fmt: skip
SUPPRESSION_REASONS = ("refused", "complaint_open", "deceased", "frozen", "fraud", "overdue", "minor", "staff")
IDENTITY_KINDS = ("phone", "id_card", "device", "wecom", "account")


@dataclass(frozen=True)
class Column:
    """One column; `allowed` lists the values of an enumeration, `references` is 'table.column'."""

    name: str
    type: str
    required: bool = False
    allowed: tuple[str, ...] = ()
    references: str = ""


@dataclass(frozen=True)
class Table:
    """One canonical table; `key` is unique, `sort` the physical order in which rows are stored."""

    name: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    sort: tuple[str, ...] = ()
    big: bool = False
    extra_columns: bool = field(default=False)

    def column(self, name: str) -> Column | None:
        return next((c for c in self.columns if c.name == name), None)

    def ddl(self, name: str | None = None) -> str:
        columns = ", ".join(f'"{c.name}" {c.type}{" NOT NULL" if c.required else ""}' for c in self.columns)
        return f'CREATE TABLE IF NOT EXISTS "{name or self.name}" ({columns})'


def _c(name: str, type_: str, *allowed: str, required: bool = False, references: str = "") -> Column:
    return Column(name, type_, required, allowed, references)


_CUSTOMER = _c("customer_id", "BIGINT", required=True, references="customers.customer_id")
_ID: Literal["BIGINT"] = "BIGINT"

TABLES: tuple[Table, ...] = (
    Table(
        "branches",
        (
            _c("branch_id", "INTEGER", required=True),
            _c("name", "VARCHAR"),
            _c("city", "VARCHAR"),
            _c("level", "VARCHAR", "head", "branch", "outlet"),
            _c("parent_id", "INTEGER", references="branches.branch_id"),
        ),
        key=("branch_id",),
    ),
    Table(
        "staff",
        (
            _c("staff_id", "INTEGER", required=True),
            _c("name", "VARCHAR"),
            _c("role", "VARCHAR"),
            _c("branch_id", "INTEGER", references="branches.branch_id"),
        ),
        key=("staff_id",),
    ),
    Table(
        "customers",
        (
            _c("customer_id", _ID, required=True),
            _c("gender", "VARCHAR", "F", "M"),
            _c("birth_date", "DATE"),
            _c("city", "VARCHAR"),
            _c("branch_id", "INTEGER", references="branches.branch_id"),
            _c("manager_id", "INTEGER", references="staff.staff_id"),
            _c("opened_on", "DATE"),
            _c("tier", "VARCHAR", *TIERS),
            _c("risk_level", "VARCHAR", *RISK_LEVELS),
            _c("risk_assessed_on", "DATE"),
            _c("is_staff", "BOOLEAN"),
            _c("is_payroll", "BOOLEAN"),
            _c("payday", "TINYINT"),
            _c("has_mobile_bank", "BOOLEAN"),
            _c("wecom_bound", "BOOLEAN"),
            _c("has_credit_card", "BOOLEAN"),
            _c("card_activated", "BOOLEAN"),
            _c("third_party_pay_bound", "BOOLEAN"),
            _c("deposit_balance", MONEY),
            _c("wealth_balance", MONEY),
            _c("fund_balance", MONEY),
            _c("loan_balance", MONEY),
            _c("aum", MONEY),
            _c("aum_30d_ago", MONEY),
            _c("monthly_spend", MONEY),
            _c("last_login_at", "TIMESTAMP"),
        ),
        key=("customer_id",),
        sort=("customer_id",),
        extra_columns=True,
    ),
    Table(
        "monthly",
        (
            _CUSTOMER,
            _c("month", "DATE", required=True),
            _c("aum_daily_avg", MONEY),
            _c("tier", "VARCHAR", *TIERS),
            _c("is_mau", "BOOLEAN"),
            _c("is_key_mau", "BOOLEAN"),
            _c("salary_amount", MONEY),
        ),
        key=("customer_id", "month"),
        sort=("month", "customer_id"),
        big=True,
    ),
    Table(
        "products",
        (
            _c("product_id", "INTEGER", required=True),
            _c("name", "VARCHAR"),
            _c("kind", "VARCHAR", *PRODUCT_KINDS),
            _c("risk_level", "VARCHAR", *RISK_LEVELS),
            _c("term_days", "INTEGER"),
            _c("benchmark_rate", "DOUBLE"),
            _c("on_sale_from", "DATE"),
            _c("on_sale_to", "DATE"),
        ),
        key=("product_id",),
    ),
    Table(
        "holdings",
        (
            _c("holding_id", _ID, required=True),
            _CUSTOMER,
            _c("product_id", "INTEGER", references="products.product_id"),
            _c("amount", MONEY),
            _c("bought_on", "DATE"),
            _c("matures_on", "DATE"),
        ),
        key=("holding_id",),
        sort=("customer_id",),
        big=True,
    ),
    Table(
        "events",
        (
            _c("event_id", _ID, required=True),
            _CUSTOMER,
            _c("name", "VARCHAR", *EVENTS, required=True),
            _c("occurred_at", "TIMESTAMP", required=True),
            _c("channel", "VARCHAR"),
            _c("product_id", "INTEGER", references="products.product_id"),
            _c("amount", MONEY),
            _c("actor", "VARCHAR", *ACTORS),
            _c("properties", "JSON"),
        ),
        key=("event_id",),
        sort=("name", "occurred_at"),
        big=True,
    ),
    Table(
        "benefits",
        (
            _c("benefit_id", "INTEGER", required=True),
            _c("name", "VARCHAR"),
            _c("kind", "VARCHAR"),
            _c("unit_cost", MONEY),
            _c("stock", "INTEGER"),
            _c("per_customer_limit", "INTEGER"),
            _c("valid_from", "DATE"),
            _c("valid_to", "DATE"),
        ),
        key=("benefit_id",),
    ),
    Table(
        "grants",
        (
            _c("grant_id", _ID, required=True),
            _c("benefit_id", "INTEGER", references="benefits.benefit_id"),
            _CUSTOMER,
            _c("touch_id", "VARCHAR"),
            _c("issued_at", "TIMESTAMP"),
            _c("claimed_at", "TIMESTAMP"),
            _c("redeemed_at", "TIMESTAMP"),
            _c("expired_at", "TIMESTAMP"),
        ),
        key=("grant_id",),
    ),
    Table(
        "identities",
        (_c("kind", "VARCHAR", *IDENTITY_KINDS, required=True), _c("value_hmac", "VARCHAR", required=True), _CUSTOMER),
        key=("kind", "value_hmac", "customer_id"),
        big=True,
    ),
    Table(
        "consents",
        (
            _CUSTOMER,
            _c("channel", "VARCHAR", *CHANNELS, required=True),
            _c("purpose", "VARCHAR", *PURPOSES, required=True),
            _c("opted_in", "BOOLEAN", required=True),
            _c("source", "VARCHAR"),
            _c("version", "VARCHAR"),
            _c("updated_at", "TIMESTAMP"),
        ),
        key=("customer_id", "channel", "purpose"),
        sort=("channel", "purpose", "customer_id"),
        big=True,
    ),
    Table(
        "suppressions",
        (
            _CUSTOMER,
            _c("reason", "VARCHAR", *SUPPRESSION_REASONS, required=True),
            _c("since", "TIMESTAMP"),
            _c("until", "TIMESTAMP"),
        ),
        key=("customer_id", "reason"),
    ),
    Table(
        "campaigns",
        (
            _c("campaign_id", "VARCHAR", required=True),
            _c("name", "VARCHAR"),
            _c("category", "VARCHAR"),
            _c("goal_event", "VARCHAR", *EVENTS),
            _c("goal_window_days", "INTEGER"),
            _c("randomised", "BOOLEAN"),
            _c("hypothesis", "VARCHAR"),
            _c("started_at", "TIMESTAMP"),
            _c("ended_at", "TIMESTAMP"),
            _c("cost_per_touch", "DOUBLE"),
        ),
        key=("campaign_id",),
    ),
    Table(
        "assignments",
        (
            _c("campaign_id", "VARCHAR", required=True, references="campaigns.campaign_id"),
            _CUSTOMER,
            _c("arm", "VARCHAR", required=True),
            _c("assigned_at", "TIMESTAMP"),
        ),
        key=("campaign_id", "customer_id"),
        sort=("campaign_id", "customer_id"),
        big=True,
    ),
    Table(
        "touches",
        (
            _c("touch_id", "VARCHAR", required=True),
            _c("campaign_id", "VARCHAR", references="campaigns.campaign_id"),
            _CUSTOMER,
            _c("node_id", "VARCHAR"),
            _c("arm", "VARCHAR"),
            _c("wave", "INTEGER"),
            _c("channel", "VARCHAR", *CHANNELS),
            _c("category", "VARCHAR"),
            _c("status", "VARCHAR"),
            _c("rule", "VARCHAR"),
            _c("decided_at", "TIMESTAMP"),
            _c("sent_at", "TIMESTAMP"),
            _c("delivered_at", "TIMESTAMP"),
            _c("opened_at", "TIMESTAMP"),
            _c("clicked_at", "TIMESTAMP"),
        ),
        key=("touch_id",),
        sort=("decided_at",),
        big=True,
    ),
    Table("meta", (_c("key", "VARCHAR", required=True), _c("value", "VARCHAR")), key=("key",)),
)

BY_NAME = {table.name: table for table in TABLES}

CONTACTS_DDL = """
CREATE TABLE IF NOT EXISTS contacts (customer_id BIGINT NOT NULL, name VARCHAR, phone VARCHAR, email VARCHAR)
"""
"""`contacts.duckdb`: the vault of names and addresses. The importer and demo bank append; only `delivery` reads."""
