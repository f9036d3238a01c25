"""Requests about who and how many: fresh ones, follow-ups on the segment in focus, corrections, breakdowns, metrics."""

from agent.models.base import Step
from agent.models.offline.attribute_groups import attribute_groups
from agent.models.offline.boolean import conjunction
from agent.models.offline.context import Request, call
from agent.models.offline.dialogue import about, corrected, only_numbers
from agent.models.offline.figures import period_text
from agent.models.offline.frames import Reading
from agent.models.offline.questions import ask_unread, say
from agent.models.offline.scan import BASE, Scan, best
from agent.models.offline.senses import Item
from tools.segment import to_text
from tools.segment.schema import Everyone, Node, Not, Window

_KINDS = BASE | {"instead", "among", "this_group", "only", "correct", "change", "by", "distribution", "each"}


class _Said:
    """What surrounds the conditions of a request."""

    def __init__(self) -> None:
        self.by: list[str] = []
        self.metric = ""
        self.period: Window | None = None
        self.narrows = False
        self.corrects = False
        self.counted = False
        self.shared = False


def segment_request(request: Request, metric: bool) -> Step | None:
    """Read a count, a follow-up, a breakdown or (with `metric`) a metric; None if the text holds nothing of the kind."""
    said = _Said()

    def conditions(scan: Scan) -> Reading:
        said.__init__()  # type: ignore[misc]
        _surroundings(scan, said, request, metric)
        return request.conditions(scan)

    kinds = _KINDS | {"metric", "period_word", "describe"} if metric else _KINDS
    _, reading = best(request.text, request.lexicon, request.today, kinds, conditions)
    if said.corrects and request.focus is not None and (only_numbers(request) or not reading.unread):
        return _correction(request, reading)
    if open_point := request.open_points(reading):
        return open_point
    if metric:
        return _metric(request, said, reading)
    node = reading.node
    if node is None and not said.by and not said.counted and not said.narrows:
        return None
    tree = _with_focus(request, said, node)
    if tree is None:
        return say(
            "要看哪批客户？请先说条件，例如：", "Which customers? Say the condition first, for example:",
            request.language, _examples(request),
        )  # fmt: skip
    if len(said.by) > 1:
        names = [request.catalog.attribute(n).words.name(request.language) for n in said.by]
        whose = "" if node is None or isinstance(tree, Everyone) else f"`{to_text(tree)}`"
        return say("一次只能按一个维度拆分，选哪个？", "One breakdown at a time: which one?", request.language,
                   [f"{whose}按{n}分布" if request.language == "zh" else f"{whose} by {n}".strip() for n in names])  # fmt: skip
    whole = to_text(request.focus) if request.focus is not None else ""
    if said.shared and said.narrows and whole and (attribute := about(node) if node is not None else "").isidentifier():
        # 其中女性占比多少: shares of those in focus are told by the attribute's groups.
        return call("query_segment", segment=whole, by=attribute)
    step = call("query_segment", segment=to_text(tree), by=said.by[0] if said.by else None)
    if said.shared and said.narrows and whole:
        step.remark = (
            "占比按全部可见客户计算，不是按上一批客户。" if request.language == "zh"
            else "The share is one of all customers you may see, not of those before."
        )  # fmt: skip
    if reading.notes:
        step.remark = (
            "“没…”按前一个动作的对象和时间理解。" if request.language == "zh"
            else "The action that was not done is read with the object and the period of the one before it."
        )  # fmt: skip
    return step


def _with_focus(request: Request, said: _Said, node: Node | None) -> Node | None:
    """A follow-up narrows the segment in focus; anything else starts anew."""
    if said.narrows or (node is not None and _only_excludes(node) and _bare(request) and request.focus is not None):
        if request.focus is None:
            return node
        return conjunction([request.focus, node]) if node is not None else request.focus
    if node is None and said.by:
        return request.focus or Everyone()
    return node if node is not None else (Everyone() if said.counted else None)


def _only_excludes(node: Node) -> bool:
    return isinstance(node, Not)


def _bare(request: Request) -> bool:
    """The text begins with an exclusion: `剔掉代发的`, `except staff`; it takes away from what is in focus."""
    items = best(request.text, request.lexicon, request.today, _KINDS, request.conditions)[0].items
    first = next((item for item in items if not item.has("carry", "comma")), None)
    return first is not None and first.has("exclude", "ba")


def _surroundings(scan: Scan, said: _Said, request: Request, metric: bool) -> None:
    content = [p for p, item in enumerate(scan.items) if not item.has("carry", "comma")]
    if len(content) > 1 and scan.items[content[0]].has("and") and request.focus is not None:
        said.narrows = True
        scan.used.add(content[0])
    if content and scan.items[content[0]].has("correct") and request.focus is not None:
        said.corrects = True
        scan.used.add(content[0])
        scan.take("correct")
    if scan.has("change") and request.focus is not None and not metric:
        said.corrects = True
        scan.take("change")
    if scan.take("among"):
        said.narrows = True
    if scan.take("this_group"):
        said.narrows = True
    if request.focus is not None and scan.take("only"):
        said.narrows = True
    _breakdown(scan, said, request)
    if metric:
        for position, item in enumerate(scan.items):
            if (sense := item.sense("describe")) and sense.name == "weak":
                scan.used.add(position)
        for position, item in enumerate(scan.items):
            sense = item.sense("metric")
            if sense and not item.has("count") and not said.metric:
                said.metric = sense.name
                scan.used.add(position)
        for position, item in enumerate(scan.items):
            if position not in scan.used and (window := item.sense("window")) and said.period is None:
                said.period = window.value  # type: ignore[assignment]
                scan.used.add(position)
    if content and not said.by and len(content) > 1 and scan.items[content[-1]].text in ("占比", "比例"):
        said.counted = said.shared = True  # 女性占比
        scan.used.add(content[-1])
    if counting := scan.take("count"):
        said.counted = True
        said.shared = any(sense.name == "share" for item in counting for sense in item.all("count"))
    if scan.has("everyone"):
        said.counted = True


def _breakdown(scan: Scan, said: _Said, request: Request) -> None:
    """按城市分布, by branch, 年龄分布, 各分行多少人."""
    items = scan.items
    for position, item in enumerate(items):
        if position in scan.used or not (item.has("attribute") or _alike(request, item)):
            continue
        before = _neighbour(items, position, -1)
        after = _neighbour(items, position, 1)
        named = item.text.endswith("分布") or item.text.startswith("各") or item.text.endswith("维度")
        led = before is not None and items[before].has("by", "each") and not scan.has("top")
        if led and before is not None and _passive(request.text[items[before].end : item.start]):
            scan.used |= {before, position}  # managed by a relationship manager: said twice, no breakdown
            continue
        followed = after is not None and items[after].has("distribution")
        chained = before is not None and bool(said.by) and items[before].has("and", "comma") and before in scan.used
        if not (named or led or followed or chained):
            continue
        name = next((s.name for s in item.senses if s.kind == "attribute"), "") or _alike(request, item)
        said.by.append(name)
        scan.used.add(position)
        for place in (before if led or chained else None, after if followed else None):
            if place is not None:
                scan.used.add(place)
        if after is not None and items[after].has("and", "comma") and not followed:
            beyond = _neighbour(items, after, 1)
            if beyond is not None and items[beyond].has("attribute") and led:
                scan.used.add(after)
    if said.by:
        scan.take("distribution", "each", "by")


def _alike(request: Request, item: Item) -> str:
    """The attribute that has the same name as a value of something else: 网点, as a channel, is called `branch` too."""
    if not item.has("property_value") or item.has("event", "term", "value", "metric", "channel"):
        return ""
    said = {sense.name for sense in item.all("property_value")}
    found = [a.name for a in attribute_groups(request.catalog).referring if a.words.en.casefold() in said]
    return found[0] if len(found) == 1 else ""


def _passive(between: str) -> bool:
    """`managed by a relationship manager` names a doer; `by manager` a breakdown."""
    return bool({"a", "an"} & set(between.lower().split()))


def _neighbour(items: list[Item], position: int, step: int) -> int | None:
    place = position + step
    while 0 <= place < len(items) and items[place].has("carry", "de", "people"):
        place += step
    return place if 0 <= place < len(items) else None


def _correction(request: Request, reading: Reading) -> Step:
    if reading.asks and not only_numbers(request):
        return request.open_points(reading) or Step()
    assert request.focus is not None
    tree = corrected(request, request.focus, reading.node)
    if tree is None:
        return say(
            "没看出要改哪一个条件，请把完整的条件再说一遍。",
            "I cannot tell which condition to change. Please say the whole condition again.",
            request.language, [f"{to_text(request.focus)}"],
        )  # fmt: skip
    return call("query_segment", segment=to_text(tree))


def _metric(request: Request, said: _Said, reading: Reading) -> Step | None:
    if not said.metric:
        return None
    if len(said.by) > 1:
        return None
    node = reading.node
    if said.narrows and request.focus is not None:
        node = conjunction([request.focus, node]) if node is not None else request.focus
    return call(
        "query_metric", metric=said.metric,
        segment=to_text(node) if node is not None and not isinstance(node, Everyone) else None,
        by=said.by[0] if said.by else None, period=period_text(said.period) if said.period else None,
    )  # fmt: skip


def _examples(request: Request) -> list[str]:
    """Whole requests made from this catalog's own words."""
    found: list[str] = []
    for attribute in request.catalog.attributes:
        name = attribute.words.name(request.language)
        if attribute.kind.value == "bool" and len(found) < 3:
            found.append(f"{name}的客户有多少" if request.language == "zh" else f"how many customers: {name}")
    return found


def unread_everything(request: Request, scan: Scan) -> Step:
    return ask_unread(scan.unread() or scan.items, request.text, request.language, request.catalog)
