"""Looking at events and detail tables: their rows within a window, holdings, and sequences of events, compiled."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import timedelta
from typing import TypeAlias

import ibis
import ibis.expr.types as ir

from tools.segment import schema as s
from tools.segment.comparing import Comparing, Valued
from tools.segment.errors import ExpressionError
from tools.segment.periods import FAR, bounds, days
from tools.segment.rows import Rows, detail, relation_of, time_column
from tools.segment.vocabulary import Field, Listing, vocabulary
from tools.segment.walk import attributes_of
from warehouse.errors import DeveloperFixes

Bounded: TypeAlias = s.Last | s.Ago | s.Months | s.Dates | s.Calendar
"""Windows with the same bounds for every customer."""


class Looking(Comparing, ABC):
    """Compiles what looks at lists. `entries` names a relation (customer_id, entered_at) for `since entry`."""

    entries: str | None

    @abstractmethod
    def condition(
        self, node: s.Node, rows: Valued, fields: Mapping[str, Field], negated: bool
    ) -> ir.BooleanValue:  # fmt: skip
        """A condition over a relation; below a `not`, never NULL."""

    def occurrences(self, event: str, where: s.Node | None, window: s.Window | None, *also: str) -> ir.Table:
        """The rows of an event or detail table that are known at the evaluation instant: customer_id, the column of their
        time (`occurred_at` of events), and used properties as `p_<name>`."""
        listing = vocabulary(self.catalog).listings[event]
        used = (attributes_of(where) if where else set()) | set(also)
        rows = self._details(self._within(relation_of(listing), listing, window), listing, used)
        if where is not None:
            rows = rows.filter(self.condition(where, Rows(rows, listing.fields), listing.fields, False))
        return rows

    def _details(self, rows: ir.Table, listing: Listing, used: set[str]) -> ir.Table:
        time = time_column(listing)
        return detail(rows, listing, used, self.moment, ("customer_id", *([time] if time else [])))

    def _within(self, rows: ir.Table, listing: Listing, window: s.Window | None) -> ir.Table:
        """The rows of a list that lie in a window and are known at the evaluation instant."""
        column = time_column(listing)
        if not column and window is not None:
            raise DeveloperFixes(f"{listing.name} has no time that a window could be about.")
        rows = self._known(rows, listing, undated=window is None)
        if isinstance(window, s.SinceEntry):
            return self._since_entry(rows, column, listing.dated)
        return rows if window is None else rows.filter(*self._inside(rows[column], listing, window))

    def _known(self, rows: ir.Table, listing: Listing, undated: bool) -> ir.Table:
        """The rows known at the evaluation instant. Rows of a detail table without a time belong to no window."""
        if listing.entity is None:
            rows = rows.filter(rows["name"] == listing.name)
        column = time_column(listing)
        if not column:
            return rows
        time = rows[column]
        if listing.monthly:
            known = time < ibis.literal(self.moment.today.replace(day=1))
        else:
            known = time <= ibis.literal(self.moment.today if listing.dated else self.moment.instant)
        return rows.filter(time.isnull() | known if undated and listing.entity is not None else known)

    def _inside(self, time: ir.Value, listing: Listing, window: Bounded) -> list[ir.BooleanValue]:
        """What makes known rows lie in a window."""
        if listing.dated:
            first, last = days(window, self.moment.today)
            return [time >= ibis.literal(first), time <= ibis.literal(last)]
        start, included, end = bounds(window, self.moment.at, self.moment.zone)
        after = time >= ibis.literal(start) if included else time > ibis.literal(start)
        return [after] if isinstance(window, s.Last) else [after, time < ibis.literal(end)]

    def _since_entry(self, rows: ir.Table, column: str, dated: bool) -> ir.Table:
        if self.entries is None:
            raise ExpressionError(
                "'since entry' has a meaning only in the conditions of a canvas.", "since entry（自进入）只能用在流程画布的条件里。",
                fix="Use a window such as last 7d.", fix_zh="请改用如 last 7d（最近 7天）的时间窗。",
            )  # fmt: skip
        entries = ibis.table({"customer_id": "int64", "entered_at": "timestamp"}, name=self.entries)
        entered = entries.entered_at
        after = rows[column] >= self.moment.local_date(entered) if dated else rows[column] > entered
        joined = rows.join(entries, [rows.customer_id == entries.customer_id, after])
        return joined.select(*[rows[c] for c in rows.columns])

    def _holdings(self, node: s.Holds) -> ir.Table:
        listing = vocabulary(self.catalog).holding
        if listing is None:
            raise ExpressionError("This bank's catalog has no holdings.", "本行的数据目录没有持仓。")
        used = (attributes_of(node.where) if node.where else set()) | ({"kind"} if node.kind else set())
        rows = self._within(relation_of(listing), listing, None)
        if node.matures_within_days is not None:
            today = self.moment.today
            end = today + timedelta(days=min(node.matures_within_days, FAR))
            rows = rows.filter(rows.matures_on.between(ibis.literal(today), ibis.literal(end)))
        rows = detail(rows, listing, used, self.moment, ("customer_id",))
        if node.kind:
            rows = rows.filter(rows.p_kind == node.kind)
        if node.where is not None:
            rows = rows.filter(self.condition(node.where, Rows(rows, listing.fields), listing.fields, False))
        return rows

    def _sequence(self, node: s.Sequence) -> ir.Table:
        """The rows at which a sequence is complete: each step keeps the events that follow what is left so far, and a
        negated step those of them that nothing follows."""
        so_far = _moments(self.occurrences(node.event, node.where, node.window))
        for number, step in enumerate(node.steps):
            events = self._later(step, node).select(**{f"c{number}": "customer_id", f"t{number}": "occurred_at"}).view()
            customer, moment = events[f"c{number}"], events[f"t{number}"]
            gap = _interval(step.gap)
            if step.negated:
                over = so_far.filter(so_far.occurred_at + gap <= ibis.literal(self.moment.instant))
                so_far = over.anti_join(events, _follows(over, customer, moment, gap))
            else:
                kept = events.semi_join(so_far, _follows(so_far, customer, moment, gap))
                so_far = kept.select(customer_id=kept[f"c{number}"], occurred_at=kept[f"t{number}"])
        return so_far

    def _later(self, step: s.Step, node: s.Sequence) -> ir.Table:
        """The events of a step, from where the sequence's window begins: none before it can follow its first event."""
        rows = self.occurrences(step.event, step.where, None)
        if node.window is None or isinstance(node.window, s.SinceEntry):
            return rows
        start, _, _ = bounds(node.window, self.moment.at, self.moment.zone)
        return rows.filter(rows.occurred_at > ibis.literal(start))


def _moments(rows: ir.Table) -> ir.Table:
    return rows.select("customer_id", "occurred_at")


def _interval(gap: s.Last) -> ir.IntervalScalar:
    amount = min(gap.amount, FAR)
    return ibis.interval(**{{"min": "minutes", "h": "hours", "d": "days"}[gap.unit]: amount})


def _follows(
    before: ir.Table, customer: ir.IntegerValue, moment: ir.TimestampValue, gap: ir.IntervalScalar
) -> list[ir.BooleanValue]:
    return [before.customer_id == customer, moment > before.occurred_at, moment <= before.occurred_at + gap]
