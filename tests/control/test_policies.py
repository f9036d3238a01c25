"""Versions of policies: kept by digest, signed by a person or the file, in the audit chain, on both databases."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from control.authority import Authority, Refused, Tampered
from control.records import digest
from tests.control.conftest import Time
from warehouse.errors import NotFound

FIRST, SECOND = {"caps": [{"name": "day", "max": 2}]}, {"caps": [{"name": "day", "max": 1}]}


def signed_in(authority: Authority, name: str):  # type: ignore[no-untyped-def]
    return authority.authenticate(authority.sign_in(name, f"{name}-demo"))


def test_a_document_is_picked_up_once_and_every_change_of_it_becomes_a_version(
    authority: Authority, time: Time
) -> None:
    policies = authority.policies
    assert [policies.pick_up("throttle", FIRST), policies.pick_up("throttle", dict(FIRST))] == [1, 1]
    began = policies.history("throttle")[0].since
    time.pass_(hours=1)
    assert policies.pick_up("throttle", SECOND) == 2
    time.pass_(hours=1)
    assert policies.pick_up("throttle", FIRST) == 3, "an old document in force again is a version of its own"
    newest, second, first = policies.history("throttle")
    assert (first.document, first.digest, first.since) == (FIRST, digest(FIRST), began)
    assert (first.until, second.until, newest.until) == (second.since, newest.since, None)
    assert newest.digest == first.digest
    assert {v.account for v in (newest, second, first)} == {"system"}
    assert policies.history("approval") == []


def test_each_version_is_an_entry_of_the_audit_chain(authority: Authority) -> None:
    authority.policies.pick_up("throttle", FIRST)
    authority.policies.pick_up("throttle", SECOND)
    entries = [e for e in authority.audit.entries(limit=1000) if e.kind == "policy.in_force"]
    assert [(e.body["version"], e.body["digest"], e.body["before"]) for e in entries] == [
        (1, digest(FIRST), ""),
        (2, digest(SECOND), digest(FIRST)),
    ]
    assert authority.audit.verify().ok


def test_an_administrator_vouches_with_a_note_and_nobody_else_may(authority: Authority) -> None:
    policies, admin = authority.policies, signed_in(authority, "admin")
    policies.pick_up("throttle", FIRST)
    for name in ("operator", "approver"):
        with pytest.raises(Exception, match=r"may not|scope|admin"):
            policies.put_in_force("throttle", FIRST, signed_in(authority, name), "because")
    with pytest.raises(Refused, match="what was changed"):
        policies.put_in_force("throttle", FIRST, admin, "  ")
    assert policies.put_in_force("throttle", FIRST, admin, "as agreed in the committee") == 1
    assert policies.put_in_force("throttle", SECOND, admin, "one a day") == 2
    with pytest.raises(Refused, match="in force already"):
        policies.put_in_force("throttle", SECOND, admin, "again")
    assert [(v.n, v.person, v.note) for v in policies.history("throttle")] == [
        (2, "admin", "one a day"),
        (1, "admin", "as agreed in the committee"),
    ]
    kinds = [e.kind for e in authority.audit.entries(limit=1000) if e.kind.startswith("policy.")]
    assert kinds == ["policy.in_force", "policy.vouched", "policy.in_force"]


def test_a_version_is_found_by_number_or_digest_and_by_the_time_it_held(authority: Authority, time: Time) -> None:
    policies = authority.policies
    policies.pick_up("throttle", FIRST)
    time.pass_(hours=1)
    policies.pick_up("throttle", SECOND)
    newest, first = policies.history("throttle")
    assert policies.version("throttle", "1").document == FIRST
    assert policies.version("throttle", "v2").document == SECOND
    assert policies.version("throttle", digest(SECOND)[:17]).n == 2
    with pytest.raises(NotFound, match="no version '7'") as missing:
        policies.version("throttle", "7")
    assert "1, 2" in missing.value.fix
    assert policies.at("throttle", first.since - timedelta(seconds=1)) is None
    assert policies.at("throttle", first.since) == first
    assert policies.at("throttle", newest.since - timedelta(seconds=1)) == first
    assert policies.at("throttle", newest.since + timedelta(days=1)) == newest


def test_a_document_changed_in_the_database_is_noticed(authority: Authority) -> None:
    authority.policies.pick_up("throttle", FIRST)
    with authority.audit.database.write() as session:
        session.execute(sa.text("UPDATE policy_documents SET document = replace(document, '2', '9')"))
    with pytest.raises(Tampered, match="not what its digest says"):
        authority.policies.history("throttle")
