"""Conditions that are a name: values, yes-or-no attributes, terms, dates, kinds of holdings, expressions in quotes."""

from typing import cast

from agent.models.offline import events as ev
from agent.models.offline.amounts import (
    amount,
    skip,
)
from agent.models.offline.asking import Asking
from agent.models.offline.attribute_groups import attribute_groups, named
from agent.models.offline.countdown_patterns import past_days
from agent.models.offline.frames import Ask, Atom
from agent.models.offline.rows import negate
from agent.models.offline.senses import Sense
from agent.models.offline.units import units
from tools.segment import parse
from tools.segment.schema import (
    Attr,
    Between,
    Calendar,
    Compare,
    Comparison,
    Const,
    Dates,
    Did,
    Everyone,
    Flag,
    Holds,
    In,
    IsUnknown,
    Last,
    Node,
    Not,
)
from warehouse.catalog import Attribute, Kind
from warehouse.errors import ModelRetry

_WAVES = {"wave", "轮次", "波次", "批次"}
"""What an attribute is called that counts the waves of a mailing."""


class NamePatterns(Asking):
    """Patterns that a word of the catalog makes by itself."""

    def _expression(self, i: int) -> int | None:
        """`aum >= 200000` in back quotes: EQL, as clickable options are written."""
        quote = self.items[i].sense("quote")
        if quote is None or quote.detail != "`":
            return None
        try:
            node = parse(quote.name, self.catalog)
        except ModelRetry:
            return None
        return self._push(node, f"eql:{quote.name}", i, i + 1)

    def _everyone(self, i: int) -> int | None:
        return self._push(Everyone(), "everyone", i, i + 1) if self.items[i].has("everyone") else None

    def _missing(self, i: int) -> int | None:
        item = self.items[i]
        sense = item.sense("missing")
        if sense is None or item.has("attribute", "value", "term", "event"):
            return None
        missing = self.catalog.missing[int(sense.name)]
        read = amount(self.items, skip(self.items, i + 1, "be", "de"))
        j = read[1] if read else i + 1
        after = skip(self.items, j, "be", "de")
        if read is None and after < len(self.items) and sense in self.items[after].all("missing"):
            j = after + 1  # 学历是本科: what is missing, with one of its values
        said = read[0] if read else None
        choices = tuple(found for name in missing.proxies if (found := self._proxy(name, said)) is not None)
        name = missing.words.name(self.language)
        self.asks.append(Ask("missing", name, item.start, self.items[j - 1].end, choices))
        self.negated = self.excluding
        return j

    def _value(self, i: int) -> int | None:
        """深圳的, R3以上, tier is private, job management or technician: values of one category attribute."""
        items = self.items
        mentioned = [a.name for a in self._attributes(i) if a.values]
        j = i + 1 if mentioned and not items[i].has("value") else i
        flip, op = False, ""
        while mentioned and j > i and j < len(items) and items[j].has("be", "de", "not", "op", "comma", "among_"):
            if items[j].has("op"):
                op = cast(Sense, items[j].sense("op")).name
            elif items[j].has("not"):
                flip = not flip
            elif items[j].has("comma") and items[j].text != ":":
                break
            j += 1
        if not mentioned and items[i].has("op") and i + 1 < len(items) and items[i + 1].has("value"):
            op, j = cast(Sense, items[i].sense("op")).name, i + 1
        if j >= len(items) or not items[j].has("value"):
            return None
        senses = [s for s in items[j].all("value") if not mentioned or s.detail in mentioned]
        k = j + 1
        if not mentioned and k < len(items):
            after = skip(items, k, "de")
            named = {a.name for a in self._attributes(after)}
            narrowed = [s for s in senses if s.detail in named]
            if narrowed and not items[after].has("event"):
                senses, k = narrowed, after + 1
        if not senses:
            return None
        if items[j].has("attribute") and not mentioned and not op and self._prefers_flag(j):
            return None
        if len({s.detail for s in senses}) > 1:
            self._ask_which(items[j], senses)
            return k
        attribute = self.catalog.attribute(senses[0].detail)
        values = [senses[0].name]
        if k < len(items) and attribute.ordered and items[k].has("class_word") and not mentioned:
            k += 1  # 高风险等级
        while True:
            m = k
            while m < len(items) and items[m].has("or", "and", "comma", "be"):
                m += 1
            if m == k or m >= len(items):
                break
            more = [s for s in items[m].all("value") if s.detail == attribute.name]
            if not more or items[m - 1].text in ("。", "."):
                break
            values.append(more[0].name)
            k = m + 1
        if not op and attribute.ordered and k < len(items) and items[k].has("op_after") and len(values) == 1:
            op, k = cast(Sense, items[k].sense("op_after")).name, k + 1
        name = Attr(name=attribute.name)
        node: Node
        if len(values) > 1:
            node = In(name=attribute.name, values=tuple(dict.fromkeys(values)))
        else:
            node = Compare(left=name, op=cast(Comparison, op or "="), right=Const(value=values[0]))
        return self._push(negate(node) if flip else node, attribute.name, i, k)

    def _ordinal(self, i: int) -> int | None:
        """第2波, wave 3: a number of an attribute that counts waves."""
        sense = self.items[i].sense("wave")
        if sense is None or int(sense.name) < 1:
            return None
        counting = named(attribute_groups(self.catalog).integer_words, _WAVES)
        if not counting:
            return None
        node = Compare(left=Attr(name=counting[0].name), op="=", right=Const(value=int(sense.name)))
        return self._push(node, counting[0].name, i, i + 1)

    def _prefers_flag(self, j: int) -> bool:
        """A word that is both a value and a yes-or-no attribute is the attribute after `have` or `no`."""
        return any(a.kind in (Kind.bool, Kind.money) for a in self._attributes(j)) and (
            self.negated or (j > 0 and self.items[j - 1].has("have"))
        )

    def _named(self, i: int) -> int | None:
        """深圳分行, branch “Shenzhen”: an attribute that goes by names of another table, or any text in quotes."""
        items = self.items
        following = items[i + 1] if i + 1 < len(items) else None
        if following is None:
            return None
        if items[i].has("value", "unread") and items[i].end == following.start and items[i].han:
            known = [a for a in self._attributes(i + 1) if a.reference]
            if known:
                text = self.text[items[i].start : following.end]
                node = Compare(left=Attr(name=known[0].name), op="=", right=Const(value=text))
                return self._push(node, known[0].name, i, i + 2)
        j = skip(items, i + 1, "be")
        quote = items[j].sense("quote") if j < len(items) else None
        named = [
            a for a in self._attributes(i) if a.kind in (Kind.category, Kind.text) and (a.reference or not a.values)
        ]
        if quote is not None and quote.detail != "`" and named:
            node = Compare(left=Attr(name=named[0].name), op="=", right=Const(value=quote.name))
            return self._push(node, named[0].name, i, j + 1)
        return None

    def _dated(self, i: int) -> int | None:
        """近30天开户的, opened in the last 30 days: a date attribute within a window."""
        items = self.items
        dates = [a for a in self._attributes(i) if a.kind in (Kind.date, Kind.timestamp)]
        if not dates:
            return None
        j = i + 1
        window = self.window[1] if self.waiting is not None and self.window is not None else None
        if window is None and j < len(items) and items[j].has("window", "within"):
            window, j = ev.item_window(items[j]), j + 1
        if window is None:
            return None
        ages = self._ages(i)
        node: Node
        if isinstance(window, Last) and window.unit == "d" and ages:
            node = Compare(left=Attr(name=ages[0].name), op="<=", right=Const(value=window.amount))
        elif isinstance(window, Calendar) and self.today and (days := past_days(window.period, self.today.data_day)):
            node = Between(value=Attr(name=dates[0].name), low=Const(value=days[0].isoformat()),
                           high=Const(value=days[1].isoformat()))  # fmt: skip
        elif isinstance(window, Dates):
            node = Between(value=Attr(name=dates[0].name), low=Const(value=window.start.isoformat()),
                           high=Const(value=window.end.isoformat()))  # fmt: skip
        else:
            return None
        self.waiting = None
        return self._push(node, dates[0].name, i, j)

    def _attribute(self, i: int) -> int | None:
        """A yes-or-no attribute; an amount that is there (有贷款) or not; an attribute that is unknown."""
        items = self.items
        attributes = self._attributes(i)
        if not attributes or self.waiting is not None:
            return None
        following = skip(items, i + 1, "be")
        if following < len(items) and items[following].has("unknown"):
            return self._push(IsUnknown(name=attributes[0].name), attributes[0].name, i, following + 1)
        flags = [a for a in attributes if a.kind is Kind.bool]
        if flags:
            if len(flags) > 1:
                self._ask_which(items[i], [Sense("value", "", a.name) for a in flags])
                return i + 1
            if self.acts and self.negated and not self.excluding and (act := self._act_of(flags[0])):
                return self._push(Did(event=act), f"event:{act}", i, i + 1)
            if self.negated and not self.excluding and (stated := self._not_in_state(flags[0].name)) is not None:
                self.negated = False
                self._pending_not = None
                return self._push(stated, flags[0].name, i, i + 1)
            return self._push(Flag(name=flags[0].name), flags[0].name, i, i + 1, noun=True)
        if items[i].has("event"):
            return None
        had = self.negated or (i > 0 and items[i - 1].has("have")) or self._coordinated(i)
        money = [a for a in attributes if a.kind is Kind.money]
        if money and had and not items[i].has("term"):
            node = Compare(left=Attr(name=money[0].name), op=">", right=Const(value=0))
            return self._push(node, money[0].name, i, i + 1, noun=True)
        others = [a for a in attributes if a.kind is not Kind.money]
        if others and self.negated and not items[i].has("term", "property_value"):
            # "no risk level": it has no value. The open negation makes `is known` into `is unknown`.
            return self._push(Not(child=IsUnknown(name=others[0].name)), others[0].name, i, i + 1)
        return None

    def _act_of(self, state: Attribute) -> str:
        """Between two waves `if the card is still not activated` is about the action that brings the state about."""
        called = set(state.words.all("zh"))
        acts = [e.name for e in self.catalog.events if called & {f"已{w}" for w in (*e.words.all("zh"), *e.verbs_zh)}]
        return acts[0] if len(acts) == 1 else ""

    def _coordinated(self, i: int) -> bool:
        """有信用卡或贷款: a bare noun joined to one that was had."""
        return (
            i > 1
            and self.items[i - 1].has("or", "and")
            and bool(self.row)
            and any(isinstance(x, Atom) and x.noun for x in self.row[-3:])
        )

    def _term(self, i: int) -> int | None:
        item = self.items[i]
        sense = item.sense("term")
        if sense is None or self.waiting is not None:
            return None
        term = next(t for t in self.catalog.terms if t.name == sense.name)
        if term.expression:
            return self._push(parse(term.expression, self.catalog), f"term:{term.name}", i, i + 1, noun=False)
        choices = tuple((option, option) for option in term.options)
        self.asks.append(Ask("vague", item.text, item.start, item.end, choices))
        return i + 1

    def _holding(self, i: int) -> int | None:
        """持有理财, wealth products over 100k: holdings of a kind, perhaps of an amount."""
        kind = self._kind_at(i)
        if kind is None or (self.items[i].has("attribute", "value") and not self._after_holding(i)):
            return None
        if self._part_of_state(i):
            return i + 1
        return self._push(Holds(kind=kind), f"holds:{kind}", i, i + 1, noun=True)

    def _part_of_state(self, i: int) -> bool:
        """`the card is not activated`: with what follows, the noun is the catalog's own name of a yes-or-no attribute."""
        j = skip(self.items, i + 1, "be", "have", "not")
        states = [a for a in self._attributes(j) if a.kind is Kind.bool]
        said = [u.text for u in units(f"{self.items[i].text} {self.items[j].text}")] if states else []
        return any(said == [u.text for u in units(word)] for a in states for word in a.words.all())

    def _after_holding(self, i: int) -> bool:
        return i > 0 and self.items[i - 1].has("entity")
