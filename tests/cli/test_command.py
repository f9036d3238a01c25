"""The command as scripts meet it: JSON on stdout, one line on stderr, exit codes, passwords."""

import json
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from warehouse.home import Home


def error_of(done) -> dict[str, object]:
    assert done.returncode == 2, done.stderr
    error: dict[str, object] = json.loads(done.stdout)["error"]
    assert {"title", "status", "detail", "fix", "code"} <= error.keys()
    return error


def test_help_starts_fast_and_opens_nothing(touchline, tmp_path: Path) -> None:
    started = time.perf_counter()
    done = touchline("--help", TOUCHLINE_HOME=str(tmp_path / "none"))
    assert done.returncode == 0
    assert time.perf_counter() - started < 3.0
    assert not (tmp_path / "none").exists()


def test_the_command_line_imports_no_heavy_module() -> None:
    import subprocess

    heavy = ["duckdb", "sqlalchemy", "fastapi", "langgraph", "chromadb", "ibis", "streamlit", "pyarrow"]
    code = f"import cli.main, sys; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_help_in_chinese(touchline) -> None:
    done = touchline("segment", "--help", "--lang", "zh")
    assert "客群" in done.stdout


def test_count_prints_the_contract(touchline, home: Home) -> None:
    done = touchline("segment", "count", "is_payroll", "--home", str(home.root), "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert list(found)[:5] == ["expression", "count", "unknown", "sql", "elapsed_ms"]
    assert found["count"] > 0


def test_a_wrong_expression_is_one_line_with_a_fix(command, free_home: Home) -> None:
    done = command("segment", "count", "is_payrol", "--home", str(free_home.root))
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1
    assert "is_payroll" in done.stderr
    wrong = command("segment", "count", "is_payrol", "--home", str(free_home.root), "--json")
    assert "is_payroll" in str(error_of(wrong)["fix"])


def test_ids_are_written_where_asked_and_nowhere_else(command, free_home: Home, tmp_path: Path) -> None:
    out = tmp_path / "ids.parquet"
    done = command("segment", "ids", "age < 30", "--out", str(out), "--home", str(free_home.root), "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["count"] == pq.read_table(out).num_rows
    nowhere = command(
        "segment",
        "ids",
        "age < 30",
        "--out",
        str(tmp_path / "no" / "x.parquet"),
        "--home",
        str(free_home.root),
        "--json",
    )
    assert "does not exist" in str(error_of(nowhere)["detail"])
    folder = command("segment", "ids", "age < 30", "--out", str(tmp_path), "--home", str(free_home.root))
    assert folder.returncode == 2


@pytest.mark.parametrize(
    "args",
    [
        ("segment",),
        ("segment", "count"),
        ("segment", "count", "everyone", "--channel", "sms"),
        ("throttle", "check", "--segment", "everyone", "--channel", "fax"),
        ("clock", "advance", "--days", "many"),
        ("nothing",),
        ("ask", "   "),
        ("ask", "x", "--thread", "../../etc"),
        ("proposals", "--status", "no such; status"),
        ("proposal", "../x"),
        ("canvas", "check", "no_such_file.yaml"),
        ("analyze", "no such campaign"),
        ("import", "no_such_mapping"),
        ("bench", "no_such_benchmark"),
        ("token", "create", "--scope", "everything", "--user", "admin", "--password", "admin-demo"),
    ],
)
def test_bad_input_is_exit_code_2_and_one_line(command, free_home: Home, args: tuple[str, ...]) -> None:
    done = command(*args, *(() if args[0] in ("bench", "nothing", "segment") else ("--home", str(free_home.root))))
    assert done.returncode == 2, done.stdout
    assert "Traceback" not in done.stderr
    if args != ("segment",):  # asks for help instead
        assert len(done.stderr.strip().splitlines()) == 1, done.stderr


def test_no_home_tells_how_to_build_one(command, tmp_path: Path) -> None:
    done = command("segment", "count", "everyone", "--home", str(tmp_path / "none"), "--json")
    assert "touchline demo-bank" in str(error_of(done)["fix"])
    assert not (tmp_path / "none").exists()


def test_a_decision_needs_a_person(command, free_home: Home) -> None:
    where = ("--home", str(free_home.root), "--json")
    assert error_of(command("approve", "prop_1", *where))["code"] == "bad_input"
    assert error_of(command("approve", "prop_1", "--user", "approver", *where))["code"] == "bad_input"
    wrong = command("approve", "prop_1", "--user", "approver2", "--password-stdin", *where, input="no\n")
    assert error_of(wrong)["code"] == "sign_in_needed"
    by_variable = command("approve", "prop_1", "--user", "approver", *where, TOUCHLINE_PASSWORD="approver-demo")
    assert error_of(by_variable)["code"] == "not_found"
    by_stdin = command("approve", "prop_1", "--user", "approver", "--password-stdin", *where, input="approver-demo\n")
    assert error_of(by_stdin)["code"] == "not_found"
    made_up = command("approve", "prop_1", *where, TOUCHLINE_TOKEN="tl_made_up")
    assert error_of(made_up)["code"] == "sign_in_needed"


def test_two_commands_at_once_take_turns(touchline, home: Home) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(2) as pool:
        done = list(
            pool.map(lambda _: touchline("segment", "count", "everyone", "--home", str(home.root), "--json"), range(2))
        )
    assert [d.returncode for d in done] == [0, 0], done[0].stderr + done[1].stderr


def test_a_demo_bank_is_built_once(command, tmp_path: Path) -> None:
    where = ("--home", str(tmp_path / "home"))
    built = command("demo-bank", "--customers", "600", *where, "--json")
    assert built.returncode == 0, built.stderr
    assert json.loads(built.stdout)["customers"] == 600
    again = command("demo-bank", "--customers", "600", *where, "--json")
    assert error_of(again)["code"]
    assert "--force" in str(error_of(again)["fix"])
