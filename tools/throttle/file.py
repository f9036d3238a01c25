"""Reading `policies/throttle.yaml` of a home: the policy it holds, or what is wrong with it and where."""

from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from rapidfuzz import process

from tools.throttle.contradictions import Finding, contradictions, error
from tools.throttle.policy import ThrottlePolicy
from warehouse import plain_yaml
from warehouse.errors import AdminFixes
from warehouse.home import Home

NAME = "throttle.yaml"


def read(home: Home) -> tuple[ThrottlePolicy | None, list[Finding]]:
    """The policy of a home and what contradicts itself in it; None where the file cannot be read as a policy.

    Without the file it is the cautious default. Whether consent is assumed comes from the home, never from the file.
    """
    try:
        document = _document(home.policies / NAME)
    except yaml.YAMLError as fault:
        mark = getattr(fault, "problem_mark", None)
        line = f"line {mark.line + 1}" if mark else "the top"
        what = str(getattr(fault, "problem", "") or fault)
        return None, [
            error("not_yaml", line, f"不是 YAML：{what}", f"it is not YAML: {what}", "改正此处", "Mend it there")
        ]
    try:
        policy = ThrottlePolicy.model_validate(document)
    except ValidationError as fault:
        return None, [_misfit(details) for details in fault.errors()]
    assumed = home.info().consent == "assumed"
    policy = policy.model_copy(update={"consent": policy.consent.model_copy(update={"assumed": assumed})})
    return policy, contradictions(policy)


def load_policy(home: Home) -> ThrottlePolicy:
    """The policy of a home.

    Raises:
        AdminFixes: the file does not fit, or contradicts itself; the message names every place and its fix.
    """
    policy, findings = read(home)
    if policy is None or findings:
        raise refusal(home.policies / NAME, findings)
    return policy


def refusal(path: Path, findings: list[Finding]) -> AdminFixes:
    """The error that tells an administrator what to mend."""
    return AdminFixes(
        f"The policy {path} is wrong at " + "; ".join(f"{f.place}: {f.en}" for f in findings) + ".",
        _once(f.fix_en for f in findings) + ".",
        message_zh=f"触达规则 {path} 有误：" + "；".join(f"{f.place}：{f.zh}" for f in findings) + "。",
        fix_zh=_once((f.fix_zh for f in findings), "；") + "。",
        findings=[f.model_dump() for f in findings],
    )


def _once(texts: Any, between: str = "; ") -> str:
    return between.join(dict.fromkeys(text for text in texts if text))


def _document(path: Path) -> object:
    return (plain_yaml.load(path.read_text("utf-8")) or {}) if path.exists() else {}


def _misfit(details: ErrorDetails) -> Finding:
    """What pydantic found, with the fix in both languages where the kind of fault tells it."""
    place = ".".join(map(str, details["loc"])) or "the top"
    said = details["msg"].removeprefix("Value error, ")
    context = details.get("ctx") or {}
    match details["type"]:
        case "greater_than_equal":
            least = context.get("ge")
            zh, fix = f"不能小于 {least}", (f"写 {least} 或更大的数", f"Write {least} or more")
        case "less_than_equal":
            most = context.get("le")
            zh, fix = f"不能大于 {most}", (f"写 {most} 或更小的数", f"Write {most} or less")
        case "literal_error":
            expected = str(context.get("expected", ""))
            zh, fix = f"只能是 {expected}", (f"改为其中之一：{expected}", f"Use one of {expected}")
        case "extra_forbidden":
            name = str(details["loc"][-1])
            near = process.extractOne(name, list(ThrottlePolicy.model_fields), score_cutoff=60)
            hint = f"{near[0]}" if near else "docs/throttle.md"
            zh, fix = f"没有字段“{name}”", (f"参照 {hint}", f"See {hint}")
        case "missing":
            zh, fix = "缺少这个字段", ("补上它", "Add it")
        case _:
            zh, fix = said, ("改正此处", "Mend it there")
    return error("misfit", place, zh, said, *fix)
