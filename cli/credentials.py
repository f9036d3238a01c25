"""How the command line shows who is speaking: a token, a password, or (on demo homes, to read and draft) just a name."""

import getpass
import os
import sys
from dataclasses import dataclass

from cli.language import say
from cli.output import BadUsage
from warehouse.home import HomeInfo

PASSWORD_VARIABLE = "TOUCHLINE_PASSWORD"
FIX = (
    "用 --token（或 TOUCHLINE_TOKEN），或 --user 加密码（提示输入、--password-stdin、TOUCHLINE_PASSWORD）。",
    "Pass --token (or TOUCHLINE_TOKEN), or --user with a password (prompt, --password-stdin or TOUCHLINE_PASSWORD).",
)


@dataclass(frozen=True, repr=False)
class Who:
    """Who is speaking. Without token and password it is the local command line, which never decides."""

    user: str | None = None
    token: str | None = None
    password: str | None = None


def reader(info: HomeInfo, user: str | None, token: str | None) -> Who:
    """Whoever reads or drafts. `--user` alone is enough on demo homes only; a password in the environment counts."""
    if token:
        return Who(token=token)
    if info.kind == "demo":
        return Who(user=user)
    if user:
        return decider(info, user, None)
    return Who()


def decider(
    info: HomeInfo, user: str | None, token: str | None, *, password: str | None = None, from_stdin: bool = False
) -> Who:
    """Whoever decides: a token, or a name with a password.

    Raises:
        BadUsage: neither is given, or the password stands in the clear for a real home.
    """
    if password is not None and info.kind != "demo":
        raise BadUsage(
            say("真实环境不接受命令行明文密码。", "On a real home a password does not belong on the command line."),
            say(*FIX),
        )
    if token and not user:
        return Who(token=token)
    if not user:
        raise BadUsage(say("审批需要本人登录。", "A decision needs a person who is signed in."), say(*FIX))
    if from_stdin:
        password = sys.stdin.readline().rstrip("\n")
    password = password or os.environ.get(PASSWORD_VARIABLE)
    if not password and sys.stdin.isatty():
        password = getpass.getpass(say(f"{user} 的密码：", f"Password of {user}: "))
    if not password:
        if token:
            return Who(token=token)
        raise BadUsage(say(f"没有 {user} 的密码。", f"There is no password for {user}."), say(*FIX))
    return Who(user=user, password=password)
