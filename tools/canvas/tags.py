"""Tags that canvases put on customers: who carries which since when, as a history, so that a replay knows the past."""

from dataclasses import dataclass
from datetime import datetime

import duckdb

from tools.throttle.sql import relation
from warehouse.clock import naive_utc

PREFIX = "tag:"
"""`in_list('tag:<name>')` is how segments name a tag."""
REAL_TAGS = "canvas_tags"
"""The table of tags that releases write."""
TAG_HASH = "canvas"
"""What stands for a content hash in `list_members`, where the tags carried now are lists, too."""


@dataclass(frozen=True)
class Tagging:
    """What a tag node does to its customers: put the tag on until an instant (None: for good), or take it off."""

    journey_id: str
    name: str
    remove: bool = False
    until: datetime | None = None


def tags_ddl(name: str, *, temporary: bool = False) -> str:
    """The statement that makes a table of tags if it is not there."""
    return (
        f"CREATE {'TEMP ' if temporary else ''}TABLE IF NOT EXISTS {relation(name)} (journey_id VARCHAR NOT NULL, "
        "name VARCHAR NOT NULL, customer_id BIGINT NOT NULL, since TIMESTAMP NOT NULL, until TIMESTAMP)"
    )


def retag(con: duckdb.DuckDBPyConnection, table: str, tagging: Tagging, customers: str, instant: datetime) -> None:
    """Write a tagging into a table of tags: what a customer carried ends now, what is put on begins now.

    Args:
        customers: relation with customer_id.
    """
    moment = naive_utc(instant)
    con.execute(
        f"""UPDATE {relation(table)} SET until = $moment WHERE journey_id = $journey AND name = $name
              AND (until IS NULL OR until > $moment) AND customer_id IN (SELECT customer_id FROM {relation(customers)})""",
        {"moment": moment, "journey": tagging.journey_id, "name": tagging.name},
    )
    if not tagging.remove:
        con.execute(
            f"""INSERT INTO {relation(table)} SELECT $journey, $name, customer_id, $moment, $until
                FROM {relation(customers)}""",
            {
                "moment": moment,
                "journey": tagging.journey_id,
                "name": tagging.name,
                "until": naive_utc(tagging.until) if tagging.until else None,
            },
        )


def carried_sql(table: str, moment: str) -> str:
    """A SELECT of (name, customer_id) of the tags carried at an instant, given as SQL; names with the prefix of lists."""
    return (
        f"SELECT DISTINCT '{PREFIX}' || name AS name, customer_id FROM {table} "
        f"WHERE since <= {moment} AND (until IS NULL OR until > {moment})"
    )
