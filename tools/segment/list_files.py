"""Files of customers named one by one: CSV, Parquet, or one per line. A file is data: it is parsed from its bytes, never
opened by SQL, and none of its values ever stands in a message, a log or a report."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.errors import ModelRetry

Named = Literal["customer_id", "phone", "id_card", "account", "wecom", "device"]
"""What a file may name its customers by."""
NAMED: tuple[Named, ...] = get_args(Named)
HEADINGS: dict[Named, tuple[str, ...]] = {
    "customer_id": ("customer_id", "客户号", "客户编号"),
    "phone": ("phone", "mobile", "手机号", "手机", "手机号码", "电话"),
    "id_card": ("id_card", "身份证", "身份证号", "证件号", "证件号码"),
    "account": ("account", "账号", "卡号", "银行卡号"),
    "wecom": ("wecom", "企业微信", "企微号"),
    "device": ("device", "设备号"),
}
MAX_ROWS = 5_000_000
Rows = Iterator[tuple[int, object]]


@dataclass(frozen=True)
class ListFile:
    """The column of a file that names customers: what by, and its values with the number of their row."""

    named: Named
    rows: Rows


def read(content: bytes, named: Named | None = None) -> ListFile:
    """The naming column of a file, found by its heading.

    Args:
        named: what the customers are named by; None goes by the heading, and takes a single column without one for
            customer numbers.

    Raises:
        ModelRetry: it is neither Parquet nor text, or has no such column.
    """
    return _parquet(content, named) if content[:4] == b"PAR1" else _text(_decoded(content), named)


def _column(headings: list[str], named: Named | None) -> tuple[int, Named] | None:
    folded = [heading.strip().casefold() for heading in headings]
    for kind in (named,) if named else NAMED:
        for place, heading in enumerate(folded):
            if heading in HEADINGS[kind]:
                return place, kind
    return None


def _parquet(content: bytes, named: Named | None) -> ListFile:
    try:
        file = pq.ParquetFile(pa.BufferReader(content))
        names = list(file.schema_arrow.names)
        if file.metadata.num_rows > MAX_ROWS:
            raise too_many()
    except (pa.ArrowException, OSError):
        raise _unreadable_parquet() from None
    found = _column(names, named) or ((0, named or "customer_id") if len(names) == 1 else None)
    if found is None:
        raise _no_column(named)
    return ListFile(found[1], _parquet_rows(file, names[found[0]]))


def _parquet_rows(file: pq.ParquetFile, column: str) -> Rows:
    row = 0
    try:
        for batch in file.iter_batches(columns=[column]):
            for value in batch.column(0).to_pylist():
                row += 1
                yield row, value
    except (pa.ArrowException, OSError):
        raise _unreadable_parquet() from None


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
        "The file is neither text nor Parquet.", "Send CSV, Parquet, or one customer per line.",
        message_zh="文件既不是文本也不是 Parquet。", fix_zh="请用 CSV、Parquet，或每行一个客户的文本。",
    )  # fmt: skip


def _text(text: str, named: Named | None) -> ListFile:
    first = next((line for line in text.splitlines() if line.strip()), "")
    separator = next((s for s in (",", "\t", ";") if s in first), None)
    cells = next(iter(csv.reader([first], delimiter=separator or ",")), []) if first else []
    found = _column(cells, named)
    if found is None and separator:
        raise _no_column(named)
    place, kind = found or (0, named or "customer_id")
    return ListFile(kind, _lines(text, separator or ",", place, heading=found is not None))


def _lines(text: str, separator: str, place: int, heading: bool) -> Rows:
    """Rows are counted from 1 without the heading; empty lines are no rows."""
    number, skipped = 0, not heading
    try:
        for cells in csv.reader(io.StringIO(text), delimiter=separator):
            if not any(cell.strip() for cell in cells):
                continue
            if not skipped:
                skipped = True
                continue
            number += 1
            yield number, cells[place] if place < len(cells) else ""
    except csv.Error:
        raise ModelRetry(
            "The CSV cannot be read.", "Check its quotes and separators.",
            message_zh="CSV 读不出来。", fix_zh="请检查引号和分隔符。",
        ) from None  # fmt: skip


def _unreadable_parquet() -> ModelRetry:
    return ModelRetry(
        "The Parquet file cannot be read.", "Write it again, or send CSV.",
        message_zh="Parquet 文件读不出来。", fix_zh="请重新导出，或改用 CSV。",
    )  # fmt: skip


def _no_column(named: Named | None) -> ModelRetry:
    wanted = HEADINGS[named] if named else tuple(HEADINGS[kind][0] for kind in NAMED)
    return ModelRetry(
        f"The file has several columns, and none is {' or '.join(wanted)}.", f"Name the column {wanted[0]}.",
        message_zh=f"文件有多列，但没有 {'、'.join(wanted)} 列。", fix_zh=f"请把那一列命名为 {wanted[0]}。",
    )  # fmt: skip


def too_many() -> ModelRetry:
    return ModelRetry(
        f"The file has more than {MAX_ROWS:,} rows.", "Describe so many customers by an expression instead.",
        message_zh=f"文件超过 {MAX_ROWS:,} 行。", fix_zh="这么多客户请用条件表达式来圈选。",
    )  # fmt: skip
