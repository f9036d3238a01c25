"""Conditions with an amount: comparisons, ranges, ratios, ages, maturities, the top ones and samples."""

from typing import cast

from agent.models.offline.amounts import (
    Amount,
    amount,
    backward,
    compare,
    fits,
    forward,
    skip,
)
from agent.models.offline.asking import Asking
from agent.models.offline.attribute_groups import attribute_groups
from agent.models.offline.frames import Ask
from agent.models.offline.lexicon import comparable
from agent.models.offline.numbers import Quantity
from agent.models.offline.rows import negate
from agent.models.offline.senses import Duration, Item, Sense
from tools.segment import to_text
from tools.segment.schema import (
    Arithmetic,
    Attr,
    Compare,
    Comparison,
    Const,
    Sample,
    Top,
)
from warehouse.catalog import Attribute, Kind


class AmountPatterns(Asking):
    """Patterns that an amount belongs to."""

    def _top(self, i: int) -> int | None:
        """AUM最高的1000个, top 1000 by AUM, 前1000名."""
        items = self.items
        attributes = [a for a in self._attributes(i) if comparable(a)]
        j = skip(items, i + 1, "be", "de") if attributes else i
        if j >= len(items) or not items[j].has("top"):
            return None
        descending = cast(Sense, items[j].sense("top")).name == "desc"
        read = amount(items, j + 1)
        if read is None or read[0].op or not isinstance(read[0].value, Quantity):
            return None
        number, k = int(read[0].value.raw), read[1]
        if not attributes:
            by = skip(items, k, "people", "by", "de")
            attributes = [a for a in self._attributes(by) if comparable(a)]
            if not attributes:
                return None
            k = by + 1
        return (
            self._push(Top(n=number, by=Attr(name=attributes[0].name), descending=descending), "top", i, k)
            if number > 0
            else None
        )

    def _sample(self, i: int) -> int | None:
        if not self.items[i].has("sample"):
            return None
        read = amount(self.items, i + 1)
        if read is None or read[0].measure != "percent" or not isinstance(read[0].value, Quantity):
            return None
        j = skip(self.items, read[1], "sample")
        return self._push(Sample(percent=float(read[0].value.plain), key="sample"), "sample", i, j)

    def _attribute_amount(self, i: int) -> int | None:
        """AUM 5万到20万, wealth balance over half of AUM, 开户不到100天."""
        items = self.items
        attributes = [a for a in self._attributes(i) if comparable(a)] or self._ages(i)
        if not attributes:
            return None
        j = i + 1
        while j < len(items) and items[j].has("be", "de", "have", "remaining") and not items[j].has("quantity"):
            j += 1
        flip = False
        if j < len(items) and items[j].has("not") and j + 1 < len(items) and items[j + 1].has("op"):
            flip, j = True, j + 1
        for attribute in attributes:
            if (ratio := self._ratio(attribute, i, j)) is not None:
                return ratio
            read = amount(items, j)
            if read is not None and read[0].measure == "days" and not fits(attribute, read[0]):
                attribute = next((a for a in self._coming(i) if fits(a, read[0])), attribute)
            if read is None or not fits(attribute, read[0]):
                continue
            said, k = read
            if said.approximate:
                self._ask_approximate(i, k)
                return k
            if not said.op and attribute.kind is Kind.money and items[j - 1].has("attribute"):
                self._ask_comparison(attribute, said, i, k)
                return k
            default = "=" if not (said.measure == "days" and (forward(attribute) or backward(attribute))) else ""
            if not default and not said.op:
                default = "<=" if forward(attribute) else ">="
            if backward(attribute) and items[i].has("not_event") and said.op == "<=" and items[j].has("within"):
                continue
            node = compare(Attr(name=attribute.name), said, attribute, default or "=")
            if flip:
                node = negate(node)
            k = self._push(node, attribute.name, i, k)
            return self._second_bound(attribute, k)
        return None

    def _second_bound(self, attribute: Attribute, i: int) -> int:
        """`over 50k and under 200k`, `5万以上20万以下`: another bound of the same attribute."""
        j = i
        while j < len(self.items) and self.items[j].has("and", "comma") and not self.items[j].has("or"):
            j += 1
        read = amount(self.items, j)
        if read is None or not read[0].op or not fits(attribute, read[0]) or read[0].between or read[0].approximate:
            return i
        after = skip(self.items, read[1], "de")
        if any(comparable(a) and fits(a, read[0]) for a in self._attributes(after)) or (
            after < len(self.items) and self.items[after].has("event", "not_event", "not")
        ):
            return i
        return self._push(compare(Attr(name=attribute.name), read[0], attribute), attribute.name, j, read[1])

    def _ratio(self, attribute: Attribute, i: int, j: int) -> int | None:
        """Part of another attribute: 理财余额大于AUM的一半, 理财占AUM超过30%, aum / aum_30d_ago < 0.7."""
        items, left = self.items, Attr(name=attribute.name)
        if j < len(items) and (items[j].has("share_of") or items[j].text.strip() in ("/", "÷")):
            other = [a for a in self._attributes(j + 1) if comparable(a)]
            read = amount(items, skip(items, j + 2, "de", "be", "share_of")) if other else None
            if not other or read is None or not isinstance(read[0].value, Quantity) or not read[0].op:
                return None
            value = read[0].value
            number = float(value.value / 100) if value.measure == "percent" else value.plain
            node = Compare(left=Arithmetic(op="/", left=left, right=Attr(name=other[0].name)),
                           op=cast(Comparison, read[0].op), right=Const(value=number))  # fmt: skip
            return self._push(node, "ratio", i, read[1])
        if j >= len(items) or not items[j].has("op"):
            return None
        op = cast(Comparison, cast(Sense, items[j].sense("op")).name)
        k = j + 1
        fraction: float | None = None
        if k < len(items) and (sense := items[k].sense("fraction")):
            fraction, k = float(sense.name), skip(items, k + 1, "de")
        elif k + 1 < len(items) and (percent := _percent(items[k])) is not None:
            fraction, k = percent, skip(items, k + 1, "de")
        other = [a for a in self._attributes(k) if comparable(a)]
        if not other:
            return None
        k += 1
        after = skip(items, k, "de")
        if fraction is None and after < len(items):
            if sense := items[after].sense("fraction"):
                fraction, k = float(sense.name), after + 1
            elif (percent := _percent(items[after])) is not None:
                fraction, k = percent, after + 1
        right = Attr(name=other[0].name)
        factor = int(fraction) if fraction is not None and fraction == int(fraction) else fraction
        node = Compare(
            left=left,
            op=op,
            right=right if factor is None else Arithmetic(op="*", left=right, right=Const(value=factor)),
        )
        return self._push(node, "ratio", i, k)

    def _amount_attribute(self, i: int) -> int | None:
        """20万以上AUM, over 200k in deposits, 7天内到期, 60天没登录."""
        items = self.items
        start = i
        if items[i].has("next", "remaining") and i + 1 < len(items) and items[i + 1].has("duration", "within"):
            i += 1
        read = amount(items, i)
        said: Amount | None
        if read is None:
            if not items[i].has("within"):
                return None
            said, j = Amount("<=", cast(Duration, cast(Sense, items[i].sense("within")).value)), i + 1
        else:
            said, j = read
        j = skip(items, j, "de", "remaining", "have", "be")
        after_not = j
        attributes = [a for a in self._attributes(after_not) if comparable(a) and fits(a, said)]
        if not attributes and said.measure == "days" and (items[i].has("within") or start != i):
            attributes = self._coming(j)
        if said.measure == "times" or not attributes or said.approximate:
            return None
        attribute = attributes[0]
        if amount(items, skip(items, j + 1, "be", "de")) and not said.measure:
            return None
        if said.measure == "days":
            if forward(attribute):
                if said.op not in ("", "<=", "<", "between"):
                    return None
                said = Amount(said.op or "<=", said.value, said.between)
            elif backward(attribute) and items[j].has("not_event"):
                if said.op == "<=" or items[i].has("window"):
                    return None
                said = Amount(said.op or ">=", said.value, said.between)
            elif not said.op:
                return None
        elif not said.op:
            return None
        if self._maturing_kind(j):
            return None
        k = self._push(compare(Attr(name=attribute.name), said, attribute), attribute.name, start, j + 1)
        return self._second_bound(attribute, k)

    def _maturing_kind(self, j: int) -> bool:
        """A maturity attribute with a product kind beside it is about holdings of that kind."""
        attribute = self._attributes(j)
        if not any(a.derived and a.derived.kind == "days_to_next_maturity" for a in attribute):
            return False
        k = skip(self.items, j + 1, "de")
        before = [x for x in self.items[:j] if not x.has("de", "have", "be")]
        return self._kind_at(k) is not None or bool(before and self.prefix is not None)

    def _age(self, i: int) -> int | None:
        """35岁以下, under 35: an age without its name, where one attribute counts years."""
        read = amount(self.items, i)
        if read is None:
            return None
        said, j = read
        years = attribute_groups(self.catalog).years
        number = said.value if isinstance(said.value, Quantity) else said.between.high if said.between else None
        if said.measure == "years" and years:
            if said.approximate:
                self._ask_approximate(i, j)
                return j
            k = self._push(compare(Attr(name=years[0].name), said), years[0].name, i, j)
            return self._second_bound(years[0], k)
        plausible = number is not None and said.measure == "" and said.factor == 1 and 10 <= number.value <= 120
        if plausible and len(years) == 1 and said.op and not said.approximate and not self.items[i].has("top"):
            k = self._push(compare(Attr(name=years[0].name), said), years[0].name, i, j)
            return self._second_bound(years[0], k)
        money = attribute_groups(self.catalog).money
        if (said.measure in ("money", "wan") or said.factor >= 1000) and said.op and money and not said.approximate:
            choices = tuple(
                (a.words.name(self.language), to_text(compare(Attr(name=a.name), said, a))) for a in money[:5]
            )
            self.asks.append(
                Ask("which_attribute", self._text(i, j), self.items[i].start, self.items[j - 1].end, choices)
            )
            return j
        return None


def _percent(item: Item) -> float | None:
    sense = item.sense("quantity")
    value = cast("Quantity | None", sense.value if sense else None)
    return float(value.value / 100) if value is not None and value.measure == "percent" else None
