"""Canvases as YAML files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from tools.canvas.schema import Canvas, Entry, Node
from warehouse.errors import ModelRetry

_BOOL = "tag:yaml.org,2002:bool"
MAX_NESTING = 40
"""Levels of a canvas file; a canvas needs six."""


class _Loader(yaml.SafeLoader):
    """Reads plain trees only: an alias can make a small file a huge document, and nesting can exhaust the stack."""

    _levels = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.MarkedYAMLError(problem="aliases are not taken", problem_mark=self.get_mark())
        if self._levels >= MAX_NESTING:
            raise yaml.MarkedYAMLError(problem="nested too deeply", problem_mark=self.get_mark())
        self._levels += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._levels -= 1


# `on`, `yes` and `no` are names in a canvas, not truth values as YAML 1.1 has them.
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in rules if tag != _BOOL or first in "tTfF"]
    for first, rules in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def to_yaml(canvas: Canvas | Mapping[str, Any]) -> str:
    """The YAML of a canvas, in reading order, without what is default."""
    model = canvas if isinstance(canvas, Canvas) else Canvas.model_validate(canvas)
    document = model.model_dump(mode="json", exclude_defaults=True)
    document["nodes"] = [_told(node) for node in model.nodes]
    return yaml.safe_dump(document, allow_unicode=True, sort_keys=False, width=120)


def _told(node: Node) -> dict[str, Any]:
    """A node without what is default, but with what tells it from others: its kind, and what its trigger is on."""
    told = {"kind": node.kind, **node.model_dump(mode="json", exclude_defaults=True, exclude={"kind"})}
    if "trigger" in told and isinstance(node, Entry):
        told["trigger"] = {"on": node.trigger.on, **told["trigger"]}
    return told


def load(text: str) -> Any:
    """What a YAML text says, with only `true` and `false` for truth values.

    Raises:
        yaml.YAMLError: it is no YAML, or not a plain tree.
    """
    return yaml.load(text, _Loader)


def from_yaml(text: str, name: str = "the canvas") -> Canvas:
    """Read a canvas.

    Raises:
        ModelRetry: not YAML, or not a canvas; the message names every place (at most five).
    """
    try:
        document = load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f" at line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise ModelRetry(f"{name} is not YAML{place}.", "Mend the file at that place; write aliases out.") from None
    if not isinstance(document, dict):
        raise ModelRetry(f"{name} is not a mapping.", "It starts with `name: …` and has `goal:` and `nodes:`.")
    try:
        return Canvas.model_validate(document)
    except ValidationError as error:
        places = [f"{_place(document, problem['loc'])}: {problem['msg']}" for problem in error.errors()[:5]]
        more = error.error_count() - len(places)
        tail = f" (and {more} more)" if more > 0 else ""
        raise ModelRetry(
            f"{name} does not fit: {'; '.join(places)}{tail}.", "See docs/canvas.md for the shape.", places=places
        ) from None


def read_canvas(path: Path) -> Canvas:
    """Read a canvas file.

    Raises:
        ModelRetry: the file is missing, or not a canvas.
    """
    if not path.is_file():
        raise ModelRetry(f"There is no file {path}.", "Name a YAML file, or the id of a canvas such as cv_1.")
    return from_yaml(path.read_text("utf-8"), path.name)


def _place(document: dict[str, Any], location: tuple[int | str, ...]) -> str:
    """A place in words: nodes by their id rather than by their position."""
    parts = list(location)
    nodes = document.get("nodes")
    if len(parts) > 1 and parts[0] == "nodes" and isinstance(parts[1], int) and isinstance(nodes, list):
        node = nodes[parts[1]] if parts[1] < len(nodes) else None
        identity = node.get("id") if isinstance(node, dict) else None
        # After the position pydantic names the kind of node, which the id already tells.
        rest = parts[3:] if len(parts) > 2 else []
        return ".".join([f"node {identity or parts[1] + 1}", *map(str, rest)])
    return ".".join(map(str, parts)) or "the top"
