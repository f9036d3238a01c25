"""What the parts of a workspace share: the stores, the caller, and how small groups are shown."""

from datetime import datetime
from typing import Protocol

from control.records import Actor
from server.access import Caller
from server.schema import ReleaseRun
from server.stores import Stores
from server.turns import Turns
from warehouse.clock import parse_instant

SMALL = 10
"""Groups under this are shown as '<10' to those who may not see exact numbers."""


class PartService(Protocol):
    """What the parts need of the service behind them; `server.service.Service` has it."""

    @property
    def stores(self) -> Stores: ...

    @property
    def turns(self) -> Turns: ...

    @property
    def serves(self) -> bool:
        """Others reach it over HTTP."""
        ...

    def decided(self, proposal_id: str) -> None:
        """Somebody decided about a proposal."""
        ...

    def nudge(self) -> None:
        """Something may have become due."""
        ...

    def run_due(self) -> ReleaseRun:
        """Do what is due now."""
        ...


class Part:
    """Base of the parts of a `Workspace`."""

    def __init__(self, service: PartService, caller: Caller) -> None:
        self.service = service
        self._caller = caller

    @property
    def caller(self) -> Caller:
        return self._caller

    @property
    def actor(self) -> Actor:
        return self._caller.actor

    @property
    def stores(self) -> Stores:
        return self.service.stores

    def instant(self, text: str | None) -> datetime:
        """An instant as asked for; None is the home's now."""
        return parse_instant(text, self.stores.clock.zone) if text else self.stores.clock.now()

    def shown(self, count: int) -> int | str:
        """A count as this caller may see it."""
        return count if self.actor.exact_numbers or count >= SMALL or count == 0 else f"<{SMALL}"
