"""A pure ASGI layer: request ids, body size, security headers and one log line per request without personal data."""

import asyncio
import json
import logging
import re
import time
import uuid

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.problems import MEDIA_TYPE, accepted, problem
from server.schema import MAX_UPLOAD, Language, Problem

log = logging.getLogger("touchline.access")

MAX_BODY = 2 * 1024 * 1024
"""Bytes of a request body; more is refused before it is read."""
UPLOADS = {("POST", "/v1/lists"): MAX_UPLOAD + 64 * 1024}
"""Routes whose body may be larger: bytes, with the form around the file."""
TIME_LIMIT_S = 120.0
"""Seconds until an answer must have begun. Queries have a shorter limit of their own (`Warehouse`)."""
REQUEST_ID = re.compile(r"^[A-Za-z0-9_-]{8,64}$")


class TooLarge(Exception):
    """The body grew beyond the limit while it was read."""


class Gate:
    """Wraps the application.

    Args:
        app: the application.
        max_body: bytes.
        time_limit_s: seconds until an answer must have begun; a stream may then last as long as it likes.
    """

    def __init__(self, app: ASGIApp, max_body: int = MAX_BODY, time_limit_s: float = TIME_LIMIT_S) -> None:
        self.app = app
        self.max_body = max_body
        self.time_limit_s = time_limit_s
        self._late: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = time.perf_counter()
        headers = {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in scope["headers"]}
        given = headers.get("x-request-id", "")
        request_id = given if REQUEST_ID.match(given) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        language = accepted(headers.get("accept-language", ""))
        max_body = UPLOADS.get((scope["method"], scope["path"]), self.max_body)
        status = 500
        begun = exceeded = late = False

        async def answer(message: Message) -> None:
            nonlocal status, begun
            if late:
                return  # somebody was told that it took too long
            if exceeded and not begun:
                raise TooLarge  # the framework made its own answer of the broken body; ours is clearer
            if message["type"] == "http.response.start":
                status = message["status"]
                begun = True
                message.setdefault("headers", []).extend(
                    [
                        (b"x-request-id", request_id.encode()),
                        (b"x-content-type-options", b"nosniff"),
                        (b"cache-control", b"no-store"),
                        (b"referrer-policy", b"no-referrer"),
                    ]
                )
            await send(message)

        read = 0

        async def limited() -> Message:
            nonlocal read, exceeded
            message = await receive()
            read += len(message.get("body", b""))
            if read > max_body:
                exceeded = True
                raise TooLarge
            return message

        try:
            length = headers.get("content-length", "0")
            if not length.isdigit() or int(length) > max_body:
                raise TooLarge
            work = asyncio.ensure_future(_run(self.app, scope, limited, answer))
            try:
                await asyncio.wait({work}, timeout=self.time_limit_s)
                if not work.done() and not begun:
                    # A thread cannot be stopped from outside; its queries stop themselves, and its answer is dropped.
                    self._late.add(work)
                    work.add_done_callback(self._forgotten)
                    begun = True
                    status = 504
                    late = True
                    await _tell(send, _too_late(self.time_limit_s, request_id, language), request_id)
                else:
                    await work
            except asyncio.CancelledError:
                work.cancel()
                raise
        except TooLarge:
            exceeded = False
            if not begun:
                await _tell(answer, _too_large(max_body, request_id, language))
        finally:
            self._log(scope, status, started, request_id)

    def _forgotten(self, work: "asyncio.Task[None]") -> None:
        """A request that came too late has ended; if it failed, the log says so."""
        self._late.discard(work)
        if not work.cancelled() and (error := work.exception()) is not None:
            log.error("A request that took too long failed.", exc_info=error)

    def _log(self, scope: Scope, status: int, started: float, request_id: str) -> None:
        """One line of JSON: the route's template, never the path or query, which may hold a customer's number."""
        route = scope.get("route")
        log.info(
            json.dumps(
                {
                    "method": scope["method"],
                    "route": getattr(route, "path", "unmatched"),
                    "status": status,
                    "ms": round((time.perf_counter() - started) * 1000, 1),
                    "request": request_id,
                    "account": scope.get("state", {}).get("account", ""),
                }
            )
        )


async def _run(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    await app(scope, receive, send)


def _too_large(limit: int, request_id: str, language: Language) -> Problem:
    if language == "zh":
        return problem(413, "too_large", f"请求超过 {limit} 字节。", "请分几次发送。", request_id)
    return problem(413, "too_large", f"The request is larger than {limit} bytes.", "Send less at a time.", request_id)


def _too_late(seconds: float, request_id: str, language: Language) -> Problem:
    if language == "zh":
        return problem(
            504, "timeout", f"{seconds:g} 秒内没有结果。", "请缩小范围；对话可以按游标继续读取。", request_id
        )
    detail = f"There was no result within {seconds:g} s."
    return problem(504, "timeout", detail, "Narrow it; a conversation goes on and is read by cursor.", request_id)


async def _tell(send: Send, told: Problem, request_id: str = "") -> None:
    body = told.model_dump_json().encode()
    headers = [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode())]
    if request_id:
        headers.append((b"x-request-id", request_id.encode()))
    await send({"type": "http.response.start", "status": told.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
