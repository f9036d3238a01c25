"""What all requests and answers share: names as they come from outside, numbers of people, evidence, errors."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Language = Literal["zh", "en"]

ChannelName = Literal["sms", "push", "inapp", "wecom", "email", "call", "task"]

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,79}$")]
"""Ids and account names as they may come from outside: no slash, no space, no quote."""

Expression = Annotated[str, StringConstraints(min_length=1, max_length=20_000)]
"""EQL, a `seg_<n>`, or the name of a saved segment."""

Count = int | str
"""A number of people; the text '<10' for those who may not see small groups."""


class Asked(BaseModel):
    """Base of requests: an unknown field is refused, so that a misspelt one is never ignored."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class Answered(BaseModel):
    """Base of answers."""

    model_config = ConfigDict(populate_by_name=True)


class Problem(BaseModel):
    """An error, as RFC 9457 has it (`application/problem+json`); `fix` tells what to do, `code` is for programs."""

    model_config = ConfigDict(extra="allow")

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    fix: str = ""
    code: str
    instance: str = Field("", description="The request's id, which the log carries too.")


class EvidenceView(Answered):
    """The query behind a number."""

    id: str
    title: str
    sql: str
    params: list[Any] = []
    row_count: int
    as_of: datetime
    preview: list[Any] = []
    columns: list[str] = []
    definition: str = ""
    elapsed_ms: float = 0.0
