"""`Segments`: counting, breaking down, explaining and listing segments of one warehouse for one actor."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel, ConfigDict

from control.records import Actor, ListRecord, Records
from tools.segment import schema as s
from tools.segment.breakdown import Breakdown, break_down
from tools.segment.columns import Moment
from tools.segment.compiler import Compiler
from tools.segment.eql import to_text
from tools.segment.errors import ExpressionError
from tools.segment.expansion import expand
from tools.segment.snapshot import snapshot_conditions
from tools.segment.sql import to_sql
from tools.segment.tagged import check_usable
from tools.segment.walk import attributes_of, fields_of, flatten
from warehouse.catalog import Attribute, Catalog, nearest
from warehouse.errors import DeveloperFixes, ModelRetry
from warehouse.evidence import Evidence, record
from warehouse.store import Warehouse

SMALL = 10
"""A count below this brings its diagnosis along, and is a small group that models do not see exactly."""


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True)


class Cause(Frozen):
    """One of the and-ed conditions: how many meet it alone, and how many would be left without it."""

    condition: str
    alone: int
    without: int


class Count(Frozen):
    """How many customers a segment has.

    `unknown`: customers for whom some compared value was unknown. `total`: all customers the actor may see.
    `diagnosis` is given when the count is 0 or below 10 and there are several conditions.
    """

    expression: str
    count: int
    unknown: int
    total: int
    sql: str
    elapsed_ms: float
    diagnosis: list[Cause] = []
    evidence: list[Evidence] = []

    @property
    def share(self) -> float | None:
        return self.count / self.total if self.total else None


@dataclass(frozen=True)
class Segments:
    """The segments of one warehouse as one actor may see them.

    `known_lists` are lists that exist even while nobody is on them: the tags that a canvas at work puts on.
    """

    warehouse: Warehouse
    catalog: Catalog
    records: Records
    actor: Actor
    known_lists: frozenset[str] = frozenset()

    def count(self, node: s.Node, at: datetime | None = None, *, diagnose: bool = True) -> Count:
        """Count a segment at an instant (default: the data cut-off).

        Raises:
            ExpressionError: it names a list, segment or branch that does not exist.
        """
        started = time.perf_counter()
        tree = self.ready(node)
        here = self.compiler(tree, at).here()
        title = to_text(node)
        sql = to_sql(here.members(tree).count())
        result = self.warehouse.read(sql)
        count = int(result.scalar())
        kept = [record(self.warehouse, f"count: {title}", sql, [], result)]
        unknown, total = 0, self._total(here)
        condition = here.unknown(tree)
        if condition is not None:
            unknown = int(self.warehouse.read(to_sql(here.customers.relation.filter(condition).count())).scalar())
        causes = self.diagnose(tree, at) if diagnose and count < SMALL else []
        elapsed = (time.perf_counter() - started) * 1000
        return Count(
            expression=title, count=count, unknown=unknown, total=total, sql=sql, elapsed_ms=round(elapsed, 1),
            diagnosis=causes, evidence=kept,
        )  # fmt: skip

    def diagnose(self, node: s.Node, at: datetime | None = None) -> list[Cause]:
        """Leave-one-out: for each of the and-ed conditions its count alone, and the count without it."""
        tree = self.ready(node)
        parts = flatten(tree)
        if len(parts) < 2:
            return []
        causes = []
        for index, part in enumerate(parts):
            rest = parts[:index] + parts[index + 1 :]
            without = rest[0] if len(rest) == 1 else s.And(children=tuple(rest))
            causes.append(
                Cause(condition=to_text(part), alone=self._members(part, at), without=self._members(without, at))
            )
        return causes

    def breakdown(self, node: s.Node, by: str, at: datetime | None = None) -> Breakdown:
        """A segment by an attribute: values, bands of numbers, months of dates, branches by name.

        Raises:
            NotFound: there is no such attribute.
        """
        attribute = self.catalog.attribute(by)
        check_usable([by], self.catalog, self.records)
        tree = self.ready(node)
        here = self.compiler(tree, at, also=[by]).here()
        title = f"{to_text(node)} by {by}"
        return break_down(self.warehouse, self.catalog, here.moment, here.members(tree), attribute, title)

    def ids_sql(
        self, node: s.Node, at: datetime | None = None, entries: str | None = None, source: str = "customers"
    ) -> str:
        """One SELECT of the segment's `customer_id`, without parameters, branch scope applied.

        Args:
            entries: a relation (customer_id, entered_at) for `since entry` windows.
            source: a relation with a `customer_id`; only its customers are considered.
        """
        tree = self.ready(node)
        return to_sql(self.compiler(tree, at, entries, source).here().members(tree).select("customer_id"))

    def write_ids(self, node: s.Node, file: Path, at: datetime | None = None) -> int:
        """Write the segment's ids to a Parquet file (one BIGINT column `customer_id`, ascending).

        Returns:
            How many there are.

        Raises:
            ModelRetry: the folder does not exist.
        """
        ids = self.warehouse.read_arrow(f"SELECT customer_id FROM ({self.ids_sql(node, at)}) ORDER BY customer_id")
        if not file.parent.is_dir():
            raise ModelRetry(f"There is no folder {file.parent}.", "Make it first, or write elsewhere.")
        columns = pa.schema([pa.field("customer_id", pa.int64(), nullable=False)])
        pq.write_table(pa.table({"customer_id": ids.column("customer_id")}, schema=columns), file)
        return int(ids.num_rows)

    def snapshot_only(self, node: s.Node) -> list[str]:
        """The conditions that can only use today's snapshot, as texts: a dry run in the past must name them."""
        return snapshot_conditions(expand(node, self.records), self.catalog)

    # Shared with the other modules of this folder and with analysis

    def ready(self, node: s.Node) -> s.Node:
        """The tree by value, every list and branch it names known to exist."""
        tree = expand(node, self.records)
        check_usable(attributes_of(tree), self.catalog, self.records)
        self._check_references(tree)
        return tree

    def compiler(
        self, node: s.Node, at: datetime | None = None, entries: str | None = None, source: str = "customers",
        also: Sequence[str] = (),
    ) -> Compiler:  # fmt: skip
        """A compiler for a tree, scoped to what the actor may see."""
        if at is not None and at.tzinfo is None:
            raise DeveloperFixes("An evaluation instant must carry its zone.")
        moment = Moment(at or self.warehouse.as_of, self.warehouse.zone)
        names = attributes_of(node) | set(also)
        return Compiler.for_names(names, self.catalog, moment, entries=entries, source=source, branches=self.scope)

    @cached_property
    def scope(self) -> tuple[int, ...] | None:
        """The actor's branches with those below them; None means the whole bank."""
        return branch_scope(self.warehouse, self.actor)

    def _members(self, node: s.Node, at: datetime | None) -> int:
        here = self.compiler(node, at).here()
        return int(self.warehouse.read(to_sql(here.members(node).count())).scalar())

    def _total(self, here: Compiler) -> int:
        if self.scope is None:  # nothing to compile: a sixth of what a count of attributes costs
            return int(self.warehouse.read("SELECT count(*) FROM customers").scalar())
        return int(self.warehouse.read(to_sql(here.customers.relation.count())).scalar())

    def _lists(self) -> list[str]:
        tables = "SELECT 1 FROM information_schema.tables WHERE table_name = 'list_members'"
        if not self.warehouse.read(tables).rows:
            return []
        return [str(row[0]) for row in self.warehouse.read("SELECT DISTINCT name FROM list_members").rows]

    def _check_references(self, tree: s.Node) -> None:
        for node in fields_of(tree, s.InList):
            known = [*self._lists(), *self.known_lists]
            if node.name not in known:
                raise _missing("list", "名单", node.name, known)
        for name, value in _referenced(tree, self.catalog):
            other, column = name.split(".")
            known = [str(r[0]) for r in self.warehouse.read(f'SELECT DISTINCT "{column}" FROM "{other}"').rows]
            if value not in known:
                raise _missing(other.rstrip("es") or other, "机构" if other == "branches" else other, value, known)


def branch_scope(warehouse: Warehouse, actor: Actor | None) -> tuple[int, ...] | None:
    """The branches whose customers an actor may see: his own with those below them; None means the whole bank."""
    if actor is None or actor.branches is None:
        return None
    rows = warehouse.read("SELECT branch_id, parent_id FROM branches").rows
    below: set[int] = set(actor.branches)
    while more := {b for b, parent in rows if parent in below and b not in below}:
        below |= more
    return tuple(sorted(below))


def load_list(
    warehouse: Warehouse,
    records: Records,
    name: str,
    customer_ids: Sequence[int],
    actor: Actor,
    kind: str = "customer_id",
    report: Mapping[str, Any] | None = None,
) -> ListRecord:
    """Upload a list: its ids into the warehouse, its name and content hash into the records.

    An older upload under the same name stays, under its own hash: proposals may rest on it.

    Args:
        kind: what the file named its customers by.
        report: how its rows were matched; numbers only.
    """
    kept = records.save_list(name, customer_ids, actor, kind, report)
    ids = pa.table({"customer_id": pa.array(sorted(set(customer_ids)), pa.int64())})
    with warehouse.writer() as con:
        con.execute("CREATE TABLE IF NOT EXISTS list_members (name VARCHAR, sha256 VARCHAR, customer_id BIGINT)")
        con.execute("DELETE FROM list_members WHERE name = ? AND sha256 = ?", [kept.name, kept.sha256])
        con.register("uploaded", ids)
        con.execute("INSERT INTO list_members SELECT ?, ?, customer_id FROM uploaded", [kept.name, kept.sha256])
        con.unregister("uploaded")
    return kept


def _missing(what: str, what_zh: str, name: str, known: Sequence[str]) -> ExpressionError:
    near = nearest(name, known) or list(known)[:5]
    return ExpressionError(
        f"There is no {what} {name!r}.", f"没有名为“{name}”的{what_zh}。", nearest=near,
        fix="" if near else "There are none yet.", fix_zh="" if near else "目前还没有。",
    )  # fmt: skip


def _referenced(tree: s.Node, catalog: Catalog) -> list[tuple[str, str]]:
    found: list[tuple[str, Any]] = []
    for listed in fields_of(tree, s.In):
        found += [(listed.name, value) for value in listed.values]
    for node in fields_of(tree, s.Compare):
        if isinstance(node.left, s.Attr) and isinstance(node.right, s.Const):
            found.append((node.left.name, node.right.value))
        elif isinstance(node.right, s.Attr) and isinstance(node.left, s.Const):
            found.append((node.right.name, node.left.value))
    attributes: list[tuple[Attribute, Any]] = [(catalog.attribute(name), value) for name, value in found]
    return [(a.reference, v) for a, v in attributes if a.reference and isinstance(v, str)]
