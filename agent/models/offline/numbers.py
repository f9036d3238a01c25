"""Numbers and amounts in both languages: 5万, 20w, 200k, 1.5 million, 三十五, 半, ranges such as 5-20万.

`个` after an amount is the trade's word for 万 when money is meant (`20个+`); what is meant, the condition decides, so
a quantity keeps the number as written beside its value.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import lru_cache
from importlib.resources import files
from typing import Literal

import yaml

from agent.models.offline.units import Unit, units

Measure = Literal["", "years", "money", "percent", "times", "wan", "tenths"]


@dataclass(frozen=True, slots=True)
class Quantity:
    """An amount. `factor` is the multiplier as written (万 is 10,000; 1 if none); `raw` the number before 个."""

    value: Decimal
    measure: Measure = ""
    factor: Decimal = Decimal(1)
    raw: Decimal = Decimal(0)

    @property
    def plain(self) -> int | float:
        return as_number(self.value)


@dataclass(frozen=True, slots=True)
class Range:
    """Both ends included."""

    low: Quantity
    high: Quantity


def as_number(value: Decimal) -> int | float:
    """An int where it is whole, else a float."""
    return int(value) if value == value.to_integral_value() else float(value)


class _Words:
    def __init__(self) -> None:
        text = files("agent.models.offline.data").joinpath("numbers.yaml").read_text("utf-8")
        data = yaml.safe_load(text)
        self.digits: dict[str, int] = data["digits"]
        self.tens: dict[str, int] = data["tens"]
        self.myriads: dict[str, int] = data["myriads"]
        self.suffixes: dict[str, int] = {units(w)[0].text: v for w, v in data["suffixes"].items()}
        self.words: dict[str, int] = {units(w)[0].text: v for w, v in data["words"].items()}
        self.times_words: dict[str, int] = {units(w)[0].text: v for w, v in data["times_words"].items()}
        self.signs = {units(w)[0].text for w in data["money_signs"]}
        self.measures: list[tuple[tuple[str, ...], Measure]] = sorted(
            ((tuple(u.text for u in units(word)), name) for name, words in data["units"].items() for word in words),
            key=lambda item: -len(item[0]),
        )


@lru_cache(maxsize=1)
def _words() -> _Words:
    return _Words()


def chinese_numeral(text: str) -> Decimal | None:
    """三十五 → 35, 两百 → 200, 一万二 → 12000, 十 → 10, 二〇二六 → 2026; None if it is not a numeral."""
    w = _words()
    if not text or any(c not in w.digits and c not in w.tens and c not in w.myriads for c in text):
        return None
    if all(c in w.digits for c in text):
        return Decimal("".join(str(w.digits[c]) for c in text))
    total = section = Decimal(0)
    digit: Decimal | None = None
    last_scale = 0
    for character in text:
        if character in w.digits:
            digit = Decimal(w.digits[character])
            if digit == 0:
                last_scale = 10
        elif character in w.tens:
            scale = w.tens[character]
            section += (digit if digit is not None else 1) * scale
            digit, last_scale = None, scale
        else:
            scale = w.myriads[character]
            section += digit or 0
            if section == 0 and total == 0:
                return None
            total = (total + section) * scale if scale == 100_000_000 else total + section * scale
            section, digit, last_scale = Decimal(0), None, scale
    if digit is not None:
        # 一万二 is 12,000 and 三百五 is 350: a last digit right after a scale counts its tenth.
        section += digit * (last_scale // 10 if last_scale > 10 else 1)
    return total + section


def _number(seq: Sequence[Unit], i: int) -> tuple[Decimal, Decimal, int] | None:
    """The number that begins at unit i: (value, the multiplier written, next position)."""
    w = _words()
    if i >= len(seq):
        return None
    unit = seq[i]
    if unit.kind == "number":
        return _scale(seq, i + 1, Decimal(unit.text))
    if unit.kind == "han":
        if unit.text == "半" and i + 1 < len(seq) and seq[i + 1].text in w.myriads:
            scale = Decimal(w.myriads[seq[i + 1].text])
            return scale / 2, scale, i + 2
        j = i
        while j < len(seq) and seq[j].kind == "han" and _numeral(seq[j].text):
            j += 1
        for end in range(j, i, -1):
            text = "".join(u.text for u in seq[i:end])
            value = chinese_numeral(text)
            if value is not None:
                return value, Decimal(max((w.myriads[c] for c in text if c in w.myriads), default=1)), end
        return None
    if unit.kind == "word" and unit.text in w.words:
        value = Decimal(w.words[unit.text])
        j = i + 1
        if value >= 20 and j < len(seq) and seq[j].text in w.words and 0 < w.words[seq[j].text] < 10:
            value += w.words[seq[j].text]
            j += 1
        return _scale(seq, j, value)
    if unit.text == "a" and i + 1 < len(seq) and seq[i + 1].text in w.suffixes and len(seq[i + 1].text) > 2:
        return _scale(seq, i + 1, Decimal(1))
    if unit.text == "half" and i + 2 < len(seq) and seq[i + 1].text == "a" and seq[i + 2].text in w.suffixes:
        scale = Decimal(w.suffixes[seq[i + 2].text])
        return scale / 2, scale, i + 3
    return None


def _numeral(character: str) -> bool:
    w = _words()
    return character in w.digits or character in w.tens or character in w.myriads


def _scale(seq: Sequence[Unit], j: int, value: Decimal) -> tuple[Decimal, Decimal, int]:
    w = _words()
    factor = Decimal(1)
    while j < len(seq):
        text = seq[j].text
        attached = len(text) > 1 or seq[j].start == seq[j - 1].end
        scale = w.suffixes.get(text, 0) if attached else 0
        scale = scale or w.tens.get(text, 0) or w.myriads.get(text, 0)
        if not scale:
            break
        value, factor, j = value * scale, factor * scale, j + 1
        if seq[j - 1].kind == "han" and j < len(seq) and seq[j].text in w.digits and not _follows_numeral(seq, j + 1):
            value, j = value + w.digits[seq[j].text] * Decimal(scale) / 10, j + 1
    return value, factor, j


def _follows_numeral(seq: Sequence[Unit], j: int) -> bool:
    return j < len(seq) and _numeral(seq[j].text)


def quantity(seq: Sequence[Unit], i: int) -> tuple[Quantity, int] | None:
    """The longest amount that begins at unit i, with its measure word, and the next position."""
    w = _words()
    if i < len(seq) and seq[i].text in w.times_words:
        value = Decimal(w.times_words[seq[i].text])
        return Quantity(value, "times", Decimal(1), value), i + 1
    j, money = i, False
    if i < len(seq) and seq[i].text in w.signs:
        j, money = i + 1, True
    read = _number(seq, j)
    if read is None:
        return None
    value, factor, j = read
    for words, name in w.measures:
        if tuple(u.text for u in seq[j : j + len(words)]) != words:
            continue
        if name == "tenths":
            return Quantity(value * 10, "percent", Decimal(1), value), j + 1
        if name == "wan":
            myriad = factor == 1
            return Quantity(
                value * 10_000 if myriad else value, "wan", Decimal(10_000) if myriad else factor, value
            ), j + 1
        return Quantity(value, name, factor, value), j + len(words)
    return Quantity(value, "money" if money else "", factor, value), j


_TO = {"到", "至", "-", "~", "–", "—", "to"}


def span_range(seq: Sequence[Unit], i: int) -> tuple[Range, int] | None:
    """A range that begins at unit i: 5-20万, 5万到20万, 30-45岁, between 5 and 20 thousand, from 3 to 5."""
    j, joiners = i, _TO
    if i < len(seq) and seq[i].text in ("between", "from"):
        between = seq[i].text == "between"
        j, joiners = i + 1, (_TO | {"and"} if between else _TO)
    elif i + 1 < len(seq) and seq[i].text + seq[i + 1].text == "介于":
        j, joiners = i + 2, _TO | {"和", "与"}
    first = quantity(seq, j)
    if first is None:
        return None
    low, j = first
    if j == i + 1 and (tens := _tens(seq, low, j)):
        return tens
    if j >= len(seq) or seq[j].text not in joiners:
        return None
    second = quantity(seq, j + 1)
    if second is None:
        return None
    high, j = second
    return Range(*_agree(low, high)), j


def _tens(seq: Sequence[Unit], low: Quantity, j: int) -> tuple[Range, int] | None:
    """30多岁, 30几岁, in their 30s: the ten years that begin so."""
    if j + 1 < len(seq) and seq[j].text in ("多", "几") and seq[j + 1].text in ("岁", "周"):
        end = j + 2 + (1 if seq[j + 1].text == "周" else 0)
    elif j < len(seq) and seq[j].text == "s" and seq[j].start == seq[j - 1].end:
        end = j + 1
    else:
        return None
    if low.value % 10 or not 10 <= low.value <= 90 or low.measure not in ("", "years"):
        return None
    high = low.value + 9
    return Range(Quantity(low.value, "years", raw=low.value), Quantity(high, "years", raw=high)), end


def _agree(low: Quantity, high: Quantity) -> tuple[Quantity, Quantity]:
    """Both ends take the multiplier and the measure that only one of them names, where the order then makes sense."""
    if high.factor > 1 and low.factor == 1 and low.measure in ("", high.measure):
        scaled = low.value * high.factor
        if scaled < high.value:
            low = replace(low, value=scaled, factor=high.factor)
    if low.factor > 1 and high.factor == 1 and high.measure in ("", low.measure):
        scaled = high.value * low.factor
        if high.value < low.value < scaled:
            high = replace(high, value=scaled, factor=low.factor)
    if low.measure == "":
        low = replace(low, measure=high.measure)
    if high.measure == "":
        high = replace(high, measure=low.measure)
    return low, high
