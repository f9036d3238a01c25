"""A demo bank with everything that a release needs, on a clock that tests move."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from control.authority import Authority, Principal
from control.records import Actor, CanvasRecord, ProposalRecord, Records, control_url
from delivery import Deliverer
from knowledge import PlaybookIndex
from tools.base import ToolContext
from tools.canvas.schema import Canvas, Goal
from tools.canvas.waves import Placed, Plan, Wave, WaveArm, build
from tools.proposal.build import FULL, build_payload
from tools.proposal.schema import Payload, ReleaseStep
from warehouse.catalog import Catalog
from warehouse.clock import Clock
from warehouse.home import Home
from warehouse.store import Warehouse

START = datetime(2026, 11, 18, 2, 0, tzinfo=UTC)
"""10:00 in the bank's zone: no channel is quiet."""


class ReleasedBank:
    """Opens the stores of a demo home. `wall` is seconds since `start`."""

    def __init__(self, home: Home, wall: float = 0.0, start: datetime = START) -> None:
        self.home = home
        self.wall = wall
        self.clock = Clock(start=start, origin=0.0, wall=lambda: self.wall)
        self.warehouse = Warehouse(home.warehouse, folders=[home.inbox, home.exports, home.outbox], threads=2)
        self.catalog = Catalog.load(home.catalog)
        self.records = Records(control_url(home), self.clock)
        self.authority = Authority(control_url(home), self.clock, home.key("audit"), demo=True)
        self.authority.bootstrap_demo()
        self.deliverer = self.new_deliverer()

    def new_deliverer(self) -> Deliverer:
        return Deliverer(self.home, self.warehouse, self.authority, self.records, self.catalog, self.clock)

    def close(self) -> None:
        self.authority.close()
        self.records.close()
        self.warehouse.close()

    def pass_(self, **units: float) -> None:
        self.wall += timedelta(**units).total_seconds()

    def context(self, account: str = "operator", thread: str = "t1", actor: Actor | None = None) -> ToolContext:
        return ToolContext(
            home=self.home,
            warehouse=self.warehouse,
            catalog=self.catalog,
            records=self.records,
            playbooks=PlaybookIndex(self.home.chroma),
            clock=self.clock,
            actor=actor or self.authority.actor(account),
            thread=thread,
            language="en",
        )

    def principal(self, name: str = "approver") -> Principal:
        return self.authority.authenticate(self.authority.sign_in(name, f"{name}-demo"))

    def draft(self, canvas: Canvas, canvas_id: str | None = None, account: str = "operator") -> CanvasRecord:
        document = canvas.model_dump(mode="json")
        return self.records.save_canvas(document, self.authority.actor(account), "t1", canvas_id)

    def payload(self, canvas: Canvas, *, rule: str = "re-evaluated", steps: tuple[ReleaseStep, ...] = FULL) -> Payload:
        return build_payload(self.context(), self.draft(canvas), rule=rule, steps=steps)

    def submit(self, payload: Payload) -> ProposalRecord:
        document = payload.model_dump(mode="json")
        actor = self.authority.actor("operator")
        return self.records.submit(document, actor, "t1", payload.canvas_id, payload.canvas_version)

    def approve(self, proposal: ProposalRecord) -> None:
        self.authority.decide(proposal.id, self.principal(), "approve", proposal.digest, "")

    def approved(
        self, canvas: Canvas, *, rule: str = "re-evaluated", steps: tuple[ReleaseStep, ...] = FULL
    ) -> ProposalRecord:
        proposal = self.submit(self.payload(canvas, rule=rule, steps=steps))
        self.approve(proposal)
        return proposal

    def approved_stream(self, canvas: Canvas, daily: int = 100_000, total: int = 100_000) -> ProposalRecord:
        """Approved with ceilings, as far as customers keep entering it."""
        proposal = self.submit(build_payload(self.context(), self.draft(canvas), stream=(daily, total)))
        self.approve(proposal)
        return proposal

    def folder(self, release: str) -> Path:
        return self.home.outbox / release

    def count(self, sql: str, *params: object) -> int:
        return int(self.warehouse.read(sql, list(params)).scalar())


def campaign(
    *waves: Wave,
    segment: str = "age >= 20",
    holdout: float = 10,
    key: str = "k1",
    priority: int = 50,
    most: int = 20_000,
) -> Canvas:
    """A canvas of waves; a push now, unless told otherwise."""
    placed = tuple(Placed(n, wave) for n, wave in enumerate(waves or (push(),), start=1))
    settings: dict[str, object] = {"name": f"Campaign {key}", "max_touches": most, "priority": priority}
    goal = Goal(event="purchase", where="kind = 'wealth'")
    return build(Plan(segment, goal, placed, holdout_percent=holdout, key=key, settings=settings))


def push(day: int = 0, **more: object) -> Wave:
    return Wave.model_validate({"channel": "push", "day": day, "text": "Dear {name}, see the mobile bank.", **more})


def sms(day: int = 0, **more: object) -> Wave:
    return Wave.model_validate(
        {"channel": "sms", "day": day, "hour": 12 if day else None, "text": "Dear {name}, {bank} greets you.", **more}
    )


def two_arms() -> list[WaveArm]:
    return [
        WaveArm(name="a", share=50, text="Dear {name}, see the mobile bank."),
        WaveArm(name="b", share=50, text="{name}, something new is in the mobile bank."),
    ]


def copy(home: Home, folder: Path) -> Home:
    shutil.copytree(home.root, folder, ignore=shutil.ignore_patterns("*.lock", "owner.json"))
    return Home(folder)
