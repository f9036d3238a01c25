"""The semantics of docs/throttle.md, row by row: what was, who asks, when; and what the throttle must answer.

A table (golden/*.yaml) has a purpose, a zone, a piece of policy and rows. Times are the bank's. A row is
  it     what it shows
  at     the instant of the decision
  had    earlier touches: `sms 2026-11-11 09:00 customer=2 category=service status=failed campaign=c`; one that is
         `queued` or `reserved`, or marked `unsent`, has been decided then and has not left
  asks   candidates: `sms customer=2 category=service priority=60 campaign=c node=n product=2 expires=2026-11-20T09:00`
  gives  one answer for each: `send`, `abandon RULE`, `defer RULE 2026-11-19 09:00`; or how many of each there are
  policy, data   what differs from the table for this row
Each row runs in a transaction that is rolled back, on a bank where everybody may otherwise be touched.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest

from tests.support.candidates import Candidate, put
from tests.support.small_bank import SmallBank, copied, open_small_bank
from tools.throttle import ThrottlePolicy, decide
from warehouse import plain_yaml
from warehouse.clock import naive_utc, to_utc

TABLES = sorted((Path(__file__).parent / "golden").glob("*.yaml"))
BASE: dict[str, Any] = {"caps": [], "quiet_hours": [], "contact": {}}
UNSENT = ("queued", "reserved")
Banks = Callable[[str], SmallBank]


def rows() -> Iterator[Any]:
    for path in TABLES:
        table = plain_yaml.load(path.read_text("utf-8"))
        assert table["purpose"], path.name
        for number, row in enumerate(table["rows"], start=1):
            yield pytest.param(table, row, id=f"{path.stem}-{number}-{re.sub(r'[^a-z0-9]+', '-', row['it'].lower())}")


class Undo(Exception):
    """Ends a transaction without a trace."""


@pytest.fixture(scope="module")
def banks(small_master: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Banks]:
    """A bank per zone, opened when the first row needs it."""
    opened: dict[str, Any] = {}
    made: dict[str, SmallBank] = {}

    def bank(zone: str) -> SmallBank:
        if zone not in made:
            home = copied(small_master, tmp_path_factory.mktemp("golden") / "home")
            opened[zone] = open_small_bank(home)
            made[zone] = opened[zone].__enter__()
            made[zone].run("UPDATE meta SET value = ? WHERE key = 'zone'", zone)
        return made[zone]

    yield bank
    for context in opened.values():
        context.__exit__(None, None, None)


@pytest.mark.parametrize(("table", "row"), list(rows()))
def test_golden(banks: Banks, table: dict[str, Any], row: dict[str, Any]) -> None:
    zone = ZoneInfo(table.get("zone", "Asia/Shanghai"))
    policy = ThrottlePolicy.model_validate({**BASE, **table.get("policy", {}), **row.get("policy", {})})
    asked = [_candidate(text, zone) for text in row["asks"]]
    bank = banks(str(zone))
    answers: list[str] = []
    with suppress(Undo), bank.warehouse.writer() as con:
        _arrange(con, row, zone)
        decided = decide(
            con, put(con, asked), _instant(row["at"], zone), policy, bank.segments, limits=row.get("limits")
        )
        told = con.execute(f"SELECT touch_id, decision, rule, until FROM {decided}").fetchall()
        assert len(told) == len(asked)
        found = {touch: answer for touch, *answer in told}
        answers = [_told(*found[c.touch_id], zone) for c in asked]
        raise Undo
    expected = row["gives"]
    if isinstance(expected, dict):
        assert Counter(answers) == expected, row["it"]
    else:
        assert answers == expected, row["it"]


def _told(decision: str, rule: str, until: datetime | None, zone: ZoneInfo) -> str:
    if decision == "send":
        assert (rule, until) == ("allowed", None)
        return "send"
    if until is None:
        return f"{decision} {rule}"
    local = until.replace(tzinfo=ZoneInfo("UTC")).astimezone(zone)
    return f"{decision} {rule} {local:%Y-%m-%d %H:%M}{f':{local:%S}' if local.second else ''}"


def _instant(value: object, zone: ZoneInfo) -> datetime:
    text = value.isoformat() if isinstance(value, date) else str(value)
    return to_utc(datetime.fromisoformat(text.replace(" ", "T", 1)), zone)


_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?([+-]\d\d:\d\d)?")


def _words(text: str) -> tuple[str, str, dict[str, str]]:
    """First word, the moment if there is one, and the key=value pairs of a line."""
    pairs = dict(word.split("=", 1) for word in text.split() if "=" in word)
    rest = " ".join(word for word in text.split() if "=" not in word)
    moment = _MOMENT.search(rest)
    flags = rest.split()[1:] if not moment else rest.replace(moment[0], "").split()[1:]
    return text.split()[0], moment[0] if moment else "", {**pairs, **dict.fromkeys(flags, "yes")}


def _candidate(text: str, zone: ZoneInfo) -> Candidate:
    channel, _, more = _words(text)
    expires = more.get("expires")
    return Candidate(
        int(more.get("customer", 1)),
        channel,
        more.get("category", "marketing"),
        int(more.get("priority", 50)),
        more.get("campaign", "new"),
        more.get("node", "touch_1"),
        int(more["product"]) if "product" in more else None,
        naive_utc(_instant(expires, zone)) if expires else None,
    )


def _arrange(con: duckdb.DuckDBPyConnection, row: dict[str, Any], zone: ZoneInfo) -> None:
    for number, text in enumerate(row.get("had", [])):
        channel, moment, more = _words(text)
        at = naive_utc(_instant(moment, zone))
        status: str | None = more.get("status", "sent")
        unsent = status in UNSENT or "unsent" in more
        con.execute(
            """INSERT INTO touches (touch_id, campaign_id, customer_id, channel, category, status, decided_at, sent_at)
               VALUES (?, ?, ?, ?, ?, ?, ?, ?)""",
            [f"old{number}", more.get("campaign", "old"), int(more.get("customer", 1)), channel,
             more.get("category", "marketing"), None if status == "none" else status, at, None if unsent else at],
        )  # fmt: skip
    for table, changes in row.get("data", {}).items():
        for values in changes:
            _change(con, table, {k: _value(v, zone) for k, v in values.items()})


def _value(value: object, zone: ZoneInfo) -> object:
    if isinstance(value, datetime) or (isinstance(value, str) and _MOMENT.fullmatch(value)):
        return naive_utc(_instant(value, zone))
    return value


_KEYS = {"customers": ("customer_id",), "products": ("product_id",), "consents": ("customer_id", "channel", "purpose")}
"""Tables whose rows a data line replaces or changes; to the others it adds."""


def _change(con: duckdb.DuckDBPyConnection, table: str, values: dict[str, object]) -> None:
    keys = _KEYS.get(table, ())
    where = " AND ".join(f"{key} = ?" for key in keys)
    if keys and con.execute(f"SELECT count(*) FROM {table} WHERE {where}", [values[k] for k in keys]).fetchall()[0][0]:
        changed = {k: v for k, v in values.items() if k not in keys}
        settings = ", ".join(f"{name} = ?" for name in changed)
        con.execute(f"UPDATE {table} SET {settings} WHERE {where}", [*changed.values(), *(values[k] for k in keys)])
        return
    marks = ", ".join("?" for _ in values)
    con.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", list(values.values()))


def test_there_are_enough_toldand_each_tells_what_it_shows() -> None:
    every = [row for path in TABLES for row in plain_yaml.load(path.read_text("utf-8"))["rows"]]
    assert len(every) >= 100
    assert len({row["it"] for row in every}) == len(every)
