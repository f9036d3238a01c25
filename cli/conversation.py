"""`touchline ask`: one request of a conversation."""

from typing import Annotated

import typer

from cli.credentials import reader
from cli.desk import at_desk, home_info
from cli.language import say
from cli.options import DEFAULT_HOME, HomeDir, Json, Lang, Token, User
from cli.output import BadUsage, show
from server.schema import AskAnswer, AskAsked


def ask(
    text: Annotated[str, typer.Argument(metavar="TEXT", help=say("中文或英文的一句话。", "What should happen, in Chinese or English."))],
    thread: Annotated[str | None, typer.Option("--thread", help=say("会话（默认新建并打印）。", "The conversation (default: a new one, which is printed)."))] = None,
    model: Annotated[str | None, typer.Option("--model", help=say("对话模型，默认 offline。", "The chat model; 'offline' if none is configured."))] = None,
    home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None, as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    if not text.strip():
        raise BadUsage(
            say("请求是空的。", "The request is empty."),
            say("说出想了解或想做的事。", "Say what you would like to know or do."),
        )
    info = home_info(home)
    if user and info.kind != "demo" and not token:
        raise BadUsage(
            say("--user 只用于演示环境。", "--user is for demo homes only."),
            say("用 --token 或 TOUCHLINE_TOKEN。", "Pass --token or set TOUCHLINE_TOKEN."),
        )
    with at_desk(home, reader(info, user, token)) as desk:
        answer = desk.ask(AskAsked(text=text, thread=thread, model=model))
    show(answer, as_json, lambda: _readable(answer))


def _readable(answer: AskAnswer) -> str:
    lines = [answer.reply]
    if answer.question is not None:
        if answer.question.text not in answer.reply:
            lines += ["", answer.question.text]
        lines += [f"  {n}. {option}" for n, option in enumerate(answer.question.options, 1)]
    lines += [
        "",
        say(
            f"会话 {answer.thread}（继续：--thread {answer.thread}）",
            f"thread {answer.thread} (go on with --thread {answer.thread})",
        ),
    ]
    return "\n".join(lines)


def register(app: typer.Typer) -> None:
    app.command("ask", help=say("对助手说一句话。", "Ask the assistant something."))(ask)
