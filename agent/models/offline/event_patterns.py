"""Conditions with a verb: what customers did or did not do, how often, in which order."""

from collections.abc import Sequence
from typing import cast

from agent.models.offline import events as ev
from agent.models.offline.amounts import (
    skip,
)
from agent.models.offline.asking import Asking
from agent.models.offline.attribute_groups import attribute_groups, named
from agent.models.offline.frames import Atom
from agent.models.offline.lexicon import kind_property
from agent.models.offline.rows import negate
from agent.models.offline.senses import Item
from tools.segment.schema import (
    Did,
    Flag,
    Last,
    Node,
    Not,
    Step,
)
from tools.segment.schema import Sequence as SequenceNode
from warehouse.catalog import Kind


class EventPatterns(Asking):
    """Patterns around an event."""

    def _event(self, i: int) -> int | None:
        items = self.items
        said = ev.EventSaid(names=())
        j = i
        # The object may stand before its verb: 理财买过, 对理财页面浏览.
        first = items[i]
        if not first.has("event", "not_event") and first.has("property_value"):
            k = skip(items, i + 1, "de")
            if not (k < len(items) and items[k].has("event")) or (first.has("attribute") and not items[k].han):
                return None
            names = tuple(s.name for s in items[k].all("event"))
            value = next((s for s in first.all("property_value") for n in names
                          if kind_property(self.catalog.event(n), s)), None)  # fmt: skip
            if value is None:
                return None
            said.values.append(value)
            j = k
        elif not first.has("event", "not_event"):
            return None
        negative = items[j].sense("not_event")
        if negative and not items[j].has("event"):
            if self.waiting is None and items[j].has("attribute") and not self.acts:
                return None
            said.names = (negative.name,)
        else:
            negative = None
            said.names = tuple(s.name for s in items[j].all("event"))
        if items[j].has("term") and self.waiting is None and not self.negated and not self.acts:
            return None
        if self._is_maturity(j) or self._noun_rather(j):
            return None
        if self.waiting is None and not negative and self._labels_value(j):
            return j + 1
        if self.waiting is not None and self.window is not None:
            said.window, self.waiting = self.window[1], None
        said.times, self.times = self.times, None
        said.ever = self.never
        said.total, self.total = self.total, False
        self._wider(said, items, j)
        following = ev.read_event(items, j + 1, said, self.catalog)
        if self.never and isinstance(said.window, type(None)):
            said.ever = True
        self._inherit(said, negative is not None or self.negated)
        if items[j].has("carry") and not (said.values or said.times or said.window or said.amount):
            return j + 1
        state = self._state(said)
        if state:
            # Under an exclusion an open negation is the exclusion's own: 剔掉没激活的 has closed it.
            if (self.negated != self.excluding) or negative is not None:
                self.negated, self._pending_not, self.never = self.excluding, None, False
                return self._push(self._not_in_state(state) or Not(child=Flag(name=state)), state, i, following)
            return self._push(Flag(name=state), state, i, following, noun=True)
        fitting = ev.choose(said, self.catalog)
        if not fitting:
            self.unread.append(items[j])
            return following
        if said.amount is not None and (said.amount.approximate or not said.amount.op):
            self._ask_approximate(j, following)
            return following
        if len(fitting) > 1:
            fitting = self._narrow_events(fitting, items[j])
        if len(fitting) > 1:
            self._ask_event(items[j], fitting, said)
            return following
        node: Node = ev.build_all(fitting[0], said, self.catalog, self.negated or negative is not None)
        if negative is not None:
            node = negate(node)
        sequence = self._sequence(fitting[0], said, node)
        self.last_event = said
        said.names = (fitting[0],)
        if sequence:
            return following
        k = self._push(node, f"event:{fitting[0]}", i, following)
        self.never = False
        return k

    def _labels_value(self, j: int) -> bool:
        """`风评R3及以上`: the word begins the name of the ordered attribute whose values are compared behind it."""
        following = self.items[j + 1 : j + 3]
        if len(following) < 2 or not (following[0].has("op") or following[1].has("op_after")):
            return False
        valued = following[1] if following[0].has("op") else following[0]
        named = [self.catalog.attribute(sense.detail) for sense in valued.all("value")]
        text = self.items[j].text
        return any(a.ordered and any(w.startswith(text) for w in a.words.all()) for a in named)

    def _state(self, said: ev.EventSaid) -> str:
        """The yes-or-no attribute that a bare verb is about: 激活信用卡 without a time is the state 已激活信用卡."""
        bare = not (said.window or said.values or said.times or said.amount or said.flags or said.total)
        if self.acts or not bare or len(said.names) != 1:
            return ""
        event = self.catalog.event(said.names[0])
        done = {f"已{word}" for word in (*event.words.all("zh"), *event.verbs_zh)}
        states = [a.name for a in named(attribute_groups(self.catalog).flag_words, done)]
        return states[0] if len(states) == 1 else ""

    def _elided(self, i: int) -> int | None:
        """`bought funds but not wealth products`: the verb before governs the object that was not."""
        before = self.last_event
        value = next((s for s in self.items[i].all("property_value")
                      if before and ev.carries(self.catalog, before.names, s)), None)  # fmt: skip
        if before is None or value is None or not self.negated or i == 0 or not self.items[i - 1].has("not", "exclude"):
            return None
        if not any(isinstance(x, Atom) for x in self.row) or "comma" in self.row[-2:]:
            return None
        last = next(x for x in reversed(self.row) if isinstance(x, Atom))
        if not last.key.startswith("event:") or self._has_comparison(i):
            return None
        said = ev.EventSaid(names=before.names, values=[value], window=before.window)
        self.notes.append("inherited")
        return self._push(ev.build(before.names[0], said, self.catalog), last.key, i, i + 1)

    def _noun_rather(self, j: int) -> bool:
        """`信用卡激活`, `投诉` as attribute: a word that is also a yes-or-no attribute and has no window or object."""
        return (
            not self.acts
            and any(a.kind is Kind.bool for a in self._attributes(j))
            and self.waiting is None
            and not (j + 1 < len(self.items) and self.items[j + 1].has("window", "within"))
        )

    def _narrow_events(self, names: list[str], item: Item) -> list[str]:
        """The verb as the catalog spells it first decides between events that share it."""
        text = item.text.casefold()
        exact = [n for n in names if text in (w.casefold() for w in self.catalog.event(n).words.all())]
        return exact if len(exact) == 1 else names

    def _wider(self, said: ev.EventSaid, items: Sequence[Item], j: int) -> None:
        """`浏览过理财频道`: the object belongs to another event that is called by the same verb."""
        if j + 1 >= len(items) or not items[j + 1].has("property_value") or items[j].text.isascii():
            return
        if any(ev.carries(self.catalog, said.names, v) for v in items[j + 1].all("property_value")):
            return
        base = items[j].text.rstrip("过了")
        said.names += tuple(
            event.name
            for event in self.catalog.events
            if event.name not in said.names
            and any(word.startswith(base) for word in (*event.words.all(), *event.verbs_zh))
            and any(ev.carries(self.catalog, (event.name,), v) for v in items[j + 1].all("property_value"))
        )

    def _inherit(self, said: ev.EventSaid, negative: bool) -> None:
        """`看过理财但没买`: an object and a window left out are those of the action before."""
        before = self.last_event
        joined = (bool(self.row) and self.row[-1] in ("and", "none", "de")) or (
            bool(self.row) and isinstance(self.row[-1], Atom)
        )
        if before is None or not negative or said.ever or not (joined or "and" in self.row[-3:]):
            return
        took: list[str] = []
        if not said.values and before.values:
            events = [self.catalog.event(n) for n in said.names]
            if all(any(kind_property(e, v) for e in events) for v in before.values) and not said.flags:
                said.values = list(before.values)
                took.append("object")
        if said.window is None and before.window is not None:
            said.window = before.window
            took.append("window")
        if took:
            self.notes.append("inherited")

    def _sequence(self, name: str, said: ev.EventSaid, node: Node) -> bool:
        """点了购买但1小时内没买: the same customer's second event within hours of the first."""
        before = self.last_event
        if (
            before is None
            or not isinstance(said.window, object)
            or getattr(said.window, "unit", "") != "h"
            or not (isinstance(node, Did) and self.row)
        ):
            return False
        place = max((p for p, x in enumerate(self.row) if isinstance(x, Atom)), default=None)
        if place is None:
            return False
        atom = cast(Atom, self.row[place])
        if not isinstance(atom.node, Did) or atom.node.event != before.names[0]:
            return False
        gap = said.window
        joined = SequenceNode(
            event=atom.node.event, where=atom.node.where, window=atom.node.window,
            steps=(Step(event=name, where=node.where, negated=self.negated, gap=cast(Last, gap)),),
        )  # fmt: skip
        self.row[place] = Atom(joined, "sequence", False, atom.start, self.items[-1].end)
        while self.row and not isinstance(self.row[-1], Atom):
            self.row.pop()
        self.negated = False
        self._pending_not = None
        return True
