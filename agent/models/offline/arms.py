"""Wordings tried against each other: A版“…”B版“…”各一半, version A "…" 30%, version B "…" 70%."""

from dataclasses import dataclass
from typing import cast

from agent.models.offline.numbers import Quantity, as_number
from agent.models.offline.scan import Scan


@dataclass(slots=True)
class Arms:
    """`place` is where they are told, in items of the scan."""

    place: int
    told: list[tuple[str, str, float | None]]

    def arguments(self) -> list[dict[str, object]]:
        """As `Wave` takes them; shares that were not said are equal parts of what is left."""
        said = [share for _, _, share in self.told if share is not None]
        silent = len(self.told) - len(said)
        left = (100 - sum(said)) / silent if silent else 0
        return [
            {"name": name, "share": round(left, 4) if share is None else share, "text": text}
            for name, text, share in self.told
        ]


def read_arms(scan: Scan) -> Arms | None:
    """Take two or more arms with their texts; None if there are not so many, or their shares do not add up."""
    items = scan.items
    told: list[tuple[str, str, float | None]] = []
    used: set[int] = set()
    start = -1
    for position, item in enumerate(items):
        sense = item.sense("arm")
        if sense is None or position in scan.used:
            continue
        j = position + 1
        spoken: set[int] = {position}
        share: float | None = None
        while j < len(items) and items[j].has("text_word", "be", "comma", "use", "carry") and not items[j].has("quote"):
            spoken.add(j)
            j += 1
        if j >= len(items) or not items[j].has("quote"):
            continue
        text = items[j].senses[0].name
        spoken.add(j)
        k = j + 1
        while k < len(items) and k <= j + 2 and items[k].has("comma", "carry", "holdout_"):
            k += 1
        if k < len(items) and (share := _share(scan, k)) is not None:
            spoken.add(k)
        told.append((sense.name, text, share))
        used |= spoken
        start = position if start < 0 else start
    if len(told) < 2:
        return None
    shares = [share for _, _, share in told]
    said = sum(share for share in shares if share is not None)
    if (None not in shares and said != 100) or said > 100:
        return None
    even = [p for p, item in enumerate(items) if item.has("even")]
    scan.used |= used | set(even)
    return Arms(start, told)


def _share(scan: Scan, position: int) -> float | None:
    sense = scan.items[position].sense("quantity")
    value = cast("Quantity | None", sense.value if sense else None)
    near = scan.items[position + 1] if position + 1 < len(scan.items) else None
    if value is None or value.measure != "percent" or (near is not None and near.has("holdout")):
        return None
    return float(as_number(value.value))
