"""The lists part of a workspace: customers named one by one in a file, for `in_list('name')`.

A file is data: it is parsed here from its bytes, never opened by SQL, and no path comes from outside. Only customers of
the uploader's branches become part of a list, and a report tells him of nobody else's.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator

import pyarrow as pa
import pyarrow.parquet as pq

from server.access import needs
from server.schema import MAX_UPLOAD, ListInfo, ListReport
from server.segments import SegmentWork
from warehouse.errors import Forbidden, ModelRetry

MAX_ROWS = 5_000_000
SHOWN_ROWS = 20
COLUMN = "customer_id"
LIST_NAME = re.compile(r"[^\x00-\x1f'\"\\]{1,80}")
"""What a list may be called: a name that can be written in an expression, in any script."""
_NUMBER = re.compile(r"[0-9]{1,18}(\.0+)?")


class ListWork(SegmentWork):
    @needs("draft")
    def list_upload(self, name: str, content: bytes) -> ListReport:
        """Upload a list; a list of one's own under the same name gives way to it, proposals keep the old one by value.

        Args:
            content: a CSV or Parquet file with a column customer_id, or one id per line.

        Raises:
            ModelRetry: the name or the file does not fit, or none of its ids is a customer of the caller's branches.
            Forbidden: the name is that of somebody else's list.
        """
        from tools.segment import load_list

        name = name.strip()
        if len(content) > MAX_UPLOAD:
            raise ModelRetry(
                f"The file is larger than {MAX_UPLOAD // 2**20} MB.",
                "Send Parquet, or only the column customer_id.",
                message_zh=f"文件超过 {MAX_UPLOAD // 2**20} MB。",
                fix_zh="请用 Parquet，或只保留 customer_id 列。",
            )
        if not LIST_NAME.fullmatch(name):
            raise ModelRetry(
                "A list's name has 1 to 80 characters, without quotes, backslashes and line breaks.",
                "Give it a name such as vip or 高端客户.",
                message_zh="名单名称为 1 到 80 个字，不含引号、反斜线和换行。",
                fix_zh="例如 vip 或 高端客户。",
            )
        self._free(name)
        found = _read(content)
        customers, unknown = self._split(found.ids)
        if not customers:
            raise ModelRetry(
                f"None of the {found.rows} rows names a customer of your branches.",
                "Check that the file holds the bank's customer_id, not an account or phone number.",
                message_zh=f"{found.rows} 行里没有一个是你所辖机构的客户。",
                fix_zh="请检查文件里是客户号（customer_id），而不是账号或手机号。",
            )
        kept = load_list(self.stores.warehouse, self.stores.records, name, sorted(customers), self.actor)
        self.stores.authority.audit.append(
            "list.uploaded", self.actor, {"name": kept.name, "sha256": kept.sha256, "size": kept.size}
        )
        return ListReport(
            name=kept.name,
            size=self.shown(kept.size),
            sha256=kept.sha256,
            uploaded_by=kept.account,
            created_at=kept.created_at,
            rows=found.rows,
            matched=self.shown(len(customers)),
            unknown=len(unknown),
            duplicates=found.rows - found.invalid - len(found.ids),
            invalid=found.invalid,
            unknown_rows=sorted(found.ids[i] for i in unknown)[:SHOWN_ROWS],
            invalid_rows=found.invalid_rows,
        )

    @needs("read")
    def lists(self) -> list[ListInfo]:
        """Uploaded lists, the latest first; those who see some branches only see lists with customers of theirs."""
        sizes = self._sizes()
        found = []
        for record in self.stores.records.lists():
            size = sizes.get((record.name, record.sha256), 0)
            if size or record.person == self.actor.person:
                found.append(
                    ListInfo(
                        name=record.name,
                        size=self.shown(size),
                        sha256=record.sha256,
                        uploaded_by=record.account,
                        created_at=record.created_at,
                    )
                )
        return found

    def _free(self, name: str) -> None:
        """Pass if no list of somebody else has this name: `in_list` in his segments must go on meaning his."""
        for record in self.stores.records.lists(limit=100_000):
            if record.name == name and record.person != self.actor.person:
                raise Forbidden(
                    "There is a list with this name, uploaded by somebody else.",
                    "Choose another name.",
                    message_zh="别人已经上传了同名名单。",
                    fix_zh="请换一个名称。",
                )

    def _split(self, ids: Iterable[int]) -> tuple[set[int], set[int]]:
        """Which ids are customers in the caller's scope, and which are not."""
        wanted = set(ids)
        if not wanted:
            return set(), set()
        scope = self._segments().scope
        within = "" if scope is None else f" AND c.branch_id IN ({', '.join(str(int(b)) for b in scope) or 'NULL'})"
        with self.stores.warehouse.overlay() as con:
            con.register("asked_ids", pa.table({COLUMN: pa.array(wanted, pa.int64())}))
            try:
                rows = con.execute(
                    f"SELECT c.customer_id FROM customers c SEMI JOIN asked_ids USING (customer_id) WHERE TRUE{within}"
                ).fetchall()
            finally:
                con.unregister("asked_ids")
        known = {int(row[0]) for row in rows}
        return known, wanted - known

    def _sizes(self) -> dict[tuple[str, str], int]:
        """Customers of every list within the caller's scope, by name and content."""
        warehouse = self.stores.warehouse
        if not warehouse.read("SELECT 1 FROM information_schema.tables WHERE table_name = 'list_members'").rows:
            return {}
        scope = self._segments().scope
        within = "" if scope is None else f"WHERE c.branch_id IN ({', '.join(str(int(b)) for b in scope) or 'NULL'})"
        sql = f"""SELECT m.name, m.sha256, count(*) FROM list_members m JOIN customers c USING (customer_id) {within}
                  GROUP BY ALL"""
        return {(str(name), str(sha256)): int(n) for name, sha256, n in warehouse.read(sql).rows}


class _Found:
    """What a file holds: different ids with the row that named each first, and the rows that hold none."""

    def __init__(self) -> None:
        self.ids: dict[int, int] = {}
        self.rows = 0
        self.invalid = 0
        self.invalid_rows: list[int] = []

    def add(self, row: int, value: object) -> None:
        text = "" if value is None else str(value).strip()
        self.rows += 1
        if self.rows > MAX_ROWS:
            raise _too_many()
        if not _NUMBER.fullmatch(text):
            self.invalid += 1
            if len(self.invalid_rows) < SHOWN_ROWS:
                self.invalid_rows.append(row)
            return
        self.ids.setdefault(int(text.partition(".")[0]), row)


def _read(content: bytes) -> _Found:
    """The ids of a file.

    Raises:
        ModelRetry: it is neither Parquet, CSV with a column customer_id, nor one id per line.
    """
    found = _Found()
    values = _parquet(content) if content[:4] == b"PAR1" else _lines(_decoded(content))
    for row, value in values:
        found.add(row, value)
    if not found.rows:
        raise ModelRetry(
            "The file is empty.",
            "Send one with at least one id.",
            message_zh="文件是空的。",
            fix_zh="至少要有一个客户号。",
        )
    return found


def _parquet(content: bytes) -> Iterator[tuple[int, object]]:
    try:
        file = pq.ParquetFile(pa.BufferReader(content))
        names = file.schema_arrow.names
        column = next((n for n in names if n.casefold() == COLUMN), names[0] if len(names) == 1 else None)
        if column is None:
            raise _no_column()
        if file.metadata.num_rows > MAX_ROWS:
            raise _too_many()
        row = 0
        for batch in file.iter_batches(columns=[column]):
            for value in batch.column(0).to_pylist():
                row += 1
                yield row, value
    except (pa.ArrowException, OSError):
        raise ModelRetry(
            "The Parquet file cannot be read.", "Write it again, or send CSV.",
            message_zh="Parquet 文件读不出来。", fix_zh="请重新导出，或改用 CSV。",
        ) from None  # fmt: skip


def _decoded(content: bytes) -> str:
    """Text in UTF-8, or in the encoding that Chinese spreadsheets write."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" not in text:
            return text
    raise ModelRetry(
        "The file is neither text nor Parquet.", "Send CSV, Parquet, or one id per line.",
        message_zh="文件既不是文本也不是 Parquet。", fix_zh="请用 CSV、Parquet，或每行一个客户号的文本。",
    )  # fmt: skip


def _lines(text: str) -> Iterator[tuple[int, object]]:
    """Rows of CSV with a heading, or of one id per line with or without one; empty lines are no rows."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    separator = next((s for s in (",", "\t", ";") if s in first), None)
    rows = csv.reader(io.StringIO(text), delimiter=separator or ",")
    position, number, begun = None if separator else 0, 0, False
    try:
        for cells in rows:
            if not any(cell.strip() for cell in cells):
                continue
            if not begun:
                begun = True
                heading = [cell.strip().casefold() for cell in cells]
                if COLUMN in heading:
                    position = heading.index(COLUMN)
                    continue
            if position is None:
                raise _no_column()
            number += 1
            yield number, cells[position] if position < len(cells) else ""
    except csv.Error:
        raise ModelRetry(
            "The CSV cannot be read.", "Check its quotes and separators.",
            message_zh="CSV 读不出来。", fix_zh="请检查引号和分隔符。",
        ) from None  # fmt: skip


def _no_column() -> ModelRetry:
    return ModelRetry(
        "The file has several columns, and none is customer_id.", "Name the column customer_id.",
        message_zh="文件有多列，但没有 customer_id 列。", fix_zh="请把客户号那一列命名为 customer_id。",
    )  # fmt: skip


def _too_many() -> ModelRetry:
    return ModelRetry(
        f"The file has more than {MAX_ROWS:,} rows.", "Describe so many customers by an expression instead.",
        message_zh=f"文件超过 {MAX_ROWS:,} 行。", fix_zh="这么多客户请用条件表达式来圈选。",
    )  # fmt: skip
