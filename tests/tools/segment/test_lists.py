"""Lists of rows: measures of events and detail tables, windows over their times, what a bank's own table needs."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from control.records import Records
from tools.segment import ExpressionError, Segments, parse, to_text
from tools.segment.words import describe
from warehouse.catalog import Catalog, Entity, Kind, Property, Words
from warehouse.store import Warehouse

from conftest import AS_OF, OPERATOR  # isort: skip
from evaluator import Bank  # isort: skip


def ids(segments: Segments, catalog: Catalog, text: str, at: datetime | None = None) -> set[int]:
    return {row[0] for row in segments.warehouse.read(segments.ids_sql(parse(text, catalog), at)).rows}


def months(bank: Bank, customer: int) -> dict[date, dict[str, object]]:
    return {row["month"]: row for row in bank.monthly if row["customer_id"] == customer}


LAST, BEFORE = date(2026, 10, 31), date(2026, 9, 30)
ORDER = ("mass", "affluent", "wealth", "private")


def test_fell_out_of_a_tier_this_month(segments: Segments, eql_catalog: Catalog, bank: Bank) -> None:
    found = ids(segments, eql_catalog, "latest(month.tier, 1 month ago) < latest(month.tier, 2 months ago)")
    expected = set()
    for customer in (c["customer_id"] for c in bank.customers):
        tiers = [months(bank, customer).get(day, {}).get("tier") for day in (LAST, BEFORE)]
        if None not in tiers and ORDER.index(tiers[0]) < ORDER.index(tiers[1]):
            expected.add(customer)
    assert found == expected
    assert len(found) > 3
    now = ids(segments, eql_catalog, "tier < latest(month.tier, in last_month)")
    held = {c["customer_id"]: c["tier"] for c in bank.customers}
    assert now == {
        c for c, tier in held.items()
        if tier and (then := months(bank, c).get(LAST, {}).get("tier")) and ORDER.index(tier) < ORDER.index(then)
    }  # fmt: skip


def test_a_daily_average_between_two_amounts_includes_both(
    segments: Segments, eql_catalog: Catalog, bank: Bank
) -> None:
    amounts = {r["customer_id"]: r["aum_daily_avg"] for r in bank.monthly if r["month"] == LAST}
    known = sorted(a for a in amounts.values() if a is not None)
    low, high = known[5], known[-5]
    text = f"latest(month.aum_daily_avg, in last_month) between {low} and {high}"
    assert ids(segments, eql_catalog, text) == {c for c, a in amounts.items() if a is not None and low <= a <= high}


def test_in_each_of_the_last_three_months(segments: Segments, eql_catalog: Catalog, bank: Bank) -> None:
    days = (LAST, BEFORE, date(2026, 8, 31))
    expected = {
        c["customer_id"] for c in bank.customers
        if all(months(bank, c["customer_id"]).get(day, {}).get("is_key_mau") for day in days)
    }  # fmt: skip
    assert ids(segments, eql_catalog, "count(month where is_key_mau, last 3 months) = 3") == expected
    assert expected


def test_issued_and_not_redeemed_within_seven_days(segments: Segments, eql_catalog: Catalog, bank: Bank) -> None:
    start, end = (AS_OF.replace(tzinfo=None) - timedelta(days=n) for n in (60, 7))
    expected = {
        g["customer_id"] for g in bank.grants
        if g["issued_at"] and start < g["issued_at"] <= end
        and (g["redeemed_at"] is None or g["redeemed_at"] > AS_OF.replace(tzinfo=None)
             or g["redeemed_at"] - g["issued_at"] > timedelta(days=7))
    }  # fmt: skip
    text = "any(grant where not (redeemed_at - issued_at <= 7), from 60d to 7d ago)"
    assert ids(segments, eql_catalog, text) == expected
    assert expected


def test_a_fall_of_one_measure_against_another(segments: Segments, eql_catalog: Catalog, bank: Bank) -> None:
    now = AS_OF.replace(tzinfo=None)

    def total(customer: int, low: int, high: int) -> Decimal:
        rows = (e for e in bank.events if e["customer_id"] == customer and e["name"] == "pay" and e["amount"])
        return sum((e["amount"] for e in rows if now - timedelta(days=low) < e["occurred_at"] <= now - timedelta(days=high)), Decimal(0))  # fmt: skip

    expected = {
        c for c in range(1, 71) if (was := total(c, 60, 30)) and float(total(c, 30, 0)) / float(was) < 0.5
    }  # fmt: skip
    text = "sum(pay.amount, last 30d) / sum(pay.amount, from 60d to 30d ago) < 50%"
    assert ids(segments, eql_catalog, text) == expected
    assert expected
    sql = segments.ids_sql(parse(text, eql_catalog))
    assert sql.count('FROM "events"') == 1  # both in one pass


def test_what_happens_later_is_not_known_yet(segments: Segments, eql_catalog: Catalog, bank: Bank) -> None:
    """A row of a detail table, and what became of it, is seen from its own time on; a maturity is known before."""
    redeemed = [g for g in bank.grants if g["redeemed_at"] and g["redeemed_at"] <= AS_OF.replace(tzinfo=None)]
    first = {
        c: min(g["redeemed_at"] for g in redeemed if g["customer_id"] == c)
        for c in {g["customer_id"] for g in redeemed}
    }
    waiting = next(g for g in redeemed if first[g["customer_id"]] > g["issued_at"])
    text, now = "any(grant where not (redeemed_at is unknown))", waiting["issued_at"]
    before = ids(segments, eql_catalog, text, now.replace(tzinfo=UTC))
    assert before == {c for c, moment in first.items() if moment <= now}
    assert waiting["customer_id"] in ids(segments, eql_catalog, text) - before
    october = datetime(2026, 10, 31, 1, 0, tzinfo=UTC)  # the month is not over
    assert ids(segments, eql_catalog, "any(month, in this_month)", october) == set()
    assert ids(segments, eql_catalog, "any(month, in last_month)", AS_OF) != set()
    later = ids(segments, eql_catalog, "any(holding where matures_on during next 30d)")
    assert later == {h["customer_id"] for h in bank.holdings if h["matures_on"] and date(2026, 11, 18) <= h["matures_on"] <= date(2026, 12, 18)}  # fmt: skip


def test_conditions_on_histories_need_no_snapshot(segments: Segments, eql_catalog: Catalog) -> None:
    text = "any(grant, last 3d) and any(month, in last_month) and count(holding) > 1 and aum > sum(pay.amount, last 3d)"
    assert segments.snapshot_only(parse(text, eql_catalog)) == [
        "count(holding) > 1", "aum > sum(pay.amount, last 3d)",
    ]  # fmt: skip


def test_unknown_measures_are_counted(segments: Segments, eql_catalog: Catalog, bank: Bank) -> None:
    having = {m["customer_id"] for m in bank.monthly if m["month"] == LAST and m["aum_daily_avg"] is not None}
    found = segments.count(parse("latest(month.aum_daily_avg, in last_month) > 1", eql_catalog))
    assert found.unknown == 70 - len(having)
    assert segments.count(parse("count(month) > 1", eql_catalog)).unknown == 0
    share = segments.count(parse("sum(pay.amount, last 30d) / count(transfer, last 30d) > 0", eql_catalog))
    moved = {e["customer_id"] for e in bank.events if e["name"] == "transfer" and e["occurred_at"] > AS_OF.replace(tzinfo=None) - timedelta(days=30)}  # fmt: skip
    assert share.unknown == 70 - len(moved)  # division by zero


def test_the_latest_row_of_several_that_has_the_property(segments: Segments, eql_catalog: Catalog, bank: Bank) -> None:
    for word, last in (("latest", max), ("earliest", min)):
        expected = set()
        for customer in range(1, 71):
            known = {day: row["tier"] for day, row in months(bank, customer).items() if row["tier"] is not None}
            if known and known[last(known)] == "private":
                expected.add(customer)
        assert ids(segments, eql_catalog, f"{word}(month.tier) = private") == expected
        assert expected


def test_dates_are_held_against_windows_by_bank_days(segments: Segments, eql_catalog: Catalog, bank: Bank) -> None:
    today = date(2026, 11, 18)
    ages = {c["customer_id"]: (today - c["opened_on"]).days for c in bank.customers if c["opened_on"]}
    assert {0, 1, 100} <= set(ages.values())
    for window, inside in (
        ("last 1d", {0}), ("last 2d", {0, 1}), ("from 101d to 1d ago", {1, 100}), ("from 100d to 2d ago", set()),
        ("last 4 months", {100}), ("next 1d", {0}), ("this_month", {0, 1}), ("from 2026-08-10 to 2026-11-17", {1, 100}),
    ):  # fmt: skip
        expected = {c for c, age in ages.items() if age in inside}
        assert ids(segments, eql_catalog, f"opened_on during {window}") == expected, window


def test_hours_and_weekdays_are_the_banks(segments: Segments, eql_catalog: Catalog, bank: Bank) -> None:
    local = [(e["customer_id"], e["occurred_at"] + timedelta(hours=8)) for e in bank.events if e["name"] == "login"]
    text = "did(login where hour between 0 and 8 and weekday = 2)"
    assert ids(segments, eql_catalog, text) == {c for c, t in local if t.hour <= 8 and t.isoweekday() == 2}
    days = {c: {t.date() for d, t in local if d == c} for c, _ in local}
    assert ids(segments, eql_catalog, "distinct(login.day) >= 5") == {c for c, seen in days.items() if len(seen) >= 5}
    assert any(len(seen) >= 5 for seen in days.values())


def test_fewer_than_some_includes_those_without_any(segments: Segments, eql_catalog: Catalog, bank: Bank) -> None:
    per = {c: sum(e["customer_id"] == c and e["name"] == "redeem" for e in bank.events) for c in range(1, 71)}
    assert ids(segments, eql_catalog, "count(redeem) < 1") == {c for c, n in per.items() if n == 0}
    assert ids(segments, eql_catalog, "count(redeem) between 0 and 1") == {c for c, n in per.items() if n <= 1}
    assert ids(segments, eql_catalog, "avg(redeem.amount) < 1000000") <= {c for c, n in per.items() if n}


def test_the_top_by_what_they_did(segments: Segments, eql_catalog: Catalog, bank: Bank) -> None:
    spent = {c["customer_id"]: Decimal(0) for c in bank.customers if c["is_payroll"]}
    for e in bank.events:
        if e["name"] == "pay" and e["customer_id"] in spent and e["amount"] is not None:
            spent[e["customer_id"]] += e["amount"]
    best = sorted(spent, key=lambda c: (-spent[c], c))[:7]
    assert ids(segments, eql_catalog, "is_payroll and top(7 by sum(pay.amount))") == set(best)
    least = sorted(spent, key=lambda c: (spent[c], c))[:7]
    assert ids(segments, eql_catalog, "is_payroll and bottom(7 by sum(pay.amount))") == set(least)


def test_recency_over_dates_counts_bank_days(segments: Segments, eql_catalog: Catalog, bank: Bank) -> None:
    month = {m["customer_id"]: (date(2026, 11, 18) - max(months(bank, m["customer_id"]))).days for m in bank.monthly}
    for op, bound in (("<=", 18), (">", 18), (">=", 49)):
        compare = {"<=": int.__le__, ">": int.__gt__, ">=": int.__ge__}[op]
        expected = {c for c, days in month.items() if compare(days, bound)}
        assert ids(segments, eql_catalog, f"recency(month) {op} {bound}") == expected
        assert expected


def test_a_sequence_of_three_steps(segments: Segments, eql_catalog: Catalog, bank: Bank) -> None:
    def times(customer: int, name: str) -> list[datetime]:
        return [e["occurred_at"] for e in bank.events if e["customer_id"] == customer and e["name"] == name]

    day, now = timedelta(days=1), AS_OF.replace(tzinfo=None)
    expected = set()
    for c in range(1, 71):
        for first in times(c, "login"):
            seconds = [t for t in times(c, "pay") if first < t <= first + 10 * day]
            if any(s + day <= now and not any(s < t <= s + day for t in times(c, "login")) for s in seconds):
                expected.add(c)
    text = "sequence(login then pay within 10d then not login within 1d)"
    assert ids(segments, eql_catalog, text) == expected
    assert 0 < len(expected) < 40


def test_a_table_of_the_banks_own(store: Warehouse, eql_catalog: Catalog, records: Records) -> None:
    """A detail table that the canonical schema does not know is asked like the others, from its catalog entry alone."""
    entity = Entity(
        name="claim", table="claims", words=Words(zh="理赔", en="insurance claim"), time="filed_on", history=True,
        properties=[
            Property(name="filed_on", kind=Kind.date, words=Words(zh="报案日", en="filed on"), source="filed_on"),
            Property(name="paid", kind=Kind.money, words=Words(zh="赔付额", en="paid amount"), source="paid"),
            Property(name="product_kind", kind=Kind.text, words=Words(zh="险种", en="kind of insurance"), source="products.kind"),
        ],
    )  # fmt: skip
    catalog = Catalog(
        attributes=eql_catalog.attributes, events=eql_catalog.events, entities=[*eql_catalog.entities, entity]
    )
    segments = Segments(store, catalog, records, OPERATOR)
    with store.overlay() as con:
        con.execute(
            "CREATE TEMP TABLE claims (customer_id BIGINT, product_id INTEGER, filed_on DATE, paid DECIMAL(18,2))"
        )
        con.execute(
            "INSERT INTO claims VALUES (1, 1, '2026-11-01', 10), (1, 1, '2026-11-02', 20), (2, 1, '2026-09-01', 99)"
        )

        def found(text: str) -> list[int]:
            return [r[0] for r in con.execute(segments.ids_sql(parse(text, catalog))).fetchall()]

        assert found("sum(claim.paid, last 30d) = 30") == [1]
        assert sorted(found("any(理赔 其中 险种 is unknown) or any(claim)")) == [1, 2]
        kind = con.execute("SELECT kind FROM products WHERE product_id = 1").fetchone()[0]
        assert sorted(found(f"count(claims where product_kind = '{kind}') >= 1")) == [1, 2]
    assert describe(parse("sum(claim.paid, last 30d) > 5", catalog), catalog) == "最近30天理赔的赔付额合计大于5元"


def test_since_entry_over_detail_rows(segments: Segments, eql_catalog: Catalog, bank: Bank) -> None:
    node = parse("not any(touch where status = 'sent', since entry) and count(login, since entry) >= 1", eql_catalog)
    with segments.warehouse.overlay() as con:
        found = {r[0] for r in con.execute(segments.ids_sql(node, entries="entered")).fetchall()}
    entered = dict(segments.warehouse.read("SELECT * FROM entered").rows)

    def after(rows: list[dict[str, object]], column: str) -> set[int]:
        return {r["customer_id"] for r in rows if r["customer_id"] in entered and r[column] > entered[r["customer_id"]]}

    logins = after([e for e in bank.events if e["name"] == "login"], "occurred_at")
    assert found == logins - after([t for t in bank.touches if t["status"] == "sent"], "decided_at")
    assert found


@pytest.mark.parametrize(
    ("text", "token", "said"),
    [
        ("any(grnt, last 3d)", "grnt", "grant"),
        ("any(login, last 3d)", "login", "did(login …)"),
        ("did(grant)", "grant", "any(grant …)"),
        ("count(logn, last 3d) > 2", "logn", "login"),
        ("sum(pay.amont) > 3", "amont", "amount"),
        ("sum(pay.channel) > 3", "channel", "distinct"),
        ("min(grant.kind) = 'coupon'", "kind", "no order"),
        ("avg(month.tier) > 3", "tier", "not a number"),
        ("any(month, last 30d)", "last 30d", "last 3 months"),
        ("any(holding, last 3h)", "last 3h", "no time of day"),
        ("did(login, from 3d to 5d ago)", "from 3d to 5d ago", "earlier comes first"),
        ("did(login, from 3 months to 5d ago)", "from 3 months to 5d ago", "do not mix"),
        ("did(login, 3d ago)", "3d ago", "from 3d to 2d ago"),
        ("did(login, in last_mnth)", "last_mnth", "last_month"),
        ("sequence(login then pay within 1 month)", "1 month", "30d"),
        ("opened_on during next 3h", "next 3h", "no time of day"),
        ("opened_on during since entry", "since entry", "window of events"),
        ("age during last 3d", "age", "dates and times"),
        ("latest(month.tier) = risk_level", "risk_level", "different values"),
        ("any(month where count(login) > 1)", "count(login) > 1", "property of month"),
        ("opend_on > 3", "opend_on", "opened_on"),
        ("branch_id contains '深'", "branch_id", "whole name"),
    ],
)
def test_errors_name_the_place_and_the_way_out(eql_catalog: Catalog, text: str, token: str, said: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        parse(text, eql_catalog)
    assert caught.value.details["token"] in token
    assert text.index(token) <= caught.value.details["position"] < text.index(token) + len(token)
    assert said in caught.value.text("en")
    assert any("\u4e00" <= char <= "\u9fff" for char in caught.value.details["message_zh"])


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("存在(权益发放 其中 核销时间 is unknown, 从 60天 到 30天 之前)", "any(grant where redeemed_at is unknown, from 60d to 30d ago)"),
        ("平均(月末快照.月日均AUM, 最近 3个月) > 5万", "avg(month.aum_daily_avg, last 3 months) > 50000"),
        ("去重(登录.发生日期, 最近 2周) >= 3", "distinct(login.day, last 14d) >= 3"),
        ("距首次(购买) <= 7", "since_first(purchase) <= 7"),
        ("count(monthly, from 6 months to 4 months ago) = 3", "count(month, from 6 months to 4 months ago) = 3"),
        ("did(login, from 2d to 12h ago)", "did(login, from 48h to 12h ago)"),
        ("持有(理财) 且 账户 落在 上月", None),
        ("开户日期 落在 上月", "opened_on during last_month"),
        ("any(holding where matures_on during 未来 7天)", "any(holding where matures_on during next 7d)"),
        ("最大(月末快照.月末等级, 最近 3个月) > 客户等级", "max(month.tier, last 3 months) > tier"),
        ("3 <= count(login)", "3 <= count(login)"),
    ],
)  # fmt: skip
def test_both_languages_read_the_new_forms(eql_catalog: Catalog, text: str, canonical: str | None) -> None:
    if canonical is None:
        with pytest.raises(ExpressionError):
            parse(text, eql_catalog)
        return
    assert to_text(parse(text, eql_catalog)) == canonical


def test_descriptions_say_measures_and_windows(eql_catalog: Catalog) -> None:
    def said(text: str) -> tuple[str, str]:
        node = parse(text, eql_catalog)
        return describe(node, eql_catalog, "zh"), describe(node, eql_catalog, "en")

    assert said("sum(pay.amount, from 60d to 30d ago) > 5万") == (
        "60天前至30天前支付的金额合计大于5万元", "total amount of payment from 60 days to 30 days ago above 50,000 CNY",
    )  # fmt: skip
    assert said("not any(grant where redeemed_at is unknown, last 30d)") == (
        "最近30天没有权益发放（核销时间未知）", "no benefit grant (redeemed at is unknown) in the last 30 days",
    )  # fmt: skip
    assert said("sequence(login then pay within 30min then not login within 1d, last 3d)") == (
        "最近3天登录之后30分钟内又支付之后1天内没有登录",
        "login followed by payment within 30 minutes not followed by login within 1 day (in the last 3 days)",
    )
    assert said("opened_on during 2 months ago") == (
        "开户日期在倒数第2个自然月", "account opening date in the calendar month 2 months ago",
    )  # fmt: skip
