"""Options that many commands share, so that they are spelt and explained once."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from cli.language import say

DEFAULT_HOME = Path("var")

HomeDir = Annotated[
    Path,
    typer.Option("--home", envvar="TOUCHLINE_HOME", help=say("银行数据所在的目录。", "The folder of the bank's home.")),
]
Json = Annotated[bool, typer.Option("--json", help=say("在标准输出打印 JSON。", "Print JSON on standard output."))]
Lang = Annotated[
    Literal["zh", "en"] | None,
    typer.Option("--lang", help=say("提示信息的语言：zh 或 en。", "The language of messages: zh or en.")),
]
User = Annotated[
    str | None,
    typer.Option(
        "--user", help=say("以谁的名义（演示环境默认 operator）。", "As whom (demo homes: operator if not said).")
    ),
]
Token = Annotated[
    str | None,
    typer.Option(
        "--token", envvar="TOUCHLINE_TOKEN", show_envvar=True, help=say("访问令牌。", "An access token."), hidden=False
    ),
]
PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help=say("从标准输入读取密码。", "Read the password from standard input."))
]
Password = Annotated[
    str | None,
    typer.Option("--password", help=say("密码，仅限演示环境。", "The password, in the clear: demo homes only.")),
]
ChannelOption = Annotated[
    Literal["sms", "push", "inapp", "wecom", "email", "call", "task"],
    typer.Option("--channel", help=say("触达渠道。", "The channel.")),
]
At = Annotated[
    str | None,
    typer.Option(
        "--at", help=say("时间（ISO，默认现在）。", "The time (ISO; bank time if it names no zone; default: now).")
    ),
]
Category = Annotated[str, typer.Option("--category", help=say("频控类别。", "The throttle category."))]
