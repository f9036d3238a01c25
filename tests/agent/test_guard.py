"""The wall between data and models: canaries stay inside, small groups are withheld."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import guard
from agent.models.base import Done, Exchange, Turn

NOW = datetime(2026, 11, 18, 1, tzinfo=UTC)

CANARIES = [
    "13800138000",
    "+86 138 0013 8000",
    "138-0013-8000",
    "zhang.san@example.com",
    "11010519491231002X",
    "6222 0212 3456 7890 123",
    "6222021234567890",
]


@pytest.mark.parametrize("canary", CANARIES)
def test_personal_data_becomes_a_handle(canary: str) -> None:
    masked = guard.mask_text(f"给{canary}发短信，{canary}")
    assert canary not in masked
    assert masked.startswith("给<")
    assert masked.count("_1>") == 2, "the same value must keep the same handle"


@pytest.mark.parametrize("text", ["AUM 5万到20万", "2026-11-18", "100,000", "top 1000", "30-45岁", "seg_12", "0.35"])
def test_ordinary_numbers_stay(text: str) -> None:
    assert guard.mask_text(text) == text


def test_nothing_personal_leaves_in_any_part_of_a_turn() -> None:
    canary = "13800138000"
    turn = Turn(
        text=f"查 {canary}",
        language="zh",
        now=NOW,
        as_of=NOW,
        history=[Exchange(text=f"call {canary}", reply=f"about {canary}")],
        done=[Done(tool="query_segment", args={}, ok=True, result={"notes": [f"seen {canary}"]}, error=canary)],
    )
    assert canary not in guard.outward(turn).model_dump_json()


def test_small_counts_are_withheld_with_a_second_group() -> None:
    rows = [{"value": "a", "count": 3}, {"value": "b", "count": 40}, {"value": "c", "count": 900}]
    masked = guard.mask_result({"count": 943, "groups": rows})
    assert masked["count"] == 943
    counts = [row["count"] for row in masked["groups"]]
    assert counts == ["<10", "withheld", 900], "40 alone would give 3 away from the total"


def test_what_a_small_group_has_in_common_stays_inside() -> None:
    rows = [
        {"label": "ask for Zhang San", "condition": "note = 'ask for Zhang San'", "count": 1},
        {"label": "-", "count": 99},
    ]
    masked = guard.mask_result({"breakdown": rows})["breakdown"]
    assert masked[0] == {"count": "<10"}
    assert masked[1]["label"] == "-"


def test_two_small_groups_need_no_third() -> None:
    rows = [{"count": 3}, {"count": 5}, {"count": 900}]
    assert [row["count"] for row in guard.mask_result(rows)] == ["<10", "<10", 900]


def test_extremes_over_small_groups_are_dropped() -> None:
    assert guard.mask_result({"count": 4, "max": 9_000_000, "mean": 5.5}) == {"count": "<10"}
    assert guard.mask_result({"count": 40, "max": 9_000_000})["max"] == 9_000_000


@given(st.lists(st.integers(0, 60), min_size=2, max_size=12))
def test_no_single_withheld_group_can_be_computed_from_the_total(sizes: list[int]) -> None:
    masked = guard.mask_result([{"count": size} for size in sizes])
    shown = [row["count"] for row in masked]
    hidden = [size for size, seen in zip(sizes, shown, strict=True) if not isinstance(seen, int)]
    assert all(size == seen for size, seen in zip(sizes, shown, strict=True) if isinstance(seen, int))
    assert not any(0 < seen < guard.SMALL for seen in shown if isinstance(seen, int))
    others = [size for size in sizes if size >= guard.SMALL]
    assert len(hidden) != 1 or not others
