"""What a journey does to the world, as a protocol: the dry run has the one without effects, `delivery` the real one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

import duckdb

from tools.canvas.tags import REAL_TAGS, TAG_HASH, Tagging, carried_sql, retag, tags_ddl
from tools.segment import Segments
from tools.throttle import ThrottlePolicy, decide
from warehouse.clock import naive_utc

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
touch, the same at every attempt (with '.{entry_no}' where a customer enters again). `arm` is the arm of the touch's wording; `wave` counts the canvas's touches in order,
from 1; `expires_at` is NULL until the candidate has been deferred once, then the instant after which it is abandoned."""


class Effects(Protocol):
    """Decides the touches that are due and does whatever sending them means.

    The engine calls `decide` once per round of a tick, with the due candidates of *all* touch nodes (and of all
    journeys that advance together) in one relation, so that they are arbitrated together. A tick has a second round only
    where a touch follows a touch without a delay. The engine writes nothing but its enrolments table and its marks.
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

    def note(self, con: duckdb.DuckDBPyConnection, decided: str, instant: datetime) -> None:
        """Put on record what the canvas itself decided about candidates: deferrals to its next sending window.

        Args:
            decided: a relation as `decide` answers it.
        """
        ...

    def tag(self, con: duckdb.DuckDBPyConnection, tagging: Tagging, customers: str, instant: datetime) -> None:
        """Put a tag on customers, or take it off.

        Args:
            customers: relation with customer_id, each once.
        """
        ...


class DryEffects:
    """Effects of a dry run: none. Touches that would have been sent go into a TEMP table that its own caps see.

    Tags go into a TEMP table likewise, and in this overlay `in_list('tag:...')` reads it together with the tags that other
    canvases had really put on by the simulated instant (`at_instant`).

    Args:
        con: the overlay to simulate in.
        history: relations of real touches that caps count, besides the simulated ones.

    `sent` (the columns of `touches`) and `tags` (`tools.canvas.tags`) are TEMP tables readable afterwards.
    """

    sent = "dry_touches"
    tags = "dry_tags"

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
        con.execute(f"DROP TABLE IF EXISTS {self.tags}")
        con.execute(tags_ddl(self.tags, temporary=True))
        con.execute("CREATE OR REPLACE TEMP TABLE dry_clock (moment TIMESTAMP)")
        con.execute(f"CREATE OR REPLACE TEMP VIEW list_members AS {_lists_sql(con, self.tags)}")

    def at_instant(self, con: duckdb.DuckDBPyConnection, instant: datetime) -> None:
        """Move the simulated clock: whose tag has expired, and what others tag later, is seen as of it."""
        con.execute("DELETE FROM dry_clock")
        con.execute("INSERT INTO dry_clock VALUES (?)", [naive_utc(instant)])

    def decide(
        self, con: duckdb.DuckDBPyConnection, candidates: str, instant: datetime, limits: Mapping[str, int]
    ) -> str:
        decided = decide(con, candidates, instant, self._policy, self._segments, self._history, limits=limits)
        con.execute(
            f"""INSERT INTO {self.sent} (touch_id, campaign_id, customer_id, node_id, arm, wave, channel, category, status,
                                         rule, decided_at, sent_at)
                SELECT touch_id, campaign_id, customer_id, node_id, arm, wave, channel, category, 'sent',
                       rule, $moment, $moment
                FROM {decided} WHERE decision = 'send'""",
            {"moment": naive_utc(instant)},
        )
        return decided

    def note(self, con: duckdb.DuckDBPyConnection, decided: str, instant: datetime) -> None:
        """Nothing: the journey counts it."""

    def tag(self, con: duckdb.DuckDBPyConnection, tagging: Tagging, customers: str, instant: datetime) -> None:
        retag(con, self.tags, tagging, customers, instant)


def _lists_sql(con: duckdb.DuckDBPyConnection, tags: str) -> str:
    """The uploaded lists, and the tags carried at the simulated instant, as `list_members` has them."""
    clock = "(SELECT max(moment) FROM dry_clock)"
    parts = [f"SELECT name, '{TAG_HASH}' AS sha256, customer_id FROM ({carried_sql(tags, clock)})"]
    found = con.execute(
        """SELECT database_name, table_name FROM duckdb_tables() WHERE NOT temporary
             AND database_name = current_database() AND table_name IN ('list_members', ?)""",
        [REAL_TAGS],
    ).fetchall()
    for database, table in found:
        # Named in full: a view of the same name would otherwise mean itself.
        where = f'"{database}".main.{table}'
        if table == REAL_TAGS:
            parts.append(f"SELECT name, '{TAG_HASH}', customer_id FROM ({carried_sql(where, clock)})")
        else:
            parts.append(f"SELECT name, sha256, customer_id FROM {where} WHERE sha256 <> '{TAG_HASH}'")
    return " UNION ALL ".join(parts)
