"""Figures and read-outs: what was achieved, how sure that is, and whether it may be called an effect."""

from agent.replies.words import ARMS, bullets, named, number, own_half, p_value, paragraphs, percent, pick, table
from tools.analysis.schema import ArmResult, Economics, Effect, Funnel, GroupResult, MetricValue
from tools.analysis.tool import CampaignRead, CampaignsCompared, MetricFound
from tools.canvas.words import CHANNEL_WORDS, channel_name
from warehouse.catalog import Language

RATE, SHARE = "rate", "share"

REASONS: dict[str, tuple[str, str]] = {
    "no_control": ("没有对照组", "there is no control group"),
    "too_few": ("样本太少，不做推断", "too few customers to infer anything"),
    "no_variation": ("结果没有变化，无法推断", "the outcome does not vary"),
}


def value(amount: float | None, unit: str) -> str:
    """A figure in its unit: shares as percent, money and counts with separators."""
    if amount is None:
        return "—"
    if unit in (RATE, SHARE):
        return percent(amount, 2)
    return f"{number(amount, 2 if abs(amount) < 1000 else 0)} {unit}".strip()


def metric(result: MetricFound, language: Language) -> str:
    """A metric with its definition, the period before, and the groups."""
    now = result.current
    head = f"**{result.label}** {_when(now)}: **{value(now.value, result.unit)}**"
    if result.previous and result.previous.value is not None and result.change is not None:
        before = value(result.previous.value, result.unit)
        relative = f" ({result.relative:+.1%})" if result.relative is not None else ""
        head += pick(language, f"，上期 {before}{relative}", f"; {before} in the period before{relative}")
    who = pick(
        language,
        f"客群：{result.description}，基于 {number(now.customers)} 人。",
        f"For: {result.description}, resting on {number(now.customers)} customers.",
    )
    meaning = (
        pick(language, f"口径：{result.definition}", f"Definition: {result.definition}") if result.definition else ""
    )
    groups = ""
    if result.breakdown:
        header = [result.by_label, pick(language, "人数", "customers"), result.label]
        groups = table(header, ([r.label, number(r.count), value(r.value, result.unit)] for r in result.breakdown))
    return paragraphs(head, who, meaning, groups)


def _when(found: MetricValue) -> str:
    return f"({found.period.label})" if found.period else ""


def campaign(result: CampaignRead, language: Language) -> str:
    """The read-out: arms, effect or the reason why there is none, groups, funnel, money."""
    head = (
        f"**{own_half(result.campaign_name, language) or result.campaign}** `{result.campaign}` — {result.metric_label}"
    )
    meaning = (
        pick(language, f"口径：{result.definition}", f"Definition: {result.definition}") if result.definition else ""
    )
    return paragraphs(
        head,
        meaning,
        _arms(result.arms, result.unit, language),
        _verdict(result, language),
        _groups(result.groups, result.unit, language),
        _funnel(result.funnel, language),
        _economics(result.economics, language),
    )


def _arms(arms: list[ArmResult], unit: str, language: Language) -> str:
    header = [pick(language, "组", "arm"), pick(language, "人数", "customers"), pick(language, "均值", "mean")]
    return table(header, ([named(arm.arm, ARMS, language), number(arm.n), value(arm.mean, unit)] for arm in arms))


def _verdict(result: CampaignRead, language: Language) -> str:
    if result.effect is None:
        zh, en = REASONS.get(result.reason, (result.reason, result.reason))
        return pick(language, f"没有可报告的差异：{zh}。", f"No difference can be reported: {en}.")
    lines = [
        effect_words(e.effect, result.unit, language, causal=result.causal, arm=e.arm)
        for e in result.effects
        if e.effect
    ]
    if not lines:
        lines = [effect_words(result.effect, result.unit, language, causal=result.causal)]
    return bullets(lines) if len(lines) > 1 else lines[0]


def effect_words(effect: Effect, unit: str, language: Language, *, causal: bool, arm: str = "") -> str:
    """One difference with its interval: an effect where there was a sound random control, else an association."""
    low, high = (_signed(bound, unit) for bound in effect.ci)
    name = f"**{named(arm, ARMS, language)}** " if arm else ""
    clear = effect.ci[0] > 0 or effect.ci[1] < 0
    diff = _signed(effect.diff, unit)
    if language == "zh":
        kind = "带来的变化" if causal else "与对照的差异（仅为相关，不能说是活动带来的）"
        sure = "" if clear else "；区间包含 0，不能说有差别"
        return f"{name}{kind}：**{diff}**，95% 区间 {low} 到 {high}，{p_value(effect.p)}{sure}。"
    kind = "effect" if causal else "difference to the control (association only, not an effect)"
    sure = "" if clear else "; the interval includes 0, so no difference can be claimed"
    return f"{name}{kind}: **{diff}**, 95% interval {low} to {high}, {p_value(effect.p)}{sure}."


def _signed(amount: float, unit: str) -> str:
    if unit in (RATE, SHARE):
        return f"{amount * 100:+.2f}pp"
    return f"{amount:+,.2f} {unit}".strip()


def _groups(groups: list[GroupResult], unit: str, language: Language) -> str:
    if not groups:
        return ""
    header = [
        pick(language, "分组", "group"), pick(language, "各组人数", "customers per arm"), pick(language, "差值", "difference"),
        pick(language, "95% 区间", "95% interval"), "p",
    ]  # fmt: skip
    rows = []
    for group in groups:
        sizes = " / ".join(number(arm.n) for arm in group.arms)
        label = pick(language, group.zh, group.en)
        if group.effect is None:
            rows.append([label, sizes, "—", "—", "—"])
        else:
            e = group.effect
            rows.append(
                [
                    label,
                    sizes,
                    _signed(e.diff, unit),
                    f"{_signed(e.ci[0], unit)} … {_signed(e.ci[1], unit)}",
                    p_value(e.p).removeprefix("p=").removeprefix("p"),
                ]
            )
    return table(header, rows)


def _funnel(funnel: list[Funnel], language: Language) -> str:
    """Touches by arm and channel. A stage that nobody reached anywhere is most likely not recorded: it is left open."""
    if not funnel:
        return ""
    header = [
        pick(language, "组", "arm"), pick(language, "渠道", "channel"), pick(language, "发送", "sent"),
        pick(language, "送达", "delivered"), pick(language, "打开", "opened"), pick(language, "点击", "clicked"),
    ]  # fmt: skip
    stages = [(f.sent, f.delivered, f.opened, f.clicked) for f in funnel]
    recorded = [any(column) for column in zip(*stages, strict=True)]
    rows = (
        [
            named(f.arm, ARMS, language) or "—",
            _channel(f.channel, language),
            *(number(n if seen else None) for n, seen in zip(stage, recorded, strict=True)),
        ]
        for f, stage in zip(funnel, stages, strict=True)
    )
    return table(header, rows)


def _channel(channel: str, language: Language) -> str:
    return channel_name(channel, language) if channel in CHANNEL_WORDS else channel or "—"


def _economics(money: Economics | None, language: Language) -> str:
    if money is None:
        return ""
    parts = []
    if money.cost is not None:
        parts.append(pick(language, f"成本 ¥{number(money.cost, 2)}", f"cost ¥{number(money.cost, 2)}"))
    if money.cost_per_incremental_goal is not None:
        each = number(money.cost_per_incremental_goal, 2)
        parts.append(pick(language, f"每个增量达成 ¥{each}", f"¥{each} per incremental goal"))
    if money.incremental_amount is not None:
        amount = number(money.incremental_amount)
        parts.append(pick(language, f"增量金额 ¥{amount}", f"incremental amount ¥{amount}"))
    if money.complaints_per_touch is not None:
        rate = percent(money.complaints_per_touch, 3)
        parts.append(
            pick(
                language,
                f"投诉 {money.complaints} 次（每次触达 {rate}）",
                f"{money.complaints} complaints ({rate} per touch)",
            )
        )
    return ("，" if language == "zh" else ", ").join(parts) + ("。" if language == "zh" else ".") if parts else ""


def compared(result: CampaignsCompared, language: Language) -> str:
    """Campaigns side by side."""
    header = [
        pick(language, "活动", "campaign"), pick(language, "指标", "metric"), pick(language, "人数", "customers"),
        pick(language, "差值", "difference"), pick(language, "95% 区间", "95% interval"), pick(language, "可说因果", "causal"),
    ]  # fmt: skip
    rows = []
    for line in result.campaigns:
        e = line.effect
        interval = f"{_signed(e.ci[0], line.unit)} … {_signed(e.ci[1], line.unit)}" if e else "—"
        diff = _signed(e.diff, line.unit) if e else "—"
        customers = number(sum(arm.n for arm in line.arms))
        rows.append(
            [
                own_half(line.campaign_name, language) or line.campaign,
                line.metric_label,
                customers,
                diff,
                interval,
                "✓" if line.causal else "✗",
            ]
        )
    warning = ""
    if not result.same_metric:
        warning = pick(
            language, "各活动指标口径不同，不能直接比大小。", "The metrics differ, so the figures are not comparable."
        )
    return paragraphs(table(header, rows), warning)
