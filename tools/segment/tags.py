"""Self-service tags: an expression that people made into a boolean attribute, recomputed on a schedule until it expires.

A tag's definition never changes: who wants another makes another tag. So an approved proposal that names a tag means what
it meant. Members live in the warehouse (`tag_members`), everything else in the records. A tag that has expired, was removed
or never computed is an error wherever it is used, never false.
"""

import re
from collections.abc import Iterable
from datetime import datetime, time, timedelta
from math import inf
from time import monotonic
from typing import Literal
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
from pydantic import BaseModel, ConfigDict

from control.records import Actor, Every, Records, TagRecord, TagRunRecord, digest
from tools.segment import schema as s
from tools.segment.eql import to_text
from tools.segment.errors import ExpressionError
from tools.segment.expansion import dump, expand, load
from tools.segment.segments import Segments
from tools.segment.vocabulary import fold
from tools.segment.walk import transform
from warehouse.catalog import NAME, Catalog
from warehouse.clock import to_utc
from warehouse.errors import ModelRetry, TouchlineError
from warehouse.store import Warehouse

MEMBERS_DDL = "CREATE TABLE IF NOT EXISTS tag_members (tag VARCHAR, customer_id BIGINT)"
WARN = timedelta(days=7)
"""How long before its end a tag warns."""
LONGEST = timedelta(days=366)
"""Nobody remembers a tag for longer; a year at a time."""
RETRY = timedelta(minutes=15)
"""How soon a run that failed is tried again."""

State = Literal["fresh", "stale", "failed", "expiring", "expired"]


class TagState(BaseModel):
    """A tag as it stands. `size` is of its last good run, at the data cut-off `as_of`; None while there was none."""

    model_config = ConfigDict(frozen=True)

    tag: TagRecord
    state: State
    size: int | None
    as_of: datetime | None
    run_at: datetime | None
    next_run: datetime
    problem: str = ""


def check_name(name: str, words: Iterable[str], catalog: Catalog) -> None:
    """Pass if a tag may be called so.

    Raises:
        ModelRetry: the name is none, or it or one of its words means something already.
    """
    if not re.fullmatch(NAME, name):
        raise ModelRetry(
            f"{name!r} cannot name a tag.", "Use small letters, digits and _, beginning with a letter: high_value_q4.",
            message_zh=f"“{name}”不能作为标签代码。", fix_zh="用小写字母、数字和下划线，以字母开头，例如 high_value_q4。",
        )  # fmt: skip
    taken: dict[str, str] = {}
    for group in (catalog.attributes, catalog.terms, catalog.events, catalog.metrics):
        for entry in group:
            taken |= {fold(word): entry.name for word in (entry.name, *entry.words.all())}
    for word in (name, *words):
        if fold(word) in taken:
            raise ModelRetry(
                f"{word!r} already means {taken[fold(word)]}.", "Call the tag something else.",
                message_zh=f"“{word}”已有含义：{taken[fold(word)]}。", fix_zh="请换一个名称。",
            )  # fmt: skip


def definition(node: s.Node, records: Records) -> s.Node:
    """What a tag computes: the segments it names spelt out as they are now, lists by name so that each run takes their
    newest upload.

    Raises:
        ExpressionError: segments name each other in a circle, or a `since entry` window has no entry to begin at.
    """
    tree = transform(expand(node, records), _by_name)
    if '"since_entry"' in str(tree.model_dump_json()):
        raise ExpressionError(
            "A tag has no entry that 'since entry' could begin at.", "标签没有“进入”时刻，不能用 since entry。",
            fix="Use a window such as last 7d.", fix_zh="请用 last 7d 这样的时间窗。",
        )  # fmt: skip
    return tree


def _by_name(leaf: s.Node) -> s.Node:
    return leaf.model_copy(update={"sha256": ""}) if isinstance(leaf, s.InList) else leaf


def create(
    segments: Segments,
    name: str,
    node: s.Node,
    *,
    zh: str = "",
    en: str = "",
    every: Every = "daily",
    hour: int = 6,
    weekday: int | None = None,
    expires_at: datetime,
    source: str = "",
) -> tuple[TagRecord, TagRunRecord]:
    """Make a tag and compute it at once.

    Raises:
        ModelRetry: the name, the hour, the weekday or the expiry does not do.
        PersonDecides: there is a tag with this name.
        ExpressionError: the definition names something that does not exist.
    """
    records = segments.records
    zh, en = zh.strip() or en.strip() or name, en.strip() or name.replace("_", " ")
    check_name(name, {zh, en} - {name}, segments.catalog)
    check_schedule(every, hour, weekday)
    check_expiry(expires_at, records.now())
    tree = definition(node, records)
    segments.ready(tree)
    made = records.save_tag(
        name, zh, en, to_text(node), dump(tree), digest(dump(tree)), segments.actor,
        every=every, hour=hour, weekday=weekday if every == "weekly" else None, expires_at=expires_at, source=source,
    )  # fmt: skip
    try:
        run = recompute(segments, made)
    except TouchlineError:
        records.remove_tag(made.id)
        raise
    return made, run


def check_schedule(every: Every, hour: int, weekday: int | None) -> None:
    """Raises: ModelRetry for an hour outside 0..23, or a weekly schedule without a day from 0 (Monday) to 6."""
    if not 0 <= hour <= 23 or (every == "weekly" and (weekday is None or not 0 <= weekday <= 6)):
        raise ModelRetry(
            "A tag is recomputed daily at an hour from 0 to 23, or weekly on a day from 0 (Monday) to 6.",
            "Such as daily at 6, or weekly on 0 at 6.",
            message_zh="标签每天在 0–23 点之间重算，或每周在 0（周一）到 6 之间的一天重算。", fix_zh="例如每天 6 点，或每周一 6 点。",
        )  # fmt: skip


def check_expiry(expires_at: datetime, now: datetime) -> None:
    """Raises: ModelRetry for an end that has passed or is more than a year away."""
    if not now < expires_at <= now + LONGEST:
        raise ModelRetry(
            "A tag ends in the future, within a year.", "Renew it later if it is still needed.",
            message_zh="标签的到期时间必须在未来一年之内。", fix_zh="到期前可以再续期。",
        )  # fmt: skip


def whole_bank(segments: Segments) -> Segments:
    """The same stores for nobody in particular: a tag is the bank's, whoever's branches made it. What each may see of
    it is limited where it is used, as with any attribute."""
    return Segments(
        segments.warehouse, segments.catalog, segments.records, Actor(account="scheduler", person="scheduler")
    )


def recompute(segments: Segments, tag: TagRecord) -> TagRunRecord:
    """Compute a tag's members at the present data cut-off and replace them in one transaction.

    The expensive part runs beside the writer queue; only the exchange is inside it.

    Raises:
        TouchlineError: it cannot be computed (a list, segment or tag it rests on is gone); its members stay.
    """
    everybody = whole_bank(segments)
    warehouse = segments.warehouse
    as_of = warehouse.as_of
    ids = warehouse.read_arrow(everybody.ids_sql(load(tag.tree))).select(["customer_id"])
    entered, lost = _exchange(warehouse, tag.id, ids)
    return segments.records.keep_tag_run(
        TagRunRecord(
            tag=tag.id, run_at=segments.records.now(), as_of=as_of, size=ids.num_rows, entered=entered, lost=lost
        )
    )


def _exchange(warehouse: Warehouse, tag: str, ids: pa.Table) -> tuple[int, int]:
    with warehouse.writer() as con:
        con.execute(MEMBERS_DDL)
        con.register("new_members", ids)
        try:
            row = con.execute(
                """WITH old AS (SELECT customer_id FROM tag_members WHERE tag = ?)
                SELECT (SELECT count(*) FROM new_members ANTI JOIN old USING (customer_id)),
                       (SELECT count(*) FROM old ANTI JOIN new_members USING (customer_id))""",
                [tag],
            ).fetchone()
            con.execute("DELETE FROM tag_members WHERE tag = ?", [tag])
            con.execute("INSERT INTO tag_members SELECT ?, customer_id FROM new_members", [tag])
        finally:
            con.unregister("new_members")
    return (int(row[0]), int(row[1])) if row else (0, 0)


def forget(warehouse: Warehouse, tag: str) -> None:
    """Drop a removed tag's members."""
    with warehouse.writer() as con:
        con.execute(MEMBERS_DDL)
        con.execute("DELETE FROM tag_members WHERE tag = ?", [tag])


# Schedule


def due_at(tag: TagRecord, after: datetime, zone: ZoneInfo) -> datetime:
    """The first scheduled instant after another one: an hour of the bank's day, daily or on a day of the week."""
    local = after.astimezone(zone)
    day = local.date()
    while True:
        at = to_utc(datetime.combine(day, time(tag.hour)), zone)
        if at > after and (tag.every == "daily" or day.weekday() == tag.weekday):
            return at
        day += timedelta(days=1)


def states(records: Records, zone: ZoneInfo) -> list[TagState]:
    """All tags that were not removed, the newest first."""
    runs = records.latest_tag_runs()
    return [_state(tag, runs.get(tag.id), records.now(), zone) for tag in records.tags()]


def _state(
    tag: TagRecord, runs: tuple[TagRunRecord, TagRunRecord | None] | None, now: datetime, zone: ZoneInfo
) -> TagState:
    last, good = runs if runs else (None, None)
    next_run = due_at(tag, good.run_at if good else tag.created_at, zone)
    if last is not None and last.problem:
        next_run = max(next_run, last.run_at + RETRY)
    state: State = "fresh"
    if tag.expires_at <= now:
        state = "expired"
    elif last is not None and last.problem:
        state = "failed"
    elif next_run <= now - RETRY:
        state = "stale"
    elif tag.expires_at <= now + WARN:
        state = "expiring"
    return TagState(
        tag=tag, state=state, size=good.size if good else None, as_of=good.as_of if good else None,
        run_at=good.run_at if good else None, next_run=next_run, problem=last.problem if last else "",
    )  # fmt: skip


def run_due(segments: Segments, until: float = inf) -> list[TagRunRecord]:
    """Recompute the tags whose time has come, those that wait longest first. A tag that cannot be computed is noted with
    its reason and tried again later; it stops no other.

    Args:
        until: the reading of `time.monotonic` after which no other is begun.
    """
    records = segments.records
    now, zone = records.now(), segments.warehouse.zone
    due = [state for state in states(records, zone) if state.state != "expired" and state.next_run <= now]
    done = []
    for state in sorted(due, key=lambda state: (state.next_run, state.tag.created_at)):
        if monotonic() > until:
            break
        try:
            done.append(recompute(segments, state.tag))
        except (TouchlineError, duckdb.Error) as error:
            # The text of a database error may hold values; its class is enough to find it in the log.
            problem = str(error) if isinstance(error, TouchlineError) else type(error).__name__
            failed = TagRunRecord(tag=state.tag.id, run_at=now, as_of=segments.warehouse.as_of, problem=problem)
            done.append(records.keep_tag_run(failed))
    return done
