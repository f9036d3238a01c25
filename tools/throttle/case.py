"""A ground of a decision, and the case that it belongs to."""

from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict

Kind = Literal[
    "limit", "touch", "consent", "quiet", "suppression", "assessment", "contact", "person", "deferral", "maximum"
]


class Ground(BaseModel):
    """One piece of evidence, in both languages; `data` holds what the words are made of. Times are UTC."""

    model_config = ConfigDict(frozen=True)

    kind: Kind
    zh: str
    en: str
    data: dict[str, Any] = {}


class Case(BaseModel):
    """The decision that is asked about."""

    model_config = ConfigDict(frozen=True)

    customer_id: int
    campaign_id: str
    touch_id: str
    channel: str
    category: str
    rule: str
    at: datetime
    until: datetime | None = None


def ground(kind: Kind, zh: str, en: str, data: dict[str, Any] | None = None) -> Ground:
    return Ground(kind=kind, zh=zh, en=en, data=data or {})


def local(moment: datetime | None, zone: ZoneInfo) -> str:
    """A stored instant by the bank's clock."""
    if moment is None:
        return "-"
    return f"{moment.replace(tzinfo=ZoneInfo('UTC')).astimezone(zone):%Y-%m-%d %H:%M}"
