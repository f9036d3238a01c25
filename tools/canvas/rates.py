"""Numbers in a message that read as a promised return, however they are written, and the annualised rate a loan must show."""

import re

from tools.canvas.claims import plain

_DIGITS = {character: value for value, character in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_ZH_NUMBER = r"[零〇一二两三四五六七八九十百]+(?:点[零〇一二两三四五六七八九]+)?"
_ZH_DECIMAL = r"[零〇一二两三四五六七八九十]+点[零〇一二两三四五六七八九]+"
_EN_UNITS = {
    w: n
    for n, w in enumerate(
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
    )
}
_EN_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50}
_EN_WORD = "|".join([*_EN_UNITS, *_EN_TENS])
_EN_NUMBER = rf"\b(?:{_EN_WORD})(?:[ -](?:{_EN_WORD}))?(?: point(?: (?:{_EN_WORD}))+)?"
_DECIMAL = r"\d+(?:\s*\.\s*\d+)?"
_UNIT = r"\s*(?:%|个百分点|个点|percent\b|per cent\b|pct\b)"
_PERCENTS = (
    re.compile(rf"(?P<number>{_DECIMAL}){_UNIT}"),
    re.compile(rf"百分之(?P<number>{_ZH_NUMBER}|{_DECIMAL})"),
    re.compile(rf"(?P<number>{_ZH_NUMBER})(?:个百分点|个点|%)"),
    re.compile(rf"(?P<number>{_EN_NUMBER}) ?(?:percent\b|per cent\b|pct\b|%)"),
)
_RETURN_ZH = r"收益|回报|年化|利率|利息|业绩|净值增|比较基准"
_RETURN = re.compile(
    rf"{_RETURN_ZH}|\breturns\b|\breturn (?:of|rate)|\b(?:annual|yearly) return|\byield|\bp\.?a\.?(?=\W|$)|\binterest|"
    r"\bprofit|annuali[sz]ed|\bbenchmark"
)
_BARE = re.compile(
    rf"(?:{_RETURN_ZH})(?:率)?(?:约|达|高达|可达|最高|为|是|至|在|[:：~ ])*"
    rf"(?P<number>\d+\s*\.\s*\d+|{_ZH_DECIMAL})(?!\d)(?!\s*[%万亿元份天期号])"
)
_NEAR = 14
_ANNUAL = re.compile(r"年化|年利率|annuali[sz]ed|\bapr\b|per (?:year|annum)|\bp\.a\.")
_PERIODIC = re.compile(
    r"(?:日|月)(?:利率|息|费率|利息)|(?:每|一)(?:日|天|月)(?:仅需|只要|只需|低至)?(?:利息|息费)|万分之|免息|零利息|0利息|"
    r"(?:daily|monthly) (?:rate|interest)|interest[- ]free"
)


def printed_returns(text: str, benchmark_rate: float | None) -> list[str]:
    """Rates of a text that read as a return: beside a word for returns, or equal to the product's benchmark.

    In digits of any width, in words of either language ('百分之三点五', 'three point five percent'), spaced out, or without
    a percent sign straight after a word for returns.

    Args:
        benchmark_rate: as a fraction (0.032) or in percent (3.2); None where the product has none.
    """
    folded = _tight(plain(text))
    found: dict[int, str] = {}
    for pattern in _PERCENTS:
        for match in pattern.finditer(folded):
            around = folded[max(0, match.start() - _NEAR) : match.end() + _NEAR]
            value = number_of(match["number"])
            if _RETURN.search(around) or (value is not None and _is_benchmark(value, benchmark_rate)):
                found.setdefault(match.end(), match.group().strip())
    for match in _BARE.finditer(folded):
        if not any(match.start() <= end <= match.end() + 1 for end in found):
            found[match.end()] = match.group().strip()
    return [found[end] for end in sorted(found)]


def annual_rate_shown(text: str) -> bool:
    """Whether a loan's text shows an annualised rate as a number."""
    folded = _tight(plain(text))
    return any(
        _ANNUAL.search(folded[max(0, match.start() - 2 * _NEAR) : match.end() + 2 * _NEAR])
        for pattern in _PERCENTS
        for match in pattern.finditer(folded)
    )


def periodic_rate(text: str) -> str:
    """A rate or price of money by the day or month, which must not stand without an annualised one; '' if there is none."""
    match = _PERIODIC.search(_tight(plain(text)))
    return match.group() if match else ""


def number_of(words: str) -> float | None:
    """A number up to 199 in digits, Chinese or English words; None where it is none.

    >>> number_of("三点二五"), number_of("十二"), number_of("three point two five"), number_of("3 . 2")
    (3.25, 12.0, 3.25, 3.2)
    """
    compact = re.sub(r"\s", "", words)
    if re.fullmatch(r"\d+(\.\d+)?", compact):
        return float(compact)
    if words and words[0].isascii():
        return _english(words)
    whole, _, decimals = compact.partition("点")
    value = _chinese_whole(whole)
    if value is None:
        return None
    return float(f"{value}.{''.join(str(_DIGITS[c]) for c in decimals)}") if decimals else float(value)


def _chinese_whole(words: str) -> int | None:
    total, digit = 0, None
    for character in words:
        if character in _DIGITS:
            digit = _DIGITS[character]
        else:
            total += (1 if digit is None else digit) * (100 if character == "百" else 10)
            digit = 0
    return total + (digit or 0) if words else None


def _english(words: str) -> float | None:
    whole, _, decimals = words.replace("-", " ").partition(" point ")
    value = sum(_EN_UNITS.get(word, _EN_TENS.get(word, 0)) for word in whole.split())
    return float(f"{value}.{''.join(str(_EN_UNITS.get(word, '')) for word in decimals.split())}") if decimals else value


def _is_benchmark(value: float, rate: float | None) -> bool:
    return rate is not None and any(abs(value - known) < 0.0051 for known in (rate, rate * 100))


def _tight(text: str) -> str:
    """Spaces and signs between Chinese characters, and between digits and their sign, closed up."""
    closed = re.sub(r"(?<=[\u3400-\u9fff])[ \t*_\-·•~|/\\]+(?=[\u3400-\u9fff\d])", "", text)
    return re.sub(r"(?<=[\d.])[ \t]+(?=[\d.%])", "", closed)
