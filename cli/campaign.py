"""`touchline canvas …`: check, dry-run and draw a canvas from a file or by id."""

from pathlib import Path
from typing import Annotated

import typer

from cli.credentials import reader
from cli.desk import at_desk, home_info
from cli.language import LANGUAGE, say
from cli.options import DEFAULT_HOME, HomeDir, Json, Lang, Token, User
from cli.output import BadUsage, show, table
from server.schema import CanvasAsked, DiffAsked, DryRunAsked, TemplateAsked, TemplateParameter

canvas = typer.Typer(no_args_is_help=True, help=say("流程画布：检查、试跑、画图。", "Canvases: check, dry-run, draw."))

FileOrId = Annotated[
    str,
    typer.Argument(
        metavar="FILE_OR_ID",
        help=say("YAML 文件，或 cv_<n>、cv_<n>@<版本>。", "A YAML file, or cv_<n> or cv_<n>@<version>."),
    ),
]
MAX_FILE = 500_000


def _asked(file_or_id: str) -> CanvasAsked:
    """A file's text if there is such a file, else an id.

    Raises:
        BadUsage: neither a readable file nor an id.
    """
    path = Path(file_or_id)
    if path.is_file():
        if path.stat().st_size > MAX_FILE:
            raise BadUsage(
                say(f"{path} 太大。", f"{path} is larger than {MAX_FILE} bytes."),
                say("画布文件应更小。", "A canvas is smaller."),
            )
        try:
            return CanvasAsked(document=path.read_text("utf-8"), language=LANGUAGE)
        except UnicodeDecodeError:
            raise BadUsage(
                say(f"{path} 不是 UTF-8 文本。", f"{path} is not UTF-8 text."),
                say("画布文件是 YAML。", "A canvas is a YAML file."),
            ) from None
    if not file_or_id.startswith("cv_"):
        raise BadUsage(
            say(f"没有文件 {file_or_id}。", f"There is no file {file_or_id}."),
            say("给出 YAML 文件或 cv_<n>。", "Name a YAML file or a cv_<n>."),
        )
    return CanvasAsked(canvas=file_or_id, language=LANGUAGE)


@canvas.command(
    "check", help=say("检查画布：哪里不对、怎么改。", "What is wrong with a canvas, where, and how to mend it.")
)
def check(
    file_or_id: FileOrId, home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None,
    as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    with at_desk(home, reader(home_info(home), user, token)) as desk:
        found = desk.canvas_check(_asked(file_or_id))
    headings = (say("级别", "severity"), "code", say("位置", "place"), say("问题", "message"), say("修改", "fix"))
    good = say("没有问题。", "Nothing is wrong.")
    show(
        found,
        as_json,
        lambda: (
            table(headings, [(f.severity, f.code, f.place, f.message, f.fix) for f in found.findings])
            if found.findings
            else good
        ),
    )
    if not found.ok:
        raise typer.Exit(2)


@canvas.command(
    "dry-run",
    help=say("用历史数据和模拟时钟试跑，不发送。", "Run on past data with a simulated clock; nothing is sent."),
)
def dry_run(
    file_or_id: FileOrId,
    start: Annotated[str | None, typer.Option("--start", help=say("模拟开始时间（ISO）。", "When it begins (ISO)."))] = None,
    home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None, as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    asked = _asked(file_or_id)
    with at_desk(home, reader(home_info(home), user, token)) as desk:
        found = desk.canvas_dry_run(DryRunAsked(**asked.model_dump(), start=start))
    headings = (
        say("节点", "node"), say("进入", "entered"), say("对照", "held out"), say("受限", "capped"),
        say("延期", "deferred"), say("放弃", "abandoned"), say("发送", "sent"),
    )  # fmt: skip
    rows = [(n.id, n.entered, n.held_out, n.capped, n.deferred, n.abandoned, n.sent) for n in found.nodes]
    today = say("只能用当前数据的条件：", "Conditions that could only use today's data: ")
    extra = today + "; ".join(found.snapshot_conditions) if found.snapshot_conditions else ""
    show(found, as_json, lambda: "\n".join(filter(None, [table(headings, rows), extra])))


@canvas.command("draw", help=say("输出 Graphviz DOT。", "Print it as Graphviz DOT."))
def draw(
    file_or_id: FileOrId, home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None,
    as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    asked = _asked(file_or_id)
    with at_desk(home, reader(home_info(home), user, token)) as desk:
        found = desk.canvas_draw(asked)
    show(found, as_json, lambda: found.dot)


@canvas.command("show", help=say("把已存的画布打印成 YAML。", "Print a saved canvas as YAML."))
def show_saved(
    canvas_id: Annotated[str, typer.Argument(metavar="ID", help="cv_<n>, cv_<n>@<version>")],
    home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None, as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    id_, _, version = canvas_id.partition("@")
    if version and not version.isdigit():
        raise BadUsage(say(f"{version} 不是版本号。", f"{version} is no version."), "cv_1@2")
    with at_desk(home, reader(home_info(home), user, token)) as desk:
        found = desk.canvas(id_, int(version) if version else None)
    show(found, as_json, lambda: found.text)


@canvas.command(
    "history", help=say("画布的各个版本：谁、何时、改了什么。", "A canvas's versions: who, when, what changed.")
)
def history(
    canvas_id: Annotated[str, typer.Argument(metavar="ID", help="cv_<n>")],
    home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None, as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    with at_desk(home, reader(home_info(home), user, token)) as desk:
        found = desk.canvas_history(canvas_id, LANGUAGE)
    headings = (say("版本", "version"), say("谁", "by"), say("时间", "at"), say("改动", "changes"))
    rows = [
        (v.version, v.created_by, f"{v.created_at:%Y-%m-%d %H:%M}" if v.created_at else "", "; ".join(v.changes))
        for v in found.versions
    ]
    show(found, as_json, lambda: table(headings, rows))


@canvas.command("diff", help=say("两个画布或版本有何不同。", "What differs between two canvases or versions."))
def diff(
    before: FileOrId, after: FileOrId,
    dot: Annotated[bool, typer.Option("--dot", help=say("输出对比图（Graphviz DOT）。", "Print the picture as Graphviz DOT."))] = False,
    home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None, as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    asked = DiffAsked(before=_asked(before), after=_asked(after), language=LANGUAGE)
    with at_desk(home, reader(home_info(home), user, token)) as desk:
        found = desk.canvas_diff(asked)
    same = say("没有不同。", "They are the same.")
    show(found, as_json, lambda: found.dot if dot else "\n".join(c.words for c in found.changes) or same)


@canvas.command("templates", help=say("总行模板和它们的参数。", "The templates of head office and their parameters."))
def templates(
    home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None, as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    with at_desk(home, reader(home_info(home), user, token)) as desk:
        found = desk.templates(LANGUAGE)

    def words() -> str:
        blocks = []
        for template in found:
            head = f"{template.id} · {template.title}\n{template.description}"
            rows = [
                (p.name, "" if p.default is None else p.default, _bounds(p), f"{p.title}: {p.help}")
                for p in template.parameters
            ]
            names = (say("参数", "parameter"), say("默认", "default"), say("范围", "range"), say("说明", "help"))
            blocks.append(f"{head}\n{table(names, rows)}")
        return "\n\n".join(blocks)

    show(found, as_json, words)


def _bounds(parameter: TemplateParameter) -> str:
    if parameter.options:
        return " | ".join(parameter.options)
    if parameter.choices:
        return " | ".join(f"{choice.value} {choice.label}" for choice in parameter.choices)
    if parameter.minimum is None or parameter.maximum is None:
        return parameter.kind
    return f"{parameter.minimum:g} – {parameter.maximum:g}"


@canvas.command("new", help=say("用模板生成画布文件。", "Make a canvas file from a template."))
def new(
    template: Annotated[str, typer.Argument(metavar="TEMPLATE", help=say("模板编号或名称。", "A template's id or name."))],
    values: Annotated[list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help=say("参数，可多次。", "A parameter; may be repeated."))] = None,
    out: Annotated[Path | None, typer.Option("--out", help=say("写到这个文件。", "Write it to this file."))] = None,
    name: Annotated[str, typer.Option("--name", help=say("画布名称。", "The canvas's name."))] = "",
    home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None, as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    given: dict[str, str | int | float | bool | None] = {}
    for pair in values or []:
        key, equals, value = pair.partition("=")
        if not equals or not key.strip():
            raise BadUsage(say(f"{pair} 不是参数。", f"{pair} is no parameter."), "--set before_days=5")
        given[key.strip()] = value.strip()
    if out is not None and not out.parent.is_dir():
        raise BadUsage(
            say(f"没有文件夹 {out.parent}。", f"There is no folder {out.parent}."),
            say("先建好文件夹。", "Make it first."),
        )
    asked = TemplateAsked(parameters=given, name=name, language=LANGUAGE)
    with at_desk(home, reader(home_info(home), user, token)) as desk:
        found = desk.template_canvas(template, asked)
    if out is not None:
        out.write_text(found.text, "utf-8")
    warned = "".join(f"\n{f.severity} {f.code} {f.place}: {f.message} {f.fix}" for f in found.findings)
    written = say(f"已写入 {out}。", f"Written to {out}.")
    show(found, as_json, lambda: f"{found.summary}\n{written}{warned}" if out is not None else found.text)


def register(app: typer.Typer) -> None:
    app.add_typer(canvas, name="canvas")
