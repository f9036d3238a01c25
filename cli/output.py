"""What a command prints: one JSON document with --json, a short readable summary otherwise."""

import json
import sys
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from pydantic import BaseModel

from cli.language import LANGUAGE, say
from server import problems
from warehouse.errors import TouchlineError


def plain(value: BaseModel | Sequence[BaseModel] | object) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", by_alias=True)
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def show(value: object, as_json: bool, readable: Callable[[], str]) -> None:
    """Print an answer."""
    if as_json:
        print(json.dumps(plain(value), ensure_ascii=False, indent=2))
    else:
        print(readable())


def fail(error: Exception, as_json: bool) -> None:
    """Say what is wrong and what to do: one line on stderr, or the error as JSON on stdout."""
    told = problems.from_error(error, language=LANGUAGE)
    if as_json:
        document = told.model_dump(mode="json", exclude={"type", "instance"})
        print(json.dumps({"error": document}, ensure_ascii=False))
    else:
        line = " ".join(f"{told.detail} {told.fix}".split())
        print(f"touchline: {line}", file=sys.stderr)


def note(text: str) -> None:
    """Something worth knowing that is no part of the answer."""
    print(text, file=sys.stderr)


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Columns under headings; Chinese characters count as two wide, numbers stand right."""
    cells = [[_text(cell) for cell in row] for row in rows]
    if not cells:
        return say("（无）", "(none)")
    right = [all(_numeric(row[i]) for row in cells) for i in range(len(headings))]
    widths = [max(width(text) for text in column) for column in zip(headings, *cells, strict=True)]
    lines = []
    for row in [list(headings), *cells]:
        padded = [
            " " * (w - width(c)) + c if r else c + " " * (w - width(c))
            for c, w, r in zip(row, widths, right, strict=True)
        ]
        lines.append("  ".join(padded).rstrip())
    return "\n".join(lines)


def width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _text(cell: object) -> str:
    if cell is None:
        return "-"
    if isinstance(cell, bool):
        return say("是", "yes") if cell else say("否", "no")
    if isinstance(cell, int):
        return f"{cell:,}"
    if isinstance(cell, float):
        return f"{cell:,.4g}" if abs(cell) < 1000 else f"{cell:,.2f}"
    return str(cell)


def _numeric(text: str) -> bool:
    return text == "-" or text.replace(",", "").replace(".", "").replace("-", "").replace("e", "").isdigit()


class BadUsage(TouchlineError):
    """The command line itself is not right."""

    code = "bad_input"
    status = 422
