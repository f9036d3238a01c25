"""What is said back: questions that name exactly what was not understood, with whole requests to click."""

import re
from collections.abc import Iterable, Sequence

from agent.models.base import Question, Step
from agent.models.offline.frames import Ask
from agent.models.offline.senses import Item
from warehouse.catalog import Catalog, Language

_DANGLING = re.compile(
    r"\b(?:with|who have|who has|having|and|or|whose|for|of)(?:\s+an?|\s+the)?\s+(?=by\b)|\s+(?:with|who have|and|or|whose|for|of)(?:\s+an?|\s+the)?\s*$"
)
_TEXTS: dict[str, dict[Language, str]] = {
    "unread": {
        "zh": "这里没有看懂：{what}。请换个说法，或者选一个：",
        "en": "I did not understand: {what}. Say it another way, or pick one:",
    },
    "unread_bare": {
        "zh": "这里没有看懂：{what}。请换个说法。",
        "en": "I did not understand: {what}. Please say it another way.",
    },
    "vague": {
        "zh": "“{what}”在本行没有统一口径，您指的是哪一种？",
        "en": "This bank has no fixed meaning of “{what}”. Which do you mean?",
    },
    "missing": {
        "zh": "本行没有“{what}”这项数据。可以用下面的相近数据代替吗？",
        "en": "This bank has no data on “{what}”. Would one of these nearest ones do instead?",
    },
    "missing_bare": {
        "zh": "本行没有“{what}”这项数据，也没有相近的替代。",
        "en": "This bank has no data on “{what}”, nor anything near it.",
    },
    "ambiguous": {"zh": "“{what}”有几种意思，您指的是？", "en": "“{what}” can mean several things. Which one?"},
    "which_attribute": {"zh": "“{what}”说的是哪一项金额？", "en": "Which amount does “{what}” refer to?"},
    "no_comparison": {
        "zh": "“{what}”是以上还是以下？",
        "en": "Does “{what}” mean at least or at most that amount?",
    },
    "approximate": {
        "zh": "“{what}”的上下限是多少？请给出范围，例如 4万到6万。",
        "en": "What range does “{what}” cover? Give both ends, for example 40k to 60k.",
    },
    "or_scope": {
        "zh": "“或”的范围有两种理解，选出的客户不同，您指的是？",
        "en": "The “or” can be read in two ways that select different customers. Which one?",
    },
    "period_missing": {
        "zh": "过去的数据只有“{what}”，用它来比可以吗？",
        "en": "The only earlier figure is “{what}”. May that be used?",
    },
    "hour": {"zh": "几点？请给出时间，例如：", "en": "At what time? For example:"},
}


def text(key: str, language: Language, **values: object) -> str:
    return _TEXTS[key][language].format(**values)


def ask_first(asks: Sequence[Ask], request: str, language: Language) -> Step:
    """One question at a time: the first open point, its choices put into the request in place of the words."""
    # What the bank does not have comes first: no other answer would help without it.
    ask = next((a for a in asks if a.reason == "missing"), asks[0])
    options = [_replace(request, ask, label, eql, language) for label, eql in ask.choices]
    key = "missing_bare" if ask.reason == "missing" and not options else ask.reason
    return Step(question=Question(text=text(key, language, what=ask.text), options=options))


def _replace(request: str, ask: Ask, label: str, eql: str, language: Language) -> str:
    """The whole request with one choice in place of the open words."""
    before, after = request[: ask.start].rstrip(), request[ask.end :].lstrip()
    if ask.reason == "missing" and not eql:
        rest = f"{before}{after.removeprefix('的')}" if language == "zh" else f"{before} {after}"
        return f"{rest} 按{label}分布".strip() if language == "zh" else tidy(f"{rest} by {label}")
    return f"{before}`{eql}`{after}" if language == "zh" else f"{before} `{eql}` {after}".strip()


def tidy(text_: str) -> str:
    """English without a preposition that has lost its noun: `customers with a by age`."""
    return " ".join(_DANGLING.sub("", text_).split())


def ask_unread(items: Iterable[Item], request: str, language: Language, catalog: Catalog) -> Step:
    """Name what was not understood; offer the request with the nearest words of the catalog in its place."""
    parts = list(items)
    words = list(dict.fromkeys(item.text for item in parts))
    options: list[str] = []
    for item in parts[:2]:
        for kind, name, score in catalog.search(item.text, 4):
            # Near by chance: a single character, or a word half as long.
            if score < 75 or len(item.text) < (2 if not item.text.isascii() else 4):
                continue
            word = _word(catalog, kind, name, language)
            if word and word != item.text:
                options.append(f"{request[: item.start]}{word}{request[item.end :]}")
    if parts:
        item = parts[0]
        without = (
            tidy(f"{request[: item.start]}{request[item.end :]}")
            if language == "en"
            else f"{request[: item.start]}{request[item.end :]}".strip()
        )
        if len(without) > 3 and len(parts) == 1:
            options.append(without)
    options = list(dict.fromkeys(options))[:4]
    quoted = "、".join(f"“{w}”" for w in words) if language == "zh" else ", ".join(f"“{w}”" for w in words)
    key = "unread" if options else "unread_bare"
    return Step(question=Question(text=text(key, language, what=quoted), options=options), unread=words)


def _word(catalog: Catalog, kind: str, name: str, language: Language) -> str:
    if kind == "attribute":
        return catalog.attribute(name).words.name(language)
    if kind == "event":
        return catalog.event(name).words.name(language)
    if kind == "metric":
        return catalog.metric(name).words.name(language)
    return next((t.words.name(language) for t in catalog.terms if t.name == name), "")


def say(zh: str, en: str, language: Language, options: Sequence[str] = ()) -> Step:
    """A question, or with no options a plain remark, in the turn's language."""
    words = zh if language == "zh" else en
    return Step(question=Question(text=words, options=list(options))) if options else Step(remark=words)
