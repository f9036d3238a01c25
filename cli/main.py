"""`touchline`: the commands, and what becomes of errors. Heavy modules are imported by the commands that need them."""

import sys

import typer
from pydantic import ValidationError
from typer.exceptions import TyperException

from cli import (
    bench,
    campaign,
    conversation,
    decisions,
    evaluation,
    house,
    lists,
    people,
    policy,
    running,
    segment_life,
    segments,
    tags,
)
from cli.language import say
from cli.output import BadUsage, fail
from warehouse.errors import TouchlineError

app = typer.Typer(
    name="touchline",
    help=say(
        "银行营销运营对话助手：未经批准，绝不发送。",
        "A conversational operations assistant for bank marketing teams: nothing is sent before people approve it.",
    ),
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
GROUPS = (
    house, people, conversation, segments, segment_life, tags, lists, policy, campaign, decisions, running, evaluation,
    bench,
)  # fmt: skip
for group in GROUPS:
    group.register(app)

EXIT_BAD = 2


def without_language(args: list[str]) -> list[str]:
    """The arguments without --lang, which was read before the commands were declared and may stand anywhere.

    Raises:
        BadUsage: it names no language.
    """
    kept: list[str] = []
    rest = iter(args)
    for argument in rest:
        if argument == "--":
            return [*kept, argument, *rest]
        name, sign, value = argument.partition("=")
        if name != "--lang":
            kept.append(argument)
        elif (value if sign else next(rest, "")) not in ("zh", "en"):
            raise BadUsage(say("--lang 只能是 zh 或 en。", "--lang is zh or en."), "--lang zh")
    return kept


def main() -> None:
    """Run a command. Exits with 0, or with 2 and one line that tells the fix."""
    as_json = "--json" in sys.argv[1:]
    try:
        code = app(without_language(sys.argv[1:]), standalone_mode=False)
    except TyperException as error:
        line = " ".join(error.format_message().split())
        fail(BadUsage(line, say("用 --help 查看用法。", "See --help.")), as_json)
        sys.exit(EXIT_BAD)
    except (TouchlineError, ValidationError) as error:
        fail(error, as_json)
        sys.exit(EXIT_BAD)
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(130)
    sys.exit(code if isinstance(code, int) else 0)


if __name__ == "__main__":
    main()
