"""Holdings that come due: 7天内到期的理财, 理财到期金额10万以上、7天内到期, deposits maturing within 10 days."""

from typing import cast

from agent.models.offline.amounts import Amount, amount, compare
from agent.models.offline.asking import Asking
from agent.models.offline.numbers import Quantity
from agent.models.offline.senses import Duration
from tools.segment.schema import Attr, Holds
from warehouse.catalog import Kind


class MaturityPatterns(Asking):
    """The pattern of a kind of product, a time to maturity and perhaps an amount."""

    def _maturity(self, i: int) -> int | None:
        """7天内到期的理财, 理财7天内到期, deposits that mature within 10 days: holdings of a kind that mature."""
        items = self.items
        kind, days, matures = None, None, False
        worth: Amount | None = None
        j = i
        while j < len(items):
            item = items[j]
            if (found := self._kind_at(j)) and not item.has("event"):
                if kind is not None and found != kind:
                    return None
                kind = found
            elif not matures and kind is None and self._is_maturity(j) and (found := self._kind_within(item.text)):
                kind, matures = found, True
            elif days is None and (sense := item.sense("within")):
                days = cast(Duration, sense.value).days
            elif (
                days is None
                and item.has("next")
                and j + 1 < len(items)
                and (sense := items[j + 1].sense("duration", "within"))
            ):
                days, j = cast(Duration, sense.value).days, j + 1
            elif item.has("mature") or self._is_maturity(j):
                matures = True
            elif worth is None and (read := amount(items, j)) and _is_money(read[0]):
                worth, j = read[0], read[1] - 1
            elif (
                item.has("property") and any(s.name == self._holding_amount() for s in item.all("property")) and j > i
            ) or (item.text in "、，," and kind is not None and (days is None or not matures)):
                pass
            elif not (item.has("de", "have", "be", "remaining") and j > i):
                break
            j += 1
        if kind is None or days is None or not matures:
            return None
        while items[j - 1].has("de", "have", "be") and j > i + 1:
            j -= 1
        where = compare(Attr(name=self._holding_amount()), worth) if worth and self._holding_amount() else None
        return self._push(Holds(kind=kind, where=where, matures_within_days=days), "maturity", i, j)

    def _kind_within(self, text: str) -> str | None:
        """The kind that a word such as 理财到期 begins with."""
        for entity in self.catalog.entities:
            for prop in entity.properties if entity.table == "holdings" else ():
                for value in prop.values if prop.name == "kind" else ():
                    if any(text.casefold().startswith(word.casefold()) for word in value.all()):
                        return value.value
        return None

    def _holding_amount(self) -> str:
        """The property that tells how large a holding is."""
        holdings = (e for e in self.catalog.entities if e.table == "holdings")
        return next((p.name for e in holdings for p in e.properties if p.kind is Kind.money), "")


def _is_money(said: Amount) -> bool:
    if not said.op or said.approximate:
        return False
    written_out = isinstance(said.value, Quantity) and said.measure == "" and said.value.value >= 1000
    return said.measure in ("money", "wan") or said.factor >= 1000 or written_out
