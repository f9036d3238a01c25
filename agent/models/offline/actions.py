"""Everything that is neither a segment nor a canvas: throttle, read-outs, submission, status, undo, descriptions, refusals."""

from typing import cast

from agent.models.base import Step
from agent.models.offline.boolean import conjunction
from agent.models.offline.context import Request, call
from agent.models.offline.frames import Reading
from agent.models.offline.moments import resolve
from agent.models.offline.questions import ask_unread, say
from agent.models.offline.scan import BASE, Scan, best
from agent.models.offline.scan import scan as read_scan
from agent.models.offline.senses import Item, Moment
from tools.segment import to_text


def simple(request: Request, cue: str, tool: str, *also: str) -> Step:
    """A request without arguments: undo, submit, status. Other words in it are asked about."""
    kinds = frozenset({"carry", "people", "comma", "de", "be", "unread", "this_group", "ba", "quote", "draft", "among",
                       "campaign_word", cue, *also}) | BASE  # fmt: skip
    found = read_scan(request.text, request.lexicon, request.today, kinds, frozenset())
    found.take(cue, "this_group", "ba", "draft", "among", "campaign_word", *also)
    left = [item for item in found.unread() if not item.has("have", "quote_")]
    if left:
        return ask_unread(left, request.text, request.language, request.catalog)
    return call(tool)


def throttle(request: Request) -> Step | None:
    """明天上午10点给这批人发短信能发多少; without a time: now, and the call says so."""
    channel, when, this_group, spoken = [""], [cast("Moment | None", None)], [False], [0]

    def conditions(scan: Scan) -> Reading:
        channel[0], when[0] = "", None
        this_group[0] = bool(scan.take("this_group", "among"))
        scan.take("can", "count")
        by_channel(scan)
        for position, item in enumerate(scan.items):
            if position in scan.used:
                continue
            if (sense := item.sense("channel")) and not channel[0]:
                channel[0] = sense.name
                scan.used.add(position)
            elif (sense := item.sense("moment")) and when[0] is None:
                when[0], spoken[0] = cast(Moment, sense.value), item.end
                scan.used.add(position)
        scan.take("send")
        return request.conditions(scan)

    kinds = BASE | {"this_group", "among", "can", "send", "channel", "moment", "by"}
    _, reading = best(request.text, request.lexicon, request.today, kinds, conditions)
    if not channel[0]:
        if reading.unread:
            return request.open_points(reading)
        words = [("短信", "sms"), ("push", "push"), ("企微", "WeCom")]
        plain = request.text.rstrip(" ?？。.")
        return say("用哪个渠道？", "On which channel?", request.language,
                   [f"{plain} {w[0]}" if request.language == "zh" else f"{plain} on {w[1]}" for w in words])  # fmt: skip
    if open_point := request.open_points(reading):
        return open_point
    node = reading.node
    if request.focus is not None and (this_group[0] or node is None):
        node = conjunction([request.focus, node]) if node is not None else request.focus
    if node is None:
        return say("给哪批客户发？请先圈人。", "To which customers? Select them first.", request.language)
    if when[0] is not None and when[0].hour is None:
        hours = ("上午10点", "中午12点", "下午3点") if request.language == "zh" else ("10:00", "12:00", "15:00")
        gap = "" if request.language == "zh" else " at "
        joined = [f"{request.text[: spoken[0]]}{gap}{h}{request.text[spoken[0] :]}" for h in hours]
        return say("几点发？", "At what time?", request.language, joined)
    at = resolve(when[0], request.today) if when[0] else request.today.now.astimezone(request.today.zone)
    assert at is not None
    return call("check_throttle", segment=to_text(node), channel=channel[0], at=at.isoformat(timespec="minutes"))


def by_channel(scan: Scan) -> None:
    """`by WeCom`: the preposition belongs to the channel."""
    for position, item in enumerate(scan.items[:-1]):
        if item.has("by") and scan.items[position + 1].has("channel"):
            scan.used.add(position)


def strategy(request: Request) -> Step:
    """What should be done for whom: the playbooks answer. The whole text is the query, so nothing is dropped."""
    return call("search_playbooks", query=request.text)


def describe(request: Request) -> Step:
    """Which data there is, or what a word means."""
    kinds = BASE | {"describe", "metric"}
    found = read_scan(request.text, request.lexicon, request.today, kinds, frozenset())
    found.take("describe", "count")
    named = [
        item for item in found.rest() if item.has("attribute", "event", "metric", "term", "missing", "value", "entity")
    ]
    found.use(named)
    left = [item for item in found.unread() if not item.has("have", "and", "or", "by", "not")]
    if left and not named:
        about = " ".join(item.text for item in left)
        return call("describe_data", about=about)
    if left:
        return ask_unread(left, request.text, request.language, request.catalog)
    return call("describe_data", about=named[0].text if named else None)


_READ = (BASE - {"property"}) | {
    "readout",
    "campaign_word",
    "campaign",
    "metric",
    "month",
    "by",
    "each",
    "why",
    "compare_word",
    "distribution",
    "among",
}


def read_out(request: Request, compare: bool = False) -> Step | None:
    """11月首购那波咋样, did the September payday campaign work, by age; or a comparison of several."""
    found = read_scan(request.text, request.lexicon, request.today, _READ, frozenset())
    by = _by(found)
    found.take("readout", "why", "compare_word", "among")
    said = [item for item in found.items if item.has("campaign_word") and request.archive.names_one(item)]
    found.use(item for item in found.items if item.has("campaign_word") and item not in said)
    months = [(cast(int, sense.value), item) for item in found.items if (sense := item.sense("month"))]
    found.use(item for _, item in months)
    metrics = [item for item in found.items if item.has("metric") and not item.has("count")]
    rest = [item for item in found.rest() if not item.has("carry", "comma", "de", "people", "have", "be", "count")]
    named = [item for item in rest if item not in metrics or not _brought(found, item)]
    if compare:
        return _compare(request, found, rest, months)
    match = request.archive.match(named, months)
    if match is None and not request.turn.focus.campaign:
        return _which(request, request.archive.all()[-4:])
    used = {*(match.items if match else ()), *said}
    left = [item for item in rest if item not in used]
    metric = _metric([item for item in metrics if item in left])
    left = [item for item in left if item not in metrics]
    groups = [item for item in left if item.has("term", "value", "attribute")]
    if groups and by is None and all(item.has("term", "value") for item in groups):
        by = _group_by(request, groups[0])
        left = [item for item in left if by is None or item is not groups[0]]
    if metric is None:
        money = [item for item in left if item.has("attribute")]
        metric = _attribute_metric(request, money)
        left = [item for item in left if metric is None or item not in money]
    if metric is None and (event := next((item for item in left if item.has("event")), None)):
        metric = event.sense("event").name  # type: ignore[union-attr]
        left.remove(event)
    left = [item for item in left if not item.has("and", "or", "not", "scope", "total", "more")]
    if left:
        return ask_unread(left, request.text, request.language, request.catalog)
    if match is None:
        return call("analyze_campaign", campaign=request.turn.focus.campaign, metric=metric, by=by)
    if len(match.campaigns) > 1:
        return _which(request, list(match.campaigns))
    return call("analyze_campaign", campaign=match.campaigns[0].id, metric=metric, by=by)


def _brought(found: Scan, item: Item) -> bool:
    """`带来多少AUM`: the measure asked for stands behind what was brought or its amount, not in the campaign's name."""
    position = found.items.index(item)
    return any(found.items[p].has("readout", "count") for p in range(max(0, position - 2), position))


def _metric(items: list[Item]) -> str | None:
    return items[0].sense("metric").name if items else None  # type: ignore[union-attr]


def _attribute_metric(request: Request, items: list[Item]) -> str | None:
    """`AUM` in a read-out is its metric: the mean of the attribute, else its sum."""
    names = [s.name for item in items for s in item.all("attribute")]
    for kind in ("mean", "sum"):
        for metric in request.catalog.metrics:
            if metric.kind == kind and metric.attribute in names:
                return metric.name
    return None


def _group_by(request: Request, item: Item) -> str | None:
    """`for the young`: a read-out by the attribute that the word is about."""
    if sense := item.sense("value"):
        return sense.detail
    sense = item.sense("term")
    if sense is None:
        return None
    term = next(t for t in request.catalog.terms if t.name == sense.name)
    text = " ".join([term.expression, *term.options])
    names = [a.name for a in request.catalog.attributes if a.name in text.replace("(", " ").split()]
    return names[0] if len(set(names)) == 1 else None


def _by(found: Scan) -> str | None:
    for position, item in enumerate(found.items):
        if item.has("attribute") and position > 0:
            place = position - 1
            while place > 0 and found.items[place].has("carry", "de"):
                place -= 1
            if found.items[place].has("by", "each"):
                found.used |= {position, place}
                found.take("by", "each", "distribution")
                return item.sense("attribute").name  # type: ignore[union-attr]
    return None


def _which(request: Request, campaigns: list) -> Step:  # type: ignore[type-arg]
    names = [c.name for c in campaigns]
    if not names:
        return say("还没有可以复盘的活动。", "There is no past campaign to read out yet.", request.language)
    options = [f"{n} 效果怎么样" if request.language == "zh" else f"how did {n} do" for n in names[:5]]
    return say("指的是哪一个活动？", "Which campaign do you mean?", request.language, options)


def _compare(request: Request, found: Scan, rest: list[Item], months: list[tuple[int, Item]]) -> Step:
    """比一下A和B: the words on either side of `and`, `vs` name one campaign each."""
    sides: list[list[Item]] = [[]]
    for item in found.items:
        if item.has("and", "compare_word", "comma", "or") and sides[-1]:
            sides.append([])
        elif (item in rest or any(item is m for _, m in months)) and not item.has("and", "or"):
            sides[-1].append(item)
    chosen: list[str] = []
    for side in (s for s in sides if s):
        side_months = [(n, i) for n, i in months if i in side]
        match = request.archive.match([i for i in side if not i.has("month")], side_months)
        if match is None or len(match.campaigns) > 1:
            return _which(request, list(match.campaigns) if match else request.archive.all()[-4:])
        left = [i for i in side if i not in match.items and not i.has("and", "or", "metric", "month")]
        if left:
            return ask_unread(left, request.text, request.language, request.catalog)
        chosen.append(match.campaigns[0].id)
    if len(set(chosen)) < 2:
        return _which(request, request.archive.all()[-4:])
    return call("compare_campaigns", campaigns=list(dict.fromkeys(chosen)))


def decision(request: Request) -> Step:
    """Somebody wants the agent to approve, send or change a rule: people do that, on the approvals page."""
    return say(
        "我不能审批、发送或改动频控和权限。提交后由有权的人在审批页决定，通过后系统才会发送。",
        "I cannot approve, send, or change caps and roles. Once submitted, people with that right decide on the approvals "
        "page; only then is anything sent.",
        request.language,
    )  # fmt: skip


def personal(request: Request) -> Step:
    return say(
        "我看不到也不能提供客户的姓名、手机号、证件号等个人信息，只能给出人数和分组统计。",
        "I neither see nor give out names, phone numbers, id numbers or other personal data of customers; I can give counts "
        "and grouped figures.",
        request.language,
    )  # fmt: skip


def out_of_scope(request: Request) -> Step:
    return say(
        "这不在我的范围内。我可以圈客户、看指标、找打法、做活动画布、试算触达、提交审批、复盘活动。",
        "That is outside what I do. I can select customers, show metrics, find playbooks, draft canvases, check the throttle, "
        "submit for approval and read out past campaigns.",
        request.language,
    )  # fmt: skip


def help_text(request: Request) -> Step:
    return say(
        "我是 Touchline，营销活动助手。可以直接说：圈客户（“代发客户里35岁以下的有多少”）、找打法（“怎么唤醒睡眠户”）、"
        "做画布（“先发push，3天后没买的发短信”）、算触达、提交审批、复盘活动。",
        "I am Touchline, an assistant for bank campaigns. Say who (“how many payroll customers are under 35”), ask what to do "
        "(“how to win back dormant customers”), draft a canvas (“push first, SMS after 3 days”), check the throttle, submit "
        "for approval, read out a campaign.",
        request.language,
    )  # fmt: skip
