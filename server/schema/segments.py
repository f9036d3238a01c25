"""Who is in a segment: counts, groups, saved segments, uploaded lists and files of ids."""

from datetime import datetime
from typing import Any

from pydantic import Field

from server.schema.base import Answered, Asked, Count, Expression

MAX_UPLOAD = 64 * 1024 * 1024
"""Bytes of an uploaded list."""


class SegmentAsked(Asked):
    expression: Expression


class Cause(Answered):
    """One of the and-ed conditions: how many meet it alone, and how many would be left without it."""

    condition: str
    alone: Count
    without: Count


class SegmentCount(Answered):
    expression: str
    count: Count
    unknown: Count = Field(description="Customers for whom some value the expression needs is unknown.")
    sql: str
    elapsed_ms: float
    total: int = Field(0, description="All customers whom the asker may see.")
    as_of: datetime | None = None
    diagnosis: list[Cause] = Field([], description="Given when the count is small: which condition makes it so.")


class BreakdownAsked(SegmentAsked):
    by: str = Field(pattern=r"^[a-z][a-z0-9_]{0,63}$", description="A catalog attribute.")


class Group(Answered):
    value: Any = Field(description="As the data has it; null is unknown.")
    zh: str = ""
    en: str = ""
    count: Count


class Breakdown(Answered):
    expression: str
    by: str
    groups: list[Group]
    sql: str = ""
    elapsed_ms: float = 0.0


class SegmentInfo(Answered):
    id: str
    name: str = ""
    expression: str
    count: Count | None = None
    created_by: str = ""
    created_at: datetime | None = None


class ListInfo(Answered):
    """An uploaded list, as `in_list('name')` means it: the newest upload of its name."""

    name: str
    size: Count = Field(description="Its customers in the asker's branches.")
    sha256: str
    uploaded_by: str = ""
    created_at: datetime | None = None
    version: int = 1
    named: str = Field("customer_id", description="What its file named customers by.")


class ListReport(ListInfo):
    """What became of an uploaded file. Rows are counted from 1 without a heading; values are never repeated.

    rows = duplicates + blank + malformed + unique + several + unknown.
    """

    rows: int = Field(description="Rows with something in them.")
    matched: Count = Field(description="Different customers of the uploader's branches; they are the list.")
    unknown: int = Field(description="Different values that name no customer of the uploader's branches.")
    duplicates: int = Field(description="Rows that repeat an earlier value.")
    invalid: int = Field(description="Rows that hold no value that could name a customer: blank or malformed.")
    unknown_rows: list[int] = Field([], description="The first of them.")
    invalid_rows: list[int] = []
    blank: int = 0
    malformed: int = 0
    unique: int = Field(0, description="Different values that name one customer number.")
    several: int = Field(0, description="Different values that several customer numbers share.")
    several_rows: list[int] = []


class ListView(ListReport):
    """A list with how its latest file was matched, its versions, and who names it."""

    versions: list[ListInfo] = []
    users: list[str] = []


class Exported(Answered):
    """A file of customer ids; over HTTP the file itself is the answer."""

    expression: str
    count: int
    file: str
