"""From syntax tree to segment tree: names become catalog names, words become values, kinds are checked."""

from collections.abc import Sequence as Series

from lark import Token, Tree

from tools.segment import schema as s
from tools.segment.behaviour_reader import BehaviourReader
from tools.segment.grammar import read_tree
from tools.segment.lexer import Amount
from tools.segment.scope import Scope, family, family_name
from tools.segment.syntax import Branch, token_of, tree_of
from tools.segment.value_reader import Typed
from tools.segment.vocabulary import Vocabulary
from warehouse.catalog import Attribute, Catalog

_ORDER = ("<", "<=", ">", ">=")


class Reader(BehaviourReader):
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
        if kind in ("compare", "between", "in_", "match", "unknown", "during", "everyone"):
            node: s.Node = getattr(self, f"_{kind.rstrip('_')}")(tree, scope)
            return node
        if kind in ("did", "any", "holds", "sequence", "in_list", "in_segment", "sample", "top"):
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
        a, b = self._pair(tree_of(left), tree_of(right), scope)
        if op in _ORDER and not _ordered(a, b):
            raise self._wrong(
                token_of(sign), f"{family_name(a.family).capitalize()} here has no order; use = or !=.",
                f"{family_name(a.family, zh=True)}在这里没有大小顺序，请用 = 或 !=。",
            )  # fmt: skip
        if op not in _ORDER and any(_length_of_time(side.operand) for side in (a, b)):
            raise self._wrong(
                tree, "A length of time is hardly ever equal to one.", "时长不适合用等号比较。",
                "Use <, <=, > or >=.", "请用 <、<=、>、>=。",
            )  # fmt: skip
        return s.Compare(left=a.operand, op=op, right=b.operand)

    def _between(self, tree: Branch, scope: Scope) -> s.Node:
        value, low, high = (tree_of(child) for child in tree.children)
        a, b = self._pair(value, low, scope)
        _, c = self._pair(value, high, scope)
        if not (_ordered(a, b) and _ordered(a, c)):
            raise self._wrong(
                value,
                "between needs a number, a date or an ordered category.",
                "between（介于）需要数值、日期或有顺序的分类。",
            )
        return s.Between(value=a.operand, low=b.operand, high=c.operand)

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
        if isinstance(field, Attribute) and field.reference:
            raise self._wrong(
                value, f"{field.name} is matched by its whole name.", f"{field.name} 只能按完整名称匹配。",
                f"Use {field.name} = '…' or {field.name} in (…).", f"请用 {field.name} = '…' 或 {field.name} in (…)。",
            )  # fmt: skip
        if not str(text):
            raise self._wrong(token_of(text), "The text to look for is empty.", "要匹配的文本为空。")
        return s.Match(name=field.name, how=str(how), text=str(text))

    def _unknown(self, tree: Branch, scope: Scope) -> s.Node:
        value, negated = tree.children
        node = s.IsUnknown(name=self._named(tree_of(value), scope).name)
        return s.Not(child=node) if negated else node

    def _during(self, tree: Branch, scope: Scope) -> s.Node:
        value, stretch = (tree_of(child) for child in tree.children)
        field = self._named(value, scope)
        if family(field) not in ("date", "timestamp"):
            raise self._wrong(
                value, f"during is for dates and times; {field.name} is none.", f"during（落在）只用于日期和时间，{field.name} 不是。"
            )  # fmt: skip
        return s.During(name=field.name, window=self._during_stretch(stretch, field))

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
        value = self._value(tree_of(by), self.customers())
        if value.family not in ("number", "date", "timestamp"):
            raise self._wrong(
                by, f"{family_name(value.family).capitalize()} cannot be ranked.", f"{family_name(value.family, zh=True)}无法排序。"
            )  # fmt: skip
        if isinstance(value.operand, s.Const):
            raise self._wrong(by, "Nothing here depends on the customer.", "这个值与客户无关。")
        return s.Top(n=n.amount, by=value.operand, descending=token_of(kind).type == "TOP")


def _ordered(a: Typed, b: Typed) -> bool:
    """Whether two operands of one family compare by size; categories do if their values are ordered."""
    if a.family in ("number", "date", "timestamp"):
        return True
    return a.family == "category" and all(side.field is not None and side.field.ordered for side in (a, b))


def _length_of_time(operand: s.Operand) -> bool:
    return isinstance(operand, s.Measure) and operand.measure in ("recency", "since_first")


def read_all(text: str, catalog: Catalog, words: Vocabulary, children: Series[Branch | Token]) -> s.Node:
    """The tree of a whole parsed text."""
    reader = Reader(text, catalog, words)
    return reader.condition(children[0], reader.customers())
