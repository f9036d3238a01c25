"""Where the real data is, and a small bank made on the spot for the importer."""

import copy
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

PROJECT = Path(__file__).parents[2]
SHARED = Path(os.environ.get("TOUCHLINE_SHARED", PROJECT.parent / "shared"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of the real data sets; the test is skipped where it is missing."""
    folder = SHARED / "data"
    if not folder.is_dir():
        pytest.skip(f"the real data is missing: {folder} (set TOUCHLINE_SHARED)")
    return folder


CUSTOMERS = """id,sex,branch,balance,opened,phone,name,segment
1,F,1,100.50,2020-01-02,13800000001,Planted Name One,gold
2,M,1,200,2020-02-03,13800000002,Planted Name Two,silver
3,F,2,-5.25,2021-03-04,13800000003,Planted Name Three,gold
4,,2,0,2022-04-05,,Planted Name Four,
"""
BRANCHES = "id,name,parent\n1,Head,\n2,Harbour,1\n"
EVENTS = """id,customer,what,moment,amount
1,1,login,2026-01-05 10:00,
2,2,purchase,2026-01-06T12:30:00+00:00,5000
3,3,login,2026-01-07 23:59,
"""

MAPPING = {
    "name": "small_bank",
    "title": {"zh": "小银行", "en": "Small bank"},
    "description": {"zh": "测试用。", "en": "For tests."},
    "as_of": "2026-02-01T00:00:00",
    "zone": "Asia/Shanghai",
    "sources": {
        "people": {
            "path": "people.csv",
            "columns": {"id": {"type": "BIGINT", "required": True}, "balance": "DECIMAL(18,2)", "opened": "DATE"},
        },
        "places": {"path": "places.csv", "columns": {"id": "INTEGER", "parent": "INTEGER"}},
        "deeds": {"path": "deeds.csv", "columns": {"id": "BIGINT", "customer": "BIGINT", "moment": "TIMESTAMP"}},
    },
    "tables": {
        "branches": "SELECT _row, id AS branch_id, name, parent AS parent_id, 'branch' AS level FROM places",
        "customers": "SELECT _row, id AS customer_id, sex AS gender, branch AS branch_id, balance AS deposit_balance, "
        "opened AS opened_on, segment FROM people",
        "events": "SELECT _row, id AS event_id, customer AS customer_id, what AS name, moment AS occurred_at, amount, "
        "'push' AS channel FROM deeds",
        "consents": "SELECT _row, id AS customer_id, 'sms' AS channel, 'marketing' AS purpose, true AS opted_in, "
        "'branch form' AS source, '2026-01-01' AS updated_at FROM people",
    },
    "contacts": "SELECT _row, id AS customer_id, name, phone, NULL AS email FROM people",
    "catalog": {
        "attributes": [
            {
                "name": "segment",
                "kind": "category",
                "words": {"zh": "会员等级", "en": "membership", "synonyms_zh": ["会员"], "synonyms_en": ["club"]},
                "values": [
                    {"value": "gold", "zh": "金卡", "en": "gold"},
                    {"value": "silver", "zh": "银卡", "en": "silver"},
                ],
            }
        ]
    },
}


class SmallBank:
    """A mapping and three files in a folder, to be changed by a test before it imports them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mapping = copy.deepcopy(MAPPING)
        self.write("people", CUSTOMERS)
        self.write("places", BRANCHES)
        self.write("deeds", EVENTS)

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.folder / f"{name}.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def add(self, name: str, content: str | bytes) -> None:
        path = self.folder / f"{name}.csv"
        path.write_bytes(path.read_bytes() + (content if isinstance(content, bytes) else content.encode()))

    @property
    def file(self) -> Path:
        path = self.folder / "mapping.yaml"
        path.write_text(yaml.safe_dump(self.mapping, allow_unicode=True, sort_keys=False), "utf-8")
        return path


@pytest.fixture
def small_bank(tmp_path: Path) -> SmallBank:
    folder = tmp_path / "files"
    folder.mkdir()
    return SmallBank(folder)


@pytest.fixture
def make_small_bank() -> Callable[[Path], SmallBank]:
    return SmallBank
