"""Reading behaviour: what customers did within which period, in which order, how often, and what they have."""

from abc import ABC, abstractmethod
from typing import Literal, cast

from lark import Token, Tree

from tools.segment import schema as s
from tools.segment.errors import ExpressionError
from tools.segment.scope import Scope, ambiguous, family, list_scope
from tools.segment.syntax import Branch, span_of, token_of, tree_of
from tools.segment.value_reader import Typed, ValueReader
from tools.segment.vocabulary import Field, Listing, value_index
from tools.segment.window_reader import WindowReader
from warehouse.catalog import nearest

_OWN = ("min", "max", "latest", "earliest")
"""Measures whose results are values of the property itself."""
_NUMERIC = ("sum", "avg")
_TIMED = ("latest", "earliest", "recency", "since_first")


class BehaviourReader(ValueReader, WindowReader, ABC):
    """Reads conditions on events and detail tables; what stands in their `where` is read as any condition."""

    @abstractmethod
    def condition(self, tree: Branch | Token, scope: Scope) -> s.Node:
        """A condition on the fields of a scope."""

    def _listing(self, token: Token, only: Literal["event", "table", ""] = "") -> Listing:
        """The list a word means.

        Raises:
            ExpressionError: none (with the nearest), several, or one of the other sort.
        """
        names = self.words.lists.find(str(token))
        allowed = {n: x for n, x in self.words.listings.items() if not only or (x.entity is None) == (only == "event")}
        chosen = tuple(name for name in names if name in allowed)
        if len(chosen) == 1:
            return allowed[chosen[0]]
        if chosen:
            raise ambiguous(self.text, token, chosen)
        start, end = span_of(token)
        shown = self.text[start:end]
        if names:
            form = f"any({names[0]} …)" if only == "event" else f"did({names[0]} …)"
            what, what_zh = ("a detail table", "明细表") if only == "event" else ("an event", "事件")
            raise self._wrong(token, f"{names[0]} is {what}.", f"{names[0]} 是{what_zh}。", f"Write {form}.", f"请写 {form}。")  # fmt: skip
        known = {word: x.name for x in allowed.values() for word in (x.name, *x.words.all())}
        near = list(dict.fromkeys(known[word] for word in nearest(str(token), known)))
        what, what_zh = {"event": ("event", "事件"), "table": ("detail table", "明细表"), "": ("event or detail table", "事件或明细表")}[only]  # fmt: skip
        raise ExpressionError(
            f"There is no {what} {shown!r}.", f"没有名为“{shown}”的{what_zh}。",
            text=self.text, position=start, token=shown, nearest=near,
            fix="" if near else f"Known: {', '.join(allowed) or 'none'}.",
            fix_zh="" if near else f"可用的有：{'、'.join(allowed) or '无'}。",
        )  # fmt: skip

    def _where(self, tree: object, listing: Listing) -> s.Node | None:
        return self.condition(tree.children[0], list_scope(listing)) if isinstance(tree, Tree) else None

    def _did(self, tree: Branch) -> s.Node:
        name, where, window = tree.children
        event = self._listing(token_of(name), "event")
        return s.Did(event=event.name, where=self._where(where, event), window=self._window(window, event))

    def _any(self, tree: Branch) -> s.Node:
        name, where, window = tree.children
        table = self._listing(token_of(name), "table")
        return s.HasRow(table=table.name, where=self._where(where, table), window=self._window(window, table))

    def measure(self, tree: Branch, scope: Scope) -> Typed:
        """Raises: ExpressionError inside a `where`, and when the property or the list does not fit the measure."""
        self._only_for_customers(tree, scope)
        kind, name, *rest = tree.children
        word, listing = str(kind), self._listing(token_of(name))
        where, window = rest[-2:]
        if word in _TIMED and not listing.time:
            raise self._wrong(
                token_of(kind), f"The rows of {listing.name} have no time.", f"{listing.name} 的记录没有时间。"
            )
        field = self._measured(word, token_of(rest[0]), listing) if len(rest) == 3 else None
        measure = s.Measure(
            measure=cast(s.MeasureKind, word), of=listing.name, property=field.name if field else "",
            where=self._where(where, listing), window=self._window(window, listing),
        )  # fmt: skip
        if field is not None and word in _OWN:
            return Typed(measure, family(field), field)
        return Typed(measure, "number")

    def _measured(self, word: str, token: Token, listing: Listing) -> Field:
        field = list_scope(listing).field(self.text, token)
        kind = family(field)
        if word in _NUMERIC and kind != "number":
            raise self._wrong(
                token, f"{field.name} is not a number; {word} needs one.", f"{field.name} 不是数值，{word} 需要数值。",
                f"Use distinct, latest or count({listing.name} where …).", f"请用 distinct、latest 或 count({listing.name} where …)。",
            )  # fmt: skip
        if word in ("min", "max") and not (kind in ("number", "date", "timestamp") or field.ordered):
            raise self._wrong(token, f"{field.name} has no order; {word} needs one.", f"{field.name} 没有大小顺序，不能用 {word}。")  # fmt: skip
        return field

    def _sequence(self, tree: Branch) -> s.Node:
        name, where, *steps, window = tree.children
        event = self._listing(token_of(name), "event")
        return s.Sequence(
            event=event.name, where=self._where(where, event), steps=tuple(self._step(tree_of(step)) for step in steps),
            window=self._window(window, event),
        )  # fmt: skip

    def _step(self, tree: Branch) -> s.Step:
        negated, name, where, gap = tree.children
        event = self._listing(token_of(name), "event")
        return s.Step(
            event=event.name, where=self._where(where, event), negated=negated is not None,
            gap=self._duration(token_of(gap)),
        )  # fmt: skip

    # Holdings

    def _holds(self, tree: Branch) -> s.Node:
        listing = self.words.holding
        if listing is None:
            raise self._wrong(tree, "This bank's catalog has no holdings.", "本行的数据目录没有持仓。")
        scope = list_scope(listing)
        kind, days = "", None
        conditions: list[s.Node] = []
        for position, part in enumerate(child for child in tree.children if isinstance(child, Tree)):
            inner = part.children[0]
            if part.data == "matures":
                gap = self._duration(token_of(part.children[0]))
                if gap.unit != "d":
                    raise self._wrong(part, "Maturities are told in days.", "到期时间以天计。")
                days = gap.amount
            elif part.data == "any_kind":
                if position:
                    raise self._wrong(part, "'any' comes first.", "any（任意）应写在最前。")
            elif position == 0 and isinstance(inner, Tree) and inner.data in ("name", "const"):
                kind = self._holding_kind(inner, scope, listing.fields.get("kind"), conditions)
            else:
                conditions.append(self.condition(inner, scope))
        where = None if not conditions else conditions[0] if len(conditions) == 1 else s.And(children=tuple(conditions))
        return s.Holds(kind=kind, where=where, matures_within_days=days)

    def _holding_kind(self, tree: Branch, scope: Scope, kinds: Field | None, conditions: list[s.Node]) -> str:
        word = str(tree.children[0])
        names = value_index(kinds.values).find(word) if kinds else ()
        if len(names) == 1:
            return names[0]
        if tree.data == "name" and scope.find(word):
            conditions.append(self.condition(tree, scope))
            return ""
        known = {w: v.value for v in (kinds.values if kinds else []) for w in (v.value, *v.all())}
        near = list(dict.fromkeys(known[w] for w in nearest(word, known))) or list(dict.fromkeys(known.values()))
        start, end = span_of(tree)
        raise ExpressionError(
            f"There is no kind of product {word!r}.", f"没有“{word}”这类产品。",
            text=self.text, position=start, token=self.text[start:end], nearest=near,
        )  # fmt: skip
