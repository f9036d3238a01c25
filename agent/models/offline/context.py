"""What the readers of all intents share: the turn, the catalog, the lexicon, the clock."""

from dataclasses import dataclass
from functools import cached_property

from agent.models.base import Call, Step, Turn
from agent.models.offline.campaigns import Archive
from agent.models.offline.conditions import Conditions
from agent.models.offline.frames import Reading
from agent.models.offline.lexicon import Lexicon
from agent.models.offline.questions import ask_first, ask_unread
from agent.models.offline.scan import Scan
from agent.models.offline.time_words import Today
from tools.segment import parse
from tools.segment.schema import Node
from warehouse.catalog import Catalog, Language
from warehouse.errors import ModelRetry


@dataclass
class Request:
    """One request being read."""

    turn: Turn
    catalog: Catalog
    lexicon: Lexicon
    archive: Archive
    today: Today

    @property
    def text(self) -> str:
        return self.turn.text

    @property
    def language(self) -> Language:
        return self.turn.language

    @cached_property
    def focus(self) -> Node | None:
        """The segment in focus as a tree; None without one, or where the catalog no longer knows its words."""
        segment = self.turn.focus.segment
        if segment is None:
            return None
        try:
            return parse(segment.expression, self.catalog)
        except ModelRetry:
            return None

    def conditions(self, scan: Scan) -> Reading:
        return Conditions(scan.rest(), self.catalog, self.language, self.text, self.today).read()

    def playbook_words(self, text: str) -> bool:
        """Whether every word of a text occurs in the playbooks' example requests."""
        return self.lexicon.in_examples(text)

    def open_points(self, reading: Reading) -> Step | None:
        """The question that a reading leaves, if any: first what was not understood, then what has several meanings."""
        if reading.unread:
            return ask_unread(reading.unread, self.text, self.language, self.catalog)
        if reading.asks:
            return ask_first(reading.asks, self.text, self.language)
        return None


def call(tool: str, **args: object) -> Step:
    """A step of one call; arguments that are None are left out."""
    return Step(calls=[Call(tool=tool, args={k: v for k, v in args.items() if v is not None})])
