"""The example of docs/importing.md is a mapping that works, and the page names every reason."""

import re
from pathlib import Path

import yaml

from warehouse.home import Home
from warehouse.importer import run
from warehouse.importer.report import MESSAGES

PAGE = (Path(__file__).parents[2] / "docs" / "importing.md").read_text("utf-8")


def test_the_example_runs(tmp_path):
    example = next(b for b in re.findall(r"```yaml\n(.*?)```", PAGE, re.S) if b.startswith("name:"))
    files = next(b for b in re.findall(r"```\n(.*?)```", PAGE, re.S) if b.startswith("no;sex"))
    (tmp_path / "my_bank.yaml").write_text(example, "utf-8")
    (tmp_path / "clients.csv").write_text(files, "utf-8")
    (tmp_path / "branches.csv").write_text("id,name\n1,Main\n", "utf-8")
    report = run(Home(tmp_path / "home"), tmp_path / "my_bank.yaml")
    assert (report.read, report.imported) == (3, 3)
    assert yaml.safe_load(example)["name"] == report.mapping


def test_every_reason_is_documented():
    for kind in MESSAGES:
        assert f"`{kind}`" in PAGE, kind
