"""A chat-completions endpoint on loopback that streams what it was told to: real HTTP, real server-sent events."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Script:
    """What the endpoint says next, and what it was asked."""

    url: str = ""
    answers: list[dict[str, Any] | int] = field(default_factory=list)
    """Deltas to stream: {'content': …} or {'tool_calls': […]}; an int is an HTTP error."""
    requests: list[dict[str, Any]] = field(default_factory=list)


def says(text: str) -> dict[str, Any]:
    return {"content": text}


def acts(tool: str, **args: Any) -> dict[str, Any]:
    return says(json.dumps({"action": {"tool": tool, "args": args}}, ensure_ascii=False))


def calls(tool: str, arguments: str, *, index: int | None = 0) -> dict[str, Any]:
    return {"tool_calls": [{"index": index, "id": "c1", "function": {"name": tool, "arguments": arguments}}]}


@contextmanager
def endpoint(*answers: dict[str, Any] | int) -> Iterator[Script]:
    """Serve a script; each request takes the next answer."""
    script = Script(answers=list(answers))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._json(
                200, {"object": "list", "data": [{"id": "scripted", "object": "model", "created": 0, "owned_by": ""}]}
            )

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            script.requests.append(body)
            answer = script.answers.pop(0)
            if isinstance(answer, int):
                self._json(answer, {"error": {"message": "scripted failure"}})
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            for delta in _pieces(answer):
                self._event({"choices": [{"index": 0, "delta": delta}]})
            self._event({"choices": [], "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}})
            self.wfile.write(b"data: [DONE]\n\n")

        def _event(self, body: dict[str, Any]) -> None:
            chunk = {"id": "x", "object": "chat.completion.chunk", "created": 0, "model": "scripted", **body}
            self.wfile.write(f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n".encode())

        def _json(self, status: int, body: dict[str, Any]) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    script.url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield script
    finally:
        server.shutdown()
        server.server_close()


def _pieces(answer: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The answer in several deltas, as real servers send it."""
    if "content" in answer:
        text = answer["content"]
        for start in range(0, len(text), 9):
            yield {"content": text[start : start + 9]}
        return
    for call in answer["tool_calls"]:
        name, arguments = call["function"]["name"], call["function"]["arguments"]
        middle = len(arguments) // 2
        yield {"tool_calls": [{**call, "function": {"name": name, "arguments": arguments[:middle]}}]}
        rest = {"index": call["index"], "function": {"arguments": arguments[middle:]}}
        yield {"tool_calls": [{key: value for key, value in rest.items() if value is not None}]}
