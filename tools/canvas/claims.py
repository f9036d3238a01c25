"""Forbidden promises in a message: the maintained list of `claims.yaml`, read through the tricks that hide one."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict

from warehouse.catalog import fold

LIST = Path(__file__).with_name("claims.yaml")
_INVISIBLE = re.compile(r"[\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufe00-\ufe0f\ufeff]")
_SPELT_OUT = re.compile(r"(?<![a-z])[a-z](?:[\s.\-_*·]?[a-z](?![a-z])){3,}(?![a-z])")
_ENDS = "。！？!?；;"
_STOPS = _ENDS + "，,：:、"
_SHORT = 6
"""Characters of a match up to which a stop inside counts as one between two sentences."""


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Claim(Model):
    """One entry of the list."""

    code: str
    language: Literal["zh", "en"]
    pattern: str
    reason_zh: str
    reason_en: str


class Spared(Model):
    """Where words of the list promise nothing: after a negation or a warning, or within longer words."""

    language: Literal["zh", "en"]
    before: str = ""
    words: str = ""


class Claims(Model):
    """The file: `traditional` pairs a traditional character with its simplified one."""

    traditional: str
    claims: tuple[Claim, ...]
    spared: tuple[Spared, ...]


class Hit(BaseModel):
    """What was found: the words as they stand in the folded text, and why they are forbidden."""

    model_config = ConfigDict(frozen=True)

    code: str
    words: str
    reason_zh: str
    reason_en: str


@cache
def listed() -> Claims:
    """The file, read once."""
    return Claims.model_validate(yaml.safe_load(LIST.read_text("utf-8")))


def claims() -> tuple[Claim, ...]:
    return listed().claims


def plain(text: str) -> str:
    """A text as the list reads it: folded, without invisible characters, in simplified characters."""
    return _INVISIBLE.sub("", fold(text)).translate(_simplified())


@cache
def _simplified() -> dict[int, str]:
    return {ord(pair[0]): pair[1] for pair in listed().traditional.split()}


@dataclass(frozen=True)
class _Read:
    """A text made ready for one language, and for each of its characters whether something was closed up before it."""

    text: str
    gaps: tuple[str, ...]


def forbidden(text: str) -> list[Hit]:
    """Every forbidden promise in a text, first come first; spacing, punctuation, full-width or traditional characters
    do not hide one, and a negation or a warning is none."""
    folded = plain(text)
    read = {"zh": _closed(folded), "en": _Read(_joined(folded), ())}
    hits: dict[str, Hit] = {}
    for claim in claims():
        here = read[claim.language]
        for match in re.finditer(claim.pattern, here.text):
            if _is_spared(claim.language, here, match) or _across_a_stop(here, match):
                continue
            words = match.group().strip()
            hits.setdefault(
                words, Hit(code=claim.code, words=words, reason_zh=claim.reason_zh, reason_en=claim.reason_en)
            )
    return list(hits.values())


def _closed(text: str) -> _Read:
    """Signs and spaces between characters closed up; each gap is remembered at the character after it."""
    kept: list[str] = []
    gaps: list[str] = []
    gap = ""
    for place, character in enumerate(text):
        if _is_sign(character) and kept and not _in_number(text, place):
            gap += character
            continue
        kept.append(character)
        gaps.append(gap)
        gap = ""
    return _Read("".join(kept), tuple(gaps))


def _is_sign(character: str) -> bool:
    return not character.isalnum() and character not in "%{}"


def _in_number(text: str, place: int) -> bool:
    return text[place] in ".," and text[place - 1].isdigit() and text[place + 1 : place + 2].isdigit()


def _across_a_stop(here: _Read, match: re.Match[str]) -> bool:
    """Whether a match only came about because a stop between two sentences was closed up: '提供担保，本行…'.

    Long matches may hold a comma, but no end of a sentence. Short ones may hold no stop if they are grown together with what
    stands on both of their sides. Signs between *all* characters are a trick whatever they are.
    """
    inner = here.gaps[match.start() + 1 : match.end()]
    if len(inner) > 1 and all(inner):
        return False
    if len(match.group()) > _SHORT:
        return any(set(gap) & set(_ENDS) for gap in inner)
    if not any(set(gap) & set(_STOPS) for gap in inner):
        return False
    grown_before = match.start() > 0 and not here.gaps[match.start()]
    grown_after = match.end() < len(here.text) and not here.gaps[match.end()]
    return grown_before and grown_after


def _joined(text: str) -> str:
    """Words that were spelt out, 'g u a r a n t e e d', written together."""
    return _SPELT_OUT.sub(lambda match: re.sub(r"[^a-z]", "", match.group()), re.sub(r"(?<=\S)[ \t]{2,}", "  ", text))


def _is_spared(language: str, here: _Read, match: re.Match[str]) -> bool:
    before = _with_stops(here, match.start())
    return any(
        (rule.before and re.search(rule.before, before)) or (rule.words and _covered(rule.words, here.text, match))
        for rule in listed().spared
        if rule.language == language
    )


def _with_stops(here: _Read, end: int) -> str:
    """What stands before a place, its stops put back: a warning in one sentence spares nothing in the next."""
    if not here.gaps:
        return here.text[:end]
    stops = ("".join(c for c in gap if c in _STOPS) for gap in here.gaps[: end + 1])
    return "".join(stop + character for stop, character in zip(stops, [*here.text[:end], ""], strict=False))


def _covered(pattern: str, text: str, match: re.Match[str]) -> bool:
    return any(found.start() <= match.start() and match.end() <= found.end() for found in re.finditer(pattern, text))
