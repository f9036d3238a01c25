"""Reading values: names become fields of the catalog, constants take the form of the field they are compared with."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from lark import Token

from tools.segment import schema as s
from tools.segment.errors import ExpressionError
from tools.segment.scope import Family, Scope, constant, family, family_name
from tools.segment.syntax import MEASURES, Branch, Reading, scalar_of, span_of, token_of, tree_of
from tools.segment.vocabulary import Field, value_index

_TIMES = ("date", "timestamp")


@dataclass(frozen=True)
class Typed:
    """An operand, how its values compare, and the field whose values they are (None: a number that was computed)."""

    operand: s.Operand
    family: Family
    field: Field | None = None


class ValueReader(Reading, ABC):
    """Reads attributes, constants, measures and arithmetic, and pairs of them that can be compared."""

    @abstractmethod
    def measure(self, tree: Branch, scope: Scope) -> Typed:
        """A measure over an event or a detail table."""

    def _pair(self, left: Branch, right: Branch, scope: Scope) -> tuple[Typed, Typed]:
        """Two operands that can be compared, constants put into the form of the field they are compared with."""
        a, b = self._varying(left, scope), self._varying(right, scope)
        if a is not None and b is None:
            b = self._beside(right, a, scope)
        elif b is not None and a is None:
            a = self._beside(left, b, scope)
        a, b = a or self._value(left, scope), b or self._value(right, scope)
        if a.family != b.family:
            raise self._wrong(
                right, f"{family_name(b.family).capitalize()} cannot be compared with {family_name(a.family)}.",
                f"{family_name(b.family, zh=True)}不能与{family_name(a.family, zh=True)}比较。",
            )  # fmt: skip
        if a.field is not None and b.field is not None and a.family == "category" and not same_values(a.field, b.field):
            raise self._wrong(
                right, f"{b.field.name} and {a.field.name} have different values.",
                f"{b.field.name} 与 {a.field.name} 的取值不同，不能比较。",
            )  # fmt: skip
        if not (_depends(a.operand) or _depends(b.operand)):
            raise self._wrong(left, "Nothing here depends on the customer.", "这个比较与客户无关。")
        return a, b

    def _varying(self, tree: Branch, scope: Scope) -> Typed | None:
        """What is not a constant; None for constants, and for names that can only be the values of a category."""
        if tree.data in ("const", "negative") or (tree.data == "name" and len(scope.find(str(tree.children[0]))) != 1):
            return None
        return self._value(tree, scope)

    def _beside(self, tree: Branch, other: Typed, scope: Scope) -> Typed | None:
        """A constant as a value of the field that it is compared with; None where there is no such field."""
        if other.field is None:
            return None
        return Typed(s.Const(value=self._constant(tree, other.field, scope)), other.family, other.field)

    def _value(self, tree: Branch, scope: Scope) -> Typed:
        if tree.data == "name":
            field = scope.field(self.text, token_of(tree.children[0]))
            return Typed(s.Attr(name=field.name), family(field), field)
        if tree.data in ("const", "negative"):
            value = scalar_of(tree)
            kind: Family = "bool" if isinstance(value, bool) else "text" if isinstance(value, str) else "number"
            return Typed(s.Const(value=value), kind)
        if tree.data == "arithmetic":
            return self._arithmetic(tree, scope)
        if tree.data in MEASURES:
            return self.measure(tree, scope)
        raise self._wrong(tree, "Here a value is needed, this is a condition.", "这里需要值，而这是一个条件。")

    def _arithmetic(self, tree: Branch, scope: Scope) -> Typed:
        left, right = tree_of(tree.children[0]), tree_of(tree.children[2])
        a, b = self._value(left, scope), self._value(right, scope)
        op = {"PLUS": "+", "MINUS": "-", "STAR": "*", "SLASH": "/"}[token_of(tree.children[1]).type]
        days = op == "-" and a.family in _TIMES and b.family in _TIMES
        for side, typed in ((left, a), (right, b)):
            if not days and typed.family != "number":
                raise self._wrong(
                    side, "Arithmetic is for numbers; of dates and times only a difference can be taken.",
                    "只有数值可以运算；日期和时间之间只能相减。",
                )  # fmt: skip
        return Typed(s.Arithmetic(op=op, left=a.operand, right=b.operand), "number")

    def _named(self, tree: Branch, scope: Scope) -> Field:
        if tree.data != "name":
            raise self._wrong(tree, "Here a name is needed.", "这里需要属性名称。")
        return scope.field(self.text, token_of(tree.children[0]))

    def _constant(self, tree: Branch, field: Field, scope: Scope) -> s.Scalar:
        start, end = span_of(tree)
        if tree.data == "name":
            token = token_of(tree.children[0])
            if field.values and len(names := value_index(field.values).find(str(token))) == 1:
                return names[0]
            return _bare_word(self.text, token, field, scope)
        if tree.data not in ("const", "negative"):
            raise self._wrong(tree, "Here a constant is needed.", "这里需要常量。")
        return constant(field, scalar_of(tree), self.text, start, self.text[start:end])


def _bare_word(text: str, token: Token, field: Field, scope: Scope) -> str:
    """A bare word where a constant of a field was expected: say which values or names there are."""
    if field.values:
        value = constant(field, str(token), text, token.start_pos or 0, text[token.start_pos or 0 : token.end_pos or 0])
        return str(value)
    raise_from = scope.field(text, token)
    raise ExpressionError(
        f"{raise_from.name} cannot be used here.",
        f"{raise_from.name} 不能用在这里。",
        text=text,
        position=token.start_pos or 0,
    )


def same_values(a: Field, b: Field) -> bool:
    """Whether two categories have the same values in the same order, so that they can be held against each other."""
    return [v.value for v in a.values] == [v.value for v in b.values]


def _depends(operand: s.Operand) -> bool:
    if isinstance(operand, s.Arithmetic):
        return _depends(operand.left) or _depends(operand.right)
    return isinstance(operand, s.Attr | s.Measure)
