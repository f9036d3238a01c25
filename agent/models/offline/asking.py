"""The questions that conditions can leave open."""

from agent.models.offline import events as ev
from agent.models.offline.amounts import Amount, compare, fits, plain
from agent.models.offline.frames import Ask
from agent.models.offline.numbers import Quantity
from agent.models.offline.rows import Row
from agent.models.offline.senses import Item, Sense
from tools.segment import parse, to_text
from tools.segment.schema import (
    And,
    Attr,
    Compare,
    Const,
    Flag,
    Node,
    Not,
)
from warehouse.catalog import Attribute, Kind


class Asking(Row):
    """Notes what must be asked."""

    def _text(self, i: int, j: int) -> str:
        return self.text[self.items[i].start : self.items[j - 1].end]

    def _ask_approximate(self, i: int, j: int) -> None:
        self.asks.append(Ask("approximate", self._text(i, j), self.items[i].start, self.items[j - 1].end))

    def _ask_comparison(self, attribute: Attribute, said: Amount, i: int, j: int) -> None:
        assert said.value is not None
        texts = tuple(
            (label, to_text(Compare(left=Attr(name=attribute.name), op=op, right=Const(value=plain(said.value)))))
            for label, op in ((">=", ">="), ("<=", "<="))
        )
        self.asks.append(Ask("no_comparison", self._text(i, j), self.items[i].start, self.items[j - 1].end, texts))

    def _ask_which(self, item: Item, senses: list[Sense]) -> None:
        choices: list[tuple[str, str]] = []
        for sense in senses:
            attribute = self.catalog.attribute(sense.detail)
            node: Node = (
                Compare(left=Attr(name=attribute.name), op="=", right=Const(value=sense.name))
                if sense.name
                else Flag(name=attribute.name)
            )
            choices.append((attribute.words.name(self.language), to_text(node)))
        self.asks.append(Ask("ambiguous", item.text, item.start, item.end, tuple(choices)))

    def _ask_event(self, item: Item, names: list[str], said: ev.EventSaid) -> None:
        choices = tuple(
            (self.catalog.event(n).words.name(self.language), to_text(ev.build(n, said, self.catalog))) for n in names
        )
        self.asks.append(Ask("ambiguous", item.text, item.start, item.end, choices))

    def _not_in_state(self, flag: str) -> Node | None:
        """What the bank calls not being so, where a term says it of those who could be: has a card, not activated."""
        for term in self.catalog.terms:
            if f"not {flag}" not in term.expression:
                continue
            node = parse(term.expression, self.catalog)
            if isinstance(node, And) and Not(child=Flag(name=flag)) in node.children and len(node.children) == 2:
                other = next(child for child in node.children if child != Not(child=Flag(name=flag)))
                if isinstance(other, Flag):
                    return node
        return None

    def _proxy(self, name: str, said: Amount | None) -> tuple[str, str] | None:
        """(what it is called, EQL where it is a condition by itself); None where it cannot carry the amount that was said."""
        bounded = said is not None and bool(said.op) and not said.approximate
        if name in self.catalog.attribute_index:
            attribute = self.catalog.attribute(name)
            label = attribute.words.name(self.language)
            if (
                said is not None
                and bounded
                and fits(attribute, said)
                and (attribute.kind is not Kind.money or _large(said))
            ):
                return label, to_text(compare(Attr(name=name), said, attribute))
            if bounded and attribute.kind is Kind.bool:
                return None
            return label, name if attribute.kind is Kind.bool else ""
        event = self.catalog.event_index.get(name)
        if event is None:
            return name, ""
        amounts = [p.name for p in event.properties if p.kind is Kind.money]
        if said is not None and bounded:
            return (
                (event.words.name(self.language), f"did({name} where {to_text(compare(Attr(name=amounts[0]), said))})")
                if amounts and _large(said)
                else None
            )
        return event.words.name(self.language), f"did({name})"


def _large(said: Amount) -> bool:
    """An amount that can be one of money."""
    number = said.value if isinstance(said.value, Quantity) else said.between.low if said.between else None
    return number is not None and (said.measure in ("money", "wan") or said.factor >= 1000 or number.value >= 1000)
