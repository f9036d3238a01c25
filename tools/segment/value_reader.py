"""Reading values: names become fields of the catalog, constants take the form of the field they are compared with."""

from lark import Token

from tools.segment import schema as s
from tools.segment.errors import ExpressionError
from tools.segment.scope import Family, Scope, constant, family, family_name
from tools.segment.syntax import MEASURES, Branch, Reading, scalar_of, span_of, token_of, tree_of
from tools.segment.vocabulary import Field, value_index


class ValueReader(Reading):
    """Reads attributes, constants and arithmetic, and pairs of them that can be compared."""

    def _pair(
        self, left: Branch, right: Branch, scope: Scope
    ) -> tuple[tuple[s.Operand, Family | None], tuple[s.Operand, Family | None]]:
        """Two operands that can be compared, constants put into the form of the field they are compared with."""
        fields = [self._field_or_none(side, scope) for side in (left, right)]
        for index, (side, other) in enumerate(((left, right), (right, left))):
            field = fields[index]
            if field is not None and fields[1 - index] is None and other.data in ("const", "negative", "name"):
                value = (self._attr(side, field), family(field))
                fixed = (s.Const(value=self._constant(other, field, scope)), family(field))
                return (value, fixed) if index == 0 else (fixed, value)
        a, b = self._value(left, scope), self._value(right, scope)
        if a[1] != b[1]:
            raise self._wrong(
                right, f"{family_name(b[1]).capitalize()} cannot be compared with {family_name(a[1])}.",
                f"{family_name(b[1], zh=True)}不能与{family_name(a[1], zh=True)}比较。",
            )  # fmt: skip
        if not (_has_attribute(a[0]) or _has_attribute(b[0])):
            raise self._wrong(left, "Nothing here depends on the customer.", "这个比较与客户无关。")
        return a, b

    def _value(self, tree: Branch, scope: Scope) -> tuple[s.Operand, Family]:
        if tree.data == "name":
            field = scope.field(self.text, token_of(tree.children[0]))
            return self._attr(tree, field), family(field)
        if tree.data in ("const", "negative"):
            value = scalar_of(tree)
            kind: Family = "bool" if isinstance(value, bool) else "text" if isinstance(value, str) else "number"
            return s.Const(value=value), kind
        if tree.data == "arithmetic":
            left, sign, right = tree.children
            operands = []
            for side in (tree_of(left), tree_of(right)):
                operand, kind = self._value(side, scope)
                if kind != "number":
                    raise self._wrong(side, "Arithmetic is for numbers.", "只有数值可以运算。")
                operands.append(operand)
            op = {"PLUS": "+", "MINUS": "-", "STAR": "*", "SLASH": "/"}[token_of(sign).type]
            return s.Arithmetic(op=op, left=operands[0], right=operands[1]), "number"
        if tree.data in MEASURES:
            raise self._wrong(
                tree, "count, sum and recency are compared with a number.", "count、sum、recency 只能与数字比较。",
                "Such as count(login, last 30d) >= 3.", "例如 count(login, last 30d) >= 3。",
            )  # fmt: skip
        raise self._wrong(tree, "Here a value is needed, this is a condition.", "这里需要值，而这是一个条件。")

    def _attr(self, tree: Branch, field: Field) -> s.Attr:
        return s.Attr(name=field.name)

    def _field_or_none(self, tree: Branch, scope: Scope) -> Field | None:
        if tree.data != "name":
            return None
        names = scope.find(str(tree.children[0]))
        return scope.fields[names[0]] if len(names) == 1 else None

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


def _has_attribute(operand: s.Operand) -> bool:
    if isinstance(operand, s.Arithmetic):
        return _has_attribute(operand.left) or _has_attribute(operand.right)
    return isinstance(operand, s.Attr)
