"""Reading windows of time: `last 30d`, `from 60d to 30d ago`, `last 3 months`, `in last_month`, two dates, `since entry`."""

from datetime import date
from typing import get_args

from lark import Token, Tree

from tools.segment import schema as s
from tools.segment.lexer import PERIODS_ZH, Amount
from tools.segment.syntax import Branch, Reading, token_of
from tools.segment.vocabulary import Field, Listing
from warehouse.catalog import Kind, nearest

_PERIODS: tuple[str, ...] = get_args(s.Period)
_MINUTES: dict[str, int] = {"min": 1, "h": 60, "d": 24 * 60}
LONGEST = 366_000
"""Units of a duration; more is a slip of the hand."""


class WindowReader(Reading):
    """Reads the windows of lists, and the stretches that dates lie in."""

    def _window(self, tree: object, listing: Listing) -> s.Window | None:
        """Raises: ExpressionError when the list has no time, or one that such a window does not fit."""
        if not isinstance(tree, Tree):
            return None
        if not listing.time:
            raise self._wrong(
                tree, f"The rows of {listing.name} have no time that a window could be about.",
                f"{listing.name} 的记录没有可以限定时间窗的日期。",
                "Compare one of its dates after where.", "请在 where（其中）后比较它的日期。",
            )  # fmt: skip
        window = self._stretch(tree)
        assert not isinstance(window, s.Next)
        if listing.monthly and isinstance(window, s.Last | s.Ago | s.SinceEntry):
            raise self._wrong(
                tree, f"{listing.name} has one row for each whole month.", f"{listing.name} 每个自然月只有一行。",
                "Write in last_month, 2 months ago, last 3 months, or dates.",
                "请写 in 上月、2个月 之前、最近 3个月，或起止日期。",
            )  # fmt: skip
        self._fits(tree, window, listing.fields[listing.time])
        return window

    def _during_stretch(self, tree: Branch, field: Field) -> s.Stretch:
        window = self._stretch(tree)
        if isinstance(window, s.SinceEntry):
            raise self._wrong(
                tree, "'since entry' is a window of events and detail rows.", "since entry（自进入）只能用作事件或明细的时间窗。",
            )  # fmt: skip
        self._fits(tree, window, field)
        return window

    def _fits(self, tree: Branch, window: s.Window | s.Next, field: Field) -> None:
        if field.kind is Kind.date and isinstance(window, s.Last | s.Next | s.Ago) and window.unit != "d":
            raise self._wrong(
                tree, f"{field.name} is a date; it has no time of day.", f"{field.name} 是日期，没有时分。",
                "Write whole days, such as last 7d.", "请用整天，例如 最近 7天。",
            )  # fmt: skip

    def _stretch(self, tree: Branch) -> s.Window | s.Next:
        match tree.data:
            case "last":
                token = token_of(tree.children[0])
                if isinstance(token, Amount) and token.unit == "month":
                    return s.Months(start=self._whole(token), end=1)
                return self._duration(token)
            case "next":
                last = self._duration(token_of(tree.children[0]))
                return s.Next(amount=last.amount, unit=last.unit)
            case "ago":
                return self._ago(tree)
            case "dates":
                start, end = (self._date(token_of(child)) for child in tree.children)
                if end < start:
                    raise self._wrong(tree, "The period ends before it begins.", "时间段的结束早于开始。")
                return s.Dates(start=start, end=end)
            case "calendar":
                return self._calendar(token_of(tree.children[-1]))
            case _:
                return s.SinceEntry()

    def _ago(self, tree: Branch) -> s.Window:
        tokens = [token_of(child) for child in tree.children]
        assert all(isinstance(token, Amount) for token in tokens)
        monthly = [isinstance(token, Amount) and token.unit == "month" for token in tokens]
        if all(monthly):
            start, end = self._whole(tokens[0]), self._whole(tokens[-1])
            if start < end:
                raise self._backwards(tree)
            return s.Months(start=start, end=end)
        if len(tokens) == 1:
            raise self._wrong(
                tree, "Days and hours ago are no period.", "某天或某小时之前不是时间段。",
                "Write from 3d to 2d ago, or 1 month ago.", "请写 从 3天 到 2天 之前，或 1个月 之前。",
            )  # fmt: skip
        if any(monthly):
            raise self._wrong(tree, "Months and days do not mix here.", "这里不能混用月和天。")
        first, last = (self._duration(token) for token in tokens)
        unit = min(first.unit, last.unit, key=_MINUTES.__getitem__)
        begins, ends = (x.amount * _MINUTES[x.unit] // _MINUTES[unit] for x in (first, last))
        if begins <= ends:
            raise self._backwards(tree)
        return s.Ago(start=begins, end=ends, unit=unit)

    def _backwards(self, tree: Branch) -> Exception:
        return self._wrong(
            tree, "The period ends before it begins.", "时间段的结束早于开始。",
            "The earlier comes first: from 60d to 30d ago.", "较早的写在前面：从 60天 到 30天 之前。",
        )  # fmt: skip

    def _calendar(self, token: Token) -> s.Calendar:
        period = PERIODS_ZH.get(str(token), str(token))
        if period not in _PERIODS:
            near = nearest(period, _PERIODS)
            raise self._wrong(
                token, f"{token} is not a period.", f"“{token}”不是时间段。",
                f"Known: {', '.join(_PERIODS)}.", f"可用的有：{'、'.join(PERIODS_ZH)}。", near,
            )  # fmt: skip
        return s.Calendar(period=period)

    def _duration(self, token: Token) -> s.Last:
        assert isinstance(token, Amount)
        if token.unit == "month":
            raise self._wrong(
                token, "Here a length in days, hours or minutes is needed.", "这里需要以天、小时或分钟计的时长。",
                "Such as 30d, 12h or 30min.", "例如 30天、12小时、30分钟。",
            )  # fmt: skip
        unit: s.TimeUnit = "h" if token.unit == "h" else "min" if token.unit == "min" else "d"
        return s.Last(amount=self._whole(token), unit=unit)

    def _whole(self, token: Token) -> int:
        assert isinstance(token, Amount)
        limit = LONGEST if token.unit != "month" else LONGEST // 300
        if not isinstance(token.amount, int) or not 0 < token.amount <= limit:
            raise self._wrong(
                token, "A duration is a whole number of minutes, hours, days or months, above 0.",
                "时长须为大于 0 的整数分钟、小时、天或月。",
            )  # fmt: skip
        return token.amount

    def _date(self, token: Token) -> date:
        try:
            return date.fromisoformat(str(token))
        except ValueError:
            raise self._wrong(token, f"{str(token)!r} is not a date.", f"“{token}”不是日期。", "Such as 2026-10-01.", "例如 2026-10-01。") from None  # fmt: skip
