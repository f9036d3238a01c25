"""The fixed corpus on DuckDB: every expression compiles, prints and reads back, and divides the demo bank as it says."""

from collections import Counter

import pytest

from tools.segment import Segments, parse, to_text

from corpus import CORPUS, Entry, desk  # isort: skip


@pytest.fixture(scope="module")
def segments(demo_master, tmp_path_factory) -> Segments:
    with desk(demo_master, tmp_path_factory.mktemp("corpus")) as opened:
        yield opened


def test_names_are_unique_and_the_corpus_is_large() -> None:
    assert [name for name, n in Counter(entry.name for entry in CORPUS).items() if n > 1] == []
    assert len(CORPUS) >= 150


@pytest.mark.parametrize("entry", CORPUS, ids=lambda entry: entry.name)
def test_divides_the_bank(segments: Segments, entry: Entry) -> None:
    tree = parse(entry.eql, segments.catalog)
    assert parse(to_text(tree), segments.catalog) == tree
    found = segments.count(tree, diagnose=False)
    expected = {"none": found.count == 0, "all": found.count == found.total, "some": 0 < found.count < found.total}
    assert expected[entry.customers], f"{found.count} of {found.total}"
