"""EQL, the text form of segments: `parse` reads it against a catalog, `to_text` prints the canonical form."""

from lark import Token, Tree

from tools.segment import schema as s
from tools.segment.errors import ExpressionError
from tools.segment.grammar import read_tree
from tools.segment.lexer import FUNCTIONS, WORDS
from tools.segment.reader import read_all
from tools.segment.vocabulary import vocabulary
from warehouse.catalog import Catalog

MAX_LENGTH = 20_000
"""Characters of an expression; more is refused rather than parsed slowly."""
MAX_NESTING = 100
"""Levels of brackets, `not` and arithmetic: every later step walks the tree, and must not run out of stack."""
MAX_CONDITIONS = 400
"""Conditions joined by `and` or `or`, wherever they stand."""


def parse(text: str, catalog: Catalog) -> s.Node:
    """Read an expression: names and values may be catalog names or their Chinese or English words.

    Raises:
        ExpressionError: it is not EQL, names something the catalog does not have, or compares what cannot be compared.
    """
    words = vocabulary(catalog)
    if len(text) > MAX_LENGTH:
        raise ExpressionError(
            "The expression is too long.",
            "表达式过长。",
            fix="Save parts of it as segments.",
            fix_zh="请把部分条件存为客群。",
        )
    tree = read_tree(text, words)
    _check_size(tree)
    return read_all(text, catalog, words, tree.children)


def _check_size(tree: Tree[Token]) -> None:
    """Raises: ExpressionError when the syntax tree is deeper or wider than what follows can walk."""
    level, joined, depth = [tree], 0, 0
    while level:
        depth += 1
        joined += sum(len(branch.children) for branch in level if branch.data in ("and_", "or_"))
        if depth > MAX_NESTING or joined > MAX_CONDITIONS:
            raise too_large()
        level = [child for branch in level for child in branch.children if isinstance(child, Tree)]


def too_large() -> ExpressionError:
    return ExpressionError(
        f"The expression is nested more than {MAX_NESTING} levels deep, or joins more than {MAX_CONDITIONS} conditions.",
        f"表达式的嵌套超过 {MAX_NESTING} 层，或条件超过 {MAX_CONDITIONS} 个。",
        fix="Say it with fewer conditions, or upload a list.",
        fix_zh="请减少条件，或改用名单。",
    )


def to_text(node: s.Node) -> str:
    """The canonical text of a tree; `parse` reads it back to the same tree."""
    return _node(node, _OR)


_OR, _AND, _NOT = 0, 1, 2
"""How tightly the place binds: what binds more loosely needs brackets there."""


def _node(node: s.Node, place: int) -> str:
    match node:
        case s.And(children=children):
            text = " and ".join(f"({_node(c, _OR)})" if isinstance(c, s.And) else _node(c, _NOT) for c in children)
            return _brackets(text, place > _AND)
        case s.Or(children=children):
            text = " or ".join(f"({_node(c, _OR)})" if isinstance(c, s.Or) else _node(c, _AND) for c in children)
            return _brackets(text, place > _OR)
        case s.Not(child=child):
            return f"not {_negated(child)}"
        case _:
            return _leaf(node)


def _negated(child: s.Node) -> str:
    """Comparisons get brackets after `not`: it reads better, and means the same."""
    if isinstance(child, s.And | s.Or | s.Compare | s.Between | s.In | s.Match | s.IsUnknown | s.During):
        return f"({_node(child, _OR)})"
    return _node(child, _NOT)


def _brackets(text: str, needed: bool) -> str:
    return f"({text})" if needed else text


def _leaf(node: s.Node) -> str:
    match node:
        case s.Everyone():
            return "everyone"
        case s.Flag(name=name):
            return _name(name)
        case s.Compare(left=left, op=op, right=right):
            return f"{_operand(left)} {op} {_operand(right)}"
        case s.Between(value=value, low=low, high=high):
            return f"{_operand(value)} between {_operand(low)} and {_operand(high)}"
        case s.In(name=name, values=values):
            return f"{_name(name)} in ({', '.join(_scalar(v) for v in values)})"
        case s.Match(name=name, how=how, text=text):
            return f"{_name(name)} {how} {_string(text)}"
        case s.IsUnknown(name=name):
            return f"{_name(name)} is unknown"
        case s.Did():
            return f"did({_occurrence(node.event, node.where)}{_window(node.window)})"
        case s.During(name=name, window=window):
            return f"{_name(name)} during {_stretch(window)}"
        case s.HasRow():
            return f"any({_occurrence(node.table, node.where)}{_window(node.window)})"
        case s.Holds():
            return _holds(node)
        case s.Sequence():
            steps = "".join(_step(step) for step in node.steps)
            return f"sequence({_occurrence(node.event, node.where)}{steps}{_window(node.window)})"
        case s.InList(name=name, sha256=sha):
            return f"in_list({_string(name)}{f', {_string(sha)}' if sha else ''})"
        case s.InSegment(id=id_):
            return f"in_segment({_string(id_)})"
        case s.Sample(percent=percent, key=key):
            return f"sample({_number(percent)}%, {_string(key)})"
        case s.Top(n=n, by=by, descending=descending):
            return f"{'top' if descending else 'bottom'}({n} by {_operand(by)})"
        case _:
            raise AssertionError(node)


def _holds(node: s.Holds) -> str:
    parts = [_name(node.kind)] if node.kind else []
    if node.where:
        if not node.kind and isinstance(node.where, s.Flag):
            parts.append("any")
        parts.append(_node(node.where, _OR))
    if node.matures_within_days is not None:
        parts.append(f"matures within {node.matures_within_days}d")
    return f"holds({', '.join(parts)})"


def _occurrence(event: str, where: s.Node | None) -> str:
    return _name(event) + (f" where {_node(where, _OR)}" if where else "")


def _step(step: s.Step) -> str:
    return f" then {'not ' if step.negated else ''}{_occurrence(step.event, step.where)} within {step.gap.amount}{step.gap.unit}"


def _measure(node: s.Measure) -> str:
    inner = _name(node.of) + (f".{_name(node.property)}" if node.property else "")
    where = f" where {_node(node.where, _OR)}" if node.where else ""
    return f"{node.measure}({inner}{where}{_window(node.window)})"


def _window(window: s.Window | None) -> str:
    if window is None:
        return ""
    return f", in {window.period}" if isinstance(window, s.Calendar) else f", {_stretch(window)}"


def _stretch(window: s.Window | s.Next) -> str:
    match window:
        case s.Last(amount=amount, unit=unit):
            return f"last {amount}{unit}"
        case s.Next(amount=amount, unit=unit):
            return f"next {amount}{unit}"
        case s.Ago(start=start, end=end, unit=unit):
            return f"from {start}{unit} to {end}{unit} ago"
        case s.Months(start=start, end=1):
            return f"last {_months(start)}"
        case s.Months(start=start, end=end):
            return f"{_months(start)} ago" if start == end else f"from {_months(start)} to {_months(end)} ago"
        case s.Dates(start=first, end=last):
            return f"from {first.isoformat()} to {last.isoformat()}"
        case s.Calendar(period=period):
            return period
        case s.SinceEntry():
            return "since entry"


def _months(number: int) -> str:
    return f"{number} month{'s' if number > 1 else ''}"


def _operand(operand: s.Operand, right: bool = False, tight: bool = False) -> str:
    match operand:
        case s.Attr(name=name):
            return _name(name)
        case s.Const(value=value):
            return _scalar(value)
        case s.Measure():
            return _measure(operand)
        case s.Arithmetic(op=op, left=a, right=b):
            product = op in "*/"
            text = f"{_operand(a, tight=product)} {op} {_operand(b, right=True, tight=product)}"
            return f"({text})" if right or (tight and not product) else text
        case _:
            raise AssertionError(operand)


def _scalar(value: s.Scalar) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _string(value) if isinstance(value, str) else _number(value)


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() and abs(value) < 1e15 else repr(value)


def _string(text: str) -> str:
    escaped = "".join(_ESCAPED.get(c, c if c.isprintable() or c == " " else _unicode(c)) for c in text)
    return f"'{escaped}'"


_ESCAPED = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def _unicode(char: str) -> str:
    return f"\\u{ord(char):04x}" if ord(char) < 0x10000 else char


def _name(name: str) -> str:
    return f"`{name}`" if name in WORDS or name in FUNCTIONS else name
