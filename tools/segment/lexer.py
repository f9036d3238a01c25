"""Text to tokens: both languages' keywords, amounts such as 5万, full-width forms, catalog words taken whole.

A hand-written lexer because Chinese has no blanks between words: at each place the longest word of the catalog or of
the language wins. Positions are those of the text as it was typed.
"""

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal

from lark import Token
from lark.lexer import Lexer

from tools.segment.errors import ExpressionError
from tools.segment.vocabulary import Vocabulary

WORDS = {
    "and": "_AND", "or": "_OR", "not": "NOT", "between": "_BETWEEN", "in": "IN", "is": "_IS", "unknown": "_UNKNOWN",
    "null": "_UNKNOWN", "contains": "MATCH", "starts_with": "MATCH", "ends_with": "MATCH", "true": "TRUE",
    "false": "FALSE", "everyone": "EVERYONE", "where": "_WHERE", "then": "_THEN", "within": "_WITHIN", "by": "_BY",
    "last": "_LAST", "from": "_FROM", "to": "_TO", "since": "_SINCE", "entry": "_ENTRY", "matures": "_MATURES",
    "any": "ANY", "ago": "_AGO", "next": "_NEXT", "during": "_DURING",
}  # fmt: skip
"""Words with a meaning of their own. A catalog name among them is written between backquotes."""

FUNCTIONS = {
    "did": "_DID", "any": "_HAS", "count": "COUNTED", "recency": "COUNTED", "since_first": "COUNTED", "distinct": "FIGURE",
    "sum": "FIGURE", "min": "FIGURE", "max": "FIGURE", "avg": "FIGURE", "latest": "FIGURE", "earliest": "FIGURE",
    "holds": "_HOLDS", "sequence": "_SEQUENCE", "in_list": "_IN_LIST", "in_segment": "_IN_SEGMENT", "sample": "_SAMPLE", "top": "TOP",
    "bottom": "BOTTOM",
}  # fmt: skip
"""Words with a meaning only before an opening bracket."""

CHINESE = {
    "且": "and", "并且": "and", "而且": "and", "和": "and", "或": "or", "或者": "or", "非": "not", "介于": "between",
    "属于": "in", "是": "is", "为": "is", "未知": "unknown", "空": "unknown", "包含": "contains", "开头是": "starts_with",
    "结尾是": "ends_with", "真": "true", "假": "false", "全部客户": "everyone", "其中": "where", "然后": "then",
    "之内": "within", "按": "by", "最近": "last", "从": "from", "到": "to", "自": "since", "进入": "entry",
    "之前": "ago", "以前": "ago", "未来": "next", "落在": "during", "任意": "any", "存在": "any", "做过": "did", "次数": "count", "合计": "sum", "距上次": "recency",
    "距首次": "since_first", "去重": "distinct", "最小": "min", "最大": "max", "平均": "avg", "最新": "latest", "最早": "earliest",
    "持有": "holds", "先后": "sequence", "名单": "in_list", "客群": "in_segment", "抽样": "sample", "前": "top",
    "后": "bottom",
}  # fmt: skip
"""Chinese keywords and the English ones they stand for."""

PERIODS_ZH = {
    "今天": "today", "昨天": "yesterday", "本周": "this_week", "上周": "last_week", "本月": "this_month", "上月": "last_month",
    "这个月": "this_month", "上个月": "last_month", "本季度": "this_quarter", "上季度": "last_quarter", "今年": "this_year",
    "去年": "last_year",
}  # fmt: skip
"""Chinese names of calendar periods; taken whole, for 月 alone may be a word of the catalog."""

SCALES = {
    "万亿": 10**12, "千万": 10**7, "百万": 10**6, "亿": 10**8, "万": 10**4, "千": 10**3, "w": 10**4, "k": 10**3,
    "m": 10**6,
}  # fmt: skip

_NUMBER = re.compile(r"(\d+(?:\.\d+)?(?:e[+-]?\d+(?![0-9a-z_]))?)(万亿|千万|百万|亿|万|千|[wkm](?![a-z0-9_]))?(元|块)?")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}(?!\d)")
_UNIT = re.compile(r"\s*(months?|个月|weeks?|周|days?|d|天|日|hours?|h|小时|minutes?|min|分钟)(?![a-z0-9_])")
_UNITS = {"mo": ("month", 1), "个": ("month", 1), "w": ("d", 7), "周": ("d", 7), "d": ("d", 1), "天": ("d", 1), "日": ("d", 1),
          "h": ("h", 1), "小": ("h", 1), "mi": ("min", 1), "分": ("min", 1)}  # fmt: skip
"""Units of durations by how they begin: the unit they are counted in, and how many of it one is."""
_COMPARE = re.compile(r"<=|>=|==|!=|<>|=|<|>|≤|≥|≠")
_CANONICAL = {"==": "=", "<>": "!=", "≤": "<=", "≥": ">=", "≠": "!="}
_PUNCTUATION = {
    "(": "_LPAR", ")": "_RPAR", ",": "_COMMA", "、": "_COMMA", ".": "_DOT", "+": "PLUS", "-": "MINUS", "*": "STAR",
    "/": "SLASH", "×": "STAR", "÷": "SLASH",
}  # fmt: skip
_QUOTES = {"'": "'", '"': '"', "‘": "’", "“": "”", "「": "」"}
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
_CHARACTERS = {**{code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}, 0x3000: " "}
"""Full-width forms of ASCII, one character for one, so that positions stay those of the typed text."""

_ZH_BY_FIRST: dict[str, tuple[str, ...]] = {}
for _word in sorted(CHINESE, key=len, reverse=True):
    _ZH_BY_FIRST[_word[0]] = (*_ZH_BY_FIRST.get(_word[0], ()), _word)


_PERIODS = tuple(sorted(PERIODS_ZH, key=len, reverse=True))


class Amount(Token):
    """A NUMBER, PERCENT or DURATION token with its value."""

    amount: int | float
    unit: str

    @classmethod
    def make(cls, kind: str, text: str, position: int, amount: Decimal, unit: str = "") -> "Amount":
        token = cls(kind, text, start_pos=position, end_pos=position + len(text))
        token.amount = int(amount) if amount == amount.to_integral_value() and abs(amount) < 2**63 else float(amount)
        token.unit = unit
        return token


class EqlLexer(Lexer):
    """What lark asks for tokens; it is handed tokens that are ready."""

    def __init__(self, lexer_conf: object) -> None:
        pass

    def lex(self, data: Iterator[Token]) -> Iterator[Token]:  # type: ignore[override]
        yield from data


def tokens(text: str, vocabulary: Vocabulary) -> Iterator[Token]:
    """The tokens of an expression.

    Raises:
        ExpressionError: a character that means nothing here, or a string without its end.
    """
    folded = text.translate(_CHARACTERS)
    lower = "".join(c.lower() if len(c.lower()) == 1 else c for c in folded)
    at = 0
    while at < len(text):
        char = folded[at]
        if char.isspace():
            at += 1
            continue
        token = _token(text, folded, lower, at, vocabulary.phrases)
        yield token
        assert token.end_pos is not None
        at = token.end_pos


def _token(text: str, folded: str, lower: str, at: int, phrases: Mapping[str, tuple[str, ...]]) -> Token:
    char = folded[at]
    if char in _QUOTES:
        return _string(text, at)
    if char == "`":
        end = folded.find("`", at + 1)
        if end < 0:
            raise _unclosed(text, at, "`")
        return Token("NAME", text[at + 1 : end], start_pos=at, end_pos=end + 1)
    if char.isdigit() and (phrase := _phrase(lower, at, phrases.get(lower[at], ()))):
        return Token("NAME", phrase, start_pos=at, end_pos=at + len(phrase))
    if date := _DATE.match(lower, at):
        return Token("DATE", date[0], start_pos=at, end_pos=date.end())
    if number := _NUMBER.match(lower, at):
        return _number(text, lower, number)
    if compare := _COMPARE.match(folded, at):
        operator = _CANONICAL.get(compare[0], compare[0])
        return Token("COMPARE", operator, start_pos=at, end_pos=compare.end())
    if char in _PUNCTUATION:
        return Token(_PUNCTUATION[char], char, start_pos=at, end_pos=at + 1)
    if char.isalpha() or char == "_":
        return _word_token(text, lower, at, phrases)
    raise ExpressionError(
        f"The character {text[at]!r} means nothing here.",
        f"这里不能出现字符“{text[at]}”。",
        text=text, position=at, token=text[at],
        fix="Put texts between quotes.", fix_zh="文本请放在引号里。",
    )  # fmt: skip


def _string(text: str, at: int) -> Token:
    closing = _QUOTES.get(text[at], text[at])  # a full-width quote closes with its like
    parts: list[str] = []
    i = at + 1
    while i < len(text):
        if text[i] == "\\" and i + 1 < len(text):
            if text[i + 1] == "u" and re.fullmatch(r"[0-9a-fA-F]{4}", text[i + 2 : i + 6]):
                parts.append(chr(int(text[i + 2 : i + 6], 16)))
                i += 6
                continue
            parts.append(_ESCAPES.get(text[i + 1], text[i + 1]))
            i += 2
            continue
        if text[i] == closing:
            token = Token("STRING", "".join(parts), start_pos=at, end_pos=i + 1)
            if "\0" in token:
                raise ExpressionError("A text may not hold a NUL.", "文本中不能有 NUL 字符。", text=text, position=at)
            return token
        parts.append(text[i])
        i += 1
    raise _unclosed(text, at, text[at])


def _unclosed(text: str, at: int, quote: str) -> ExpressionError:
    return ExpressionError(
        "This text has no closing quote.", "这段文本缺少结束引号。",
        text=text, position=at, token=text[at:],
        fix=f"Close it with {_QUOTES.get(quote, quote)}.", fix_zh=f"请用 {_QUOTES.get(quote, quote)} 结束。",
    )  # fmt: skip


def _number(text: str, lower: str, found: re.Match[str]) -> Token:
    start, end = found.span()
    amount = Decimal(found[1]) * SCALES.get(found[2] or "", 1)
    if not abs(amount) < Decimal("1e300"):
        raise ExpressionError(
            "This number is too large.", "数字过大。", text=text, position=start, token=text[start:end]
        )
    rest = lower[end:]
    if percent := re.match(r"\s*%", rest):
        end += percent.end()
        return Amount.make("PERCENT", text[start:end], start, amount)
    if unit := _UNIT.match(lower, end):
        short, times = _UNITS.get(unit[1][:2]) or _UNITS[unit[1][0]]
        return Amount.make("DURATION", text[start : unit.end()], start, amount * times, short)
    after = lower[end : end + 1]
    if after == "_" or (after.isascii() and after.isalpha()):
        raise ExpressionError(
            f"{text[start : end + 1]!r} is not a number.", f"“{text[start : end + 1]}”不是数字。",
            text=text, position=start, token=text[start : end + 1],
            fix="Amounts end in 万, 亿, w, k, m or %, durations in d, h, min, weeks or months.",
            fix_zh="金额可用 万、亿、w、k、m、% 结尾，时长用 d、h、min（天、小时、分钟）、周、个月。",
        )  # fmt: skip
    return Amount.make("NUMBER", text[start:end], start, amount)


def _word_token(text: str, lower: str, at: int, phrases: Mapping[str, tuple[str, ...]]) -> Token:
    phrase = max(_phrase(lower, at, phrases.get(lower[at], ())), _phrase(lower, at, _PERIODS), key=len)
    keyword = _phrase(lower, at, _ZH_BY_FIRST.get(lower[at], ()))
    end = at + len(keyword)
    called = CHINESE.get(keyword) in FUNCTIONS and re.match(r"\s*\(", lower[end:]) is not None
    if keyword and (len(keyword) > len(phrase) or (called and keyword == phrase)):
        return _keyword(text, lower, at, end, CHINESE[keyword])
    if phrase:
        return Token("NAME", phrase, start_pos=at, end_pos=at + len(phrase))
    if lower[at].isascii():
        end = at
        while end < len(lower) and lower[end].isascii() and (lower[end].isalnum() or lower[end] == "_"):
            end += 1
        return _keyword(text, lower, at, end, lower[at:end])
    end = at + 1
    while end < len(lower) and lower[end].isalnum() and not _known(lower, end, phrases):
        end += 1
    return Token("NAME", text[at:end], start_pos=at, end_pos=end)


def _keyword(text: str, lower: str, at: int, end: int, word: str) -> Token:
    kind = WORDS.get(word)
    if word in FUNCTIONS and re.match(r"\s*\(", lower[end:]):
        kind = FUNCTIONS[word]
    if kind is None:
        return Token("NAME", text[at:end], start_pos=at, end_pos=end)
    return Token(kind, word, start_pos=at, end_pos=end)


def _known(lower: str, at: int, phrases: Mapping[str, tuple[str, ...]]) -> bool:
    first = lower[at]
    return bool(_phrase(lower, at, phrases.get(first, ())) or _phrase(lower, at, _ZH_BY_FIRST.get(first, ())))


def _phrase(lower: str, at: int, group: tuple[str, ...]) -> str:
    """The longest of a group of words that stands here; one ending in a Latin letter must end a Latin word."""
    for word in group:
        end = at + len(word)
        if not lower.startswith(word, at):
            continue
        after = lower[end : end + 1]
        latin = word[-1].isascii() and after.isascii() and (after.isalnum() or after == "_")
        if not latin:
            return word
    return ""
