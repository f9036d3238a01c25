"""Channels, nodes and times in the words of the trade, in both languages."""

from tools.canvas.schema import Canvas, Delay, Entry, Goal, HoldOut, Touch
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
    where = f" where {goal.where}" if goal.where else ""
    try:
        node = parse(f"did({goal.event}{where})", catalog)
    except ModelRetry:
        return f"{goal.event}{where}"
    return describe_event(node, catalog, language) if isinstance(node, Did) else f"{goal.event}{where}"


def summary(canvas: Canvas, catalog: Catalog, language: Language, audience: int | None = None) -> str:
    """A canvas in a few sentences: who, how many waves and when, hold-out, goal, limits."""
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
        start = f"{canvas.start} 之后开始；" if canvas.start else ""
        return (
            f"「{canvas.name}」：客群 {entry}{size}。{start}{len(waves)} 波触达：{steps}。{hold}。"
            f"目标：进入后 {canvas.goal.window_days} 天内{goal}。触达上限 {canvas.max_touches:,} 次。"
        )
    size = f" ({audience:,} customers)" if audience is not None else ""
    steps = "; ".join(f"{n}. {words}" for n, words in enumerate(waves, start=1))
    hold = f"{held:g} % held out at random as control" if held else "no control group"
    start = f" Starts after {canvas.start}." if canvas.start else ""
    return (
        f"“{canvas.name}”: audience {entry}{size}.{start} {len(waves)} wave{'s' if len(waves) != 1 else ''}: {steps}. "
        f"{hold[0].upper()}{hold[1:]}. Goal: {goal} within {canvas.goal.window_days} days of entry. "
        f"At most {canvas.max_touches:,} touches."
    )
