"""Errors as RFC 9457 problem details: one shape for all of them, no traceback, no personal data.

The command line uses the same words without importing the web framework, so nothing here needs it.
"""

import logging
import re
from http import HTTPStatus
from typing import Any

from pydantic import ValidationError

from server.schema import Language, Problem
from warehouse.errors import TouchlineError

log = logging.getLogger("touchline")

QUALITY = re.compile(r"[01](\.[0-9]{0,3})?")
ZH, EN = re.compile(r"(?i)zh\b"), re.compile(r"(?i)en\b")
MEDIA_TYPE = "application/problem+json"
PRIVATE_DETAILS = frozenset({"token", "password", "owner"})


def accepted(header: str) -> Language:
    """The language that an Accept-Language header prefers of the two there are; English if it names neither."""
    best: tuple[float, Language] = (0.0, "en")
    for part in header[:1_000].split(","):
        tag, _, rest = part.strip().partition(";")
        weight = rest.strip().removeprefix("q=") or "1"
        quality = float(weight) if QUALITY.fullmatch(weight) else 0.0
        language: Language | None = "zh" if ZH.match(tag) else "en" if EN.match(tag) else None
        if language is not None and quality > best[0]:
            best = (quality, language)
    return best[1]


def from_error(error: Exception, instance: str = "", language: Language = "en") -> Problem:
    """The problem that tells about an error, in Chinese where the error has Chinese words (`message_zh`, `fix_zh` of its
    details). Anything unforeseen becomes `internal`, and only its class is named."""
    zh = language == "zh"
    if isinstance(error, TouchlineError):
        extras = {k: v for k, v in error.details.items() if k not in PRIVATE_DETAILS | Problem.model_fields.keys()}
        message, fix = error.message, error.fix
        if zh and error.details.get("message_zh"):
            message, fix = str(error.details["message_zh"]), str(error.details.get("fix_zh", ""))
        return problem(error.status, error.code, message, fix, instance, **extras)
    if isinstance(error, ValidationError):
        errors = error.errors(include_url=False, include_context=False, include_input=False)
        return invalid(errors, instance, language)
    name = type(error).__name__
    return problem(
        500,
        "internal",
        f"发生内部错误（{name}）。" if zh else f"An internal error happened ({name}).",
        "请重试；如果一直这样，把请求编号告诉管理员。"
        if zh
        else "Try again; if it stays, give the instance id to the administrator.",
        instance,
    )


def invalid(errors: Any, instance: str = "", language: Language = "en") -> Problem:
    """Input that does not fit the model. Places and reasons are told, never the values: they may be personal."""
    places = [
        {"place": ".".join(str(part) for part in e["loc"] if part not in ("body", "query", "path")), "reason": e["msg"]}
        for e in errors
    ]
    detail = "; ".join(f"{p['place'] or 'body'}: {p['reason']}" for p in places[:5])
    told, fix = (
        ("请求不符合格式", "见 docs/api.md。") if language == "zh" else ("The request does not fit", "See docs/api.md.")
    )
    return problem(422, "bad_input", f"{told}: {detail}.", fix, instance, places=places)


def problem(status: int, code: str, detail: str, fix: str = "", instance: str = "", **extras: Any) -> Problem:
    try:
        title = HTTPStatus(status).phrase
    except ValueError:
        title = "Error"
    return Problem(title=title, status=status, detail=detail, fix=fix, code=code, instance=instance, **extras)
