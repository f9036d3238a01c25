"""What a thread's checkpoint holds: ids and short text. Results stay in the database, which is the truth.

A hundred turns of full messages wrote 39 MB of checkpoints; a hundred turns of this write a few hundred kilobytes.
"""

from typing import Any, TypedDict

from warehouse.catalog import Language


class State(TypedDict, total=False):
    """The graph's state. All values are JSON."""

    thread: str
    turn: int
    text: str
    language: Language
    steps: int
    """How often the model was asked in this turn."""
    pending: list[dict[str, Any]]
    """Calls the model wants carried out next: {tool, args}."""
    carried_out: int
    """How many calls of this turn are on record as events."""
    question: dict[str, Any] | None
    remark: str
    unread: list[str]
    retries: int
    hits: list[dict[str, Any]]
    """Playbooks recalled for this turn: PlaybookHit as JSON."""
    usage: dict[str, float]
    told: dict[str, str]
    """Proposal id → the status of which this thread has been told."""
