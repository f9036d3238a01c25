"""Changing, dropping, cutting off or rewriting audit entries shows; a crash between commit and signature does not."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from control.authority import Authority
from control.authority.audit import GENESIS, entry_hash
from control.authority.tables import AuditRow
from control.records import Actor, Records
from warehouse.errors import AdminFixes

ACTOR = Actor(account="operator", person="operator")


@pytest.fixture
def chain(authority: Authority) -> Authority:
    for n in range(6):
        authority.audit.append("tested", ACTOR, {"n": n})
    assert authority.audit.verify().ok
    return authority


def tamper(records: Records, change: Callable[[Session], None]) -> None:
    with records.database.write() as session:
        change(session)


def rehash(session: Session) -> None:
    previous = GENESIS
    for row in session.scalars(sa.select(AuditRow).order_by(AuditRow.seq)):
        row.prev = previous
        previous = row.hash = entry_hash(row)


def test_a_changed_entry_is_named(chain: Authority, records: Records) -> None:
    def change(session: Session) -> None:
        session.get_one(AuditRow, 8).body = '{"n":99}'

    tamper(records, change)
    report = chain.audit.verify()
    assert (report.ok, report.broken_at) == (False, 8)


def test_a_dropped_entry_is_named(chain: Authority, records: Records) -> None:
    tamper(records, lambda s: s.delete(s.get_one(AuditRow, 7)))
    assert chain.audit.verify().broken_at == 7


@pytest.mark.parametrize("cut", [1, 3, 11])
def test_a_truncated_chain_is_noticed(chain: Authority, records: Records, cut: int) -> None:
    last = chain.audit.entries()[-1].seq
    assert last == 11
    tamper(records, lambda s: s.execute(sa.delete(AuditRow).where(AuditRow.seq > last - cut)) and None)
    report = chain.audit.verify()
    assert (report.ok, report.broken_at) == (False, last - cut + 1)
    with pytest.raises(AdminFixes):
        chain.audit.append("tested", ACTOR, {})


def test_a_wholesale_rewrite_is_noticed(chain: Authority, records: Records) -> None:
    def rewrite(session: Session) -> None:
        session.get_one(AuditRow, 8).body = '{"n":99}'
        session.flush()
        rehash(session)

    tamper(records, rewrite)
    report = chain.audit.verify()
    assert not report.ok
    assert "rewritten" in report.problem


def test_entries_added_without_the_key_are_noticed(chain: Authority, records: Records, authority: Authority) -> None:
    def add(session: Session) -> None:
        last = session.get_one(AuditRow, 11)
        row = AuditRow(
            seq=12, happened_at=last.happened_at, kind="decision.approve", subject="", account="x", person="x",
            body="{}", prev=last.hash,
        )  # fmt: skip
        row.hash = entry_hash(row)
        session.add(row)

    tamper(records, add)
    assert chain.audit.verify().broken_at == 12


def test_a_forged_or_missing_head_is_noticed(chain: Authority, tmp_path: Path) -> None:
    head = tmp_path / "audit-head.json"
    text = head.read_text()
    head.write_text(text.replace("[11,", "[10,"))
    assert not chain.audit.verify().ok
    head.unlink()
    assert not chain.audit.verify().ok
    head.write_text(text)
    assert chain.audit.verify().ok


def test_a_crash_between_commit_and_signature_leaves_a_good_chain(
    chain: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = chain.audit._sign, []

    def crash_second(heads: list[tuple[int, str]]) -> None:
        calls.append(heads)
        if len(calls) == 2:
            raise KeyboardInterrupt
        real(heads)

    monkeypatch.setattr(chain.audit, "_sign", crash_second)
    with pytest.raises(KeyboardInterrupt):
        chain.audit.append("tested", ACTOR, {"n": 6})
    monkeypatch.undo()
    assert chain.audit.verify().entries == 12
    assert chain.audit.verify().ok
    chain.audit.append("tested", ACTOR, {"n": 7})
    assert chain.audit.verify().ok


def test_writers_at_once_leave_one_chain_with_its_last_entry_signed(authority: Authority) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: authority.audit.append("tested", ACTOR, {"n": n}), range(40)))
    report = authority.audit.verify()
    assert (report.ok, report.entries) == (True, 45)
