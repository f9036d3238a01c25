"""Waves told in words. A text is cut into clauses, one per wave; a clause holds a channel, a day, perhaps an hour and
who is to get it. What a clause says of customers after the first wave belongs to that wave, not to the audience.
"""

from dataclasses import dataclass, field
from datetime import date
from itertools import pairwise
from typing import cast

from agent.models.offline import events as ev
from agent.models.offline.arms import Arms, read_arms
from agent.models.offline.context import Request
from agent.models.offline.goals import named_event
from agent.models.offline.moments import resolve
from agent.models.offline.numbers import Quantity
from agent.models.offline.scan import Scan
from agent.models.offline.senses import Duration, Item, Moment
from agent.models.offline.told import Told, Wave
from agent.models.offline.wave_conditions import Lacks, Whom, settle, whom


@dataclass(slots=True)
class _Clause:
    items: list[int] = field(default_factory=list)
    rest: list[int] = field(default_factory=list)
    """What no part of a wave is: who gets it, or the audience."""
    channel: str = ""
    at: int | None = None
    after: int | None = None
    on: date | None = None
    hour: int | None = None
    whom: Whom = field(default_factory=Whom)
    text: str = ""
    relative: bool = False
    absolute: bool = False
    """`after 7 days`, which stands before its number and names no wave to count from."""
    joined: bool = False
    """Begins after `and`, not after a comma."""
    arms: Arms | None = None
    day_span: tuple[int, int] | None = None


def waves(request: Request, scan: Scan, found: Told) -> None:
    """Take the waves out of the scan."""
    arms = read_arms(scan)
    _interval(scan, found)
    clauses = _clauses(request, scan, found)
    if arms is not None:
        owner = [c for c in clauses if c.channel and c.items and min(c.items) < arms.place] or [
            c for c in clauses if c.channel
        ]
        if owner:
            owner[-1].arms = arms
    told = [clause for clause in clauses if clause.channel]
    for clause in clauses:
        if not clause.channel:
            _without_channel(clause, clauses, scan)
    for number, clause in enumerate(told):
        scan.used |= set(clause.items)
        if number and clause.rest:
            before = bool(found.this_group or request.turn.focus.segment) or any(
                c.rest for c in clauses if c is told[0] or not c.channel
            )
            read = whom(request, scan, clause.rest, before)
            if read is not None:
                clause.whom = read.joined(clause.whom)
                scan.used |= set(clause.rest)
    hours = [c.hour for c in clauses if not c.channel and c.hour is not None and c.on is None]
    if hours and not any(clause.hour for clause in told):
        for clause in told:
            clause.hour = hours[0]
        for clause in clauses:
            scan.used |= set(clause.items)
    settle(request, [clause.whom for clause in told], found)
    _days(request, told, found)
    if found.waves:
        scan.take("first", "send", "draft", "campaign_word")


def _clauses(request: Request, scan: Scan, found: Told) -> list[_Clause]:
    items = scan.items
    clauses: list[_Clause] = [_Clause()]
    for position, item in enumerate(items):
        if position in scan.used:
            continue
        current = clauses[-1]
        if item.has("comma") and item.text in ":：":
            current.items.append(position)
            continue
        if item.has("comma", "next_wave", "wave") or (item.has("and") and current.channel):
            if item.has("next_wave", "wave"):
                scan.used.add(position)
            clauses.append(_Clause(joined=item.has("and") and not item.has("comma")))
            if clauses[-1].joined:
                clauses[-1].rest.append(position)
            continue
        if current.channel and _starts_wave(current, item):
            clauses.append(_Clause())
            current = clauses[-1]
        _into(current, items, position, request, scan, any(c.channel for c in clauses))
    for number in range(len(clauses) - 1, 0, -1):
        clause = clauses[number]
        if clause.joined and not clause.channel and not clause.items and clauses[number - 1].channel:
            # "to those who have a card and no login": the condition goes on.
            clauses[number - 1].rest.extend(clause.rest)
            clause.rest = []
        elif clause.joined:
            clause.rest = [p for p in clause.rest if not items[p].has("and")]
    return clauses


def _days(request: Request, told: list[_Clause], found: Told) -> None:
    day = other = 0
    others: list[int] = []
    rising = _rising(told)
    first: date | None = None
    for number, clause in enumerate(told):
        if clause.on is not None:
            if first is None and number == 0:
                first = clause.on
                at = resolve(Moment(clause.on, clause.hour), request.today)
                found.start = found.start or (at.isoformat(timespec="minutes") if at else clause.on.isoformat())
            elif first is not None:
                day = other = max(0, (clause.on - first).days)
        if clause.at is not None:
            day = other = clause.at
        elif clause.after is not None and rising:
            found.from_first = found.from_first or clause.after > day > 0
            day = other = clause.after
        elif clause.after is not None:
            # 3天后…，7天后…: from the start, or 7 days after the third? 再过 and `later` count from the wave before.
            from_start = not clause.relative and clause.after > day > 0
            other = clause.after if from_start else other + clause.after
            day += clause.after
        elif number and found.every and clause.on is None:
            day = other = day + found.every
        others.append(other)
        found.day_spans.append(clause.day_span)
        wave = Wave(clause.channel, day, clause.hour, clause.whom.only_if, clause.text)
        wave.arms = clause.arms.arguments() if clause.arms else []
        found.waves.append(wave)
    if found.every and found.times > 1 and len(found.waves) == 1:
        only = found.waves[0]
        more = [Wave(only.channel, only.day + n * found.every, only.hour, "", only.text) for n in range(1, found.times)]
        for wave in more:
            wave.arms = only.arms
        found.waves.extend(more)
        return
    found.ambiguous = others if others != [wave.day for wave in found.waves] else []


def _rising(told: list[_Clause]) -> bool:
    """`SMS after 3 days, call after 7 days`: English says so of days after the entry, each later than the one before."""
    days = [clause.after for clause in told if clause.after is not None]
    plain = all(
        clause.absolute and clause.at is None and clause.on is None for clause in told if clause.after is not None
    )
    return plain and len(days) > 1 and all(a < b for a, b in pairwise(days))


def _interval(scan: Scan, found: Told) -> None:
    """隔3天一波，共3波; every 3 days: so many days between waves, and perhaps how many there are."""
    items = scan.items
    for position, item in enumerate(items):
        if position in scan.used:
            continue
        sense = item.sense("day_after", "duration")
        if sense is None:
            continue
        before, after = position - 1, position + 1
        each = before >= 0 and items[before].has("every") and before not in scan.used
        waved = after < len(items) and items[after].has("wave_word")
        alone = after + 1 >= len(items) or not items[after + 1].has("channel")
        if (each or (waved and sense.kind == "day_after")) and (each or alone):
            found.every = cast(Duration, sense.value).days if sense.kind == "duration" else cast(int, sense.value)
            scan.used |= {position} | ({before} if each else set()) | ({after} if waved else set())
    for position, item in enumerate(items[:-1]):
        if position not in scan.used and (sense := item.sense("quantity")) and items[position + 1].has("wave_word"):
            found.times = int(cast(Quantity, sense.value).raw)
            if found.every:
                scan.used |= {position, position + 1}


def _starts_wave(current: _Clause, item: Item) -> bool:
    """A second channel, or a time that stands before its channel as in Chinese and in `D5`."""
    if item.has("channel"):
        return not item.has("send")
    if not item.has("day_at", "day_after"):
        return False
    timed = current.at is not None or current.after is not None
    return item.han or timed or (item.has("day_at") and not item.text.lower().startswith("day"))


def _into(clause: _Clause, items: list[Item], position: int, request: Request, scan: Scan, later: bool) -> None:
    """Put an item into its clause; `later` tells that a wave was named before."""
    item = items[position]
    if item.has("day_at"):
        clause.at = cast(int, item.sense("day_at").value)  # type: ignore[union-attr]
    elif item.has("day_after"):
        clause.after = cast(int, item.sense("day_after").value)  # type: ignore[union-attr]
        clause.day_span = (item.start, item.end)
        clause.absolute = item.text.lower().startswith("after ") and "another" not in item.text.lower()
        clause.relative = any(word in item.text.lower() for word in ("再", "隔", "过", "later", "another", "that"))
    elif item.has("channel") and not clause.channel:
        clause.channel = item.sense("channel").name  # type: ignore[union-attr]
    elif item.has("not_reached") and later:
        said = ev.EventSaid(names=tuple(filter(None, [named_event(request, item.text)])))
        following = position + 1
        while following + 1 < len(items) and all(sense.kind == "carry" for sense in items[following].senses):
            following += 1
        if not said.names and following < len(items) and items[following].has("event"):
            # "those who did not" and a verb: not just anybody left.
            said.names = tuple(sense.name for sense in items[following].all("event"))
            following += 1
        if said.names:
            end = ev.read_event(items, following, said, request.catalog)
            plain = not said.window and not said.times
            names = ev.choose(said, request.catalog) if plain else []
            if len(names) != 1:
                clause.rest.append(position)
                return
            clause.items.extend(range(position + 1, end))
            scan.used |= set(range(position + 1, end))
            clause.whom.lacks = Lacks(names[0], ev.where_of(names[0], said, request.catalog))
        else:
            clause.whom.only_if = "goal_not_reached"
    elif item.has("everyone_again"):
        clause.whom.only_if = "all"
    elif item.has("moment"):
        moment = cast(Moment, item.sense("moment").value)  # type: ignore[union-attr]
        clause.hour = moment.hour
        clause.on = moment.day
    elif item.has("wave_word") and (clause.after is not None or clause.at is not None):
        pass
    elif item.has("quote") and items[position].senses[0].detail != "`":
        clause.text = item.senses[0].name
    elif not item.has("send", "first", "text_word"):
        clause.rest.append(position)
        return
    clause.items.append(position)


def _without_channel(clause: _Clause, clauses: list[_Clause], scan: Scan) -> None:
    """`3天后，没买的，发短信`: what stands before a wave of its own is part of the next clause with a channel."""
    place = clauses.index(clause)
    target = next((c for c in clauses[place + 1 :] if c.channel), None)
    before = next((c for c in reversed(clauses[:place]) if c.channel), None)
    if clause.text and before is not None and not before.text and before.arms is None:
        before.text = clause.text
        scan.used |= set(clause.items)
        return
    if target is None:
        return
    if any(c.channel for c in clauses[:place]):
        target.rest = [*clause.rest, *target.rest]
    said = clause.at is not None or clause.after is not None or clause.hour is not None or clause.on is not None
    if said or clause.whom != Whom():
        target.at = target.at if target.at is not None else clause.at
        target.after = target.after if target.after is not None else clause.after
        target.day_span = target.day_span or clause.day_span
        target.relative = target.relative or clause.relative
        target.absolute = target.absolute or clause.absolute
        target.whom = target.whom.joined(clause.whom)
        target.hour = target.hour if target.hour is not None else clause.hour
        target.on = target.on or clause.on
        scan.used |= set(clause.items)
