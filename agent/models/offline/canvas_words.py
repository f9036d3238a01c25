"""Campaigns told in words: `先发push，3天后没买的发短信，再过3天客户经理打电话，留10%对照`, `D1企微 D5push D30短信`.

What is no part of a wave, a hold-out or a goal is read as the audience.
"""

from typing import cast

from agent.models.offline.context import Request
from agent.models.offline.goals import goal
from agent.models.offline.numbers import Quantity, as_number
from agent.models.offline.scan import BASE, Scan
from agent.models.offline.scan import scan as read_scan
from agent.models.offline.schedule import schedule
from agent.models.offline.senses import Item
from agent.models.offline.told import Told
from agent.models.offline.waves import waves

KINDS = BASE | {
    "channel", "first", "next_wave", "send", "not_reached", "everyone_again", "day_at", "day_after", "holdout", "keep",
    "goal", "goal_window", "draft", "this_group", "moment", "text_word", "rename", "among", "ba", "which", "strategy", "wave", "wave_word", "by", "weekend", "starting", "arm", "even", "every", "campaign_word",
}  # fmt: skip


def told(request: Request, scan: Scan) -> Told:
    """Take everything about waves, hold-out, goal and name out of the scan; the rest is the audience."""
    found = Told()
    _before_waves(request, scan)
    _texts(scan)
    scan.used |= {p for p, item in enumerate(scan.items[:-1]) if item.has("by") and scan.items[p + 1].has("channel")}
    if scan.take("this_group", "among"):
        found.this_group = True
    _hold_out(scan, found)
    goal(request, scan, found)
    _name(scan, found)
    schedule(request, scan, found)
    waves(request, scan, found)
    for position, item in enumerate(scan.items[:-1]):
        sense = item.sense("quantity")
        if (
            sense
            and scan.items[position + 1].has("wave_word")
            and cast(Quantity, sense.value).value == len(found.waves)
        ):
            scan.used |= {position, position + 1}  # 三波活动: so many were told
    return found


def _before_waves(request: Request, scan: Scan) -> None:
    """`给看过没买的客户先发push`: before the first wave 没买的 tells the audience, and is read in its parts."""
    first = next((p for p, item in enumerate(scan.items) if item.has("channel", "first", "day_at", "day_after")), 0)
    for position in range(first - 1, -1, -1):
        item = scan.items[position]
        if not item.has("not_reached") or scan.used:
            continue
        parts = read_scan(item.text, request.lexicon, request.today, KINDS - {"not_reached"}, frozenset()).items
        scan.items[position : position + 1] = [
            Item(part.start + item.start, part.end + item.start, part.text, part.senses) for part in parts
        ]


def _texts(scan: Scan) -> None:
    """`text: "…"` names the words, not the channel."""
    for position, item in enumerate(scan.items):
        following = scan.items[position + 1 : position + 3]
        quoted = next((x for x in following if not x.has("comma", "be")), None)
        if item.has("text_word") and item.has("channel") and quoted is not None and quoted.has("quote"):
            kept = tuple(sense for sense in item.senses if sense.kind != "channel")
            scan.items[position] = Item(item.start, item.end, item.text, kept)


def _hold_out(scan: Scan, found: Told) -> None:
    """留10%对照, hold out 10%, 10% control."""
    items = scan.items
    for position, item in enumerate(items):
        if item.has("holdout") and position and items[position - 1].has("not", "exclude"):
            found.holdout = 0.0
            scan.used |= {position, position - 1}
            return
        share = percent(item)
        if share is None or position in scan.used:
            continue
        near = [p for p in range(max(0, position - 3), min(len(items), position + 4)) if items[p].has("holdout")]
        kept = [p for p in range(max(0, position - 2), position) if items[p].has("keep")]
        if near or kept:
            found.holdout = share
            scan.used |= {position, *near, *kept}
            for p in range(max(0, position - 3), position):
                if items[p].has("keep", "change"):
                    scan.used.add(p)
            return


def percent(item: Item) -> float | None:
    sense = item.sense("quantity")
    value = cast("Quantity | None", sense.value if sense else None)
    if value is None or value.measure != "percent" or not 0 < value.value < 100:
        return None
    return as_number(value.value)


def _name(scan: Scan, found: Told) -> None:
    for position, item in enumerate(scan.items[:-1]):
        following = scan.items[position + 1]
        if item.has("rename") and following.has("quote") and position not in scan.used:
            found.name = following.senses[0].name
            scan.used |= {position, position + 1}
