"""Whatever mix of damage a file has: read = imported + quarantined, good rows come in, bad ones are named."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from warehouse.home import Home
from warehouse.importer import run

pytestmark = pytest.mark.slow

# (line, bad): what may stand in `people.csv`, and whether it must be set aside. {n} is a number of its own.
LINES: list[tuple[bytes, bool]] = [
    (b"{n},F,1,10,2020-01-01,,Good,gold\n", False),
    (b'{n},M,2,-1.5,2020-01-01,139,"Quoted, ""good""",silver\n', False),
    (b'{n},M,2,-1.5,2020-01-01,139,"Over two\nlines",silver\n', False),
    (b"{n},F,1,10,2020-01-01,,Good,gold\r\n", False),
    (b"{n},F,1,ten,2020-01-01,,Type,gold\n", True),
    (b"{n},F,1,10,2020-13-01,,Date,gold\n", True),
    (b"1,F,1,10,2020-01-01,,Duplicate,gold\n", True),
    (b"{n},F,77,10,2020-01-01,,Dangling,gold\n", True),
    (b"{n},Q,1,10,2020-01-01,,Value,gold\n", True),
    (b"{n},F,1,10,2030-01-01,,Future,gold\n", True),
    (b",F,1,10,2020-01-01,,Required,gold\n", True),
    (b"{n},F,1,10,2020-01-01,,Short\n", True),
    (b"{n},F,1,10,2020-01-01,,Long,gold,x\n", True),
    (b"{n},F,1,10,2020-01-01,,\xfe\xff,gold\n", True),
    (b"\n", True),
]
TAILS: list[tuple[bytes, int, int]] = [(b"", 0, 0), (b"9999,F,1,1", 1, 1), (b"9999,F,1,1,2020-01-01,,End,gold", 1, 0)]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(st.sampled_from(LINES), min_size=1, max_size=40), tail=st.sampled_from(TAILS))
def test_any_mix_of_damage_keeps_the_balance(
    make_small_bank: Callable[[Path], Any], lines: list[tuple[bytes, bool]], tail: tuple[bytes, int, int]
):
    with tempfile.TemporaryDirectory() as folder:
        bank = make_small_bank(Path(folder))
        # A last good line, so that a blank one is never the file's end.
        every = [*lines, LINES[0]]
        bank.add(
            "people", b"".join(line.replace(b"{n}", b"%d" % n) for n, (line, _) in enumerate(every, 100)) + tail[0]
        )
        home = Home(Path(folder) / "home")
        report = run(home, bank.file)
        bad = sum(bad for _, bad in every) + tail[2]
        source = report.source("people")
        assert (source.read, source.quarantined) == (4 + len(every) + tail[1], bad)
        for part in (*report.sources, *report.tables):
            assert part.read == part.imported + part.quarantined
        # Counted on the files themselves, not by the importer's own report.
        with duckdb.connect(str(home.warehouse), read_only=True) as con:
            assert con.execute("SELECT count(*) FROM customers").fetchone() == (source.read - bad,)
        aside = duckdb.execute(
            "SELECT count(DISTINCT record), count(*) FILTER (message_zh = '' OR content IS NULL) FROM read_parquet(?)",
            [str(home.quarantine / "quarantine.parquet")],
        ).fetchone()
        assert aside == (bad, 0)
