"""The nightly plan: what the live releases would send in the next day, arbitrated together and reserved for them.

It is a dry run of all of them — the same engine and the same throttle on a simulated clock — from the highest priority
down: what the higher ones would send stands reserved when the lower ones are run. So a campaign of low priority in the
morning loses to a higher one in the afternoon, which no single tick could know; within one priority the earlier tick
goes first, and in a tick the stable hash decides.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
from pydantic import BaseModel, ConfigDict

from control.records import Actor, Records
from delivery.release import AudienceMoved, Release
from delivery.tables import ENROLMENTS
from tools.canvas import tick
from tools.canvas.effects import DryEffects
from tools.canvas.enrolments import marks_of
from tools.proposal import ReleaseStep
from tools.segment import Segments
from tools.throttle import ThrottlePolicy
from tools.throttle.caps import STANDING
from warehouse.catalog import Catalog
from warehouse.clock import naive_utc
from warehouse.store import Warehouse

PLANNED = "plan_enrolments"
OUTCOMES = "plan_outcomes"
WINNERS = "plan_winners"
NOBODY = Actor(account="delivery", person="system")


class Share(BaseModel):
    """What a campaign gets of the plan: candidates = won + deferred + the sum of `lost`."""

    model_config = ConfigDict(frozen=True)

    campaign: str
    name: str
    priority: int
    candidates: int
    won: int
    deferred: int
    lost: dict[str, int]
    """Rule → how many candidates it stops."""
    lost_to: dict[str, int]
    """Campaign → how many of the candidates that a cap or capacity stops meet a touch of that campaign in this plan;
    'earlier touches' where none of the plan is in the way."""


class Plan(BaseModel):
    """A plan as it was made. `reserved` touches were reserved by it or by earlier plans, all of them still standing."""

    model_config = ConfigDict(frozen=True)

    made_at: datetime
    until: datetime
    reserved: int
    campaigns: list[Share]
    problems: dict[str, str] = {}
    """Campaign → why nobody new of it is planned."""


EARLIER = "earlier touches"


class Planning(DryEffects):
    """Effects of a plan: those of a dry run, and every decision is kept with its instant."""

    def decide(
        self, con: duckdb.DuckDBPyConnection, candidates: str, instant: datetime, limits: Mapping[str, int]
    ) -> str:
        decided = super().decide(con, candidates, instant, limits)
        con.execute(
            f"""INSERT INTO {OUTCOMES} SELECT touch_id, campaign_id, customer_id, node_id, channel, category, decision, rule,
                  $moment FROM {decided}""",
            {"moment": naive_utc(instant)},
        )
        return decided


@dataclass(frozen=True)
class Planner:
    warehouse: Warehouse
    catalog: Catalog
    records: Records

    def make(self, groups: Sequence[tuple[ThrottlePolicy, Sequence[Release]]], now: datetime, hours: int) -> Plan:
        """Plan the releases, group by group of one policy, and write the reservations.

        Args:
            groups: releases that may send, in the order in which their groups go.
        """
        until = now + timedelta(hours=hours)
        problems: dict[str, str] = {}
        with self._overlay() as con:
            for policy, releases in _levels(groups):
                problems |= self._simulate(con, policy, releases, now, until)
            names = {r.id: (r.payload.canvas.name, r.payload.canvas.priority) for _, group in groups for r in group}
            shares = _shares(con, names)
            reserved = self._reserve(con, now, until)
        plan = Plan(made_at=now, until=until, reserved=reserved, campaigns=shares, problems=problems)
        with self.warehouse.writer() as con:
            con.execute(
                "INSERT INTO plans VALUES (?, ?, ?)", [naive_utc(now), naive_utc(until), plan.model_dump_json()]
            )
        return plan

    @contextmanager
    def _overlay(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A private copy of who is where, in which the reservations that stand are joined by those of this plan."""
        with self.warehouse.overlay() as con:
            con.execute(f"CREATE TEMP TABLE {PLANNED} AS FROM {ENROLMENTS}")
            con.execute(f"CREATE TEMP TABLE {marks_of(PLANNED)} AS FROM {marks_of(ENROLMENTS)}")
            con.execute(
                f"""CREATE TEMP TABLE {OUTCOMES} (touch_id VARCHAR, campaign_id VARCHAR, customer_id BIGINT, node_id VARCHAR,
                      channel VARCHAR, category VARCHAR, decision VARCHAR, rule VARCHAR, decided_at TIMESTAMP)"""
            )
            con.execute(f"CREATE TEMP TABLE {WINNERS} AS FROM {STANDING} LIMIT 0")
            database = con.execute("SELECT current_database()").fetchall()[0][0]
            # Named in full: the view would otherwise mean itself.
            con.execute(
                f"""CREATE TEMP VIEW {STANDING} AS FROM "{database}".main.{STANDING} ANTI JOIN {WINNERS} USING (touch_id)
                    UNION ALL FROM {WINNERS}"""
            )
            yield con

    def _simulate(
        self,
        con: duckdb.DuckDBPyConnection,
        policy: ThrottlePolicy,
        releases: Sequence[Release],
        now: datetime,
        until: datetime,
    ) -> dict[str, str]:
        """Tick copies of releases of one priority from now until the horizon, and keep what they would send as winners.
        Who enters a stream later is not known, and not planned. Returns the releases that nobody can enter, and why."""
        problems: dict[str, str] = {}
        effects = Planning(con, policy, Segments(self.warehouse, self.catalog, self.records, NOBODY))
        journeys = {
            release.id: replace(release.journey, enrolments=PLANNED, entered=Counter(), moved=Counter())
            for release in releases
        }
        opening = [
            (moment, release, step)
            for release in releases
            if not release.journey.streams
            for moment, step in _openings(release, now)
            if moment <= until
        ]
        instant = now
        while instant <= until:
            for _, release, step in [entry for entry in opening if entry[0] <= instant]:
                try:
                    release.enrol(con, journeys[release.id], step, release.who_may_enter(now), instant)
                except AudienceMoved as error:
                    problems[release.id] = error.message
            opening = [entry for entry in opening if entry[0] > instant]
            due = [journey for journey in journeys.values() if (at := journey.next_due(con)) and at <= instant]
            if due:
                effects.at_instant(con, instant)
                tick(con, due, instant, effects)
            following = [moment for moment, _, _ in opening]
            following += [at for journey in journeys.values() if (at := journey.next_due(con))]
            if not following:
                break
            instant = max(min(following), instant + timedelta(microseconds=1))
        con.execute(
            f"""INSERT INTO {WINNERS} SELECT touch_id, campaign_id, customer_id, channel, category, decided_at, $now
                FROM {effects.sent}""",
            {"now": naive_utc(now)},
        )
        return problems

    def _reserve(self, overlay: duckdb.DuckDBPyConnection, now: datetime, until: datetime) -> int:
        """Write the plan's sends as reservations; returns how many stand."""
        winners = overlay.sql(
            f"""SELECT touch_id, campaign_id, customer_id, node_id, channel, category, decided_at AS planned_at
                FROM {OUTCOMES} WHERE decision = 'send'"""
        ).to_arrow_table()
        with self.warehouse.writer() as con:
            con.register("winners", winners)
            values: dict[str, Any] = {"now": naive_utc(now)}
            # What an earlier plan reserved keeps its place, at the moment that is planned now; what no longer comes goes.
            con.execute(
                """UPDATE reservations r SET state = 'released', ended_at = $now
                   WHERE state = 'standing' AND planned_at <= $until
                     AND NOT EXISTS (FROM winners w WHERE w.touch_id = r.touch_id)""",
                {**values, "until": naive_utc(until)},
            )
            con.execute(
                """UPDATE reservations r SET planned_at = w.planned_at FROM winners w
                   WHERE w.touch_id = r.touch_id AND r.state = 'standing'"""
            )
            con.execute(
                """INSERT INTO reservations SELECT touch_id, campaign_id, customer_id, node_id, channel, category, planned_at,
                     $now, 'standing', NULL FROM winners w
                   WHERE NOT EXISTS (FROM reservations r WHERE r.touch_id = w.touch_id AND r.state = 'standing')""",
                values,
            )
            con.unregister("winners")
            return int(con.execute("SELECT count(*) FROM reservations WHERE state = 'standing'").fetchall()[0][0])


def _levels(
    groups: Sequence[tuple[ThrottlePolicy, Sequence[Release]]],
) -> list[tuple[ThrottlePolicy, list[Release]]]:
    """Releases that are planned together — of one policy and one priority — from the highest priority down."""
    levels: dict[tuple[int, int], list[Release]] = {}
    for number, (policy, group) in enumerate(groups):
        for release in group:
            canvas = release.payload.canvas
            priority = canvas.priority + policy.priorities.get(canvas.category, 0)
            levels.setdefault((-priority, number), []).append(release)
    return [(groups[number][0], levels[priority, number]) for priority, number in sorted(levels)]


def _openings(release: Release, now: datetime) -> Iterator[tuple[datetime, ReleaseStep]]:
    """When the steps that are not open yet will open."""
    opened = release.open_steps()
    first = max(now, release.not_before or now)
    start = min((step.opened_at for step in opened.values()), default=first)
    for step in release.payload.steps:
        if step.name not in opened:
            yield max(first, start + timedelta(days=step.after_days)), step


def _shares(con: duckdb.DuckDBPyConnection, names: Mapping[str, tuple[str, int]]) -> list[Share]:
    """By campaign, what its candidates came to in the end, and to whom those stopped by caps lost."""
    con.execute(
        f"""CREATE TEMP TABLE plan_final AS SELECT * FROM {OUTCOMES}
            QUALIFY row_number() OVER (PARTITION BY touch_id ORDER BY decided_at DESC) = 1"""
    )
    counted = con.execute("SELECT campaign_id, decision, rule, count(*) FROM plan_final GROUP BY ALL").fetchall()
    met = con.execute(
        f"""SELECT l.campaign_id, coalesce(w.campaign_id, '{EARLIER}'), count(DISTINCT l.touch_id)
            FROM plan_final l LEFT JOIN plan_final w
              ON w.customer_id = l.customer_id AND w.decision = 'send' AND w.campaign_id <> l.campaign_id
            WHERE l.decision = 'abandon' AND (l.rule LIKE 'cap%' OR l.rule LIKE 'promised%') GROUP BY ALL"""
    ).fetchall()
    found = []
    for campaign, (name, priority) in sorted(names.items(), key=lambda item: (-item[1][1], item[0])):
        mine = [(str(decision), str(rule), int(n)) for c, decision, rule, n in counted if c == campaign]
        found.append(
            Share(
                campaign=campaign,
                name=name,
                priority=priority,
                candidates=sum(n for _, _, n in mine),
                won=sum(n for decision, _, n in mine if decision == "send"),
                deferred=sum(n for decision, _, n in mine if decision == "defer"),
                lost={rule: n for decision, rule, n in sorted(mine) if decision == "abandon"},
                lost_to={str(other): int(n) for c, other, n in sorted(met) if c == campaign},
            )
        )
    return found


def last_plan(warehouse: Warehouse) -> Plan | None:
    """The plan that was made last, as it was then."""
    rows = warehouse.read("SELECT report FROM plans ORDER BY made_at DESC LIMIT 1").rows
    return Plan.model_validate_json(rows[0][0]) if rows else None


def last_due(plan_at: time | None, now: datetime, zone: ZoneInfo) -> datetime | None:
    """The last moment by now at which the policy wanted a plan; None where it names no time."""
    if plan_at is None:
        return None
    local = now.astimezone(zone)
    today = datetime.combine(local.date(), plan_at, zone)
    due = today if today <= local else datetime.combine(local.date() - timedelta(days=1), plan_at, zone)
    return due.astimezone(UTC)
