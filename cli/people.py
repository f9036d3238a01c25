"""`touchline people …`: who may sign in, as what, for which branches."""

import getpass
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from cli.credentials import PASSWORD_VARIABLE, Who, decider
from cli.desk import at_desk, home_info
from cli.language import say
from cli.options import DEFAULT_HOME, HomeDir, Json, Lang, Password, Token, User
from cli.output import BadUsage, show, table
from server.schema import AccountAsked, AccountView, DisableAsked, PasswordAsked, PersonAsked

people = typer.Typer(no_args_is_help=True, help=say("人员与账号。", "People and their accounts."))

AccountName = Annotated[str, typer.Argument(metavar="ACCOUNT", help=say("账号。", "The account."))]
Roles = Annotated[
    list[str] | None,
    typer.Option(
        "--role",
        help=say("角色，可重复：", "A role, may be repeated: ") + "operator, manager, approver, compliance, admin",
    ),
]
Branches = Annotated[
    list[int] | None,
    typer.Option(
        "--branch",
        metavar="ID",
        help=say(
            "只看这些机构的客户，可重复；不写为全行。",
            "Sees this branch's customers only, may be repeated; all if not said.",
        ),
    ),
]
HideSmall = Annotated[
    bool,
    typer.Option(
        "--hide-small", help=say("小于 10 的人数显示为 <10。", "Groups under 10 are shown to this person as <10.")
    ),
]
FromStdin = Annotated[
    bool,
    typer.Option(
        "--password-stdin",
        help=say(
            "从标准输入读密码：先是 --user 的密码（如需要），再是新密码，各一行。",
            "Read passwords from standard input, a line each: that of --user if one is needed, then the new one.",
        ),
    ),
]


@people.command("add", help=say("新建账号；新人需要角色。", "Make an account; a new person needs a role."))
def add(
    account: AccountName,
    person: Annotated[str, typer.Option("--person", help=say("这个账号是谁的（默认同账号名）。", "Whose account it is (default: the account's name)."))] = "",
    role: Roles = None, branch: Branches = None, hide_small: HideSmall = False,
    home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None, password: Password = None,
    password_stdin: FromStdin = False, as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    # Without a credential it can only be a home's first administrator: whether it is, the service decides.
    who = Who() if not (user or token) else _who(home, user, token, password, password_stdin)
    asked = AccountAsked.model_validate(
        {
            "account": account, "person": person, "roles": role or [], "branches": branch,
            "exact_numbers": not hide_small, "password": _new_password(account, password_stdin),
        }
    )  # fmt: skip
    with at_desk(home, who) as desk:
        made = desk.people_add(asked) if user or token else desk.first_admin(asked)
    show(made, as_json, lambda: _line(made))


@people.command("list", help=say("所有账号。", "All accounts."))
def list_(
    home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None, password: Password = None,
    password_stdin: FromStdin = False, as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    with at_desk(home, _who(home, user, token, password, password_stdin)) as desk:
        found = desk.people()
    show(found, as_json, lambda: _table(found))


@people.command("roles", help=say("改变一个人的角色和机构。", "Give a person other roles and branches."))
def roles(
    person: Annotated[str, typer.Argument(metavar="PERSON", help=say("人员（不是账号）。", "The person, not the account."))],
    role: Roles = None, branch: Branches = None, hide_small: HideSmall = False,
    home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None, password: Password = None,
    password_stdin: FromStdin = False, as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    if not role:
        raise BadUsage(say("没有写角色。", "No role is given."), "--role operator")
    asked = PersonAsked.model_validate(
        {"person": person, "roles": role, "branches": branch, "exact_numbers": not hide_small}
    )
    with at_desk(home, _who(home, user, token, password, password_stdin)) as desk:
        found = desk.people_roles(asked)
    show(found, as_json, lambda: _table(found))


@people.command(
    "disable", help=say("停用账号，其登录和令牌立即失效。", "Keep an account out; its sessions and tokens end.")
)
def disable(
    account: AccountName,
    undo: Annotated[bool, typer.Option("--undo", help=say("重新启用。", "Let it in again."))] = False,
    home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None, password: Password = None,
    password_stdin: FromStdin = False, as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    with at_desk(home, _who(home, user, token, password, password_stdin)) as desk:
        made = desk.people_disable(account, DisableAsked(disabled=not undo))
    show(made, as_json, lambda: _line(made))


@people.command(
    "password", help=say("修改密码：自己的，或由管理员重置。", "Change a password: one's own, or as an administrator.")
)
def password_(
    account: AccountName,
    home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None, password: Password = None,
    password_stdin: FromStdin = False, as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    who = _who(home, user, token, password, password_stdin)
    new = _new_password(account, password_stdin)
    with at_desk(home, who) as desk:
        made = desk.people_password(account, PasswordAsked(password=new, current=who.password or ""))
    show(made, as_json, lambda: say(f"{made.account} 的密码已更改。", f"{made.account} has a new password."))


def _who(home: Path, user: str | None, token: str | None, password: str | None, from_stdin: bool) -> Who:
    """Who administers; his password comes from standard input only where nothing else gives it."""
    given = bool(os.environ.get(PASSWORD_VARIABLE))
    return decider(home_info(home), user, token, password=password, from_stdin=from_stdin and not token and not given)


def _new_password(account: str, from_stdin: bool) -> str:
    """The password to set, from standard input or asked twice.

    Raises:
        BadUsage: there is none.
    """
    if from_stdin:
        new = sys.stdin.readline().rstrip("\n")
    elif sys.stdin.isatty():
        new = getpass.getpass(say(f"{account} 的新密码：", f"New password of {account}: "))
        if new != getpass.getpass(say("再输一次：", "Once more: ")):
            raise BadUsage(say("两次输入不一致。", "The two are not the same."), say("请重试。", "Try again."))
    else:
        new = ""
    if not new:
        raise BadUsage(
            say(f"没有 {account} 的新密码。", f"There is no new password for {account}."),
            say("在终端里输入，或用 --password-stdin。", "Type it at a terminal, or use --password-stdin."),
        )
    return new


def _line(made: AccountView) -> str:
    state = say("（已停用）", " (disabled)") if made.disabled else ""
    return f"{made.account}: {made.person}, {', '.join(made.roles)}, {_where(made.branches)}{state}"


def _table(found: Sequence[AccountView]) -> str:
    headings = (
        say("账号", "account"),
        say("人员", "person"),
        say("角色", "roles"),
        say("机构", "branches"),
        say("停用", "disabled"),
    )
    return table(headings, [(a.account, a.person, ", ".join(a.roles), _where(a.branches), a.disabled) for a in found])


def _where(branches: Sequence[int] | None) -> str:
    return say("全行", "all") if branches is None else ", ".join(map(str, branches))


def register(app: typer.Typer) -> None:
    app.add_typer(people, name="people")
