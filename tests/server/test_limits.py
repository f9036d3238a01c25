"""The gate around the application: how long a request may take, in whose language it is refused."""

import asyncio
import time

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from server.limits import Gate
from server.problems import accepted, from_error, invalid
from tools.segment import parse
from warehouse.catalog import Catalog
from warehouse.errors import ModelRetry


def slow(_: Request) -> Response:
    time.sleep(0.6)
    return PlainTextResponse("done")


def quick(_: Request) -> Response:
    return PlainTextResponse("done")


async def stream(_: Request) -> Response:
    async def pieces():
        for _ in range(4):
            await asyncio.sleep(0.15)
            yield b"x"

    return StreamingResponse(pieces())


async def ask(path: str, **headers: str) -> httpx.Response:
    app = Gate(
        Starlette(routes=[Route("/slow", slow), Route("/quick", quick), Route("/stream", stream)]), time_limit_s=0.3
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as client:
        answer = await client.get(path, headers=headers)
        await asyncio.sleep(0.4)  # what comes late is dropped, and breaks nothing
        return answer


def test_a_request_without_a_result_in_time_is_answered_504() -> None:
    answer = asyncio.run(ask("/slow"))
    assert answer.status_code == 504
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "timeout"
    assert answer.json()["instance"] == answer.headers["x-request-id"]
    assert "0.3 秒" in asyncio.run(ask("/slow", **{"accept-language": "zh-CN"})).json()["detail"]


def test_what_answers_in_time_is_left_alone_and_a_stream_may_last() -> None:
    assert asyncio.run(ask("/quick")).text == "done"
    assert asyncio.run(ask("/stream")).text == "xxxx"


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("*", "en"),
        ("fr", "en"),
        ("zh", "zh"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-GB,en;q=0.9,zh;q=0.8", "en"),
        ("en;q=0.5, ZH-hans;q=0.7", "zh"),
        ("zh;q=0", "en"),
        ("zh;q=nan,en", "en"),
        ("zhx", "en"),
        ("," * 500, "en"),
    ],
)
def test_the_language_that_a_header_prefers(header: str, language: str) -> None:
    assert accepted(header) == language


def test_an_error_speaks_chinese_where_it_can(catalog: Catalog) -> None:
    with pytest.raises(ModelRetry) as caught:
        parse("is_payrol", catalog)
    english, chinese = from_error(caught.value), from_error(caught.value, language="zh")
    assert "is_payroll" in english.fix
    assert "is_payroll" in chinese.fix
    assert "相近" in chinese.fix
    assert "相近" not in english.fix
    assert from_error(ModelRetry("Only English.", "Do."), language="zh").detail == "Only English."
    assert from_error(ZeroDivisionError(), language="zh").detail.startswith("发生内部错误")
    assert invalid([{"loc": ("body", "x"), "msg": "m"}], language="zh").detail == "请求不符合格式: x: m."
