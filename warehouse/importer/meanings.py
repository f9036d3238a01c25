"""The bank's catalog: canonical entries that have data here, the mapping's own, and what this bank does not have."""

import re
from collections.abc import Iterable

import duckdb

from warehouse.catalog import (
    Attribute,
    Catalog,
    DaysToNextMaturity,
    Event,
    Exists,
    Kind,
    Metric,
    Missing,
    Tagged,
    Term,
    Value,
    Words,
    fold,
)
from warehouse.importer.mapping import Mapping
from warehouse.importer.staging import quoted
from warehouse.schema import BY_NAME

MAX_VALUES = 200


def bank_catalog(con: duckdb.DuckDBPyConnection, mapping: Mapping, canonical: Catalog) -> Catalog:
    """The catalog of the warehouse that `con` is connected to.

    An attribute, event or detail table without any data here is left out and becomes an entry of `missing`, so that
    asking for it is answered by "this bank does not have it". Events that are a campaign's goal are kept.
    """
    own = [a.meaning() for a in mapping.catalog.attributes]
    replaced = {a.name for a in own}
    attributes, absent = [], list[tuple[str, Words]]()
    for attribute in canonical.attributes:
        if attribute.name in replaced:
            continue
        if _has_data(con, attribute):
            attributes.append(_reworded(attribute, mapping))
        else:
            absent.append((attribute.name, attribute.words))
    for attribute in own:
        if _column_has_data(con, attribute.name):
            attributes.append(attribute)
        else:
            absent.append((attribute.name, attribute.words))
    attributes = [_with_values(con, a) for a in attributes]
    happened = {str(r[0]) for r in con.execute("SELECT DISTINCT name FROM events").fetchall()}
    goals = {
        str(r[0])
        for r in con.execute("SELECT DISTINCT goal_event FROM campaigns WHERE goal_event IS NOT NULL").fetchall()
    }
    events = [e for e in canonical.events if e.name in happened | goals]
    absent += [(e.name, e.words) for e in canonical.events if e not in events]
    entities = [e for e in canonical.entities if _any(con, f"SELECT 1 FROM {quoted(e.table)} LIMIT 1")]

    known = {a.name for a in attributes} | {e.name for e in events} | {e.name for e in entities}
    gone = ({a.name for a in canonical.attributes} | {e.name for e in canonical.events}) - known
    gone |= {a.name for a in own} - known
    if not any(e.name == "holding" for e in entities):
        gone.add("holds")
    own_metrics = {m.name for m in mapping.catalog.metrics}
    metrics = [m for m in canonical.metrics if m.name not in own_metrics and _usable(m, gone)]
    own_terms = {t.name for t in mapping.catalog.terms}
    terms = [t for c in canonical.terms if c.name not in own_terms and (t := _kept_term(c, gone))]
    metrics, terms = [*metrics, *mapping.catalog.metrics], [*terms, *mapping.catalog.terms]
    missing = _missing(
        mapping, canonical, absent, known | {m.name for m in metrics}, attributes, events, metrics, terms
    )
    return Catalog(
        version=canonical.version, attributes=attributes, events=events, entities=entities, metrics=metrics,
        terms=terms, missing=missing,
    )  # fmt: skip


def _any(con: duckdb.DuckDBPyConnection, sql: str, *params: str) -> bool:
    return con.execute(sql, list(params)).fetchone() is not None


def _column_has_data(con: duckdb.DuckDBPyConnection, column: str, table: str = "customers") -> bool:
    return _any(con, f"SELECT 1 FROM {quoted(table)} WHERE {quoted(column)} IS NOT NULL LIMIT 1")


def _has_data(con: duckdb.DuckDBPyConnection, attribute: Attribute) -> bool:
    derived = attribute.derived
    if derived is None:
        return _column_has_data(con, attribute.name)
    if isinstance(derived, DaysToNextMaturity):
        return _column_has_data(con, "matures_on", "holdings")
    if isinstance(derived, Exists):
        return _column_has_data(con, derived.column, derived.table)
    if isinstance(derived, Tagged):  # people make these in a home; a bank's files do not have them
        return False
    return _column_has_data(con, derived.column)


def _reworded(attribute: Attribute, mapping: Mapping) -> Attribute:
    other = mapping.catalog.words.get(attribute.name)
    if other is None:
        return attribute
    changes: dict[str, object] = {"words": other.words}
    if other.definition:
        changes |= {"definition_zh": other.definition.zh, "definition_en": other.definition.en}
    return attribute.model_copy(update=changes)


def _with_values(con: duckdb.DuckDBPyConnection, attribute: Attribute) -> Attribute:
    """Categories whose values the schema or the mapping does not fix get the values that occur, if they are few."""
    column = BY_NAME["customers"].column(attribute.name)
    fixed = bool(column.allowed) if column else bool(attribute.values)
    if attribute.kind is not Kind.category or attribute.derived or attribute.reference or fixed:
        return attribute
    found = con.execute(
        f"SELECT DISTINCT {quoted(attribute.name)}::VARCHAR FROM customers WHERE {quoted(attribute.name)} IS NOT NULL "
        f"ORDER BY 1 LIMIT {MAX_VALUES + 1}"
    ).fetchall()
    worded = {v.value: v for v in attribute.values}
    if len(found) > MAX_VALUES:
        return attribute.model_copy(update={"values": []})
    values = [worded.get(str(r[0])) or Value(value=str(r[0]), zh=str(r[0]), en=str(r[0])) for r in found]
    return attribute.model_copy(update={"values": values})


def _mentions(expression: str, names: set[str]) -> bool:
    bare = re.sub(r"'[^']*'", "", expression)
    return not names.isdisjoint(re.findall(r"[a-z][a-z0-9_]*", bare))


def _usable(metric: Metric, gone: set[str]) -> bool:
    return metric.attribute not in gone and metric.event not in gone and not _mentions(metric.condition, gone)


def _kept_term(term: Term, gone: set[str]) -> Term | None:
    """A term keeps its meaning only if all it rests on is here; a vague one keeps the options that are."""
    if term.expression:
        return None if _mentions(term.expression, gone) else term
    return term.model_copy(update={"options": [o for o in term.options if not _mentions(o, gone)]})


def _missing(
    mapping: Mapping,
    canonical: Catalog,
    absent: list[tuple[str, Words]],
    names: set[str],
    attributes: list[Attribute],
    events: list[Event],
    metrics: list[Metric],
    terms: list[Term],
) -> list[Missing]:
    """What people may ask for in vain. Words that mean something this bank does have are no part of it."""
    taken = {fold(w) for words in _all_words(attributes, events, metrics, terms) for w in words.all()}
    declared = {m.attribute: m for m in mapping.catalog.missing if m.attribute}
    entries = [Missing(words=m.words, proxies=m.proxies) for m in mapping.catalog.missing if m.words]
    for name, words in absent:
        spec = declared.get(name)
        if spec is None or spec.words is None:
            entries.append(Missing(words=words, proxies=spec.proxies if spec else []))
    entries += canonical.missing
    kept: list[Missing] = []
    for entry in entries:
        words = entry.words
        if fold(words.zh) in taken or fold(words.en) in taken:
            continue
        left = Words(
            zh=words.zh,
            en=words.en,
            synonyms_zh=[w for w in words.synonyms_zh if fold(w) not in taken],
            synonyms_en=[w for w in words.synonyms_en if fold(w) not in taken],
        )
        taken |= {fold(w) for w in left.all()}
        kept.append(Missing(words=left, proxies=[p for p in entry.proxies if p in names]))
    return kept


def _all_words(
    attributes: list[Attribute], events: list[Event], metrics: list[Metric], terms: list[Term]
) -> Iterable[Words]:
    for attribute in attributes:
        yield attribute.words
        yield from attribute.values
    yield from (entry.words for entry in events)
    yield from (entry.words for entry in metrics)
    yield from (entry.words for entry in terms)
