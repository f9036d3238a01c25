"""The conversation part of a workspace: ask, follow, read again."""

from server.access import needs
from server.base import Part
from server.schema import AskAnswer, AskAsked, Events, ThreadInfo, ThreadView, TurnStarted
from server.turns import KEPT_INSIDE, new_thread
from warehouse.errors import Forbidden


class Conversation(Part):
    @needs("draft")
    def ask(self, asked: AskAsked) -> AskAnswer:
        """Answer a request. What it submits is pending when this returns.

        Raises:
            PersonDecides: the thread is busy.
            Forbidden: the thread is somebody else's.
        """
        thread = self._own(asked.thread)
        _, _, future = self.service.turns.start(asked.text, thread, self.actor, asked.model)
        answer = future.result()
        return AskAnswer.model_validate(answer.model_dump(mode="json"))

    @needs("draft")
    def start_turn(self, asked: AskAsked) -> TurnStarted:
        """Begin a request and return at once; its events are read by cursor."""
        thread = self._own(asked.thread)
        number, after, _ = self.service.turns.start(asked.text, thread, self.actor, asked.model)
        return TurnStarted(thread=thread, turn=number, after=after)

    @needs("read")
    def threads(self) -> list[ThreadInfo]:
        return [
            ThreadInfo(thread=t.id, title=t.title, turns=t.turns, updated_at=t.updated_at)
            for t in self.stores.records.threads(self.actor)
        ]

    @needs("read")
    def thread(self, thread: str) -> ThreadView:
        self._own(thread)
        records = self.stores.records
        running = self.service.turns.running(thread)
        events = [e for e in records.events(thread) if e.event.get("kind") not in KEPT_INSIDE]
        return ThreadView(
            thread=thread,
            turns=[turn.turn for turn in records.turns(thread)],
            focus=records.focus(thread).model_dump(mode="json"),
            running=running,
            after=events[-1].cursor if events else 0,
        )

    @needs("read")
    def events(self, thread: str, after: int = 0) -> Events:
        self._own(thread)
        events, newest, running = self.service.turns.events(thread, after)
        return Events(events=events, after=newest, running=running)

    @needs("read")
    def wait_for_events(self, thread: str, after: int, timeout_s: float) -> Events:
        """Like `events`, but waits for some."""
        self._own(thread)
        events, newest, running = self.service.turns.wait(thread, after, timeout_s)
        return Events(events=events, after=newest, running=running)

    def _own(self, thread: str | None) -> str:
        """The thread if it is the caller's or nobody's yet; a new one for None.

        A conversation shows what its speaker may see, so others stay out. The local command line of a demo home may
        be any demo user anyway and is let in.
        """
        if thread is None:
            return new_thread()
        if self.caller.how == "local":
            return thread
        owner = self.service.turns.owner(thread)
        if owner is not None and owner != self.actor.account:
            raise Forbidden("This conversation is somebody else's.", "Begin one of your own.")
        return thread
