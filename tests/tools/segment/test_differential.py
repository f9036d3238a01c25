"""The compiled SQL selects the same customers as a plain evaluator in Python, for any tree."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import warehouse
from tests.support.thorough import examples
from tools.segment import schema as s
from tools.segment import to_text
from tools.segment.columns import Moment
from tools.segment.compiler import Compiler
from tools.segment.sql import to_sql
from tools.segment.walk import attributes_of
from warehouse.catalog import Catalog
from warehouse.store import Warehouse

from conftest import AS_OF, ENTRIES, ZONE  # isort: skip
from evaluator import Bank, Evaluator  # isort: skip
from trees import Trees  # isort: skip

CATALOG = Catalog.load(Path(warehouse.__file__).parent / "canonical_catalog.yaml")


TREES = Trees(CATALOG, wild=False).all()
MOMENTS = [
    (AS_OF, ZONE),
    (AS_OF - timedelta(days=40), ZONE),
    (datetime(2026, 11, 3, 4, 30, tzinfo=UTC), ZoneInfo("America/New_York")),  # two days after the clocks went back
]


@pytest.mark.property
@settings(max_examples=examples(60), deadline=None, suppress_health_check=list(HealthCheck))
@given(tree=TREES, moment=st.sampled_from(MOMENTS))
def test_sql_agrees_with_python(store: Warehouse, bank: Bank, moment: tuple[datetime, ZoneInfo], tree: s.Node) -> None:
    at, zone = moment
    expected = Evaluator(bank, CATALOG, at, zone, ENTRIES).members(tree)
    compiler = Compiler.for_names(attributes_of(tree), CATALOG, Moment(at, zone), entries="entered")
    sql = to_sql(compiler.members(tree).select("customer_id"))
    assert {row[0] for row in store.read(sql).rows} == expected, to_text(tree)
