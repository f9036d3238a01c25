"""From the outbox to the file channel: batches of a thousand, filled, written, synced and recorded.

.venv/bin/python -m benchmarks.outbox [--customers 400000] [--quick]

A release of one push to everybody is approved on a demo bank; what is measured is the hand-over of what its wave queued,
the release's state read again before every batch. One run: what has left does not leave again.
"""

import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from benchmarks._measuring import Row, alone, report, sizes
from control.authority import Authority
from control.records import Records, control_url
from delivery import Deliverer
from delivery.handover import HandOver
from delivery.release import Release
from knowledge import PlaybookIndex
from tools.base import ToolContext
from tools.canvas.schema import Goal
from tools.canvas.waves import Placed, Plan, Wave, build
from tools.proposal import build_payload
from warehouse import demo_bank
from warehouse.catalog import Catalog
from warehouse.clock import Clock
from warehouse.home import Home
from warehouse.store import Warehouse

PER_SECOND = 100_000


def hand_over(customers: int) -> tuple[int, float]:
    """How many touches left, and in how many seconds."""
    with tempfile.TemporaryDirectory(prefix="touchline-bench-") as folder:
        home = Home(folder + "/home")
        demo_bank.build(home, customers=customers)
        with Warehouse(home.warehouse, folders=[home.exports, home.outbox], threads=2) as warehouse:
            clock = Clock(start=warehouse.as_of + timedelta(hours=1), origin=0.0, wall=lambda: 0.0)
            records = Records(control_url(home), clock)
            authority = Authority(control_url(home), clock, home.key("audit"), demo=True)
            authority.bootstrap_demo()
            try:
                return _released(home, warehouse, records, authority, clock, customers)
            finally:
                authority.close()
                records.close()


def _released(
    home: Home, warehouse: Warehouse, records: Records, authority: Authority, clock: Clock, customers: int
) -> tuple[int, float]:
    operator, catalog = authority.actor("operator"), Catalog.load(home.catalog)
    wave = Wave(channel="push", text="{name}您好，请在手机银行查看新服务。")
    settings: dict[str, object] = {"name": "bench", "max_touches": customers}
    canvas = build(Plan("everyone", Goal(event="purchase"), (Placed(1, wave),), settings=settings))
    context = ToolContext(
        home=home, warehouse=warehouse, catalog=catalog, records=records, playbooks=PlaybookIndex(home.chroma), clock=clock,
        actor=operator, thread="bench", language="zh",
    )  # fmt: skip
    payload = build_payload(context, records.save_canvas(canvas.model_dump(mode="json"), operator, "bench"))
    proposal = records.submit(
        payload.model_dump(mode="json"), operator, "bench", payload.canvas_id, payload.canvas_version
    )
    for name in ("approver", "approver2", "manager"):
        if records.proposal(proposal.id).status == "pending":
            principal = authority.authenticate(authority.sign_in(name, f"{name}-demo"))
            authority.decide(proposal.id, principal, "approve", proposal.digest, "")
    spent: list[float] = []

    class Timed(HandOver):
        def run(self, release: Release, now: Callable[[], datetime]) -> tuple[int, int]:
            started = time.perf_counter()
            left = super().run(release, now)
            spent.append(time.perf_counter() - started)
            return left

    deliverer = Deliverer(home, warehouse, authority, records, catalog, clock)
    deliverer._handover.__class__ = Timed
    left = sum(wave.handed_over for wave in deliverer.run_due())
    return left, sum(spent)


def run(customers: int) -> list[Row]:
    measured = alone(hand_over, customers)
    left, seconds = measured.value
    name = f"outbox to file channel, {left:,} touches ({left / seconds:,.0f}/s)"
    return [Row(name=name, seconds=seconds, budget_s=left / PER_SECOND, peak_mb=measured.peak_mb)]


if __name__ == "__main__":
    asked = sizes(__doc__, customers=(400_000, 4_000))
    report("outbox", run(asked.customers), quick=asked.quick)
