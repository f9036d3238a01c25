"""What a home does for its segments by itself: tags whose hour has come, and counts of named segments at a new cut-off."""

import logging
import time
from datetime import datetime
from typing import TYPE_CHECKING

from control.records import Actor
from server.stores import Stores
from warehouse.errors import TouchlineError

if TYPE_CHECKING:
    from tools.segment import Segments

log = logging.getLogger("touchline.upkeep")

SLICE_S = 2.0
"""How long one round may take; what is left waits for the next, so that deliveries never wait for a thousand tags."""
WATCHED = 500
"""Named segments, the newest first, whose counts are kept without anybody asking."""


class Upkeep:
    """Called by the scheduler between deliveries, in the one thread in which those run."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._counted: datetime | None = None

    def run_due(self, slice_s: float = SLICE_S) -> None:
        """Do what is due, for a while. What one tag or segment cannot do stops no other."""
        from tools.segment import Segments
        from tools.segment.tags import run_due

        stores = self._stores
        until = time.monotonic() + slice_s
        nobody = Actor(account="scheduler", person="scheduler")
        segments = Segments(stores.warehouse, stores.catalog, stores.records, nobody)
        for run in run_due(segments, until):
            if run.problem:
                log.warning("The tag %s could not be recomputed: %s", run.tag, run.problem)
        as_of = stores.warehouse.as_of
        if self._counted != as_of and self._count(segments, as_of, until):
            self._counted = as_of

    def _count(self, segments: "Segments", as_of: datetime, until: float) -> bool:
        """Keep the counts of named segments at a data cut-off; True once all have one."""
        from tools.segment.history import count_and_keep, watched

        records = self._stores.records
        for saved in watched(records.segments(WATCHED, named=True)):
            if any(kept.as_of == as_of for kept in records.counts([saved.id], limit=1)):
                continue
            if time.monotonic() > until:
                return False
            try:
                count_and_keep(segments, saved)
            except TouchlineError as error:
                log.warning("The segment %s could not be counted: %s", saved.id, error.code)
        return True
