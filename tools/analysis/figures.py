"""A metric's value: for a segment, by an attribute, for a period, beside the period before."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import ibis
import ibis.expr.types as ir

from tools.analysis.outcomes import Outcome, of_metric, where_of
from tools.analysis.periods import Span, Timed, before, following, is_month, span
from tools.analysis.schema import MetricRow, MetricValue
from tools.segment import schema as s
from tools.segment.breakdown import group_key, grouping, label_rows, value_order
from tools.segment.columns import Customers, table
from tools.segment.compiler import Compiler
from tools.segment.segments import Segments
from tools.segment.sql import to_sql
from tools.segment.walk import attributes_of
from warehouse.catalog import Attribute, Language, Metric
from warehouse.clock import naive_utc
from warehouse.errors import ModelRetry
from warehouse.evidence import Evidence, record

DEFAULT = s.Last(amount=30, unit="d")


def is_share(metric: Metric) -> bool:
    """Whether the value is a part of all customers: a share, or customers who did something, given in per cent."""
    return metric.kind == "share" or (metric.kind == "event_customers" and "%" in (metric.unit_zh, metric.unit_en))


@dataclass(frozen=True)
class Figure:
    """A metric's value now and before, its groups, what must be said with it, and the queries."""

    now: MetricValue
    before: MetricValue | None
    rows: list[MetricRow]
    notes: list[str]
    evidence: list[Evidence]


def figure(
    segments: Segments, metric: Metric, node: s.Node, by: Attribute | None, window: Timed | None, language: Language
) -> Figure:
    """A metric's value for a segment.

    Raises:
        ModelRetry: the metric has no history for that period.
    """
    return _Query(segments, metric, segments.ready(node), by, window, language).run()


@dataclass(frozen=True)
class _Query:
    segments: Segments
    metric: Metric
    node: s.Node
    by: Attribute | None
    window: Timed | None
    language: Language

    def run(self) -> Figure:
        measured = of_metric(self.metric, self.segments.catalog)
        notes: list[str] = []
        evidence: list[Evidence] = []
        window = self.window or (DEFAULT if measured.event else None)
        if window is None:
            return self._standing(measured, notes, evidence)
        now = span(window, self.segments)
        previous = before(now, window, self.segments)
        column = self._month_column()
        if column and now.days and is_month(now.first, now.last) and now.end < self.segments.warehouse.as_of:
            self._say(
                notes,
                f"完整月份取自月末历史表（{column}）。",
                f"Complete months come from the month-end history ({column}).",
            )
            values = [self._month(column, p, evidence) for p in (now, previous)]
            return Figure(values[0], values[1], self._month_rows(column, now, evidence), notes, evidence)
        if not measured.event:
            return self._at_end(measured, now, previous, notes, evidence)
        value, rows = self._events(measured, now, evidence)
        earlier, _ = self._events(measured, previous, evidence, grouped=False)
        return Figure(value, earlier, rows, notes, evidence)

    def _say(self, notes: list[str], zh: str, en: str) -> None:
        notes.append(zh if self.language == "zh" else en)

    # The ways to a value

    def _standing(self, measured: Outcome, notes: list[str], evidence: list[Evidence]) -> Figure:
        """No period asked for: as of the data cut-off, beside 30 days earlier where the data keeps that."""
        now, rows = self._values(measured, None, None, evidence, "snapshot")
        earlier: MetricValue | None = None
        past = f"{measured.attribute}_30d_ago"
        if measured.attribute and past in self.segments.catalog.attribute_index:
            shifted = self.metric.model_copy(update={"attribute": past})
            earlier, _ = self._values(
                of_metric(shifted, self.segments.catalog), None, None, evidence, "snapshot", False
            )
            self._say(notes, f"上期为 30 天前（{past}）。", f"The value before is that of 30 days ago ({past}).")
        elif measured.condition is not None and not self._today_only(measured.condition):
            at = self.segments.warehouse.as_of - timedelta(days=30)
            earlier, _ = self._values(measured, at, None, evidence, "events", False)
            self._say(notes, "上期为 30 天前同口径。", "The value before is by the same definition, 30 days ago.")
        return Figure(now, earlier, rows, notes, evidence)

    def _at_end(
        self, measured: Outcome, now: Span, previous: Span, notes: list[str], evidence: list[Evidence]
    ) -> Figure:
        """A standing figure at the end of a period: only what has a history can be told for the past."""
        condition = measured.condition
        login = self._current_month_mau(now)
        if login is not None:
            self._say(
                notes,
                "当月尚未结束：按本月至今的登录事件计算。",
                "The month is not over: from this month's login events so far.",
            )
            measured = Outcome(**{**measured.__dict__, "condition": login(now)})
            value, rows = self._values(measured, now.end, now, evidence, "events")
            measured = Outcome(**{**measured.__dict__, "condition": login(previous)})
            earlier, _ = self._values(measured, previous.end, previous, evidence, "events", False)
            return Figure(value, earlier, rows, notes, evidence)
        past = now.end < self.segments.warehouse.as_of
        if past and (condition is None or self._today_only(condition)):
            raise ModelRetry(
                f"{self.metric.name} has no history for {now.label_en}: the data holds today's values only.",
                "Leave the period out, or ask for a complete month of a figure kept in the month-end history.",
            )
        value, rows = self._values(measured, now.end, now, evidence, "events" if past else "snapshot")
        earlier_end: MetricValue | None = None
        if condition is not None and not self._today_only(condition):
            earlier_end, _ = self._values(measured, previous.end, previous, evidence, "events", False)
        return Figure(value, earlier_end, rows, notes, evidence)

    def _today_only(self, condition: s.Node) -> bool:
        return bool(self.segments.snapshot_only(condition))

    def _current_month_mau(self, now: Span) -> Callable[[Span], s.Node] | None:
        """For a figure with a month-end history as a yes/no (MAU): its login condition within one month so far."""
        column = self._month_column()
        condition = of_metric(self.metric, self.segments.catalog).condition
        if not column.startswith("is_") or not now.days or now.first.day != 1 or not isinstance(condition, s.Did):
            return None
        did = condition
        return lambda p: s.Did(event=did.event, where=did.where, window=s.Dates(start=p.first, end=p.last))

    def _values(
        self, measured: Outcome, at: datetime | None, period: Span | None, evidence: list[Evidence], source: str,
        grouped: bool = True,
    ) -> tuple[MetricValue, list[MetricRow]]:  # fmt: skip
        compiler = self._compiler(measured, at)
        customers = compiler.customers
        if measured.condition is not None:
            found = compiler.condition(measured.condition, customers, compiler.catalog.attribute_index, True)
            value = found.cast("float64")
        else:
            value = customers.value(measured.attribute).cast("float64")
        columns = {"v": value, **self._key(compiler, grouped)}
        return self._total(customers.relation.select(**columns), period, evidence, source, grouped)

    def _events(
        self, measured: Outcome, period: Span, evidence: list[Evidence], grouped: bool = True
    ) -> tuple[MetricValue, list[MetricRow]]:
        compiler = self._compiler(measured, period.end)
        customers = compiler.customers.relation
        extra = ["amount"] if measured.counted == "amount" else []
        where = where_of(self.metric.event, self.metric.condition, self.segments.catalog)
        events = compiler.occurrences(measured.event, where, None, *extra)
        events = events.filter(events.occurred_at > ibis.literal(naive_utc(period.start)))
        hits = events.count().cast("float64")
        if measured.counted == "amount":
            value = events.p_amount.sum().fill_null(0).cast("float64")
        else:
            value = hits if measured.counted == "count" else ibis.least(hits, ibis.literal(1.0))
        done = events.group_by(e_id=events.customer_id).aggregate(v=value)
        joined = customers.left_join(done, customers.customer_id == done.e_id)
        carried = Customers(
            compiler.catalog,
            compiler.moment,
            joined.select(*[customers[c] for c in customers.columns], v_=done.v.fill_null(0.0)),
        )
        key = self._key(compiler, grouped, carried)
        return self._total(carried.relation.select(v=carried.relation.v_, **key), period, evidence, "events", grouped)

    def _compiler(self, measured: Outcome, at: datetime | None) -> Compiler:
        """A compiler whose customers are the segment's members (as they are at the data cut-off)."""
        names = measured.attributes | ({self.by.name} if self.by else set())
        compiler = self.segments.compiler(s.Everyone(), at, also=sorted(names)).here()
        if isinstance(self.node, s.Everyone):
            return compiler
        chosen = self.segments.compiler(self.node, also=sorted(attributes_of(self.node))).here().members(self.node)
        relation = compiler.customers.relation
        within = relation.filter(relation.customer_id.isin(chosen.select("customer_id").customer_id))
        object.__setattr__(compiler, "customers", Customers(compiler.catalog, compiler.moment, within))
        return compiler

    def _key(self, compiler: Compiler, grouped: bool, customers: Customers | None = None) -> dict[str, ir.Value]:
        if self.by is None or not grouped:
            return {}
        here = customers or compiler.customers
        values = compiler.customers.relation.select(v=compiler.customers.value(self.by.name))
        cut = grouping(self.segments.warehouse, values, self.by)
        return {"g": group_key(here, self.by, compiler.moment, cut)}

    def _total(
        self, values: ir.Table, period: Span | None, evidence: list[Evidence], source: str, grouped: bool
    ) -> tuple[MetricValue, list[MetricRow]]:
        keyed = self.by is not None and grouped
        grouped_values = values.group_by("g") if keyed else values
        summed = grouped_values.aggregate(n=values.v.count(), total=values.v.sum().fill_null(0.0))
        sql = to_sql(summed.order_by("g") if keyed else summed)
        result = self.segments.warehouse.read(sql)
        definition = self.metric.definition(self.language)
        title = f"{self.metric.name}{f' {period.label_en}' if period else ''}{f' by {self.by.name}' if keyed and self.by else ''}"
        evidence.append(record(self.segments.warehouse, title, sql, [], result, definition=definition))
        cells = [(None, *row) if not keyed else row for row in result.rows]
        n, total = sum(int(c[1]) for c in cells), sum(float(c[2]) for c in cells)
        value = MetricValue(
            value=self._figure(n, total),
            customers=n,
            period=period.shown(self.language) if period else None,
            source=source,
        )
        return value, self._rows(cells) if keyed else []

    def _figure(self, n: int, total: float) -> float | None:
        if self.metric.kind == "mean" or is_share(self.metric):
            return total / n if n else None
        return total

    def _rows(self, cells: list[tuple[object, ...]]) -> list[MetricRow]:
        assert self.by is not None
        compiler = self.segments.compiler(s.Everyone(), also=[self.by.name]).here()
        cut = grouping(
            self.segments.warehouse,
            compiler.customers.relation.select(v=compiler.customers.value(self.by.name)),
            self.by,
        )
        names = self._names()
        rows = []
        order = value_order(self.by, cut)
        if order is not None:
            cells = sorted(cells, key=lambda cell: (cell[0] is None, 0 if cell[0] is None else order(cell[0])))
        for key, n, total in cells:
            label = label_rows(self.by, cut, [(key, int(n))])  # type: ignore[call-overload]
            shown = names.get(key) or (label[0].zh if self.language == "zh" else label[0].en) if label else str(key)
            rows.append(MetricRow(label=shown, count=int(n), value=self._figure(int(n), float(total))))  # type: ignore[call-overload,arg-type]
        return rows

    def _names(self) -> dict[object, str]:
        if self.by is None or not self.by.reference:
            return {}
        other, column = self.by.reference.split(".")
        rows = table(other)
        return dict(self.segments.warehouse.read(to_sql(rows.select(rows[rows.columns[0]], rows[column]))).rows)

    # Month-end history

    def _month_column(self) -> str:
        """The column of the month-end history that holds this metric; empty if none does."""
        entity = next((e for e in self.segments.catalog.entities if e.table == "monthly"), None)
        known = {p.source for p in entity.properties} if entity else set()
        wanted = (f"is_{self.metric.name}", f"{self.metric.attribute}_daily_avg" if self.metric.attribute else "")
        return next((name for name in wanted if name in known), "")

    def _month_table(self, column: str, period: Span) -> ir.Table:
        monthly = table("monthly")
        first = period.first.replace(day=1)
        here = monthly.filter(monthly.month >= ibis.literal(first), monthly.month < ibis.literal(following(first)))
        members = self._compiler(of_metric(self.metric, self.segments.catalog), None).customers
        joined = here.join(members.relation, here.customer_id == members.relation.customer_id)
        key = {"g": self._key_of(members)} if self.by else {}
        value = here[column].cast("float64")
        return joined.select(v=value, **key)

    def _key_of(self, members: Customers) -> ir.Value:
        assert self.by is not None
        cut = grouping(self.segments.warehouse, members.relation.select(v=members.value(self.by.name)), self.by)
        return group_key(members, self.by, members.moment, cut)

    def _month(self, column: str, period: Span, evidence: list[Evidence]) -> MetricValue:
        values = self._month_table(column, period).select("v")
        value, _ = self._total(values, period, evidence, "monthly", False)
        return value if value.customers else value.model_copy(update={"value": None})

    def _month_rows(self, column: str, period: Span, evidence: list[Evidence]) -> list[MetricRow]:
        if self.by is None:
            return []
        return self._total(self._month_table(column, period), period, evidence, "monthly", True)[1]
