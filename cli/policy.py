"""`touchline policy show|check|history|diff|adopt`: the contact policy in force and its versions."""

from typing import Annotated

import typer

from cli.credentials import decider, reader
from cli.desk import at_desk, home_info
from cli.language import say
from cli.options import DEFAULT_HOME, HomeDir, Json, Lang, Password, PasswordStdin, Token, User
from cli.output import show, table
from server.schema import PolicyCheck, PolicyDifference, PolicyNote, PolicyVersionInfo, PolicyVersionView

policy = typer.Typer(no_args_is_help=True, help=say("触达规则及其版本。", "The contact policy and its versions."))

VersionRef = Annotated[
    str | None,
    typer.Argument(
        metavar="VERSION", help=say("版本号或摘要（默认现行版本）。", "A number or digest (default: the one in force).")
    ),
]


@policy.command("show", help=say("现行触达规则，或某个版本。", "The contact policy in force, or a version."))
def show_(
    version: VersionRef = None, home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None,
    as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    with at_desk(home, reader(home_info(home), user, token)) as desk:
        found = desk.policy_show(version)
    show(found, as_json, lambda: _readable(found))


def _readable(found: PolicyVersionView) -> str:
    lines = found.words_zh if say("zh", "en") == "zh" else found.words_en
    return "\n".join([_line(found), *(f"  {line}" for line in lines)])


def _line(version: PolicyVersionInfo) -> str:
    until = f" – {version.until:%Y-%m-%d %H:%MZ}" if version.until else ""
    return f"v{version.version}  {version.since:%Y-%m-%d %H:%MZ}{until}  {version.person}  {version.note}  {version.digest[:19]}"


@policy.command("check", help=say("检查规则文件：矛盾和提醒；有错误时退出码 2。", "Check the file: contradictions and warnings; exit code 2 if there are errors."))  # fmt: skip
def check(
    home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None, as_json: Json = False, lang: Lang = None
) -> None:
    with at_desk(home, reader(home_info(home), user, token)) as desk:
        found = desk.policy_check()
    show(found, as_json, lambda: _findings(found))
    if not found.ok:
        raise typer.Exit(2)


def _findings(found: PolicyCheck) -> str:
    if not found.findings:
        return say(f"{found.file}：没有矛盾。", f"{found.file}: no contradictions.")
    words = {"error": say("错误", "error"), "warning": say("提醒", "warning")}
    return "\n".join(
        f"{words[f.severity]}  {f.place}  {say(f.zh, f.en)}  → {say(f.fix_zh, f.fix_en)}" for f in found.findings
    )


@policy.command("history", help=say("所有曾经生效的版本。", "Every version that has been in force."))
def history(
    home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None, as_json: Json = False, lang: Lang = None
) -> None:
    with at_desk(home, reader(home_info(home), user, token)) as desk:
        found = desk.policy_history()
    headings = (
        say("版本", "version"),
        say("生效", "since"),
        say("由谁", "by"),
        say("说明", "note"),
        say("摘要", "digest"),
    )
    rows = [(str(v.version), f"{v.since:%Y-%m-%d %H:%MZ}", v.person, v.note, v.digest[:19]) for v in found]
    show(found, as_json, lambda: table(headings, rows))


@policy.command("diff", help=say("两个版本之间哪里变严、哪里变松。", "What became tighter and what looser between two versions."))  # fmt: skip
def diff(
    before: Annotated[str | None, typer.Argument(metavar="BEFORE", help=say("版本，或 default（默认前一版本）。", "A version, or default (default: the one before)."))] = None,
    after: Annotated[str | None, typer.Argument(metavar="AFTER", help=say("版本（默认现行版本）。", "A version (default: the one in force)."))] = None,
    home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None, as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    with at_desk(home, reader(home_info(home), user, token)) as desk:
        found = desk.policy_diff(before, after)
    show(found, as_json, lambda: _difference(found))


def _difference(found: PolicyDifference) -> str:
    title = f"{found.before} → {found.after}"
    if not found.changes:
        return f"{title}  {say('没有变化。', 'No change.')}"
    words = {"tighter": say("变严", "tighter"), "looser": say("变松", "looser"), "other": say("改变", "changed")}
    return "\n".join([title, *(f"  {words[c.direction]}  {say(c.zh, c.en)}" for c in found.changes)])


@policy.command("adopt", help=say("管理员署名：让规则文件生效并写明原因。", "An administrator puts the file in force by his name, with a note."))  # fmt: skip
def adopt(
    note: Annotated[str, typer.Option("--note", help=say("改了什么，为什么。", "What was changed and why."))],
    home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None, password: Password = None,
    password_stdin: PasswordStdin = False, as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    who = decider(home_info(home), user, token, password=password, from_stdin=password_stdin)
    with at_desk(home, who) as desk:
        found = desk.policy_adopt(PolicyNote(note=note))
    show(found, as_json, lambda: _line(found))


def register(app: typer.Typer) -> None:
    app.add_typer(policy, name="policy")
