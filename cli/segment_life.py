"""`touchline segment save|overlap|lineage|history|changes|archive`: what becomes of saved segments."""

from typing import Annotated

import typer

from cli.credentials import reader
from cli.desk import at_desk, home_info
from cli.language import LANGUAGE, say
from cli.options import DEFAULT_HOME, HomeDir, Json, Lang, Token, User
from cli.output import show, table
from cli.segments import Expression, segment
from server.schema import ChangesAsked, LineageView, OverlapAsked, OverlapView, SaveAsked

Saved = Annotated[
    str, typer.Argument(metavar="ID_OR_NAME", help=say("已存客群的编号或名称。", "A saved segment's id or name."))
]
KINDS = {
    "attribute": ("属性", "attribute"), "event": ("行为", "event"), "detail": ("明细表", "detail table"),
    "list": ("名单", "list"), "segment": ("客群", "segment"), "tag": ("标签", "tag"), "canvas": ("画布", "canvas"),
    "proposal": ("方案", "proposal"),
}  # fmt: skip


@segment.command(
    "save", help=say("给客群命名保存，并留存首次计数。", "Save a segment under a name; its first count is kept.")
)
def save(
    name: Annotated[str, typer.Argument(metavar="NAME", help=say("名称。", "Its name."))],
    expression: Expression,
    home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None, as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    with at_desk(home, reader(home_info(home), user, token)) as desk:
        saved = desk.segment_save(SaveAsked(name=name, expression=expression))
    show(saved, as_json, lambda: f"{saved.id}  {saved.name}  {number(saved.count)}  ({saved.expression})")


@segment.command("overlap", help=say("两到四个客群的重叠人数。", "How much two to four segments have in common."))
def overlap(
    expressions: Annotated[
        list[str],
        typer.Argument(metavar="EXPR EXPR…", help=say("二到四个客群。", "Two to four: EQL, ids or saved names.")),
    ],
    home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None, as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    with at_desk(home, reader(home_info(home), user, token)) as desk:
        found = desk.segment_overlap(OverlapAsked(segments=expressions))
    show(found, as_json, lambda: _overlap(found))


def _overlap(found: OverlapView) -> str:
    letters = "ABCD"
    sets = table(
        ("", say("客群", "segment"), say("人数", "count"), say("仅在此", "only here")),
        [(letters[i], s.expression, s.count, s.only) for i, s in enumerate(found.sets)],
    )
    pairs = table(
        (say("两两", "pair"), say("重叠", "both"), say("占前者", "of first"), say("占后者", "of second")),
        [
            (f"{letters[p.first]}∩{letters[p.second]}", p.both, share(p.of_first), share(p.of_second))
            for p in found.pairs
        ],
    )
    regions = table(
        (say("恰好属于", "in exactly"), say("人数", "count")),
        [("∩".join(letters[i] for i in region.inside), region.count) for region in found.regions],
    )
    union = say(f"合计（去重）{number(found.union)}", f"together {number(found.union)}")
    return "\n\n".join((sets, pairs, regions, union))


@segment.command(
    "lineage", help=say("用到了什么，被谁使用，数据多旧。", "What it rests on, who rests on it, and how old that is.")
)
def lineage(
    saved: Saved,
    dot: Annotated[bool, typer.Option("--dot", help=say("输出 Graphviz。", "Print Graphviz instead."))] = False,
    home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None, as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    with at_desk(home, reader(home_info(home), user, token)) as desk:
        found = desk.segment_lineage(saved)
    show(found, as_json, lambda: found.dot if dot else lineage_text(found))


def lineage_text(found: LineageView) -> str:
    """Both directions as tables, and what is older than it should be."""
    headings = (say("类别", "kind"), say("名称", "name"), "", say("经由", "through"))
    parts = []
    for words, items in ((say("用到：", "uses:"), found.uses), (say("被使用：", "used by:"), found.users)):
        rows = [(say(*KINDS[i.kind]), i.id, i.name, i.via) for i in items]
        parts.append(f"{words}\n{table(headings, rows)}")
    ages = [
        (say({"data": "数据", "list": "名单", "tag": "标签"}[a.what], a.what), a.name,
         "-" if a.hours is None else say(f"{a.hours:.0f} 小时", f"{a.hours:.0f} h"), say("偏旧", "old") if a.stale else "")
        for a in found.ages
    ]  # fmt: skip
    if ages:
        parts.append(table((say("数据年龄", "age of"), say("名称", "name"), say("距今", "age"), ""), ages))
    return "\n\n".join(parts)


@segment.command("history", help=say("留存的计数。", "The counts that were kept."))
def history(
    saved: Saved,
    home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None, as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    with at_desk(home, reader(home_info(home), user, token)) as desk:
        found = desk.segment_history(saved)
    headings = (say("数据截止", "data cut-off"), say("人数", "count"), say("编号", "id"), say("口径", "definition"))
    rows = [(f"{c.as_of:%Y-%m-%d %H:%M}Z", c.count, c.segment, c.definition[7:15]) for c in found]
    show(found, as_json, lambda: table(headings, rows))


@segment.command("changes", help=say("为什么比之前多了或少了。", "Why it has more or fewer customers than before."))
def changes(
    saved: Saved,
    since: Annotated[
        str | None,
        typer.Option("--since", help=say("与该时刻之前最近一次计数比较。", "Compare with the latest count at or before it.")),
    ] = None,
    home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None, as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    with at_desk(home, reader(home_info(home), user, token)) as desk:
        found = desk.segment_changes(ChangesAsked(segment=saved, since=since, language=LANGUAGE))
    plain = f"{number(found.before)} → {number(found.after)}"
    show(found, as_json, lambda: "\n".join(found.sentences) or plain)


@segment.command(
    "archive",
    help=say("归档客群；被使用时拒绝并说明被谁使用。", "Archive a segment; refused while used, naming by whom."),
)
def archive(
    saved: Saved,
    home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None, as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    with at_desk(home, reader(home_info(home), user, token)) as desk:
        gone = desk.segment_archive(saved)
    show(gone, as_json, lambda: say(f"已归档 {gone.id} {gone.name}", f"archived {gone.id} {gone.name}").strip())


def number(count: int | str | None) -> str:
    return "-" if count is None else f"{count:,}" if isinstance(count, int) else count


def share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def register(app: typer.Typer) -> None:
    """The commands hang on `touchline segment`, which `cli.segments` registers."""
