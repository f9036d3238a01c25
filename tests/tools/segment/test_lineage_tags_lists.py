"""What rests on what, tags that live and end, and lists matched by One-ID, on a small bank made by hand."""

import hashlib
import hmac
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_bank import AS_OF, OPERATOR, SmallBank, build_small_bank, copied, open_small_bank

from control.records import SegmentRecord
from tools.segment import ExpressionError, Segments, dump, parse
from tools.segment.lineage import (
    draw,
    lineage_of,
    lineage_of_tag,
    refuse_circle,
    refuse_if_used,
    users,
    uses,
)  # fmt: skip
from tools.segment.list_files import read
from tools.segment.lists import match
from tools.segment.segments import load_list
from tools.segment.staleness import in_words, staleness
from tools.segment.tagged import with_tags
from tools.segment.tags import create, due_at, forget, run_due, states
from warehouse.clock import Clock
from warehouse.errors import ModelRetry, PersonDecides

ZONE = ZoneInfo("Asia/Shanghai")
CARD = "11010519491231002X"
"""The worked example of the standard: its last character is right."""


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("small") / "home"
    build_small_bank(root, customers=40)
    return root


@pytest.fixture
def bank(master: Path, tmp_path: Path) -> Iterator[SmallBank]:
    with open_small_bank(copied(master, tmp_path / "home")) as opened:
        opened.records.clock = Clock(start=AS_OF, wall=lambda: 0.0)
        yield opened


def pass_time(bank: SmallBank, **time: float) -> None:
    bank.records.clock = Clock(start=bank.records.now() + timedelta(**time), wall=lambda: 0.0)


def saved(bank: SmallBank, text: str, name: str = "") -> SegmentRecord:
    node = parse(text, bank.catalog)
    return bank.records.save_segment(text, dump(node), OPERATOR, name=name)


def with_tag(bank: SmallBank, name: str, text: str, **options: object) -> Segments:
    """Make a tag; the answer knows it."""
    options.setdefault("expires_at", bank.records.now() + timedelta(days=30))
    create(bank.segments, name, parse(text, bank.catalog), **options)  # type: ignore[arg-type]
    bank.catalog = with_tags(bank.catalog, bank.records.tags())
    bank.segments = Segments(bank.warehouse, bank.catalog, bank.records, OPERATOR)
    return bank.segments


def count(bank: SmallBank, text: str) -> int:
    return bank.segments.count(parse(text, bank.catalog)).count


# Lineage


def test_uses_are_found_through_segments_and_tags(bank: SmallBank) -> None:
    load_list(bank.warehouse, bank.records, "vip", [1, 2], OPERATOR)
    inner = saved(bank, "in_list('vip') and did(purchase where kind = 'wealth', last 30d)", "inner")
    with_tag(bank, "upper_tag", "aum > 30000 and holds(wealth, amount > 1) and recency(login) < 9")
    outer = saved(bank, "in_segment('inner') and upper_tag and age < 40")
    found = {(i.kind, i.id): i.via for i in uses(parse(outer.expression, bank.catalog), bank.catalog, bank.records)}
    assert found == {
        ("segment", inner.id): "", ("tag", "upper_tag"): "", ("attribute", "age"): "", ("list", "vip"): inner.id,
        ("event", "purchase"): inner.id, ("attribute", "aum"): "upper_tag", ("detail", "holding"): "upper_tag", ("event", "login"): "upper_tag",
    }  # fmt: skip


def test_users_are_segments_tags_canvases_and_open_proposals(bank: SmallBank) -> None:
    load_list(bank.warehouse, bank.records, "vip", [1, 2], OPERATOR)
    inner = saved(bank, "aum > 5 and in_list('vip')", "inner")
    by_name = saved(bank, "in_segment('inner') and is_payroll")
    with_tag(bank, "upper_tag", f"in_segment('{inner.id}') and is_payroll", source="")
    of_tag = saved(bank, "upper_tag and age < 90", "of_tag")
    document = {"name": "in_segment('other')", "nodes": [{"kind": "entry", "id": "a", "segment": f"in_segment('{inner.id}') and upper_tag and in_list('vip')"}]}  # fmt: skip
    canvas = bank.records.save_canvas(document, OPERATOR)
    plan = bank.records.submit({}, OPERATOR, "t", canvas.id, 1)

    def found(kind: str, id_: str) -> set[tuple[str, str]]:
        return {(i.kind, i.id) for i in users(kind, id_, bank.records, bank.catalog)}  # type: ignore[arg-type]

    places = {("canvas", canvas.id), ("proposal", plan.id)}
    assert found("segment", inner.id) == {("segment", by_name.id), ("tag", "upper_tag"), *places}
    assert found("tag", "upper_tag") == {("segment", of_tag.id), *places}
    assert found("list", "vip") == {("segment", inner.id), ("tag", "upper_tag"), *places}
    bank.records.save_canvas({"name": "x", "nodes": []}, OPERATOR, canvas_id=canvas.id)
    assert found("tag", "upper_tag") == {("segment", of_tag.id)}, (
        "an edit voids the proposal, and the newest version counts"
    )
    with pytest.raises(PersonDecides, match=of_tag.id) as caught:
        refuse_if_used("The tag upper_tag", "标签 upper_tag ", users("tag", "upper_tag", bank.records, bank.catalog))
    assert of_tag.id in caught.value.details["message_zh"]
    bank.records.archive_segment(of_tag.id)
    saved(bank, "upper_tag and age < 80")  # a question once asked
    refuse_if_used("The tag upper_tag", "标签 upper_tag ", users("tag", "upper_tag", bank.records, bank.catalog))


def test_a_circle_is_refused_before_it_is_saved(bank: SmallBank) -> None:
    saved(bank, "aum > 5", "a")
    saved(bank, "in_segment('a') and age < 40", "b")
    node = parse("in_segment('b') and is_payroll", bank.catalog)
    refuse_circle(node, "c", bank.records)
    with pytest.raises(ExpressionError, match="a → seg_2 → a"):
        refuse_circle(node, "a", bank.records)


def test_the_picture_is_valid_whatever_things_are_called(bank: SmallBank) -> None:
    load_list(bank.warehouse, bank.records, "aum", [1], OPERATOR)
    segment = saved(bank, "in_list('aum') and aum > 5", 'say "x" \\ 高')
    dot = draw(lineage_of(segment, parse(segment.expression, bank.catalog), bank.catalog, bank.records))
    assert '"list:aum" -> "segment:seg_1"' in dot
    assert '"attribute:aum" -> "segment:seg_1"' in dot
    assert 'say \\"x\\" \\\\ 高' in dot


def test_ages_of_data_lists_and_tags(bank: SmallBank) -> None:
    load_list(bank.warehouse, bank.records, "vip", [1, 2], OPERATOR)
    with_tag(bank, "upper_tag", "aum > 5")
    node = parse("upper_tag and in_list('vip')", bank.catalog)
    ages = {a.what: a for a in staleness(node, bank.warehouse, bank.catalog, bank.records).ages}
    assert {what: a.stale for what, a in ages.items()} == {"data": False, "list": False, "tag": False}
    pass_time(bank, days=2)
    later = staleness(node, bank.warehouse, bank.catalog, bank.records)
    assert {a.what: a.stale for a in later.ages} == {"data": True, "list": False, "tag": False}
    assert in_words(later, "en") == ["The data cut-off is 2 days ago."]
    pass_time(bank, days=31)
    assert all(a.stale for a in staleness(node, bank.warehouse, bank.catalog, bank.records).ages)


# Tags


def test_a_tag_is_an_attribute_at_once_and_keeps_to_its_schedule(bank: SmallBank) -> None:
    with_tag(bank, "upper_tag", "aum > 30000", zh="上层客群标签", hour=6)
    assert count(bank, "upper_tag") == count(bank, "上层客群标签") == 10
    assert count(bank, "not upper_tag and is_payroll") == 15
    bank.run("UPDATE customers SET aum = 99999 WHERE customer_id = 1")
    assert count(bank, "upper_tag") == 10, "membership is of the last run"
    pass_time(bank, hours=20)
    assert run_due(bank.segments) == []
    pass_time(bank, hours=1.1)
    (run,) = run_due(bank.segments)
    assert (run.size, run.entered, run.lost) == (11, 1, 0)
    assert run_due(bank.segments) == []
    assert count(bank, "upper_tag") == 11


@pytest.mark.parametrize(
    ("every", "weekday", "after", "due"),
    [
        ("daily", None, "2026-11-18T05:59", "2026-11-18T06:00"),
        ("daily", None, "2026-11-18T06:00", "2026-11-19T06:00"),
        ("weekly", 0, "2026-11-18T09:00", "2026-11-23T06:00"),
        ("weekly", 2, "2026-11-18T05:00", "2026-11-18T06:00"),
    ],
)
def test_due_by_the_banks_clock(bank: SmallBank, every: str, weekday: int | None, after: str, due: str) -> None:
    with_tag(bank, "upper_tag", "aum > 30000", every=every, weekday=weekday)
    moment = datetime.fromisoformat(after).replace(tzinfo=ZONE).astimezone(UTC)
    assert due_at(bank.records.tag("upper_tag"), moment, ZONE) == datetime.fromisoformat(due).replace(tzinfo=ZONE)


def test_an_expired_or_removed_tag_is_named_never_false(bank: SmallBank) -> None:
    with_tag(bank, "upper_tag", "aum > 30000", expires_at=bank.records.now() + timedelta(days=8))
    assert states(bank.records, ZONE)[0].state == "fresh"
    pass_time(bank, days=3)
    run_due(bank.segments)
    assert states(bank.records, ZONE)[0].state == "expiring"
    pass_time(bank, days=5)
    assert states(bank.records, ZONE)[0].state == "expired"
    for text in ("upper_tag", "not upper_tag", "is_payroll or not (age < 3 and upper_tag)"):
        with pytest.raises(ExpressionError, match=r"upper_tag expired on 2026-11-26") as caught:
            count(bank, text)
        assert "过期" in caught.value.text("zh")
    with pytest.raises(ExpressionError, match="expired"):
        bank.segments.breakdown(parse("is_payroll", bank.catalog), "upper_tag")
    assert run_due(bank.segments) == [], "nobody computes what nobody may use"
    tag = bank.records.tag("upper_tag")
    bank.records.renew_tag(tag.id, bank.records.now() + timedelta(days=1))
    assert count(bank, "upper_tag") == 10
    bank.records.remove_tag(tag.id)
    forget(bank.warehouse, tag.id)
    with pytest.raises(ExpressionError, match="removed"):
        count(bank, "upper_tag")


def test_a_tag_that_cannot_be_computed_keeps_its_members_and_stops_no_other(bank: SmallBank) -> None:
    with_tag(bank, "first", "aum > 38000")
    with_tag(bank, "second", "first and is_payroll", expires_at=bank.records.now() + timedelta(days=60))
    with_tag(bank, "third", "aum > 35000")
    assert count(bank, "second") == 1
    pass_time(bank, days=31)
    bank.records.renew_tag(bank.records.tag("third").id, bank.records.now() + timedelta(days=9))
    runs = {bank.records.tag(r.tag).name: r for r in run_due(bank.segments)}
    assert "first expired" in runs["second"].problem
    assert (runs["third"].problem, runs["third"].size) == ("", 5)
    assert {s.tag.name: s.state for s in states(bank.records, ZONE)} == {"first": "expired", "second": "failed", "third": "fresh"}  # fmt: skip
    assert count(bank, "second") == 1
    assert run_due(bank.segments) == [], "not again at once"
    bank.records.renew_tag(bank.records.tag("first").id, bank.records.now() + timedelta(days=9))
    pass_time(bank, minutes=16)
    run_due(bank.segments)
    assert {s.state for s in states(bank.records, ZONE)} == {"fresh"}


def test_a_tag_means_what_it_meant_and_takes_a_lists_newest_upload(bank: SmallBank) -> None:
    saved(bank, "aum > 30000", "upper_tag")
    load_list(bank.warehouse, bank.records, "vip", [1, 40], OPERATOR)
    with_tag(bank, "both", "in_segment('upper_tag') or in_list('vip')")
    assert count(bank, "both") == 11
    saved(bank, "aum > 39000", "upper_tag")
    load_list(bank.warehouse, bank.records, "vip", [1, 2, 40], OPERATOR)
    pass_time(bank, days=1)
    run_due(bank.segments)
    assert count(bank, "both") == 12
    assert {i.id for i in lineage_of_tag(bank.records.tag("both"), bank.catalog, bank.records).uses} == {"aum", "vip"}


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("Rich", {}), ("aum", {}), ("mine", {"zh": "年龄"}), ("mine", {"hour": 24}), ("mine", {"every": "weekly"}),
        ("mine", {"expires_at": AS_OF}), ("mine", {"expires_at": AS_OF + timedelta(days=400)}),
    ],
)  # fmt: skip
def test_what_is_no_tag(bank: SmallBank, name: str, options: dict[str, object]) -> None:
    with pytest.raises(ModelRetry) as caught:
        with_tag(bank, name, "aum > 5", **options)
    assert caught.value.details["fix_zh"]
    assert bank.records.tags() == []


def test_a_tag_that_fails_at_first_is_not_made(bank: SmallBank) -> None:
    with pytest.raises(ExpressionError):
        with_tag(bank, "mine", "in_list('nothing like it')")
    with pytest.raises(ExpressionError, match="since entry"):
        with_tag(bank, "mine", "did(login, since entry)")
    with_tag(bank, "mine", "aum > 5")
    with pytest.raises((PersonDecides, ModelRetry)):
        with_tag(bank, "mine", "aum > 6")
    assert [t.name for t in bank.records.tags()] == ["mine"]


# Lists


def keyed(bank: SmallBank, kind: str, **values: int) -> None:
    key = bank.home.key("hmac")
    for value, customer in values.items():
        digest = hmac.new(key, value.removeprefix("_").lower().encode(), hashlib.sha256).hexdigest()
        bank.run("INSERT INTO identities VALUES (?, ?, ?)", kind, digest, customer)


def matched(bank: SmallBank, content: bytes, **options: object):  # type: ignore[no-untyped-def]
    named = options.pop("named", None)
    return match(bank.warehouse, read(content, named), bank.home.key("hmac"), **options)  # type: ignore[arg-type]


def test_phones_are_matched_by_hmac_and_the_report_adds_up(bank: SmallBank) -> None:
    keyed(bank, "phone", _13800000001=1, _13800000002=2, **{"_+8613800000003": 3})
    keyed(bank, "phone", _13800000002=4)
    rows = [
        "138 0000 0001",
        "+86-138-0000-0001",
        "13800000002",
        "13800000003.0",
        "13999999999",
        "12345",
        "",
        "1.38E+10",
    ]
    file = "\n".join(["手机号,姓名", *(f"{r},某某" for r in rows)]).encode("gb18030")
    found = matched(bank, file)
    r = found.report
    assert (r.named, r.rows, r.blank, r.malformed, r.duplicates, r.unique, r.several, r.unmatched) == ("phone", 8, 1, 2, 1, 2, 1, 1)  # fmt: skip
    assert r.rows == r.blank + r.malformed + r.duplicates + r.unique + r.several + r.unmatched
    assert found.customers == [1, 2, 3, 4]
    assert (r.malformed_rows, r.several_rows, r.unmatched_rows) == ([6, 8], [3], [5])
    assert "138" not in r.model_dump_json()
    assert matched(bank, file, several="none").customers == [1, 3]


def test_identity_cards_are_checked_by_their_last_character(bank: SmallBank) -> None:
    keyed(bank, "id_card", **{f"_{CARD}": 7})
    found = matched(bank, f"id_card\n{CARD.lower()}\n{CARD[:-1]}1\n110105491231002\n".encode())
    assert found.customers == [7]
    assert (found.report.unique, found.report.malformed, found.report.unmatched) == (1, 1, 1)


def test_another_branchs_customer_is_unmatched(bank: SmallBank) -> None:
    keyed(bank, "phone", _13800000001=1, _13800000002=2)
    found = matched(bank, b"phone\n13800000001\n13800000002\n", branches=(2,))
    assert (found.customers, found.report.unmatched_rows) == ([1], [2])


def test_the_kind_is_said_by_heading_or_by_the_uploader(bank: SmallBank) -> None:
    keyed(bank, "account", _62220001=5)
    out = io.BytesIO()
    pq.write_table(pa.table({"账号": ["6222 0001"], "x": ["y"]}), out)
    assert matched(bank, out.getvalue()).customers == [5]
    assert matched(bank, b"6222-0001\n", named="account").customers == [5]
    assert matched(bank, b"customer_id,phone\n9,13800000001\n").customers == [9]
    with pytest.raises(ModelRetry, match="phone"):
        matched(bank, b"customer_id,x\n9,1\n", named="phone")


def test_other_customers_are_the_next_version_and_the_same_ones_are_not(bank: SmallBank) -> None:
    versions = [
        load_list(bank.warehouse, bank.records, "vip", ids, OPERATOR, "phone", {"rows": n}).version
        for n, ids in enumerate([[1, 2], [2, 1], [1, 2, 3]])
    ]
    assert versions == [1, 1, 2]
    assert [v.report for v in bank.records.list_versions("vip")] == [{"rows": 2}, {"rows": 1}]
    assert count(bank, "in_list('vip')") == 3
    bank.records.archive_list("vip")
    assert bank.records.lists() == []
