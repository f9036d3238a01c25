"""Which intent a request has. The first whose signs are there reads the text under its own grammar."""

import re

from agent.models.base import Step
from agent.models.offline import actions, canvas_edits, canvas_requests, figures
from agent.models.offline.context import Request, call
from agent.models.offline.questions import ask_unread, say
from agent.models.offline.removals import drop_condition
from agent.models.offline.scan import BASE, Scan
from agent.models.offline.scan import scan as read_scan
from agent.models.offline.segments import segment_request
from agent.models.offline.senses import Item
from agent.models.offline.template_requests import template
from tools.segment import parse, to_text
from warehouse.errors import ModelRetry

_SMALL = frozenset({"thanks", "help", "carry", "comma", "people", "de", "be"})


def route(request: Request) -> Step:
    """Read the request as its intent; a question where none fits."""
    if step := _expression(request):
        return step
    if step := template(request):
        return step
    full = read_scan(request.text, request.lexicon, request.today, request.lexicon.kinds, frozenset())
    if step := _refused(request, full):
        return step
    if step := _conversation(request, full):
        return step
    if step := _canvas(request, full):
        return step
    step = _read_out(request, full)
    if step is None or step.unread:
        # A past campaign's name must not swallow words that another reading covers completely.
        other = _segments(request, full)
        if step is None or other.calls:
            return other
    return step


def _expression(request: Request) -> Step | None:
    """A text that is an expression already: `is_payroll and aum >= 500000`."""
    if not re.search(r"[<>=(_]", request.text):
        return None
    try:
        return call("query_segment", segment=to_text(parse(request.text, request.catalog)))
    except ModelRetry:
        return None


def _refused(request: Request, full: Scan) -> Step | None:
    if _named_only(full, "personal") and not _asks_meaning(full):
        return actions.personal(request)
    if _named_only(full, "out_of_scope"):
        return actions.out_of_scope(request)
    question = request.text.rstrip().endswith(("?", "？", "吗", "没", "没有"))
    if (
        _named_only(full, "decision")
        and not _of_whom(full)
        and not (question and full.has("status"))
        and not _submits(full)
    ):
        return actions.decision(request)
    return None


def _of_customers(request: Request, measured: list[Item]) -> bool:
    names = [sense.name for item in measured for sense in item.all("metric")]
    return all(request.catalog.metric(name).kind == "event_customers" for name in names)


def _named_only(full: Scan, cue: str) -> bool:
    """A cue counts where its words are no name of data: `rejected` may be an attribute of this bank."""
    return any(item.has(cue) and not item.has("attribute", "event", "value", "term", "metric") for item in full.items)


def _of_whom(full: Scan) -> bool:
    """`同意营销的客户` tells which customers, it decides nothing."""
    said = [item for item in full.items if not item.has("comma", "count", "carry", "have")]
    return len(said) > 2 and said[-1].has("people") and said[-2].has("de")


def _submits(full: Scan) -> bool:
    return all(item.has("submit") for item in full.items if item.has("decision"))


def _asks_meaning(full: Scan) -> bool:
    return full.has("describe")


def _conversation(request: Request, full: Scan) -> Step | None:
    content = [item for item in full.items if not item.has("carry", "comma", "de", "people")]
    if _named_only(full, "undo"):
        return actions.simple(request, "undo", "undo")
    if full.has("submit"):
        return actions.simple(request, "submit", "submit_for_approval", "status")
    if full.has("dry_run"):
        return canvas_requests.dry_run(request)
    if _named_only(full, "status") and not full.has("campaign_word", "channel"):
        return actions.simple(request, "status", "get_status")
    if all(item.has(*_SMALL) for item in full.items) and full.has("help", "thanks"):
        return actions.help_text(request)
    if not content:
        return actions.help_text(request)
    return None


def _canvas(request: Request, full: Scan) -> Step | None:
    channels = [item for item in full.items if item.has("channel")]
    able = [sense.name for item in full.items for sense in item.all("can")]
    if able and (channels or (request.turn.focus.segment is not None and "" in able)):
        step = actions.throttle(request)
        if step is not None:
            return step
    editing = request.turn.focus.canvas is not None and (
        full.has("wave", "holdout", "goal", "goal_window", "audience_word", "text_word")
        or (
            full.has("change", "remove", "add", "rename", "exclude")
            and (bool(channels) or full.has("wave_word", "rename"))
        )
    )
    if request.turn.focus.canvas is None and full.has("remove") and full.has("wave") and _wave_alone(full):
        return say("还没有画布可改。", "There is no canvas to change yet. Draft one first.", request.language)
    staged = (
        full.has("first", "next_wave", "day_at", "day_after", "holdout", "not_reached", "arm", "weekend", "every")
        or len(channels) > 1
    )
    sending = full.has("send") or any(item.text[:1] in "发推打" for item in channels)
    told = sending and not full.has("count", "can", "status", "readout", "describe", "strategy", "window", "event")
    drafting = bool(channels) and (full.has("draft", "campaign_word") or staged or told)
    if (
        editing
        and not (full.has("draft") and len(channels) > 1)
        and not (len(channels) > 1 and staged and not full.has("change"))
    ):
        step = canvas_edits.edit(request)
        if step is not None:
            return step
    if drafting and not full.has("readout"):
        step = canvas_requests.draft(request)
        if step is not None:
            return step
    return None


def _wave_alone(full: Scan) -> bool:
    """`remove the third wave`: of a canvas, not of customers."""
    return all(item.has("remove", "wave", "wave_word", "ba", "carry", "comma") for item in full.items) and not full.has(
        "attribute"
    )


def _read_out(request: Request, full: Scan) -> Step | None:
    making = any(sense.name == "verb" for item in full.items for sense in item.all("draft"))
    if making and not full.has("count", "readout", "describe"):
        return canvas_requests.from_playbook(request)
    if (full.has("compare_word") and not full.has("op", "share_of", "move", "more")) or (
        full.has("compare_word") and full.has("campaign_word", "campaign", "month")
    ):
        return actions.read_out(request, compare=True)
    if figures.asks_why(request, full):
        return figures.why(request)
    if _takes_apart(request, full):
        return actions.read_out(request)
    measured = [item for item in full.items if item.has("metric") and not item.has("campaign", "readout")]
    asked = full.has("readout") or (
        bool(measured) and full.has("campaign_word", "campaign") and _names_campaign(request, full)
    )
    if figures.asks_figure(request, full) and not (asked and full.has("campaign_word", "campaign", "month")):
        return None
    if (
        full.has("describe")
        and not full.has("channel")
        and not (asked and full.has("campaign_word", "campaign", "month"))
    ):
        return actions.describe(request)
    if asked and (
        full.has("campaign_word", "campaign", "month") or request.turn.focus.campaign or _names_campaign(request, full)
    ):
        return actions.read_out(request)
    if full.has("draft") and not full.has("count") and not asked:
        return canvas_requests.from_playbook(request)
    if full.has("strategy"):
        return actions.strategy(request)
    if asked:
        return actions.read_out(request)
    return None


def _takes_apart(request: Request, full: Scan) -> bool:
    """`按年龄拆开看` right after a read-out takes the read-out apart, not the segment that was talked about before it."""
    last = request.turn.history[-1].calls if request.turn.history else []
    if not last or last[-1].tool != "analyze_campaign" or not full.has("by", "each", "distribution"):
        return False
    return all(item.has("by", "each", "distribution", "attribute", *BASE) for item in full.items)


def _names_campaign(request: Request, full: Scan) -> bool:
    return request.archive.match([i for i in full.items if not i.has("carry", "readout", "comma")], []) is not None


def _segments(request: Request, full: Scan) -> Step:
    if full.has("condition_word") and (step := drop_condition(request)):
        return step
    measured = [
        item for item in full.items if item.has("metric") and not item.has("count", "attribute", "event", "term")
    ]
    if measured:
        read = segment_request(request, metric=True)
        plain_count = segment_request(request, metric=False)
        # "customers who complained this year" is a segment as much as a figure: the segment can be worked with.
        if (
            read is not None
            and read.calls
            and not (plain_count is not None and plain_count.calls and _of_customers(request, measured))
        ):
            return read
        if plain_count is not None and (plain_count.calls or read is None):
            return plain_count
        if read is not None:
            return read
    step = segment_request(request, metric=False)
    if step is not None:
        return step
    plain = read_scan(request.text, request.lexicon, request.today, BASE, frozenset())
    if not plain.unread():
        return say(
            "想看哪批客户、做什么？请说具体一点。", "Which customers, and what about them? Please say a little more.", request.language,
            ["你能做什么" if request.language == "zh" else "what can you do"],
        )  # fmt: skip
    return ask_unread(plain.unread(), request.text, request.language, request.catalog)
