"""The transcripts in docs/walkthroughs are what the product says today. Regenerate: TOUCHLINE_UPDATE_WALKTHROUGHS=1."""

import os
import re
from pathlib import Path

import pytest
from walkthrough import Player, Script, stop_the_clock

from warehouse import demo_bank, importer
from warehouse.home import Home

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs" / "walkthroughs"
SCRIPTS = sorted(FOLDER.glob("*.yaml"))
MAPPINGS = {
    "uci": ("uci_bank", "bank", "uci_bank_full.csv.gz"),
    "kz": ("kz_credit", "mailing", "kz_credit_mailing.parquet"),
}


def build(script: Script, home: Home, request: pytest.FixtureRequest) -> None:
    if script.home == "demo":
        demo_bank.build(home, customers=20_000, seed=7)
    else:
        shared: Path = request.getfixturevalue("shared")
        mapping, source, file = MAPPINGS[script.home]
        path = ROOT / "warehouse" / "mappings" / f"{mapping}.yaml"
        importer.run(home, path, {source: shared / "data" / file}, demo=True)
    stop_the_clock(home)


@pytest.mark.parametrize(
    "path",
    [pytest.param(path, id=path.stem, marks=() if path.stem == "demo-zh" else pytest.mark.slow) for path in SCRIPTS],
)
def test_transcript_is_what_the_product_says(path: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    script = Script.load(path)
    home = Home(tmp_path / "home")
    build(script, home, request)
    player = Player(script, home)
    transcript = re.sub(re.escape(str(home.root)), "HOME", player.play())
    target = path.with_suffix(".md")
    if os.environ.get("TOUCHLINE_UPDATE_WALKTHROUGHS"):
        target.write_text(transcript, encoding="utf-8")
    assert transcript == target.read_text("utf-8")


def test_both_languages_and_all_three_banks_are_walked_through() -> None:
    scripts = [Script.load(path) for path in SCRIPTS]
    assert {(s.home, s.language) for s in scripts} >= {("demo", "zh"), ("demo", "en")}
    assert {s.home for s in scripts} == {"demo", "uci", "kz"}
