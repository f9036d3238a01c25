"""Engines without a cluster: what DuckDB answers, what other engines are given as SQL, and what is said when Spark cannot be."""

import sys

import pyarrow.parquet as pq
import pytest

from tools.segment import Segments, engines, parse
from tools.segment import schema as s
from tools.segment.dialects import to_sql
from tools.segment.engines import DuckEngine, SparkEngine, export_tables, flags, local_session
from warehouse.errors import AdminFixes
from warehouse.store import Warehouse

TEXTS = {
    "sampled": "sample(5%, 'k')",
    "balanced": "risk_level = 'R3'",
    "others": "not (risk_level = 'R3')",
    "page": "did(close_page where seconds > 5)",
}


def test_several_segments_are_columns_of_one_query(segments: Segments) -> None:
    trees = {name: segments.ready(parse(text, segments.catalog)) for name, text in TEXTS.items()}
    compiler = segments.compiler(s.Or(children=tuple(trees.values())))
    rows = DuckEngine(segments.warehouse).run(flags(compiler, trees))
    assert rows.num_rows == 70
    for name, tree in trees.items():
        flagged = {i for i, flag in zip(rows["customer_id"].to_pylist(), rows[name].to_pylist(), strict=True) if flag}
        assert rows[name].null_count == 0
        assert flagged == {row[0] for row in segments.warehouse.read(segments.ids_sql(tree)).rows}
        assert 0 < len(flagged) < 70


@pytest.mark.parametrize(
    ("dialect", "expected"),
    [
        ("duckdb", "MD5("),
        ("spark", "MD5("),
        ("trino", "TO_HEX(MD5(TO_UTF8("),
        ("clickhouse", "hex(MD5("),
        ("postgres", "MD5("),
    ],
)
def test_a_sample_compiles_for_every_engine(segments: Segments, dialect, expected: str) -> None:
    tree = parse(TEXTS["sampled"], segments.catalog)
    text = to_sql(flags(segments.compiler(tree), {"sampled": tree}), dialect)
    assert expected.lower() in text.lower()


def test_json_keeps_its_types_on_spark(segments: Segments) -> None:
    tree = parse(TEXTS["page"], segments.catalog)
    text = to_sql(flags(segments.compiler(tree), {"page": tree}), "spark")
    assert "touchline_json_part" in text.lower()
    assert "get_json_object" not in text.lower()


def test_tables_are_exported_for_another_engine(tmp_path) -> None:
    with Warehouse(tmp_path / "w.duckdb", folders=[tmp_path]) as store:
        with store.writer() as con:
            con.execute("INSERT INTO customers (customer_id) VALUES (1), (2)")
        names = export_tables(store, tmp_path / "it's here")
        assert {"customers", "events", "holdings"} <= set(names)
        assert pq.read_metadata(tmp_path / "it's here" / "customers.parquet").num_rows == 2


def test_a_missing_extra_is_said_with_its_fix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "_java", lambda: "java")
    monkeypatch.setitem(sys.modules, "pyspark", None)
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(AdminFixes, match="PySpark") as caught:
        SparkEngine("/nowhere")
    assert "make extras" in str(caught.value.fix)


def test_a_missing_java_is_said_with_its_fix(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(AdminFixes, match="Java") as caught:
        local_session()
    assert "Java 17" in str(caught.value.fix)
