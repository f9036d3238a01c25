"""Handing queued touches over to their channel, batch by batch, the release's state re-read before each."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa

from control.authority import Authority
from delivery.channels import Batch, FileChannel, HandedOver, Message
from delivery.release import Release
from delivery.vault import Contact, Vault
from tools.canvas.wording import language_of
from tools.proposal import Words
from warehouse.clock import naive_utc
from warehouse.errors import AdminFixes
from warehouse.store import Warehouse

GROUP = 50
"""Batches whose hand-over is recorded in one warehouse commit; files that left before it are recognised after a crash."""


@dataclass(frozen=True)
class Queued:
    touch_id: str
    customer_id: int
    node_id: str
    arm: str
    category: str


@dataclass(frozen=True)
class Done:
    batch: Batch
    left: HandedOver
    failed: tuple[str, ...]


class HandOver:
    def __init__(self, warehouse: Warehouse, authority: Authority, vault: Vault, channel: FileChannel) -> None:
        self._warehouse = warehouse
        self._authority = authority
        self._vault = vault
        self._channel = channel

    def run(self, release: Release, now: Callable[[], datetime]) -> tuple[int, int]:
        """Hand over what is queued of a release as long as it may send; returns how many left and failed."""
        handed = failed = 0
        waiting: list[Done] = []
        for batch in self._batches(release.id, release.digest):
            if not self._authority.release_state(release.id, thorough=False).may_send:
                break
            done = self._one(release, batch)
            handed, failed = handed + len(done.left.keys), failed + len(done.failed)
            waiting.append(done)
            if len(waiting) == GROUP:
                self._mark(release.id, waiting, now())
                waiting = []
        if waiting:
            self._mark(release.id, waiting, now())
        self.write_manifest(release)
        return handed, failed

    def cancel(self, release_id: str, digest: str, now: datetime) -> int:
        """Cancel what is queued of a release that was stopped. What left before a crash could record it is recorded
        first: it did leave. Returns how many were cancelled."""
        found = [
            self._recognised(batch, left)
            for batch in self._batches(release_id, digest)
            if (left := self._channel.already(batch)) is not None
        ]
        if found:
            self._mark(release_id, found, now)
        with self._warehouse.writer() as con:
            n = con.execute(
                "UPDATE outbox SET state = 'cancelled' WHERE release_id = ? AND state = 'queued'", [release_id]
            ).fetchall()[0][0]
            con.execute(
                "UPDATE touches SET status = 'cancelled' WHERE campaign_id = ? AND status = 'queued'", [release_id]
            )
            con.execute(
                "UPDATE enrolments SET state = 'done', left_at = ?, due_at = NULL WHERE journey_id = ? AND state = 'active'",
                [naive_utc(now), release_id],
            )
            con.execute(
                "UPDATE campaigns SET ended_at = ? WHERE campaign_id = ? AND ended_at IS NULL",
                [naive_utc(now), release_id],
            )
        return int(n)

    def write_manifest(self, release: Release) -> None:
        rows = self._warehouse.read(
            """SELECT file, step, wave, channel, batch, sha256, handed AS rows, failed, first_key, last_key,
                      strftime(handed_at, '%Y-%m-%dT%H:%M:%SZ') AS handed_at
               FROM handovers WHERE release_id = ? ORDER BY handovers.handed_at, wave, channel, batch""",
            [release.id],
        ).dicts()
        payload = release.payload
        header = {
            "release": release.id,
            "campaign": release.id,
            "name": payload.canvas.name,
            "digest": release.digest,
            "consent": payload.consent.basis,
            "key": "The field `key` of a row is its idempotency key: drop a row whose key you have seen.",
            "rows": sum(int(row["rows"]) for row in rows),
            "failed": sum(int(row["failed"]) for row in rows),
        }
        if rows:
            self._channel.write_manifest(release.id, header, rows)

    def _batches(self, release_id: str, digest: str) -> Iterator[Batch]:
        rows = self._warehouse.read(
            """SELECT DISTINCT step, wave, channel, batch FROM outbox WHERE release_id = ? AND state = 'queued'
               ORDER BY wave, channel, batch""",
            [release_id],
        ).rows
        for step, wave, channel, number in rows:
            yield Batch(release_id, digest, str(step), int(wave), str(channel), int(number))

    def _queued(self, batch: Batch) -> list[Queued]:
        rows = self._warehouse.read(
            """SELECT touch_id, customer_id, node_id, arm, category FROM outbox
               WHERE release_id = ? AND step = ? AND wave = ? AND channel = ? AND batch = ? AND state = 'queued'
               ORDER BY touch_id""",
            [batch.release, batch.step, batch.wave, batch.channel, batch.number],
        ).rows
        return [Queued(*row) for row in rows]

    def _one(self, release: Release, batch: Batch) -> Done:
        left = self._channel.already(batch)
        if left is not None:
            return self._recognised(batch, left)
        queued = self._queued(batch)
        contacts = self._vault.contacts([q.customer_id for q in queued])
        addressed = self._vault.keeps(batch.channel)
        facts = self._facts([q.customer_id for q in queued])
        words = {(w.node, w.arm): w for w in release.payload.words}
        messages, failed = [], []
        for q in queued:
            contact = contacts.get(q.customer_id, Contact())
            to = contact.address(batch.channel, q.customer_id)
            if not to and addressed:
                failed.append(q.touch_id)
                continue
            word = words[q.node_id, q.arm]
            body: dict[str, Any] = {
                "campaign": release.id,
                "wave": batch.wave,
                "channel": batch.channel,
                "category": q.category,
                "customer_id": q.customer_id,
                "to": to,
                "arm": q.arm,
                "text": fill(word, contact.name, facts.get(q.customer_id, {}), release.payload.bank),
                "consent": release.payload.consent.basis,
            }
            messages.append(Message(q.touch_id, body))
        return Done(batch, self._channel.hand_over(batch, messages), tuple(failed))

    def _recognised(self, batch: Batch, left: HandedOver) -> Done:
        keys = {q.touch_id for q in self._queued(batch)}
        if not set(left.keys) <= keys:
            raise AdminFixes(
                f"{batch.name} of {batch.release} holds touches that were never decided.",
                "Move the file away and look into who wrote it; then run the release again.",
            )
        return Done(batch, left, tuple(sorted(keys - set(left.keys))))

    def _mark(self, release_id: str, done: list[Done], now: datetime) -> None:
        keys = [key for d in done for key in d.left.keys]
        failed = [key for d in done for key in d.failed]
        moment = naive_utc(now)
        with self._warehouse.writer() as con:
            for d in done:
                b, sent = d.batch, d.left.keys
                con.execute(
                    "INSERT INTO handovers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    [b.release, b.step, b.wave, b.channel, b.number, d.left.file, d.left.sha256, len(sent), len(d.failed),
                     sent[0] if sent else None, sent[-1] if sent else None, moment],
                )  # fmt: skip
            for name, values, state, status in (
                ("left_keys", keys, "handed_over", "sent"),
                ("failed_keys", failed, "failed", "failed"),
            ):
                if not values:
                    continue
                con.register(name, pa.table({"touch_id": pa.array(values, pa.string())}))
                con.execute(
                    f"""UPDATE outbox SET state = $state, handed_at = $now FROM {name} k
                        WHERE outbox.touch_id = k.touch_id AND outbox.release_id = $release AND outbox.state = 'queued'""",
                    {"state": state, "now": moment, "release": release_id},
                )
                con.execute(
                    f"""UPDATE touches SET status = $status, sent_at = CASE WHEN $status = 'sent' THEN $now END,
                          rule = CASE WHEN $status = 'sent' THEN rule ELSE 'no_address' END
                        FROM {name} k
                        WHERE touches.touch_id = k.touch_id AND touches.campaign_id = $release AND touches.status = 'queued'""",
                    {"status": status, "now": moment, "release": release_id},
                )
                con.unregister(name)

    def _facts(self, customer_ids: list[int]) -> dict[int, dict[str, str]]:
        rows = self._warehouse.read(
            """SELECT c.customer_id, coalesce(c.city, ''), coalesce(s.name, '') FROM customers c
               LEFT JOIN staff s ON s.staff_id = c.manager_id WHERE c.customer_id IN (SELECT unnest(?::BIGINT[]))""",
            [customer_ids],
        ).rows
        return {int(i): {"city": city, "manager": manager} for i, city, manager in rows}


_NOBODY = {
    "zh": {"name": "客户", "manager": "您的客户经理", "city": ""},
    "en": {"name": "customer", "manager": "your manager", "city": ""},
}


_PLACEHOLDER = re.compile(r"\{(name|manager|city|bank|product)\}")


def fill(word: Words, name: str, facts: dict[str, str], bank: str) -> str:
    """A message with its placeholders filled; what is unknown of a customer becomes a polite general word.

    In one pass and on one line: what a customer is called can neither name another placeholder nor begin a line (which a
    gateway might read as a header) of the words that were approved.
    """
    general = _NOBODY[language_of(word.text)]
    values = {"name": name, "manager": facts.get("manager", ""), "city": facts.get("city", "")}
    values = {key: _one_line(value) for key, value in values.items()} | {"bank": bank, "product": word.product}
    return _PLACEHOLDER.sub(lambda found: values[found[1]] or general.get(found[1], ""), word.message)


def _one_line(value: str) -> str:
    printable = "".join(c if c.isprintable() else " " for c in value)
    return " ".join(printable.split())
