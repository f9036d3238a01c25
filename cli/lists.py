"""`touchline list upload|list`: customers named one by one in a file."""

from pathlib import Path
from typing import Annotated

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
    file: Annotated[Path, typer.Argument(metavar="FILE", help=say("CSV 或 Parquet（列 customer_id），或每行一个客户号。", "CSV or Parquet with a column customer_id, or one id per line."))],
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
        report = desk.list_upload(name, content)
    show(report, as_json, lambda: _readable(report))


@lists.command("list", help=say("已上传的名单。", "Uploaded lists."))
def list_(
    home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None, as_json: Json = False, lang: Lang = None
) -> None:
    with at_desk(home, reader(home_info(home), user, token)) as desk:
        found = desk.lists()
    headings = (say("名称", "name"), say("人数", "customers"), say("上传人", "uploaded by"), "sha256")
    show(found, as_json, lambda: table(headings, [(i.name, i.size, i.uploaded_by, i.sha256[:12]) for i in found]))


def _readable(report: ListReport) -> str:
    headings = (
        say("行数", "rows"), say("匹配", "matched"), say("未知", "unknown"), say("重复", "duplicates"),
        say("无效", "invalid"),
    )  # fmt: skip
    counts = (report.rows, report.matched, report.unknown, report.duplicates, report.invalid)
    lines = [table(headings, [counts]), say(f"用法：in_list('{report.name}')", f"use it: in_list('{report.name}')")]
    for words, rows in (
        (say("未知的行：", "unknown in rows "), report.unknown_rows),
        (say("无效的行：", "invalid rows "), report.invalid_rows),
    ):
        if rows:
            lines.append(words + ", ".join(map(str, rows)))
    return "\n".join(lines)


def register(app: typer.Typer) -> None:
    app.add_typer(lists, name="list")
