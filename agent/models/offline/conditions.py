"""From items to a segment's tree. Each pattern of the grammar is a method that takes what it can use, or nothing.

What no pattern uses stays unread: the caller asks about it.
"""

from collections.abc import Callable

from agent.models.offline.amount_patterns import AmountPatterns
from agent.models.offline.boolean import combine
from agent.models.offline.change_patterns import ChangePatterns
from agent.models.offline.countdown_patterns import CountdownPatterns
from agent.models.offline.event_patterns import EventPatterns
from agent.models.offline.frames import Ask, Reading
from agent.models.offline.maturity_patterns import MaturityPatterns
from agent.models.offline.name_patterns import NamePatterns
from tools.segment import to_text


class Conditions(AmountPatterns, ChangePatterns, CountdownPatterns, EventPatterns, MaturityPatterns, NamePatterns):
    """Reads the conditions out of items; one per request."""

    def read(self) -> Reading:
        i = 0
        while i < len(self.items):
            following = self._atom(i)
            if following is None:
                following = self._function_word(i)
            if following is None:
                self.unread.append(self.items[i])
                following = i + 1
            i = following
        if self.waiting is not None:
            self.unread.append(self.waiting)
        if self.negated and not self.excluding and self._pending_not is not None:
            self.unread.append(self._pending_not)
        combined = combine(self.row)
        if combined and combined.other is not None and combined.other != combined.node:
            choices = tuple((to_text(node), to_text(node)) for node in (combined.node, combined.other))
            self.asks.append(Ask("or_scope", self.text, 0, len(self.text), choices))
        return Reading(combined.node if combined else None, self.unread, self.asks, self.notes)

    def _atom(self, i: int) -> int | None:
        patterns: tuple[Callable[[int], int | None], ...] = (
            self._expression, self._ordinal, self._everyone, self._maturity, self._change, self._compared, self._round, self._top, self._sample, self._missing, self._elided, self._named, self._dated, self._attribute_amount,
            self._amount_attribute, self._value, self._event, self._attribute, self._term, self._holding,
            self._age,
        )  # fmt: skip
        for pattern in patterns:
            following = pattern(i)
            if following is not None:
                return following
        return None
