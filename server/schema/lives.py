"""The life of segments: overlap, lineage, age, history, changes, archiving, and the tags made of them."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from server.schema.base import Answered, Asked, Count, EvidenceView, Expression, Language

TagName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
SegmentName = Annotated[str, StringConstraints(min_length=1, max_length=80, strip_whitespace=True)]
WITHHELD = "withheld"
"""Stands for a number that would give a small group away."""


class SaveAsked(Asked):
    """A segment with a name; `in_segment('name')` then means it."""

    name: SegmentName
    expression: Expression


class OverlapAsked(Asked):
    segments: list[Expression] = Field(min_length=2, max_length=4)


class OverlapSetView(Answered):
    label: str
    expression: str
    count: Count
    only: Count = Field(description="In none of the others.")


class RegionView(Answered):
    inside: list[int] = Field(description="Positions of the segments, from 0; in no other of them.")
    count: Count


class PairView(Answered):
    first: int
    second: int
    both: Count
    of_first: float | None = Field(None, description="Share of the first segment's customers.")
    of_second: float | None = None


class OverlapView(Answered):
    sets: list[OverlapSetView]
    regions: list[RegionView]
    pairs: list[PairView]
    union: Count
    total: int
    evidence: EvidenceView


class ItemView(Answered):
    """Something that is used, or that uses; `via` is the segment or tag in between."""

    kind: str
    id: str
    name: str = ""
    via: str = ""
    detail: str = ""


class AgeView(Answered):
    what: Literal["data", "list", "tag"]
    name: str = ""
    since: datetime | None = None
    hours: float | None = None
    stale: bool


class LineageView(Answered):
    kind: str
    id: str
    name: str
    expression: str = ""
    uses: list[ItemView]
    users: list[ItemView]
    ages: list[AgeView] = []
    dot: str = Field(description="The same as a picture, Graphviz.")


class ConditionView(Answered):
    condition: str
    count: Count


class CountView(Answered):
    """A count that was kept; `definition` is a digest: equal ones counted the same conditions."""

    segment: str
    as_of: datetime
    counted_at: datetime | None = None
    count: Count
    unknown: Count = 0
    total: int = 0
    definition: str
    conditions: list[ConditionView] = []
    members_kept: bool = False


class ChangesAsked(Asked):
    segment: Expression = Field(description="The id or name of a saved segment.")
    since: str | None = Field(None, description="Compare with the latest count at or before it (ISO).")
    language: Language = "zh"


class EditView(Answered):
    kind: Literal["added", "removed", "changed"]
    before: str = ""
    after: str = ""


class ConditionChangeView(Answered):
    condition: str
    before: Count | None = None
    after: Count
    then_again: Count | None = Field(None, description="What today's data says about the earlier cut-off.")
    lost: Count | None = Field(None, description="Of those who left: no longer meet it.")
    lost_alone: Count | None = Field(None, description="Of those who left: no longer meet it, and it alone.")


class ChangeView(Answered):
    segment: str
    name: str = ""
    before: Count
    after: Count
    delta: int | str
    as_of_before: datetime
    as_of_after: datetime
    by_data: int | str
    by_definition: int | str
    edits: list[EditView]
    conditions: list[ConditionChangeView]
    entered: Count | None = None
    lost: Count | None = None
    gone: Count | None = None
    arrived: Count | None = None
    earlier: list[datetime] = Field([], description="Other cut-offs that it can be compared with.")
    sentences: list[str] = Field([], description="The same in words, in the language asked for.")


# Tags


class TagAsked(Asked):
    """An expression or saved segment that becomes a boolean attribute."""

    name: TagName
    expression: Expression
    zh: str = Field("", max_length=80)
    en: str = Field("", max_length=80)
    every: Literal["daily", "weekly"] = "daily"
    hour: int = Field(6, ge=0, le=23, description="Of the bank's day.")
    weekday: int | None = Field(None, ge=0, le=6, description="Weekly: 0 is Monday.")
    days: int = Field(90, ge=1, le=366, description="How long it lives.")


class RenewAsked(Asked):
    days: int = Field(90, ge=1, le=366, description="From now.")


class TagInfo(Answered):
    """`state`: fresh; stale (its run is overdue); failed (`problem` says why, members stay); expiring (within a week);
    expired (using it is an error that names it)."""

    id: str
    name: str
    zh: str
    en: str
    expression: str
    owner: str
    source: str = ""
    every: str
    hour: int
    weekday: int | None = None
    state: Literal["fresh", "stale", "failed", "expiring", "expired"]
    size: Count | None = Field(None, description="Its customers in the asker's branches.")
    as_of: datetime | None = None
    run_at: datetime | None = None
    next_run: datetime | None = None
    expires_at: datetime
    created_at: datetime
    problem: str = ""


class TagRunView(Answered):
    run_at: datetime
    as_of: datetime
    size: Count | None = None
    entered: Count | None = None
    lost: Count | None = None
    problem: str = ""


class TagView(TagInfo):
    runs: list[TagRunView] = []
    lineage: LineageView
