"""From a template and values to a canvas.

In the body: `${name}` stands for a parameter's value, `${a + b - 3}` for a sum of integers, `${key}` for the key of the
canvas's hashes; `{zh: …, en: …}` for the words of one language; `{all: [c1, c2]}` for the conjunction of conditions; a node
with `if: name` is there only where that parameter is true, otherwise whatever leads to it leads to its `next`.
"""

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from pydantic import ValidationError

from tools.canvas.schema import Canvas
from tools.canvas.templates.library import templates
from tools.canvas.templates.schema import Template, Value
from warehouse.catalog import Language
from warehouse.errors import DeveloperFixes, ModelRetry

Values = Mapping[str, Value | None]
_HOLE = re.compile(r"\$\{([^}]*)\}")
_TERM = re.compile(r"\s*([+-]?)\s*([a-z][a-z0-9_]*|\d+)")
EVERYONE = "everyone"
_LANGUAGES: tuple[Language, Language] = ("zh", "en")


def values_of(template: Template, given: Mapping[str, object]) -> dict[str, Value | None]:
    """Every parameter's value: what was given, read and checked, else its default.

    Raises:
        ModelRetry: an unknown parameter, a value that does not fit, or two in the wrong order.
    """
    for name in given:
        template.parameter(name)
    values = {p.name: p.read(given[p.name]) if p.name in given else p.default for p in template.parameters}
    for rule in template.rules:
        low, high = values[rule.less], values[rule.than]
        if isinstance(low, int | float) and isinstance(high, int | float) and low >= high:
            raise ModelRetry(
                f"{rule.less} ({low}) must be less than {rule.than} ({high}).",
                "Change one of them.",
                message_zh=f"{rule.less}（{low}）应小于 {rule.than}（{high}）。",
                fix_zh="改其中一个。",
            )
    return values


def instantiate(
    template: Template, given: Mapping[str, object], language: Language, *, max_touches: int = 1, name: str = ""
) -> Canvas:
    """The canvas of a template.

    Args:
        given: parameters by name; the others take their defaults.
        max_touches: the template does not know the audience; whoever does sets it.
        name: instead of the template's own.

    Raises:
        ModelRetry: a parameter does not fit, or the canvas does not with these values.
        DeveloperFixes: the template itself is at fault.
    """
    values = values_of(template, given)
    said = {key: value for key, value in values.items() if value is not None}
    key = sha256(f"{template.id}@{template.version} {sorted(said.items())}".encode()).hexdigest()[:12]
    body = _filled(template.canvas, {**values, "key": key}, language)
    document = {
        "playbook": template.playbook,
        **body,
        "nodes": _kept(body["nodes"], values),
        "max_touches": max_touches,
        "template": {"id": template.id, "version": template.version, "parameters": said},
        "locked": template.locked,
    }
    if name:
        document["name"] = name
    try:
        return Canvas.model_validate(document)
    except ValidationError as problem:
        first = problem.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise ModelRetry(
            f"The template {template.id} does not fit at {place} with these values: {first['msg']}.",
            "Give other values.",
            message_zh=f"模板 {template.id} 用这些参数在 {place} 处不成立：{first['msg']}。",
            fix_zh="换一组参数。",
        ) from None


def _filled(value: Any, values: Values, language: Language) -> Any:
    if isinstance(value, str):
        return _text(value, values)
    if isinstance(value, list):
        return [_filled(item, values, language) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"zh", "en"}:
        return _text(value[language], values)
    if set(value) == {"all"}:
        return _conjunction([str(_filled(part, values, language)) for part in value["all"]])
    return {name: _filled(item, values, language) for name, item in value.items()}


def _text(text: str, values: Values) -> Any:
    whole = _HOLE.fullmatch(text)
    if whole:
        return _value(whole.group(1), values)
    return _HOLE.sub(lambda match: str(_value(match.group(1), values)), text)


def _value(expression: str, values: Values) -> Value | None:
    if expression in values:
        return values[expression]
    total, end = 0, 0
    for match in _TERM.finditer(expression):
        if match.start() != end:
            break
        sign, term = match.groups()
        number = int(term) if term.isdigit() else values.get(term)
        if not isinstance(number, int):
            raise DeveloperFixes(f"A template computes with {term!r}, which is no whole number.")
        total, end = total + (-number if sign == "-" else number), match.end()
    if not expression.strip() or end != len(expression.rstrip()):
        raise DeveloperFixes(f"A template has ${{{expression}}}, which is neither a parameter nor a sum.")
    return total


def _conjunction(conditions: list[str]) -> str:
    """All of the conditions; `everyone` adds nothing. Those with an `or` are put in brackets."""
    told = [c for c in conditions if c != EVERYONE]
    parts = [f"({c})" if re.search(r"\bor\b", c) and len(told) > 1 else c for c in told]
    return " and ".join(parts) or EVERYONE


def _kept(nodes: list[dict[str, Any]], values: Values) -> list[dict[str, Any]]:
    """The nodes whose `if` holds; ways to the others lead on to where those would."""
    gone = {node["id"]: node["next"] if "next" in node else node["no"] for node in nodes if not _wanted(node, values)}

    def target(name: str) -> str:
        while name in gone:
            name = gone[name]
        return name

    def led(value: Any) -> Any:
        if isinstance(value, list):
            return [led(item) for item in value]
        if isinstance(value, dict):
            return {
                k: target(v) if k in _WAYS and isinstance(v, str) else led(v) for k, v in value.items() if k != "if"
            }
        return value

    return [led(node) for node in nodes if node["id"] not in gone]


_WAYS = ("next", "yes", "no", "otherwise", "happened", "timed_out", "unmanaged")


def _wanted(node: Mapping[str, Any], values: Values) -> bool:
    return bool(values.get(node["if"], False)) if "if" in node else True


def heads_of(canvas: Canvas) -> tuple[Canvas, ...]:
    """The canvases as the canvas's own template makes them now; empty where it has none, or the template is gone, has
    another version, or takes these parameters no longer."""
    use = canvas.template
    template = next((t for t in templates() if use is not None and (t.id, t.version) == (use.id, use.version)), None)
    if use is None or template is None:
        return ()
    try:
        return tuple(instantiate(template, use.parameters, language) for language in _LANGUAGES)
    except ModelRetry:
        return ()
