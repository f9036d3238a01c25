"""What names mean at a place of an expression, and which constants fit them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from lark import Token

from tools.segment.errors import ExpressionError
from tools.segment.schema import Scalar
from tools.segment.vocabulary import Field, Index, Listing, Vocabulary, value_index
from warehouse.catalog import Attribute, Catalog, Kind, nearest

Family = Literal["number", "bool", "category", "text", "date", "timestamp"]

FAMILY: dict[Kind, Family] = {
    Kind.number: "number", Kind.money: "number", Kind.integer: "number", Kind.bool: "bool", Kind.category: "category",
    Kind.text: "text", Kind.date: "date", Kind.timestamp: "timestamp",
}  # fmt: skip
_FAMILY_ZH = {
    "number": "数值", "bool": "是/否", "category": "分类", "text": "文本", "date": "日期", "timestamp": "时间",
}  # fmt: skip
_FAMILY_EN = {
    "number": "a number", "bool": "true or false", "category": "a category", "text": "a text", "date": "a date",
    "timestamp": "a time",
}  # fmt: skip


def family(field: Field) -> Family:
    """How values of a field compare; one that is shown by another table's name compares as a text."""
    return "text" if isinstance(field, Attribute) and field.reference else FAMILY[field.kind]


def family_name(name: Family, zh: bool = False) -> str:
    return _FAMILY_ZH[name] if zh else _FAMILY_EN[name]


@dataclass(frozen=True)
class Scope:
    """The fields that may be named: customer attributes, or the properties of an event or holding."""

    label: str
    label_zh: str
    index: Index
    fields: Mapping[str, Field]

    def find(self, word: str) -> tuple[str, ...]:
        return tuple(name for name in self.index.find(word) if name in self.fields)

    def field(self, text: str, token: Token) -> Field:
        """The one field a word means.

        Raises:
            ExpressionError: none (with the nearest), or several.
        """
        names = self.find(str(token))
        if len(names) == 1:
            return self.fields[names[0]]
        position = token.start_pos or 0
        shown = text[position : token.end_pos or position]
        if names:
            raise ambiguous(text, token, names)
        known = {word: name for name in self.fields for word in (name, *self.fields[name].words.all())}
        near = list(dict.fromkeys(known[word] for word in nearest(str(token), known)))
        raise ExpressionError(
            f"There is no {self.label} {shown!r}.", f"没有名为“{shown}”的{self.label_zh}。",
            text=text, position=position, token=shown, nearest=near,
            fix="" if near else f"Known: {', '.join(list(self.fields)[:12]) or 'none'}.",
            fix_zh="" if near else f"可用的有：{'、'.join(list(self.fields)[:12]) or '无'}。",
        )  # fmt: skip


def ambiguous(text: str, token: Token, names: tuple[str, ...]) -> ExpressionError:
    position = token.start_pos or 0
    shown = text[position : token.end_pos or position]
    return ExpressionError(
        f"{shown!r} may mean {' or '.join(names)}.", f"“{shown}”可能指 {' 或 '.join(names)}。",
        text=text, position=position, token=shown, nearest=names, fix="Write the one you mean.", fix_zh="请写明是哪一个。",
    )  # fmt: skip


def customer_scope(catalog: Catalog, words: Vocabulary) -> Scope:
    return Scope("attribute", "属性", words.attributes, catalog.attribute_index)


def list_scope(listing: Listing) -> Scope:
    return Scope(f"property of {listing.name}", f"{listing.name} 的属性", listing.index, listing.fields)


def constant(field: Field, value: Scalar, text: str, position: int, shown: str) -> Scalar:
    """A constant as a field holds it: category words become values, dates become ISO text.

    Raises:
        ExpressionError: it cannot be a value of this field.
    """
    kind = family(field)
    problem = ExpressionError(
        f"{field.name} is {family_name(kind)}; {shown} is not.", f"{field.name} 是{family_name(kind, zh=True)}，而 {shown} 不是。",
        text=text, position=position, token=shown, fix=_example(field), fix_zh=f"例如：{_example_value(field)}。",
    )  # fmt: skip
    if kind == "bool":
        if not isinstance(value, bool):
            raise problem
        return value
    if kind == "number":
        if isinstance(value, bool | str):
            raise problem
        return value
    if isinstance(field, Attribute) and field.reference and isinstance(value, int) and not isinstance(value, bool):
        return value
    if not isinstance(value, str):
        raise problem
    if kind == "category" and field.values:
        return _category(field, value, text, position, shown)
    if kind in ("date", "timestamp"):
        return _instant(kind, value, problem)
    return value


def _category(field: Field, value: str, text: str, position: int, shown: str) -> str:
    names = value_index(field.values).find(value)
    if len(names) == 1:
        return names[0]
    known = {word: v.value for v in field.values for word in (v.value, *v.all())}
    near = names or tuple(dict.fromkeys(known[word] for word in nearest(value, known)))
    near = near or tuple(v.value for v in field.values)[:8]
    raise ExpressionError(
        f"{field.name} has no value {value!r}.", f"{field.name} 没有取值“{value}”。",
        text=text, position=position, token=shown, nearest=near,
    )  # fmt: skip


def _instant(kind: Family, value: str, problem: ExpressionError) -> str:
    try:
        day = date.fromisoformat(value.strip())
    except ValueError:
        pass
    else:
        return day.isoformat()
    if kind == "date":
        raise problem
    try:
        return datetime.fromisoformat(value.strip()).isoformat()
    except ValueError:
        raise problem from None


def _example_value(field: Field) -> str:
    if field.values:
        return f"'{field.values[0].value}'"
    return {"number": "100", "bool": "true", "date": "2026-10-01", "timestamp": "'2026-10-01T09:00'"}.get(
        family(field), "'…'"
    )


def _example(field: Field) -> str:
    return f"Such as {_example_value(field)}."
