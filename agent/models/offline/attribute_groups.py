"""The attributes of a catalog by what the readers ask about all of them, found once: a bank may have thousands of tags, and
the readers ask many times for every request."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from agent.models.offline.amounts import counts_years
from agent.models.offline.lexicon import comparable
from warehouse.catalog import Attribute, Catalog, Kind


@dataclass(frozen=True)
class AttributeGroups:
    """Every group is in the order of the catalog; `*_words` find attributes of a group by one of their words, folded."""

    derived: tuple[Attribute, ...]
    years: tuple[Attribute, ...]
    money: tuple[Attribute, ...]
    categories: tuple[Attribute, ...]
    referring: tuple[Attribute, ...]
    money_words: Mapping[str, tuple[Attribute, ...]]
    flag_words: Mapping[str, tuple[Attribute, ...]]
    integer_words: Mapping[str, tuple[Attribute, ...]]


def attribute_groups(catalog: Catalog) -> AttributeGroups:
    """The groups of a catalog; made once and kept with it, like the catalog's own indexes."""
    found = catalog.__dict__.get("_attribute_groups")
    if not isinstance(found, AttributeGroups):
        found = catalog.__dict__["_attribute_groups"] = _build(catalog)
    return found


def named(words: Mapping[str, tuple[Attribute, ...]], said: Iterable[str]) -> list[Attribute]:
    """The attributes that one of the words names, each once, in the order of the catalog where words agree."""
    return list({a.name: a for word in said for a in words.get(word.casefold(), ())}.values())


def _build(catalog: Catalog) -> AttributeGroups:
    def those(fits: Callable[[Attribute], bool]) -> tuple[Attribute, ...]:
        return tuple(a for a in catalog.attributes if fits(a))

    money = those(lambda a: a.kind is Kind.money)
    return AttributeGroups(
        derived=those(lambda a: a.derived is not None),
        years=those(lambda a: counts_years(a) and comparable(a)),
        money=money,
        categories=those(lambda a: a.kind is Kind.category),
        referring=those(lambda a: bool(a.reference)),
        money_words=_by_word(money),
        flag_words=_by_word(those(lambda a: a.kind is Kind.bool)),
        integer_words=_by_word(those(lambda a: a.kind is Kind.integer)),
    )


def _by_word(attributes: Iterable[Attribute]) -> Mapping[str, tuple[Attribute, ...]]:
    found: dict[str, dict[str, Attribute]] = {}
    for attribute in attributes:
        for word in attribute.words.all():
            found.setdefault(word.casefold(), {})[attribute.name] = attribute
    return {word: tuple(of.values()) for word, of in found.items()}
