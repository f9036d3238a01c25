"""parse(to_text(tree)) == tree for any tree, and to_text(parse(text)) is a fixed point."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

import warehouse
from tests.support.thorough import examples
from tools.segment import parse, to_text
from tools.segment import schema as s
from tools.segment.words import describe
from warehouse.catalog import Attribute, Catalog, Entity, Event, Kind, Property, Words

from trees import Trees  # isort: skip

BASE = Catalog.load(Path(warehouse.__file__).parent / "canonical_catalog.yaml")
RESERVED = ("count", "last", "in", "not", "top", "any", "to", "ago", "next", "during", "min", "latest")
LAST = Entity(
    name="last", table="lasts", words=Words(zh="末次", en="the last one"), time="any",
    properties=[
        Property(name="any", kind=Kind.timestamp, words=Words(zh="何时", en="any time"), source="any"),
        Property(name="next", kind=Kind.money, words=Words(zh="下一个", en="the next one"), source="next"),
    ],
)  # fmt: skip
CATALOG = BASE.model_copy(
    update={
        "attributes": [
            *BASE.attributes,
            *[
                Attribute(name=n, kind=Kind.integer, words=Words(zh=f"保留{i}", en=f"reserved word {i}"))
                for i, n in enumerate(RESERVED)
            ],
        ],
        "events": [*BASE.events, Event(name="then", words=Words(zh="随后", en="thereafter"))],
        "entities": [*BASE.entities, LAST],
    }
)


TREES = Trees(CATALOG, wild=True).all(with_names=True)


@pytest.mark.property
@settings(
    max_examples=examples(100), deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(tree=TREES)
def test_print_and_parse_are_inverse(tree: s.Node) -> None:
    text = to_text(tree)
    assert parse(text, CATALOG) == tree
    assert to_text(parse(text, CATALOG)) == text
    for language in ("zh", "en"):
        assert describe(tree, CATALOG, language)
