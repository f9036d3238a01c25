"""`用到期模板出一套`, `use the maturity template with 5 days before`: a template of head office, by any of its names."""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import yaml

from agent.models.base import Step
from agent.models.offline.context import Request, call
from agent.models.offline.questions import say
from tools.canvas.templates import Parameter, Template, named, templates
from tools.segment import to_text
from warehouse.catalog import Language, fold
from warehouse.errors import ModelRetry

_QUOTES = "[「」『』“”\"'‘’《》]?"
_ASSIGNED = re.compile(r"\s*(?:=|:|：|为|是|设为|改为| is | of | to )\s*")
_UNITS = re.compile(r"(?<=\d)\s*(?:天|日|点|时|分钟|元|%|percent|days?|minutes?|o'clock|cny)$")


@dataclass(frozen=True)
class Frame:
    """How requests for a template are built in one language; every part is a regular expression."""

    word: str
    before: str
    after: str
    these: str
    given: str
    list: str
    split: str


@cache
def frames() -> dict[Language, Frame]:
    """The frames of both languages, read once."""
    text = files("agent.models.offline.data").joinpath("templates.yaml").read_text("utf-8")
    return {language: Frame(**parts) for language, parts in yaml.safe_load(text).items()}


def template(request: Request) -> Step | None:
    """The draft of a template, a question about its name or parameters; None where no template is asked for.

    All of the text must be read: what fits no part of the frame leaves the request to the other readers.
    """
    for language, frame in frames().items():
        text = fold(request.text).strip().rstrip("。.!！")
        if not re.search(frame.word, text):
            continue
        if re.fullmatch(frame.list, text):
            return _which(request, "")
        for name in sorted(named(), key=len, reverse=True):
            found = _read(frame, name, text)
            if found is not None:
                return _draft(request, language, named()[name], found)
        unknown = _read(frame, None, text)
        if unknown is not None and not unknown["rest"]:
            return _which(request, unknown["name"])
    return None


def _read(frame: Frame, name: str | None, text: str) -> dict[str, str] | None:
    """The parts of a text that asks for a template of this name (None: of any); `rest` are its parameters."""
    called = re.escape(name) if name is not None else r"[^，,：:]{1,24}?"
    match = re.fullmatch(
        f"(?P<these1>{frame.these})?{frame.before}(?P<these2>{frame.these})?{_QUOTES}(?P<name>{called}){_QUOTES}的? ?{frame.word}"
        f"(?P<these3>{frame.these})?{frame.after}(?P<these4>{frame.these})?(?:{frame.given}(?P<rest>.*))?",
        text,
    )
    if match is None:
        return None
    these = any(match[f"these{n}"] for n in range(1, 5))
    return {"name": match["name"], "rest": (match["rest"] or "").strip(), "these": "yes" if these else ""}


def _draft(request: Request, language: Language, chosen: Template, found: dict[str, str]) -> Step:
    settings: list[dict[str, Any]] = []
    for part in filter(None, (p.strip() for p in re.split(frames()[language].split, found["rest"]))):
        setting = _setting(chosen, part)
        if isinstance(setting, ModelRetry):
            return _about(request, chosen, str(setting.details.get("message_zh", setting.message)), setting.message)
        if setting is None:
            return _about(request, chosen, f"没看懂“{part}”。", f"“{part}” was not understood.")
        settings.append(setting)
    if found["these"]:
        if request.focus is None:
            return say("给哪批客户？请先圈人。", "For which customers? Select them first.", request.language)
        settings.append({"name": "audience", "value": to_text(request.focus)})
    return call("draft_canvas", template=chosen.id, parameters=settings or None)


def _setting(chosen: Template, part: str) -> dict[str, Any] | ModelRetry | None:
    """What one phrase sets: `before_days=5`, `提前天数 5`, `提前5天`, `5 days before`; None where it is read as nothing."""
    for parameter in chosen.parameters:
        value = _value(parameter, part)
        if value is None:
            continue
        try:
            read = parameter.read(value)
        except ModelRetry as problem:
            return problem
        return {"name": parameter.name, "value": read} if read is not None else None
    return None


def _value(parameter: Parameter, part: str) -> str | None:
    for called in (parameter.name, fold(parameter.title.zh), fold(parameter.title.en)):
        if part.startswith(called):
            rest = part[len(called) :]
            return _UNITS.sub("", _ASSIGNED.sub("", f"{rest} ", count=1).strip())
    number = r"(-?\d+(?:\.\d+)?)"
    forms = []
    for ending, unit in (("天数", "天"), ("比例", "%"), ("时点", "点")):
        if parameter.title.zh.endswith(ending):
            forms.append(f"{re.escape(parameter.title.zh.removesuffix(ending))}{number}\\s*{unit}")
    if fold(parameter.title.en).startswith("days "):
        forms.append(f"{number} {re.escape(fold(parameter.title.en))}")
    for form in forms:
        if match := re.fullmatch(form, part):
            return match.group(1)
    return None


def _which(request: Request, name: str) -> Step:
    zh = request.language == "zh"
    options = [f"用{t.title.zh}模板出一套" if zh else f"Use the {t.title.en} template" for t in templates()]
    missing_zh, missing_en = (f"没有“{name}”模板。", f"There is no template “{name}”. ") if name else ("", "")
    return say(f"{missing_zh}用哪个模板？", f"{missing_en}Which template?", request.language, options)


def _about(request: Request, chosen: Template, zh: str, en: str) -> Step:
    """A parameter that was not read: which there are, and the template as it is."""
    listed_zh = "、".join(f"{p.title.zh}（{p.name}）" for p in chosen.parameters)
    listed_en = ", ".join(f"{p.title.en} ({p.name})" for p in chosen.parameters)
    option = f"用{chosen.title.zh}模板出一套" if request.language == "zh" else f"Use the {chosen.title.en} template"
    return say(
        f"{zh}这个模板的参数有：{listed_zh}。", f"{en} Its parameters are: {listed_en}.", request.language, [option]
    )
