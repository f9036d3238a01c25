"""Every expression of the corpus selects the same customers on DuckDB and on Spark, from one Ibis expression.

The expressions are columns of a few Spark jobs: planning a query costs Spark far more than running it over 3,000 customers.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from tools.segment import Segments, bucket, parse, threshold
from tools.segment import schema as s
from tools.segment.columns import Moment
from tools.segment.compiler import Compiler
from tools.segment.engines import DuckEngine, Engine, SparkEngine, export_tables, flags

from corpus import CORPUS, desk  # isort: skip

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1500)]

BATCH = 40
"""Columns of one job: more make a plan whose optimisation costs more than another job does."""


@dataclass(frozen=True)
class Desk:
    segments: Segments
    engines: tuple[Engine, Engine]


@pytest.fixture(scope="module")
def both(demo_master, tmp_path_factory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("spark")
    with desk(demo_master, folder) as segments:
        tables = folder / "home" / "exports" / "tables"
        export_tables(segments.warehouse, tables)
        yield Desk(segments, (DuckEngine(segments.warehouse), SparkEngine(tables)))


def members(rows: pa.Table) -> dict[str, set[int]]:
    """By column, whom it flags; a NULL would be neither in nor out."""
    ids = rows.column("customer_id").to_pylist()
    names = [name for name in rows.column_names if name != "customer_id"]
    assert [name for name in names if rows.column(name).null_count] == []
    return {name: {i for i, flag in zip(ids, rows.column(name).to_pylist(), strict=True) if flag} for name in names}


def differences(desk: Desk, compiler: Compiler, trees: dict[str, s.Node]) -> dict[str, str]:
    duck, spark = (members(engine.run(flags(compiler, trees))) for engine in desk.engines)
    return {
        name: f"{len(duck[name])} on DuckDB, {len(spark[name])} on Spark, such as {sorted(duck[name] ^ spark[name])[:3]}"
        for name in trees
        if duck[name] != spark[name]
    }


def test_the_corpus(both: Desk) -> None:
    trees = {e.name: both.segments.ready(parse(e.eql, both.segments.catalog)) for e in CORPUS}
    compiler = both.segments.compiler(s.Or(children=tuple(trees.values())))
    names = list(trees)
    wrong: dict[str, str] = {}
    for start in range(0, len(names), BATCH):
        wrong |= differences(both, compiler, {name: trees[name] for name in names[start : start + BATCH]})
    assert wrong == {}


def test_another_instant_and_a_zone_with_summer_time(both: Desk) -> None:
    chosen = {"login_days", "did_last_month", "login_on_day", "login_night", "birthday_soon"}
    trees = {e.name: both.segments.ready(parse(e.eql, both.segments.catalog)) for e in CORPUS if e.name in chosen}
    assert trees.keys() == chosen
    moment = Moment(both.segments.warehouse.as_of - timedelta(days=20), ZoneInfo("Europe/Berlin"))
    assert differences(both, Compiler(both.segments.catalog, moment), trees) == {}


def test_samples_are_those_of_the_golden_hash(both: Desk) -> None:
    tree = parse("sample(20%, '第一波')", both.segments.catalog)
    rows = both.engines[1].run(flags(both.segments.compiler(tree), {"chosen": tree}))
    expected = {i for i in rows.column("customer_id").to_pylist() if bucket("第一波", i) < threshold(20)}
    assert members(rows)["chosen"] == expected


def test_a_branch_sees_its_own_customers_on_spark_too(both: Desk) -> None:
    tree = parse("everyone", both.segments.catalog)
    moment = Moment(both.segments.warehouse.as_of, both.segments.warehouse.zone)
    compiler = Compiler(both.segments.catalog, moment, branches=(11, 12))
    duck, spark = (members(engine.run(flags(compiler, {"all": tree})))["all"] for engine in both.engines)
    assert duck == spark
    assert 0 < len(spark) < 3000
