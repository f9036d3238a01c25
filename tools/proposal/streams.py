"""Ceilings of a release that customers keep entering: what its trigger would have let in, with room to spare."""

from datetime import timedelta

from tools.canvas import Canvas
from tools.canvas.dry_run import Replay
from tools.canvas.schema import Entry, Recurring
from tools.segment import Segments
from tools.throttle import ThrottlePolicy

ROOM = 2
"""The daily ceiling is so many times the fullest day of those looked at."""
DAYS_LOOKED_AT = 7


def ceilings(canvas: Canvas, segments: Segments) -> tuple[int, int]:
    """Entries per day and altogether that a stream is submitted with unless its submitter states others.

    The trigger is replayed day by day over the last week before the data cut-off; a month's round is looked for further
    back. Altogether no more may enter than the canvas may touch.
    """
    warehouse = segments.warehouse
    trigger = next(node.trigger for node in canvas.nodes if isinstance(node, Entry))
    span = 31 if isinstance(trigger, Recurring) and trigger.every == "month" else DAYS_LOOKED_AT
    start = warehouse.as_of - timedelta(days=span)
    fullest = 0
    with warehouse.overlay() as con:
        replay = Replay(con, canvas, segments, ThrottlePolicy(), start)
        for day in range(1, span + 1):
            fullest = max(fullest, replay.let_in(start + timedelta(days=day)))
    daily = min(canvas.max_touches, max(1, _rounded(ROOM * fullest)))
    return daily, canvas.max_touches


def _rounded(n: int) -> int:
    """Up to two leading digits."""
    step: int = 10 ** max(0, len(str(n)) - 2)
    return -(-n // step) * step
