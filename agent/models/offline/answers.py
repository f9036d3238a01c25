"""Answers to a question just asked: an option by its place or a word of it, or the bare value that was missing."""

import re
from collections.abc import Callable, Iterable

from agent.models.base import Exchange, Step
from agent.models.offline.context import Request
from agent.models.offline.scan import scan as read_scan
from agent.models.offline.senses import Item
from agent.models.offline.units import units

Read = Callable[[str], Step]

_PLACE = re.compile(
    r"^(?:就|要|选|选择|那就|我选|用|pick |choose |take |option |number |the )*(?:第\s*([一二三四五12345])\s*[个项条]?|([12345])|([一二三四五])"
    r"|(first|second|third|fourth|fifth|last)(?: one| option)?|最后一?[个项]|([abcde]))(?: one| option)?[吧呢。.!！]*$",
    re.I,
)
_NUMBER = {c: n for n, group in enumerate(("一1", "二2", "三3", "四4", "五5")) for c in group}
_NUMBER |= {"first": 0, "second": 1, "third": 2, "fourth": 3, "fifth": 4, "last": -1}
_QUOTED = re.compile(r"[“\"]([^”\"]+)[”\"]")
_LONGEST = 12
"""Units of a text that can be a bare answer; a longer one is a request by itself."""
_CARRIES = ("carry", "comma", "de", "people", "be", "correct")


def answered(request: Request, read: Read) -> str:
    """The interrupted request with what was answered in its place; empty where the text is no answer to a question."""
    last = request.turn.history[-1] if request.turn.history else None
    if last is None or last.question is None or last.calls:
        return ""
    options = last.question.options
    text = request.text.strip()
    if (place := _place(text, len(options))) is not None:
        return options[place]
    if text in options or len(units(text)) > _LONGEST:
        return ""
    items = [i for i in read_scan(text, request.lexicon, request.today, request.lexicon.kinds, frozenset()).items
             if not i.has(*_CARRIES)]  # fmt: skip
    if not items:
        return ""
    chosen = _by_words(request, items, text, options)
    if chosen is not None:
        return chosen
    for whole in _completed(last, text, items, request.language):
        if read(whole).calls:
            return whole
    return ""


def _place(text: str, size: int) -> int | None:
    match = _PLACE.match(text)
    if match is None or not size:
        return None
    said = next((group for group in match.groups() if group), None)
    if said is None:
        return size - 1
    said = said.lower()
    place = "abcde".index(said) if said in "abcde" else _NUMBER[said]
    place = size - 1 if place < 0 else place
    return place if place < size else None


def _by_words(request: Request, items: list[Item], text: str, options: list[str]) -> str | None:
    """The one option that speaks of the same: its attribute or event, or all words of the answer."""
    names = {
        s.name
        for item in items
        for s in item.senses
        if s.kind in ("attribute", "event", "value", "metric", "property_value")
    }
    names |= {s.detail for item in items for s in item.senses if s.kind == "value"} if not names else set()
    spoken = [item for item in items if not item.has("attribute", "event", "value", "metric", "property_value")]
    if names and not spoken:
        hits = [o for o in options if names & set(re.findall(r"\w+", " ".join(re.findall(r"`([^`]+)`", o))))]
        if len(hits) == 1:
            return hits[0]
    bounds = {s.name for item in items for s in item.senses if s.kind in ("op", "op_after")}
    if bounds and all(item.has("op", "op_after") for item in items):
        hits = [
            o for o in options if any(f" {op} " in quoted for op in bounds for quoted in re.findall(r"`([^`]+)`", o))
        ]
        if len(hits) == 1:
            return hits[0]
    folded = text.casefold().strip(" .。!！?？")
    hits = [
        o
        for o in options
        if len(folded) > 1 and folded in o.casefold() and folded not in request.turn.history[-1].text.casefold()
    ]
    return hits[0] if len(hits) == 1 else None


def _completed(last: Exchange, text: str, items: list[Item], language: str) -> Iterable[str]:
    """The request with the answer where the open words stood, or beside it."""
    options = last.question.options if last.question else []
    if len(options) > 1 and not any("`" in option for option in options):
        # All options are one request with something different in it: the answer is one more of these.
        front, back = _shared(options), _shared([option[::-1] for option in options])[::-1]
        if front or back:
            yield f"{front}{text}{back}"
    asked = next((q for q in _QUOTED.findall(last.question.text if last.question else "") if q in last.text), None)
    value = any(item.has("quantity", "range") for item in items)
    named = all(
        item.has("attribute", "value", "term", "event", "property_value", "have", "not", "quote") for item in items
    )
    gap = "" if language == "zh" else " "
    if asked is not None and value:
        yield last.text.replace(asked, text, 1)
        yield last.text.replace(asked, re.sub(r"^\D*", "", text) or text, 1)
        number = re.search(r"\d[\d.,]*\s*(?:万|w|k|m|亿)?", asked)
        if number:
            yield last.text.replace(number.group(), text, 1)
    elif asked is not None and named and len(items) == 1 and items[0].has("attribute"):
        yield last.text.replace(asked, f"{text}{gap}{asked}", 1)
        yield f"{text}{gap}{last.text}"
    if asked is None and (
        named or all(item.has("channel", "moment", "campaign", "campaign_word", "month", "have") for item in items)
    ):
        yield f"{last.text}{gap or '，'}{text}"
        yield f"{text}{'，' if language == 'zh' else ': '}{last.text}"
        yield f"{last.text}, for {text}" if language == "en" else f"给{text}{last.text}"


def _shared(texts: list[str]) -> str:
    """What all of them begin with."""
    size = 0
    while all(len(t) > size and t[size] == texts[0][size] for t in texts):
        size += 1
    return texts[0][:size]
