"""The catalog: what a bank's data means, in Chinese and English. Everything that names data reads only this.

A bank with other columns needs another `catalog.yaml`, not other code.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from rapidfuzz import fuzz, process

from warehouse.catalog_index import WordIndex
from warehouse.errors import AdminFixes, NotFound
from warehouse.home import write_atomically

# libyaml where PyYAML was built with it: a catalog is read ten times as fast.
SafeLoader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
SafeDumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)

Named = TypeVar("Named")
Language = Literal["zh", "en"]
NAME = r"^[a-z][a-z0-9_]{0,63}$"


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Words(Model):
    """A name in both languages with what people also say."""

    zh: str
    en: str
    synonyms_zh: list[str] = []
    synonyms_en: list[str] = []

    def all(self, language: Language | None = None) -> list[str]:
        zh = [self.zh, *self.synonyms_zh] if language in (None, "zh") else []
        en = [self.en, *self.synonyms_en] if language in (None, "en") else []
        return [word for word in zh + en if word]

    def name(self, language: Language) -> str:
        return self.zh if language == "zh" else self.en


class Kind(StrEnum):
    """What values of an attribute are; decides the comparisons that make sense."""

    number = "number"
    money = "money"
    integer = "integer"
    bool = "bool"
    category = "category"
    text = "text"
    date = "date"
    timestamp = "timestamp"


class Value(Words):
    """An allowed value of a category, in order where the category is ordered (tiers, risk levels)."""

    value: str


class YearsSince(Model):
    """Whole years from a date column to the evaluation instant (a birthday counts on the day)."""

    kind: Literal["years_since"] = "years_since"
    column: str


class DaysSince(Model):
    """Whole bank-zone days from a date or timestamp column to the evaluation instant."""

    kind: Literal["days_since"] = "days_since"
    column: str


class DaysToMonthDay(Model):
    """Days until a day of the month comes again (0 today; a 31st falls on a short month's last day)."""

    kind: Literal["days_to_month_day"] = "days_to_month_day"
    column: str


class DaysToBirthday(Model):
    """Days until the next anniversary of a date (0 today; 29 February counts on 28 February in other years)."""

    kind: Literal["days_to_anniversary"] = "days_to_anniversary"
    column: str


class DaysToNextMaturity(Model):
    """Days from the evaluation day to the customer's next holding that matures on or after it; unknown if none."""

    kind: Literal["days_to_next_maturity"] = "days_to_next_maturity"


class WithinYears(Model):
    """True when a date column lies less than so many years before the evaluation instant; unknown stays unknown."""

    kind: Literal["within_years"] = "within_years"
    column: str
    years: int


class Exists(Model):
    """True when the customer has a row in another table whose column equals a value, or the column is not null."""

    kind: Literal["exists"] = "exists"
    table: str
    column: str
    equals: str | None = None


class NotNull(Model):
    """True when a column has a value."""

    kind: Literal["not_null"] = "not_null"
    column: str


class Tagged(Model):
    """True for the customers that a self-service tag held at its last run (`tag_members`)."""

    kind: Literal["tagged"] = "tagged"
    tag: str = Field(description="Its id, 'tag_7': a name may pass to another tag, an id never does.")


Derivation = Annotated[
    YearsSince
    | DaysSince
    | DaysToMonthDay
    | DaysToBirthday
    | DaysToNextMaturity
    | WithinYears
    | Exists
    | NotNull
    | Tagged,
    Field(discriminator="kind"),
]


class Attribute(Model):
    """Something known about each customer: a column of `customers`, or derived at the evaluation instant."""

    name: str = Field(pattern=NAME)
    kind: Kind
    words: Words
    unit_zh: str = ""
    unit_en: str = ""
    values: list[Value] = []
    ordered: bool = Field(False, description="The values are in ascending order: tiers, risk levels.")
    sensitivity: Literal["public", "internal", "sensitive"] = "internal"
    owner: str = ""
    definition_zh: str = ""
    definition_en: str = ""
    derived: Derivation | None = Field(None, description="None: the column of `customers` with this name.")
    reference: str = Field("", description="'branches.name': shown and matched by this name instead of the id.")

    def definition(self, language: Language) -> str:
        return self.definition_zh if language == "zh" else self.definition_en


class Property(Model):
    """Something known about each occurrence of an event (`where` of a condition) or row of a detail table."""

    name: str = Field(pattern=NAME)
    kind: Kind
    words: Words
    values: list[Value] = []
    ordered: bool = Field(False, description="The values are in ascending order: tiers, risk levels.")
    source: str = Field(
        description="'channel' (a column), 'products.kind' (through product_id), 'properties.x' (JSON), "
        "'issued_at:hour' (hour, weekday or day of a time, in the bank's zone)."
    )
    ahead: bool = Field(False, description="A date known before it comes: a maturity, a deadline.")


class Event(Model):
    """Something customers do; `verbs` are how people say that it was done ('看过', 'viewed')."""

    name: str = Field(pattern=NAME)
    words: Words
    verbs_zh: list[str] = []
    verbs_en: list[str] = []
    properties: list[Property] = []
    definition_zh: str = ""
    definition_en: str = ""


class Entity(Model):
    """A detail table beside the customer (holdings, month-end history, grants, touches) filtered as a list."""

    name: str = Field(pattern=NAME)
    table: str
    words: Words
    properties: list[Property] = []
    time: str = Field("", description="The property that windows are about, and before which a row is not known.")
    grain: Literal["", "month"] = Field(
        "", description="'month': each row tells of a whole month, known when it is over."
    )
    history: bool = Field(False, description="Rows are never removed, so that the past can be asked.")


class Metric(Model):
    """A figure people ask for. Its definition is shown with every answer.

    `kind`: `share` of customers who meet `condition`; `sum`/`mean` of `attribute`; `event_customers` who did `event`;
    `event_count`; `event_amount`. `condition` is EQL. In a campaign read-out events count from assignment through the
    goal window. For the `event_*` kinds `condition` is over the event's properties, as in `where`; otherwise over
    customers.
    """

    name: str = Field(pattern=NAME)
    words: Words
    kind: Literal["count", "share", "sum", "mean", "event_customers", "event_count", "event_amount"]
    attribute: str = ""
    event: str = ""
    condition: str = ""
    unit_zh: str = ""
    unit_en: str = ""
    definition_zh: str = ""
    definition_en: str = ""

    def definition(self, language: Language) -> str:
        return self.definition_zh if language == "zh" else self.definition_en


class Term(Model):
    """The bank's own meaning of a word ('优质客户'): an EQL expression. A vague term without one is asked about."""

    name: str = Field(pattern=NAME)
    words: Words
    expression: str = ""
    owner: str = ""
    options: list[str] = Field([], description="EQL expressions offered when the term has no meaning yet.")


class Missing(Model):
    """Something people ask for that this bank does not have, with the nearest proxies (catalog names)."""

    words: Words
    proxies: list[str] = []


class Catalog(Model):
    """All of it. Names are unique across attributes; across events; and so on."""

    version: int = 1
    attributes: list[Attribute]
    events: list[Event] = []
    entities: list[Entity] = []
    metrics: list[Metric] = []
    terms: list[Term] = []
    missing: list[Missing] = []

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read `catalog.yaml`.

        Raises:
            AdminFixes: the file is missing or does not fit; the message names the place.
        """
        try:
            return cls.model_validate(yaml.load(path.read_text("utf-8"), Loader=SafeLoader))
        except FileNotFoundError:
            raise AdminFixes(f"The catalog {path} is missing.", "Import the bank again, or restore the file.") from None
        except yaml.YAMLError as error:
            raise AdminFixes(f"The catalog {path} is not YAML: {error}", "Mend the file at that place.") from None
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            raise AdminFixes(f"The catalog {path} is wrong at {place}: {first['msg']}.", "Mend it there.") from None

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Self:
        """A copy that makes its indexes anew: those of the original may not fit what was updated."""
        copy = super().model_copy(update=update, deep=deep)
        for name in set(vars(copy)) - set(type(self).model_fields):
            del vars(copy)[name]
        return copy

    def save(self, path: Path) -> None:
        document = self.model_dump(mode="json", exclude_defaults=True)
        for entry, attribute in zip(document["attributes"], self.attributes, strict=True):
            if attribute.derived is not None:  # its `kind` is a default, but reading needs it
                entry["derived"] = attribute.derived.model_dump(mode="json")
        write_atomically(path, yaml.dump(document, Dumper=SafeDumper, allow_unicode=True, sort_keys=False, width=120))

    @cached_property
    def attribute_index(self) -> dict[str, Attribute]:
        return {a.name: a for a in self.attributes}

    @cached_property
    def event_index(self) -> dict[str, Event]:
        return {e.name: e for e in self.events}

    @cached_property
    def entity_index(self) -> dict[str, Entity]:
        return {e.name: e for e in self.entities}

    @cached_property
    def metric_index(self) -> dict[str, Metric]:
        return {m.name: m for m in self.metrics}

    def attribute(self, name: str) -> Attribute:
        """Raises: NotFound with the nearest names."""
        return self._get(self.attribute_index, name, "attribute")

    def event(self, name: str) -> Event:
        return self._get(self.event_index, name, "event")

    def entity(self, name: str) -> Entity:
        return self._get(self.entity_index, name, "detail table")

    def metric(self, name: str) -> Metric:
        return self._get(self.metric_index, name, "metric")

    @staticmethod
    def _get(index: dict[str, Named], name: str, what: str) -> Named:
        if name in index:
            return index[name]
        near = nearest(name, index)
        fix = f"Did you mean {', '.join(near)}?" if near else f"This catalog has no {what} like it."
        raise NotFound(f"There is no {what} {name!r}.", fix, nearest=near)

    def search(self, text: str, limit: int = 8) -> list[tuple[str, str, float]]:
        """Catalog entries whose names or synonyms are near a text: (kind, name, score 0..100), best first.

        Of a large catalog only the words that have something in common with the text are compared with it.
        """
        folded, words = fold(text), self._indexed
        large = len(words.folded) > LARGE
        alike = dict(words.index.near(folded, NARROWED)) if large else {}
        among = {place: words.folded[place] for place in alike} if large else dict(enumerate(words.folded))
        most = None if large else limit * 4
        hits = process.extract(folded, among, scorer=fuzz.WRatio, limit=most, score_cutoff=60)
        found: dict[tuple[str, str], tuple[float, float]] = {}
        for _, score, place in hits:
            kind, name, _ = words.entries[place]
            if large:
                # Among thousands a part of the text is often a whole name; what is alike as a whole comes before it.
                likeness = alike[place]
                order, score = score + 200 * likeness, max(score, 60 + 40 * likeness)
            else:
                order = score
            found[kind, name] = max((order, score), found.get((kind, name), (0.0, 0.0)))
        ranked = sorted(found.items(), key=lambda item: (-item[1][0], item[0]))
        return [(kind, name, score) for (kind, name), (_, score) in ranked[:limit]]

    def mentioned(self, text: str, limit: int) -> list[tuple[str, str]]:
        """Entries whose words stand in a longer text, or nearly: (kind, name), the most telling first."""
        words = self._indexed
        found = [words.entries[place][:2] for place, _ in words.index.said_in(fold(text), limit * 4)]
        return list(dict.fromkeys(found))[:limit]

    @cached_property
    def _indexed(self) -> "_Words":
        entries = list(self._words())
        folded = [fold(word) for _, _, word in entries]
        return _Words(entries, folded, WordIndex.of(folded))

    def _words(self) -> Iterator[tuple[str, str, str]]:
        groups: tuple[tuple[str, Iterable[Attribute | Event | Metric | Term]], ...] = (
            ("attribute", self.attributes), ("event", self.events), ("metric", self.metrics), ("term", self.terms),
        )  # fmt: skip
        for kind, items in groups:
            for item in items:
                for word in [item.name, *item.words.all()]:
                    yield kind, item.name, word


@dataclass(frozen=True)
class _Words:
    """Every word of a catalog with the entry it belongs to (kind, name, word), folded, and an index over them."""

    entries: list[tuple[str, str, str]]
    folded: list[str]
    index: WordIndex


LARGE = 2_500
"""Words up to which a text is compared with all of them."""
LARGE = 2_500
"""Words up to which a text is compared with all of them."""
NARROWED = 400
"""Words of a larger catalog that a text is compared with, character by character."""

CANONICAL_CATALOG = Path(__file__).with_name("canonical_catalog.yaml")


@cache
def canonical_catalog() -> Catalog:
    """The catalog of the canonical schema: what importers and the demo bank start from. Shared; do not change it."""
    return Catalog.load(CANONICAL_CATALOG)


def nearest(name: str, names: Iterable[str], limit: int = 3) -> list[str]:
    """The valid names most like a wrong one, best first."""
    hits = process.extract(name, list(names), scorer=fuzz.WRatio, limit=limit, score_cutoff=55)
    return [hit[0] for hit in hits]


def fold(text: str) -> str:
    """Text as it is compared: full-width forms and letter case folded (NFKC)."""
    return unicodedata.normalize("NFKC", text).casefold()
