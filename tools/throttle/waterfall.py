"""What is left of an audience: the forecast of a channel and an instant, and the net-reach waterfall."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb
from pydantic import BaseModel, ConfigDict, Field

from control.records import digest
from tools.segment import Node, Segments, to_text
from tools.segment.hashing import threshold_hex
from tools.throttle.calendar import quiet_at
from tools.throttle.decide import decide
from tools.throttle.policy import ThrottlePolicy
from tools.throttle.rules import STAGES, skipped_rules
from tools.throttle.sql import Params, execute, temp_name
from warehouse.clock import to_utc
from warehouse.evidence import Evidence

STEPS = (
    "matched",
    "one_per_person",
    "not_suppressed",
    "suitable",
    "consented_and_contactable",
    "not_capped",
    "not_held_out",
)
"""The waterfall, in order."""


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Forecast(Frozen):
    """What would happen to one touch of everybody in a segment. candidates = allowed + deferred + abandoned."""

    expression: str
    channel: str
    instant: datetime
    candidates: int
    allowed: int
    deferred: int
    abandoned: int
    by_rule: dict[str, int] = Field(description="Rule → candidates that it stopped (deferred or abandoned).")
    next_at: datetime | None = Field(description="The first instant at which deferred ones may go; None if none is.")
    consent_assumed: bool
    skipped: dict[str, str] = Field(description="Channel → contact rule that this bank's catalog cannot tell.")
    evidence: Evidence


class Step(Frozen):
    """How many are left after a step, how many it took away, and by which rules."""

    step: str
    count: int
    lost: int
    rules: dict[str, int] = {}


class BranchSteps(Frozen):
    """The same for the customers of one branch; `counts` follow `STEPS`."""

    branch_id: int | None
    name: str
    counts: list[int]


class Waterfall(Frozen):
    """From everybody who matches to those who would be touched; quiet hours left out, told in `quiet_until`."""

    expression: str
    channel: str
    instant: datetime
    steps: list[Step]
    branches: list[BranchSteps] = []
    quiet_until: datetime | None = None
    consent_assumed: bool = False
    skipped: dict[str, str] = {}
    elapsed_ms: float = 0.0
    evidence: Evidence


@dataclass(frozen=True)
class Held:
    """A hold-out: so many percent by the keyed hash."""

    percent: float
    key: str


def forecast(
    segments: Segments,
    node: Node,
    channel: str,
    instant: datetime,
    policy: ThrottlePolicy,
    category: str = "marketing",
    product_id: int | None = None,
    history: tuple[str, ...] = ("touches",),
) -> Forecast:
    """Decide one touch of a whole segment, without any effect.

    Args:
        instant: when; a naive one is bank time.

    Raises:
        AdminFixes: the policy's contact rule does not fit the catalog.
    """
    started = time.perf_counter()
    instant = to_utc(instant, segments.warehouse.zone)
    with _decided(segments, node, channel, instant, policy, category, product_id, history, quiet=True) as (
        con,
        decided,
    ):
        rows = con.execute(
            f"SELECT decision, rule, count(*), min(until) FROM {decided} GROUP BY ALL ORDER BY ALL"
        ).fetchall()
    by_decision = {name: sum(n for d, _, n, _ in rows if d == name) for name in ("send", "defer", "abandon")}
    by_rule: dict[str, int] = {}
    for decision, rule, n, _ in rows:
        if decision != "send":
            by_rule[rule] = by_rule.get(rule, 0) + n
    untils = [until for _, _, _, until in rows if until is not None]
    columns = ["decision", "rule", "customers", "until"]
    return Forecast(
        expression=to_text(node),
        channel=channel,
        instant=instant,
        candidates=sum(by_decision.values()),
        allowed=by_decision["send"],
        deferred=by_decision["defer"],
        abandoned=by_decision["abandon"],
        by_rule=by_rule,
        next_at=min(untils).replace(tzinfo=UTC) if untils else None,
        consent_assumed=policy.consent.assumed,
        skipped=skipped_rules([channel], instant, policy, segments),
        evidence=_evidence(
            segments, f"throttle: {channel}", node, instant, policy, columns, rows, started, channel, category
        ),
    )


def waterfall(
    segments: Segments,
    node: Node,
    channel: str,
    instant: datetime,
    policy: ThrottlePolicy,
    category: str = "marketing",
    product_id: int | None = None,
    hold_out: Held | None = None,
    *,
    by_branch: bool = False,
    history: tuple[str, ...] = ("touches",),
) -> Waterfall:
    """The net-reach waterfall of one channel and instant; steps never rise and add up to what was lost.

    Raises:
        AdminFixes: the policy's contact rule does not fit the catalog.
    """
    started = time.perf_counter()
    instant = to_utc(instant, segments.warehouse.zone)
    with _decided(segments, node, channel, instant, policy, category, product_id, history, quiet=False) as (
        con,
        decided,
    ):
        params = Params()
        limit = threshold_hex(hold_out.percent) if hold_out else "00000000"
        key = params.add(f"{hold_out.key if hold_out else ''}:")
        held = f"md5({key} || d.customer_id)[:8] < {params.add(limit)}" if limit else f"{key} IS NOT NULL"
        branch = "k.branch_id" if by_branch else "NULL::INTEGER"
        rows = execute(
            con,
            f"""SELECT {branch} AS branch_id, CASE WHEN decision <> 'send' THEN rule WHEN {held} THEN 'held_out'
                  ELSE 'allowed' END AS rule, count(*)
                FROM {decided} d LEFT JOIN customers k ON k.customer_id = d.customer_id GROUP BY ALL ORDER BY ALL""",
            params,
        ).fetchall()
        names = dict(con.execute("SELECT branch_id, name FROM branches").fetchall()) if by_branch else {}
    lost: dict[str, dict[str, int]] = {step: {} for step in STEPS}
    per_branch: dict[int | None, dict[str, int]] = {}
    for branch_id, rule, n in rows:
        mine = per_branch.setdefault(branch_id, dict.fromkeys(STEPS, 0))
        mine["matched"] += n
        if rule != "allowed":
            step = stage(rule)
            mine[step] += n
            lost[step][rule] = lost[step].get(rule, 0) + n
    left, steps = sum(n for _, _, n in rows), []
    for step in STEPS:
        gone = sum(lost[step].values())
        left -= gone
        steps.append(Step(step=step, count=left, lost=gone, rules=lost[step]))
    days = (policy.holidays_added, policy.workdays_added)
    quiet = quiet_at(policy.quiet_hours, channel, category, instant, segments.warehouse.zone, *days)
    shown = [(s.step, s.count, s.lost) for s in steps]
    return Waterfall(
        expression=to_text(node),
        channel=channel,
        instant=instant,
        steps=steps,
        branches=[
            BranchSteps(branch_id=branch_id, name=str(names.get(branch_id) or ""), counts=_running(mine))
            for branch_id, mine in per_branch.items()
        ]
        if by_branch
        else [],
        quiet_until=quiet.until if quiet else None,
        consent_assumed=policy.consent.assumed,
        skipped=skipped_rules([channel], instant, policy, segments),
        elapsed_ms=round((time.perf_counter() - started) * 1000, 1),
        evidence=_evidence(
            segments, f"waterfall: {channel}", node, instant, policy, ["step", "left", "lost"], shown, started, channel, category
        ),
    )  # fmt: skip


def stage(rule: str) -> str:
    """The step of the waterfall at which a rule takes candidates away."""
    if rule in STAGES:
        return STAGES[rule]
    if rule.startswith("suppressed_"):
        return "not_suppressed"
    return "not_held_out" if rule == "held_out" else "not_capped"


def _running(mine: dict[str, int]) -> list[int]:
    left, counts = mine["matched"], []
    for step in STEPS:
        left -= 0 if step == "matched" else mine[step]
        counts.append(left)
    return counts


@contextmanager
def _decided(
    segments: Segments,
    node: Node,
    channel: str,
    instant: datetime,
    policy: ThrottlePolicy,
    category: str,
    product_id: int | None,
    history: tuple[str, ...],
    *,
    quiet: bool,
) -> Iterator[tuple[duckdb.DuckDBPyConnection, str]]:
    """An overlay with the decided candidates: everybody in the segment, one touch each."""
    ids = segments.ids_sql(node, at=instant)
    with segments.warehouse.overlay() as con:
        table, params = temp_name("candidates"), Params()
        execute(
            con,
            f"""CREATE TEMP TABLE {table} AS
                SELECT customer_id, 'forecast' AS campaign_id, 'touch' AS node_id, {params.add(channel)}::VARCHAR AS channel,
                  {params.add(category)}::VARCHAR AS category, 50 AS priority,
                  {params.add(product_id)}::INTEGER AS product_id, 'forecast.' || customer_id AS touch_id,
                  'a' AS arm, 1 AS wave
                FROM ({ids})""",
            params,
        )
        decided = decide(con, table, instant, policy, segments, history, ignore_quiet=not quiet)
        yield con, decided


def _evidence(
    segments: Segments,
    title: str,
    node: Node,
    instant: datetime,
    policy: ThrottlePolicy,
    columns: list[str],
    rows: Sequence[tuple[object, ...]],
    started: float,
    channel: str,
    category: str,
) -> Evidence:
    """The record of a decision: who was looked at (SQL), under which policy (its digest), with which outcome."""
    return Evidence(
        title=title,
        sql=segments.ids_sql(node, at=instant),
        params=[channel, instant.isoformat(), category, digest(policy.model_dump(mode="json"))],
        row_count=len(rows),
        as_of=segments.warehouse.as_of,
        definition=(
            "Each customer of the query, decided by tools.throttle.decide for one touch; parameters: channel, instant, "
            "category, digest of the contact policy. See docs/throttle.md."
        ),
        columns=columns,
        preview=[[v.isoformat() if isinstance(v, datetime) else v for v in row] for row in rows[:20]],
        elapsed_ms=round((time.perf_counter() - started) * 1000, 1),
    )
