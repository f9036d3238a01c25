"""The contact policy: what is in force, its versions, what changed, and whether the file is sound."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from server.schema.base import Answered, Asked


class PolicyVersionInfo(Answered):
    """A version that is or was in force; `until` is when the next one took its place."""

    version: int
    digest: str
    since: datetime
    until: datetime | None = None
    account: str
    person: str
    note: str


class PolicyVersionView(PolicyVersionInfo):
    document: dict[str, Any]
    words_zh: list[str] = Field([], description="Its caps, capacity and quiet hours, a line each.")
    words_en: list[str] = []


class PolicyFinding(Answered):
    """An error keeps the file from being used; a warning does not."""

    code: str
    severity: Literal["error", "warning"]
    place: str
    zh: str
    en: str
    fix_zh: str
    fix_en: str


class PolicyCheck(Answered):
    ok: bool = Field(description="There are no errors.")
    file: str = Field(description="Where the policy is written; without that file the cautious default holds.")
    findings: list[PolicyFinding]


class PolicyChange(Answered):
    place: str
    direction: Literal["tighter", "looser", "other"]
    zh: str
    en: str


class PolicyDifference(Answered):
    """What became tighter and looser from one policy to the other; without changes they decide alike."""

    before: str
    after: str
    changes: list[PolicyChange]


class PolicyNote(Asked):
    note: str = Field(min_length=1, max_length=2000, description="What was changed and why.")
