"""Between a model's words and ours: the flat audience form that small models can fill, and the schemas on the wire.

A recursive and/or tree is unsafe on several servers, and a small model writes better flat conditions with field names
as an enumeration than EQL. Numbers are copied as the person wrote them ('5万') and read by the EQL parser: arithmetic
is ours, not the model's.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.toolbox import AnyTool
from warehouse.catalog import Attribute, Catalog, Kind
from warehouse.errors import ModelRetry

ASK, FINISH = "ask", "finish"

NOT_ON_THE_WIRE = frozenset({"title", "default", "description", "$defs", "minLength", "maxLength", "pattern"})
"""Schema words that models do not need. A length limit on strings made llama.cpp's grammar sixty times slower; the
limit is `max_tokens`, and our own validation."""

OPERATORS = ("is", "is_not", "=", "!=", "<", "<=", ">", ">=", "between", "contains", "unknown")
_NUMBER = re.compile(r"^-?\d+(?:\.\d+)?\s*(?:万|亿|千|百|w|k|m|%)?$", re.IGNORECASE)


class FlatCondition(BaseModel):
    """One condition on an attribute, values as the person wrote them."""

    model_config = ConfigDict(extra="forbid")

    field: str
    op: Literal["is", "is_not", "=", "!=", "<", "<=", ">", ">=", "between", "contains", "unknown"]
    value: str = ""
    upper: str = ""


class FlatEvent(BaseModel):
    """Something done, or not done, at least so often within so many days (0: ever)."""

    model_config = ConfigDict(extra="forbid")

    event: str
    done: bool = True
    product_kind: str = ""
    days: int = Field(0, ge=0, le=3650)
    times: int = Field(1, ge=1, le=1000)


class FlatAudience(BaseModel):
    """An audience as one level of conditions, on everyone or within the segment in focus."""

    model_config = ConfigDict(extra="forbid")

    base: Literal["everyone", "focus"] = "everyone"
    match: Literal["all", "any"] = "all"
    conditions: list[FlatCondition] = Field([], max_length=8)
    events: list[FlatEvent] = Field([], max_length=4)


def to_eql(audience: FlatAudience, catalog: Catalog, focus: str) -> str:
    """The audience as EQL text.

    Raises:
        ModelRetry: an unknown field, or a value that does not fit it; the fix names what would.
    """
    parts = [_condition(c, catalog) for c in audience.conditions] + [_event(e, catalog) for e in audience.events]
    joined = (" and " if audience.match == "all" else " or ").join(parts)
    if audience.base == "focus":
        if not focus:
            raise ModelRetry("There is no segment in focus yet.", "Use base 'everyone'.")
        return f"({focus}) and ({joined})" if joined else focus
    return joined or "everyone"


def _condition(condition: FlatCondition, catalog: Catalog) -> str:
    attribute = catalog.attribute(condition.field)
    name = attribute.name
    if condition.op == "unknown":
        return f"{name} is unknown"
    if attribute.kind is Kind.bool:
        negative = condition.op in ("is_not", "!=") or condition.value.strip().lower() in ("false", "no", "0", "否")
        return f"not {name}" if negative else name
    op = {"is": "=", "is_not": "!="}.get(condition.op, condition.op)
    if op == "between":
        return f"{name} between {_constant(attribute, condition.value)} and {_constant(attribute, condition.upper)}"
    return f"{name} {op} {_constant(attribute, condition.value)}"


def _constant(attribute: Attribute, value: str) -> str:
    text = value.strip().replace(",", "").replace("，", "")
    if attribute.kind in (Kind.number, Kind.integer, Kind.money):
        if not _NUMBER.match(text):
            raise ModelRetry(
                f"{attribute.name} needs a number, not {value!r}.", "Copy the number as written, such as 5万 or 35."
            )
        return text
    return quote(text)


def _event(event: FlatEvent, catalog: Catalog) -> str:
    known = catalog.event(event.event)
    where = f" where kind = {quote(event.product_kind)}" if event.product_kind else ""
    window = f", last {event.days}d" if event.days else ""
    if event.times > 1:
        text = f"count({known.name}{where}{window}) >= {event.times}"
    else:
        text = f"did({known.name}{where}{window})"
    return text if event.done else f"not {text}"


def quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def audience_schema(catalog: Catalog, fields: Sequence[str]) -> dict[str, Any]:
    """JSON schema of `FlatAudience` with this bank's names as enumerations."""
    kinds = sorted({v.value for e in catalog.events for p in e.properties if p.name == "kind" for v in p.values})
    condition = {
        "type": "object",
        "properties": {
            "field": {"type": "string", "enum": list(fields)},
            "op": {"type": "string", "enum": list(OPERATORS)},
            "value": {"type": "string"},
            "upper": {"type": "string"},
        },
        "required": ["field", "op", "value"],
        "additionalProperties": False,
    }
    event = {
        "type": "object",
        "properties": {
            "event": {"type": "string", "enum": [e.name for e in catalog.events] or ["none"]},
            "done": {"type": "boolean"},
            "product_kind": {"type": "string", "enum": ["", *kinds]},
            "days": {"type": "integer"},
            "times": {"type": "integer"},
        },
        "required": ["event", "done", "days"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {
            "base": {"type": "string", "enum": ["everyone", "focus"]},
            "match": {"type": "string", "enum": ["all", "any"]},
            "conditions": {"type": "array", "items": condition, "maxItems": 6},
            "events": {"type": "array", "items": event, "maxItems": 3},
        },
        "required": ["base", "match", "conditions", "events"],
        "additionalProperties": False,
    }


def action_schema(tools: Mapping[str, AnyTool], catalog: Catalog, fields: Sequence[str]) -> dict[str, Any]:
    """One JSON action: exactly one tool with its arguments, or `ask`, or `finish`."""
    actions = [_action(tool.name, _arguments(tool, fields)) for tool in tools.values()]
    ask = {
        "type": "object",
        "properties": {
            "question": {"type": "string"},
            "options": {"type": "array", "items": {"type": "string"}, "maxItems": 4},
        },
        "required": ["question", "options"],
        "additionalProperties": False,
    }
    finish = {
        "type": "object",
        "properties": {"remark": {"type": "string"}},
        "required": ["remark"],
        "additionalProperties": False,
    }
    return {
        "type": "object",
        "properties": {"action": {"anyOf": [*actions, _action(ASK, ask), _action(FINISH, finish)]}},
        "required": ["action"],
        "additionalProperties": False,
        "$defs": {"Audience": audience_schema(catalog, fields)},
    }


def _action(name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {"tool": {"type": "string", "enum": [name]}, "args": arguments},
        "required": ["tool", "args"],
        "additionalProperties": False,
    }


def _arguments(tool: AnyTool, fields: Sequence[str]) -> dict[str, Any]:
    """A tool's argument schema for the wire: references resolved, lists bounded, segments in the flat form."""
    schema = dict(tool.schema())
    definitions = schema.get("$defs", {})

    def resolve(node: Any) -> Any:
        if isinstance(node, dict):
            if "$ref" in node:
                return resolve(definitions[node["$ref"].rsplit("/", 1)[-1]])
            kept = {k: resolve(v) for k, v in node.items() if k not in NOT_ON_THE_WIRE}
            if kept.get("type") == "array":
                kept.setdefault("maxItems", 8)
            return kept
        return [resolve(item) for item in node] if isinstance(node, list) else node

    properties: dict[str, Any] = resolve(schema.get("properties", {}))
    required = [name for name in schema.get("required", []) if name in properties]
    if "segment" in properties:
        properties["segment"] = {"$ref": "#/$defs/Audience"}
    if "by" in properties:
        properties["by"] = {"type": "string", "enum": list(fields)}
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def from_wire(args: Mapping[str, Any], catalog: Catalog, focus: str) -> dict[str, Any]:
    """Arguments as the tools take them: a flat audience becomes EQL, empty optional strings are left out."""
    plain = {key: value for key, value in args.items() if value not in ("", None)}
    if isinstance(plain.get("segment"), Mapping):
        try:
            audience = FlatAudience.model_validate(plain["segment"])
        except ValidationError as error:
            first = error.errors()[0]
            raise ModelRetry(
                f"The audience is wrong at {'.'.join(map(str, first['loc']))}: {first['msg']}.", "Follow its schema."
            ) from None
        plain["segment"] = to_eql(audience, catalog, focus)
    return plain
