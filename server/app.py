"""The FastAPI application over one service."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from knowledge import KnowledgeError
from server import problems
from server.limits import Gate
from server.routes import approval, house, people, policies, segments, talk, work
from server.schema import Language, Problem
from server.service import Service
from warehouse.errors import TouchlineError

DESCRIPTION = "Everything the command line does. Errors are RFC 9457 problem details. See docs/api.md."
PROBLEM_RESPONSES: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": Problem, "description": "Who asked can mend it: `fix` tells how."},
    "5XX": {"model": Problem, "description": "The administrator or the developer can mend it."},
}


def create_app(service: Service) -> ASGIApp:
    """The application. It does not own the service: whoever made it closes it."""
    app = FastAPI(
        title="Touchline",
        version="1",
        description=DESCRIPTION,
        openapi_url="/v1/openapi.json",
        docs_url="/v1/docs",
        redoc_url=None,
        responses=PROBLEM_RESPONSES,
    )
    app.state.service = service
    for part in (house, people, policies, talk, work, segments, approval):
        app.include_router(part.router, prefix="/v1")
    app.add_exception_handler(TouchlineError, _touchline)
    app.add_exception_handler(KnowledgeError, _unforeseen)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unforeseen)
    return Gate(app)


def _answer(problem: Problem) -> Response:
    headers = {"Vary": "Accept-Language"}
    headers |= {"WWW-Authenticate": "Bearer"} if problem.status == 401 else {}
    return Response(
        problem.model_dump_json(), status_code=problem.status, media_type=problems.MEDIA_TYPE, headers=headers
    )


def language_of(request: Request) -> Language:
    """The language that the request asks for."""
    return problems.accepted(request.headers.get("accept-language", ""))


def _instance(request: Request) -> str:
    return str(getattr(request.state, "request_id", ""))


def _touchline(request: Request, error: Exception) -> Response:
    return _answer(problems.from_error(error, _instance(request), language_of(request)))


def _unforeseen(request: Request, error: Exception) -> Response:
    return _answer(problems.from_error(error, _instance(request), language_of(request)))


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return _answer(problems.invalid(error.errors(), _instance(request), language_of(request)))


def _http(request: Request, error: Exception) -> Response:
    """Errors of the framework itself: no such route, method not allowed, a body that is not JSON."""
    assert isinstance(error, HTTPException)
    zh = language_of(request) == "zh"
    fix = "路由见 docs/api.md。" if zh else "The routes are in docs/api.md."
    codes = {404: ("not_found", "没有这个路由。" if zh else "There is no such route.", fix),
             405: ("bad_input", "该路由不接受这个方法。" if zh else "This route does not take this method.", fix)}  # fmt: skip
    unreadable = (
        ("请求读不出来。", "请发送 UTF-8 的 JSON。") if zh else ("The request cannot be read.", "Send JSON in UTF-8.")
    )
    code, detail, fix = codes.get(error.status_code, ("bad_input", *unreadable))
    return _answer(problems.problem(error.status_code, code, detail, fix, _instance(request)))
