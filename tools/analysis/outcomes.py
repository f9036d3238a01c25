"""What is measured: a metric, an attribute or an event becomes a value per assigned customer."""

from dataclasses import dataclass
from typing import Literal

import ibis
import ibis.expr.types as ir

from tools.segment import schema as s
from tools.segment.compiler import Compiler
from tools.segment.eql import parse
from tools.segment.vocabulary import fold
from tools.segment.walk import attributes_of
from warehouse.catalog import Catalog, Kind, Language, Metric, nearest
from warehouse.errors import NotFound

Count = Literal["customers", "count", "amount"]


@dataclass(frozen=True)
class Outcome:
    """What is measured on each customer.

    Exactly one of `event`, `attribute`, `condition` is set. `binary` outcomes are 0 or 1 and their mean is a rate.
    """

    name: str
    words_zh: str
    words_en: str
    definition_zh: str
    definition_en: str
    binary: bool
    event: str = ""
    where: s.Node | None = None
    counted: Count = "customers"
    attribute: str = ""
    condition: s.Node | None = None
    unit_zh: str = ""
    unit_en: str = ""

    def label(self, language: Language) -> str:
        return self.words_zh if language == "zh" else self.words_en

    def definition(self, language: Language) -> str:
        return self.definition_zh if language == "zh" else self.definition_en

    def unit(self, language: Language) -> str:
        return "rate" if self.binary else self.unit_zh if language == "zh" else self.unit_en

    @property
    def attributes(self) -> set[str]:
        """The customer attributes that must be at hand."""
        return ({self.attribute} if self.attribute else set()) | (
            attributes_of(self.condition) if self.condition else set()
        )


def outcome(name: str, catalog: Catalog) -> Outcome:
    """A metric, an event or an attribute by name, or by one of its words.

    Raises:
        NotFound: nothing measurable has this name; `fix` offers the nearest.
    """
    kind, found = _find(name, catalog)
    if kind == "metric":
        return of_metric(catalog.metric(found), catalog)
    if kind == "event":
        return of_event(found, "", catalog)
    attribute = catalog.attribute(found)
    if attribute.kind not in (Kind.bool, Kind.number, Kind.money, Kind.integer) or attribute.reference:
        raise NotFound(f"{found} is not a yes/no or a number.", "Name a metric, an event, or such an attribute.")
    return Outcome(
        name=found, words_zh=attribute.words.zh, words_en=attribute.words.en, definition_zh=attribute.definition_zh,
        definition_en=attribute.definition_en, binary=attribute.kind is Kind.bool, attribute=found,
        unit_zh=attribute.unit_zh, unit_en=attribute.unit_en,
    )  # fmt: skip


def find_metric(word: str, catalog: Catalog) -> Metric:
    """A metric by its name or one of its words.

    Raises:
        NotFound: there is none; `fix` offers the nearest.
    """
    folded = fold(word)
    found = [m for m in catalog.metrics if folded == m.name or folded in map(fold, m.words.all())]
    if len(found) == 1:
        return found[0]
    known = {w: m.name for m in catalog.metrics for w in (m.name, *m.words.all())}
    near = [m.name for m in found] or list(dict.fromkeys(known[w] for w in nearest(word, known, 5)))[:3]
    raise NotFound(
        f"There is no one metric {word!r}.",
        f"Nearest: {', '.join(near)}." if near else f"Known: {', '.join(catalog.metric_index)}.",
        nearest=near,
    )


def of_metric(metric: Metric, catalog: Catalog) -> Outcome:
    """A catalog metric as a value per customer; its condition is over the event's properties for event metrics."""
    event_like = metric.kind in ("event_customers", "event_count", "event_amount")
    counted: Count = {"event_count": "count", "event_amount": "amount"}.get(metric.kind, "customers")  # type: ignore[assignment]
    condition = parse(metric.condition or "everyone", catalog) if metric.kind in ("count", "share") else None
    return Outcome(
        name=metric.name, words_zh=metric.words.zh, words_en=metric.words.en, definition_zh=metric.definition_zh,
        definition_en=metric.definition_en, binary=metric.kind in ("count", "share", "event_customers"),
        event=metric.event if event_like else "", where=where_of(metric.event, metric.condition, catalog) if event_like else None,
        counted=counted, attribute=metric.attribute if metric.kind in ("sum", "mean") else "", condition=condition,
        unit_zh=metric.unit_zh, unit_en=metric.unit_en,
    )  # fmt: skip


def of_event(event: str, where: str, catalog: Catalog) -> Outcome:
    """Whether a customer did an event (optionally with a condition on its properties)."""
    entry = catalog.event(event)
    extra_zh, extra_en = (f"，且 {where}", f" with {where}") if where else ("", "")
    return Outcome(
        name=event, words_zh=entry.words.zh, words_en=entry.words.en,
        definition_zh=f"在目标窗口内有过“{entry.words.zh}”的客户占比{extra_zh}。",
        definition_en=f"Share of customers with at least one {entry.words.en} within the goal window{extra_en}.",
        binary=True, event=event, where=where_of(event, where, catalog),
    )  # fmt: skip


def where_of(event: str, condition: str, catalog: Catalog) -> s.Node | None:
    """A condition over an event's properties."""
    if not condition:
        return None
    did = parse(f"did({event} where {condition})", catalog)
    assert isinstance(did, s.Did)
    return did.where


def _find(name: str, catalog: Catalog) -> tuple[str, str]:
    for kind, index in (
        ("metric", catalog.metric_index), ("event", catalog.event_index), ("attribute", catalog.attribute_index),
    ):  # fmt: skip
        if name in index:
            return kind, name
    folded = fold(name)
    words = {
        "metric": {m.name: m.words.all() for m in catalog.metrics},
        "event": {e.name: e.words.all() for e in catalog.events},
        "attribute": {a.name: a.words.all() for a in catalog.attributes},
    }
    for kind, entries in words.items():
        found = [entry for entry, group in entries.items() if folded in map(fold, group)]
        if len(found) == 1:
            return kind, found[0]
    known = {w: entry for entries in words.values() for entry, group in entries.items() for w in (entry, *group)}
    near = list(dict.fromkeys(known[w] for w in nearest(name, known, 5)))[:3]
    raise NotFound(
        f"There is nothing to measure by the name {name!r}.",
        f"Nearest: {', '.join(near)}." if near else f"Known metrics: {', '.join(catalog.metric_index)}.",
        nearest=near,
    )


def assigned_values(compiler: Compiler, measured: Outcome, assigned: ir.Table, window_days: int | None) -> ir.Table:
    """The assigned customers with their outcome as column `v` (NULL is unknown).

    Args:
        compiler: with the population as its customers (`here()`).
        assigned: customer_id, arm, assigned_at and whatever else is to be kept.
        window_days: events count after assignment and through so many days of 24 hours; None means without end.
    """
    if measured.event:
        return _event_values(compiler, measured, assigned, window_days)
    customers = compiler.customers
    if measured.condition is not None:
        found = compiler.condition(measured.condition, customers, compiler.catalog.attribute_index, True)
        value = found.cast("float64")
    else:
        value = customers.value(measured.attribute).cast("float64")
    values = customers.relation.select(v_id=customers.relation.customer_id, v=value)
    joined = assigned.join(values, assigned.customer_id == values.v_id)
    return joined.select(*[assigned[c] for c in assigned.columns], values.v)


def _event_values(compiler: Compiler, measured: Outcome, assigned: ir.Table, window_days: int | None) -> ir.Table:
    extra = ["amount"] if measured.counted == "amount" else []
    events = compiler.occurrences(measured.event, measured.where, None, *extra)
    conditions = [assigned.customer_id == events.customer_id, events.occurred_at > assigned.assigned_at]
    if window_days is not None:
        conditions.append(events.occurred_at <= assigned.assigned_at + ibis.interval(days=window_days))
    hits = assigned.join(events, conditions)
    chosen = {"h_id": assigned.customer_id}
    if measured.counted == "amount":
        chosen["amount"] = events.p_amount
    hits = hits.select(**chosen)
    if measured.counted == "customers":
        per_customer = hits.select("h_id").distinct().mutate(hit=ibis.literal(1.0))
    else:
        total = hits.amount.sum().fill_null(0) if measured.counted == "amount" else hits.count()
        per_customer = hits.group_by("h_id").aggregate(hit=total.cast("float64"))
    joined = assigned.left_join(per_customer, assigned.customer_id == per_customer.h_id)
    return joined.select(*[assigned[c] for c in assigned.columns], v=per_customer.hit.fill_null(0.0))
