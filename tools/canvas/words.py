"""Channels, nodes and times in the words of the trade, in both languages."""

from datetime import time

from tools.canvas.schema import (
    AudienceSplit,
    Canvas,
    Condition,
    Delay,
    Entry,
    Exit,
    Goal,
    HoldOut,
    Node,
    Once,
    OnDate,
    OnEvent,
    OnEventWithout,
    Recurring,
    Split,
    Tag,
    TimeSplit,
    Touch,
    Trigger,
    Wait,
)
from tools.canvas.waves import NOT_REACHED, Wave, plan_of
from tools.segment import parse
from tools.segment.schema import Did
from tools.segment.words import describe, describe_event
from warehouse.catalog import Catalog, Language
from warehouse.errors import ModelRetry

CHANNEL_WORDS: dict[str, tuple[str, str]] = {
    "sms": ("短信", "SMS"),
    "push": ("App 推送", "app push"),
    "inapp": ("App 弹窗", "in-app message"),
    "wecom": ("企业微信", "WeCom"),
    "email": ("邮件", "e-mail"),
    "call": ("外呼", "call"),
    "task": ("客户经理任务", "manager task"),
}
"""Channel → Chinese name, English name."""


_WEEK = (
    ("周一", "周二", "周三", "周四", "周五", "周六", "周日"),
    ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
)


def channel_name(channel: str, language: Language) -> str:
    zh, en = CHANNEL_WORDS[channel]
    return zh if language == "zh" else en


def delay_words(node: Delay, language: Language) -> str:
    """'3 天后 12:00', 'after 3 days, at 12:00'."""
    span = []
    if node.days:
        span.append(f"{node.days} 天" if language == "zh" else f"{node.days} day{'s' if node.days > 1 else ''}")
    if node.hours:
        span.append(f"{node.hours} 小时" if language == "zh" else f"{node.hours} h")
    hour = f"{node.until_hour}:00" if node.until_hour is not None else ""
    if language == "zh":
        return "后 ".join([" ".join(span), hour]).strip() if span and hour else (" ".join(span) or f"到 {hour}")
    return (
        ", at ".join([f"after {' '.join(span)}", hour])
        if span and hour
        else (f"after {' '.join(span)}" if span else f"until {hour}")
    )


def span_words(days: int, hours: int, language: Language) -> str:
    """'3 天 2 小时', '3 days 2 h'; '0 小时' where there is none."""
    zh = language == "zh"
    parts = [f"{days} 天" if zh else f"{days} day{'s' if days > 1 else ''}"] if days else []
    if hours or not days:
        parts.append(f"{hours} 小时" if zh else f"{hours} h")
    return " ".join(parts)


def minutes_words(minutes: int, language: Language) -> str:
    """'30 分钟', '1 小时', '2 天'; '30 min', '1 h', '2 days'."""
    if minutes % 1440 == 0:
        return span_words(minutes // 1440, 0, language)
    if minutes % 60 == 0:
        return span_words(0, minutes // 60, language)
    return f"{minutes} 分钟" if language == "zh" else f"{minutes} min"


def week_words(days: tuple[int, ...], language: Language) -> str:
    """'周一、周五', 'Mon, Fri'; empty for all days."""
    names = _WEEK[0 if language == "zh" else 1]
    return ("、" if language == "zh" else ", ").join(names[day - 1] if 1 <= day <= 7 else str(day) for day in days)


def hours_words(start: time, end: time, days: tuple[int, ...], language: Language) -> str:
    """'周一 09:00–12:00'."""
    return f"{week_words(days, language)} {start:%H:%M}–{end:%H:%M}".strip()


def event_words(event: str, where: str, catalog: Catalog | None, language: Language) -> str:
    """An event with its filter in plain words; as it stands without a catalog, or where the catalog cannot read it."""
    text = f"{event} where {where}" if where else event
    if catalog is None:
        return text
    try:
        node = parse(f"did({text})", catalog)
    except ModelRetry:
        return text
    return describe_event(node, catalog, language) if isinstance(node, Did) else text


def trigger_words(trigger: Trigger, catalog: Catalog | None, language: Language) -> str:
    """When customers enter: '每周一 9:00', 'an hour after click_buy without purchase', '到期前 7 天 10:00'."""
    zh = language == "zh"
    match trigger:
        case Once():
            return "发布时一次进入" if zh else "once, when it is released"
        case Recurring():
            if trigger.every == "day":
                when = "每天" if zh else "every day"
            elif trigger.every == "week":
                named = week_words(trigger.days, language)
                when = f"每{named}" if zh else f"every {named}"
            else:
                when = (
                    f"每月 {'、'.join(map(str, trigger.days))} 日"
                    if zh
                    else f"every month on {', '.join(map(str, trigger.days))}"
                )
            return f"{when} {trigger.hour}:00"
        case OnEvent():
            event = event_words(trigger.event, trigger.where, catalog, language)
            return f"发生「{event}」时" if zh else f"on: {event}"
        case OnEventWithout():
            event = event_words(trigger.event, trigger.where, catalog, language)
            other = event_words(trigger.without, trigger.without_where, catalog, language)
            span = minutes_words(trigger.within_minutes, language)
            return f"「{event}」后 {span}内未「{other}」" if zh else f"{event}, then no {other} within {span}"
        case OnDate():
            attribute = catalog.attribute_index.get(trigger.date) if catalog else None
            date = attribute.words.name(language) if attribute else trigger.date
            n = abs(trigger.days)
            counts = attribute is not None and attribute.derived is not None and "days_" in attribute.derived.kind
            if counts:
                since = (
                    attribute is not None and attribute.derived is not None and attribute.derived.kind == "days_since"
                )
                left = trigger.days if since else -trigger.days
                return (
                    f"「{date}」为 {left} 天时 {trigger.hour}:00"
                    if zh
                    else f"when “{date}” is {left}, at {trigger.hour}:00"
                )
            if zh:
                side = "当天" if not n else f"前 {n} 天" if trigger.days < 0 else f"后 {n} 天"
                return f"「{date}」{side} {trigger.hour}:00{'，每年' if trigger.yearly else ''}"
            unit = f"{n} day{'s' if n > 1 else ''}"
            side = "on the day of" if not n else f"{unit} before" if trigger.days < 0 else f"{unit} after"
            return f"{side} “{date}” at {trigger.hour}:00{', every year' if trigger.yearly else ''}"


def node_words(node: Node, language: Language, catalog: Catalog | None = None) -> tuple[str, str]:
    """A node's title and what it does, in plain words; EQL stands as it is without a catalog."""
    zh = language == "zh"

    def words(expression: str) -> str:
        return in_words(expression, catalog, language) if catalog else expression

    match node:
        case Entry():
            who = words(node.segment)
            if isinstance(node.trigger, Once):
                return ("客群进入" if zh else "Audience"), who
            when = trigger_words(node.trigger, catalog, language)
            return (f"进入：{when}" if zh else f"Enter {when}"), who
        case HoldOut():
            return (
                (f"留出 {node.percent:g}%" if zh else f"Hold out {node.percent:g} %"),
                ("不触达，作对照" if zh else "never touched: the control"),
            )
        case Touch():
            arms = ", ".join(f"{arm.name.upper()} {arm.share:g}%" for arm in node.arms) if len(node.arms) > 1 else ""
            return channel_name(node.channel, language), arms or node.arms[0].text
        case Tag():
            title = f"{'去掉' if node.remove else '打上'}标签" if zh else f"{'Remove' if node.remove else 'Put on'} tag"
            until = (
                (f"，{node.expires_days} 天后失效" if zh else f", for {node.expires_days} days")
                if node.expires_days
                else ""
            )
            return title, f"{node.name}{until}"
        case Delay():
            span = delay_words(node, language)
            return (f"等待 {span}" if zh else f"Wait {span}"), ""
        case Wait():
            span = span_words(node.days, node.hours, language)
            return (f"等待事件 {span}" if zh else f"Wait up to {span}"), event_words(
                node.event, node.where, catalog, language
            )
        case Condition():
            return ("满足条件？" if zh else "Condition?"), words(node.expression)
        case Split():
            ways = ", ".join(f"{way.name.upper()} {way.share:g}%" for way in node.ways)
            return ("按比例分流" if zh else "Split by share"), ways
        case AudienceSplit():
            return ("按客群分流" if zh else "Split by audience"), ", ".join(case.name.upper() for case in node.cases)
        case TimeSplit():
            return ("按时段分流" if zh else "Split by time"), ", ".join(w.name.upper() for w in node.windows)
        case Exit():
            return ("结束" if zh else "End"), ""


def edge_words(node: Node, language: Language, catalog: Catalog | None = None) -> list[tuple[str, str]]:
    """The ways that lead out of a node: (what it is called, target), in the order of `graph.following`."""
    zh = language == "zh"
    match node:
        case Condition():
            return [("是" if zh else "yes", node.yes), ("否" if zh else "no", node.no)]
        case Wait():
            return [("发生" if zh else "happened", node.happened), ("超时" if zh else "timed out", node.timed_out)]
        case Split():
            return [(f"{way.name.upper()} {way.share:g}%", way.next) for way in node.ways]
        case AudienceSplit():
            ways = [
                (f"{c.name.upper()}: {in_words(c.expression, catalog, language) if catalog else c.expression}", c.next)
                for c in node.cases
            ]
            return [*ways, ("其余" if zh else "others", node.otherwise)]
        case TimeSplit():
            ways = [(f"{w.name.upper()} {hours_words(w.start, w.end, w.days, language)}", w.next) for w in node.windows]
            return [*ways, ("其他时间" if zh else "other times", node.otherwise)]
        case Touch() if node.unmanaged:
            return [("", node.next), ("无客户经理" if zh else "no manager", node.unmanaged)]
        case Exit():
            return []
        case _:
            return [("", node.next)]


def wave_words(wave: Wave, language: Language, *, first: bool = False) -> str:
    """'第 3 天 12:00 短信（未达成目标者）'. Nobody has reached the goal before the first wave: it goes to all."""
    name = channel_name(wave.channel, language)
    hour = f" {wave.hour}:00" if wave.hour is not None else ""
    if language == "zh":
        when = "进入当天" if wave.day == 0 else f"第 {wave.day} 天"
        who = {"all": "全部", NOT_REACHED: "全部" if first else "未达成目标者"}.get(wave.only_if, f"仅 {wave.only_if}")
        arms = f"，{len(wave.arms)} 组文案" if len(wave.arms) > 1 else ""
        return f"{when}{hour} {name}（{who}{arms}）"
    when = "on the day of entry" if wave.day == 0 else f"on day {wave.day}"
    who = {"all": "everybody", NOT_REACHED: "everybody" if first else "those short of the goal"}.get(
        wave.only_if, f"only {wave.only_if}"
    )
    arms = f", {len(wave.arms)} wordings" if len(wave.arms) > 1 else ""
    return f"{name} {when}{',' if hour else ''}{hour} ({who}{arms})"


def in_words(expression: str, catalog: Catalog, language: Language) -> str:
    """An EQL expression in plain words; as it stands where this catalog cannot read it (the check says so)."""
    try:
        return describe(parse(expression, catalog), catalog, language)
    except ModelRetry:
        return expression


def goal_words(goal: Goal, catalog: Catalog, language: Language) -> str:
    """What counts as success, in plain words: '购买（产品类型为理财）'; as it stands where the catalog cannot read it."""
    return event_words(goal.event, goal.where, catalog, language)


_PARTS: dict[str, tuple[str, str]] = {
    "flow": ("流程结构", "the flow"),
    "goal": ("目标", "the goal"),
    "category": ("触达类别", "the category"),
    "stop_line": ("停止线", "the stop line"),
    "reentry": ("再次进入", "re-entry"),
    "budget": ("预算", "the budget"),
    "segment": ("客群", "audience"),
    "trigger": ("进入时机", "trigger"),
    "arms": ("话术", "wording"),
    "channel": ("渠道", "channel"),
}


def part_words(canvas: Canvas, path: str, language: Language) -> str:
    """A part of a canvas by its path, in words: '客户经理任务 manager 的话术', 'wording of manager task manager'."""
    side = 0 if language == "zh" else 1
    head, *rest = path.split(".")
    node = next((n for n in canvas.nodes if head == "nodes" and rest and n.id == rest[0]), None)
    if node is None:
        return _PARTS[path][side] if path in _PARTS else path
    name = f"{node_words(node, language)[0]} ({node.id})" if isinstance(node, Touch) else node_words(node, language)[0]
    if len(rest) == 1:
        return ("入口" if language == "zh" else "the entry") if isinstance(node, Entry) else name
    part = _PARTS[rest[1]][side] if rest[1] in _PARTS else ".".join(rest[1:])
    if isinstance(node, Entry):
        return part
    return f"{name}的{part}" if language == "zh" else f"{part} of {name}"


def settings_words(canvas: Canvas, catalog: Catalog, language: Language) -> list[str]:
    """What holds for the whole canvas beyond audience, waves and goal, as sentences without their stops."""
    zh = language == "zh"
    said: list[str] = []
    entry = next((n for n in canvas.nodes if isinstance(n, Entry)), None)
    if entry is not None and not isinstance(entry.trigger, Once):
        when = trigger_words(entry.trigger, catalog, language)
        said.append(f"进入时机：{when}" if zh else f"Customers enter: {when}")
    if canvas.start:
        said.append(f"{canvas.start} 之后开始" if zh else f"Starts after {canvas.start}")
    if canvas.end:
        said.append(f"{canvas.end} 之后不再进入" if zh else f"Nobody enters after {canvas.end}")
    if canvas.sending_windows:
        hours = [hours_words(w.start, w.end, w.days, language) for w in canvas.sending_windows]
        said.append(f"只在{'、'.join(hours)}发送" if zh else f"Sends only {', '.join(hours)}")
    if canvas.reentry.allowed:
        rule = canvas.reentry
        after = (
            (f"，离开 {rule.after_days} 天后" if zh else f" {rule.after_days} days after leaving")
            if rule.after_days
            else ""
        )
        most = (f"，最多 {rule.at_most} 次" if zh else f", at most {rule.at_most} times") if rule.at_most else ""
        said.append(f"可再次进入{after}{most}" if zh else f"Customers may enter again{after}{most}")
    if canvas.leave_when:
        reasons = [in_words(text, catalog, language) for text in canvas.leave_when]
        said.append(f"满足以下任一即离开：{'；'.join(reasons)}" if zh else f"Leaves when: {'; '.join(reasons)}")
    if canvas.budget is not None:
        said.append(f"预算 {canvas.budget:,.2f} 元" if zh else f"Budget {canvas.budget:,.2f} CNY")
    if canvas.overrides:
        branches = sorted({override.branch_id for override in canvas.overrides})
        named = ("、" if zh else ", ").join(map(str, branches))
        said.append(f"分行 {named} 有自己的文案" if zh else f"Branches with wordings of their own: {named}")
    if canvas.locked:
        named = ("、" if zh else ", ").join(part_words(canvas, path, language) for path in canvas.locked)
        said.append(f"总行锁定：{named}" if zh else f"Locked by head office: {named}")
    return said


def summary(canvas: Canvas, catalog: Catalog, language: Language, audience: int | None = None) -> str:
    """A canvas in a few sentences: who, when, how many waves and when, hold-out, goal, limits, what else holds."""
    goal = goal_words(canvas.goal, catalog, language)
    entry = in_words(next((n.segment for n in canvas.nodes if isinstance(n, Entry)), ""), catalog, language)
    held = next((n.percent for n in canvas.nodes if isinstance(n, HoldOut)), 0.0)
    try:
        waves = [wave_words(p.wave, language, first=n == 0) for n, p in enumerate(plan_of(canvas).waves)]
    except ModelRetry:
        waves = [channel_name(n.channel, language) for n in canvas.nodes if isinstance(n, Touch)]
    if language == "zh":
        size = f"（{audience:,} 人）" if audience is not None else ""
        steps = "；".join(f"{n}. {words}" for n, words in enumerate(waves, start=1))
        hold = f"随机留出 {held:g}% 不触达作对照" if held else "没有对照组"
        more = "".join(f"{line}。" for line in settings_words(canvas, catalog, "zh"))
        return (
            f"「{canvas.name}」：客群 {entry}{size}。{more}{len(waves)} 波触达：{steps}。{hold}。"
            f"目标：进入后 {canvas.goal.window_days} 天内{goal}。触达上限 {canvas.max_touches:,} 次。"
        )
    size = f" ({audience:,} customers)" if audience is not None else ""
    steps = "; ".join(f"{n}. {words}" for n, words in enumerate(waves, start=1))
    hold = f"{held:g} % held out at random as control" if held else "no control group"
    more = "".join(f" {line}." for line in settings_words(canvas, catalog, "en"))
    return (
        f"“{canvas.name}”: audience {entry}{size}.{more} {len(waves)} wave{'s' if len(waves) != 1 else ''}: {steps}. "
        f"{hold[0].upper()}{hold[1:]}. Goal: {goal} within {canvas.goal.window_days} days of entry. "
        f"At most {canvas.max_touches:,} touches."
    )
