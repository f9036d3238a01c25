"""Self-service tags, as a part of a workspace: make, list, renew, recompute, remove."""

from datetime import timedelta
from typing import TYPE_CHECKING

from server.access import needs
from server.lives import LifeWork
from server.schema import RenewAsked, TagAsked, TagInfo, TagRunView, TagView

if TYPE_CHECKING:
    from control.records import TagRecord
    from tools.segment.tags import TagState


class TagWork(LifeWork):
    @needs("draft")
    def tag_create(self, asked: TagAsked) -> TagInfo:
        """Make a tag of an expression or saved segment; it is computed at once and is an attribute from then on.

        Raises:
            ModelRetry: the name means something already, the schedule or the expression does not do.
            PersonDecides: there is a tag with this name.
        """
        from tools.segment.tags import create

        stores = self.stores
        node = self._node(asked.expression)
        made, run = create(
            self._segments(), asked.name, node, zh=asked.zh, en=asked.en, every=asked.every, hour=asked.hour,
            weekday=asked.weekday, expires_at=stores.clock.now() + timedelta(days=asked.days),
            source=self._source(asked.expression),
        )  # fmt: skip
        stores.renew_catalog()
        stores.authority.audit.append(
            "tag.created",
            self.actor,
            {"tag": made.id, "name": made.name, "definition": made.definition, "size": run.size},
        )
        return self._one(made.id)

    @needs("read")
    def tags(self) -> list[TagInfo]:
        """All tags with owner, freshness and size, expired ones among them, the newest first."""
        from tools.segment.tags import states

        sizes = self._tag_sizes()
        return [self._tag_info(state, sizes) for state in states(self.stores.records, self.stores.clock.zone)]

    @needs("read")
    def tag(self, name: str) -> TagView:
        """One tag with its runs and its lineage.

        Raises:
            NotFound: with the nearest names.
        """
        from tools.segment.lineage import lineage_of_tag

        record = self.stores.records.tag(name)
        info = self._one(record.id)
        whole = self._segments().scope is None
        runs = [
            TagRunView(
                run_at=run.run_at, as_of=run.as_of, problem=run.problem,
                size=None if run.size is None or not whole else self.shown(run.size),
                entered=None if run.entered is None or not whole else self.shown(run.entered),
                lost=None if run.lost is None or not whole else self.shown(run.lost),
            )
            for run in self.stores.records.tag_runs(record.id)
        ]  # fmt: skip
        lineage = lineage_of_tag(record, self.stores.catalog, self.stores.records)
        return TagView(**info.model_dump(), runs=runs, lineage=self._lineage_view(lineage, record.expression))

    @needs("draft")
    def tag_renew(self, name: str, asked: RenewAsked) -> TagInfo:
        """Let a tag live on; one that had expired is computed anew.

        Raises:
            Forbidden: it is somebody else's, and the caller is no manager.
        """
        from tools.segment.tags import recompute

        stores = self.stores
        record = stores.records.tag(name)
        self._own_or_manage(record.person)
        now = stores.clock.now()
        renewed = stores.records.renew_tag(record.id, now + timedelta(days=asked.days))
        if record.expires_at <= now:
            recompute(self._segments(), renewed)
        stores.authority.audit.append(
            "tag.renewed", self.actor, {"tag": record.id, "expires_at": renewed.expires_at.isoformat()}
        )
        return self._one(record.id)

    @needs("draft")
    def tag_refresh(self, name: str) -> TagInfo:
        """Recompute a tag now.

        Raises:
            ModelRetry: what it rests on is gone; its members stay.
        """
        from tools.segment.tags import recompute

        record = self.stores.records.tag(name)
        recompute(self._segments(), record)
        return self._one(record.id)

    @needs("draft")
    def tag_remove(self, name: str) -> TagInfo:
        """Remove a tag and its members.

        Raises:
            Forbidden: it is somebody else's, and the caller is no manager.
            PersonDecides: segments, tags, canvases or open proposals use it; the message names them.
        """
        from tools.segment.lineage import refuse_if_used, users
        from tools.segment.tags import forget

        stores = self.stores
        record = stores.records.tag(name)
        self._own_or_manage(record.person)
        refuse_if_used(
            f"The tag {record.name}", f"标签“{record.name}”", users("tag", record.name, stores.records, stores.catalog)
        )
        info = self._one(record.id)
        stores.records.remove_tag(record.id)
        stores.renew_catalog()
        forget(stores.warehouse, record.id)
        stores.authority.audit.append("tag.removed", self.actor, {"tag": record.id, "name": record.name})
        return info

    def _source(self, expression: str) -> str:
        """The saved segment that an expression is the id or name of."""
        saved = self._saved(expression)
        return saved.id if saved else ""

    def _one(self, id_: str) -> TagInfo:
        from tools.segment.tags import states

        sizes = self._tag_sizes()
        return next(
            self._tag_info(state, sizes)
            for state in states(self.stores.records, self.stores.clock.zone)
            if state.tag.id == id_
        )

    def _tag_info(self, state: "TagState", sizes: dict[str, int] | None) -> TagInfo:
        record: TagRecord = state.tag
        size = state.size if sizes is None else sizes.get(record.id, 0)
        return TagInfo(
            id=record.id, name=record.name, zh=record.zh, en=record.en, expression=record.expression,
            owner=record.account, source=record.source, every=record.every, hour=record.hour, weekday=record.weekday,
            state=state.state, size=None if size is None else self.shown(size), as_of=state.as_of, run_at=state.run_at,
            next_run=None if state.state == "expired" else state.next_run, expires_at=record.expires_at,
            created_at=record.created_at, problem=state.problem,
        )  # fmt: skip

    def _tag_sizes(self) -> dict[str, int] | None:
        """By tag, its customers of the caller's branches; None for those who see the whole bank."""
        scope = self._segments().scope
        if scope is None:
            return None
        warehouse = self.stores.warehouse
        if not warehouse.read("SELECT 1 FROM information_schema.tables WHERE table_name = 'tag_members'").rows:
            return {}
        within = ", ".join(str(int(b)) for b in scope) or "NULL"
        sql = f"""SELECT m.tag, count(*) FROM tag_members m JOIN customers c USING (customer_id)
                  WHERE c.branch_id IN ({within}) GROUP BY 1"""
        return {str(tag): int(n) for tag, n in warehouse.read(sql).rows}
