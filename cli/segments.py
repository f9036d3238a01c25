"""`touchline segment …`, `touchline throttle …`, `touchline catalog …`, `touchline analyze`."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from cli.credentials import reader
from cli.desk import at_desk, home_info
from cli.language import LANGUAGE, say
from cli.options import DEFAULT_HOME, At, Category, ChannelOption, HomeDir, Json, Lang, Token, User
from cli.output import BadUsage, show, table
from server.schema import (
    AnalyzeAsked,
    BreakdownAsked,
    PlanAsked,
    SegmentAsked,
    ThrottleAsked,
    WaterfallAsked,
    WhyAsked,
)

segment = typer.Typer(
    no_args_is_help=True,
    help=say("客群：计数、导出、触达漏斗、分布。", "Segments: count, export, waterfall, breakdown."),
)
throttle = typer.Typer(
    no_args_is_help=True, help=say("频控与勿扰：能否触达，为什么。", "Contact control: may they be reached, and why.")
)
catalog = typer.Typer(no_args_is_help=True, help=say("数据目录。", "The catalog of the bank's data."))

Expression = Annotated[
    str,
    typer.Argument(
        metavar="EXPR", help=say("客群表达式（EQL）、seg_<n> 或已存的名称。", "EQL, a seg_<n>, or a saved name.")
    ),
]


@segment.command(
    "count", help=say("客群人数，以及条件所需数据未知的人数。", "How many, and for how many a needed value is unknown.")
)
def count(
    expression: Expression, home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None,
    as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    with at_desk(home, reader(home_info(home), user, token)) as desk:
        found = desk.segment_count(SegmentAsked(expression=expression))
    unknown = say(f"，其中数据未知 {found.unknown:,}", f", unknown for {found.unknown:,}") if found.unknown else ""
    number = found.count if isinstance(found.count, str) else f"{found.count:,}"
    show(found, as_json, lambda: f"{number}{unknown}  ({found.expression}, {found.elapsed_ms:.0f} ms)")


@segment.command(
    "ids", help=say("导出客户号为 Parquet（列 customer_id）。", "Customer ids as Parquet (column customer_id).")
)
def ids(
    expression: Expression,
    out: Annotated[Path, typer.Option("--out", help=say("输出文件，.parquet。", "The file to write, .parquet."))],
    home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None, as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    out = out.expanduser().absolute()
    if not out.parent.is_dir():
        raise BadUsage(
            say(f"目录 {out.parent} 不存在。", f"The folder {out.parent} does not exist."),
            say("先建目录，或换一个 --out。", "Make it, or name another --out."),
        )
    if out.is_dir():
        raise BadUsage(
            say(f"{out} 是目录。", f"{out} is a folder."), say("--out 要写文件名。", "--out takes a file's name.")
        )
    with at_desk(home, reader(home_info(home), user, token)) as desk:
        written = desk.segment_ids(SegmentAsked(expression=expression), out)
    show(
        written,
        as_json,
        lambda: say(f"{written.count:,} 个客户号已写入 {out}", f"{written.count:,} ids written to {out}"),
    )


@segment.command(
    "waterfall", help=say("净触达漏斗：从命中到真正可触达。", "From matched to really reachable, step by step.")
)
def waterfall(
    expression: Expression, channel: ChannelOption, at: At = None, category: Category = "marketing",
    home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None, as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    asked = WaterfallAsked(expression=expression, channel=channel, when=at, category=category)
    with at_desk(home, reader(home_info(home), user, token)) as desk:
        found = desk.segment_waterfall(asked)
    headings = (say("步骤", "step"), say("人数", "count"), say("减少", "lost"))
    show(found, as_json, lambda: table(headings, [(say(s.zh, s.en) or s.step, s.count, s.lost) for s in found.steps]))


@segment.command("breakdown", help=say("按某个属性看客群分布。", "A segment by an attribute."))
def breakdown(
    expression: Expression,
    by: Annotated[str, typer.Option("--by", help=say("目录中的属性名。", "The name of a catalog attribute."))],
    home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None, as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    with at_desk(home, reader(home_info(home), user, token)) as desk:
        found = desk.segment_breakdown(BreakdownAsked(expression=expression, by=by))
    show(found, as_json, lambda: table((by, say("人数", "count")), [(g.value, g.count) for g in found.groups]))


@segment.command("list", help=say("已存的客群。", "Saved segments."))
def saved(
    home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None, as_json: Json = False, lang: Lang = None
) -> None:
    with at_desk(home, reader(home_info(home), user, token)) as desk:
        found = desk.segments()
    headings = ("id", say("名称", "name"), say("人数", "count"), say("表达式", "expression"))
    show(found, as_json, lambda: table(headings, [(s.id, s.name, s.count, s.expression) for s in found]))


@throttle.command(
    "check", help=say("对客群试算频控决定，不占用额度。", "What the throttle would decide; reserves nothing.")
)
def throttle_check(
    segment: Annotated[str, typer.Option("--segment", help=say("客群表达式。", "EQL, a seg_<n> or a saved name."))],
    channel: ChannelOption, at: At = None, category: Category = "marketing",
    home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None, as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    asked = ThrottleAsked(segment=segment, channel=channel, when=at, category=category)
    with at_desk(home, reader(home_info(home), user, token)) as desk:
        found = desk.throttle_check(asked)
    totals = table(
        (say("候选", "candidates"), say("允许", "allowed"), say("延期", "deferred"), say("放弃", "abandoned")),
        [(found.candidates, found.allowed, found.deferred, found.abandoned)],
    )
    rules = table((say("规则", "rule"), say("人数", "count")), sorted(found.by_rule.items()))
    show(found, as_json, lambda: f"{totals}\n\n{rules}")


@throttle.command("why", help=say("某客户为什么收到或没收到。", "Why a customer did or did not get something."))
def why(
    customer: Annotated[int, typer.Argument(metavar="CUSTOMER", help=say("客户号。", "The customer's id."))],
    campaign: Annotated[str, typer.Option("--campaign", help=say("活动或提案编号。", "The campaign's id."))],
    home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None, as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    with at_desk(home, reader(home_info(home), user, token)) as desk:
        found = desk.throttle_why(WhyAsked(customer=customer, campaign=campaign))
    headings = (
        say("时间", "when"), say("节点", "node"), say("渠道", "channel"), say("决定", "decision"), say("规则", "rule"),
        say("含义", "meaning"),
    )  # fmt: skip
    rows = [
        (_minute(d.decided_at), d.node_id, d.channel, d.decision, d.rule, say(d.words_zh, d.words_en))
        for d in found.decisions
    ]
    none = say("对该客户没有任何决定记录。", "Nothing was ever decided about this customer.")
    grounds = [
        "\n".join([f"{_minute(d.decided_at)} {d.channel} {d.rule}", *(f"  - {say(g.zh, g.en)}" for g in d.evidence)])
        for d in found.decisions
        if d.evidence
    ]
    show(found, as_json, lambda: "\n\n".join([table(headings, rows), *grounds]) if rows else none)


@throttle.command("plan", help=say("未来一天的触达计划：各活动赢得和让出多少、输给谁；--make 现在做并预留。", "The plan of the next day: what each campaign won and lost, and to whom; --make makes and reserves it now."))  # fmt: skip
def plan(
    make: Annotated[bool, typer.Option("--make", help=say("现在重新做计划并预留额度。", "Make the plan now, and reserve."))] = False,
    hours: Annotated[int, typer.Option("--hours", min=1, max=744, help=say("计划多少小时。", "How many hours ahead."))] = 24,
    home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None, as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    with at_desk(home, reader(home_info(home), user, token)) as desk:
        found = desk.throttle_make_plan(PlanAsked(hours=hours)) if make else desk.throttle_plan()
    headings = (
        say("活动", "campaign"), say("优先级", "priority"), say("候选", "candidates"), say("赢得", "won"),
        say("延期", "deferred"), say("被拦下", "stopped by"), say("输给", "lost to"),
    )  # fmt: skip
    rows = [
        (c.campaign, c.priority, c.candidates, c.won, c.deferred, _counts(c.lost), _counts(c.lost_to))
        for c in found.campaigns
    ]
    title = f"{_minute(found.made_at)} – {_minute(found.until)}  {say('预留', 'reserved')} {found.reserved}"
    problems = [f"{campaign}: {problem}" for campaign, problem in found.problems.items()]
    show(found, as_json, lambda: "\n".join([title, table(headings, rows), *problems]))


def _counts(counted: Mapping[str, int | str]) -> str:
    return ", ".join(f"{name} {n}" for name, n in counted.items())


def _minute(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%MZ}" if moment else "-"


@catalog.command(
    "search", help=say("按中文或英文查找属性、事件、指标。", "Find attributes, events and metrics by a word.")
)
def catalog_search(
    text: Annotated[str, typer.Argument(metavar="TEXT", help=say("要找的词。", "The word."))],
    limit: Annotated[int, typer.Option("--limit", min=1, max=100, help=say("最多几条。", "At most so many."))] = 8,
    home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None, as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    with at_desk(home, reader(home_info(home), user, token)) as desk:
        found = desk.catalog_search(text, limit)
    headings = (say("类别", "kind"), say("名称", "name"), "中文", "English", say("匹配", "score"))
    show(found, as_json, lambda: table(headings, [(h.kind, h.name, h.zh, h.en, round(h.score)) for h in found]))


def analyze(
    campaign: Annotated[str, typer.Argument(metavar="CAMPAIGN", help=say("活动编号。", "The campaign's id."))],
    metric: Annotated[str | None, typer.Option("--metric", help=say("指标（默认活动目标）。", "The metric (default: the campaign's goal)."))] = None,
    by: Annotated[str | None, typer.Option("--by", help=say("按属性拆分。", "Split by an attribute."))] = None,
    home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None, as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    with at_desk(home, reader(home_info(home), user, token)) as desk:
        found = desk.analyze(AnalyzeAsked(campaign=campaign, metric=metric, by=by, language=LANGUAGE))
    lines = [table((say("组", "arm"), "n", say("均值", "mean")), [(a.arm, a.n, a.mean) for a in found.arms])]
    if found.effect is not None:
        e = found.effect
        low, high = e.ci
        headings = (
            say("差异", "difference"),
            say("区间下", "low"),
            say("区间上", "high"),
            "p",
            say("相对", "relative"),
        )
        lines += ["", table(headings, [(e.diff, low, high, e.p, e.relative)])]
    kind = say("因果（随机对照）", "causal (randomised control)") if found.causal else say("仅相关", "association only")
    show(found, as_json, lambda: "\n".join([*lines, "", kind, *found.notes]))


def register(app: typer.Typer) -> None:
    app.add_typer(segment, name="segment")
    app.add_typer(throttle, name="throttle")
    app.add_typer(catalog, name="catalog")
    app.command("analyze", help=say("活动效果读数，附证据。", "The read-out of a campaign, with evidence."))(analyze)
