"""What a check answers: a code, the place, how bad it is, what is wrong and what mends it, in both languages."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from warehouse.catalog import Language

Severity = Literal["error", "warning"]


class Finding(BaseModel):
    """`place` is a node's id, `node.part`, or a field of the canvas. An error forbids submission; a warning is told."""

    model_config = ConfigDict(frozen=True)

    code: str
    place: str
    severity: Severity
    message_zh: str
    message_en: str
    fix_zh: str
    fix_en: str

    def message(self, language: Language) -> str:
        return self.message_zh if language == "zh" else self.message_en

    def fix(self, language: Language) -> str:
        return self.fix_zh if language == "zh" else self.fix_en


Text = tuple[str, str]
"""Chinese, English."""


def error(code: str, place: str, message: Text, fix: Text) -> Finding:
    return _finding(code, place, "error", message, fix)


def warning(code: str, place: str, message: Text, fix: Text) -> Finding:
    return _finding(code, place, "warning", message, fix)


def _finding(code: str, place: str, severity: Severity, message: Text, fix: Text) -> Finding:
    return Finding(
        code=code,
        place=place,
        severity=severity,
        message_zh=message[0],
        message_en=message[1],
        fix_zh=fix[0],
        fix_en=fix[1],
    )
