"""The compiled SQL selects the same customers as a plain evaluator in Python, for any tree."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import warehouse
from tests.support.thorough import examples
from tools.segment import Segments, to_text
from tools.segment import schema as s
from warehouse.catalog import Catalog

from conftest import AS_OF, ZONE  # isort: skip
from evaluator import Bank, Evaluator  # isort: skip
from trees import Trees  # isort: skip

CATALOG = Catalog.load(Path(warehouse.__file__).parent / "canonical_catalog.yaml")


TREES = Trees(CATALOG, wild=False).all()


@pytest.mark.property
@settings(max_examples=examples(60), deadline=None, suppress_health_check=list(HealthCheck))
@given(tree=TREES, hours_back=st.sampled_from([0, 24 * 40]))
def test_sql_agrees_with_python(segments: Segments, bank: Bank, hours_back: int, tree: s.Node) -> None:
    at = AS_OF - timedelta(hours=hours_back)
    expected = Evaluator(bank, CATALOG, at, ZONE).members(tree)
    found = {row[0] for row in segments.warehouse.read(segments.ids_sql(tree, at)).rows}
    assert found == expected, to_text(tree)
