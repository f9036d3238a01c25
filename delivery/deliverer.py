"""Releases at work. A wave is three steps: the control plane records the intent; one warehouse transaction writes
everything with a marker; the control plane records that it is done. A restart trusts the marker."""

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from control.authority import Authority, Refused
from control.records import Actor, Records
from delivery.channels import FileChannel
from delivery.effects import RealEffects, Slot, expire_tags
from delivery.handover import HandOver
from delivery.plan import Plan, Planner, last_due, last_plan
from delivery.policy import tighter
from delivery.release import AudienceMoved, Release
from delivery.reservations import end_stale
from delivery.tables import make
from delivery.vault import Vault
from tools.canvas import tick
from tools.proposal import Ids, ReleaseStep
from tools.segment import Segments
from tools.throttle import ThrottlePolicy, load_policy
from warehouse.catalog import Catalog
from warehouse.clock import Clock, naive_utc
from warehouse.errors import TouchlineError
from warehouse.home import Home
from warehouse.store import Warehouse

LEAST_FOR_STOP_LINE = 100
"""A stop line is judged from so many touches on: one complaint among ten is no rate."""

Progress = Callable[["WaveReport"], None]


class WaveReport(BaseModel):
    """What a run did for one release. `wave` is None where nothing was due; `problem` tells why it was not released."""

    model_config = ConfigDict(frozen=True)

    release: str
    step: str = ""
    wave: int | None = None
    entered: int = 0
    held_out: int = 0
    decided: dict[str, int] = {}
    handed_over: int = 0
    failed: int = 0
    finished: bool = False
    problem: str = ""


class Deliverer:
    """Carries out approved proposals, from their payloads only.

    Args:
        home: tells outbox, vault, policies and whether consent is assumed.
        authority: what is approved, revoked, paused; read before every wave and batch.
    """

    def __init__(
        self, home: Home, warehouse: Warehouse, authority: Authority, records: Records, catalog: Catalog, clock: Clock
    ) -> None:
        self._home = home
        self._warehouse = warehouse
        self._authority = authority
        self._records = records
        self._catalog = catalog
        self._clock = clock
        self._one_at_a_time = threading.Lock()
        self._noted: set[tuple[str, str]] = set()
        self._handover = HandOver(warehouse, authority, Vault(home.contacts), FileChannel(home.outbox))
        with warehouse.writer() as con:
            make(con)

    def use(self, catalog: Catalog) -> None:
        """Know other names of the data from the next run on; releases keep the definitions of their payloads."""
        self._catalog = catalog

    def run_due(self, progress: Progress | None = None) -> list[WaveReport]:
        """Do everything that is due now: stop what was stopped, start what is approved, advance journeys, decide and
        reserve, fill the outbox, hand over.

        Returns:
            A report per release that something was done for, or that could not be released.
        """
        with self._one_at_a_time:
            reports = list(self._run())
        for report in reports:
            if progress:
                progress(report)
        return reports

    def plan(self, hours: int = 24) -> Plan:
        """Arbitrate what the live releases would send in the next hours, all together, and reserve it for them. A
        reservation that an earlier plan made is not displaced; one whose touch no longer comes is released."""
        with self._one_at_a_time:
            self._settle_reservations()
            live = [r for r in self._releases() if self._authority.release_state(r.id).may_send]
            return Planner(self._warehouse, self._catalog, self._records).make(
                self._by_policy(live), self._clock.now(), hours
            )

    def plan_due(self) -> Plan | None:
        """Make the plan of the day if the policy names a time for it that has come since the last one."""
        due = last_due(load_policy(self._home).plan_at, self._clock.now(), self._warehouse.zone)
        if due is None or ((made := last_plan(self._warehouse)) is not None and made.made_at >= due):
            return None
        return self.plan()

    def last_plan(self) -> Plan | None:
        """The plan that was made last."""
        return last_plan(self._warehouse)

    def _releases(self) -> list[Release]:
        return [Release(i, self._warehouse, self._records, self._catalog) for i in self._authority.intents()]

    def _settle_reservations(self) -> None:
        """Let go of the reservations whose campaign, journey or time is over."""
        live = [intent.proposal.id for intent in self._authority.intents()]
        hours = load_policy(self._home).defer_expires_hours
        end_stale(self._warehouse, live, self._clock.now(), hours)

    def _run(self) -> Iterable[WaveReport]:
        intents = self._authority.intents()
        self._stop_cancelled()
        self._settle_reservations()
        live: list[Release] = []
        for intent in intents:
            release = Release(intent, self._warehouse, self._records, self._catalog)
            try:
                if self._ready(release):
                    live.append(release)
            except TouchlineError as error:
                yield self._refuse(release, error)
        for policy, together in self._by_policy(live):
            yield from self._wave(together, policy)

    def _ready(self, release: Release) -> bool:
        """Whether a release may work now; what a crash left open is settled.

        Raises:
            Refused: it may not send; AudienceMoved, AdminFixes: its payload does not hold any more.
        """
        state = self._authority.release_state(release.id)
        if not state.may_send:
            raise Refused(f"{release.id} may not send: {state.why_not}.", "")
        assert release.payload  # its digest is checked here, before anything is done
        for step, wave in release.intent.open_waves:
            counts = self._marker(release.id, step, wave)
            if counts is not None:
                self._authority.wave_done(release.id, step, wave, counts)
        if release.intent.proposal.status == "approved":
            now = self._clock.now()
            if release.not_before is not None and now < release.not_before:
                return False
            self._authority.releases.start(release.id)
        self._check_stop_line(release)
        return True

    def _by_policy(self, live: list[Release]) -> list[tuple[ThrottlePolicy, list[Release]]]:
        """Releases that are arbitrated together: those whose approved policy, tightened by today's, is the same."""
        current = load_policy(self._home)
        self._authority.policies.pick_up("throttle", current.model_dump(mode="json"))
        groups: list[tuple[ThrottlePolicy, list[Release]]] = []
        for release in live:
            policy = tighter(release.payload.throttle, current)
            found = next((members for known, members in groups if known == policy), None)
            if found is None:
                groups.append((policy, [release]))
            else:
                found.append(release)
        return sorted(groups, key=lambda group: -max(r.payload.canvas.priority for r in group[1]))

    def _wave(self, releases: list[Release], policy: ThrottlePolicy) -> Iterable[WaveReport]:
        """One tick of releases under one policy, and the hand-over of what it queued."""
        now = self._clock.now()
        expire_tags(self._warehouse, now)
        due: list[tuple[Release, Slot, list[tuple[ReleaseStep, Ids]]]] = []
        streamed: dict[str, int] = {}
        for release in releases:
            if release.journey.streams:
                try:
                    streamed[release.id] = self._let_in(release, now)
                except TouchlineError as error:
                    # Who is under way goes on all the same.
                    yield self._refuse(release, error)
            try:
                claimed = self._claim(release, now)
            except TouchlineError as error:
                yield self._refuse(release, error)
                continue
            if claimed is not None:
                due.append((release, *claimed))
        reports: dict[str, WaveReport] = {}
        if due:
            reports = self._tick(due, policy, now, streamed)
            for release, slot, _ in due:
                self._authority.wave_done(release.id, slot.step, slot.wave, reports[release.id].model_dump(mode="json"))
        for release in releases:
            handed, failed = self._handover.run(release, self._clock.now)
            finished = self._finish(release)
            report = reports.get(release.id)
            if report or handed or failed or finished:
                report = report or WaveReport(release=release.id)
                yield report.model_copy(update={"handed_over": handed, "failed": failed, "finished": finished})

    def _let_in(self, release: Release, now: datetime) -> int:
        """Who enters a stream now, in a transaction of its own: nothing is decided and nothing leaves, so the control plane
        need not know before; who entered is due in the same run, or after a crash in the next."""
        with self._warehouse.writer() as con:
            return release.let_in(con, release.due_steps(now), now)

    def _claim(self, release: Release, now: datetime) -> tuple[Slot, list[tuple[ReleaseStep, Ids]]] | None:
        """Step 1: what is due of a release, and its intent on record. None when nothing is due."""
        opening = [] if release.journey.streams else release.due_steps(now)
        if not opening:
            with self._warehouse.overlay() as con:
                if not release.journey.due(con, now):
                    return None
        ids = release.who_may_enter(now) if opening else None
        steps = [(step, ids) for step in opening if ids is not None]
        names = [step.name for step in opening] or list(release.open_steps())
        slot = Slot(names[-1], self._next_wave(release.id))
        if not self._authority.claim_wave(release.id, slot.step, slot.wave):
            raise Refused(f"Wave {slot.wave} of {release.id} is recorded as done, but the warehouse has no marker.", "")
        return slot, steps

    def _tick(
        self,
        due: list[tuple[Release, Slot, list[tuple[ReleaseStep, Ids]]]],
        policy: ThrottlePolicy,
        now: datetime,
        streamed: Mapping[str, int],
    ) -> dict[str, WaveReport]:
        """Step 2: one transaction in the writer queue."""
        nobody = Actor(account="delivery", person="system")
        segments = Segments(self._warehouse, self._catalog, self._records, nobody)
        effects = RealEffects(policy, segments, {release.id: slot for release, slot, _ in due})
        reports: dict[str, WaveReport] = {}
        with self._warehouse.writer() as con:
            entered = {r.id: sum(r.open_step(con, step, ids, now) for step, ids in steps) for r, _, steps in due}
            tick(con, [release.journey for release, _, _ in due], now, effects)
            for release, slot, _ in due:
                release.assign(con, now)
                held = con.execute(
                    "SELECT count(*) FROM enrolments WHERE journey_id = ? AND state = 'held_out' AND left_at = ?",
                    [release.id, naive_utc(now)],
                ).fetchall()[0][0]
                report = WaveReport(
                    release=release.id,
                    step=slot.step,
                    wave=slot.wave,
                    entered=entered[release.id] + streamed.get(release.id, 0),
                    held_out=int(held),
                    decided=effects.counts.get(release.id, {}),
                )
                con.execute(
                    "INSERT INTO wave_markers VALUES (?, ?, ?, ?, ?)",
                    [release.id, slot.step, slot.wave, naive_utc(now), report.model_dump_json()],
                )
                reports[release.id] = report
        return reports

    def _finish(self, release: Release) -> bool:
        """End a release in which nobody can enter, nobody is active and nothing is queued."""
        if not release.over(self._clock.now()):
            return False
        left = self._warehouse.read(
            """SELECT (SELECT count(*) FROM enrolments WHERE journey_id = $id AND state = 'active')
                    + (SELECT count(*) FROM outbox WHERE release_id = $id AND state = 'queued')""",
            {"id": release.id},
        ).scalar()
        if left:
            return False
        with self._warehouse.writer() as con:
            con.execute(
                "UPDATE campaigns SET ended_at = ? WHERE campaign_id = ? AND ended_at IS NULL",
                [naive_utc(self._clock.now()), release.id],
            )
        self._authority.releases.finish(release.id)
        return True

    def _stop_cancelled(self) -> None:
        """Cancel what is still queued or active of releases that are neither approved nor at work any more."""
        rows = self._warehouse.read(
            """SELECT release_id FROM outbox WHERE state = 'queued'
               UNION SELECT journey_id FROM enrolments WHERE state = 'active'
               UNION SELECT campaign_id FROM campaigns SEMI JOIN release_steps ON release_id = campaign_id
               WHERE ended_at IS NULL"""
        ).rows
        for (release_id,) in rows:
            record = self._records.proposal(release_id)
            if record.status in ("approved", "releasing"):
                continue
            n = self._handover.cancel(release_id, record.digest, self._clock.now())
            self._authority.releases.note("release.cancelled", release_id, {"status": record.status, "touches": n})

    def _check_stop_line(self, release: Release) -> None:
        """Stop a release whose complaints or failures are beyond what was approved.

        Raises:
            Refused: it was stopped.
        """
        sent, failed, complained = self._warehouse.read(
            """WITH t AS (SELECT customer_id, min(sent_at) AS first, count(sent_at) AS sent,
                                 count(*) FILTER (status = 'failed') AS failed
                          FROM touches WHERE campaign_id = $id GROUP BY 1)
               SELECT coalesce(sum(sent), 0), coalesce(sum(failed), 0), count(*) FILTER (EXISTS (
                 FROM events e WHERE e.name = 'complaint' AND e.customer_id = t.customer_id AND e.occurred_at > t.first
                 AND e.occurred_at > $since AND e.occurred_at <= $now)) FROM t""",
            {
                "id": release.id,
                "since": naive_utc(release.intent.started_at or self._clock.now()),
                "now": naive_utc(self._clock.now()),
            },
        ).rows[0]
        line = release.payload.canvas.stop_line
        attempted = sent + failed
        if attempted < LEAST_FOR_STOP_LINE:
            return
        for n, base, limit, what in (
            (complained, sent, line.complaint_rate, "complaints"),
            (failed, attempted, line.failure_rate, "failures"),
        ):
            if base and n / base > limit:
                why = f"stop line: {n} {what} among {base} touches, {limit:.2%} was approved"
                self._authority.releases.stop(release.id, why)
                raise Refused(f"{release.id} stopped itself: {why}.", "")

    def _refuse(self, release: Release, error: TouchlineError) -> WaveReport:
        """A release that does not go on: on record once per reason, and for good where its audience moved."""
        if isinstance(error, AudienceMoved):
            self._authority.releases.stop(release.id, error.message)
        if (release.id, error.message) not in self._noted:
            self._noted.add((release.id, error.message))
            self._authority.releases.note("release.refused", release.id, {"why": error.code, "text": error.message})
        return WaveReport(release=release.id, problem=error.message)

    def _marker(self, release_id: str, step: str, wave: int) -> dict[str, object] | None:
        rows = self._warehouse.read(
            "SELECT counts FROM wave_markers WHERE release_id = ? AND step = ? AND wave = ?", [release_id, step, wave]
        ).rows
        return dict(json.loads(rows[0][0])) if rows else None

    def _next_wave(self, release_id: str) -> int:
        last = self._warehouse.read(
            "SELECT coalesce(max(wave), 0) FROM wave_markers WHERE release_id = ?", [release_id]
        ).scalar()
        return int(last) + 1
