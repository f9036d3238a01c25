"""Turns of conversations at work: one per thread at a time, in worker threads, followed through the records."""

import logging
import threading
import uuid
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from agent import Answer
from control.records import Actor, EventRecord
from server import problems
from server.schema import TurnEvent
from server.stores import Stores
from warehouse.errors import AdminFixes, PersonDecides, TouchlineError

log = logging.getLogger("touchline.turns")

WORKERS = 4
KEPT_INSIDE = frozenset({"model_request"})
"""Events that are records of what left for a model, not news for a page."""


def new_thread() -> str:
    return f"t_{uuid.uuid4().hex[:12]}"


class Turns:
    """Runs turns. `news` wakes those who follow a thread."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="turn")
        self._news = threading.Condition()
        self._running: dict[str, str] = {}
        """Thread → the account that is being answered."""

    def owner(self, thread: str) -> str | None:
        """The account that began a thread; None for a new one."""
        turns = self._stores.records.turns(thread)
        return turns[0].account if turns else self._running.get(thread)

    def running(self, thread: str) -> bool:
        return thread in self._running

    def start(self, text: str, thread: str, actor: Actor, model: str | None) -> "tuple[int, int, Future[Answer]]":
        """Begin a turn.

        Returns:
            Its number, the cursor before its first event, and the future answer.

        Raises:
            PersonDecides: the thread is busy with a turn.
        """
        with self._news:
            if thread in self._running:
                raise PersonDecides(
                    "This conversation is still being answered.", "Wait for the answer, or ask in a new one."
                )
            self._running[thread] = actor.account
        try:
            number = len(self._stores.records.turns(thread)) + 1
            events = self._stores.records.events(thread)
            after = events[-1].cursor if events else 0
            future = self._pool.submit(self._ask, text, thread, actor, model)
        except BaseException:
            self._ended(thread)
            raise
        future.add_done_callback(lambda done: self._told(done, thread, number))
        return number, after, future

    def _ask(self, text: str, thread: str, actor: Actor, model: str | None) -> Answer:
        return self._stores.assistant.ask(text, thread=thread, actor=actor, model=model, on_event=self._woken)

    def _woken(self, _: object) -> None:
        with self._news:
            self._news.notify_all()

    def _told(self, done: "Future[Answer]", thread: str, number: int) -> None:
        """Put a failure on record as the turn's last event, whatever it was: whoever follows must not wait forever."""
        error = None if done.cancelled() else done.exception()
        try:
            if done.cancelled():
                error = AdminFixes("The server is stopping.", "Ask again when it runs.")
            if error is not None:
                if not isinstance(error, TouchlineError):
                    log.error("A turn failed.", exc_info=error)
                told = problems.from_error(error if isinstance(error, Exception) else RuntimeError())
                self._stores.records.add_event(
                    thread, number, {"kind": "error", "problem": told.model_dump(mode="json")}
                )
        finally:
            self._ended(thread)

    def _ended(self, thread: str) -> None:
        with self._news:
            self._running.pop(thread, None)
            self._news.notify_all()

    def events(self, thread: str, after: int) -> tuple[list[TurnEvent], int, bool]:
        """Events behind a cursor, the newest cursor, and whether a turn is running (asked before reading)."""
        running = thread in self._running
        records = self._stores.records.events(thread, after)
        newest = records[-1].cursor if records else after
        return [event_view(r) for r in records if r.event.get("kind") not in KEPT_INSIDE], newest, running

    def wait(self, thread: str, after: int, timeout_s: float) -> tuple[list[TurnEvent], int, bool]:
        """Like `events`, but waits until there are some or the turn has ended."""
        with self._news:
            self._news.wait_for(
                lambda: thread not in self._running or bool(self._stores.records.events(thread, after)), timeout_s
            )
        return self.events(thread, after)

    def stop(self) -> None:
        """Let running turns end; cancel those that have not begun."""
        self._pool.shutdown(wait=True, cancel_futures=True)


def event_view(record: EventRecord) -> TurnEvent:
    body: dict[str, Any] = {k: v for k, v in record.event.items() if k != "kind"}
    kind = str(record.event.get("kind", ""))
    inner = body.get({"answer": "answer", "error": "problem"}.get(kind, ""))
    return TurnEvent(n=record.cursor, turn=record.turn, kind=kind, body=inner if isinstance(inner, dict) else body)
