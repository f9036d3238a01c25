"""The server as the pages see it: `/v1` over HTTP with the signed-in person's token."""

import os
from typing import Any

import httpx

DEFAULT_URL = "http://127.0.0.1:8700"
TIMEOUT_S = 130.0
"""A little more than the server's own limit, so that its message is the one that is shown."""


class Problem(Exception):
    """The server said no, in the form of RFC 9457: what is wrong and what would mend it."""

    def __init__(self, detail: str, fix: str = "", code: str = "", status: int = 0) -> None:
        super().__init__(detail)
        self.detail = detail
        self.fix = fix
        self.code = code
        self.status = status


class Client:
    """One signed-in person's access. Make one per page run; it holds no state but the token."""

    def __init__(self, token: str = "", url: str | None = None) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        base = (url or os.environ.get("TOUCHLINE_URL") or DEFAULT_URL).rstrip("/")
        self._http = httpx.Client(base_url=f"{base}/v1", headers=headers, timeout=TIMEOUT_S)

    def get(self, path: str, **params: Any) -> Any:
        """The JSON of a GET. Raises: Problem."""
        return self._send("GET", path, params={k: v for k, v in params.items() if v is not None})

    def post(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """The JSON of a POST. Raises: Problem."""
        return self._send("POST", path, json=body or {})

    def delete(self, path: str) -> Any:
        """The JSON of a DELETE. Raises: Problem."""
        return self._send("DELETE", path)

    def upload(self, path: str, fields: dict[str, str], content: bytes) -> Any:
        """The JSON answered to a form with a file; its own name does not leave this process. Raises: Problem."""
        return self._send("POST", path, data=fields, files={"file": ("list", content)})

    def file(self, path: str, body: dict[str, Any]) -> bytes:
        """The bytes of a file answered to a POST. Raises: Problem."""
        return self._answer("POST", path, json=body).content

    def _send(self, method: str, path: str, **request: Any) -> Any:
        return self._answer(method, path, **request).json()

    def _answer(self, method: str, path: str, **request: Any) -> httpx.Response:
        try:
            response = self._http.request(method, path, **request)
        except httpx.TransportError:
            raise Problem(
                "The server does not answer. 服务器没有响应。", "Start it with `touchline up`, then reload.", "away"
            ) from None
        if response.is_success:
            return response
        try:
            body = response.json()
        except ValueError:
            body = {}
        raise Problem(
            str(body.get("detail") or response.reason_phrase),
            str(body.get("fix", "")),
            str(body.get("code", "")),
            response.status_code,
        )
