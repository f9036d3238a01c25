"""What the catalog says about a word: entries with definitions and values, what is missing, past campaigns."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict
from rapidfuzz import fuzz

from control.records import Actor
from tools.segment.vocabulary import fold
from warehouse.catalog import Attribute, Catalog, Entity, Event, Language, Metric, Property, Term
from warehouse.evidence import Evidence, record
from warehouse.store import Warehouse


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class ValueEntry(Frozen):
    value: str
    label: str


class FieldEntry(Frozen):
    """A property of an event or detail table, usable after `where`."""

    name: str
    label: str
    kind: str
    values: list[ValueEntry] = []


class Entry(Frozen):
    """One catalog entry; `group` is attribute, event, table (of details), metric or term."""

    group: str
    name: str
    label: str
    kind: str = ""
    unit: str = ""
    definition: str = ""
    values: list[ValueEntry] = []
    properties: list[FieldEntry] = []
    expression: str = ""
    options: list[str] = []
    owner: str = ""
    sensitivity: str = ""


class MissingEntry(Frozen):
    """Something the bank does not have, with the nearest of what it has."""

    label: str
    proxies: list[str]


class CampaignEntry(Frozen):
    id: str
    name: str
    category: str
    goal_event: str
    randomised: bool | None
    started_at: datetime | None
    ended_at: datetime | None
    hypothesis: str = ""


CLOSE = 84.0
"""How near a word must come (0..100) to be taken as asked about."""

DISTANT = 70.0
"""How near it must come to be offered where nothing is close."""


def entries(catalog: Catalog, about: str, language: Language, limit: int = 8) -> list[Entry]:
    """The catalog entries nearest to a text, best first."""
    found = {(kind, name): score for kind, name, score in catalog.search(about, limit)}
    near = [key for key, score in found.items() if score >= CLOSE]
    if not near and not missing(catalog, about, language):
        near = [key for key, score in found.items() if score >= DISTANT][:3]
    tables = [
        _table(entity, language) for entity in catalog.entities if _near(about, [entity.name, *entity.words.all()])
    ]
    return [_entry(catalog, kind, name, language) for kind, name in near] + tables


def _entry(catalog: Catalog, kind: str, name: str, language: Language) -> Entry:
    if kind == "attribute":
        return _attribute(catalog.attribute(name), language)
    if kind == "event":
        return _event(catalog.event(name), language)
    if kind == "metric":
        return _metric(catalog.metric(name), language)
    return _term(next(term for term in catalog.terms if term.name == name), language)


def _attribute(a: Attribute, language: Language) -> Entry:
    unit = a.unit_zh if language == "zh" else a.unit_en
    return Entry(
        group="attribute", name=a.name, label=a.words.name(language), kind=a.kind.value, unit=unit,
        definition=a.definition(language), values=_values(a, language), owner=a.owner, sensitivity=a.sensitivity,
    )  # fmt: skip


def _event(e: Event, language: Language) -> Entry:
    definition = e.definition_zh if language == "zh" else e.definition_en
    return Entry(
        group="event", name=e.name, label=e.words.name(language), definition=definition, properties=_fields(e, language)
    )  # fmt: skip


def _table(e: Entity, language: Language) -> Entry:
    return Entry(group="table", name=e.name, label=e.words.name(language), properties=_fields(e, language))


def _fields(listed: Event | Entity, language: Language) -> list[FieldEntry]:
    return [
        FieldEntry(name=p.name, label=p.words.name(language), kind=p.kind.value, values=_values(p, language))
        for p in listed.properties
    ]


def _metric(m: Metric, language: Language) -> Entry:
    unit = m.unit_zh if language == "zh" else m.unit_en
    return Entry(
        group="metric", name=m.name, label=m.words.name(language), kind=m.kind, unit=unit,
        definition=m.definition(language), expression=m.condition,
    )  # fmt: skip


def _term(t: Term, language: Language) -> Entry:
    return Entry(
        group="term",
        name=t.name,
        label=t.words.name(language),
        expression=t.expression,
        options=t.options,
        owner=t.owner,
    )


def _values(field: Attribute | Property, language: Language) -> list[ValueEntry]:
    return [ValueEntry(value=v.value, label=v.name(language)) for v in field.values]


def missing(catalog: Catalog, about: str, language: Language) -> list[MissingEntry]:
    """What the bank does not have: all of it for an empty text, else what the text names."""
    wanted = [m for m in catalog.missing if not about or _near(about, m.words.all())]
    return [MissingEntry(label=m.words.name(language), proxies=m.proxies) for m in wanted]


def _near(about: str, words: Iterable[str]) -> bool:
    folded = fold(about)
    return any(fold(word) in folded or fuzz.ratio(fold(word), folded) >= CLOSE for word in words)


SHOWN_NAMES = 60
"""Names that an overview lists of one group; of thousands of tags nobody reads all, and no model's context holds them."""


def overview(catalog: Catalog, language: Language) -> dict[str, list[str]]:
    """Names with their words, by group; of a large group the first, and how many more there are to search."""
    groups: dict[str, Sequence[Attribute | Event | Entity | Metric | Term]] = {
        "attributes": catalog.attributes, "events": catalog.events, "tables": catalog.entities, "metrics": catalog.metrics,
        "terms": catalog.terms,
    }  # fmt: skip
    return {group: _listed(items, language) for group, items in groups.items()}


def _listed(items: Sequence[Attribute | Event | Entity | Metric | Term], language: Language) -> list[str]:
    names = [f"{i.name} ({i.words.name(language)})" for i in items[:SHOWN_NAMES]]
    rest = len(items) - len(names)
    if rest:
        names.append(
            f"……另有 {rest:,} 个，请说出要找的词"
            if language == "zh"
            else f"… and {rest:,} more: name a word to find them"
        )
    return names


def campaigns(warehouse: Warehouse, actor: Actor) -> tuple[list[CampaignEntry], Evidence]:
    """All campaigns on record, the newest first. What a campaign was is known to all; its customers are not shown."""
    sql = (
        "SELECT campaign_id, name, category, goal_event, randomised, started_at, ended_at, hypothesis"
        " FROM campaigns ORDER BY started_at DESC NULLS LAST, campaign_id"
    )
    result = warehouse.read(sql)
    found = [
        CampaignEntry(
            id=str(r["campaign_id"]), name=r["name"] or "", category=r["category"] or "", goal_event=r["goal_event"] or "",
            randomised=r["randomised"], started_at=_aware(r["started_at"]), ended_at=_aware(r["ended_at"]),
            hypothesis=r["hypothesis"] or "",
        )
        for r in result.dicts()
    ]  # fmt: skip
    return found, record(warehouse, "campaigns", sql, [], result)


def matching(found: list[CampaignEntry], about: str) -> list[CampaignEntry]:
    """The campaigns a text names; all of them for an empty text or one that speaks of campaigns."""
    folded = fold(about)
    if not folded or any(word in folded for word in ("活动", "campaign", "战役")):
        return found
    return [c for c in found if fold(c.id) in folded or fuzz.partial_ratio(fold(c.name), folded) >= CLOSE]


def _aware(value: datetime | None) -> datetime | None:
    return value.replace(tzinfo=UTC) if value else None
