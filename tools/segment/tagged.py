"""Tags in the catalog: each is a boolean attribute, and one that has ended is named as such wherever it is used."""

from collections.abc import Iterable
from typing import Literal

from control.records import Records, TagRecord
from tools.segment import schema as s
from tools.segment.eql import to_text
from tools.segment.errors import ExpressionError
from tools.segment.expansion import load
from tools.segment.words import describe
from warehouse.catalog import Attribute, Catalog, Kind, Tagged, Words
from warehouse.errors import TouchlineError


def with_tags(catalog: Catalog, tags: Iterable[TagRecord]) -> Catalog:
    """The catalog with the tags as boolean attributes; an expired one is among them, so that it can be named as such."""
    plain = [a for a in catalog.attributes if not isinstance(a.derived, Tagged)]
    known = {a.name for a in plain}
    made = [_attribute(tag, catalog) for tag in sorted(tags, key=lambda t: t.created_at) if tag.name not in known]
    # model_copy would take the indexes and vocabularies along that were made for the other attributes.
    return Catalog(
        version=catalog.version, attributes=plain + made, events=catalog.events, entities=catalog.entities,
        metrics=catalog.metrics, terms=catalog.terms, missing=catalog.missing,
    )  # fmt: skip


def _attribute(tag: TagRecord, catalog: Catalog) -> Attribute:
    node = load(tag.tree)
    return Attribute(
        name=tag.name, kind=Kind.bool, words=Words(zh=tag.zh, en=tag.en), owner=tag.account,
        definition_zh=f"自助标签（{tag.id}）：{_described(node, catalog, 'zh')}",
        definition_en=f"Self-service tag ({tag.id}): {_described(node, catalog, 'en')}",
        derived=Tagged(tag=tag.id),
    )  # fmt: skip


def _described(node: s.Node, catalog: Catalog, language: Literal["zh", "en"]) -> str:
    try:
        return describe(node, catalog, language)
    except (KeyError, TouchlineError):  # it rests on another tag, which this catalog does not know yet
        return to_text(node)


def check_usable(names: Iterable[str], catalog: Catalog, records: Records) -> None:
    """Pass if none of these attributes is a tag that has ended.

    Raises:
        ExpressionError: one has expired or was removed.
    """
    for name in names:
        attribute = catalog.attribute_index.get(name)
        if attribute is None or not isinstance(attribute.derived, Tagged):
            continue
        tag = records.tag(attribute.derived.tag)
        if tag.removed_at is not None:
            raise ExpressionError(
                f"The tag {name} was removed.", f"标签“{name}”已被删除。",
                fix="Use its conditions, or another tag.", fix_zh="请改用具体条件，或另一个标签。",
            )  # fmt: skip
        if tag.expires_at <= records.now():
            raise ExpressionError(
                f"The tag {name} expired on {tag.expires_at:%Y-%m-%d}; its customers are not kept up to date any more.",
                f"标签“{tag.zh}”（{name}）已于 {tag.expires_at:%Y-%m-%d} 过期，不再更新。",
                fix=f"Its owner {tag.account} can renew it: touchline tag renew {name}.",
                fix_zh=f"可由负责人 {tag.account} 续期：touchline tag renew {name}。",
            )  # fmt: skip
