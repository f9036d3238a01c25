"""The closed part of the lexicon, as data: function words, operators, numbers, dates, channels, cues of intents."""

from functools import lru_cache
from importlib.resources import files

import yaml

# BaseLoader keeps every scalar text: `no` and `on` are words here, not truth values.


@lru_cache(maxsize=1)
def grammar() -> dict[str, dict[str, list[str]]]:
    """Kind → value → words, from `grammar.yaml`."""
    text = files(__package__).joinpath("grammar.yaml").read_text("utf-8")
    found: dict[str, dict[str, list[str]]] = yaml.load(text, yaml.BaseLoader)
    return found


@lru_cache(maxsize=1)
def calendar() -> dict[str, dict[str, list[str]]]:
    """Kind → value → words of dates and times, from `calendar.yaml`."""
    text = files(__package__).joinpath("calendar.yaml").read_text("utf-8")
    found: dict[str, dict[str, list[str]]] = yaml.load(text, yaml.BaseLoader)
    return found


@lru_cache(maxsize=1)
def irregular() -> dict[str, str]:
    """English words whose common form no rule finds (`bought` → `buy`), from `irregular.yaml`."""
    text = files(__package__).joinpath("irregular.yaml").read_text("utf-8")
    forms: dict[str, list[str]] = yaml.load(text, yaml.BaseLoader)
    return {word: base for base, words in forms.items() for word in words}
