"""What a bank writes to have its files imported: sources, one SELECT per canonical table, the catalog's extras."""

import re
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from warehouse.catalog import NAME, Attribute, Metric, Term, Words, nearest
from warehouse.clock import to_utc
from warehouse.errors import AdminFixes
from warehouse.schema import BY_NAME, CHANNELS, PURPOSES

ColumnType = Literal["VARCHAR", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "DOUBLE", "BOOLEAN", "DATE", "TIMESTAMP"]
TYPE = r"^(VARCHAR|TINYINT|SMALLINT|INTEGER|BIGINT|DOUBLE|BOOLEAN|DATE|TIMESTAMP|DECIMAL\(\d{1,2},\d{1,2}\))$"
T = TypeVar("T")
PERSONAL = ("name", "full_name", "phone", "mobile", "email", "mail", "id_card", "id_number", "address")
FILLED_BY_THE_IMPORTER = ("meta", "identities")


class MappingError(AdminFixes):
    """The mapping cannot be used as it is; the message names the place, the fix what to write there."""

    code = "mapping"


class _Loader(yaml.SafeLoader):
    """YAML in which only true and false are booleans: a column or value called `no`, `yes` or `on` stays a word."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(true|True|false|False)$"), list("tTfF"))


class Model(BaseModel):
    # Numbers are welcome where texts are meant: `allowed: [1, 2, 3]`, `nulls: [-1]`.
    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


class Text(Model):
    """A sentence in both languages."""

    zh: str
    en: str


class SourceColumn(Model):
    """What a column of a source must hold. A row that does not is quarantined."""

    type: str = Field("VARCHAR", pattern=TYPE)
    required: bool = False
    allowed: list[str] = []
    nulls: list[str] = Field([], description="Texts that mean 'unknown' in this column, beside the source's own.")


def _short_column(value: Any) -> Any:
    return {"type": value} if isinstance(value, str) else value


class Source(Model):
    """One file (or database query) and how to read it. Columns that are not described are taken as text."""

    path: str = Field("", description="Relative to the mapping; `--source NAME=PATH` replaces it.")
    url: str = Field("", description="A database URL of SQLAlchemy, or env:NAME; needs `query`.")
    query: str = Field("", description="The SELECT that is run in that database.")
    format: Literal["csv", "parquet", "json"] | None = Field(None, description="Left out: by the file's ending.")
    encoding: str = "utf-8"
    delimiter: str = Field(",", min_length=1, max_length=1)
    quote: str = Field('"', min_length=1, max_length=1)
    header: bool = True
    names: list[str] = Field([], description="The columns' names of a file without a header.")
    nulls: list[str] = [""]
    columns: dict[str, Annotated[SourceColumn, BeforeValidator(_short_column)]] = {}
    unique: list[str] = Field([], description="Columns that may not repeat together; ['*'] means the whole row.")
    final_newline: bool = Field(
        False, description="Every line, the last too, ends with a newline: else it was cut off."
    )

    @field_validator("encoding")
    @classmethod
    def _ascii_compatible(cls, value: str) -> str:
        try:
            if "a;\n".encode(value) != b"a;\n":
                raise ValueError(f"{value} cannot be read line by line; convert the file to UTF-8")
        except LookupError:
            raise ValueError(f"there is no encoding {value!r}; write utf-8, gb18030 or latin-1") from None
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not self.header and not self.names:
            raise ValueError("a file without a header needs `names`, the list of its columns")
        if bool(self.url) != bool(self.query):
            raise ValueError("a database source needs both `url` and `query`")
        if self.url and self.path:
            raise ValueError("write either `path` or `url`, not both")
        return self


class ExtraAttribute(Attribute):
    """A column of `customers` beyond the canonical ones, or one that replaces a derived attribute (such as age)."""

    type: str = Field("VARCHAR", pattern=TYPE, description="The column's SQL type.")
    required: bool = False
    future: bool = Field(False, description="A date that may lie after the data cut-off, such as a due date.")

    def meaning(self) -> Attribute:
        return Attribute.model_validate(self.model_dump(exclude={"type", "required", "future"}))


class WordsFor(Model):
    """Other words (and definition) for canonical attributes, where this bank means something else by them."""

    words: Words
    definition: Text | None = None


class MissingData(Model):
    """Something people will ask for that this bank does not have, and what comes nearest."""

    attribute: str = Field("", description="A canonical attribute without data: its own words are used.")
    words: Words | None = None
    proxies: list[str] = []

    @model_validator(mode="after")
    def _named(self) -> Self:
        if not self.attribute and self.words is None:
            raise ValueError("write `attribute` (a canonical name) or `words`")
        return self


class Consent(Model):
    """`recorded`: the mapping fills `consents`. `assumed`: everybody is taken to have agreed, and that is labelled."""

    basis: Literal["recorded", "assumed"] = "recorded"
    channels: list[str] = []
    purposes: list[str] = ["marketing", "service"]
    reason: Text | None = None

    @model_validator(mode="after")
    def _reasoned(self) -> Self:
        if self.basis == "assumed" and (self.reason is None or not self.channels):
            raise ValueError("assumed consent needs `channels` and a `reason` in both languages")
        for value, known in [(c, CHANNELS) for c in self.channels] + [(p, PURPOSES) for p in self.purposes]:
            if value not in known:
                raise ValueError(f"{value!r} is none of {', '.join(known)}")
        return self


class Identity(Model):
    """A SELECT of (customer_id, value) whose values are stored only as HMACs, to know one person by."""

    kind: Literal["phone", "id_card", "device", "wecom", "account"]
    select: str


class Design(Model):
    """What a campaign's read-out has to know beyond its row in `campaigns`."""

    strata: list[str] = Field([], description="Customer attributes within which it was randomised.")
    ratio: dict[str, float] = Field({}, description="Intended shares by arm, such as {control: 1, offer: 1}.")
    goal_where: str = Field("", description="EQL over the goal event's properties, such as kind = 'loan'.")

    @field_validator("ratio")
    @classmethod
    def _positive(cls, value: dict[str, float]) -> dict[str, float]:
        if any(share <= 0 for share in value.values()):
            raise ValueError("shares are above 0")
        return value

    def meta(self, campaign: str) -> dict[str, str]:
        """The rows of `meta` that hold it."""
        rows = {
            "strata": ",".join(self.strata),
            "ratio": ",".join(f"{arm}:{share:g}" for arm, share in self.ratio.items()),
            "goal_where": self.goal_where,
        }
        return {f"campaign:{campaign}:{key}": value for key, value in rows.items() if value}


class CatalogExtras(Model):
    attributes: list[ExtraAttribute] = []
    words: dict[str, WordsFor] = {}
    metrics: list[Metric] = []
    terms: list[Term] = []
    missing: list[MissingData] = []


class Mapping(Model):
    """The whole file. See docs/importing.md."""

    name: str = Field(pattern=NAME)
    title: Text
    description: Text
    licence: str = ""
    citation: str = ""
    as_of: datetime = Field(description="The data cut-off; a time without an offset is bank time. No row may be later.")
    zone: str = "Asia/Shanghai"
    sources: dict[str, Source] = Field(min_length=1)
    views: dict[str, str] = Field({}, description="Named SELECTs over the sources that the other SELECTs may use.")
    tables: dict[str, str] = Field(description="Canonical table → SELECT over the sources.")
    contacts: str = Field("", description="SELECT customer_id, name, phone, email: goes to the contact vault only.")
    identities: list[Identity] = []
    consent: Consent = Consent()
    designs: dict[str, Design] = Field({}, description="Campaign → how it was set up, for its read-out.")
    catalog: CatalogExtras = CatalogExtras()

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError):
            raise ValueError(f"there is no time zone {value!r}; write one such as Asia/Shanghai") from None
        return value

    @field_validator("sources", "views")
    @classmethod
    def _plain_names(cls, value: dict[str, T]) -> dict[str, T]:
        for name in value:
            if not re.match(NAME, name):
                raise ValueError(f"{name!r} cannot be a name here; use small letters, digits and _")
        return value

    @field_validator("tables")
    @classmethod
    def _canonical(cls, value: dict[str, str]) -> dict[str, str]:
        for name in value:
            if name not in BY_NAME or name in FILLED_BY_THE_IMPORTER:
                usable = [t for t in BY_NAME if t not in FILLED_BY_THE_IMPORTER]
                near = nearest(name, usable) or usable
                raise ValueError(f"there is no table {name!r} to fill; did you mean {', '.join(near)}?")
        if "customers" not in value:
            raise ValueError("the table `customers` is needed; add a SELECT for it")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.consent.basis == "assumed" and "consents" in self.tables:
            raise ValueError("consent is assumed and `consents` is filled too; keep one of the two")
        for name in self.views:
            if name in self.sources:
                raise ValueError(f"{name!r} is a source and a view; name one of them otherwise")
        columns = {c.name for c in BY_NAME["customers"].columns}
        for attribute in self.catalog.attributes:
            columns.add(attribute.name)
            if BY_NAME["customers"].column(attribute.name):
                raise ValueError(f"attribute {attribute.name!r} is canonical; give it other words under catalog.words")
            if attribute.name in PERSONAL:
                raise ValueError(
                    f"attribute {attribute.name!r} is personal data; give it under `contacts` or `identities`"
                )
            if attribute.derived is not None:
                raise ValueError(f"attribute {attribute.name!r} is a column here; leave `derived` out")
        for campaign, design in self.designs.items():
            for name in design.strata:
                if name not in columns:
                    near = nearest(name, columns)
                    raise ValueError(
                        f"designs.{campaign}.strata: customers have no {name!r}; did you mean {', '.join(near)}?"
                    )
        return self

    @property
    def cut_off(self) -> datetime:
        """`as_of` as an instant in UTC."""
        return to_utc(self.as_of, ZoneInfo(self.zone))


def load_mapping(path: Path) -> Mapping:
    """Read and check a mapping.

    Raises:
        MappingError: it is missing, is not YAML or does not fit; the message names the place, the fix what to do.
    """
    try:
        document = yaml.load(path.read_text("utf-8"), Loader=_Loader)  # a SafeLoader
    except FileNotFoundError:
        raise MappingError(
            f"There is no mapping {path}.", "Check the path; docs/importing.md shows how to write one."
        ) from None
    except UnicodeDecodeError as error:
        raise MappingError(f"The mapping {path} is not UTF-8 at byte {error.start}.", "Save it as UTF-8.") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "some place"
        raise MappingError(
            f"The mapping {path.name} is not YAML at {place}: {getattr(error, 'problem', error)}.", "Mend that line."
        ) from None
    try:
        return Mapping.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the top"
        raise MappingError(
            f"The mapping {path.name} is wrong at {place}: {_plain(first['msg'])}.", _fix(error, place)
        ) from None


def _plain(message: str) -> str:
    return message.removeprefix("Value error, ").rstrip(".")


def _fix(error: ValidationError, place: str) -> str:
    first = error.errors()[0]
    if first["type"] == "extra_forbidden":
        near = nearest(str(first["loc"][-1]), Mapping.model_fields | Source.model_fields | CatalogExtras.model_fields)
        return f"Did you mean {', '.join(near)}? Otherwise remove it." if near else "Remove it."
    if first["type"] == "missing":
        return f"Add {place}."
    more = error.error_count() - 1
    return f"Mend it there{f'; {more} more places are wrong too' if more else ''}. docs/importing.md tells the format."
