"""Every command is documented, explained in both languages, and takes the options that all take."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from cli.language import chosen
from cli.main import app

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text("utf-8")
WITHOUT_HOME = {"bench", "eval score", "eval compare", "eval report"}
WITHOUT_JSON = {"serve", "up"}


def commands() -> Iterator[tuple[str, typer.core.TyperCommand]]:
    root = typer.main.get_command(app)
    for name, command in root.commands.items():
        if hasattr(command, "commands"):
            for inner, leaf in command.commands.items():
                yield f"{name} {inner}", leaf
        else:
            yield name, command


COMMANDS = dict(commands())


def test_there_are_all_the_commands_of_the_contract() -> None:
    promised = {
        "ask", "demo-bank", "import", "segment count", "segment ids", "segment waterfall", "segment breakdown",
        "canvas check", "canvas dry-run", "canvas draw", "throttle check", "throttle why", "analyze", "proposals",
        "proposal", "approve", "reject", "return", "revoke", "release run", "token create", "token list", "token revoke",
        "clock show", "clock advance", "eval run", "eval score", "eval compare", "eval report", "bench", "verify-audit",
        "serve", "up", "catalog search",
    }  # fmt: skip
    assert promised <= set(COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_command_is_documented_and_explained(name: str) -> None:
    assert re.search(rf"`touchline {re.escape(name)}[ `]", PAGE), f"docs/cli.md does not tell of {name}"
    assert COMMANDS[name].help
    options = {o for p in COMMANDS[name].params for o in p.opts}
    assert name in WITHOUT_HOME or "--home" in options
    assert name in WITHOUT_JSON or "--json" in options
    assert "--lang" in options
    for parameter in COMMANDS[name].params:
        assert getattr(parameter, "help", None), f"{name} {parameter.name} is not explained"


def test_documented_options_exist() -> None:
    for line in PAGE.splitlines():
        found = re.match(r"\| `touchline (.*?)`", line)
        if not found:
            continue
        words = found[1].split()
        name = next(n for n in (" ".join(words[:2]), words[0]) if n in COMMANDS)
        options = {o for p in COMMANDS[name].params for o in p.opts}
        assert set(re.findall(r"--[a-z-]+", found[1])) <= options, line


@pytest.mark.parametrize(
    ("args", "environment", "language"),
    [
        ([], {}, "en"),
        ([], {"LANG": "zh_CN.UTF-8"}, "zh"),
        ([], {"LANG": "de_DE.UTF-8"}, "en"),
        ([], {"LANG": "zh_CN.UTF-8", "TOUCHLINE_LANG": "en"}, "en"),
        (["--lang", "zh"], {"TOUCHLINE_LANG": "en"}, "zh"),
        (["ask", "x", "--lang=en"], {"LANG": "zh_CN"}, "en"),
    ],
)
def test_the_language_is_chosen(args: list[str], environment: dict[str, str], language: str) -> None:
    assert chosen(args, environment) == language
