"""Forbidden promises in a message: the maintained list of `claims.yaml`, and numbers that read as a promised return."""

import re
from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter

from warehouse.catalog import fold

LIST = Path(__file__).with_name("claims.yaml")
_SEPARATORS = re.compile(r"(?<=[\u3400-\u9fff0])[\s\-_.·•*~|/\\,，、。]+(?=[\u3400-\u9fff])")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*[%％]")
_RETURN = re.compile(
    r"收益|回报|年化|利率|业绩|净值|return|yield|p\.?a\.?\b|interest|profit|annuali[sz]ed|benchmark", re.IGNORECASE
)
_NEAR = 14


class Claim(BaseModel):
    """One entry of the list."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str
    language: Literal["zh", "en"]
    pattern: str
    reason_zh: str
    reason_en: str


class Hit(BaseModel):
    """What was found: the words as they stand in the folded text, and why they are forbidden."""

    model_config = ConfigDict(frozen=True)

    code: str
    words: str
    reason_zh: str
    reason_en: str


@cache
def claims() -> tuple[Claim, ...]:
    """The list, read once."""
    return tuple(TypeAdapter(list[Claim]).validate_python(yaml.safe_load(LIST.read_text("utf-8"))))


def forbidden(text: str) -> list[Hit]:
    """Every forbidden promise in a text, first come first; spacing tricks such as '保 本' do not hide one."""
    plain = fold(text)
    closed = _SEPARATORS.sub("", plain)
    hits: dict[str, Hit] = {}
    for claim in claims():
        for match in re.finditer(claim.pattern, closed if claim.language == "zh" else plain):
            words = match.group().strip()
            hits.setdefault(
                words, Hit(code=claim.code, words=words, reason_zh=claim.reason_zh, reason_en=claim.reason_en)
            )
    return list(hits.values())


def printed_returns(text: str, benchmark_rate: float | None) -> list[str]:
    """Percentages of a text that read as a return: beside a word for returns, or equal to the product's benchmark.

    Args:
        benchmark_rate: as a fraction (0.032) or in percent (3.2); None where the product has none.
    """
    plain = fold(text)
    found = []
    for match in _PERCENT.finditer(plain):
        around = plain[max(0, match.start() - _NEAR) : match.end() + _NEAR]
        value = float(match.group(1))
        same = benchmark_rate is not None and any(
            abs(value - rate) < 0.0051 for rate in (benchmark_rate, benchmark_rate * 100)
        )
        if same or _RETURN.search(around):
            found.append(match.group())
    return found
