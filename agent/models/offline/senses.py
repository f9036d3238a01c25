"""What a piece of text may mean: a sense. A span of units carries one or several; the grammar picks, or asks."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeAlias

from agent.models.offline.numbers import Quantity, Range
from tools.segment.schema import Node, Window


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time; a month counts 30 days, a quarter 90, a year 365."""

    amount: int
    unit: str

    @property
    def days(self) -> int:
        """Whole days; hours are rounded up."""
        return self.amount if self.unit == "d" else -(-self.amount // 24)


@dataclass(frozen=True, slots=True)
class Moment:
    """A day with perhaps a time of it; `hour` None where none was said."""

    day: date | None
    hour: int | None = None
    minute: int = 0
    part: str = ""


SenseValue: TypeAlias = "Quantity | Range | Window | Duration | Moment | Node | datetime | int | float | None"


@dataclass(frozen=True, slots=True)
class Sense:
    """`kind` says what role it plays (attribute, value, op, not, window …); `name` which one; `detail` of what."""

    kind: str
    name: str = ""
    detail: str = ""
    value: SenseValue = None


@dataclass(frozen=True, slots=True)
class Item:
    """A span of the text with its possible senses. `start` and `end` are offsets in the original text."""

    start: int
    end: int
    text: str
    senses: tuple[Sense, ...]

    def sense(self, *kinds: str) -> Sense | None:
        """Its first sense of one of these kinds."""
        for sense in self.senses:
            if sense.kind in kinds:
                return sense
        return None

    def all(self, kind: str) -> list[Sense]:
        return [sense for sense in self.senses if sense.kind == kind]

    def has(self, *kinds: str) -> bool:
        return any(sense.kind in kinds for sense in self.senses)

    @property
    def han(self) -> bool:
        """Written in Chinese."""
        return any("㐀" <= character <= "鿿" for character in self.text)
