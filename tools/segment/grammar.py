"""The grammar of EQL, as lark reads it (LALR). Conditions and values share one grammar; `reader` tells them apart."""

from collections.abc import Iterable

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedToken

from tools.segment.errors import ExpressionError
from tools.segment.lexer import EqlLexer, tokens
from tools.segment.vocabulary import Vocabulary

GRAMMAR = """
start: expr
?expr: conjunction | conjunction (_OR conjunction)+ -> or_
?conjunction: negation | negation (_AND negation)+ -> and_
?negation: comparison | NOT negation -> not_
?comparison: sum
    | sum COMPARE sum -> compare
    | sum _BETWEEN sum _AND sum -> between
    | sum [NOT] IN _LPAR sum (_COMMA sum)* _RPAR -> in_
    | sum MATCH STRING -> match
    | sum _IS [NOT] _UNKNOWN -> unknown
    | sum _DURING stretch -> during
?sum: product | sum (PLUS | MINUS) product -> arithmetic
?product: factor | product (STAR | SLASH) factor -> arithmetic
?factor: atom | MINUS NUMBER -> negative | MINUS PERCENT -> negative
?atom: NUMBER -> const | PERCENT -> const | STRING -> const | DATE -> const | TRUE -> const | FALSE -> const
    | NAME -> name
    | EVERYONE -> everyone
    | _LPAR expr _RPAR
    | _DID _LPAR NAME [where] [_COMMA window] _RPAR -> did
    | _HAS _LPAR NAME [where] [_COMMA window] _RPAR -> any
    | COUNTED _LPAR NAME [where] [_COMMA window] _RPAR -> counted
    | FIGURE _LPAR NAME _DOT NAME [where] [_COMMA window] _RPAR -> figure
    | _HOLDS _LPAR [holding (_COMMA holding)*] _RPAR -> holds
    | _SEQUENCE _LPAR NAME [where] step+ [_COMMA window] _RPAR -> sequence
    | _IN_LIST _LPAR STRING [_COMMA STRING] _RPAR -> in_list
    | _IN_SEGMENT _LPAR STRING _RPAR -> in_segment
    | _SAMPLE _LPAR PERCENT _COMMA STRING _RPAR -> sample
    | (TOP | BOTTOM) _LPAR NUMBER _BY sum _RPAR -> top
where: _WHERE expr
step: _THEN [NOT] NAME [where] _WITHIN DURATION
window: _LAST DURATION -> last
    | _FROM (DATE | STRING) _TO (DATE | STRING) -> dates
    | _FROM DURATION _TO DURATION _AGO -> ago
    | DURATION _AGO -> ago
    | IN NAME -> calendar
    | _SINCE _ENTRY -> since_entry
?stretch: window
    | _NEXT DURATION -> next
    | NAME -> calendar
holding: expr -> held
    | ANY -> any_kind
    | _MATURES _WITHIN DURATION -> matures
%declare _AND _OR NOT _BETWEEN IN _IS _UNKNOWN MATCH TRUE FALSE EVERYONE _WHERE _THEN _WITHIN _BY _LAST _FROM _TO
%declare _SINCE _ENTRY _AGO _NEXT _DURING _MATURES ANY _DID _HAS COUNTED FIGURE _HOLDS _SEQUENCE _IN_LIST _IN_SEGMENT _SAMPLE TOP BOTTOM
%declare NUMBER PERCENT DURATION DATE STRING NAME COMPARE _LPAR _RPAR _COMMA _DOT PLUS MINUS STAR SLASH
"""

_PARSER = Lark(
    GRAMMAR, parser="lalr", lexer=EqlLexer, maybe_placeholders=True, propagate_positions=True, keep_all_tokens=False
)

_EXPECTED: dict[str, tuple[str, str]] = {
    "NAME": ("a name", "名称"), "NUMBER": ("a number", "数字"), "PERCENT": ("a percentage such as 5%", "百分比（如 5%）"),
    "DURATION": ("a duration such as 7d, 12h or 3 months", "时长（如 7d、12h、30天、3个月）"), "DATE": ("a date such as 2026-10-01", "日期（如 2026-10-01）"),
    "STRING": ("a text in quotes", "带引号的文本"), "COMPARE": ("a comparison (=, !=, <, <=, >, >=)", "比较符（=、!=、<、<=、>、>=）"),
    "_LPAR": ("'('", "“(”"), "_RPAR": ("')'", "“)”"), "_COMMA": ("','", "“,”"), "_DOT": ("'.'", "“.”"),
    "_AND": ("'and'", "“and（且）”"), "_OR": ("'or'", "“or（或）”"), "NOT": ("'not'", "“not（非）”"), "IN": ("'in'", "“in（属于）”"),
    "_BETWEEN": ("'between'", "“between（介于）”"), "_WHERE": ("'where'", "“where（其中）”"), "_THEN": ("'then'", "“then（然后）”"),
    "_WITHIN": ("'within'", "“within（之内）”"), "_BY": ("'by'", "“by（按）”"), "_TO": ("'to'", "“to（到）”"),
    "_LAST": ("'last'", "“last（最近）”"), "_FROM": ("'from'", "“from（从）”"), "_SINCE": ("'since'", "“since（自）”"),
    "_ENTRY": ("'entry'", "“entry（进入）”"), "_UNKNOWN": ("'unknown'", "“unknown（未知）”"),
    "_AGO": ("'ago'", "“之前（ago）”"), "_NEXT": ("'next'", "“next（未来）”"), "_DURING": ("'during'", "“during（落在）”"),
    "_MATURES": ("'matures'", "“matures（到期）”"), "ANY": ("'any'", "“any（任意）”"), "$END": ("the end", "结尾"),
}  # fmt: skip
_VALUE_STARTS = {"NAME", "NUMBER", "STRING", "_LPAR"}


def read_tree(text: str, vocabulary: Vocabulary) -> Tree[Token]:
    """The syntax tree of an expression, positions as typed.

    Raises:
        ExpressionError: it is not EQL; tells the place and what was expected there.
    """
    if not text.strip():
        raise ExpressionError(
            "The expression is empty.", "表达式为空。",
            fix="Write a condition such as is_payroll and age < 35, or everyone.",
            fix_zh="请写一个条件，例如 is_payroll and age < 35，或 everyone。",
        )  # fmt: skip
    try:
        return _PARSER.parse(tokens(text, vocabulary))
    except UnexpectedToken as error:
        raise _unexpected(text, error) from None


def _unexpected(text: str, error: UnexpectedToken) -> ExpressionError:
    kinds = set(error.accepts or error.expected)
    words = list(_expectations(kinds))
    expected = _either([en for en, _ in words], "or")
    expected_zh = _either([zh for _, zh in words], "或")
    fix, fix_zh = f"Expected {expected}.", f"此处应为{expected_zh}。"
    token = error.token
    if token.type == "$END":
        return ExpressionError(
            "The expression ends too early.", "表达式不完整。", text=text, position=len(text), fix=fix, fix_zh=fix_zh,
            expected=[en for en, _ in words],
        )  # fmt: skip
    start, end = token.start_pos or 0, token.end_pos or 0
    shown = text[start:end]
    return ExpressionError(
        f"{shown!r} does not fit at character {start + 1}.", f"第 {start + 1} 个字符处的“{shown}”不合语法。",
        text=text, position=start, token=shown, fix=fix, fix_zh=fix_zh, expected=[en for en, _ in words],
    )  # fmt: skip


def _expectations(kinds: set[str]) -> Iterable[tuple[str, str]]:
    if kinds >= _VALUE_STARTS:
        yield ("a condition or a value", "条件或值")
        kinds = kinds & {"_RPAR", "NOT", "ANY", "_MATURES"} - {"NOT"}
    arithmetic = {"PLUS", "MINUS", "STAR", "SLASH", "MATCH", "_IS"}
    for kind in sorted(kinds - arithmetic):
        if kind in _EXPECTED:
            yield _EXPECTED[kind]


def _either(words: list[str], joint: str) -> str:
    if len(words) < 2:
        return "".join(words) or "nothing more"
    return f"{', '.join(words[:-1])} {joint} {words[-1]}"
