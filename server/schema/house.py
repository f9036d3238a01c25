"""The house itself: its clock, catalog, policies and playbooks, and whether the audit log is whole."""

from datetime import datetime
from typing import Any, Literal

from pydantic import ConfigDict, Field

from server.schema.base import Answered, Asked


class CatalogHit(Answered):
    kind: str
    name: str
    score: float
    zh: str = ""
    en: str = ""
    definition_zh: str = ""
    definition_en: str = ""


class AuditCheck(Answered):
    ok: bool
    entries: int
    broken_at: int | None = Field(None, description="The first entry that does not fit.")
    problem: str = ""


class ClockView(Answered):
    now: datetime
    as_of: datetime
    zone: str
    demo: bool


class ClockAsked(Asked):
    days: int = Field(0, ge=0, le=400)
    hours: int = Field(0, ge=0, le=24 * 400)
    minutes: int = Field(0, ge=0, le=60 * 24 * 400)


class HouseView(Answered):
    """What the UI's frame shows: which bank, which day, what kind of home."""

    name: str
    kind: Literal["demo", "real"]
    zone: str
    now: datetime
    as_of: datetime
    consent: str
    source: str
    version: str
    demo_users: list[str] = Field([], description="Demo homes: accounts whose password is '<name>-demo'.")


class PolicyView(Answered):
    name: str
    document: dict[str, Any]
    digest: str = ""


class PlaybookInfo(Answered):
    model_config = ConfigDict(extra="allow")

    id: str
    title: dict[str, str] = Field(description="By language; the other fields are the playbook's own.")
