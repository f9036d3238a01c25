"""Counting: unknowns, scope, lists, references between segments, samples, since-entry windows, snapshots of SQL."""

import hashlib
import os
from pathlib import Path

import duckdb
import pytest

from control.records import Actor, Records
from tools.segment import ExpressionError, Segments, bucket, dump, expand, load_list, parse, resolve, threshold, to_text
from tools.segment.hashing import threshold_hex
from warehouse.catalog import Catalog
from warehouse.store import Warehouse

from evaluator import FLIP, OPS, Bank  # isort: skip

SNAPSHOTS = Path(__file__).parent / "snapshots"
KEPT = {
    "payroll": "is_payroll and age < 35 and aum between 5万 and 20万 and not has_credit_card",
    "viewed_not_bought": "count(view_product where kind = 'wealth', last 7d) >= 2 and not did(purchase where kind = 'wealth', last 30d)",
    "holds": "holds(wealth, amount > 100000, matures within 7d)",
    "sequence": "sequence(click_buy then not purchase within 1h, last 3d)",
    "ratio": "aum / aum_30d_ago < 0.7",
    "sample": "sample(5%, 'wave-a')",
    "top": "is_payroll and top(1000 by aum)",
    "not_level": "not (risk_level = 'R3')",
    "ordered": "tier >= 'wealth'",
    "branch": "branch_id = '深圳分行'",
    "few_logins": "count(login, in last_month) < 2",
    "recency": "recency(login) > 30",
    "amount": "sum(pay.amount, from 2026-10-01 to 2026-10-31) > 1000",
    "maturity": "next_maturity_days <= 7",
    "json": "did(close_page where seconds > 5 and page = 'home')",
    "day": "last_login_at <= '2026-11-01' and days_since_login >= 17",
    "rows": "any(grant where benefit contains 'a' and not (redeemed_at - issued_at <= 7), from 60d to 7d ago)",
    "one_month": "latest(month.aum_daily_avg, in last_month) between 45万 and 50万",
    "latest": "latest(month.tier, last 3 months) = 'wealth'",
    "tiers": "tier < max(month.tier, last 3 months)",
    "two_months": "latest(month.tier, 1 month ago) < latest(month.tier, 2 months ago)",
    "mean": "avg(month.salary_amount, last 3 months) > 8000",
    "one_pass": "sum(pay.amount, last 30d) / sum(pay.amount where merchant = 'dining', from 60d to 30d ago) < 0.5",
    "beside": "aum > 3 * avg(month.aum_daily_avg, last 3 months)",
    "active_days": "distinct(login.day, last 30d) >= 5 and since_first(login) <= 365",
    "night": "did(login where hour between 22 and 23 and weekday >= 6)",
    "steps": "sequence(view_product then click_buy within 1d then not purchase within 30min, last 3d)",
    "during": "opened_on during last_month or last_login_at during next 3h",
    "recent_month": "recency(month) > 20 and min(login.occurred_at) >= '2026-10-01'",
    "spenders": "is_payroll and top(100 by sum(pay.amount, last 30d))",
    "few": "count(holding where kind = 'wealth') between 0 and 1",
}


@pytest.mark.parametrize("name", sorted(KEPT))
def test_sql_is_as_it_was(segments: Segments, eql_catalog: Catalog, name: str) -> None:
    """Run with UPDATE_SNAPSHOTS=1 to accept a change, and read the difference before committing it."""
    sql = segments.ids_sql(parse(KEPT[name], eql_catalog)) + "\n"
    file = SNAPSHOTS / f"{name}.sql"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        file.write_text(sql, "utf-8")
    assert sql == file.read_text("utf-8")


def test_golden_vectors_of_the_hash() -> None:
    assert bucket("wave-a", 1) == int(hashlib.md5(b"wave-a:1").hexdigest()[:8], 16)
    golden = {("wave-a", 1): 0xF516AD85, ("wave-a", 42): 0x5A3B148F, ("对照", 7): 0x6848BEE9}
    assert {key: bucket(*key) for key in golden} == golden
    con = duckdb.connect()
    for (key, customer), number in golden.items():
        digits = con.execute("SELECT md5(? || ':' || CAST(? AS BIGINT))[:8]", [key, customer]).fetchone()
        assert digits == (f"{number:08x}",)
    assert threshold(5) == 214748365
    assert threshold_hex(5) == "0ccccccd"
    assert threshold_hex(100) is None


def test_sample_in_sql_is_the_sample_in_python(segments: Segments, eql_catalog: Catalog) -> None:
    rows = segments.warehouse.read(segments.ids_sql(parse("sample(30%, 'k')", eql_catalog))).rows
    expected = {n for n in range(1, 71) if bucket("k", n) < threshold(30)}
    assert {r[0] for r in rows} == expected
    assert 5 < len(expected) < 40


def test_unknowns_fail_comparisons_and_fall_into_the_complement(
    segments: Segments, eql_catalog: Catalog, bank: Bank
) -> None:
    missing = sum(c["risk_level"] is None for c in bank.customers)
    assert missing > 5
    level = segments.count(parse("risk_level = 'R3'", eql_catalog))
    other = segments.count(parse("not (risk_level = 'R3')", eql_catalog))
    assert level.unknown == other.unknown == missing
    assert level.count + other.count == level.total
    assert segments.count(parse("aum / aum_30d_ago > -1", eql_catalog)).unknown == sum(
        c["aum"] is None or c["aum_30d_ago"] is None or c["aum_30d_ago"] == 0 for c in bank.customers
    )


def test_small_counts_bring_a_leave_one_out_diagnosis(segments: Segments, eql_catalog: Catalog) -> None:
    found = segments.count(parse("age > 120 and is_payroll and tier = 'mass'", eql_catalog))
    assert found.count == 0
    assert [c.condition for c in found.diagnosis] == ["age > 120", "is_payroll", "tier = 'mass'"]
    assert found.diagnosis[0].alone == 0
    assert found.diagnosis[0].without == segments.count(parse("is_payroll and tier = 'mass'", eql_catalog)).count > 0
    assert segments.count(parse("everyone", eql_catalog)).diagnosis == []


def test_branch_scope_holds_everywhere(
    store: Warehouse, eql_catalog: Catalog, records: Records, bank: Bank, tmp_path: Path
) -> None:
    branch = Segments(store, eql_catalog, records, Actor(account="b", person="b", branches=(2,)))
    mine = {c["customer_id"] for c in bank.customers if c["branch_id"] in (2, 3)}  # 3 is an outlet of 2
    everyone = parse("everyone", eql_catalog)
    assert {r[0] for r in store.read(branch.ids_sql(everyone)).rows} == mine
    assert branch.count(everyone).total == len(mine)
    assert sum(r.count for r in branch.breakdown(everyone, "tier").rows) == len(mine)
    ranked = {r[0] for r in store.read(branch.ids_sql(parse("top(5 by aum)", eql_catalog))).rows}
    assert len(ranked) == 5
    assert ranked <= mine
    assert {r[0] for r in store.read(branch.ids_sql(parse("not (age > 300)", eql_catalog))).rows} == mine
    nobody = Segments(store, eql_catalog, records, Actor(account="n", person="n", branches=()))
    assert nobody.count(everyone).count == 0


def test_a_branch_by_name_includes_what_is_below_it(segments: Segments, eql_catalog: Catalog, bank: Bank) -> None:
    count = segments.count(parse("branch_id = '深圳分行'", eql_catalog)).count
    assert count == sum(c["branch_id"] in (2, 3) for c in bank.customers)
    with pytest.raises(ExpressionError) as caught:
        segments.count(parse("branch_id = '深圳分'", eql_catalog))
    assert "深圳分行" in caught.value.details["nearest"]


def test_lists_are_pinned_to_their_content(segments: Segments, eql_catalog: Catalog, records: Records) -> None:
    node = parse("in_list('vip')", eql_catalog)
    with pytest.raises(ExpressionError, match="vip"):
        segments.count(node)
    first = load_list(segments.warehouse, records, "vip", [1, 2, 3, 3, 999], segments.actor)
    assert segments.count(node).count == 3
    frozen = expand(node, records)
    assert to_text(frozen) == f"in_list('vip', '{first.sha256}')"
    load_list(segments.warehouse, records, "vip", [4], segments.actor)
    assert segments.count(node).count == 1
    assert segments.count(frozen).count == 3


def test_segments_refer_to_segments_but_not_in_circles(
    segments: Segments, eql_catalog: Catalog, records: Records
) -> None:
    base = parse("is_payroll", eql_catalog)
    saved = records.save_segment(to_text(base), dump(base), segments.actor, name="代发")
    node = parse("in_segment('代发') and not has_credit_card", eql_catalog)
    assert to_text(expand(node, records)) == "is_payroll and not has_credit_card"
    assert resolve(saved.id, eql_catalog, records) == resolve("代发", eql_catalog, records) == base
    loop = parse("in_segment('loop') or is_payroll", eql_catalog)
    records.save_segment(to_text(loop), dump(loop), segments.actor, name="loop")
    with pytest.raises(ExpressionError, match="circle"):
        expand(loop, records)


def test_since_entry_counts_from_each_customers_entry(segments: Segments, eql_catalog: Catalog, bank: Bank) -> None:
    node = parse("did(login, since entry)", eql_catalog)
    with pytest.raises(ExpressionError, match="canvas"):
        segments.ids_sql(node)
    with segments.warehouse.overlay() as con:
        con.execute(
            "CREATE TEMP TABLE entered AS SELECT customer_id, TIMESTAMP '2026-11-16 01:00:00' AS entered_at FROM customers"
        )
        found = {r[0] for r in con.execute(segments.ids_sql(node, entries="entered")).fetchall()}
    edge = segments.warehouse.as_of.replace(tzinfo=None, day=16)
    assert found == {e["customer_id"] for e in bank.events if e["name"] == "login" and e["occurred_at"] > edge}


def test_source_limits_the_population(segments: Segments, eql_catalog: Catalog) -> None:
    with segments.warehouse.overlay() as con:
        con.execute("CREATE TEMP TABLE few AS SELECT customer_id FROM customers WHERE customer_id <= 10")
        sql = segments.ids_sql(parse("not (age > 300)", eql_catalog), source="few")
        assert {r[0] for r in con.execute(sql).fetchall()} == set(range(1, 11))


def test_conditions_on_todays_snapshot_are_named(segments: Segments, eql_catalog: Catalog) -> None:
    node = parse("aum > 5 and did(login, last 3d) and age < 35 and not holds(wealth) and sample(5%, 'k')", eql_catalog)
    assert segments.snapshot_only(node) == ["aum > 5", "holds(wealth)"]


def test_breakdowns_add_up(segments: Segments, eql_catalog: Catalog) -> None:
    node = parse("age > 0", eql_catalog)
    total = segments.count(node).count
    for attribute in (
        "tier",
        "age",
        "aum",
        "branch_id",
        "opened_on",
        "is_payroll",
        "last_login_at",
        "next_maturity_days",
        "city",
    ):
        rows = segments.breakdown(node, attribute).rows
        assert sum(r.count for r in rows) == total, attribute
        for row in rows:
            if row.condition and attribute != "branch_id":
                both = f"({row.condition}) and age > 0"
                assert segments.count(parse(both, eql_catalog), diagnose=False).count == row.count, both
    assert [r.value for r in segments.breakdown(node, "tier").rows][:2] == ["mass", "affluent"]


def test_ids_are_written_in_order(segments: Segments, eql_catalog: Catalog, tmp_path: Path) -> None:
    file = tmp_path / "ids.parquet"
    n = segments.write_ids(parse("is_payroll", eql_catalog), file)
    rows = duckdb.connect().execute("SELECT customer_id FROM read_parquet(?)", [str(file)]).fetchall()
    assert [r[0] for r in rows] == sorted(r[0] for r in rows)
    assert len(rows) == n == segments.count(parse("is_payroll", eql_catalog)).count


def test_every_comparison_at_its_boundary(segments: Segments, eql_catalog: Catalog, bank: Bank) -> None:
    known = [c["aum"] for c in bank.customers if c["aum"] is not None]
    assert 50000 in known
    expected = {"=": 0, "!=": 0, "<": 0, "<=": 0, ">": 0, ">=": 0}
    for op in expected:
        compare = OPS[op]
        expected[op] = sum(compare(value, 50000) for value in known)
        assert segments.count(parse(f"aum {op} 5万", eql_catalog)).count == expected[op], op
        assert segments.count(parse(f"5万 {FLIP[op]} aum", eql_catalog)).count == expected[op], op
    assert expected["<"] < expected["<="]
    between = segments.count(parse("aum between 50000 and 50001", eql_catalog)).count
    assert between == sum(50000 <= value <= 50001 for value in known)


def test_brackets_are_kept_where_they_matter(eql_catalog: Catalog) -> None:
    for text in (
        "(is_payroll or is_staff) and age < 3", "is_payroll or is_staff and age < 3", "not (is_payroll or is_staff)",
        "(is_payroll and is_staff) and age < 3", "aum - (fund_balance - 1) > 0", "(aum - 1) * 2 > 0", "aum / (fund_balance * 2) > 0",
    ):  # fmt: skip
        tree = parse(text, eql_catalog)
        assert parse(to_text(tree), eql_catalog) == tree, text
    assert parse("(is_payroll or is_staff) and age < 3", eql_catalog) != parse(
        "is_payroll or is_staff and age < 3", eql_catalog
    )
