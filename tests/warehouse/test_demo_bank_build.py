"""Building a demo home: the same rows for the same seed, no half-built homes, no surprises for what was there."""

import json
import stat
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from warehouse import demo_bank
from warehouse.demo_bank import behaviour
from warehouse.errors import ModelRetry
from warehouse.home import Home, HomeBusy, HomeInfo
from warehouse.schema import TABLES
from warehouse.store import Warehouse

pytestmark = pytest.mark.slow

SMALL = 800


def digests(home: Home) -> dict[str, object]:
    """Of every table: rows, and a sum of row hashes that ignores their order."""
    con = duckdb.connect(str(home.warehouse), read_only=True)
    try:
        return {
            t.name: con.execute(f"SELECT count(*), sum(hash(t)::HUGEINT) FROM {t.name} t").fetchone() for t in TABLES
        }
    finally:
        con.close()


def home_with_key(path: Path) -> Home:
    home = Home(path)
    home.keys.mkdir(parents=True)
    (home.keys / "hmac").write_bytes(b"k" * 32)
    return home


def test_the_seed_decides_and_the_threads_do_not(tmp_path: Path) -> None:
    homes = {name: home_with_key(tmp_path / name) for name in ("one", "two", "other")}
    demo_bank.build(homes["one"], customers=SMALL, seed=7, threads=1, origin=0.0)
    demo_bank.build(homes["two"], customers=SMALL, seed=7, threads=2, origin=0.0)
    demo_bank.build(homes["other"], customers=SMALL, seed=8, threads=2, origin=0.0)
    one, two, other = (digests(h) for h in homes.values())
    assert one == two
    fixed = {"branches", "products", "benefits", "staff", "campaigns", "meta"}
    assert {name for name in one if one[name] == other[name]} == fixed
    for file in ("truths.json", "catalog.yaml", "home.yaml"):
        assert (homes["one"].root / file).read_bytes() == (homes["two"].root / file).read_bytes()


def test_more_customers_keep_the_earlier_ones_traits(tmp_path: Path) -> None:
    rows = []
    for n in (SMALL, 2 * SMALL):
        home = Home(tmp_path / str(n))
        demo_bank.build(home, customers=n)
        con = duckdb.connect(str(home.warehouse), read_only=True)
        rows.append(
            con.execute(
                "SELECT gender, birth_date, city, opened_on, payday FROM customers WHERE customer_id <= 500 ORDER BY customer_id"
            ).fetchall()
        )
        con.close()
    assert rows[0] == rows[1]


@dataclass(frozen=True)
class Built:
    home: Home
    report: demo_bank.Report
    heard: list[tuple[str, float]]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """A small bank that no test changes."""
    home = Home(tmp_path_factory.mktemp("built") / "home")
    heard: list[tuple[str, float]] = []
    report = demo_bank.build(home, customers=SMALL, origin=1_000.0, progress=lambda *step: heard.append(step))
    return Built(home, report, heard)


def test_the_report_and_the_progress(built: Built) -> None:
    assert built.report.rows["customers"] == built.report.customers == SMALL
    assert built.report.rows["events"] > 10 * SMALL
    assert len(built.report.campaigns) == 8
    fractions = [fraction for _, fraction in built.heard]
    assert fractions == sorted(fractions)
    assert fractions[0] == 0.0
    assert built.heard[-1] == ("done", 1.0)


def test_the_clock_of_a_demo_home_starts_at_the_cut_off(built: Built) -> None:
    clock = built.home.clock()
    later = type(clock)(clock.zone, clock.start, clock.origin, wall=lambda: 1_060.0)
    assert later.now() == datetime(2026, 11, 18, 1, 1, tzinfo=UTC)
    with Warehouse(built.home.warehouse) as store:
        assert store.as_of == datetime(2026, 11, 18, 1, 0, tzinfo=UTC)
        assert store.zone.key == "Asia/Shanghai"


def test_files_are_the_owners_only(built: Built) -> None:
    home = built.home
    for path in (home.warehouse, home.contacts, home.root / "truths.json", home.keys / "hmac"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    document = json.loads((home.root / "truths.json").read_text("utf-8"))
    assert document["seed"] == 7


@pytest.mark.parametrize(
    "as_of",
    [
        datetime(2026, 3, 1, 0, 30, tzinfo=UTC),
        datetime(2025, 7, 31, 15, 59, tzinfo=UTC),
        datetime(2028, 2, 29, 12, 0, tzinfo=UTC),
    ],
)
def test_any_cut_off_gives_a_sound_bank(tmp_path: Path, as_of: datetime) -> None:
    home = Home(tmp_path / "h")
    report = demo_bank.build(home, customers=SMALL, as_of=as_of)
    con = duckdb.connect(str(home.warehouse), read_only=True)
    try:
        limit = as_of.replace(tzinfo=None)
        latest = con.execute("SELECT max(occurred_at) FROM events").fetchone()
        assert latest is not None
        assert limit - timedelta(days=2) < latest[0] <= limit
        touched = con.execute(
            "SELECT max(clicked_at), max(decided_at), (SELECT max(ended_at) FROM campaigns) FROM touches"
        ).fetchone()
        assert touched is not None
        assert max(touched) <= limit
        wrong = con.execute(
            """WITH logins AS (SELECT customer_id, max(occurred_at) AS latest FROM events WHERE name = 'login' GROUP BY 1)
            SELECT count(*) FROM customers LEFT JOIN logins USING (customer_id) WHERE latest IS DISTINCT FROM last_login_at"""
        ).fetchone()
        assert wrong == (0,)
        assert len(report.campaigns) == 8
    finally:
        con.close()


def test_a_home_is_not_overwritten_without_force(tmp_path: Path) -> None:
    home = Home(tmp_path / "h")
    demo_bank.build(home, customers=SMALL, seed=1)
    before = digests(home)
    (home.root / "notes.txt").write_text("mine")
    for name in ("control.sqlite", "control.sqlite-wal", "audit-head.json"):
        (home.root / name).write_text("decisions of the old bank")
    key = home.key("hmac")
    with pytest.raises(ModelRetry, match="--force"):
        demo_bank.build(home, customers=SMALL, seed=2)
    assert digests(home) == before
    demo_bank.build(home, customers=SMALL, seed=2, force=True)
    assert digests(home) != before
    assert (home.root / "notes.txt").read_text() == "mine"
    assert not [p.name for p in home.root.iterdir() if p.name.startswith(("control", "audit"))]
    assert home.key("hmac") == key


def test_a_real_banks_home_is_never_replaced(tmp_path: Path) -> None:
    home = Home(tmp_path / "h")
    home.create(HomeInfo(name="Real", kind="real"))
    home.warehouse.write_text("a bank")
    with pytest.raises(ModelRetry, match="real bank"):
        demo_bank.build(home, customers=SMALL, force=True)
    assert home.warehouse.read_text() == "a bank"


def test_a_failed_build_leaves_no_home_and_spares_the_old_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = Home(tmp_path / "old")
    demo_bank.build(old, customers=SMALL)
    before = digests(old)

    def power_cut(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(behaviour, "events", power_cut)
    for home, force in ((Home(tmp_path / "new"), False), (old, True)):
        with pytest.raises(KeyboardInterrupt):
            demo_bank.build(home, customers=SMALL, seed=9, force=force)
        assert not list(home.root.glob(".building*"))
    assert not Home(tmp_path / "new").exists()
    assert old.exists()
    assert digests(old) == before


def test_a_busy_home_is_left_alone(tmp_path: Path) -> None:
    home = Home(tmp_path / "h")
    with home.own(), pytest.raises(HomeBusy):
        demo_bank.build(home, customers=SMALL)
    assert not home.exists()


@pytest.mark.parametrize("customers", [0, 499, 30_000_000])
def test_sizes_out_of_range_are_refused(tmp_path: Path, customers: int) -> None:
    with pytest.raises(ModelRetry, match="500"):
        demo_bank.build(Home(tmp_path / "h"), customers=customers)
