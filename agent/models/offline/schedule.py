"""When a campaign begins, and days on which it sends nothing: 下周一开始, starting Monday at 10, 周末不发."""

from datetime import date, timedelta
from typing import cast

from agent.models.base import Step
from agent.models.offline.context import Request
from agent.models.offline.moments import resolve
from agent.models.offline.questions import say
from agent.models.offline.scan import Scan
from agent.models.offline.senses import Moment
from agent.models.offline.told import Told

_HOUR = 10


def schedule(request: Request, scan: Scan, found: Told) -> None:
    """Take the start and the free days out of the scan."""
    items = scan.items
    if scan.take("weekend"):
        found.weekdays = True
    for position, item in enumerate(items):
        sense = item.sense("moment")
        moment = cast("Moment | None", sense.value if sense else None)
        if moment is None or moment.day is None or position in scan.used:
            continue
        near = [p for p in (position - 1, position + 1) if 0 <= p < len(items) and items[p].has("starting")]
        first, last = _clause(scan, position)
        if not near and any(items[p].has("channel") for p in range(first, last)):
            continue
        at = resolve(moment, request.today)
        found.start = at.isoformat(timespec="minutes") if at else moment.day.isoformat()
        scan.used |= {position, *near}


def _clause(scan: Scan, position: int) -> tuple[int, int]:
    """From which item to which the clause around an item reaches."""
    first = last = position
    while first > 0 and not scan.items[first - 1].has("comma"):
        first -= 1
    while last < len(scan.items) and not scan.items[last].has("comma"):
        last += 1
    return first, last


def on_weekdays(request: Request, found: Told) -> Step | str:
    """Move the start so that every wave falls on a working day: a remark, or a question where that cannot be.

    Waves count days from the start, so a start on the right day keeps all of them off the weekend.
    """
    days = [wave.day for wave in found.waves]
    if found.start:
        start = date.fromisoformat(found.start[:10])
        if all(_works(start, day) for day in days):
            return ""
        hour = found.start[10:]
    else:
        start = request.today.day + timedelta(days=1)
        hour = f"T{found.waves[0].hour if found.waves[0].hour is not None else _HOUR:02d}:00"
    better = next((day for n in range(7) if all(_works(day := start + timedelta(days=n), wave) for wave in days)), None)
    if better is None:
        told = "、".join(f"D{day}" for day in days)
        return say(
            f"这些天数（{told}）从哪天开始都会碰上周末，请改一下天数。", f"With these days ({told.replace('、', ', ')}) some wave falls on a weekend whatever day it starts. Please change the days.",
            request.language, [],
        )  # fmt: skip
    found.start = f"{better.isoformat()}{hour}"
    return (
        f"为避开周末，从 {better.isoformat()} 开始。" if request.language == "zh"
        else f"To keep every wave off the weekend it starts on {better.isoformat()}."
    )  # fmt: skip


def _works(start: date, day: int) -> bool:
    return (start + timedelta(days=day)).weekday() < 5
