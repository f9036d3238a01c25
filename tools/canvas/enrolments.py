"""The tables that journeys live in, and the keyed hash that assigns arms."""

from collections.abc import Sequence

from tools.segment.hashing import threshold_hex
from tools.throttle.sql import Params, relation

ENROLMENT_COLUMNS: tuple[tuple[str, str], ...] = (
    ("journey_id", "VARCHAR NOT NULL"),
    ("customer_id", "BIGINT NOT NULL"),
    ("entered_at", "TIMESTAMP NOT NULL"),
    ("node_id", "VARCHAR NOT NULL"),
    ("due_at", "TIMESTAMP"),
    ("expires_at", "TIMESTAMP"),
    ("state", "VARCHAR NOT NULL"),
    ("arm", "VARCHAR NOT NULL"),
    ("sent", "INTEGER NOT NULL"),
    ("left_at", "TIMESTAMP"),
    ("entry_no", "INTEGER DEFAULT 1"),
    ("arrived_at", "TIMESTAMP"),
)
"""One row per journey, customer and entry (`entry_no` counts them from 1); at most one of a customer is active. Times are
naive UTC.

`state`: 'active' (at `node_id` since `arrived_at`, acted on from `due_at`), 'held_out' (in the control group, never
touched), 'goal' (reached the goal within its window and left), 'left' (one of `leave_when` came to hold), 'done' (came to
an exit). `arm`: 'control' for held-out customers, else 'treatment'. `sent` counts touches sent; `expires_at` is set while a
touch is deferred by the contact policy; `left_at` is when it stopped being active."""

MARK_COLUMNS: tuple[tuple[str, str], ...] = (
    ("journey_id", "VARCHAR NOT NULL"),
    ("customer_id", "BIGINT"),
    ("moment", "TIMESTAMP NOT NULL"),
)
"""What a journey's trigger has dealt with: an event of a customer, or (customer NULL) a round of its schedule."""


def marks_of(enrolments: str) -> str:
    """The name of the marks that belong to an enrolments table."""
    return f"{relation(enrolments)}_marks"


def enrolments_ddl(name: str, *, temporary: bool = False) -> str:
    """The statement that makes an enrolments table if it is not there."""
    return _ddl(relation(name), ENROLMENT_COLUMNS, temporary)


def marks_ddl(enrolments: str, *, temporary: bool = False) -> str:
    """The statement that makes the marks of an enrolments table if they are not there."""
    return _ddl(marks_of(enrolments), MARK_COLUMNS, temporary)


def _ddl(name: str, columns: Sequence[tuple[str, str]], temporary: bool) -> str:
    described = ", ".join(f"{column} {type_}" for column, type_ in columns)
    return f"CREATE {'TEMP ' if temporary else ''}TABLE IF NOT EXISTS {name} ({described})"


def within_sql(params: Params, key: str, percent: float, customer: str = "customer_id") -> str:
    """SQL that is true for the first so many percent of customers by the keyed hash (`tools.segment.hashing`)."""
    limit = threshold_hex(percent)
    return "true" if limit is None else f"md5({params.add(key + ':')} || {customer})[:8] < {params.add(limit)}"


def share_sql(params: Params, key: str, shares: Sequence[tuple[str, float]], customer: str = "customer_id") -> str:
    """SQL of the name of the share that a customer falls into; shares in percent, the last one takes what is left."""
    if len(shares) == 1:
        return f"{params.add(shares[0][0])}::VARCHAR"
    lines, upto = [], 0.0
    for name, percent in shares[:-1]:
        upto += percent
        lines.append(f"WHEN {within_sql(params, key, upto, customer)} THEN {params.add(name)}")
    return f"CASE {' '.join(lines)} ELSE {params.add(shares[-1][0])} END"


def branch_arm(arm: str, branch_id: int) -> str:
    """How touches and wordings name an arm of a branch's override; the part before '@' is the arm's own name."""
    return f"{arm}@{branch_id}"
