"""Draft a canvas from words or from a playbook; edit the one in focus; dry-run it."""

from collections.abc import Mapping
from typing import Any, cast

from agent.models.base import Call, Done, Step
from agent.models.offline.boolean import conjunction
from agent.models.offline.canvas_words import KINDS, told
from agent.models.offline.context import Request, call
from agent.models.offline.frames import Reading
from agent.models.offline.moments import resolve
from agent.models.offline.questions import ask_unread, say
from agent.models.offline.scan import BASE, Scan, best
from agent.models.offline.scan import scan as read_scan
from agent.models.offline.schedule import on_weekdays
from agent.models.offline.senses import Moment
from agent.models.offline.titles import title
from agent.models.offline.told import Told
from tools.segment import to_text


def draft(request: Request) -> Step | None:
    """A canvas told in words, wave by wave; None if no channel was named."""
    kept: list[Told] = []

    def conditions(scan: Scan) -> Reading:
        kept[:] = [told(request, scan)]
        scan.take("draft", "send", "strategy", "which")
        return request.conditions(scan)

    _, reading = best(request.text, request.lexicon, request.today, KINDS, conditions)
    plan = kept[0]
    if not plan.waves:
        return None
    if open_point := request.open_points(reading):
        return open_point
    if reading.node is None and request.turn.focus.segment is None:
        return say("给哪批客户？请先圈人，例如：", "For which customers? Select them first, for example:", request.language,
                   [f"代发客户，{request.text}" if request.language == "zh" else f"for payroll customers: {request.text}"]
                   if "is_payroll" in request.catalog.attribute_index else ["有多少客户" if request.language == "zh" else "how many customers"])  # fmt: skip
    if plan.ambiguous:
        return _which_days(request, plan)
    remark = ""
    if plan.weekdays:
        moved = on_weekdays(request, plan)
        if isinstance(moved, Step):
            return moved
        remark = moved
    if plan.from_first:
        told_days = ", ".join(f"D{wave.day}" for wave in plan.waves)
        counted = (
            f"各波天数都从第一波算起（{told_days.replace(', ', '、')}）。" if request.language == "zh"
            else f"The days count from the first wave ({told_days})."
        )  # fmt: skip
        remark = f"{counted} {remark}".strip()
    segment = to_text(reading.node) if reading.node is not None else None
    if reading.node is not None and plan.this_group and request.focus is not None:
        segment = to_text(conjunction([request.focus, reading.node]))
    step = call(
        "draft_canvas", name=plan.name or title(request, plan), segment=segment,
        waves=[wave.arguments(first=n == 0) for n, wave in enumerate(plan.waves)],
        holdout_percent=plan.holdout, goal_event=plan.goal_event or None, goal_where=plan.goal_where or None,
        goal_window_days=plan.goal_window, start=plan.start or None,
    )  # fmt: skip
    step.remark = remark
    return step


def _which_days(request: Request, plan: Told) -> Step:
    """Both readings of the days, as the same request with days that have one reading only."""
    options = []
    for days in ([wave.day for wave in plan.waves], plan.ambiguous):
        told_so = request.text
        for day, span in sorted(zip(days, plan.day_spans, strict=True), key=lambda x: -(x[1] or (0, 0))[0]):
            if span is not None:
                words = f"第{day}天" if request.language == "zh" else f" on day {day} "
                told_so = f"{told_so[: span[0]]}{words}{told_so[span[1] :]}"
        options.append(" ".join(told_so.split()) if request.language == "en" else told_so)
    return say(
        "后面的天数是从第一波算起，还是从上一波算起？", "Do the later days count from the first wave or from the one before?",
        request.language, options,
    )  # fmt: skip


def from_playbook(request: Request) -> Step | None:
    """`出一套`, `draft the first one`: find the playbook, then draft with its waves, for the segment named or in focus."""
    which = [0]
    kept: list[bool] = [False]

    def conditions(scan: Scan) -> Reading:
        kept[0] = bool(scan.take("this_group", "among"))
        for item in scan.items:
            if sense := item.sense("which"):
                which[0] = int(sense.name) - 1
        scan.take("draft", "strategy", "which", "send", "metric")
        return request.conditions(scan)

    _, reading = best(request.text, request.lexicon, request.today, KINDS | {"metric"}, conditions)
    query = request.text
    if reading.node is None and not reading.unread:
        query = _earlier_query(request) or request.text
    elif reading.unread:
        # A theme ("发薪日活动") is free text for the playbooks; only words that none of them knows are asked about.
        unknown = [item for item in reading.unread if item.has("unread") and not _in_playbooks(request, item.text)]
        if unknown:
            return ask_unread(unknown, request.text, request.language, request.catalog)
    search = Call(tool="search_playbooks", args={"query": query})
    done = request.turn.done
    if not done:
        if reading.asks:
            return request.open_points(Reading(asks=reading.asks))
        return Step(calls=[search])
    if len(done) > 1 or done[0].tool != "search_playbooks":
        return Step()
    segment = to_text(reading.node) if reading.node is not None and not reading.unread else None
    return _draft_found(request, done[0], which[0], segment)


def _in_playbooks(request: Request, text: str) -> bool:
    return request.playbook_words(text)


def _earlier_query(request: Request) -> str:
    """What was asked when playbooks were last looked for in this thread."""
    for exchange in reversed(request.turn.history):
        for earlier in exchange.calls:
            if earlier.tool == "search_playbooks":
                return cast(str, earlier.args.get("query", ""))
    return ""


def _draft_found(request: Request, done: Done, which: int, segment: str | None) -> Step:
    found = cast("list[Mapping[str, Any]]", done.result.get("playbooks") or [])
    if which >= len(found):
        return say(
            "没有找到合适的打法，请说说目标和渠道。",
            "No playbook fits. Say the goal and the channels.",
            request.language,
        )
    playbook = found[which]
    audience = cast("Mapping[str, Any]", playbook.get("audience") or {})
    if segment is None and request.turn.focus.segment is None:
        segment = cast("str | None", audience.get("expression") or None)
        if segment is None:
            return say("给哪批客户？请先圈人。", "For which customers? Select them first.", request.language)
    waves = [{k: v for k, v in wave.items() if v not in (None, [], "")} for wave in playbook.get("waves", [])]
    return call(
        "draft_canvas", name=str(playbook.get("title", ""))[:120], segment=segment, waves=waves,
        holdout_percent=playbook.get("holdout_percent"), goal_event=playbook.get("goal_event") or None,
        goal_where=playbook.get("goal_where") or None, goal_window_days=playbook.get("goal_window_days"),
        playbook=playbook.get("id"), category=playbook.get("category"),
    )  # fmt: skip


def dry_run(request: Request) -> Step:
    """试跑一下, dry run it from 1 November."""
    scan = read_scan(
        request.text,
        request.lexicon,
        request.today,
        BASE | {"dry_run", "draft", "moment", "this_group", "ba"},
        frozenset(),
    )
    scan.take("dry_run", "draft", "this_group", "ba")
    start = None
    for position, item in enumerate(scan.items):
        if (sense := item.sense("moment")) and position not in scan.used:
            moment = cast(Moment, sense.value)
            at = resolve(moment, request.today)
            start = at.isoformat(timespec="minutes") if at else moment.day.isoformat() if moment.day else None
            scan.used.add(position)
    if scan.unread():
        return ask_unread(scan.unread(), request.text, request.language, request.catalog)
    return call("dry_run_canvas", start=start)
