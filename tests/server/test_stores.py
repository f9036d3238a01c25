"""What a server says of stores that cannot be opened, and an import that broke off while its files were moved."""

import pytest

from cli.desk import home_info
from server.service import Service
from server.stores import Stores
from warehouse.errors import AdminFixes
from warehouse.home import Home
from warehouse.importer.replace import READY


def test_a_whole_home_is_well(demo_home: Home) -> None:
    stores = Stores(demo_home)
    stores.check()
    stores.close()


@pytest.mark.parametrize(
    ("file", "named"),
    [("control.sqlite", "records"), ("warehouse.duckdb", "warehouse"), ("threads.sqlite", "assistant")],
)
def test_a_store_that_cannot_be_opened_is_named_with_a_fix(demo_home: Home, file: str, named: str) -> None:
    for old in demo_home.root.glob(f"{file}*"):
        old.unlink()
    (demo_home.root / file).write_bytes(b"this is no database, whatever its name says" * 100)
    stores = Stores(demo_home)
    with pytest.raises(AdminFixes) as caught:
        stores.check()
    stores.close()
    assert named in caught.value.message
    assert caught.value.status == 503
    assert caught.value.fix


def test_it_is_not_ready_while_it_starts(demo_home: Home) -> None:
    with Service(demo_home, "token") as service, pytest.raises(AdminFixes, match="still starting"):
        service.ready()


def broken_off(home: Home, name: str) -> None:
    """Leave what an import leaves that was committed and then stopped before it moved a file."""
    ready = home.root / READY
    ready.mkdir()
    (home.root / "warehouse.duckdb").rename(ready / "warehouse.duckdb")
    (home.root / "home.yaml").rename(ready / "home.yaml")
    text = (ready / "home.yaml").read_text("utf-8")
    (ready / "home.yaml").write_text(
        "\n".join(f"name: {name}" if x.startswith("name:") else x for x in text.splitlines())
    )


def test_a_broken_off_import_is_finished_before_anything_is_opened(demo_home: Home) -> None:
    before = Stores(demo_home)
    counted = before.warehouse.read("SELECT count(*) FROM customers").scalar()
    before.close()
    broken_off(demo_home, "新银行")
    (demo_home.root / "home.yaml").write_text(
        (demo_home.root / READY / "home.yaml").read_text("utf-8").replace("新银行", "旧银行")
    )
    stores = Stores(demo_home)
    assert stores.info.name == "新银行"
    assert stores.warehouse.read("SELECT count(*) FROM customers").scalar() == counted > 0
    assert not (demo_home.root / READY).exists()
    stores.close()


def test_the_command_line_finds_a_home_whose_first_import_broke_off(demo_home: Home) -> None:
    broken_off(demo_home, "新银行")
    assert home_info(demo_home.root).name == "新银行"
    assert demo_home.exists()
