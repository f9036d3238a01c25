"""A release as its payload says: who may enter at which step, and the journey that it is. Nothing is read from live ids."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

import duckdb
import numpy as np
import pyarrow as pa

from control.authority import Intent
from control.records import Actor, Records, digest, list_hash
from delivery.tables import ENROLMENTS
from tools.canvas import Journey
from tools.canvas.engine.touching import arm_sql
from tools.canvas.enrolments import within_sql
from tools.canvas.graph import key_of, touches
from tools.canvas.schema import HoldOut, Touch
from tools.proposal import Ids, Payload, ReleaseStep, audience, unpack
from tools.segment import Node, Segments, load
from tools.throttle.sql import Params, execute, temp_name
from warehouse.catalog import Attribute, Catalog, Event
from warehouse.clock import day_start, naive_utc, parse_instant
from warehouse.errors import AdminFixes
from warehouse.store import Warehouse


class AudienceMoved(AdminFixes):
    """The audience is no longer what was approved; the release must be submitted anew."""

    code = "audience_moved"


@dataclass(frozen=True)
class OpenStep:
    name: str
    opened_at: datetime
    entered: int


@dataclass(repr=False)
class Release:
    """One release at work. Its campaign has the id of its proposal."""

    intent: Intent
    warehouse: Warehouse
    records: Records
    catalog: Catalog

    @property
    def id(self) -> str:
        return self.intent.proposal.id

    @property
    def digest(self) -> str:
        return self.intent.proposal.digest

    @cached_property
    def payload(self) -> Payload:
        """The payload, if it is the one that its digest names.

        Raises:
            AdminFixes: it is not.
        """
        if digest(self.intent.proposal.payload) != self.digest:
            raise AdminFixes(f"The stored payload of {self.id} is not what was approved.", "Nothing of it is sent.")
        return Payload.model_validate(self.intent.proposal.payload)

    @cached_property
    def definitions(self) -> Catalog:
        """The catalog with the payload's definitions in place of today's."""
        fixed = [Attribute.model_validate(a) for a in self.payload.definitions["attributes"]]
        events = [Event.model_validate(ev) for ev in self.payload.definitions["events"]]
        names, event_names = {a.name for a in fixed}, {ev.name for ev in events}
        return self.catalog.model_copy(
            update={
                "attributes": [*fixed, *(a for a in self.catalog.attributes if a.name not in names)],
                "events": [*events, *(ev for ev in self.catalog.events if ev.name not in event_names)],
            }
        )

    @cached_property
    def segments(self) -> Segments:
        """Compiles the payload's expressions, in the submitter's branches."""
        actor = Actor(account="delivery", person="system", branches=self.payload.audience.branches)
        return Segments(self.warehouse, self.definitions, self.records, actor)

    @cached_property
    def entry(self) -> Node:
        return load(self.payload.expressions[0].tree)

    @cached_property
    def journey(self) -> Journey:
        return Journey(
            canvas=self.payload.canvas,
            journey_id=self.id,
            campaign_id=self.id,
            segments=self.segments,
            enrolments=ENROLMENTS,
            expressions={e.text: e.by_value for e in self.payload.expressions},
        )

    @property
    def not_before(self) -> datetime | None:
        start = self.payload.canvas.start
        return parse_instant(start, self.warehouse.zone) if start else None

    def open_steps(self) -> dict[str, OpenStep]:
        rows = self.warehouse.read(
            "SELECT step, opened_at, entered FROM release_steps WHERE release_id = ?", [self.id]
        ).rows
        return {name: OpenStep(name, at.replace(tzinfo=UTC), int(n)) for name, at, n in rows}

    def due_steps(self, now: datetime) -> list[ReleaseStep]:
        """The steps whose time has come and that are not open yet."""
        if self.not_before is not None and now < self.not_before:
            return []
        opened = self.open_steps()
        start = min((s.opened_at for s in opened.values()), default=now)
        return [
            step
            for step in self.payload.steps
            if step.name not in opened and now >= start + timedelta(days=step.after_days)
        ]

    def who_may_enter(self, now: datetime) -> Ids:
        """The audience as the approved rule gives it now.

        Raises:
            AudienceMoved: more is new or gone than was approved, or a list is not what it was.
        """
        stated = self.payload.audience
        approved = unpack(stated.ids)
        if list_hash(approved.tolist()) != stated.sha256:
            raise AudienceMoved(f"The audience stored with {self.id} is not the one it names.", "Submit it again.")
        self._check_lists()
        if stated.rule == "frozen":
            return approved
        present = audience(self.segments, self.entry, now)
        new = len(np.setdiff1d(present, approved, assume_unique=True)) / max(1, len(present))
        gone = len(np.setdiff1d(approved, present, assume_unique=True)) / max(1, len(approved))
        for share, limit, what in ((new, stated.max_new, "new"), (gone, stated.max_gone, "gone")):
            if share > limit:
                raise AudienceMoved(
                    f"{share:.1%} of the audience of {self.id} is {what} since it was submitted; {limit:.0%} was approved.",
                    "Look into the segment, and submit it again.",
                )
        return present

    def _check_lists(self) -> None:
        for pinned in self.payload.lists:
            rows = self.warehouse.read(
                "SELECT customer_id FROM list_members WHERE name = ? AND sha256 = ?", [pinned.name, pinned.sha256]
            ).rows
            if list_hash(row[0] for row in rows) != pinned.sha256:
                raise AudienceMoved(f"The list {pinned.name!r} is not the one that was approved.", "Upload it again.")

    def let_in(self, con: duckdb.DuckDBPyConnection, steps: list[ReleaseStep], now: datetime) -> int:
        """Open steps of a stream, and enrol whom its trigger names now, of the shares that are open and up to its ceilings;
        returns how many entered. Whom a ceiling keeps out is on record.

        Raises:
            StaleData: a round of its schedule is due, but the data are too old.
        """
        if steps:
            self._write_campaign(con, now)
        for step in steps:
            con.execute("INSERT INTO release_steps VALUES (?, ?, ?, 0)", [self.id, step.name, naive_utc(now)])
        opened = con.execute(
            "SELECT step, opened_at FROM release_steps WHERE release_id = ? ORDER BY opened_at", [self.id]
        ).fetchall()
        if not opened:
            return 0
        found = self.journey.entrants(con, now, opened[0][1].replace(tzinfo=UTC))
        if found is None:
            return 0
        names = {str(name) for name, _ in opened}
        self._keep_within(con, found, [step for step in self.payload.steps if step.name in names])
        self._keep_room(con, found, now)
        entered = self.journey.enter(con, now, found)
        con.execute(f"DROP TABLE {found}")
        return entered

    def _keep_within(self, con: duckdb.DuckDBPyConnection, entrants: str, steps: list[ReleaseStep]) -> None:
        """Leave only those of the shares, or on the whitelists, of some steps."""
        params, ways = Params(), []
        for step in steps:
            if step.customers is not None:
                ways.append(f"list_contains({params.add(list(step.customers))}::BIGINT[], customer_id)")
            else:
                ways.append(within_sql(params, f"release/{key_of(self.payload.canvas)}", step.share))
        execute(con, f"DELETE FROM {entrants} WHERE NOT ({' OR '.join(ways)})", params)

    def _keep_room(self, con: duckdb.DuckDBPyConnection, entrants: str, now: datetime) -> None:
        """Leave only as many as the ceilings allow, in the order of a hash that favours nobody for ever; the others'
        entries are decided against, on record."""
        daily, total = self._room(con, now)
        room, rule = (daily, "ceiling_daily") if daily <= total else (total, "ceiling_total")
        key, moment = f"{self.id}/{naive_utc(now).isoformat()}:", naive_utc(now)
        over = temp_name("over")
        con.execute(
            f"CREATE TEMP TABLE {over} AS SELECT customer_id FROM {entrants} "
            "ORDER BY md5($key || customer_id), customer_id OFFSET $room",
            {"key": key, "room": room},
        )
        con.execute(
            f"""INSERT INTO decisions (touch_id, campaign_id, customer_id, node_id, category, decision, rule, decided_at)
                SELECT $id || '.' || $node || '.' || customer_id, $id, customer_id, $node, $category, 'abandon', $rule, $now
                FROM {over}""",
            {
                "id": self.id,
                "node": self.journey.entry.id,
                "category": self.payload.canvas.category,
                "rule": rule,
                "now": moment,
            },
        )
        con.execute(f"DELETE FROM {entrants} WHERE customer_id IN (FROM {over})")
        con.execute(f"DROP TABLE {over}")

    def _room(self, con: duckdb.DuckDBPyConnection, now: datetime) -> tuple[int, int]:
        """How many may still enter today, and altogether."""
        stated, zone = self.payload.audience, self.warehouse.zone
        today = naive_utc(day_start(now.astimezone(zone).date(), zone))
        so_far, of_today = con.execute(
            f"SELECT count(*), count(*) FILTER (entered_at >= ?) FROM {ENROLMENTS} WHERE journey_id = ?",
            [today, self.id],
        ).fetchall()[0]
        return max(0, (stated.max_daily or 0) - of_today), max(0, (stated.max_total or 0) - so_far)

    def over(self, now: datetime) -> bool:
        """Whether nobody can enter any more: every step is open and, in a stream, its end or its ceiling is reached."""
        if len(self.open_steps()) < len(self.payload.steps):
            return False
        if not self.journey.streams:
            return True
        if self.journey.ends is not None and now > self.journey.ends:
            return True
        with self.warehouse.overlay() as con:
            return self._room(con, now)[1] == 0

    def open_step(self, con: duckdb.DuckDBPyConnection, step: ReleaseStep, ids: Ids, now: datetime) -> int:
        """Enrol a step's share of the audience, and write the campaign with its first step; returns how many entered."""
        self._write_campaign(con, now)
        entered = self.enrol(con, self.journey, step, ids, now)
        con.execute("INSERT INTO release_steps VALUES (?, ?, ?, ?)", [self.id, step.name, naive_utc(now), entered])
        return entered

    def enrol(
        self, con: duckdb.DuckDBPyConnection, journey: Journey, step: ReleaseStep, ids: Ids, now: datetime
    ) -> int:
        """Enrol a step's share of the audience in a journey, the release's own or a plan's; returns how many entered."""
        if step.customers is not None:
            ids = np.intersect1d(ids, np.asarray(step.customers, dtype=np.int64))
        con.register("entering_ids", pa.table({"customer_id": pa.array(ids, pa.int64())}))
        params = Params()
        within = within_sql(params, f"release/{key_of(self.payload.canvas)}", step.share)
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE entering AS SELECT customer_id FROM entering_ids WHERE {within}", params
        )
        con.unregister("entering_ids")
        entered = journey.enter(con, now, "entering")
        con.execute("DROP TABLE entering")
        return entered

    def _write_campaign(self, con: duckdb.DuckDBPyConnection, now: datetime) -> None:
        canvas = self.payload.canvas
        costs = [w.cost for w in self.payload.words]
        randomised = any(isinstance(n, HoldOut) for n in canvas.nodes) or self._arms_of_first() is not None
        con.execute(
            """INSERT INTO campaigns (campaign_id, name, category, goal_event, goal_window_days, randomised, hypothesis,
                                      started_at, cost_per_touch)
               SELECT $id, $name, $category, $goal, $window, $randomised, $hypothesis, $now, $cost
               WHERE NOT EXISTS (FROM campaigns WHERE campaign_id = $id)""",
            {
                "id": self.id,
                "name": canvas.name,
                "category": canvas.category,
                "goal": canvas.goal.event,
                "window": canvas.goal.window_days,
                "randomised": randomised,
                "hypothesis": canvas.purpose or None,
                "now": naive_utc(now),
                "cost": sum(costs) / len(costs),
            },
        )

    def assign(self, con: duckdb.DuckDBPyConnection, now: datetime) -> None:
        """Write the arms of everybody who entered: 'control' for the hold-out; else the wording of the first touch where
        it has several (whether or not it is ever sent), or 'treatment'. And the hold-outs' decisions."""
        params = Params()
        release, first, treated, join = params.add(self.id), self._arms_of_first(), "'treatment'", ""
        if first is not None:
            arm, join = arm_sql(self.journey, first, params, "e.customer_id")
            treated = f"split_part({arm}, '@', 1)"
        con.execute(
            f"""INSERT INTO assignments (campaign_id, customer_id, arm, assigned_at)
                SELECT {release}, e.customer_id, CASE WHEN state = 'held_out' THEN 'control' ELSE {treated} END, entered_at
                FROM {ENROLMENTS} e {join} WHERE journey_id = {release} AND entry_no = 1 AND NOT EXISTS (
                  FROM assignments a WHERE a.campaign_id = {release} AND a.customer_id = e.customer_id)""",
            params,
        )
        held = {"release": self.id, "now": naive_utc(now)}
        con.execute(
            f"""UPDATE assignments SET arm = 'control' WHERE campaign_id = $release AND arm <> 'control' AND customer_id IN (
                  SELECT customer_id FROM {ENROLMENTS} WHERE journey_id = $release AND state = 'held_out'
                  AND left_at = $now)""",
            held,
        )
        con.execute(
            f"""INSERT INTO decisions (touch_id, campaign_id, customer_id, node_id, category, arm, decision, rule, decided_at)
                SELECT $release || '.' || node_id || '.' || customer_id, $release, customer_id, node_id, $category, 'control',
                       'hold_out', 'hold_out', left_at
                FROM {ENROLMENTS} WHERE journey_id = $release AND state = 'held_out' AND left_at = $now""",
            {**held, "category": self.payload.canvas.category},
        )

    def _arms_of_first(self) -> Touch | None:
        """The first touch, if it has several wordings."""
        first = next(iter(touches(self.payload.canvas)), None)
        return first if first is not None and len(first.arms) > 1 else None
