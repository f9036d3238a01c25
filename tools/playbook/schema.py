"""What `search_playbooks` takes and gives. Texts of the result are in the thread's language."""

from typing import Literal

from pydantic import BaseModel, Field

from tools.base import Arguments, Outcome


class SearchPlaybooks(Arguments):
    query: str = Field(min_length=1, max_length=4000, description="The scenario in the person's own words.")
    k: int = Field(3, ge=1, le=10, description="How many playbooks at most.")


class Fit(BaseModel):
    """How a playbook's audience works on this bank's data.

    `as_written`: the playbook's own expression; `alternative`: one of its fallbacks, since this bank lacks something or
    nobody matched; `nobody`: it can be read but no customer matches; `none`: no expression of the playbook can be read.
    """

    how: Literal["as_written", "alternative", "nobody", "none"]
    expression: str = Field("", description="The audience that works here (EQL); empty if none does.")
    words: str = ""
    count: int | None = Field(None, description="Customers in that audience; None if there is none to count.")
    total: int | None = Field(None, description="Customers of the bank that this person may see.")
    why: str = Field("", description="What the other expressions lacked.")
    evidence: str = Field("", description="Id of the evidence of the count.")


class PlannedWave(BaseModel):
    """A wave in the form that `draft_canvas` takes."""

    channel: str
    day: int
    hour: int | None = None
    only_if: str
    text: str
    arms: list[dict[str, str | float]] = []
    product_id: int | None = None


class Figure(BaseModel):
    """A figure from elsewhere. To be quoted for `channels` only, with its origin and limits."""

    figure: str
    origin: str
    limits: str
    channels: list[str]


class PlaybookFound(BaseModel):
    id: str
    title: str
    score: float = Field(description="0..1; how well it fits the query.")
    scenario: str
    audience: Fit
    timing: str
    channels: list[str]
    waves: list[PlannedWave]
    goal_event: str
    goal_where: str = ""
    goal_window_days: int
    holdout_percent: float
    category: str
    benefits: list[str] = []
    metrics: list[str] = []
    guardrails: list[str] = []
    cautions: list[str] = []
    figures: list[Figure] = []


class FoundPlaybooks(Outcome):
    playbooks: list[PlaybookFound] = Field([], description="Best first.")
