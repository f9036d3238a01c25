"""YAML as people write it: `on:` is a word and `20:00` a time of day.

PyYAML reads YAML 1.1, in which `on`, `off`, `yes` and `no` are truth values and `20:00` is the number 1200: quiet hours
from `20:00` would begin at twenty past midnight. Here both stay text, as in YAML 1.2; `true`, `false`, numbers, dates
and null are what they look like.
"""

import re
from typing import Any

import yaml


class _Loader(yaml.SafeLoader):
    """Resolvers are per class: nobody else's loader changes."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in rules if tag not in ("tag:yaml.org,2002:bool", "tag:yaml.org,2002:int")]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^[-+]?(?:0|[1-9][0-9_]*)$"), list("-+0123456789"))


def load(text: str) -> Any:
    """The document in a text; None for an empty one.

    Raises:
        yaml.YAMLError: it is not YAML.
    """
    return yaml.load(text, _Loader)
