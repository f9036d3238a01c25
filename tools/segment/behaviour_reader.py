"""Reading behaviour: what customers did within which period, in which order, how often, and what they hold."""

from abc import ABC, abstractmethod
from datetime import date
from typing import get_args

from lark import Token, Tree

from tools.segment import schema as s
from tools.segment.errors import ExpressionError
from tools.segment.lexer import Amount
from tools.segment.scope import Scope, ambiguous, event_scope, family, holding_scope
from tools.segment.syntax import Branch, Reading, scalar_of, span_of, token_of
from tools.segment.vocabulary import Field, value_index
from warehouse.catalog import nearest

_PERIODS: tuple[str, ...] = get_args(s.Period)
_PERIODS_ZH = dict(
    zip(("今天", "昨天", "本周", "上周", "本月", "上月", "本季度", "上季度", "今年", "去年"), _PERIODS, strict=True)
) | {"上个月": "last_month", "这个月": "this_month"}


class BehaviourReader(Reading, ABC):
    """Reads conditions on events and holdings; what stands in their `where` is read as any condition."""

    @abstractmethod
    def condition(self, tree: Branch | Token, scope: Scope) -> s.Node:
        """A condition on the fields of a scope."""

    def _event(self, token: Token) -> str:
        names = self.words.events.find(str(token))
        if len(names) == 1:
            return names[0]
        if names:
            raise ambiguous(self.text, token, names)
        known = {word: e.name for e in self.catalog.events for word in (e.name, *e.words.all())}
        near = list(dict.fromkeys(known[word] for word in nearest(str(token), known)))
        start, end = token.start_pos or 0, token.end_pos or 0
        shown = self.text[start:end]
        fix = "" if near else f"Known: {', '.join(self.catalog.event_index)}."
        fix_zh = "" if near else f"可用的有：{'、'.join(self.catalog.event_index)}。"
        raise ExpressionError(
            f"There is no event {shown!r}.", f"没有名为“{shown}”的事件。",
            text=self.text, position=start, token=shown, nearest=near, fix=fix, fix_zh=fix_zh,
        )  # fmt: skip

    def _where(self, tree: object, event: str) -> s.Node | None:
        if not isinstance(tree, Tree):
            return None
        return self.condition(tree.children[0], event_scope(self.catalog, self.words, event))

    def _did(self, tree: Branch) -> s.Node:
        name, where, window = tree.children
        event = self._event(token_of(name))
        return s.Did(event=event, where=self._where(where, event), window=self._window(window))

    def _measure(self, tree: Branch, op: s.Comparison, value: Branch, scope: Scope) -> s.Node:
        self._only_for_customers(tree, scope)
        number = scalar_of(value) if value.data in ("const", "negative") else None
        if number is None or isinstance(number, bool | str):
            raise self._wrong(
                value, "count, sum and recency are compared with a number.", "count、sum、recency 只能与数字比较。"
            )
        summed = ""
        if tree.data == "total":
            _, name, prop, where, window = tree.children
            measure = "sum"
            event = self._event(token_of(name))
            field = event_scope(self.catalog, self.words, event).field(self.text, token_of(prop))
            if family(field) != "number":
                raise self._wrong(
                    token_of(prop),
                    f"{field.name} is not a number and cannot be summed.",
                    f"{field.name} 不是数值，不能合计。",
                )
            summed = field.name
        else:
            kind, name, where, window = tree.children
            measure = "count" if token_of(kind).type == "COUNT" else "recency"
            event = self._event(token_of(name))
        if measure == "recency" and op in ("=", "!="):
            raise self._wrong(
                tree, "recency is a length of time and is hardly ever equal to one.", "recency 是时长，不适合用等号比较。",
                "Use <, <=, > or >=.", "请用 <、<=、>、>=。",
            )  # fmt: skip
        return s.EventMeasure(
            measure=measure, event=event, property=summed, where=self._where(where, event),
            window=self._window(window), op=op, value=number,
        )  # fmt: skip

    def _sequence(self, tree: Branch) -> s.Node:
        first, first_where, negated, second, second_where, gap, window = tree.children
        one, two = self._event(token_of(first)), self._event(token_of(second))
        return s.Sequence(
            first=one, first_where=self._where(first_where, one), negated=negated is not None, second=two,
            second_where=self._where(second_where, two), gap=self._duration(token_of(gap)), window=self._window(window),
        )  # fmt: skip

    # Periods

    def _window(self, tree: object) -> s.Window | None:
        if not isinstance(tree, Tree):
            return None
        if tree.data == "last":
            return self._duration(token_of(tree.children[0]))
        if tree.data == "dates":
            start, end = (self._date(token_of(child)) for child in tree.children)
            if end < start:
                raise self._wrong(tree, "The period ends before it begins.", "时间段的结束早于开始。")
            return s.Dates(start=start, end=end)
        if tree.data == "calendar":
            token = token_of(tree.children[1])
            period = _PERIODS_ZH.get(str(token), str(token))
            if period not in _PERIODS:
                raise self._wrong(
                    token, f"{token} is not a period.", f"“{token}”不是时间段。",
                    f"Known: {', '.join(_PERIODS)}.", f"可用的有：{'、'.join(_PERIODS_ZH)}。",
                )  # fmt: skip
            return s.Calendar(period=period)
        return s.SinceEntry()

    def _duration(self, token: Token) -> s.Last:
        assert isinstance(token, Amount)
        if not isinstance(token.amount, int) or not 0 < token.amount <= 366_000:
            raise self._wrong(token, "A duration is a whole number of days or hours.", "时长须为整数天或小时。")
        return s.Last(amount=token.amount, unit="h" if token.unit == "h" else "d")

    def _date(self, token: Token) -> date:
        try:
            return date.fromisoformat(str(token))
        except ValueError:
            raise self._wrong(token, f"{str(token)!r} is not a date.", f"“{token}”不是日期。", "Such as 2026-10-01.", "例如 2026-10-01。") from None  # fmt: skip

    # Holdings

    def _holds(self, tree: Branch) -> s.Node:
        scope = holding_scope(self.words)
        kinds = scope.fields.get("kind")
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
                kind = self._holding_kind(inner, scope, kinds, conditions)
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
