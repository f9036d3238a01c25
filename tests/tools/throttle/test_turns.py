"""Taking turns in a few rounds of whole arrays gives what a plain loop over candidates gives."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.throttle.turns import Queue, before, stopped_by, take_turns


def one_by_one(keys: list[list[int]], rooms: list[list[int]], n: int) -> tuple[list[bool], list[int]]:
    left = [list(room) for room in rooms]
    goes, reason = [], []
    for place in range(n):
        full = [q for q, key in enumerate(keys) if key[place] >= 0 and left[q][key[place]] <= 0]
        goes.append(not full)
        reason.append(full[0] if full else -1)
        if not full:
            for q, key in enumerate(keys):
                if key[place] >= 0:
                    left[q][key[place]] -= 1
    return goes, reason


@st.composite
def contests(draw: st.DrawFn) -> tuple[list[list[int]], list[list[int]], int]:
    n = draw(st.integers(0, 25))
    queues = draw(st.integers(0, 4))
    keys = [draw(st.lists(st.integers(-1, 3), min_size=n, max_size=n)) for _ in range(queues)]
    rooms = [draw(st.lists(st.integers(-1, 4), min_size=4, max_size=4)) for _ in range(queues)]
    return keys, rooms, n


@settings(max_examples=300, deadline=None)
@given(contests())
def test_rounds_are_turns(contest: tuple[list[list[int]], list[list[int]], int]) -> None:
    keys, rooms, n = contest
    queues = [Queue(np.array(k, np.int64), np.array(r, np.int64)) for k, r in zip(keys, rooms, strict=True)]
    goes = take_turns(queues, n)
    assert (goes.tolist(), stopped_by(queues, goes).tolist()) == one_by_one(keys, rooms, n)
    assert [queue.room.tolist() for queue in queues] == rooms


def test_who_came_before() -> None:
    key = np.array([3, 1, 3, 3, 1])
    assert before(key).tolist() == [0, 0, 1, 2, 1]
    assert before(key, np.array([False, True, True, True, True])).tolist() == [0, 0, 0, 1, 1]
