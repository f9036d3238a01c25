"""The importer on a small bank: what comes in, what is set aside, what stays."""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from warehouse.catalog import Catalog
from warehouse.errors import AdminFixes, TouchlineError
from warehouse.home import Home, HomeBusy
from warehouse.importer import ImportReport, MappingError, complete, run
from warehouse.importer.replace import BUILDING, READY
from warehouse.store import Warehouse


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def rows(home: Home, sql: str) -> list[tuple[Any, ...]]:
    with Warehouse(home.warehouse) as warehouse:
        return warehouse.read(sql).rows


def quarantine(home: Home) -> list[tuple[Any, ...]]:
    """(source, line, table, column, kind, content) of every reason."""
    return duckdb.execute(
        "SELECT source, line, tbl, col, kind, content FROM read_parquet(?) ORDER BY ALL",
        [str(home.quarantine / "quarantine.parquet")],
    ).fetchall()


def kinds(home: Home) -> list[tuple[str, int, str]]:
    return [(source, line, kind) for source, line, _, _, kind, _ in quarantine(home)]


def balanced(report: ImportReport) -> bool:
    return all(p.read == p.imported + p.quarantined for p in (*report.sources, *report.tables))


def test_clean_import(small_bank, home):
    report = run(home, small_bank.file)
    assert [(s.name, s.read, s.imported, s.quarantined) for s in report.sources] == [
        ("people", 4, 4, 0), ("places", 2, 2, 0), ("deeds", 3, 3, 0),
    ]  # fmt: skip
    assert rows(home, "SELECT customer_id, gender, deposit_balance::DOUBLE, segment FROM customers ORDER BY 1") == [
        (1, "F", 100.5, "gold"), (2, "M", 200.0, "silver"), (3, "F", -5.25, "gold"), (4, None, 0.0, None),
    ]  # fmt: skip
    # A time without an offset is bank time (UTC+8), one with an offset is what it says.
    assert rows(home, "SELECT event_id, occurred_at::VARCHAR FROM events ORDER BY 1") == [
        (1, "2026-01-05 02:00:00"), (2, "2026-01-06 12:30:00"), (3, "2026-01-07 15:59:00"),
    ]  # fmt: skip
    assert report.as_of == datetime(2026, 1, 31, 16, 0, tzinfo=UTC)
    assert rows(home, "SELECT value FROM meta WHERE key = 'as_of'") == [("2026-01-31T16:00:00+00:00",)]
    assert report.source("people").sha256 == hashlib.sha256((small_bank.folder / "people.csv").read_bytes()).hexdigest()
    assert home.info().kind == "real"
    assert home.info().consent == "recorded"


def test_report_is_saved_in_both_languages(small_bank, home):
    small_bank.add("people", "five,F,1,1,2020-01-01,,N,gold\n")
    report = run(home, small_bank.file)
    saved = ImportReport.model_validate_json((home.root / "import-report.json").read_text())
    assert saved == report
    text = (home.root / "import-report.txt").read_text()
    assert "people: 5 read = 4 imported + 1 quarantined" in text
    assert "people：读取 5 = 导入 4 + 隔离 1" in text
    assert "column id is not of type BIGINT — people:6" in text
    assert "five" not in text


@pytest.mark.parametrize(
    ("line", "kind", "column"),
    [
        ("x,F,1,1,2020-01-01,,N,gold", "type", "id"),
        ("5.5,F,1,1,2020-01-01,,N,gold", "type", "id"),
        ("99999999999999999999,F,1,1,2020-01-01,,N,gold", "type", "id"),
        ("5,F,1,lots,2020-01-01,,N,gold", "type", "balance"),
        ("5,F,1,1,2020-02-30,,N,gold", "type", "opened"),
        ("5,F,one,1,2020-01-01,,N,gold", "type", "branch_id"),
        (",F,1,1,2020-01-01,,N,gold", "required", "id"),
        ("5,X,1,1,2020-01-01,,N,gold", "allowed", "gender"),
        ("5,F,1,1,2020-01-01,,N,platinum", "allowed", "segment"),
        ("5,F,1,1,2026-02-02,,N,gold", "future", "opened_on"),
        ("1,F,1,1,2020-01-01,,N,gold", "duplicate", "customer_id"),
        ("5,F,9,1,2020-01-01,,N,gold", "dangling", "branch_id"),
        ("5,F,1,1,2020-01-01,,N", "fields", ""),
        ("5,F,1,1,2020-01-01,,N,gold,more", "fields", ""),
        ('5,F,1,1,2020-01-01,,"N,gold', "quoting", ""),
        ('5,F,1,1,2020-01-01,,"N"x,gold', "quoting", ""),
        ("", "blank", ""),
    ],
)
def test_a_bad_row_is_set_aside_with_its_place_and_content(small_bank, home, line, kind, column):
    small_bank.add("people", line + "\n" + "6,M,2,1,2020-01-01,,Last,gold\n")
    report = run(home, small_bank.file)
    assert (report.source("people").read, report.source("people").imported) == (6, 5)
    assert balanced(report)
    found = [entry for entry in quarantine(home) if entry[0] == "people" and entry[4] == kind]
    assert {(e[1], e[4], e[5]) for e in found} == {(6, kind, line)}
    assert column in {e[3] for e in found}
    assert [r[0] for r in rows(home, "SELECT customer_id FROM customers ORDER BY 1")] == [1, 2, 3, 4, 6]
    # Reasons name the column, never what was in it; the warehouse keeps the place only.
    assert rows(home, "SELECT DISTINCT source, line FROM quarantined") == [("people", 6)]


def test_undecodable_bytes_cost_one_line(small_bank, home):
    small_bank.add("people", b"5,F,1,1,2020-01-01,,Ren\xe9,gold\n6,M,2,1,2020-01-01,,Last,gold\n")
    run(home, small_bank.file)
    assert quarantine(home) == [("people", 6, "", "", "undecodable", "5,F,1,1,2020-01-01,,Ren\\xe9,gold")]
    assert rows(home, "SELECT count(*) FROM customers") == [(5,)]


def test_declared_encoding_is_used(small_bank, home):
    small_bank.mapping["sources"]["people"]["encoding"] = "gb18030"
    small_bank.mapping["catalog"]["attributes"][0]["values"].append({"value": "白金", "zh": "白金", "en": "platinum"})
    small_bank.add(
        "people", "5,F,1,1,2020-01-01,,张三,白金\n".encode("gb18030") + b"6,F,1,1,2020-01-01,,\xff\xff,gold\n"
    )
    run(home, small_bank.file)
    assert rows(home, "SELECT segment FROM customers WHERE customer_id = 5") == [("白金",)]
    assert kinds(home) == [("people", 7, "undecodable")]


@pytest.mark.parametrize("rest", ["5,F,1,1,2020-01-01,,N", '5,F,1,1,2020-01-01,,"N', "5"])
def test_cut_off_last_line(small_bank, home, rest):
    small_bank.add("people", rest)
    report = run(home, small_bank.file)
    assert quarantine(home) == [("people", 6, "", "", "cut_off", rest)]
    assert report.source("people").imported == 4


def test_a_whole_last_line_without_an_end_is_taken_unless_the_file_promises_one(small_bank, home):
    small_bank.add("people", "5,F,1,1,2020-01-01,,N,gold")
    assert run(home, small_bank.file).source("people").imported == 5
    small_bank.mapping["sources"]["people"]["final_newline"] = True
    assert run(home, small_bank.file).source("people").imported == 4
    assert kinds(home) == [("people", 6, "cut_off")]


def test_a_cut_off_gzip_keeps_what_can_be_read(small_bank, home):
    import gzip

    import numpy as np

    noise = np.random.default_rng(1).integers(0, 10**9, 20_000)
    lines = "".join(f"{n},F,1,{noise[n - 10]}.00,2020-01-01,,N{noise[n - 10]},gold\n" for n in range(10, 20_010))
    small_bank.add("people", lines)
    packed = gzip.compress((small_bank.folder / "people.csv").read_bytes(), mtime=0)
    path = small_bank.folder / "people.csv.gz"
    path.write_bytes(packed[: len(packed) * 2 // 3])
    report = run(home, small_bank.file, {"people": path})
    source = report.source("people")
    assert source.truncated
    assert 5_000 < source.imported < 20_000
    assert [kind for _, _, kind in kinds(home)] == ["cut_off"]
    assert "file breaks off" in report.text("en")
    assert balanced(report)


def test_a_value_over_several_lines_is_one_record_and_a_stray_quote_eats_nothing(small_bank, home):
    small_bank.add(
        "people",
        '5,F,1,1,2020-01-01,,"Two\nlines, ""quoted""",gold\n'
        '6,F,1,1,2020-01-01,,"stray,gold\n'
        "7,F,1,1,2020-01-01,,N,gold\n"
        '8,F,1,1,2020-01-01,,stray",gold\n',
    )
    run(home, small_bank.file)
    assert kinds(home) == [("people", 8, "quoting")]
    assert [r[0] for r in rows(home, "SELECT customer_id FROM customers ORDER BY 1")] == [1, 2, 3, 4, 5, 7, 8]
    vault = duckdb.connect(str(home.contacts), read_only=True)
    assert vault.execute("SELECT name FROM contacts WHERE customer_id IN (5, 8) ORDER BY customer_id").fetchall() == [
        ('Two\nlines, "quoted"',), ('stray"',),
    ]  # fmt: skip
    vault.close()


def test_dangling_references_are_followed_until_nothing_dangles(small_bank, home):
    # Branch 3's parent does not exist; branch 4 is under 3, customer 5 in 4, event 9 of customer 5.
    small_bank.add("places", "3,Lost,77\n4,Below,3\n")
    small_bank.add("people", "5,F,4,1,2020-01-01,,N,gold\n")
    small_bank.add("deeds", "9,5,login,2026-01-05 10:00,\n")
    report = run(home, small_bank.file)
    assert {(s, line, col) for s, line, _, col, kind, _ in quarantine(home) if kind == "dangling"} >= {
        ("places", 4, "parent_id"), ("places", 5, "parent_id"), ("people", 6, "branch_id"), ("deeds", 5, "customer_id"),
    }  # fmt: skip
    assert [r[0] for r in rows(home, "SELECT branch_id FROM branches ORDER BY 1")] == [1, 2]
    assert rows(home, "SELECT count(*) FROM customers WHERE customer_id = 5") == [(0,)]
    assert rows(home, "SELECT count(*) FROM events WHERE event_id = 9") == [(0,)]
    assert balanced(report)


def test_of_duplicates_the_first_is_kept(small_bank, home):
    small_bank.add("people", "2,F,2,999,2020-01-01,,Other,gold\n2,F,2,998,2020-01-01,,Other,gold\n")
    run(home, small_bank.file)
    assert {(line, kind) for _, line, kind in kinds(home)} == {(6, "duplicate"), (7, "duplicate")}
    assert rows(home, "SELECT deposit_balance::DOUBLE FROM customers WHERE customer_id = 2") == [(200.0,)]


def test_repeated_rows_of_a_source_without_a_key(small_bank, home):
    small_bank.mapping["sources"]["deeds"]["unique"] = ["*"]
    small_bank.mapping["tables"]["events"] = small_bank.mapping["tables"]["events"].replace(
        "id AS event_id", "_number AS event_id"
    )
    small_bank.add("deeds", "1,1,login,2026-01-05 10:00,\n")
    run(home, small_bank.file)
    assert kinds(home) == [("deeds", 5, "repeated")]


def test_a_record_is_good_or_bad_as_a_whole(small_bank, home):
    small_bank.mapping["tables"]["consents"] = small_bank.mapping["tables"]["consents"].replace("'sms'", "segment")
    run(home, small_bank.file)
    # `gold` is no channel: with the consent row the customer of the same record is set aside.
    assert rows(home, "SELECT count(*) FROM customers") == [(0,)]


def test_records_no_table_takes_are_quarantined(small_bank, home):
    small_bank.mapping["tables"]["events"] += " WHERE what = 'login'"
    report = run(home, small_bank.file)
    assert kinds(home) == [("deeds", 3, "unused")]
    assert report.source("deeds").quarantined == 1


def test_a_source_that_is_only_looked_up_in_counts_as_imported(small_bank, home):
    small_bank.mapping["tables"]["branches"] = small_bank.mapping["tables"]["branches"].replace("_row, ", "")
    small_bank.add("places", "zwei,Wrong,\n")
    report = run(home, small_bank.file)
    assert report.source("places").lookup
    assert (report.source("places").read, report.source("places").imported) == (3, 2)


def test_a_bad_row_of_no_single_record_is_kept_too(small_bank, home):
    small_bank.mapping["tables"]["branches"] = (
        small_bank.mapping["tables"]["branches"].replace("_row, ", "") + " UNION ALL SELECT 7, 'Made up', 99, 'branch'"
    )
    report = run(home, small_bank.file)
    (entry,) = quarantine(home)
    assert entry[:5] == ("", None, "branches", "parent_id", "dangling")
    assert json.loads(entry[5])["name"] == "Made up"
    assert report.table("branches").quarantined == 1


def test_contacts_and_identities(small_bank, home):
    small_bank.mapping["identities"] = [
        {"kind": "device", "select": "SELECT _row, id AS customer_id, 'dev-' || id AS value FROM people"}
    ]
    run(home, small_bank.file)
    vault = duckdb.connect(str(home.contacts), read_only=True)
    assert vault.execute("SELECT * FROM contacts ORDER BY 1").fetchall()[0] == (
        1,
        "Planted Name One",
        "13800000001",
        None,
    )
    vault.close()
    want = hmac.new(home.key("hmac"), b"13800000002", hashlib.sha256).hexdigest()
    assert rows(home, f"SELECT kind, customer_id FROM identities WHERE value_hmac = '{want}'") == [("phone", 2)]
    assert rows(home, "SELECT kind, count(*) FROM identities GROUP BY 1 ORDER BY 1") == [("device", 4), ("phone", 3)]
    with Warehouse(home.warehouse) as warehouse:
        tables = [r[0] for r in warehouse.read("SELECT table_name FROM duckdb_tables()").rows]
        text = "\n".join(str(warehouse.read(f'SELECT * FROM "{t}"').rows) for t in tables)
    for personal in ("Planted Name", "13800000001", "dev-1"):
        assert personal not in text
        assert personal not in home.catalog.read_text()
        assert personal not in (home.root / "import-report.json").read_text()
    for path in (home.contacts, home.quarantine / "quarantine.parquet", home.quarantine / "quarantine.csv"):
        assert path.stat().st_mode & 0o077 == 0


def test_assumed_consent_is_labelled(small_bank, home):
    del small_bank.mapping["tables"]["consents"]
    small_bank.mapping["consent"] = {
        "basis": "assumed", "channels": ["call", "sms"], "purposes": ["marketing"], "reason": {"zh": "试用", "en": "a trial"},
    }  # fmt: skip
    report = run(home, small_bank.file)
    assert home.info().consent == "assumed"
    assert rows(home, "SELECT DISTINCT channel, opted_in, source FROM consents ORDER BY 1") == [
        ("call", True, "assumed: a trial"), ("sms", True, "assumed: a trial"),
    ]  # fmt: skip
    assert "ASSUMED" in report.text("en")
    assert "假定" in report.text("zh")


def test_demo_home_starts_at_the_cut_off(small_bank, home):
    run(home, small_bank.file, demo=True)
    info = home.info()
    assert (info.kind, info.clock_start) == ("demo", datetime(2026, 1, 31, 16, 0, tzinfo=UTC))
    assert 0 <= (home.clock().now() - info.clock_start).total_seconds() < 60


def test_catalog_has_what_has_data_and_says_what_is_missing(small_bank, home):
    run(home, small_bank.file)
    catalog = Catalog.load(home.catalog)
    assert {"gender", "deposit_balance", "segment", "branch_id", "opened_on", "account_age_days", "has_phone"} <= set(
        catalog.attribute_index
    )
    assert not {"aum", "age", "tier", "days_since_login"} & set(catalog.attribute_index)
    assert set(catalog.event_index) == {"login", "purchase"}
    missing = {m.words.en for m in catalog.missing}
    assert {"AUM", "age", "complaint"} <= missing
    assert "aum_total" not in catalog.metric_index
    assert "deposit_total" in catalog.metric_index
    for entry in catalog.missing:
        assert all(
            p in catalog.attribute_index or p in catalog.event_index or p in catalog.metric_index for p in entry.proxies
        )


def test_an_attribute_of_the_mapping_replaces_a_derived_one(small_bank, home):
    small_bank.mapping["tables"]["customers"] = small_bank.mapping["tables"]["customers"].replace(
        "segment", "segment, 30 + id AS age"
    )
    small_bank.mapping["catalog"]["attributes"].append(
        {"name": "age", "type": "SMALLINT", "kind": "integer", "words": {"zh": "年龄", "en": "age"}}
    )
    run(home, small_bank.file)
    assert Catalog.load(home.catalog).attribute("age").derived is None
    assert rows(home, "SELECT age FROM customers ORDER BY customer_id") == [(31,), (32,), (33,), (34,)]


def content(home: Home) -> dict[str, list[tuple[Any, ...]]]:
    with Warehouse(home.warehouse) as warehouse:
        tables = sorted(r[0] for r in warehouse.read("SELECT table_name FROM duckdb_tables()").rows)
        return {t: sorted(warehouse.read(f'SELECT * FROM "{t}"').rows, key=repr) for t in tables}


def test_importing_twice_gives_the_same(small_bank, home, tmp_path):
    small_bank.add("people", "x,F,1,1,2020-01-01,,N,gold\n1,F,1,1,2020-01-01,,N,gold\n")
    run(home, small_bank.file)
    first, catalog, aside = content(home), home.catalog.read_text(), quarantine(home)
    run(home, small_bank.file)
    assert content(home) == first
    assert home.catalog.read_text() == catalog
    assert quarantine(home) == aside


def test_reimport_keeps_conversations_approvals_and_what_touchline_wrote(small_bank, home):
    run(home, small_bank.file)
    home.control.write_bytes(b"control plane")
    home.threads.write_bytes(b"threads")
    with Warehouse(home.warehouse) as warehouse, warehouse.writer() as con:
        con.execute("CREATE TABLE list_members (name VARCHAR, sha256 VARCHAR, customer_id BIGINT)")
        con.execute("INSERT INTO list_members VALUES ('vip', 'abc', 1)")
        con.execute("INSERT INTO campaigns (campaign_id, name) VALUES ('rel_1', 'Ours')")
        con.execute("INSERT INTO assignments VALUES ('rel_1', 1, 'control', '2026-02-03')")
        con.execute(
            "INSERT INTO touches (touch_id, campaign_id, customer_id, status) VALUES ('t1', 'rel_1', 2, 'sent')"
        )
        con.execute("UPDATE consents SET opted_in = false, updated_at = '2026-02-03' WHERE customer_id = 2")
        con.execute("INSERT INTO suppressions VALUES (3, 'refused', '2026-02-03', NULL)")
    small_bank.add("people", "5,F,1,1,2020-01-01,,N,gold\n")
    report = run(home, small_bank.file)
    assert home.control.read_bytes() == b"control plane"
    assert home.threads.read_bytes() == b"threads"
    assert rows(home, "FROM list_members") == [("vip", "abc", 1)]
    assert rows(home, "SELECT touch_id, status FROM touches") == [("t1", "sent")]
    assert rows(home, "SELECT arm FROM assignments") == [("control",)]
    assert rows(home, "SELECT customer_id FROM consents WHERE NOT opted_in") == [(2,)]
    assert rows(home, "SELECT customer_id, reason FROM suppressions") == [(3, "refused")]
    assert rows(home, "SELECT count(*) FROM customers") == [(5,)]
    assert report.carried_over == {
        "list_members": 1, "campaigns": 1, "assignments": 1, "touches": 1, "consents": 1, "suppressions": 1,
    }  # fmt: skip


def test_a_failed_import_changes_nothing(small_bank, home):
    run(home, small_bank.file)
    before = {p.name: p.read_bytes() for p in home.root.iterdir() if p.is_file() and p.name != "home.lock"}
    small_bank.mapping["tables"]["events"] = "SELECT nonsense FROM deeds"
    with pytest.raises(MappingError, match=r"tables\.events does not run"):
        run(home, small_bank.file)
    assert {p.name: p.read_bytes() for p in home.root.iterdir() if p.is_file() and p.name != "home.lock"} == before
    assert not (home.root / BUILDING).exists()


def test_an_import_broken_off_while_its_files_were_moved_is_finished(small_bank, home, monkeypatch):
    run(home, small_bank.file)
    small_bank.add("people", "5,F,1,1,2020-01-01,,N,gold\n")

    original, moved = Path.replace, []

    def power_cut(self: Path, target: Path) -> Path:
        if self.parent.name == READY:
            moved.append(self.name)
            if len(moved) == 3:
                raise KeyboardInterrupt
        return original(self, target)

    monkeypatch.setattr(Path, "replace", power_cut)
    with pytest.raises(KeyboardInterrupt):
        run(home, small_bank.file)
    monkeypatch.setattr(Path, "replace", original)
    assert (home.root / READY).exists()
    assert complete(home)
    assert rows(home, "SELECT count(*) FROM customers") == [(5,)]
    saved = ImportReport.model_validate_json((home.root / "import-report.json").read_text())
    assert saved.source("people").imported == 5
    assert not complete(home)


def test_a_home_in_use_is_refused(small_bank, home):
    with home.own(), pytest.raises(HomeBusy):
        run(home, small_bank.file)


@pytest.mark.parametrize("first", [True, False])
def test_a_demo_home_never_becomes_real_nor_the_other_way(small_bank, home, first):
    run(home, small_bank.file, demo=first)
    with pytest.raises(AdminFixes, match="home") as refused:
        run(home, small_bank.file, demo=not first)
    assert "--demo" in refused.value.fix


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT 1; DROP TABLE people",
        "COPY people TO '/tmp/leak.csv'",
        "ATTACH '/tmp/x.duckdb'",
        "SELECT * FROM work.problems",
        "SELECT * FROM duckdb_settings() WHERE getenv('HOME') = ''",
        "INSERT INTO people SELECT * FROM people",
    ],
)
def test_selects_see_the_sources_only(small_bank, home, sql):
    small_bank.mapping["tables"]["events"] = sql
    with pytest.raises(MappingError, match=r"tables\.events (does not run|is not exactly one SELECT)"):
        run(home, small_bank.file)


def test_json_lines(small_bank, home):
    path = small_bank.folder / "deeds.jsonl"
    path.write_text(
        '{"id": 1, "customer": 1, "what": "login", "moment": "2026-01-05 10:00", "amount": null}\n'
        '{"id": 2, "customer": 2, "what": "pay", "moment": "2026-01-05 10:00", "amount": 12.5}\n'
        "not json\n"
        '{"id": 4, "customer"'
    )
    report = run(home, small_bank.file, {"deeds": path})
    assert rows(home, "SELECT event_id, amount::DOUBLE FROM events ORDER BY 1") == [(1, None), (2, 12.5)]
    assert kinds(home) == [("deeds", 3, "json"), ("deeds", 4, "cut_off")]
    assert balanced(report)


def test_errors_name_the_way_out(small_bank, home):
    with pytest.raises(TouchlineError) as refused:
        run(home, small_bank.file, {"poeple": Path("x")})
    assert "people" in refused.value.fix
    with pytest.raises(MappingError) as refused:
        run(home, small_bank.file, {"people": small_bank.folder / "none.csv"})
    assert "--source people=" in refused.value.fix
    small_bank.mapping["sources"]["people"]["columns"]["balanse"] = "DOUBLE"
    with pytest.raises(MappingError) as refused:
        run(home, small_bank.file)
    assert "balance" in refused.value.fix
