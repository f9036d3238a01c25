"""The conversation: ask, follow by cursor or stream, read again."""

import json
from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import StreamingResponse

from server.gate import Work
from server.schema import AskAnswer, AskAsked, Events, Name, ThreadInfo, ThreadView, TurnStarted

router = APIRouter(tags=["conversation"])
After = Annotated[int, Query(ge=0)]
PAUSE_S = 10.0
"""A stream without news sends a comment this often, so that proxies keep it open."""


@router.post("/ask", status_code=202, responses={200: {"model": AskAnswer}})
def ask(asked: AskAsked, work: Work, response: Response) -> TurnStarted | AskAnswer:
    """Begin a turn; with `wait` answer when it has ended."""
    if asked.wait:
        response.status_code = 200
        return work.ask(asked)
    return work.start_turn(asked)


@router.get("/threads")
def threads(work: Work) -> list[ThreadInfo]:
    """One's own conversations, the latest first."""
    return work.threads()


@router.get("/threads/{thread}")
def thread(thread: Name, work: Work) -> ThreadView:
    """A conversation from its beginning."""
    return work.thread(thread)


@router.get("/threads/{thread}/events")
def events(thread: Name, work: Work, after: After = 0) -> Events:
    """What happened in a thread since a cursor."""
    return work.events(thread, after)


@router.get("/threads/{thread}/stream", response_class=StreamingResponse)
def stream(thread: Name, work: Work, after: After = 0) -> StreamingResponse:
    """The same as server-sent events; it ends when no turn is running."""
    first = work.events(thread, after)

    def told() -> Iterator[str]:
        batch = first
        while True:
            for event in batch.events:
                yield f"id: {event.n}\nevent: {event.kind}\ndata: {json.dumps(event.model_dump(mode='json'))}\n\n"
            if not batch.running:
                return
            if not batch.events:
                yield ": still working\n\n"
            batch = work.wait_for_events(thread, batch.after, PAUSE_S)

    return StreamingResponse(told(), media_type="text/event-stream")
