"""The server's own clockwork: does what is due every few seconds, and at once when somebody has decided."""

import logging
import threading
from collections.abc import Callable

import duckdb
from sqlalchemy.exc import SQLAlchemyError

from warehouse.errors import TouchlineError

log = logging.getLogger("touchline.scheduler")

INTERVAL_S = 3.0


class Scheduler:
    """A thread that runs `work` every `interval_s` seconds, or as soon as it is nudged. One run at a time.

    A failure that somebody can mend is logged and tried again; any other ends the thread, and `failure` then makes
    the server say that it is not ready.
    """

    def __init__(self, work: Callable[[], object], interval_s: float = INTERVAL_S) -> None:
        self._work = work
        self._interval = interval_s
        self._nudged = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="scheduler", daemon=True)
        self.failure = ""

    def start(self) -> None:
        self._thread.start()

    def nudge(self) -> None:
        """Run as soon as the present run, if any, has ended."""
        self._nudged.set()

    def stop(self, timeout_s: float = 30.0) -> None:
        """Let the present run end, and start no other."""
        self._stopping = True
        self._nudged.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def _run(self) -> None:
        clean = False
        try:
            while not self._stopping:
                try:
                    self._work()
                    self.failure = ""
                except (TouchlineError, SQLAlchemyError, duckdb.Error, OSError) as error:
                    self.failure = type(error).__name__
                    log.exception("A delivery run failed and will be tried again.")
                self._nudged.wait(self._interval)
                self._nudged.clear()
            clean = True
        finally:
            if not clean:
                self.failure = self.failure or "stopped"
