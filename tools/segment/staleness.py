"""How old what a segment's number rests on is: the data, the uploaded lists, the tags."""

from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict

from control.records import Records
from tools.segment import schema as s
from tools.segment.lineage import uses
from warehouse.catalog import Catalog, Language
from warehouse.errors import NotFound
from warehouse.store import Warehouse

DATA_STALE = timedelta(hours=36)
"""A nightly load that was missed once; older data is told as old."""
LIST_STALE = timedelta(days=30)


class Age(BaseModel):
    """One thing and its age at the home's now. `what` is data, list or tag."""

    model_config = ConfigDict(frozen=True)

    what: str
    name: str
    since: datetime | None
    hours: float | None
    stale: bool


class Staleness(BaseModel):
    model_config = ConfigDict(frozen=True)

    as_of: datetime
    now: datetime
    ages: list[Age]

    @property
    def stale(self) -> bool:
        return any(age.stale for age in self.ages)


def staleness(node: s.Node, warehouse: Warehouse, catalog: Catalog, records: Records) -> Staleness:
    """The ages of the data, and of every list and tag that a segment rests on, transitively.

    Raises:
        NotFound: it names a segment that is gone.
    """
    now = records.now()
    as_of = warehouse.as_of
    ages = [_age("data", "", as_of, now, DATA_STALE)]
    runs = records.latest_tag_runs()
    for item in uses(node, catalog, records):
        if item.kind == "list":
            try:
                uploaded = records.list_record(item.id).created_at
            except NotFound:
                uploaded = None
            ages.append(_age("list", item.id, uploaded, now, LIST_STALE))
        elif item.kind == "tag":
            tag = records.tag(item.detail)
            _, done = runs.get(tag.id, (None, None))
            allowed = timedelta(days=7 if tag.every == "weekly" else 1) + DATA_STALE
            age = _age("tag", tag.name, done.as_of if done else None, now, allowed)
            ages.append(age.model_copy(update={"stale": age.stale or tag.expires_at <= now}))
    return Staleness(as_of=as_of, now=now, ages=ages)


def _age(what: str, name: str, since: datetime | None, now: datetime, allowed: timedelta) -> Age:
    passed = None if since is None else max(timedelta(), now - since)
    return Age(
        what=what, name=name, since=since, hours=None if passed is None else round(passed.total_seconds() / 3600, 1),
        stale=passed is None or passed > allowed,
    )  # fmt: skip


def in_words(found: Staleness, language: Language) -> list[str]:
    """One sentence for each thing that is older than it should be."""
    sentences = []
    for age in found.ages:
        if not age.stale:
            continue
        hours = age.hours or 0
        old_zh, old_en = (f"{hours / 24:.0f} 天", f"{hours / 24:.0f} days") if hours >= 48 else (f"{hours:.0f} 小时", f"{hours:.0f} hours")  # fmt: skip
        if age.what == "data":
            zh, en = f"数据截止已是 {old_zh}前。", f"The data cut-off is {old_en} ago."
        elif age.what == "list":
            zh = f"名单“{age.name}”是 {old_zh}前上传的。" if age.since else f"名单“{age.name}”没有上传记录。"
            en = f"The list {age.name!r} was uploaded {old_en} ago." if age.since else f"The list {age.name!r} has no upload on record."  # fmt: skip
        else:
            zh, en = (
                f"标签“{age.name}”已过期，或没有按时重算。",
                f"The tag {age.name} has expired, or was not recomputed in time.",
            )
        sentences.append(zh if language == "zh" else en)
    return sentences
