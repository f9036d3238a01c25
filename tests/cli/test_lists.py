"""Uploaded lists, both ways: what matched, what did not, for whom, and that a file is only data."""

import io

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cli.credentials import Who
from cli.desk import at_desk
from server.schema import AccountAsked, AskAsked, SegmentAsked
from warehouse.errors import Forbidden, ModelRetry
from warehouse.home import Home

NOBODY = 10**15


@pytest.fixture(scope="module")
def some(home: Home, tmp_path_factory: pytest.TempPathFactory) -> list[int]:
    """Real customer ids."""
    out = tmp_path_factory.mktemp("ids") / "ids.parquet"
    with at_desk(home.root, Who()) as desk:
        desk.segment_ids(SegmentAsked(expression="everyone"), out)
    return pq.read_table(out)["customer_id"].to_pylist()


def parquet(**columns: list[object]) -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.table(columns), out)
    return out.getvalue()


def test_a_list_is_matched_and_then_works_in_segments_and_in_a_conversation(desk, way: str, some: list[int]) -> None:
    rows = [*some[:40], some[0], NOBODY, NOBODY, "13800138000x"]
    text = "\n".join(map(str, rows)).encode()
    with desk("operator") as d:
        report = d.list_upload("重点客户", text)
        assert (report.rows, report.matched, report.unknown, report.duplicates, report.invalid) == (44, 40, 1, 2, 1)
        assert (report.unknown_rows, report.invalid_rows) == ([42], [44])
        assert "13800138000" not in report.model_dump_json()
        counted = d.segment_count(SegmentAsked(expression="in_list('重点客户') and is_payroll"))
        everyone = d.segment_count(SegmentAsked(expression="in_list('重点客户')"))
        assert everyone.count == 40 > counted.count > 0
        assert "重点客户" in {found.name for found in d.lists()}
        answer = d.ask(AskAsked(text="in_list('重点客户') and is_payroll"))
    assert answer.segment is not None, answer.reply
    assert answer.segment.count == counted.count


def test_formats(desk, some: list[int]) -> None:
    a, b = some[:2]
    files = {
        "heading": f"customer_id\n{a}\n{b}\n".encode(),
        "several columns": f'name,customer_id\nx,{a}\n"y,z",{b}\n'.encode(),
        "semicolons": f"CUSTOMER_ID;note\r\n{a};é\r\n{b};\r\n".encode(),
        "from Excel": f"customer_id,姓名\n{a},甲\n{b},乙\n".encode("gb18030"),
        "byte order mark": b"\xef\xbb\xbf" + f"customer_id\n{a}\n\n{b}\n".encode(),
        "parquet": parquet(name=["x", "y"], customer_id=[a, b]),
        "parquet, one column": parquet(id=[float(a), float(b)]),
    }
    with desk("operator") as d:
        for name, content in files.items():
            report = d.list_upload(name, content)
            assert (report.rows, report.matched, report.invalid) == (2, 2, 0), name


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty", b""),
        ("blank", b"\n\n"),
        ("nobody", str(NOBODY).encode()),
        ("no column", b"a,b\n1,2\n"),
        ("binary", b"\x00\xff\x00\xfe\x81"),
        ("broken parquet", b"PAR1 and nothing more"),
        ("", b"1"),
        ("it's", b"1"),
        ('say "x"', b"1"),
        ("two\nlines", b"1"),
        ("x" * 81, b"1"),
    ],
)
def test_what_is_no_list(desk, name: str, content: bytes) -> None:
    with desk("operator") as d:
        before = d.lists()
        with pytest.raises(ModelRetry) as caught:
            d.list_upload(name, content)
        assert caught.value.fix
        assert d.lists() == before


def test_a_name_is_data(desk, some: list[int]) -> None:
    names = ["../../etc/passwd", "x); DROP TABLE customers; --", "vip %s {0}", "a/b"]
    with desk("operator") as d:
        before = d.segment_count(SegmentAsked(expression="everyone")).count
        for name in names:
            d.list_upload(name, "\n".join(map(str, some[:12])).encode())
            assert d.segment_count(SegmentAsked(expression=f"in_list('{name}')")).count == 12
        assert d.segment_count(SegmentAsked(expression="everyone")).count == before
        assert set(names) <= {found.name for found in d.lists()}


def test_a_name_stays_with_whoever_took_it(desk, some: list[int]) -> None:
    with desk("operator") as d:
        d.list_upload("mine", str(some[0]).encode())
        assert d.list_upload("mine", f"{some[0]}\n{some[1]}".encode()).matched == 2
        assert d.segment_count(SegmentAsked(expression="in_list('mine')")).count == 2
    with desk("manager") as d, pytest.raises(Forbidden, match="somebody else"):
        d.list_upload("mine", str(some[5]).encode())


def test_an_approver_uploads_nothing(desk) -> None:
    with desk("approver", password=True) as d, pytest.raises(Forbidden):
        d.list_upload("approved", b"1")


def test_a_branch_learns_nothing_of_others_customers(desk, home: Home, way: str, some: list[int]) -> None:
    password = "in the Dongguan branch"
    with desk("admin", password=True) as d:
        d.people_add(AccountAsked(account=f"list-{way}", roles=["operator"], branches=[13], password=password))
    with desk("operator") as d:
        d.list_upload("everybody", "\n".join(map(str, some)).encode())
    with at_desk(home.root, Who(user=f"list-{way}", password=password)) as d:
        own = d.segment_count(SegmentAsked(expression="everyone")).count
        assert 0 < own < len(some)
        report = d.list_upload(f"all I know {way}", "\n".join(map(str, [*some, NOBODY])).encode())
        assert (report.matched, report.unknown) == (own, len(some) - own + 1)
        sizes = {found.name: found.size for found in d.lists()}
        assert sizes["everybody"] == own
        assert "heading" not in sizes or sizes["heading"] < 2
    with desk("operator") as d:
        assert {found.name: found.size for found in d.lists()}[f"all I know {way}"] == own
