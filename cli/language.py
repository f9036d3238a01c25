"""Which language the command line speaks: --lang, TOUCHLINE_LANG, the locale; Chinese or English."""

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Literal

Language = Literal["zh", "en"]


def chosen(args: Sequence[str], environment: Mapping[str, str]) -> Language:
    """The language asked for by the arguments or else by the environment; English if neither says."""
    wanted = ""
    for position, argument in enumerate(args):
        if argument.startswith("--lang="):
            wanted = argument.removeprefix("--lang=")
        elif argument == "--lang" and position + 1 < len(args):
            wanted = args[position + 1]
    for name in ("TOUCHLINE_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        wanted = wanted or environment.get(name, "")
    return "zh" if wanted.casefold().startswith("zh") else "en"


LANGUAGE: Language = chosen(sys.argv[1:], os.environ)
"""Settled once, before the commands are declared, because help texts are declared with them."""


def say(zh: str, en: str) -> str:
    """The text in the language of this run."""
    return zh if LANGUAGE == "zh" else en
