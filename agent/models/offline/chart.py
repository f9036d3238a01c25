"""From units to items: the cheapest cover of the text by known words, numbers and times.

Longer words win; a character that no word covers costs so much that it is left unread only where nothing else can be.
All senses of the chosen span are kept.
"""

from collections.abc import Sequence

from agent.models.offline.dates import times
from agent.models.offline.lexicon import Lexicon
from agent.models.offline.numbers import quantity, span_range
from agent.models.offline.senses import Item, Sense
from agent.models.offline.time_words import Today
from agent.models.offline.units import Unit, units

_WORD, _CARRY, _UNREAD, _MARK = 100, 90, 1000, 60


def read(
    text: str,
    lexicon: Lexicon,
    today: Today,
    kinds: frozenset[str] | None = None,
    banned: frozenset[tuple[int, int]] = frozenset(),
) -> list[Item]:
    """All of a text as items in order; what no word covers are items of the single sense `unread`.

    Args:
        kinds: the kinds of sense that count; None means all.
        banned: spans of character offsets that may not be taken as one word.

    Neighbouring unread characters come as one item, so that a question can name the word.
    """
    sequence = units(text)
    size = len(sequence)
    best: list[int] = [0] * (size + 1)
    choice: list[tuple[int, tuple[Sense, ...]]] = [(0, ())] * size
    for i in range(size - 1, -1, -1):
        spans = _allowed(_spans(sequence, i, lexicon, today), sequence, i, kinds, banned)
        ranked = sorted(
            ((_cost(senses) + best[end], -end, end) for end, senses in spans.items()),
        )
        cost, _, end = ranked[0]
        best[i] = cost
        choice[i] = (end, tuple(spans[end]))
    items: list[Item] = []
    i = 0
    while i < size:
        end, senses = choice[i]
        start, stop = sequence[i].start, sequence[end - 1].end
        previous = items[-1] if items else None
        if senses[0].kind == "unread" and previous and previous.senses[0].kind == "unread":
            gap = text[previous.end : start]
            if not gap:
                items[-1] = Item(previous.start, stop, text[previous.start : stop], previous.senses)
                i = end
                continue
        items.append(Item(start, stop, text[start:stop], senses))
        i = end
    return items


def _allowed(
    spans: dict[int, list[Sense]],
    seq: Sequence[Unit],
    i: int,
    kinds: frozenset[str] | None,
    banned: frozenset[tuple[int, int]],
) -> dict[int, list[Sense]]:
    found: dict[int, list[Sense]] = {}
    for end, senses in spans.items():
        if (seq[i].start, seq[end - 1].end) in banned and end > i + 1:
            continue
        kept = senses if kinds is None else [s for s in senses if s.kind in kinds]
        if kept:
            found[end] = kept
    if i + 1 not in found:
        mark = seq[i].kind == "mark" and not seq[i].text.isalnum()
        found[i + 1] = [Sense("comma" if mark else "unread")]
    return found


def _cost(senses: Sequence[Sense]) -> int:
    kind = senses[0].kind
    if kind == "unread":
        return _UNREAD
    if kind == "comma":
        return _MARK
    return _CARRY if kind == "carry" else _WORD


def _spans(seq: list[Unit], i: int, lexicon: Lexicon, today: Today) -> dict[int, list[Sense]]:
    """Every reading that begins at unit i, by its end."""
    found: dict[int, list[Sense]] = {}
    unit = seq[i]
    if unit.kind == "quote":
        found[i + 1] = [Sense("quote", unit.text[1:-1], unit.text[0])]
        return found
    for end, senses in lexicon.match(seq, i):
        if _whole_words(seq, i, end):
            found.setdefault(end, []).extend(senses)
    if ranged := span_range(seq, i):
        found.setdefault(ranged[1], []).append(Sense("range", value=ranged[0]))
    if amount := quantity(seq, i):
        found.setdefault(amount[1], []).insert(0, Sense("quantity", value=amount[0]))
        if amount[0].measure == "wan" and amount[0].factor == 10_000:
            plain = type(amount[0])(amount[0].raw, "", type(amount[0].raw)(1), amount[0].raw)
            found.setdefault(amount[1] - 1, []).append(Sense("quantity", value=plain))
        if amount[0].measure == "percent" and seq[amount[1] - 1].text == "成" and amount[0].raw:
            raw = amount[0].raw  # 3成 is 30%; 成交 and other words may claim the character
            found.setdefault(amount[1] - 1, []).append(Sense("quantity", value=type(amount[0])(raw, raw=raw)))
    for sense, end in times(seq, i, today):
        found.setdefault(end, []).append(sense)
    if not found:
        found[i + 1] = [Sense("comma" if unit.kind == "mark" and not unit.text.isalnum() else "unread")]
    elif i + 1 not in found:
        found[i + 1] = [Sense("unread")]
    return found


def _whole_words(seq: list[Unit], i: int, end: int) -> bool:
    """A word is not cut out of a word that was split at an apostrophe: always true for other units."""
    return end == len(seq) or seq[end].start >= seq[end - 1].end or seq[end].text == "not"
