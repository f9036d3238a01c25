"""Questions about a figure: where it fell, why, what it is."""

from agent.models.base import Step
from agent.models.offline.attribute_groups import attribute_groups
from agent.models.offline.context import Request, call
from agent.models.offline.frames import Reading
from agent.models.offline.questions import ask_unread, say
from agent.models.offline.scan import BASE, Scan, best
from agent.models.offline.scan import scan as read_scan
from agent.models.offline.senses import Item
from tools.segment import to_text
from tools.segment.schema import Calendar, Dates, Last
from warehouse.catalog import Attribute, Catalog, Metric

_KINDS = BASE | {
    "metric",
    "move",
    "where_word",
    "why",
    "readout",
    "by",
    "each",
    "distribution",
    "among",
    "this_group",
    "period_word",
    "growth",
}


def period_text(window: object) -> str:
    """As `query_metric` takes it: last_month, last 30d, 2026-10-01..2026-10-31."""
    if isinstance(window, Calendar):
        return window.period
    if isinstance(window, Last):
        return f"last {window.amount}{window.unit}"
    if isinstance(window, Dates):
        return f"{window.start.isoformat()}..{window.end.isoformat()}"
    return "since entry"


def _measured(items: list[Item]) -> list[Item]:
    return [item for item in items if item.has("metric") and not item.has("campaign", "count", "event")]


def asks_why(request: Request, full: Scan) -> bool:
    """`MAU掉在哪`, `why is MAU falling`: a metric, a move, and a question where or why."""
    if not full.has("where_word", "why"):
        return False
    plain = read_scan(request.text, request.lexicon, request.today, _KINDS - {"term"}, frozenset())
    return plain.has("move") and bool(_named(request, plain))


def asks_figure(request: Request, full: Scan) -> bool:
    """`what are total deposits`: a figure rather than the meaning of a word."""
    describing = [item for item in full.items if item.has("describe") and not item.has("attribute", "metric")]
    if not describing or any(item.sense("describe").name != "weak" for item in describing):  # type: ignore[union-attr]
        return False
    metrics = [request.catalog.metric(s.name) for item in _measured(full.items) for s in item.all("metric")]
    return any(m.kind in ("sum", "mean") for m in metrics)


def _named(request: Request, scan: Scan) -> list[str]:
    """The metrics said; an amount by its attribute's sum."""
    found = [s.name for item in _measured(scan.items) for s in item.all("metric")]
    if not found:
        names = [s.name for item in scan.items for s in item.all("attribute")]
        found = [m.name for m in request.catalog.metrics if m.kind == "sum" and m.attribute in names]
    return found


def why(request: Request) -> Step:
    """The figure beside the period before; where it fell by one dimension, and by which others it can be broken down."""
    metric, period, where, by = [""], [""], [False], [""]

    def conditions(scan: Scan) -> Reading:
        named = _named(request, scan)
        metric[0] = named[0] if named else ""
        where[0] = scan.has("where_word")
        scan.use(item for item in scan.items if item.has("metric") and not item.has("event"))
        if not any(item.has("metric") for item in scan.items):
            scan.use(item for item in scan.items if item.has("attribute"))
        scan.take("move", "where_word", "why", "readout", "growth", "period_word", "be")
        for position, item in enumerate(scan.items):
            if position not in scan.used and (window := item.sense("window")):
                period[0] = period_text(window.value)
                scan.used.add(position)
        for position, item in enumerate(scan.items):
            if item.has("attribute") and position and scan.items[position - 1].has("by", "each", "distribution"):
                by[0] = item.sense("attribute").name  # type: ignore[union-attr]
                scan.used |= {position, position - 1}
        return request.conditions(scan)

    _, reading = best(request.text, request.lexicon, request.today, _KINDS - {"term"}, conditions)
    if not metric[0]:
        return ask_unread(reading.unread, request.text, request.language, request.catalog)
    if point := request.open_points(reading):
        return point
    chosen = request.catalog.metric(metric[0])
    dimensions = sensible(request.catalog)
    if request.turn.done:
        return _which(request, chosen, dimensions, period[0])
    if where[0] and not by[0] and dimensions:
        by[0] = dimensions[0].name
    segment = to_text(reading.node) if reading.node is not None else None
    return call("query_metric", metric=chosen.name, segment=segment, by=by[0] or None, period=period[0] or None)


def sensible(catalog: Catalog) -> list[Attribute]:
    """Attributes to break a figure down by, the bank's own organisation first."""
    return sorted(attribute_groups(catalog).categories, key=lambda a: (not a.reference, not a.ordered))[:4]


def _which(request: Request, metric: Metric, dimensions: list[Attribute], period: str) -> Step:
    """Figures tell where something changed, never why: offer to look by another dimension."""
    name = metric.words.name(request.language)
    options = [
        f"{name} 按{a.words.name('zh')}分布" if request.language == "zh" else f"{name} by {a.words.name('en')}"
        for a in dimensions
    ]
    return say(
        "数据能说明变化在哪里，说明不了原因。按什么拆开看？",
        "Figures show where it changed, not why. By what shall it be broken down?",
        request.language, options,
    )  # fmt: skip
