"""The audit chain: every entry hashes the one before it, and the head is signed in a file outside the database.

Whoever can write the database but has not the key can neither change, drop nor rewrite entries unseen: a changed
entry breaks its own hash, a rewritten chain ends in another head, a truncated one ends before the signed head.
Before a transaction commits, the file names both the head that stands and the one that will; afterwards only the
new one. A crash in between therefore leaves a chain that verifies, and the next append settles it.
"""

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from control.authority.tables import AuditRow
from control.records import Actor, Database, canonical
from control.records import tables as t
from warehouse.clock import Clock
from warehouse.errors import AdminFixes
from warehouse.home import write_atomically

GENESIS = "0" * 64
_AUDIT_LOCK = 7_305_222
"""Any number that nobody else in the database uses for pg_advisory_xact_lock."""

Head = tuple[int, str]
"""Sequence number and hash of the last entry; (0, GENESIS) for an empty chain."""


class AuditReport(BaseModel):
    """What a verification found; `broken_at` is the first entry that does not fit, None where the chain is whole."""

    model_config = ConfigDict(frozen=True)

    ok: bool
    entries: int
    broken_at: int | None = None
    problem: str = ""


class AuditEntry(BaseModel):
    model_config = ConfigDict(frozen=True)

    seq: int
    at: str
    kind: str
    account: str
    person: str
    body: dict[str, Any]


class Audit:
    """The audit chain of one control plane.

    Args:
        key: the HMAC key, kept outside the database.
        head_file: where the signed head is kept.
    """

    def __init__(self, database: Database, clock: Clock, key: bytes, head_file: Path) -> None:
        self.database = database
        self.clock = clock
        self.head_file = head_file
        self._key = key

    @contextmanager
    def transaction(self) -> Iterator["Writing"]:
        """A write transaction of the control plane that appends to the chain; changes of proposals' status made in it,
        or by `control.records` before it, are appended at its end."""
        with self._locked() as session:
            writing = Writing(session, self.clock, self._last(session))
            writing.anchor_moves()
            yield writing
            writing.anchor_moves()
            session.flush()
            if writing.head != writing.start:
                self._sign([writing.start, writing.head])
        if writing.head != writing.start:
            # Under the lock again, and whatever the last entry is by now: another writer may have been quicker.
            with self._locked() as session:
                self._sign([self._last(session)])

    @contextmanager
    def _locked(self) -> Iterator[Session]:
        """A write transaction that no other writer of the chain overlaps."""
        with self.database.write() as session:
            if not self.database.is_sqlite:
                session.execute(sa.text("SELECT pg_advisory_xact_lock(:n)"), {"n": _AUDIT_LOCK})
            yield session

    def append(self, kind: str, actor: Actor, body: Mapping[str, Any]) -> int:
        """Append one entry; the answer is its sequence number."""
        with self.transaction() as writing:
            return writing.append(kind, actor, body)

    def entries(self, after: int = 0, limit: int = 200) -> list[AuditEntry]:
        """Entries behind a sequence number, the oldest first."""
        query = sa.select(AuditRow).where(AuditRow.seq > after).order_by(AuditRow.seq).limit(limit)
        with self.database.read() as session:
            return [
                AuditEntry(
                    seq=r.seq,
                    at=r.happened_at,
                    kind=r.kind,
                    account=r.account,
                    person=r.person,
                    body=json.loads(r.body),
                )
                for r in session.scalars(query)
            ]

    def verify(self) -> AuditReport:
        """Walk the whole chain and compare its end with the signed head."""
        # The head is read before and after the walk: an append in between moves it.
        before = self._signed()
        with self.database.read() as session:
            previous, count = GENESIS, 0
            for row in session.scalars(sa.select(AuditRow).order_by(AuditRow.seq).execution_options(yield_per=1000)):
                count += 1
                if row.seq != count:
                    return AuditReport(ok=False, entries=count, broken_at=count, problem=f"Entry {count} is missing.")
                if row.prev != previous:
                    problem = f"Entry {count} does not follow the one before it."
                    return AuditReport(ok=False, entries=count, broken_at=count, problem=problem)
                if row.hash != entry_hash(row):
                    problem = f"Entry {count} was changed after it was written."
                    return AuditReport(ok=False, entries=count, broken_at=count, problem=problem)
                previous = row.hash
            anchored = session.scalar(sa.select(sa.func.count()).where(t.ProposalMove.anchored.is_(True))) or 0
        after = self._signed()
        signed = None if before is None and after is None else [*(before or []), *(after or [])]
        if not signed:
            if count == 0 and signed is None and not anchored:
                return AuditReport(ok=True, entries=0)
            return AuditReport(
                ok=False,
                entries=count,
                broken_at=count,
                problem="The signed head is missing, or its signature is wrong.",
            )
        if (count, previous) in signed:
            return AuditReport(ok=True, entries=count)
        newest = max(seq for seq, _ in signed)
        if count < newest:
            problem = f"The chain ends at entry {count}, the signed head at {newest}: entries were cut off."
            return AuditReport(ok=False, entries=count, broken_at=count + 1, problem=problem)
        if count > newest:
            problem = f"Entries behind {newest} were added without the key."
            return AuditReport(ok=False, entries=count, broken_at=newest + 1, problem=problem)
        problem = "The chain is not the one that was signed: it was rewritten."
        return AuditReport(ok=False, entries=count, broken_at=count, problem=problem)

    def _last(self, session: Session) -> Head:
        row = session.scalars(sa.select(AuditRow).order_by(AuditRow.seq.desc()).limit(1)).first()
        head = (row.seq, row.hash) if row else (0, GENESIS)
        signed = self._signed()
        # Signing on top of a chain that is not the signed one would make its forgery good.
        if (signed is None and head[0] > 0) or (signed is not None and head not in signed):
            raise AdminFixes(
                "The audit chain does not end in its signed head; nothing is decided or sent on top of it.",
                "Run `touchline verify-audit`, and restore the control plane and its head file from the same backup.",
            )
        return head

    def _sign(self, heads: list[Head]) -> None:
        document = {"heads": [list(h) for h in heads]}
        write_atomically(self.head_file, json.dumps({**document, "hmac": self._mac(document)}))

    def _signed(self) -> list[Head] | None:
        try:
            document = json.loads(self.head_file.read_text())
            heads = [(int(seq), str(hash_)) for seq, hash_ in document["heads"]]
            signature = str(document["hmac"])
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            return []
        body = {"heads": [list(h) for h in heads]}
        return heads if hmac.compare_digest(signature, self._mac(body)) else []

    def _mac(self, document: Mapping[str, Any]) -> str:
        return hmac.new(self._key, canonical(document), hashlib.sha256).hexdigest()


class Writing:
    """An open transaction that appends to the chain."""

    def __init__(self, session: Session, clock: Clock, head: Head) -> None:
        self.session = session
        self.start = self.head = head
        self.now = clock.now()

    def append(self, kind: str, actor: Actor, body: Mapping[str, Any]) -> int:
        row = AuditRow(
            seq=self.head[0] + 1,
            happened_at=self.now.isoformat(),
            kind=kind,
            subject=str(body.get("proposal", "")),
            account=actor.account,
            person=actor.person,
            body=canonical(dict(body)).decode(),
            prev=self.head[1],
        )
        row.hash = entry_hash(row)
        self.session.add(row)
        self.head = (row.seq, row.hash)
        return row.seq

    def anchor_moves(self) -> None:
        """Append the changes of status that the chain does not hold yet."""
        self.session.flush()
        moves = self.session.execute(
            sa.select(t.ProposalMove, t.Proposal.digest)
            .join(t.Proposal, t.Proposal.n == t.ProposalMove.proposal)
            .where(t.ProposalMove.anchored.is_(False))
            .order_by(t.ProposalMove.n)
        )
        for move, digest in moves.all():
            body = {
                "proposal": f"prop_{move.proposal}", "digest": digest, "before": move.before, "after": move.after,
                "why": move.why, "moved_at": move.moved_at.isoformat(),
            }  # fmt: skip
            actor = Actor(account=move.account, person=move.person)
            self.append("proposal.submitted" if not move.before else f"proposal.{move.after}", actor, body)
            move.anchored = True


def entry_hash(row: AuditRow) -> str:
    """SHA-256 over the canonical JSON of everything in an entry but its hash."""
    entry = {
        "seq": row.seq, "at": row.happened_at, "kind": row.kind, "subject": row.subject, "account": row.account, "person": row.person,
        "body": row.body, "prev": row.prev,
    }  # fmt: skip
    return hashlib.sha256(canonical(entry)).hexdigest()
