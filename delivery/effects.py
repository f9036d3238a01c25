"""The real effects of a journey: decide and reserve in one, fill the outbox, keep every decision."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import duckdb

from delivery.channels import BATCH
from delivery.reservations import settle
from tools.canvas.tags import PREFIX, REAL_TAGS, TAG_HASH, Tagging, carried_sql, retag
from tools.segment import Segments
from tools.throttle import ThrottlePolicy, decide
from tools.throttle.sql import relation
from warehouse.clock import naive_utc
from warehouse.errors import DeveloperFixes
from warehouse.store import Warehouse


@dataclass(frozen=True)
class Slot:
    """The wave that a campaign's touches of this tick belong to."""

    step: str
    wave: int


@dataclass
class RealEffects:
    """`tools.canvas.Effects` for releases. Works only inside `Warehouse.writer()`: between a decision and the touches
    that reserve it nobody else may decide.

    Args:
        policy: as approved and as it is now, whichever is tighter.
        segments: compiles the contact rules; of the whole bank.
        slots: campaign_id → its wave.
    """

    policy: ThrottlePolicy
    segments: Segments
    slots: Mapping[str, Slot]
    counts: dict[str, dict[str, int]] = field(default_factory=dict)
    """campaign_id → 'send', 'defer', 'abandon' → how many, since the object was made."""

    def decide(
        self, con: duckdb.DuckDBPyConnection, candidates: str, instant: datetime, limits: Mapping[str, int]
    ) -> str:
        decided = decide(con, candidates, instant, self.policy, self.segments, limits=limits)
        self.carry_out(con, decided, instant)
        settle(con, decided, instant)
        return decided

    def note(self, con: duckdb.DuckDBPyConnection, decided: str, instant: datetime) -> None:
        self.carry_out(con, decided, instant)

    def tag(self, con: duckdb.DuckDBPyConnection, tagging: Tagging, customers: str, instant: datetime) -> None:
        retag(con, REAL_TAGS, tagging, customers, instant)
        publish(con, [tagging.name], instant)

    def carry_out(self, con: duckdb.DuckDBPyConnection, decided: str, instant: datetime) -> None:
        """Write touches, outbox and journal of decided candidates.

        Raises:
            DeveloperFixes: a touch is in the outbox already.
        """
        relation(decided)
        repeated = con.execute(
            f"""SELECT count(*) FROM {decided} d JOIN outbox o ON o.touch_id = d.touch_id AND o.release_id = d.campaign_id
                WHERE d.decision = 'send'"""
        ).fetchall()[0][0]
        if repeated:
            raise DeveloperFixes(f"{repeated} touches of this tick are in the outbox already.", "Nothing was written.")
        moment = naive_utc(instant)
        con.execute(
            f"""INSERT INTO touches (touch_id, campaign_id, customer_id, node_id, arm, wave, channel, category, status,
                                     rule, decided_at)
                SELECT touch_id, campaign_id, customer_id, node_id, arm, wave, channel, category, 'queued', rule, $moment
                FROM {decided} WHERE decision = 'send'""",
            {"moment": moment},
        )
        con.execute(
            f"""INSERT INTO decisions (touch_id, campaign_id, customer_id, node_id, channel, category, arm, wave, decision,
                                       rule, until, decided_at)
                SELECT touch_id, campaign_id, customer_id, node_id, channel, category, arm, wave, decision, rule, until,
                       $moment
                FROM {decided} WHERE decision <> 'send'""",
            {"moment": moment},
        )
        for campaign, slot in self.slots.items():
            self._queue(con, decided, campaign, slot, moment)
        for campaign, decision, n in con.execute(
            f"SELECT campaign_id, decision, count(*) FROM {decided} GROUP BY ALL"
        ).fetchall():
            mine = self.counts.setdefault(str(campaign), {})
            mine[str(decision)] = mine.get(str(decision), 0) + int(n)

    def _queue(self, con: duckdb.DuckDBPyConnection, decided: str, campaign: str, slot: Slot, moment: datetime) -> None:
        con.execute(
            f"""INSERT INTO outbox
                SELECT d.touch_id, d.campaign_id, $step, $wave, d.channel,
                       coalesce(b.last, 0) + 1 + (row_number() OVER (PARTITION BY d.channel ORDER BY d.touch_id) - 1) // {BATCH},
                       d.customer_id, d.node_id, d.arm, d.category, 'queued', $moment, NULL
                FROM {decided} d
                LEFT JOIN (SELECT channel, max(batch) AS last FROM outbox
                           WHERE release_id = $campaign AND step = $step AND wave = $wave GROUP BY 1) b
                  ON b.channel = d.channel
                WHERE d.decision = 'send' AND d.campaign_id = $campaign""",
            {"step": slot.step, "wave": slot.wave, "moment": moment, "campaign": campaign},
        )


def publish(con: duckdb.DuckDBPyConnection, names: Sequence[str], instant: datetime) -> None:
    """Make `in_list('tag:...')` read, for these tags, who carries them at an instant."""
    lists = [PREFIX + name for name in names]
    con.execute("DELETE FROM list_members WHERE sha256 = ? AND list_contains(?, name)", [TAG_HASH, lists])
    con.execute(
        f"""INSERT INTO list_members SELECT name, $hash, customer_id FROM ({carried_sql(REAL_TAGS, "$now")})
            WHERE list_contains($names, name)""",
        {"hash": TAG_HASH, "now": naive_utc(instant), "names": lists},
    )


def expire_tags(warehouse: Warehouse, now: datetime) -> None:
    """Take the tags whose time is out by an instant off the lists."""
    carried = carried_sql(REAL_TAGS, "$now")
    over = f"""SELECT DISTINCT name FROM list_members l WHERE sha256 = $hash
               AND NOT EXISTS (FROM ({carried}) c WHERE c.name = l.name AND c.customer_id = l.customer_id)"""
    names = [str(row[0]) for row in warehouse.read(over, {"hash": TAG_HASH, "now": naive_utc(now)}).rows]
    if names:
        with warehouse.writer() as con:
            publish(con, [name.removeprefix(PREFIX) for name in names], now)
