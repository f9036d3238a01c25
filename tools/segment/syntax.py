"""The syntax tree of an expression: its parts, where they stand in the text, and what reads them against a catalog."""

from collections.abc import Sequence

from lark import Token, Tree

from tools.segment import schema as s
from tools.segment.errors import ExpressionError
from tools.segment.lexer import Amount
from tools.segment.scope import Scope, customer_scope
from tools.segment.vocabulary import Vocabulary
from warehouse.catalog import Catalog

Branch = Tree[Token]
MEASURES = ("counted", "figure")
"""Kinds of trees that measure lists: of rows as such, and of a property of theirs."""


def tree_of(child: object) -> Branch:
    """A child that the grammar says is a tree."""
    assert isinstance(child, Tree)
    return child


def token_of(child: object) -> Token:
    """A child that the grammar says is a token."""
    assert isinstance(child, Token)
    return child


def scalar_of(tree: Branch) -> s.Scalar:
    """The constant that a tree writes; a per cent as its fraction."""
    token = token_of(tree.children[-1])
    if isinstance(token, Amount):
        number = token.amount / 100 if token.type == "PERCENT" else token.amount
        return -number if tree.data == "negative" else number
    if token.type in ("TRUE", "FALSE"):
        return token.type == "TRUE"
    return str(token)


def span_of(place: object) -> tuple[int, int]:
    """Where a tree or token begins and ends in the text, in characters; (0, 0) for what stands nowhere."""
    if isinstance(place, Token):
        return place.start_pos or 0, place.end_pos or 0
    if isinstance(place, Tree):
        spans = [span_of(child) for child in place.children if child is not None]
        if spans:
            return min(a for a, _ in spans), max(b for _, b in spans)
        return getattr(place.meta, "start_pos", 0), getattr(place.meta, "end_pos", 0)
    return 0, 0


class Reading:
    """One text read against one catalog; what all its readers share."""

    def __init__(self, text: str, catalog: Catalog, words: Vocabulary) -> None:
        self.text = text
        self.catalog = catalog
        self.words = words

    def customers(self) -> Scope:
        return customer_scope(self.catalog, self.words)

    def _only_for_customers(self, tree: Branch, scope: Scope) -> None:
        if scope.label != "attribute":
            raise self._wrong(
                tree, f"Inside here only a {scope.label} can be asked for.", f"这里只能用{scope.label_zh}作条件。"
            )

    def _wrong(
        self, place: object, message: str, message_zh: str, fix: str = "", fix_zh: str = "", near: Sequence[str] = ()
    ) -> ExpressionError:
        start, end = span_of(place)
        return ExpressionError(
            message, message_zh, text=self.text, position=start, token=self.text[start:end], fix=fix, fix_zh=fix_zh,
            nearest=near,
        )  # fmt: skip
