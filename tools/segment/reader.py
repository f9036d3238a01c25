"""From syntax tree to segment tree: names become catalog names, words become values, kinds are checked."""

from collections.abc import Sequence as Series

from lark import Token, Tree

from tools.segment import schema as s
from tools.segment.behaviour_reader import BehaviourReader
from tools.segment.grammar import read_tree
from tools.segment.lexer import Amount
from tools.segment.scope import Family, Scope, family, family_name
from tools.segment.syntax import MEASURES, Branch, token_of, tree_of
from tools.segment.value_reader import ValueReader
from tools.segment.vocabulary import Vocabulary
from warehouse.catalog import Catalog

_FLIP: dict[str, s.Comparison] = {"=": "=", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
_ORDER = ("<", "<=", ">", ">=")


class Reader(ValueReader, BehaviourReader):
    """Reads the syntax tree of one text against one catalog."""

    def condition(self, tree: Branch | Token, scope: Scope) -> s.Node:
        """Raises: ExpressionError when this is a value, or something is unknown or of the wrong kind."""
        assert isinstance(tree, Tree)
        kind = tree.data
        if kind in ("and_", "or_"):
            children = tuple(self.condition(child, scope) for child in tree.children)
            return s.And(children=children) if kind == "and_" else s.Or(children=children)
        if kind == "not_":
            return s.Not(child=self.condition(tree.children[1], scope))
        if kind == "name":
            return self._flag(tree, scope)
        if kind in ("compare", "between", "in_", "match", "unknown", "everyone"):
            node: s.Node = getattr(self, f"_{kind.rstrip('_')}")(tree, scope)
            return node
        if kind in ("did", "holds", "sequence", "in_list", "in_segment", "sample", "top"):
            self._only_for_customers(tree, scope)
            node = getattr(self, f"_{kind}")(tree)
            return node  # noqa: RET504 (typed above)
        raise self._wrong(
            tree, "Here a condition is needed, this is a value.", "这里需要条件，而这是一个值。",
            "Compare it, such as aum > 5万.", "请加上比较，例如 aum > 5万。",
        )  # fmt: skip

    def _everyone(self, tree: Branch, scope: Scope) -> s.Node:
        return s.Everyone()

    def _flag(self, tree: Branch, scope: Scope) -> s.Node:
        token = token_of(tree.children[0])
        if scope.label == "attribute" and not scope.find(str(token)) and (term := self._term(str(token))):
            return term
        field = scope.field(self.text, token)
        if family(field) != "bool":
            raise self._wrong(
                tree, f"{field.name} is {family_name(family(field))}, not a condition by itself.",
                f"{field.name} 是{family_name(family(field), zh=True)}，不能单独作为条件。",
                f"Compare it, such as {field.name} {'>= 1' if family(field) == 'number' else '= …'}.",
                f"请加上比较，例如 {field.name} {'>= 1' if family(field) == 'number' else '= …'}。",
            )  # fmt: skip
        return s.Flag(name=field.name)

    def _term(self, word: str) -> s.Node | None:
        """The bank's meaning of a word such as 睡眠户, written out; a term without one is no condition."""
        names = self.words.terms.find(word)
        term = next((t for t in self.catalog.terms if t.name in names and t.expression), None)
        if term is None or len(names) != 1:
            return None
        inner = Reader(term.expression, self.catalog, self.words)
        return inner.condition(tree_of(read_tree(term.expression, self.words).children[0]), inner.customers())

    # Comparisons

    def _compare(self, tree: Branch, scope: Scope) -> s.Node:
        left, sign, right = tree.children
        op: s.Comparison = str(sign)  # type: ignore[assignment]
        assert isinstance(left, Tree)
        assert isinstance(right, Tree)
        if left.data in MEASURES:
            return self._measure(left, op, right, scope)
        if right.data in MEASURES:
            return self._measure(right, _FLIP[op], left, scope)
        a, b = self._pair(left, right, scope)
        kinds = {k for k in (a[1], b[1]) if k}
        if op in _ORDER and not self._ordered(left, a, b, kinds, scope):
            kind = next(iter(kinds))
            raise self._wrong(
                token_of(sign), f"{family_name(kind).capitalize()} here has no order; use = or !=.",
                f"{family_name(kind, zh=True)}在这里没有大小顺序，请用 = 或 !=。",
            )  # fmt: skip
        return s.Compare(left=a[0], op=op, right=b[0])

    def _ordered(
        self,
        tree: Branch,
        a: tuple[s.Operand, Family | None],
        b: tuple[s.Operand, Family | None],
        kinds: set[Family],
        scope: Scope,
    ) -> bool:
        if kinds <= {"number", "date", "timestamp"}:
            return True
        if kinds != {"category"}:
            return False
        names = [x.name for x, _ in (a, b) if isinstance(x, s.Attr)]
        return len(names) == 1 and bool(getattr(scope.fields[names[0]], "ordered", False))

    def _between(self, tree: Branch, scope: Scope) -> s.Node:
        value, low, high = (tree_of(child) for child in tree.children)
        if value.data in MEASURES:
            return s.And(children=(self._measure(value, ">=", low, scope), self._measure(value, "<=", high, scope)))
        a, b = self._pair(value, low, scope)
        _, c = self._pair(value, high, scope)
        if not self._ordered(value, a, b, {k for k in (a[1], b[1], c[1]) if k}, scope):
            raise self._wrong(
                value,
                "between needs a number, a date or an ordered category.",
                "between（介于）需要数值、日期或有顺序的分类。",
            )
        return s.Between(value=a[0], low=b[0], high=c[0])

    def _in(self, tree: Branch, scope: Scope) -> s.Node:
        value, negated, _, *items = tree.children
        field = self._named(tree_of(value), scope)
        node = s.In(name=field.name, values=tuple(self._constant(tree_of(item), field, scope) for item in items))
        return s.Not(child=node) if negated else node

    def _match(self, tree: Branch, scope: Scope) -> s.Node:
        value, how, text = tree.children
        field = self._named(tree_of(value), scope)
        if family(field) not in ("text", "category"):
            raise self._wrong(
                value, f"{how} is for texts; {field.name} is none.", f"{how} 只用于文本，{field.name} 不是文本。"
            )
        if not str(text):
            raise self._wrong(token_of(text), "The text to look for is empty.", "要匹配的文本为空。")
        return s.Match(name=field.name, how=str(how), text=str(text))

    def _unknown(self, tree: Branch, scope: Scope) -> s.Node:
        value, negated = tree.children
        node = s.IsUnknown(name=self._named(tree_of(value), scope).name)
        return s.Not(child=node) if negated else node

    # Lists, segments, samples and rankings

    def _in_list(self, tree: Branch) -> s.Node:
        name, sha = tree.children
        return s.InList(name=str(name), sha256=str(sha or ""))

    def _in_segment(self, tree: Branch) -> s.Node:
        return s.InSegment(id=str(tree.children[0]))

    def _sample(self, tree: Branch) -> s.Node:
        percent, key = tree.children
        assert isinstance(percent, Amount)
        if not 0 < percent.amount <= 100:
            raise self._wrong(percent, "A sample is above 0 % and at most 100 %.", "抽样比例须大于 0%，不超过 100%。")
        return s.Sample(percent=percent.amount, key=str(key))

    def _top(self, tree: Branch) -> s.Node:
        kind, n, by = tree.children
        assert isinstance(n, Amount)
        if not isinstance(n.amount, int) or n.amount < 1:
            raise self._wrong(n, "Here a whole number of customers is needed.", "这里需要整数客户数。")
        field = self.customers().field(self.text, token_of(by))
        if family(field) not in ("number", "date", "timestamp"):
            raise self._wrong(token_of(by), f"{field.name} cannot be ranked.", f"{field.name} 无法排序。")
        return s.Top(n=n.amount, by=field.name, descending=token_of(kind).type == "TOP")


def read_all(text: str, catalog: Catalog, words: Vocabulary, children: Series[Branch | Token]) -> s.Node:
    """The tree of a whole parsed text."""
    reader = Reader(text, catalog, words)
    return reader.condition(children[0], reader.customers())
