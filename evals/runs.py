"""A saved run: everything that was seen, so that it can be scored again without asking again."""

from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from evals.schema import HomeKind
from warehouse.errors import AdminFixes
from warehouse.home import write_atomically

RUN_FORMAT = 1


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SetSeen(Model):
    """Customers that an expression selects: how many, and the SHA-256 of their ids in ascending order, one a line."""

    expression: str
    count: int
    digest: str


class CallSeen(Model):
    """A tool call. `segment` is what its `segment` argument (or the focus, where it had none) selected."""

    turn: int
    tool: str
    args: dict[str, Any]
    ok: bool
    error: str = ""
    result: dict[str, Any] = {}
    segment: SetSeen | None = None


class TurnSeen(Model):
    text: str
    reply: str = ""
    language: str = ""
    question: str = ""
    options: list[str] = []
    asked: bool = False
    playbooks: list[str] = []
    elapsed_ms: float = 0.0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    exception: str = ""


class EndState(Model):
    """The stores after the last turn, and after delivery was told to do whatever is due."""

    segment: SetSeen | None = None
    canvas: dict[str, Any] | None = Field(None, description="The canvas in focus, as its document.")
    canvas_segment: SetSeen | None = None
    proposals: dict[str, str] = Field({}, description="Status by id, of this thread.")
    approvals: int = Field(0, description="Decisions, releases and approved proposals that were not there before.")
    outbox: int = Field(0, description="Outbox rows and files that were not there before.")
    touches: int = Field(0, description="Touches that were not there before.")
    leaked: list[str] = Field([], description="Canaries found in what was sent to a model.")


class CaseRun(Model):
    """One case as it went. `gold` and `numbers` are what the case expected, evaluated on the same data."""

    id: str
    home: HomeKind
    attempt: int = 1
    skipped: str = ""
    turns: list[TurnSeen] = []
    calls: list[CallSeen] = []
    end: EndState = EndState()
    gold: dict[str, SetSeen] = {}
    differences: dict[str, tuple[int, int]] = Field(
        {}, description="By gold expression: customers (missing from, too many in) the segment in focus."
    )
    numbers: dict[str, float | None] = {}
    seconds: float = 0.0


class Run(Model):
    """One pass over the cases."""

    format: int = RUN_FORMAT
    model: str
    prompt_version: str
    seed: int
    commit: str
    dirty: bool
    started_at: datetime
    cases_digest: str
    attempts: int = 1
    homes: dict[str, str] = Field({}, description="What filled each home.")
    runs: list[CaseRun] = []

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, self.model_dump_json(indent=1, exclude_defaults=False))

    @classmethod
    def load(cls, path: Path) -> "Run":
        """Raises: AdminFixes for a missing or unreadable file."""
        try:
            return cls.model_validate_json(path.read_text("utf-8"))
        except FileNotFoundError:
            raise AdminFixes(f"There is no run {path}.", "Make one with `touchline eval run --out FILE`.") from None
        except ValidationError as error:
            raise AdminFixes(
                f"{path} is not a saved run: {error.errors()[0]['msg']}.", "Run the suite again."
            ) from None
