"""Calendar words with something that comes round: 本月过生日, 这周发薪, birthdays next month, accounts opened this month."""

import calendar as months
from datetime import date, timedelta

from agent.models.offline.amounts import forward
from agent.models.offline.asking import Asking
from agent.models.offline.boolean import disjunction
from agent.models.offline.senses import Item
from tools.segment.schema import Attr, Between, Calendar, Compare, Const, Dates, Node
from warehouse.catalog import Attribute

_GLUE = ("de", "be", "have", "people")


class CountdownPatterns(Asking):
    """Patterns of a span of days with an attribute that counts days down."""

    def _round(self, i: int) -> int | None:
        """The span before or after what comes round."""
        items = self.items
        if self.today is None:
            return None
        span = self._span(items[i])
        j = i + 1
        while j < len(items) and items[j].has("de", "be", "have") and not items[j].has("event", "attribute"):
            j += 1
        if span is not None:
            attribute = self._coming_round(j)
        else:
            attribute = self._coming_round(i)
            span = self._span(items[j]) if attribute is not None and j < len(items) else None
        if span is None or attribute is None:
            return None
        return self._push(self._within(attribute, span), attribute.name, i, j + 1)

    def _coming_round(self, i: int) -> Attribute | None:
        attributes = [a for a in self._attributes(i) if forward(a)] or self._coming(i)
        return next((a for a in attributes if a.derived and a.derived.kind != "days_to_next_maturity"), None)

    def _span(self, item: Item) -> tuple[date, date] | None:
        if (sense := item.sense("coming")) and isinstance(sense.value, Dates):
            return sense.value.start, sense.value.end
        for sense in item.all("window"):
            if isinstance(sense.value, Calendar) and self.today is not None:
                return period_days(sense.value.period, self.today.data_day)
        return None

    def _within(self, attribute: Attribute, span: tuple[date, date]) -> Node:
        """Days to go that fall into the span; days of it that are past come round again a month or a year later."""
        assert self.today is not None
        assert attribute.derived is not None
        today = self.today.data_day
        name = Attr(name=attribute.name)
        start, end = span
        nodes: list[Node] = []
        if end >= today:
            low, high = max(0, (start - today).days), (end - today).days
            nodes.append(
                Compare(left=name, op="<=", right=Const(value=high))
                if low == 0
                else Between(value=name, low=Const(value=low), high=Const(value=high))
            )
        if start < today:
            yearly = attribute.derived.kind == "days_to_anniversary"
            past = [start + timedelta(days=n) for n in range((min(end, today - timedelta(days=1)) - start).days + 1)]
            again = [(_next(day, yearly) - today).days for day in past]
            low, high = min(again), max(again)
            nodes.append(
                Compare(left=name, op="=", right=Const(value=low))
                if low == high
                else Between(value=name, low=Const(value=low), high=Const(value=high))
            )
        return disjunction(nodes)


def _next(day: date, yearly: bool) -> date:
    """The same day a year later, or a month later (on a short month's last day)."""
    year, month = (day.year + 1, day.month) if yearly else (day.year + day.month // 12, day.month % 12 + 1)
    return date(year, month, min(day.day, months.monthrange(year, month)[1]))


def period_days(period: str, today: date) -> tuple[date, date] | None:
    """First and last day of this week, this month and so on; None for spans that lie in the past altogether."""
    if period == "today":
        return today, today
    if period == "this_week":
        monday = today - timedelta(days=today.weekday())
        return monday, monday + timedelta(days=6)
    if period == "this_month":
        return today.replace(day=1), today.replace(day=months.monthrange(today.year, today.month)[1])
    return None


def past_days(period: str, today: date) -> tuple[date, date] | None:
    """First and last day, up to today, of a calendar period."""
    monday = today - timedelta(days=today.weekday())
    first = today.replace(day=1)
    quarter = first.replace(month=(today.month - 1) // 3 * 3 + 1)
    before = quarter - timedelta(days=1)
    last = first - timedelta(days=1)
    spans = {
        "today": (today, today),
        "yesterday": (today - timedelta(days=1), today - timedelta(days=1)),
        "this_week": (monday, today),
        "last_week": (monday - timedelta(days=7), monday - timedelta(days=1)),
        "this_month": (first, today),
        "last_month": (last.replace(day=1), last),
        "this_quarter": (quarter, today),
        "last_quarter": (before.replace(month=(before.month - 1) // 3 * 3 + 1, day=1), before),
        "this_year": (today.replace(month=1, day=1), today),
        "last_year": (date(today.year - 1, 1, 1), date(today.year - 1, 12, 31)),
    }
    return spans.get(period)
