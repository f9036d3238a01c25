"""Taking turns: who of many candidates gets a place where places are shared in several ways at once.

The order of turns is given. Whoever finds room in everything it needs takes a place in each; whoever does not takes
none. That is a loop over candidates by definition; here it runs in a few rounds over whole arrays, with the same outcome:
in each round those go whose place in every queue lies within the room that is left (even if all before them went), and
those stop who find something full.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass
class Queue:
    """One limit: `key` says per candidate, in the order of turns, whose places it needs (-1: none), `room` how many places
    each key has."""

    key: Ints
    room: Ints


def take_turns(queues: Sequence[Queue], n: int) -> Bools:
    """Which of n candidates go, in the order of their turns. The rooms of the queues are left as given."""
    goes = np.zeros(n, bool)
    room = [np.maximum(queue.room, 0) for queue in queues]
    waiting = np.arange(n)
    while len(waiting):
        fits, full = np.ones(len(waiting), bool), np.zeros(len(waiting), bool)
        for queue, left in zip(queues, room, strict=True):
            key = queue.key[waiting]
            mine = key >= 0
            fits[mine] &= before(key[mine]) < left[key[mine]]
            full[mine] |= left[key[mine]] == 0
        for queue, left in zip(queues, room, strict=True):
            taken = queue.key[waiting[fits]]
            left -= np.bincount(taken[taken >= 0], minlength=len(left))
        goes[waiting[fits]] = True
        waiting = waiting[~(fits | full)]
    return goes


def stopped_by(queues: Sequence[Queue], goes: Bools) -> Ints:
    """Per candidate, the first queue that was full when its turn came; -1 for those who went."""
    reason = np.full(len(goes), -1)
    for number in reversed(range(len(queues))):
        queue = queues[number]
        mine = np.flatnonzero(queue.key >= 0)
        key = queue.key[mine]
        full = queue.room[key] - before(key, goes[mine]) <= 0
        reason[mine[full & ~goes[mine]]] = number
    return reason


def before(key: Ints, counted: Bools | None = None) -> Ints:
    """How many earlier candidates, of those that are counted, have the same key."""
    if not len(key):
        return np.zeros(0, np.int64)
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    ones = np.ones(len(key), np.int64) if counted is None else counted[order].astype(np.int64)
    running = np.cumsum(ones) - ones
    first = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    start = np.repeat(running[first], np.diff(np.r_[first, len(key)]))
    found = np.empty(len(key), np.int64)
    found[order] = running - start
    return found
