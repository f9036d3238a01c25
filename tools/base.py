"""What every tool is: a name, what it does to the world, typed arguments, a typed result, evidence."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from control.records import Actor, Records
from knowledge import PlaybookIndex
from warehouse.catalog import Catalog, Language
from warehouse.clock import Clock
from warehouse.evidence import Evidence
from warehouse.home import Home
from warehouse.store import Warehouse


@dataclass(frozen=True)
class ToolContext:
    """What a tool works with. One per request; `actor` limits what may be seen (branch scope)."""

    home: Home
    warehouse: Warehouse
    catalog: Catalog
    records: Records
    playbooks: PlaybookIndex
    clock: Clock
    actor: Actor
    thread: str
    language: Language


class Arguments(BaseModel):
    """Base of tool arguments: unknown ones are refused, so that a misspelt one is never ignored."""

    model_config = ConfigDict(extra="forbid")


class SegmentRef(BaseModel):
    id: str
    expression: str
    count: int | None = None


class CanvasRef(BaseModel):
    id: str
    version: int


class ProposalRef(BaseModel):
    id: str
    status: str
    digest: str


class Outcome(BaseModel):
    """Base of tool results. What is set among `segment`, `canvas` and `proposal` becomes the thread's focus."""

    segment: SegmentRef | None = None
    canvas: CanvasRef | None = None
    proposal: ProposalRef | None = None
    notes: list[str] = Field([], description="Caveats to be told with the result, in the thread's language.")


A = TypeVar("A", bound=Arguments)
R = TypeVar("R", bound=Outcome)


class Tool(ABC, Generic[A, R]):
    """One tool of the contract. Subclasses set the class variables and `run`."""

    name: ClassVar[str]
    effect: ClassVar[Literal["read", "write"]]
    purpose: ClassVar[str]
    arguments: type[A]
    result: type[R]

    @abstractmethod
    def run(self, context: ToolContext, arguments: A) -> tuple[R, list[Evidence]]:
        """Do it.

        Returns:
            The result, and the records of the queries it rests on (already kept: their ids are set).

        Raises:
            ModelRetry: the arguments can be bettered by whoever wrote them.
            PersonDecides: only a person can go on.
        """

    def schema(self) -> Mapping[str, Any]:
        """The JSON schema of the arguments, as models are shown it."""
        return self.arguments.model_json_schema()
