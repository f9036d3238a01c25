"""`touchline tag …`: self-service tags, attributes that people make of expressions."""

from datetime import datetime
from typing import Annotated, Literal

import typer

from cli.credentials import reader
from cli.desk import at_desk, home_info
from cli.language import say
from cli.options import DEFAULT_HOME, HomeDir, Json, Lang, Token, User
from cli.output import show, table
from cli.segment_life import lineage_text, number
from cli.segments import Expression
from server.schema import RenewAsked, TagAsked, TagInfo

tags = typer.Typer(
    no_args_is_help=True, help=say("自助标签：按计划重算、有负责人和有效期。", "Self-service tags: recomputed on a schedule, owned, ending.")
)  # fmt: skip

TagName = Annotated[str, typer.Argument(metavar="NAME", help=say("标签代码。", "The tag's name."))]
Days = Annotated[int, typer.Option("--days", min=1, max=366, help=say("从现在起的有效天数。", "How many days it lives from now."))]  # fmt: skip
STATES = {
    "fresh": ("最新", "fresh"), "stale": ("未按时重算", "overdue"), "failed": ("重算失败", "failed"),
    "expiring": ("即将过期", "expiring"), "expired": ("已过期", "expired"),
}  # fmt: skip
DAYS_ZH, DAYS_EN = "一二三四五六日", ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@tags.command(
    "create",
    help=say("由表达式或已存客群生成标签，立即可用。", "Make a tag of an expression or saved segment; usable at once."),
)
def create(
    name: TagName,
    expression: Expression,
    zh: Annotated[str, typer.Option("--zh", help=say("中文名。", "Its Chinese name."))] = "",
    en: Annotated[str, typer.Option("--en", help=say("英文名。", "Its English name."))] = "",
    every: Annotated[Literal["daily", "weekly"], typer.Option("--every", help=say("每天或每周重算。", "Recomputed daily or weekly."))] = "daily",
    hour: Annotated[int, typer.Option("--hour", min=0, max=23, help=say("几点（本行时区）。", "At which hour of the bank's day."))] = 6,
    weekday: Annotated[int | None, typer.Option("--weekday", min=0, max=6, help=say("每周：0 为周一。", "Weekly: 0 is Monday."))] = None,
    days: Days = 90,
    home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None, as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    asked = TagAsked(name=name, expression=expression, zh=zh, en=en, every=every, hour=hour, weekday=weekday, days=days)
    with at_desk(home, reader(home_info(home), user, token)) as desk:
        made = desk.tag_create(asked)
    show(made, as_json, lambda: tags_table([made]))


@tags.command("list", help=say("全部标签：负责人、新鲜度、人数、有效期。", "All tags: owner, freshness, size, end."))
def list_(
    home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None, as_json: Json = False, lang: Lang = None
) -> None:
    with at_desk(home, reader(home_info(home), user, token)) as desk:
        found = desk.tags()
    show(found, as_json, lambda: tags_table(found))


@tags.command("show", help=say("一个标签的重算记录和血缘。", "A tag's runs and lineage."))
def show_(
    name: TagName,
    home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None, as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    with at_desk(home, reader(home_info(home), user, token)) as desk:
        found = desk.tag(name)
    headings = (
        say("重算于", "run"),
        say("人数", "size"),
        say("进入", "entered"),
        say("离开", "left"),
        say("问题", "problem"),
    )
    runs = table(headings, [(_minute(r.run_at), r.size, r.entered, r.lost, r.problem) for r in found.runs])
    show(
        found, as_json, lambda: "\n\n".join((tags_table([found]), found.expression, runs, lineage_text(found.lineage)))
    )


@tags.command("renew", help=say("续期。", "Let it live on."))
def renew(
    name: TagName, days: Days = 90,
    home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None, as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    with at_desk(home, reader(home_info(home), user, token)) as desk:
        found = desk.tag_renew(name, RenewAsked(days=days))
    show(found, as_json, lambda: tags_table([found]))


@tags.command("refresh", help=say("立即重算。", "Recompute it now."))
def refresh(
    name: TagName,
    home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None, as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    with at_desk(home, reader(home_info(home), user, token)) as desk:
        found = desk.tag_refresh(name)
    show(found, as_json, lambda: tags_table([found]))


@tags.command(
    "remove", help=say("删除标签；被使用时拒绝并说明被谁使用。", "Remove it; refused while used, naming by whom.")
)
def remove(
    name: TagName,
    home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None, as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    with at_desk(home, reader(home_info(home), user, token)) as desk:
        gone = desk.tag_remove(name)
    show(gone, as_json, lambda: say(f"已删除标签 {gone.name}", f"removed the tag {gone.name}"))


def tags_table(found: list[TagInfo]) -> str:
    headings = (
        say("标签", "tag"), say("名称", "called"), say("负责人", "owner"), say("人数", "size"), say("状态", "state"),
        say("数据截止", "data cut-off"), say("重算", "recomputed"), say("到期", "ends"),
    )  # fmt: skip
    rows = [
        (t.name, say(t.zh, t.en), t.owner, number(t.size), say(*STATES[t.state]), _minute(t.as_of), schedule(t),
         f"{t.expires_at:%Y-%m-%d}")
        for t in found
    ]  # fmt: skip
    return table(headings, rows)


def schedule(tag: TagInfo) -> str:
    if tag.weekday is None:
        return say(f"每天 {tag.hour} 点", f"daily at {tag.hour}:00")
    return say(f"每周{DAYS_ZH[tag.weekday]} {tag.hour} 点", f"{DAYS_EN[tag.weekday]} at {tag.hour}:00")


def _minute(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}Z" if moment else "-"


def register(app: typer.Typer) -> None:
    app.add_typer(tags, name="tag")
