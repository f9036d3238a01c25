"""Comparisons in words: an operator before or after an amount, ranges, parts of another attribute.

以上 and 以下 include the number, 超过 and 不满 exclude it (Civil Code of China, art. 1259); so do `over` and `under` exclude,
`at least` and `up to` include. A range includes both ends.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from agent.models.offline.numbers import Quantity, Range
from agent.models.offline.senses import Duration, Item
from tools.segment.schema import Between, Compare, Comparison, Const, Node, Operand
from warehouse.catalog import Attribute, Kind

OPPOSITE: dict[str, Comparison] = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "=": "!=", "!=": "="}


@dataclass(frozen=True, slots=True)
class Amount:
    """What was said of a number: an operator with a value, or a range. `op` is empty for a bare number."""

    op: str
    value: Quantity | Duration | None = None
    between: Range | None = None
    approximate: bool = False

    @property
    def measure(self) -> str:
        if isinstance(self.value, Duration):
            return "days"
        quantity = self.value or (self.between.high if self.between else None)
        return quantity.measure if isinstance(quantity, Quantity) else ""

    @property
    def factor(self) -> int:
        quantity = self.value if isinstance(self.value, Quantity) else self.between.high if self.between else None
        return int(quantity.factor) if quantity else 1


def skip(items: Sequence[Item], i: int, *kinds: str) -> int:
    while i < len(items) and items[i].has(*kinds):
        i += 1
    return i


def amount(items: Sequence[Item], i: int) -> tuple[Amount, int] | None:
    """An amount that begins at item i: (what it says, next position). `at least 3`, `5万以上`, `between 5 and 20k`."""
    j, approximate, op = i, False, ""
    while j < len(items) and (items[j].has("approx") or (items[j].has("op") and not op)):
        if items[j].has("op"):
            op = _name(items[j], "op")
        else:
            approximate = True
        j += 1
    if j >= len(items):
        return None
    item = items[j]
    if (ranged := item.sense("range")) and not op:
        j += 1
        return Amount("between", between=cast(Range, ranged.value)), j
    if sense := item.sense("quantity"):
        value: Quantity | Duration = cast(Quantity, sense.value)
    elif sense := item.sense("duration"):
        value = cast(Duration, sense.value)
    elif (sense := item.sense("within")) and not op:
        return Amount("<=", cast(Duration, sense.value)), j + 1
    else:
        return None
    j += 1
    if j < len(items) and items[j].has("approx"):
        approximate, j = True, j + 1
    if not op and j < len(items) and items[j].has("op_after") and not _begins(items, j):
        op, j = _name(items[j], "op_after"), j + 1
    elif not op and j < len(items) and items[j].has("inside"):
        op, j = "<=", j + 1
    if (
        item.has("duration")
        and not op
        and j + 1 < len(items)
        and items[j].text in "-到至~"
        and items[j + 1].has("duration")
    ):
        return None
    return Amount(op, value, approximate=approximate), j


def _begins(items: Sequence[Item], j: int) -> bool:
    """`and under 200k` begins another bound; `30 and under` ends one."""
    return items[j].has("op") and j + 1 < len(items) and items[j + 1].has("quantity")


def _name(item: Item, kind: str) -> str:
    sense = item.sense(kind)
    return sense.name if sense else ""


def fits(attribute: Attribute, said: Amount) -> bool:
    """Whether an amount can be one of this attribute: no ages for balances, no money for ages."""
    measure = said.measure
    if attribute.kind is Kind.money:
        return measure in ("", "money", "wan")
    if attribute.kind in (Kind.number, Kind.integer):
        if measure in ("money", "wan"):
            return False
        if said.factor >= 1000 and (counts_days(attribute) or counts_years(attribute)):
            return False
        if measure == "years":
            return counts_years(attribute)
        if measure == "days":
            return counts_days(attribute) or counts_months(attribute) or counts_years(attribute)
        return measure in ("", "percent", "times")
    return False


def _units(attribute: Attribute) -> set[str]:
    return {attribute.unit_zh.casefold(), attribute.unit_en.casefold()}


def counts_years(attribute: Attribute) -> bool:
    """Its unit is years of a person's or account's life."""
    return bool(_units(attribute) & {"岁", "周岁", "年", "years", "year", "years old"}) or (
        attribute.derived is not None and attribute.derived.kind == "years_since"
    )


def counts_days(attribute: Attribute) -> bool:
    return bool(_units(attribute) & {"天", "日", "days", "day"}) or (
        attribute.derived is not None and attribute.derived.kind.startswith("days_")
    )


def counts_months(attribute: Attribute) -> bool:
    return bool(_units(attribute) & {"月", "个月", "months", "month"})


def forward(attribute: Attribute) -> bool:
    """It counts down to something that is to come."""
    return attribute.derived is not None and attribute.derived.kind in (
        "days_to_month_day", "days_to_anniversary", "days_to_next_maturity",
    )  # fmt: skip


def backward(attribute: Attribute) -> bool:
    """It counts the days since something."""
    return attribute.derived is not None and attribute.derived.kind == "days_since"


def plain(value: Quantity | Duration, attribute: Attribute | None = None) -> int | float:
    """The number in the attribute's own unit."""
    if isinstance(value, Quantity):
        return value.plain
    if attribute is not None and counts_years(attribute) and not counts_days(attribute):
        return value.days // 365 if value.days % 365 == 0 else value.days / 365
    if attribute is not None and counts_months(attribute):
        return value.days // 30 if value.days % 30 == 0 else value.days / 30
    return value.days


def compare(left: Operand, said: Amount, attribute: Attribute | None = None, default: str = "=") -> Node:
    """The condition: left op amount; percentages become fractions for ratios only (the caller's choice)."""
    if said.between:
        return Between(value=left, low=Const(value=plain(said.between.low)), high=Const(value=plain(said.between.high)))
    assert said.value is not None
    op = cast(Comparison, said.op or default)
    return Compare(left=left, op=op, right=Const(value=plain(said.value, attribute)))
