"""What a journey does to the world, as a protocol: the dry run has the one without effects, `delivery` the real one."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Protocol

import duckdb

from tools.segment import Segments
from tools.throttle import ThrottlePolicy, decide

CANDIDATE_COLUMNS: tuple[tuple[str, str], ...] = (
    ("customer_id", "BIGINT"),
    ("campaign_id", "VARCHAR"),
    ("node_id", "VARCHAR"),
    ("channel", "VARCHAR"),
    ("category", "VARCHAR"),
    ("priority", "INTEGER"),
    ("product_id", "INTEGER"),
    ("touch_id", "VARCHAR"),
    ("arm", "VARCHAR"),
    ("wave", "INTEGER"),
    ("expires_at", "TIMESTAMP"),
)
"""Columns of a candidates relation. `touch_id` is '{campaign_id}.{node_id}.{customer_id}': the idempotency key of the
touch, the same at every attempt. `arm` is the arm of the touch's wording; `wave` counts the canvas's touches in order,
from 1; `expires_at` is NULL until the candidate has been deferred once, then the instant after which it is abandoned."""


class Effects(Protocol):
    """Decides the touches that are due and does whatever sending them means.

    The engine calls `decide` once per round of a tick, with the due candidates of *all* touch nodes (and of all
    journeys that advance together) in one relation, so that they are arbitrated together. A tick has a second round only
    where a touch follows a touch without a delay. The engine writes nothing but its enrolments table.
    """

    def decide(
        self, con: duckdb.DuckDBPyConnection, candidates: str, instant: datetime, limits: Mapping[str, int]
    ) -> str:
        """Decide every candidate and carry the decision out.

        Args:
            con: the engine's connection: an overlay in a dry run; in delivery the cursor of `Warehouse.writer()`, so
                that decision, reservation, outbox and the engine's moves are one transaction.
            candidates: name of a relation with `CANDIDATE_COLUMNS`; `touch_id` is unique in it. Read it, never change it.
            instant: the tick, aware; every decision is taken as of it.
            limits: campaign_id → how many more touches that campaign may send (its max_touches less those sent). Pass it
                on to `tools.throttle.decide(..., limits=limits)`; beyond it candidates are abandoned by `max_touches`.

        Returns:
            Name of a TEMP table with the candidates' columns plus `decision` ('send' | 'defer' | 'abandon'), `rule` and
            `until` (naive UTC; set for 'defer', and then later than `instant`): what `tools.throttle.decide` answers.
            Exactly one row per candidate. The engine moves 'send' and 'abandon' on to the next node, keeps 'defer' at its
            node until `until`, and drops the table.
        """
        ...


class DryEffects:
    """Effects of a dry run: none. Touches that would have been sent go into a TEMP table that its own caps see.

    Args:
        con: the overlay to simulate in.
        history: relations of real touches that caps count, besides the simulated ones.

    `sent` (the columns of `touches`) and `decisions` (node_id, decision, rule, n) are TEMP tables readable afterwards.
    """

    sent = "dry_touches"
    decisions = "dry_decisions"

    def __init__(
        self,
        con: duckdb.DuckDBPyConnection,
        policy: ThrottlePolicy,
        segments: Segments,
        history: tuple[str, ...] = ("touches",),
    ) -> None:
        self._policy = policy
        self._segments = segments
        self._history = (*history, self.sent)
        con.execute(f"CREATE OR REPLACE TEMP TABLE {self.sent} AS FROM main.touches LIMIT 0")
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE {self.decisions} "
            "(campaign_id VARCHAR, node_id VARCHAR, decision VARCHAR, rule VARCHAR, decided_at TIMESTAMP, n BIGINT)"
        )

    def decide(
        self, con: duckdb.DuckDBPyConnection, candidates: str, instant: datetime, limits: Mapping[str, int]
    ) -> str:
        decided = decide(con, candidates, instant, self._policy, self._segments, self._history, limits=limits)
        moment = {"moment": instant.astimezone(UTC).replace(tzinfo=None)}
        con.execute(
            f"""INSERT INTO {self.sent} (touch_id, campaign_id, customer_id, node_id, arm, wave, channel, category, status,
                                         rule, decided_at, sent_at)
                SELECT touch_id, campaign_id, customer_id, node_id, arm, wave, channel, category, 'sent',
                       rule, $moment, $moment
                FROM {decided} WHERE decision = 'send'""",
            moment,
        )
        con.execute(
            f"""INSERT INTO {self.decisions}
                SELECT campaign_id, node_id, decision, rule, $moment, count(*) FROM {decided} GROUP BY ALL""",
            moment,
        )
        return decided
