"""What delivery keeps in the warehouse, beside `touches`, `campaigns` and `assignments`.

A touch that is decided to be sent is a row of `touches` from that moment, with status 'queued': it is the reservation
that caps count. Everything else that was decided (hold-out, defer, abandon) is a row of `decisions`.
"""

import duckdb

from tools.canvas import ENROLMENT_COLUMNS, enrolments_ddl, marks_ddl
from tools.canvas.tags import REAL_TAGS, tags_ddl
from tools.throttle.caps import STANDING

ENROLMENTS = "enrolments"
DDL = (
    enrolments_ddl(ENROLMENTS),
    marks_ddl(ENROLMENTS),
    tags_ddl(REAL_TAGS),
    "CREATE TABLE IF NOT EXISTS list_members (name VARCHAR, sha256 VARCHAR, customer_id BIGINT)",
    """CREATE TABLE IF NOT EXISTS decisions (touch_id VARCHAR NOT NULL, campaign_id VARCHAR NOT NULL,
         customer_id BIGINT NOT NULL, node_id VARCHAR, channel VARCHAR, category VARCHAR, arm VARCHAR, wave INTEGER,
         decision VARCHAR NOT NULL, rule VARCHAR NOT NULL, until TIMESTAMP, decided_at TIMESTAMP NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS outbox (touch_id VARCHAR NOT NULL, release_id VARCHAR NOT NULL, step VARCHAR NOT NULL,
         wave INTEGER NOT NULL, channel VARCHAR NOT NULL, batch INTEGER NOT NULL, customer_id BIGINT NOT NULL,
         node_id VARCHAR NOT NULL, arm VARCHAR NOT NULL, category VARCHAR NOT NULL, state VARCHAR NOT NULL,
         queued_at TIMESTAMP NOT NULL, handed_at TIMESTAMP)""",
    """CREATE TABLE IF NOT EXISTS wave_markers (release_id VARCHAR, step VARCHAR, wave INTEGER, marked_at TIMESTAMP,
         counts JSON, PRIMARY KEY (release_id, step, wave))""",
    """CREATE TABLE IF NOT EXISTS release_steps (release_id VARCHAR, step VARCHAR, opened_at TIMESTAMP, entered BIGINT,
         PRIMARY KEY (release_id, step))""",
    """CREATE TABLE IF NOT EXISTS handovers (release_id VARCHAR, step VARCHAR, wave INTEGER, channel VARCHAR, batch INTEGER,
         file VARCHAR, sha256 VARCHAR, handed BIGINT, failed BIGINT, first_key VARCHAR, last_key VARCHAR,
         handed_at TIMESTAMP, PRIMARY KEY (release_id, step, wave, channel, batch))""",
    """CREATE TABLE IF NOT EXISTS reservations (touch_id VARCHAR NOT NULL, campaign_id VARCHAR NOT NULL,
         customer_id BIGINT NOT NULL, node_id VARCHAR NOT NULL, channel VARCHAR NOT NULL, category VARCHAR NOT NULL,
         planned_at TIMESTAMP NOT NULL, made_at TIMESTAMP NOT NULL, state VARCHAR NOT NULL, ended_at TIMESTAMP)""",
    f"""CREATE VIEW IF NOT EXISTS {STANDING} AS SELECT touch_id, campaign_id, customer_id, channel, category, planned_at,
         made_at FROM reservations WHERE state = 'standing'""",
    "CREATE TABLE IF NOT EXISTS plans (made_at TIMESTAMP NOT NULL, until TIMESTAMP NOT NULL, report JSON NOT NULL)",
)
"""`reservations.state`: 'standing', 'used' (its touch was sent), 'released' (its campaign, journey or a later plan let it
go), 'expired'. `outbox.state`: 'queued', 'handed_over', 'failed' (no address), 'cancelled' (the release was stopped before it left)."""


def make(con: duckdb.DuckDBPyConnection) -> None:
    """Make the tables, and the columns of enrolments, that are not there yet."""
    for statement in DDL:
        con.execute(statement)
    for column, type_ in ENROLMENT_COLUMNS:
        con.execute(f"ALTER TABLE {ENROLMENTS} ADD COLUMN IF NOT EXISTS {column} {type_.replace(' NOT NULL', '')}")
