"""docs/eql.md cannot drift: its examples parse, and it names every keyword and period of the language."""

import re
from pathlib import Path
from typing import get_args

from tools.segment import parse
from tools.segment.lexer import CHINESE, FUNCTIONS, WORDS
from tools.segment.schema import Period
from warehouse.catalog import Catalog

TEXT = (Path(__file__).parents[3] / "docs" / "eql.md").read_text("utf-8")


def test_examples_parse(eql_catalog: Catalog) -> None:
    blocks = re.findall(r"```\n(.*?)```", TEXT, re.S)
    first, lists = ([parse(line, eql_catalog) for line in block.splitlines()] for block in blocks[:2])
    assert (len(first), len(lists)) == (11, 12)
    assert first[0] == first[1]
    assert lists[4] == lists[10]


def test_every_word_of_the_language_is_named() -> None:
    words = {*WORDS, *FUNCTIONS, *CHINESE, *get_args(Period)} - {"null"}
    assert [word for word in sorted(words) if word not in TEXT] == []
