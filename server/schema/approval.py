"""Proposals, the signatures they need, and the releases that follow."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from server.schema.base import Answered, Asked

Decided = Literal["approve", "reject", "return"]


class ProposalInfo(Answered):
    id: str
    name: str = ""
    sentence: str = Field("", description="What it does, in one sentence.")
    status: str
    digest: str
    submitted_by: str
    submitted_at: datetime | None = None
    thread: str = ""
    canvas_id: str = ""
    canvas_version: int | None = None
    touches: int = Field(0, description="The most touches it may ever send.")
    may_decide: bool = Field(False, description="It waits for a signature that the asker may give.")
    why_not: str = Field("", description="Why the asker may not decide.")


class LevelView(Answered):
    name: str
    rule: str
    kind: Literal["any_of", "all_of"]
    needs: list[str]
    signed_by: list[str]
    state: str = Field(description="done, open or waiting")


class DecisionView(Answered):
    decision: str
    level: str
    account: str
    person: str
    comment: str
    digest: str
    decided_at: datetime


class MoveView(Answered):
    moved_at: datetime
    before: str
    after: str
    account: str
    why: str


class WaveView(Answered):
    """One batch of a release, with what was counted in it."""

    step: str
    wave: int
    claimed_at: datetime
    done_at: datetime | None = None
    counts: dict[str, Any] | None = None


class ProposalView(ProposalInfo):
    """A proposal with what the approver must see. `payload` is the frozen whole, by value."""

    expires_at: datetime | None = None
    editors: list[str] = Field([], description="Persons who drafted or edited a frozen part.")
    levels: list[LevelView] = Field([], description="Required levels with the signatures given so far.")
    decisions: list[DecisionView] = []
    moves: list[MoveView] = []
    waves: list[WaveView] = Field([], description="How far its release is.")
    difference: str = Field("", description="A unified diff of the canvas against its last approved version.")
    may: list[str] = Field([], description="What the asker may do: approve, reject, return, withdraw, revoke.")
    payload: dict[str, Any] = {}


class DecisionAsked(Asked):
    decision: Decided
    digest: str | None = Field(
        None,
        pattern=r"^sha256:[0-9a-f]{64}$",
        description="What was looked at; None takes the proposal's present one. The UI always sends it.",
    )
    comment: str = Field("", max_length=4_000)


class DecisionMade(Answered):
    proposal: str
    decision: str
    status: str
    digest: str
    level: str = ""
    decided_at: datetime | None = None
    still_needed: list[str] = Field([], description="Signatures that are still missing.")


class RevokeAsked(Asked):
    reason: str = Field("", max_length=4_000)


class Wave(Answered):
    """What a delivery run did for one release. `wave` is null where nothing was due; `problem` tells why it was held."""

    release: str
    step: str = ""
    wave: int | None = None
    entered: int = 0
    held_out: int = 0
    decided: dict[str, int] = Field({}, description="send, defer, abandon, hold_out to how many.")
    handed_over: int = Field(0, description="Touches given to their channels.")
    failed: int = 0
    finished: bool = False
    problem: str = ""


class ReleaseRun(Answered):
    waves: list[Wave]
    outbox: str = Field("", description="The folder in which the file channel lays its files.")
