"""Packed audiences come back exactly, and a damaged one is refused."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.proposal import pack, unpack
from warehouse.errors import DeveloperFixes


@given(st.sets(st.integers(min_value=-(2**62), max_value=2**62)))
def test_what_is_packed_comes_back_sorted(ids: set[int]) -> None:
    assert unpack(pack(ids)).tolist() == sorted(ids)


def test_dense_audiences_pack_small() -> None:
    ids = np.flatnonzero(np.random.default_rng(7).random(400_000) < 0.5)
    assert len(pack(ids)) < len(ids)


@pytest.mark.parametrize("text", ["", "no base64 at all!", "AAAA", pack([1, 2, 3])[:-8]])
def test_damage_is_refused(text: str) -> None:
    with pytest.raises(DeveloperFixes):
        unpack(text)
