"""`touchline demo-bank`, `import`, `token …`, `clock …`, `verify-audit`."""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated, get_args

import typer

from cli.credentials import decider, reader
from cli.desk import at_desk, home_info
from cli.language import LANGUAGE, say
from cli.options import DEFAULT_HOME, HomeDir, Json, Lang, Password, PasswordStdin, Token, User
from cli.output import BadUsage, note, show, table
from server.schema import ClockAsked, ClockView, Scope, TokenAsked
from warehouse.clock import parse_instant
from warehouse.home import Home

token_app = typer.Typer(no_args_is_help=True, help=say("访问令牌。", "Access tokens."))
clock_app = typer.Typer(no_args_is_help=True, help=say("环境的时钟。", "The home's clock."))

AS_OF = "2026-11-18T09:00+08:00"
MAPPINGS = Path(__file__).parents[1] / "warehouse" / "mappings"
Force = Annotated[bool, typer.Option("--force", help=say("覆盖已有数据。", "Replace what is there."))]


def demo_bank(
    customers: Annotated[int, typer.Option("--customers", min=500, max=20_000_000, help=say("客户数。", "How many customers."))] = 20_000,
    seed: Annotated[int, typer.Option("--seed", help=say("随机种子。", "The random seed."))] = 7,
    as_of: Annotated[str, typer.Option("--as-of", help=say("数据截止时间。", "The data cut-off."))] = AS_OF,
    force: Force = False, home: HomeDir = DEFAULT_HOME, as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    from warehouse import demo_bank as bank

    moment: datetime = parse_instant(as_of)
    where = Home(home)
    told = _progress(as_json)
    report = bank.build(
        where,
        customers=customers,
        seed=seed,
        as_of=moment,
        force=force,
        progress=(lambda step, done: told(f"{done:4.0%} {step}")) if told else None,
    )
    document = json.loads(json.dumps(asdict(report), default=str))
    ready = say(
        f"演示银行已建好：{customers:,} 位客户，{report.seconds:.1f} 秒，在 {where.root}",
        f"The demo bank is ready: {customers:,} customers, {report.seconds:.1f} s, in {where.root}",
    )
    show(document, as_json, lambda: ready)


def import_bank(
    mapping: Annotated[str, typer.Argument(metavar="MAPPING", help=say("映射文件，或内置映射的名称（如 uci_bank）。", "A mapping file, or the name of a built-in one (such as uci_bank)."))],
    source: Annotated[list[str] | None, typer.Option("--source", metavar="NAME=PATH", help=say("数据源，可重复。", "A source; may be repeated."))] = None,
    demo: Annotated[bool, typer.Option("--demo", help=say("建成演示环境：演示用户，时钟从数据截止时间开始。", "Make it a demo home: demo users, the clock begins at the cut-off."))] = False,
    home: HomeDir = DEFAULT_HOME, as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    from warehouse import importer

    where = Home(home)
    sources = dict(_source(text) for text in source or [])
    report = importer.run(where, _mapping(mapping), sources, demo=demo, progress=_progress(as_json))
    show(report, as_json, lambda: report.text(LANGUAGE))


def _source(text: str) -> tuple[str, Path]:
    name, sign, path = text.partition("=")
    if not (name and sign and path):
        raise BadUsage(
            say(f"--source {text} 不是 名称=路径。", f"--source {text} is not NAME=PATH."), "--source bank=bank.csv"
        )
    return name, Path(path).expanduser()


def _mapping(text: str) -> Path:
    """A mapping file, or a built-in one by name."""
    path = Path(text).expanduser()
    if path.is_file():
        return path
    built_in = {file.stem: file for file in sorted(MAPPINGS.glob("*.yaml"))}
    if text in built_in:
        return built_in[text]
    raise BadUsage(
        say(f"没有映射 {text}。", f"There is no mapping {text}."),
        say("给出文件，或内置的：", "Name a file, or a built-in one: ") + ", ".join(built_in) + ".",
    )


def _progress(quiet: bool) -> Callable[[str], None] | None:
    """Lines of progress for somebody who watches; none for a script."""
    return None if quiet or not sys.stderr.isatty() else note


@token_app.command("create", help=say("新建令牌（只显示一次）。", "Make a token (shown once)."))
def token_create(
    name: Annotated[str, typer.Option("--name", help=say("用途。", "What it is for."))] = "cli",
    scope: Annotated[list[str] | None, typer.Option("--scope", help="read, draft, decide, admin")] = None,
    days: Annotated[int, typer.Option("--days", min=1, max=366, help=say("有效天数。", "Days it is valid."))] = 90,
    home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None, password: Password = None,
    password_stdin: PasswordStdin = False, as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    scopes = scope or ["read"]
    wrong = sorted(set(scopes) - set(get_args(Scope)))
    if wrong:
        raise BadUsage(say(f"没有权限范围 {wrong[0]}。", f"There is no scope {wrong[0]}."), ", ".join(get_args(Scope)))
    who = decider(home_info(home), user, token, password=password, from_stdin=password_stdin)
    with at_desk(home, who) as desk:
        made = desk.token_create(TokenAsked.model_validate({"name": name, "scopes": scopes, "days": days}))
    show(made, as_json, lambda: f"{made.token}\n{made.account}: {', '.join(made.scopes)}, {made.expires_at:%Y-%m-%d}")


@token_app.command("list", help=say("自己的令牌。", "One's own tokens."))
def token_list(
    home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None, password: Password = None,
    password_stdin: PasswordStdin = False, as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    who = decider(home_info(home), user, token, password=password, from_stdin=password_stdin)
    with at_desk(home, who) as desk:
        found = desk.tokens()
    headings = (
        "id",
        say("用途", "name"),
        say("账号", "account"),
        say("范围", "scopes"),
        say("到期", "expires"),
    )
    rows = [(t.id, t.name, t.account, ", ".join(t.scopes), f"{t.expires_at:%Y-%m-%d}") for t in found]
    show(found, as_json, lambda: table(headings, rows))


@token_app.command("revoke", help=say("撤销令牌。", "Revoke a token."))
def token_revoke(
    token_id: Annotated[str, typer.Argument(metavar="ID", help=say("令牌编号。", "The token's id."))],
    home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None, password: Password = None,
    password_stdin: PasswordStdin = False, as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    who = decider(home_info(home), user, token, password=password, from_stdin=password_stdin)
    with at_desk(home, who) as desk:
        done = desk.token_revoke(token_id)
    show(done, as_json, lambda: say(f"{token_id} 已撤销。", f"{token_id} is revoked."))


@clock_app.command("show", help=say("环境的当前时间和数据截止时间。", "The home's now and the data cut-off."))
def clock_show(
    home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None, as_json: Json = False, lang: Lang = None
) -> None:
    with at_desk(home, reader(home_info(home), user, token)) as desk:
        found = desk.clock()
    show(found, as_json, lambda: _clock_text(found))


@clock_app.command("advance", help=say("把演示环境的时钟向前拨。", "Move a demo home's clock forward."))
def clock_advance(
    days: Annotated[int, typer.Option("--days", min=0, help=say("天。", "Days."))] = 0,
    hours: Annotated[int, typer.Option("--hours", min=0, help=say("小时。", "Hours."))] = 0,
    minutes: Annotated[int, typer.Option("--minutes", min=0, help=say("分钟。", "Minutes."))] = 0,
    home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None, as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    with at_desk(home, reader(home_info(home), user, token)) as desk:
        found = desk.clock_advance(ClockAsked(days=days, hours=hours, minutes=minutes))
    show(found, as_json, lambda: _clock_text(found))


def _clock_text(found: ClockView) -> str:
    from zoneinfo import ZoneInfo

    zone = ZoneInfo(found.zone)
    now, cut = found.now.astimezone(zone), found.as_of.astimezone(zone)
    return (
        say(
            f"现在 {now:%Y-%m-%d %H:%M}，数据截至 {cut:%Y-%m-%d %H:%M}",
            f"now {now:%Y-%m-%d %H:%M}, data as of {cut:%Y-%m-%d %H:%M}",
        )
        + f" ({found.zone})"
    )


def verify_audit(
    home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None, as_json: Json = False, lang: Lang = None
) -> None:
    with at_desk(home, reader(home_info(home), user, token)) as desk:
        found = desk.verify_audit()
    good = say(f"审计链完整，{found.entries} 条。", f"The audit chain is whole: {found.entries} entries.")
    show(found, as_json, lambda: good if found.ok else found.problem)
    if not found.ok:
        raise typer.Exit(2)


def register(app: typer.Typer) -> None:
    app.command("demo-bank", help=say("建一个演示银行。", "Build a demo bank."))(demo_bank)
    app.command("import", help=say("按映射导入银行数据。", "Import a bank's data by a mapping."))(import_bank)
    app.add_typer(token_app, name="token")
    app.add_typer(clock_app, name="clock")
    app.command("verify-audit", help=say("校验审计链。", "Verify the audit chain."))(verify_audit)
