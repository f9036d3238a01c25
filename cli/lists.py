"""`touchline list upload|list|show|archive`: customers named one by one in a file."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from cli.credentials import reader
from cli.desk import at_desk, home_info
from cli.language import say
from cli.options import DEFAULT_HOME, HomeDir, Json, Lang, Token, User
from cli.output import BadUsage, show, table
from server.schema import MAX_UPLOAD, ListReport

lists = typer.Typer(no_args_is_help=True, help=say("客户名单。", "Uploaded lists of customers."))


@lists.command(
    "upload", help=say("上传名单，之后可用 in_list('名称')。", "Upload a list; then in_list('NAME') means it.")
)
def upload(
    name: Annotated[str, typer.Argument(metavar="NAME", help=say("名单名称。", "The list's name."))],
    file: Annotated[Path, typer.Argument(metavar="FILE", help=say("CSV 或 Parquet（列 customer_id、phone、id_card 等），或每行一个。", "CSV or Parquet with a column customer_id, phone, id_card …, or one per line."))],
    named: Annotated[Literal["customer_id", "phone", "id_card", "account", "wecom", "device"] | None, typer.Option("--named", help=say("按什么指认客户（默认看列名）。", "What customers are named by (default: the heading says)."))] = None,
    several: Annotated[Literal["all", "none"], typer.Option("--several", help=say("一个值对应多个客户号时：全部加入或都不加入。", "Where several customers share a value: take all of them, or none."))] = "all",
    home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None, as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    try:
        with file.expanduser().open("rb") as opened:
            content = opened.read(MAX_UPLOAD + 1)
    except OSError as error:
        raise BadUsage(
            say(f"读不出文件 {file}（{error.strerror}）。", f"The file {file} cannot be read ({error.strerror})."),
            say("请检查路径。", "Check its path."),
        ) from None
    with at_desk(home, reader(home_info(home), user, token)) as desk:
        report = desk.list_upload(name, content, named, several)
    show(report, as_json, lambda: _readable(report))


@lists.command("list", help=say("已上传的名单。", "Uploaded lists."))
def list_(
    home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None, as_json: Json = False, lang: Lang = None
) -> None:
    with at_desk(home, reader(home_info(home), user, token)) as desk:
        found = desk.lists()
    headings = (
        say("名称", "name"), say("版本", "version"), say("人数", "customers"), say("按", "named by"),
        say("上传人", "uploaded by"), "sha256",
    )  # fmt: skip
    rows = [(i.name, i.version, i.size, i.named, i.uploaded_by, i.sha256[:12]) for i in found]
    show(found, as_json, lambda: table(headings, rows))


@lists.command("show", help=say("名单的匹配报告、版本和使用者。", "A list's match report, versions and users."))
def show_(
    name: Annotated[str, typer.Argument(metavar="NAME", help=say("名单名称。", "The list's name."))],
    home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None, as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    with at_desk(home, reader(home_info(home), user, token)) as desk:
        found = desk.list_view(name)
    headings = (say("版本", "version"), say("人数", "customers"), say("上传于", "uploaded"), "sha256")
    versions = table(
        headings,
        [(v.version, v.size, f"{v.created_at:%Y-%m-%d %H:%M}Z" if v.created_at else "-", v.sha256[:12]) for v in found.versions],
    )  # fmt: skip
    users = say("被使用：", "used by: ") + (", ".join(found.users) or say("无", "nobody"))
    show(found, as_json, lambda: "\n\n".join((_readable(found), versions, users)))


@lists.command(
    "archive",
    help=say("停用名单；被使用时拒绝并说明被谁使用。", "Take a list out of use; refused while used, naming by whom."),
)
def archive(
    name: Annotated[str, typer.Argument(metavar="NAME", help=say("名单名称。", "The list's name."))],
    home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None, as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    with at_desk(home, reader(home_info(home), user, token)) as desk:
        gone = desk.list_archive(name)
    show(gone, as_json, lambda: say(f"已停用名单 {gone.name}", f"archived the list {gone.name}"))


def _readable(report: ListReport) -> str:
    headings = (
        say("行数", "rows"), say("空", "blank"), say("格式不对", "malformed"), say("重复", "duplicates"),
        say("唯一匹配", "unique"), say("匹配多个", "several"), say("未匹配", "unknown"), say("客户数", "customers"),
    )  # fmt: skip
    counts = (
        report.rows, report.blank, report.malformed, report.duplicates, report.unique, report.several, report.unknown,
        report.matched,
    )  # fmt: skip
    lines = [table(headings, [counts]), say(f"用法：in_list('{report.name}')", f"use it: in_list('{report.name}')")]
    for words, rows in (
        (say("未匹配的行：", "unknown in rows "), report.unknown_rows),
        (say("匹配多个的行：", "several in rows "), report.several_rows),
        (say("格式不对的行：", "malformed rows "), report.invalid_rows),
    ):
        if rows:
            lines.append(words + ", ".join(map(str, rows)))
    return "\n".join(lines)


def register(app: typer.Typer) -> None:
    app.add_typer(lists, name="list")
