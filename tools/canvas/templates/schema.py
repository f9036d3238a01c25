"""The shape of a template file."""

import re
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from warehouse.catalog import Language
from warehouse.errors import ModelRetry

Value = str | int | float | bool
Kind = Literal["integer", "number", "boolean", "choice", "text", "condition", "product", "benefit"]
_NUMBERS = ("integer", "number", "product", "benefit")


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Both(Model):
    """The same in both languages."""

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)

    def of(self, language: Language) -> str:
        return self.zh if language == "zh" else self.en


class Names(Model):
    """What people call a template, besides its title."""

    zh: tuple[str, ...] = Field(min_length=1)
    en: tuple[str, ...] = Field(min_length=1)


class Parameter(Model):
    """One thing that may be set. `condition` is EQL; `product` and `benefit` are ids, left out unless given."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")
    kind: Kind
    title: Both
    help: Both
    default: Value | None = None
    minimum: float | None = None
    maximum: float | None = None
    options: tuple[str, ...] = ()
    kinds: tuple[str, ...] = Field((), description="Only for products: the kinds that fit.")
    pattern: str = Field("", description="Only for texts: what the whole of it looks like.")

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.kind == "choice") != bool(self.options):
            raise ValueError(f"{self.name}: a choice has options, and nothing else does")
        if self.kind in ("integer", "number") and (self.minimum is None or self.maximum is None):
            raise ValueError(f"{self.name}: a number has a minimum and a maximum")
        if self.default is not None:
            self.read(self.default)
        elif self.kind not in ("product", "benefit"):
            raise ValueError(f"{self.name}: a default is missing")
        return self

    def read(self, given: object) -> Value | None:
        """The value of what was given: itself or its text; None where a product or benefit is left out.

        Raises:
            ModelRetry: it does not fit; the message tells what does.
        """
        text = str(given).strip() if given is not None else ""
        if self.kind in ("product", "benefit") and text.casefold() in ("", "none", "null"):
            return None
        match self.kind:
            case "boolean":
                known = {
                    "true": True,
                    "yes": True,
                    "1": True,
                    "是": True,
                    "false": False,
                    "no": False,
                    "0": False,
                    "否": False,
                }
                if text.casefold() in known:
                    return known[text.casefold()]
            case "choice" if text in self.options:
                return text
            case "text" if re.fullmatch(self.pattern or ".*", text):
                return text
            case "condition" if text:
                return text
            case "integer" | "number" | "product" | "benefit" if not isinstance(given, bool):
                return self._number(text)
        raise self._misfit(text)

    def _number(self, text: str) -> int | float:
        try:
            number = float(text)
        except ValueError:
            raise self._misfit(text) from None
        low = 1 if self.minimum is None else self.minimum
        high = 2**31 - 1 if self.maximum is None else self.maximum
        if not low <= number <= high or (self.kind != "number" and not number.is_integer()):
            raise self._misfit(text)
        return int(number) if self.kind != "number" or number.is_integer() else number

    def _misfit(self, text: str) -> ModelRetry:
        fits = {
            "boolean": ("true 或 false", "true or false"),
            "choice": (f"{'、'.join(self.options)} 之一", f"one of {', '.join(self.options)}"),
            "condition": ("EQL 条件", "an EQL condition"),
            "product": ("产品编号", "the number of a product"),
            "benefit": ("权益编号", "the number of a benefit"),
            "text": (f"{self.help.zh}", f"{self.help.en}"),
        }.get(
            self.kind,
            (
                f"{self.minimum:g} 到 {self.maximum:g} 的{'整数' if self.kind == 'integer' else '数'}",
                f"a{' whole' if self.kind == 'integer' else ''} number from {self.minimum:g} to {self.maximum:g}",
            )
            if self.minimum is not None and self.maximum is not None
            else ("数字", "a number"),
        )
        return ModelRetry(
            f"{self.name} ({self.title.en}) cannot be {text!r}.",
            f"Give {fits[1]}.",
            message_zh=f"参数 {self.name}（{self.title.zh}）不能是“{text}”。",
            fix_zh=f"请给{fits[0]}。",
            parameter=self.name,
        )


class Rule(Model):
    """Two parameters whose values must be in this order."""

    less: str
    than: str


class Template(Model):
    """A template file: `canvas` is a canvas with `${parameter}` and `{zh, en}` in it; see docs/canvas.md."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")
    version: int = Field(ge=1)
    title: Both
    description: Both
    names: Names
    playbook: str = ""
    parameters: tuple[Parameter, ...]
    rules: tuple[Rule, ...] = ()
    locked: tuple[str, ...] = ()
    canvas: dict[str, Any]

    def parameter(self, name: str) -> Parameter:
        """The parameter of a name.

        Raises:
            ModelRetry: there is none; the message lists those there are.
        """
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        listed = ", ".join(p.name for p in self.parameters)
        raise ModelRetry(
            f"The template {self.id} has no parameter {name!r}.",
            f"Its parameters are: {listed}.",
            message_zh=f"模板 {self.id} 没有参数 {name}。",
            fix_zh=f"可用参数：{listed}。",
        )
