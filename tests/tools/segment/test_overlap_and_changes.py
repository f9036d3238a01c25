"""Overlap against plain sets; why a segment's number moved, against what was done to a small bank by hand."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from small_bank import AS_OF, OPERATOR, SmallBank, build_small_bank, copied, open_small_bank

from control.records import Actor
from tools.segment import Segments, parse
from tools.segment.changes import definition_diff, explain, in_words
from tools.segment.history import KEPT_TIMES, MEMBERS, count_and_keep
from tools.segment.overlap import overlap
from warehouse.errors import ModelRetry


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("small") / "home"
    build_small_bank(root, customers=100)
    return root


@pytest.fixture
def bank(master: Path, tmp_path: Path) -> Iterator[SmallBank]:
    with open_small_bank(copied(master, tmp_path / "home")) as opened:
        yield opened


def ids(bank: SmallBank, text: str) -> set[int]:
    sql = bank.segments.ids_sql(parse(text, bank.catalog))
    return {row[0] for row in bank.warehouse.read(f"SELECT customer_id FROM ({sql})").rows}


def saved(bank: SmallBank, text: str, name: str = "", thread: str = ""):  # type: ignore[no-untyped-def]
    node = parse(text, bank.catalog)
    return bank.records.save_segment(text, node.model_dump(mode="json"), OPERATOR, thread=thread, name=name)


def next_day(bank: SmallBank, days: int = 1) -> None:
    bank.run("UPDATE meta SET value = ? WHERE key = 'as_of'", (AS_OF + timedelta(days=days)).isoformat())


TEXTS = ["aum > 30000", "is_payroll", "not (aum <= 80000 or risk_level = 'R4')", "top(15 by aum)"]


@pytest.mark.parametrize("size", [2, 3, 4])
def test_every_region_is_what_sets_say(bank: SmallBank, size: int) -> None:
    bank.run("UPDATE customers SET aum = NULL WHERE customer_id % 10 = 3")
    texts = TEXTS[:size]
    found = overlap(bank.segments, [parse(t, bank.catalog) for t in texts])
    sets = [ids(bank, t) for t in texts]
    assert [s.count for s in found.sets] == [len(s) for s in sets]
    assert len(found.regions) == 2**size - 1
    for region in found.regions:
        inside = set.intersection(*(sets[i] for i in region.inside))
        outside = set().union(*(sets[i] for i in range(size) if i not in region.inside))
        assert region.count == len(inside - outside), region
    assert found.union == len(set().union(*sets)) == sum(r.count for r in found.regions)
    assert {(p.first, p.second): p.both for p in found.pairs} == {
        (i, j): len(sets[i] & sets[j]) for i in range(size) for j in range(i + 1, size)
    }
    assert found.total == 100


def test_an_overlap_keeps_to_the_actors_branches(bank: SmallBank) -> None:
    branch = Segments(bank.warehouse, bank.catalog, bank.records, Actor(account="b", person="b", branches=(2,)))
    found = overlap(branch, [parse("everyone", bank.catalog), parse("aum > 30000", bank.catalog)])
    assert (found.total, found.sets[0].count) == (50, 50)


def test_an_overlap_is_of_two_to_four_different_segments(bank: SmallBank) -> None:
    nodes = [parse(t, bank.catalog) for t in [*TEXTS, "everyone"]]
    for wrong in (nodes[:1], nodes, [nodes[0], nodes[0]]):
        with pytest.raises(ModelRetry) as caught:
            overlap(bank.segments, wrong)
        assert caught.value.details["message_zh"]


@pytest.mark.parametrize(("second", "small"), [("aum > 95000", True), ("aum > 30000 and aum <= 70000", False)])
def test_a_small_combination_is_seen_also_where_only_a_difference_gives_it_away(
    bank: SmallBank, second: str, small: bool
) -> None:
    found = overlap(bank.segments, [parse("aum <= 70000", bank.catalog), parse(second, bank.catalog)])
    assert found.small is small


def test_who_left_and_by_which_condition(bank: SmallBank) -> None:
    segment = saved(bank, "aum >= 50000 and is_payroll", "rich")
    counted, _ = count_and_keep(bank.segments, segment)
    assert counted.count == 26
    next_day(bank)
    bank.run("UPDATE customers SET aum = 1 WHERE customer_id IN (50, 52, 54)")
    bank.run("UPDATE customers SET is_payroll = false WHERE customer_id IN (54, 56)")
    bank.run("DELETE FROM customers WHERE customer_id = 58")
    bank.run("UPDATE customers SET aum = 60000 WHERE customer_id = 2")
    bank.run(
        "INSERT INTO customers (customer_id, opened_on, branch_id, is_payroll, aum) VALUES (200, DATE '2026-11-18', 1, true, 70000)"
    )
    change = explain(bank.segments, segment)
    assert (change.before, change.after, change.delta) == (26, 23, -3)
    assert (change.by_data, change.by_definition, change.edits) == (-3, 0, [])
    assert (change.entered, change.lost, change.gone, change.arrived) == (2, 5, 1, 1)
    blame = {c.condition: (c.before, c.after, c.lost, c.lost_alone) for c in change.conditions}
    assert blame["aum >= 50000"] == (51, 49, 3, 2)
    assert blame["is_payroll"] == (50, 48, 2, 1)
    for language in ("zh", "en"):
        text = "\n".join(in_words(change, language))
        assert "26" in text
        assert "aum >= 50000" in text
    assert "cannot be told" in "\n".join(in_words(change, "en"))


def test_definition_and_data_are_told_apart_exactly(bank: SmallBank) -> None:
    count_and_keep(bank.segments, saved(bank, "aum >= 50000 and is_payroll", "rich", "a"))
    next_day(bank)
    bank.run("UPDATE customers SET is_payroll = true WHERE customer_id = 51")
    newer = saved(bank, "aum >= 60000 and is_payroll and tier = 'mass'", "rich", "b")
    change = explain(bank.segments, newer)
    assert (change.before, change.after) == (26, 21)
    assert (change.by_data, change.by_definition) == (1, -6)
    assert [(e.kind, e.before, e.after) for e in change.edits] == [
        ("changed", "aum >= 50000", "aum >= 60000"),
        ("added", "", "tier = 'mass'"),
    ]


@pytest.mark.parametrize(
    ("before", "after", "kinds"),
    [
        ("is_payroll", "is_payroll", []),
        ("is_payroll and aum > 5", "aum > 5 and is_payroll", []),
        ("is_payroll and aum > 5", "is_payroll", ["removed"]),
        ("is_payroll or aum > 5", "is_payroll or aum > 6", ["changed"]),
        ("is_payroll or aum > 5", "is_payroll and aum > 5", ["changed"]),
    ],
)
def test_a_structured_difference(bank: SmallBank, before: str, after: str, kinds: list[str]) -> None:
    edits = definition_diff(parse(before, bank.catalog), parse(after, bank.catalog))
    assert [e.kind for e in edits] == kinds


def test_what_was_not_kept_is_said_not_guessed(bank: SmallBank) -> None:
    unnamed = saved(bank, "aum >= 50000 and is_payroll")
    count_and_keep(bank.segments, unnamed)
    next_day(bank)
    bank.run("UPDATE customers SET aum = 1 WHERE customer_id = 50")
    change = explain(bank.segments, unnamed)
    assert (change.delta, change.lost, change.entered) == (-1, None, None)
    assert [c.lost for c in change.conditions] == [None, None]
    assert "not kept" in "\n".join(in_words(change, "en"))
    with pytest.raises(ModelRetry):
        explain(bank.segments, saved(bank, "aum >= 1 and is_payroll"))


def test_dated_events_are_counted_again_at_the_earlier_cut_off(bank: SmallBank) -> None:
    for customer in range(1, 31):
        bank.event(customer, "login", "2026-11-17 12:00")
    segment = saved(bank, "did(login, last 2d) and aum > 0", "active")
    count_and_keep(bank.segments, segment)
    next_day(bank, days=2)
    for customer in range(31, 46):
        bank.event(customer, "login", "2026-11-17 13:00")
    change = explain(bank.segments, segment)
    login = next(c for c in change.conditions if "login" in c.condition)
    assert (login.before, login.after, login.then_again) == (30, 0, 45)
    assert next(c for c in change.conditions if "aum" in c.condition).then_again is None
    assert "came late" in "\n".join(in_words(change, "en"))


def test_a_count_is_kept_once_for_a_cut_off_and_members_for_the_last_few(bank: SmallBank) -> None:
    segment = saved(bank, "is_payroll and aum > 0", "payroll")
    for day in range(KEPT_TIMES + 3):
        next_day(bank, day)
        count_and_keep(bank.segments, segment)
        count_and_keep(bank.segments, segment)
    kept = bank.records.counts([segment.id])
    assert len(kept) == KEPT_TIMES + 3
    assert [c.members_kept for c in kept] == [True] * KEPT_TIMES + [False] * 3
    assert bank.warehouse.read(f"SELECT count(DISTINCT count), count(*) FROM {MEMBERS}").rows == [
        (KEPT_TIMES, KEPT_TIMES * 50)
    ]


def test_counts_of_other_branches_are_not_compared(bank: SmallBank) -> None:
    segment = saved(bank, "is_payroll and aum > 0", "payroll")
    count_and_keep(bank.segments, segment)
    next_day(bank)
    branch = Segments(bank.warehouse, bank.catalog, bank.records, Actor(account="b", person="b", branches=(2,)))
    with pytest.raises(ModelRetry):
        explain(branch, segment)
