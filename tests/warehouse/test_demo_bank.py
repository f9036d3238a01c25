"""The demo bank's data: sound by the schema, consistent with itself, believable, and free of personal data."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import duckdb
import pytest

from warehouse import schema
from warehouse.catalog import Catalog, canonical_catalog
from warehouse.demo_bank import cast
from warehouse.home import Home

AS_OF = datetime(2026, 11, 18, 1, 0, tzinfo=UTC).replace(tzinfo=None)
CUSTOMERS = 3_000


@pytest.fixture(scope="module")
def con(demo_master: Home) -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect(str(demo_master.warehouse), read_only=True)
    connection.execute("SET TimeZone = 'UTC'")
    yield connection
    connection.close()


def one(con: duckdb.DuckDBPyConnection, sql: str) -> object:
    row = con.execute(sql).fetchone()
    assert row is not None
    return row[0]


@pytest.mark.parametrize("table", schema.TABLES, ids=lambda t: t.name)
def test_every_table_is_filled_and_keyed(con: duckdb.DuckDBPyConnection, table: schema.Table) -> None:
    rows = one(con, f"SELECT count(*) FROM {table.name}")
    assert rows
    key = ", ".join(table.key)
    assert one(con, f"SELECT count(*) FROM (SELECT DISTINCT {key} FROM {table.name})") == rows


@pytest.mark.parametrize("table", schema.TABLES, ids=lambda t: t.name)
def test_values_are_allowed_and_references_exist(con: duckdb.DuckDBPyConnection, table: schema.Table) -> None:
    for column in table.columns:
        name = f'"{column.name}"'
        if column.allowed:
            found = {
                r[0]
                for r in con.execute(f"SELECT DISTINCT {name} FROM {table.name} WHERE {name} IS NOT NULL").fetchall()
            }
            assert found <= set(column.allowed), column.name
        if column.references:
            target, key = column.references.split(".")
            lost = f"SELECT count(*) FROM {table.name} WHERE {name} IS NOT NULL AND {name} NOT IN (SELECT {key} FROM {target})"
            assert one(con, lost) == 0, column.name
    assert one(con, "SELECT count(*) FROM grants WHERE touch_id NOT IN (SELECT touch_id FROM touches)") == 0


@pytest.mark.parametrize("table", schema.TABLES, ids=lambda t: t.name)
def test_no_row_is_later_than_the_cut_off(con: duckdb.DuckDBPyConnection, table: schema.Table) -> None:
    future = {"matures_on", "on_sale_to", "valid_to", "until", "ended_at"}
    for column in table.columns:
        if column.type not in ("TIMESTAMP", "DATE") or column.name in future:
            continue
        limit = AS_OF if column.type == "TIMESTAMP" else (AS_OF + timedelta(hours=8)).date()
        latest = one(con, f'SELECT max("{column.name}") FROM {table.name}')
        assert latest is None or latest <= limit, column.name


@pytest.mark.parametrize("table", [t for t in schema.TABLES if t.sort], ids=lambda t: t.name)
def test_rows_are_stored_in_their_order(con: duckdb.DuckDBPyConnection, table: schema.Table) -> None:
    order = ", ".join(f'"{c}"' for c in table.sort)
    same = f"""SELECT bool_and(r = s) FROM (SELECT row({order}) AS r, lag(row({order})) OVER (ORDER BY rowid) AS before FROM {table.name}),
        LATERAL (SELECT greatest(r, coalesce(before, r)) AS s)"""
    assert one(con, same) is True


def test_every_event_reason_and_kind_occurs(con: duckdb.DuckDBPyConnection) -> None:
    assert {r[0] for r in con.execute("SELECT DISTINCT name FROM events").fetchall()} == set(schema.EVENTS)
    reasons = {r[0] for r in con.execute("SELECT DISTINCT reason FROM suppressions").fetchall()}
    assert reasons == set(schema.SUPPRESSION_REASONS)
    kinds = {r[0] for r in con.execute("SELECT DISTINCT kind FROM products").fetchall()}
    assert kinds == set(schema.PRODUCT_KINDS)
    held_out = {r[0] for r in con.execute("SELECT DISTINCT status FROM touches").fetchall()}
    assert held_out == {"sent", "failed", "capped", "held_out"}


# Consistency


def test_balances_are_the_sums_of_what_is_held(con: duckdb.DuckDBPyConnection) -> None:
    wrong = """
        WITH held AS (SELECT customer_id, sum(amount) FILTER (kind = 'wealth') AS w,
                sum(amount) FILTER (kind IN ('fund', 'insurance', 'gold')) AS f, sum(amount) FILTER (kind = 'deposit') AS d
            FROM holdings JOIN products USING (product_id) GROUP BY 1)
        SELECT count(*) FROM customers LEFT JOIN held USING (customer_id)
        WHERE wealth_balance <> coalesce(w, 0) OR fund_balance <> coalesce(f, 0) OR deposit_balance < coalesce(d, 0)
           OR aum <> deposit_balance + wealth_balance + fund_balance"""
    assert one(con, wrong) == 0


def test_every_holding_was_bought(con: duckdb.DuckDBPyConnection) -> None:
    orphan = """SELECT count(*) FROM holdings h WHERE NOT EXISTS (FROM events e WHERE e.name = 'purchase'
        AND e.customer_id = h.customer_id AND e.product_id = h.product_id AND e.amount = h.amount
        AND (e.occurred_at + INTERVAL 8 HOUR)::DATE = h.bought_on)"""
    assert one(con, orphan) == 0
    assert one(con, "SELECT count(*) FROM holdings WHERE matures_on < DATE '2026-11-18'") == 0


def test_tier_follows_the_daily_average_of_the_last_month_end(con: duckdb.DuckDBPyConnection) -> None:
    by_average = f"""CASE WHEN aum_daily_avg >= {cast.PRIVATE} THEN 'private' WHEN aum_daily_avg >= {cast.WEALTH} THEN 'wealth'
        WHEN aum_daily_avg >= {cast.AFFLUENT} THEN 'affluent' ELSE 'mass' END"""
    assert one(con, f"SELECT count(*) FROM monthly WHERE tier <> {by_average}") == 0
    last = "(SELECT max(month) FROM monthly)"
    assert (
        one(
            con,
            f"SELECT count(*) FROM monthly m JOIN customers c USING (customer_id) WHERE month = {last} AND m.tier <> c.tier",
        )
        == 0
    )
    drift = f"""SELECT max(abs(aum_daily_avg / aum_30d_ago - 1)) FROM monthly JOIN customers USING (customer_id)
        WHERE month = {last} AND aum_30d_ago > 100"""
    assert float(one(con, drift)) < 0.021  # type: ignore[arg-type]


def test_thirteen_month_ends_from_the_month_of_opening(con: duckdb.DuckDBPyConnection) -> None:
    assert one(con, "SELECT count(DISTINCT month) FROM monthly") == 13
    assert one(con, "SELECT count(*) FROM monthly WHERE month <> last_day(month)") == 0
    early = "SELECT count(*) FROM monthly JOIN customers USING (customer_id) WHERE month < opened_on"
    assert one(con, early) == 0
    missing = """SELECT count(*) FROM customers c WHERE opened_on <= DATE '2025-10-31'
        AND (SELECT count(*) FROM monthly m WHERE m.customer_id = c.customer_id) <> 13"""
    assert one(con, missing) == 0


def test_activity_of_the_last_months_is_that_of_the_logins(con: duckdb.DuckDBPyConnection) -> None:
    for month, start, end in (
        ("2026-10-31", "2026-09-30 16:00", "2026-10-31 16:00"),
        ("2026-09-30", "2026-08-31 16:00", "2026-09-30 16:00"),
    ):
        logged_in = f"SELECT customer_id FROM events WHERE name = 'login' AND occurred_at >= '{start}' AND occurred_at < '{end}'"
        assert (
            one(
                con,
                f"SELECT count(*) FROM monthly WHERE month = DATE '{month}' AND is_mau <> (customer_id IN ({logged_in}))",
            )
            == 0
        )
    assert one(con, "SELECT count(*) FROM monthly WHERE is_key_mau AND NOT is_mau") == 0


def test_salaries_agree_with_their_events(con: duckdb.DuckDBPyConnection) -> None:
    wrong = """
        WITH credited AS (SELECT customer_id, last_day((occurred_at + INTERVAL 8 HOUR)::DATE) AS month, sum(amount) AS credited, count(*) AS n
            FROM events WHERE name = 'salary_credit' GROUP BY ALL)
        SELECT count(*) FROM monthly FULL JOIN credited USING (customer_id, month)
        WHERE month <= DATE '2026-10-31' AND (salary_amount IS DISTINCT FROM credited OR n > 1)"""
    assert one(con, wrong) == 0
    off = """SELECT count(*) FROM events JOIN customers USING (customer_id) WHERE name = 'salary_credit'
        AND extract(day FROM occurred_at + INTERVAL 8 HOUR) <> payday"""
    assert one(con, off) == 0  # no payday is after the 28th, so none is moved


def test_last_login_is_the_latest_login(con: duckdb.DuckDBPyConnection) -> None:
    wrong = """
        WITH logins AS (SELECT customer_id, max(occurred_at) AS latest FROM events WHERE name = 'login' GROUP BY 1)
        SELECT count(*) FROM customers LEFT JOIN logins USING (customer_id) WHERE latest IS DISTINCT FROM last_login_at"""
    assert one(con, wrong) == 0
    assert one(con, "SELECT count(*) FROM customers WHERE last_login_at IS NOT NULL AND NOT has_mobile_bank") == 0


def test_the_last_assessment_is_an_event(con: duckdb.DuckDBPyConnection) -> None:
    wrong = """
        WITH assessed AS (SELECT customer_id, max((occurred_at + INTERVAL 8 HOUR)::DATE) AS latest FROM events
            WHERE name = 'risk_assessment' GROUP BY 1)
        SELECT count(*) FROM customers LEFT JOIN assessed USING (customer_id)
        WHERE latest IS DISTINCT FROM risk_assessed_on OR (risk_level IS NULL) <> (risk_assessed_on IS NULL)"""
    assert one(con, wrong) == 0


def test_nobody_holds_more_risk_than_assessed_for(con: duckdb.DuckDBPyConnection) -> None:
    mismatch = """SELECT count(*) FROM holdings JOIN products p USING (product_id) JOIN customers c USING (customer_id)
        WHERE p.kind IN ('wealth', 'fund', 'gold') AND (c.risk_level IS NULL OR p.risk_level > c.risk_level)"""
    assert one(con, mismatch) == 0


def test_the_funnel_narrows(con: duckdb.DuckDBPyConnection) -> None:
    steps = ["view_product", "click_buy", "password_prompt"]
    for after, before in zip(steps[1:], steps[:-1], strict=True):
        orphan = f"""SELECT count(*) FROM events a WHERE a.name = '{after}' AND NOT EXISTS (FROM events b WHERE b.name = '{before}'
            AND b.customer_id = a.customer_id AND b.product_id = a.product_id
            AND b.occurred_at BETWEEN a.occurred_at - INTERVAL 1 HOUR AND a.occurred_at)"""
        assert one(con, orphan) == 0, after
    orphan = """SELECT count(*) FROM events a WHERE a.name = 'purchase' AND channel = 'app' AND NOT EXISTS (FROM events b
        WHERE b.name = 'password_prompt' AND b.customer_id = a.customer_id AND b.product_id = a.product_id
        AND b.occurred_at BETWEEN a.occurred_at - INTERVAL 1 HOUR AND a.occurred_at)"""
    assert one(con, orphan) == 0
    recent = "occurred_at > TIMESTAMP '2026-08-20' AND channel = 'app'"
    counts = [one(con, f"SELECT count(*) FROM events WHERE name = '{n}' AND {recent}") for n in [*steps, "purchase"]]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > 2 * counts[1]  # type: ignore[operator]


def test_the_first_purchase_of_a_kind_is_marked(con: duckdb.DuckDBPyConnection) -> None:
    wrong = """
        SELECT count(*) FROM (SELECT (properties->>'first')::BOOLEAN AS first, row_number() OVER (PARTITION BY customer_id, kind
            ORDER BY occurred_at, event_id) = 1 AS is_first FROM events JOIN products USING (product_id) WHERE events.name = 'purchase')
        WHERE first <> is_first"""
    assert one(con, wrong) == 0


def test_nothing_happens_before_the_account_is_opened(con: duckdb.DuckDBPyConnection) -> None:
    early = """SELECT count(*) FROM events JOIN customers USING (customer_id)
        WHERE (occurred_at + INTERVAL 8 HOUR)::DATE < opened_on"""
    assert one(con, early) == 0
    assert one(con, "SELECT count(*) FROM holdings JOIN customers USING (customer_id) WHERE bought_on < opened_on") == 0


def test_benefits_are_issued_then_claimed_then_redeemed_or_expired(con: duckdb.DuckDBPyConnection) -> None:
    wrong = """SELECT count(*) FROM grants WHERE claimed_at < issued_at OR redeemed_at < claimed_at
        OR (redeemed_at IS NOT NULL AND (claimed_at IS NULL OR expired_at IS NOT NULL))"""
    assert one(con, wrong) == 0
    stages = con.execute(
        "SELECT count(*), count(claimed_at), count(redeemed_at), count(expired_at) FROM grants"
    ).fetchone()
    assert stages is not None
    assert stages[0] > stages[1] > stages[2] > 0 < stages[3]


def test_open_complaints_and_refusals_are_consistent(con: duckdb.DuckDBPyConnection) -> None:
    silent = """SELECT count(*) FROM suppressions s WHERE reason = 'complaint_open' AND NOT EXISTS (FROM events e
        WHERE e.name = 'complaint' AND e.customer_id = s.customer_id AND e.occurred_at <= s.since)"""
    assert one(con, silent) == 0
    asked = """SELECT count(*) FROM consents JOIN suppressions USING (customer_id)
        WHERE reason = 'refused' AND purpose = 'marketing' AND opted_in"""
    assert one(con, asked) == 0


def test_a_consent_is_given_only_where_there_is_an_address(con: duckdb.DuckDBPyConnection) -> None:
    nowhere = """SELECT count(*) FROM consents JOIN customers USING (customer_id)
        WHERE (channel IN ('push', 'inapp') AND NOT has_mobile_bank) OR (channel = 'wecom' AND NOT wecom_bound)"""
    assert one(con, nowhere) == 0
    given = con.execute("SELECT channel, purpose, avg(opted_in::INT) FROM consents GROUP BY ALL").fetchall()
    assert len(given) == 2 * len(schema.CHANNELS)
    assert all(0.4 < share < 1 for _, _, share in given)


# Believable


@pytest.mark.parametrize(
    ("what", "low", "high"),
    [
        ("avg((gender = 'F')::INT)", 0.46, 0.56),
        ("avg(date_diff('year', birth_date, DATE '2026-11-18'))", 36, 48),
        ("avg(is_payroll::INT)", 0.28, 0.40),
        ("avg((payday IN (5, 10, 15, 25))::INT) FILTER (is_payroll)", 0.80, 0.97),
        ("avg(has_mobile_bank::INT)", 0.72, 0.90),
        ("avg((manager_id IS NOT NULL)::INT)", 0.15, 0.35),
        ("avg((tier = 'mass')::INT)", 0.70, 0.90),
        ("avg((tier = 'wealth')::INT)", 0.01, 0.06),
        ("avg((risk_level IS NULL)::INT)", 0.25, 0.50),
        ("avg((risk_assessed_on <= DATE '2025-11-18')::INT) FILTER (risk_level IS NOT NULL)", 0.12, 0.40),
        ("avg((wealth_balance > 0)::INT)", 0.12, 0.35),
        ("avg((last_login_at < TIMESTAMP '2026-09-19')::INT) FILTER (has_mobile_bank)", 0.12, 0.35),
        ("avg((aum BETWEEN 45000 AND 49999.99)::INT) / avg((aum BETWEEN 50000 AND 54999.99)::INT)", 1.5, 9),
        ("avg((aum < 0.7 * aum_30d_ago)::INT)", 0.02, 0.09),
        ("avg(aum) / median(aum)", 3, 60),
        ("corr(ln(aum + 1), date_diff('year', birth_date, DATE '2026-11-18'))", 0.1, 0.6),
        ("avg(aum) FILTER (is_payroll) / avg(aum)", 0.5, 3),
        ("count(*) FILTER (tier = 'private')", 1, 30),
    ],
)
def test_believable_customers(con: duckdb.DuckDBPyConnection, what: str, low: float, high: float) -> None:
    value = float(one(con, f"SELECT {what} FROM customers"))  # type: ignore[arg-type]
    assert low <= value <= high


def test_believable_behaviour(con: duckdb.DuckDBPyConnection) -> None:
    hour = "extract(hour FROM occurred_at + INTERVAL 8 HOUR)"
    assert one(con, f"SELECT avg(({hour} BETWEEN 1 AND 5)::INT) FROM events WHERE name = 'login'") < 0.03  # type: ignore[operator]
    weekend = one(con, "SELECT avg((isodow(occurred_at + INTERVAL 8 HOUR) >= 6)::INT) FROM events WHERE name = 'login'")
    assert 0.15 < float(weekend) < 0.25  # type: ignore[arg-type]
    staff = one(con, """SELECT avg((actor = 'staff')::INT) FROM events JOIN customers USING (customer_id)
        WHERE name = 'login' AND date_diff('year', birth_date, DATE '2026-11-18') > 61""")  # fmt: skip
    assert 0.35 < float(staff) < 0.65  # type: ignore[arg-type]
    soon = con.execute("""SELECT count(*) FILTER (matures_on <= DATE '2026-11-25'), count(*) FILTER (matures_on <= DATE '2026-12-18'),
        count(*) FROM holdings WHERE matures_on IS NOT NULL""").fetchone()  # fmt: skip
    assert soon is not None
    assert 0.03 * soon[2] < soon[0] < soon[1] < 0.7 * soon[2]
    recent = "SELECT count(*) FROM touches WHERE status = 'sent' AND decided_at > TIMESTAMP '2026-11-11 01:00:00'"
    assert one(con, recent) > 0  # type: ignore[operator]


# One person, personal data, catalog


def test_some_persons_have_two_records(con: duckdb.DuckDBPyConnection) -> None:
    shared = """SELECT count(*) FROM (SELECT value_hmac FROM identities WHERE kind = 'phone' GROUP BY 1 HAVING count(*) > 1)"""
    assert 10 <= one(con, shared) <= 0.03 * CUSTOMERS  # type: ignore[operator]
    assert one(con, "SELECT count(*) FROM identities WHERE NOT regexp_full_match(value_hmac, '[0-9a-f]{64}')") == 0


def test_the_hmac_is_that_of_rfc_2104(con: duckdb.DuckDBPyConnection, demo_master: Home) -> None:
    import hashlib
    import hmac

    expected = hmac.new(demo_master.key("hmac"), b"account 7", hashlib.sha256).hexdigest()
    assert one(con, "SELECT value_hmac FROM identities WHERE kind = 'account' AND customer_id = 7") == expected


def test_no_personal_data_in_the_warehouse(con: duckdb.DuckDBPyConnection, demo_master: Home) -> None:
    for table in schema.TABLES:
        texts = [c.name for c in table.columns if c.type in ("VARCHAR", "JSON") and c.name != "value_hmac"]
        for name in texts:
            personal = r"@|(^|\D)1[3-9]\d{9}(\D|$)|(^|\D)\d{17}[\dXx](\D|$)"
            found = f"""SELECT count(*) FROM {table.name} WHERE regexp_matches("{name}"::VARCHAR, '{personal}')"""
            assert one(con, found) == 0, (table.name, name)
    vault = duckdb.connect(str(demo_master.contacts), read_only=True)
    try:
        row = vault.execute("""SELECT count(*), count(*) FILTER (phone LIKE '1990%' AND length(phone) = 11), count(phone),
            count(*) FILTER (email LIKE '%@example.com'), count(email), count(*) FILTER (length(name) >= 2) FROM contacts""").fetchone()  # fmt: skip
        assert row is not None
        assert row[0] == row[5] == CUSTOMERS
        assert row[1] == row[2] > 0.9 * CUSTOMERS
        assert row[3] == row[4] > 0.2 * CUSTOMERS
        names = [r[0] for r in vault.execute("SELECT DISTINCT name FROM contacts LIMIT 50").fetchall()]
        employees = {r[0] for r in con.execute("SELECT name FROM staff").fetchall()}
        assert set(names) - employees
    finally:
        vault.close()


def test_the_catalog_of_the_home_is_this_banks(con: duckdb.DuckDBPyConnection, demo_master: Home) -> None:
    catalog = Catalog.load(demo_master.catalog)
    assert {a.name for a in canonical_catalog().attributes} | {"outlet_id"} == set(catalog.attribute_index)
    cities = {r[0] for r in con.execute("SELECT DISTINCT city FROM customers").fetchall()}
    assert cities == {v.value for v in catalog.attribute("city").values}
    for name, level in (("branch_id", "branch"), ("outlet_id", "outlet")):
        places = {r[0] for r in con.execute(f"SELECT name FROM branches WHERE level = '{level}'").fetchall()}
        used = {
            r[0]
            for r in con.execute(
                f"SELECT DISTINCT b.name FROM customers c JOIN branches b ON b.branch_id = c.{name}"
            ).fetchall()
        }
        assert used <= places == {v.value for v in catalog.attribute(name).values}
    inside = (
        "SELECT count(*) FROM customers c JOIN branches o ON o.branch_id = c.outlet_id WHERE o.parent_id <> c.branch_id"
    )
    assert one(con, inside) == 0
    managed = (
        "SELECT count(*) FROM customers c JOIN staff s ON s.staff_id = c.manager_id WHERE s.branch_id <> c.branch_id"
    )
    assert one(con, managed) == 0


def test_home_yaml_and_meta(con: duckdb.DuckDBPyConnection, demo_master: Home) -> None:
    info = demo_master.info()
    assert (info.kind, info.zone, info.consent) == ("demo", "Asia/Shanghai", "recorded")
    assert info.clock_start == AS_OF.replace(tzinfo=UTC)
    assert "示范银行" in info.name
    assert "Demo Bank" in info.name
    meta = dict(con.execute("SELECT key, value FROM meta").fetchall())
    designs = {key: value for key, value in meta.items() if key.startswith("campaign:")}
    rest = {key: value for key, value in meta.items() if key not in designs}
    assert rest == {"as_of": "2026-11-18T01:00:00+00:00", "zone": "Asia/Shanghai", "schema_version": "1"}
    assert designs["campaign:c2026_10_first_purchase:ratio"] == "control:0.3,sms:0.35,sms_wecom:0.35"
    assert designs["campaign:c2026_10_first_purchase:goal_where"] == "kind = 'wealth'"
    assert "campaign:c2026_08_manager_invitations:ratio" not in designs  # nobody drew lots there


def test_what_is_done_in_the_app_needs_the_app(con: duckdb.DuckDBPyConnection) -> None:
    late = """SELECT count(*) FROM events e JOIN customers c USING (customer_id) WHERE e.name IN ('purchase', 'risk_assessment')
        AND e.channel = 'app' AND actor = 'customer' AND (last_login_at IS NULL OR occurred_at > last_login_at + INTERVAL 1 DAY)"""
    assert one(con, late) == 0
