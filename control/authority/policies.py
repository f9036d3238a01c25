"""Versions of the bank's policies: every document that has been in force, by its digest, with who put it there and why.

The files in `policies/` remain what an administrator edits. Whoever loads one hands its document to `pick_up`; a document
that is not the newest version becomes the next one, with an entry in the audit chain. An administrator who says so
himself (`put_in_force`) signs it with his name and a note; otherwise the version says that it was read from the file.
"""

import json
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from control.authority import tables as a
from control.authority.audit import Audit, Writing
from control.authority.decisions import Refused, Tampered
from control.authority.people import People
from control.authority.roles import SYSTEM
from control.authority.sessions import Principal
from control.records import Actor, canonical, digest
from warehouse.errors import NotFound

FROM_FILE = "read from the file"


class PolicyVersion(BaseModel):
    """A version of a policy. `until` is when the next one came into force; None for the one that holds."""

    model_config = ConfigDict(frozen=True)

    name: str
    n: int
    digest: str
    document: dict[str, Any]
    account: str
    person: str
    note: str
    since: datetime
    until: datetime | None = None


class Policies:
    def __init__(self, audit: Audit, people: People) -> None:
        self._audit = audit
        self._people = people

    def pick_up(self, name: str, document: dict[str, Any]) -> int:
        """Note the document of a policy that was just loaded; a no-op for the one in force. Its version number."""
        named = digest(document)
        with self._audit.database.read() as session:
            newest = _newest(session, name)
            if newest is not None and newest.digest == named:
                return newest.n
        with self._audit.transaction() as writing:
            return self._next(writing, name, document, named, SYSTEM, FROM_FILE)

    def put_in_force(self, name: str, document: dict[str, Any], principal: Principal, note: str) -> int:
        """Put a version in force by name: a new one, or the one that was picked up from the file and nobody vouched for.

        Raises:
            Refused: he is no administrator, he gave no note, or somebody vouched for this document already.
        """
        if not note.strip():
            raise Refused("Say what was changed and why.", "Give a note.")
        named = digest(document)
        with self._audit.transaction() as writing:
            actor = self._people.check(writing.session, principal, "admin", writing.now)
            newest = _newest(writing.session, name)
            if newest is None or newest.digest != named:
                return self._next(writing, name, document, named, actor, note.strip())
            if newest.account != SYSTEM.account:
                raise Refused(
                    f"Version {newest.n} of {name} is in force already, by {newest.person}.",
                    f"Edit policies/{name}.yaml first.",
                )
            newest.account, newest.person, newest.note = actor.account, actor.person, note.strip()
            body = {"policy": name, "version": newest.n, "digest": named, "note": newest.note}
            writing.append("policy.vouched", actor, body)
            return newest.n

    def history(self, name: str) -> list[PolicyVersion]:
        """All versions, the newest first.

        Raises:
            Tampered: a stored document is not what its digest says.
        """
        query = sa.select(a.PolicyVersionRow).where(a.PolicyVersionRow.name == name).order_by(a.PolicyVersionRow.n)
        with self._audit.database.read() as session:
            rows = session.scalars(query).all()
            ends = [*(row.since for row in rows[1:]), None]
            found = [_version(session, row, until) for row, until in zip(rows, ends, strict=False)]
        return found[::-1]

    def version(self, name: str, ref: str) -> PolicyVersion:
        """A version by its number or the beginning of its digest; the newest that fits.

        Raises:
            NotFound: none fits; `fix` names those there are.
        """
        known = self.history(name)
        wanted = ref.strip().removeprefix("v")
        for version in known:
            plain = version.digest.removeprefix("sha256:")
            if str(version.n) == wanted or (len(wanted) >= 6 and plain.startswith(wanted.removeprefix("sha256:"))):
                return version
        there = ", ".join(str(v.n) for v in known[::-1]) or "none yet"
        raise NotFound(
            f"There is no version {ref!r} of the policy {name}.",
            f"Versions: {there}.",
            message_zh=f"规则 {name} 没有版本 {ref!r}。",
            fix_zh=f"已有版本：{there}。",
        )

    def at(self, name: str, instant: datetime) -> PolicyVersion | None:
        """The version in force at an instant; None where that is not on record."""
        return next((v for v in self.history(name) if v.since <= instant), None)

    def _next(self, writing: Writing, name: str, document: dict[str, Any], named: str, actor: Actor, note: str) -> int:
        session = writing.session
        newest = _newest(session, name)
        if newest is not None and newest.digest == named:
            return newest.n  # another process was quicker
        if session.get(a.PolicyDocument, named) is None:
            session.add(a.PolicyDocument(digest=named, document=canonical(document).decode()))
            session.flush()
        row = a.PolicyVersionRow(
            name=name, n=newest.n + 1 if newest else 1, digest=named, account=actor.account, person=actor.person,
            note=note, since=writing.now,
        )  # fmt: skip
        session.add(row)
        before = newest.digest if newest else ""
        body = {"policy": name, "version": row.n, "digest": named, "before": before, "note": note}
        writing.append("policy.in_force", actor, body)
        return row.n


def _newest(session: Session, name: str) -> a.PolicyVersionRow | None:
    query = sa.select(a.PolicyVersionRow).where(a.PolicyVersionRow.name == name)
    return session.scalars(query.order_by(a.PolicyVersionRow.n.desc()).limit(1)).first()


def _version(session: Session, row: a.PolicyVersionRow, until: datetime | None) -> PolicyVersion:
    document = json.loads(session.get_one(a.PolicyDocument, row.digest).document)
    if digest(document) != row.digest:
        raise Tampered(
            f"The stored document of version {row.n} of {row.name} is not what its digest says.",
            "Look into the audit trail, and restore the control plane from a backup.",
        )
    return PolicyVersion(
        name=row.name, n=row.n, digest=row.digest, document=document, account=row.account, person=row.person,
        note=row.note, since=row.since, until=until,
    )  # fmt: skip
