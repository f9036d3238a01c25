"""The one door between a bank's data and a model.

What goes through is typed (a `Turn`) and logged by the caller. People's personal data in what they typed becomes a
handle; counts of fewer than `SMALL` customers become '<10', with a second group withheld where one alone could be
worked out from the total; extremes over small groups are dropped. Differencing over many questions is limited by
this, not eliminated.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from agent.models.base import Question, Step, Turn
from warehouse.catalog import Language

SMALL = 10
WITHHELD = "<10"

COUNTS = frozenset(
    {
        "count", "n", "customers", "candidates", "allowed", "deferred", "abandoned", "capped", "entered", "held_out", "sent",
        "unknown", "total", "reached", "goal", "matched", "without", "alone", "size", "delivered", "opened", "clicked", "buyers",
        "audience", "max_touches", "lost", "passed", "waiting", "reached_goal", "handed_over", "treated", "touches", "touches_sent",
        "complaints",
    }
)  # fmt: skip
"""Names under which tools report how many customers something is true of."""

COUNTED_BY = frozenset({"by_rule", "rules"})
"""Names under which tools report such numbers by another name: {rule: customers}."""

TOLD = frozenset({"notes", "summary", "sentence", "dot"})
"""Texts rendered for people, figures included; a model has the same as typed fields."""

EXTREMES = frozenset({"min", "max", "minimum", "maximum", "lowest", "highest"})

MAX_CALLS = 12
"""Calls of one step of a model."""
MAX_NESTING = 16
"""Levels of lists and objects in a call's arguments."""
MAX_SAID = 100_000
"""Bytes of one step of a model, arguments included."""

_FIGURE = re.compile(r"(?<![A-Za-z0-9_])\d[\d,]*(?:\.\d+)?")

PERSONAL: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("mail", re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")),
    ("id_card", re.compile(r"(?<!\d)\d{6}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])\d{3}[\dXx](?![\dXx])")),
    ("card", re.compile(r"(?<!\d)\d{4}(?:[ -]?\d{4}){3}(?:[ -]?\d{1,3})?(?!\d)")),
    ("phone", re.compile(r"(?<!\d)(?:\+?86[ -]?)?1[3-9]\d(?:[ -]?\d{4}){2}(?!\d)")),
)
"""What looks personal in typed text. Order matters: an identity number is not a card number."""


def mask_text(text: str) -> str:
    """Replace what looks personal by a handle: '13800138000' → '<phone_1>'. The same value gets the same handle."""
    for kind, pattern in PERSONAL:
        seen: dict[str, str] = {}

        def handle(match: re.Match[str], kind: str = kind, seen: dict[str, str] = seen) -> str:
            value = re.sub(r"[ -]", "", match.group())
            return seen.setdefault(value, f"<{kind}_{len(seen) + 1}>")

        text = pattern.sub(handle, text)
    return text


def mask_strings(value: Any) -> Any:
    """A document with every text in it masked; numbers and instants stay."""
    if isinstance(value, Mapping):
        return {
            mask_text(name) if isinstance(name, str) else name: mask_strings(inner) for name, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [mask_strings(inner) for inner in value]
    return mask_text(value) if isinstance(value, str) else value


def without_figures(text: str) -> str:
    """A text that was rendered for people, its figures withheld; ids such as seg_12 stay."""
    return _FIGURE.sub("#", mask_text(text))


def is_small(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < SMALL


def mask_result(value: Any, key: str = "") -> Any:
    """A tool's result as a model may see it (JSON in, JSON out)."""
    if isinstance(value, Mapping):
        small_group = any(is_small(value.get(name)) for name in COUNTS)
        return {
            mask_text(name): mask_result(inner, key if key in COUNTED_BY else name)
            for name, inner in value.items()
            if not (small_group and _tells(name))
        }
    if isinstance(value, Sequence) and not isinstance(value, str):
        return _mask_groups([mask_result(inner, key) for inner in value], list(value))
    if (key in COUNTS or key in COUNTED_BY) and is_small(value):
        return WITHHELD
    if isinstance(value, str):
        return without_figures(value) if key in TOLD else mask_text(value)
    return value


def _tells(name: str) -> bool:
    """Whether a field of a small group tells about its few customers: figures, and what they have in common, which in a
    column of free text may be one person's own words."""
    return name in EXTREMES or name in {"mean", "sum", "share", "value", "label", "condition"}


def _mask_groups(masked: list[Any], original: list[Any]) -> list[Any]:
    """Complementary suppression: where one group of a breakdown is withheld, the smallest other one is too."""
    rows = [row for row in original if isinstance(row, Mapping)]
    for name in COUNTS:
        sizes = [(row[name], place) for place, row in enumerate(original) if isinstance(row, Mapping) and name in row]
        numbers = [(size, place) for size, place in sizes if isinstance(size, int)]
        withheld = [place for size, place in numbers if is_small(size)]
        if len(withheld) == 1 and len(rows) > 1:
            others = sorted((size, place) for size, place in numbers if place not in withheld and size > 0)
            if others:
                place = others[0][1]
                masked[place] = {
                    key: value for key, value in masked[place].items() if key not in EXTREMES | {"mean", "sum", "share"}
                } | {name: "withheld"}
    return masked


def outward(turn: Turn) -> Turn:
    """The turn as a model may see it: whatever text it holds is masked, wherever it stands. Earlier replies were
    rendered for people with exact numbers, so their figures are withheld."""
    document: dict[str, Any] = mask_strings(turn.model_dump())
    for past in document["history"]:
        past["reply"] = without_figures(past["reply"])
    for shown, done in zip(document["done"], turn.done, strict=True):
        shown["result"] = mask_result(done.result)
    segment = document["focus"]["segment"]
    if segment is not None and is_small(segment["count"]):
        segment["count"] = None
    return Turn.model_validate(document)


def inward(step: Step, language: Language) -> Step:
    """What a model said, if it can be put on record and is of a size that a person could have asked for; else a question
    that says so. Whether the calls make sense is for the toolbox to find out."""
    problem = _unusable(step)
    if problem is None:
        return step
    zh, en = problem
    text = (
        f"模型的回答无法使用：{zh}。请换个说法，或改用离线模型。"
        if language == "zh"
        else f"The model's answer cannot be used: {en}. Please put it another way, or use the offline model."
    )
    return Step(question=Question(text=text), usage=step.usage)


def _unusable(step: Step) -> tuple[str, str] | None:
    if len(step.calls) > MAX_CALLS:
        return f"一步之内超过 {MAX_CALLS} 次调用", f"it makes more than {MAX_CALLS} calls at once"
    if any(_depth(call.args) > MAX_NESTING for call in step.calls):
        return "参数嵌套过深", "its arguments are nested too deeply"
    try:
        said = step.model_dump(mode="python", exclude={"usage"})
        size = len(json.dumps(said, ensure_ascii=False, allow_nan=False).encode())
    except (TypeError, ValueError):  # no JSON, not a number, or half a surrogate pair
        return "含有无法保存的值", "it holds values that cannot be put on record"
    if size > MAX_SAID:
        return "过长", "it is too long"
    return None


def _depth(value: Any) -> int:
    level, found = [value], 0
    while level and found <= MAX_NESTING:
        found += 1
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    return found
