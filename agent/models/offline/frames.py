"""What a request comes to: conditions read, questions still open, and the frame of each intent."""

from dataclasses import dataclass, field
from typing import Literal

from agent.models.offline.senses import Item
from tools.segment.schema import Node

Join = Literal["none", "and", "or", "comma", "de", "scope", "people"]


@dataclass(frozen=True, slots=True)
class Atom:
    """One condition. `key` names what it is about (for parallel readings of `or`); `noun` tells that a negation or a
    verb before it may also govern the next one; `start` is its place in the text."""

    node: Node
    key: str
    noun: bool = False
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Ask:
    """A part of the request with several meanings, or none in this bank.

    `choices` are (label, EQL); choosing one replaces the text between `start` and `end`.
    """

    reason: Literal[
        "vague",
        "missing",
        "ambiguous",
        "which_attribute",
        "no_comparison",
        "approximate",
        "or_scope",
        "hour",
        "period_missing",
    ]
    text: str
    start: int
    end: int
    choices: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Reading:
    """The conditions of a text: the tree (None where there is no condition), what was not read, what must be asked."""

    node: Node | None = None
    unread: list[Item] = field(default_factory=list)
    asks: list[Ask] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def complete(self) -> bool:
        return not self.unread and not self.asks
