"""The fixed corpus of expressions, and the demo bank with the list and the segment that it names."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict

from control.records import Actor, Records
from tools.segment import Segments, load_list, parse, to_text
from warehouse.catalog import Catalog
from warehouse.home import Home
from warehouse.store import Warehouse

OPERATOR = Actor(account="operator", person="p1")


class Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    purpose: str
    eql: str
    customers: Literal["some", "none", "all"] = "some"


CORPUS = [Entry(**row) for row in yaml.safe_load((Path(__file__).with_name("corpus.yaml")).read_text("utf-8"))]


@contextmanager
def desk(master: Home, folder: Path) -> Iterator[Segments]:
    """An operator's segments over a copy of a demo bank in which `vip` and `young payroll` exist."""
    home = Home(folder / "home")
    shutil.copytree(master.root, home.root, ignore=shutil.ignore_patterns("*.lock", "owner.json"))
    records = Records(f"sqlite:///{folder / 'control.sqlite'}", home.clock())
    catalog = Catalog.load(home.catalog)
    with Warehouse(home.warehouse, folders=[home.inbox, home.exports, home.outbox]) as store:
        ids = [row[0] for row in store.read("SELECT customer_id FROM customers WHERE customer_id % 7 = 3").rows]
        load_list(store, records, "vip", ids, OPERATOR)
        young = parse("is_payroll and age < 35", catalog)
        records.save_segment(to_text(young), young.model_dump(mode="json"), OPERATOR, name="young payroll")
        yield Segments(store, catalog, records, OPERATOR)
    records.close()
