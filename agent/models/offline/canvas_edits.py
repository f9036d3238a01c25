"""Changes of the canvas in focus, told in words: 第二波换企微, hold-out 15%, 去掉电话那波."""

import re
from collections.abc import Mapping
from typing import Any, cast

import yaml

from agent.models.base import Step
from agent.models.offline.canvas_words import percent
from agent.models.offline.context import Request, call
from agent.models.offline.frames import Reading
from agent.models.offline.goals import read_goal
from agent.models.offline.scan import BASE, Scan, best
from agent.models.offline.senses import Duration, Moment
from tools.segment import to_text

_FIELD = re.compile(r"(\w+)=(\S+)")
_EDIT = BASE | {
    "channel", "wave", "wave_word", "change", "remove", "add", "holdout", "keep", "goal", "goal_window", "rename",
    "text_word", "day_at", "day_after", "moment", "keep_rest", "ba", "this_group", "audience_word", "campaign_word", "send", "next_wave",
}  # fmt: skip


def edit(request: Request) -> Step | None:
    """Changes of the canvas in focus; None if the text holds none."""
    edits: list[dict[str, Any]] = []

    def conditions(scan: Scan) -> Reading:
        edits.clear()
        scan.take("keep_rest")
        _edits(request, scan, edits)
        audience = scan.take("audience_word")
        scan.take("campaign_word", "change", "ba", "wave_word", "this_group", "keep", "send", "next_wave")
        reading = request.conditions(scan)
        if audience and reading.node is not None and not reading.unread:
            edits.append({"op": "set_segment", "value": to_text(reading.node)})
            reading.node = None
        return reading

    found, reading = best(request.text, request.lexicon, request.today, _EDIT, conditions)
    if not edits:
        return None
    if reading.node is not None:
        reading.unread.extend(item for item in found.unread() if item not in reading.unread)
    if open_point := request.open_points(reading):
        return open_point
    return call("edit_canvas", edits=edits)


def _edits(request: Request, scan: Scan, edits: list[dict[str, Any]]) -> None:
    items = scan.items
    channels = _channels(request.turn.focus.canvas_text)
    wave: int | None = None
    removing = any(item.has("remove") for item in items)
    adding = any(item.has("add") and not item.has("op") for item in items) and not scan.has("wave")
    added: dict[str, Any] = {}
    position = 0
    while position < len(items):
        item = items[position]
        following = items[position + 1] if position + 1 < len(items) else None
        if sense := item.sense("wave"):
            wave = int(sense.name) if int(sense.name) > 0 else len(channels)
            scan.used.add(position)
            if removing and not scan.has("channel"):
                edits.append({"op": "remove_wave", "wave": wave})
        elif (sense := item.sense("channel")) and following and following.has("wave_word") and sense.name in channels:
            wave = channels.index(sense.name) + 1
            scan.used |= {position, position + 1}
            if removing:
                edits.append({"op": "remove_wave", "wave": wave})
            position += 1
        elif (
            sense and wave is None and not adding and not removing and sense.name in channels
            and any(x.has("change") for x in items[position + 1 :])
        ):  # fmt: skip
            wave = channels.index(sense.name) + 1
            scan.used.add(position)
        elif sense and removing and wave is None and sense.name in channels and not adding:
            edits.append({"op": "remove_wave", "wave": channels.index(sense.name) + 1})
            scan.used.add(position)
        elif sense and adding:
            added["channel"] = sense.name
            scan.used.add(position)
        elif sense and wave is not None:
            edits.append({"op": "set_channel", "wave": wave, "value": sense.name})
            scan.used.add(position)
        elif (day := item.sense("day_at")) and (wave is not None or adding):
            if adding:
                added["day"] = day.value
            else:
                edits.append({"op": "set_day", "wave": wave, "value": day.value})
            scan.used.add(position)
        elif (day := item.sense("day_after")) and adding:
            added["day"] = _last_day(request.turn.focus.canvas_text) + cast(int, day.value)
            scan.used.add(position)
        elif (moment := item.sense("moment")) and wave is not None and cast(Moment, moment.value).hour is not None:
            edits.append({"op": "set_hour", "wave": wave, "value": cast(Moment, moment.value).hour})
            scan.used.add(position)
        elif item.has("holdout") and position and items[position - 1].has("not", "exclude", "remove"):
            edits.append({"op": "set_holdout", "value": 0})
            scan.used |= {position, position - 1}
            removing = False
        elif (share := percent(item)) is not None and any(x.has("holdout") for x in items):
            edits.append({"op": "set_holdout", "value": share})
            scan.used |= {position, *(p for p, x in enumerate(items) if x.has("holdout"))}
        elif item.has("goal_window") and (
            length := next((x.sense("duration") for x in items if x.has("duration")), None)
        ):
            edits.append({"op": "set_goal_window", "value": cast(Duration, length.value).days})
            scan.used |= {position, *(p for p, x in enumerate(items) if x.has("duration", "goal"))}
        elif item.has("goal") and (goal := read_goal(request, scan, position + 1)) is not None:
            edits.append({"op": "set_goal", "value": {"event": goal[0], "where": goal[1]}})
            scan.used.add(position)
        elif item.has("rename") and (quote := next((x for x in items[position:] if x.has("quote")), None)):
            edits.append({"op": "rename", "value": quote.senses[0].name})
            scan.used |= {position, items.index(quote)}
        elif (
            item.has("text_word")
            and wave is not None
            and (quote := next((x for x in items[position:] if x.has("quote")), None))
        ):
            edits.append({"op": "set_text", "wave": wave, "value": quote.senses[0].name})
            scan.used |= {position, items.index(quote)}
        position += 1
    if adding and "channel" in added:
        added.setdefault("day", _last_day(request.turn.focus.canvas_text) + 3)
        edits.append({"op": "add_wave", "value": added})
        scan.take("add")
    if edits:
        scan.take("remove")


def _nodes(canvas_text: str) -> list[Mapping[str, Any]]:
    if not canvas_text.lstrip().startswith(("nodes:", "{")):
        # As the thread shows it: one node a line, `id=w1 kind=touch channel=push`.
        return [dict(_FIELD.findall(line)) for line in canvas_text.splitlines() if line.strip()]
    document = yaml.safe_load(canvas_text)
    return list(document.get("nodes", [])) if isinstance(document, dict) else []


def _channels(canvas_text: str) -> list[str]:
    """The channels of the canvas's waves, in order."""
    return [str(node["channel"]) for node in _nodes(canvas_text) if node.get("kind") == "touch"]


def _last_day(canvas_text: str) -> int:
    return sum(int(node.get("days", 0)) for node in _nodes(canvas_text) if node.get("kind") == "delay")
