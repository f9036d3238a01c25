"""Uploaded lists matched by One-ID: a file names customers by number, phone, identity card or account; only HMACs with the
bank's key are compared, as the importer made them. Raw values live in memory while a file is read, nowhere else."""

import hmac
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Literal

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field

from tools.segment.list_files import MAX_ROWS, ListFile, Named, too_many
from warehouse.importer.tables import normal
from warehouse.store import Warehouse

SHOWN_ROWS = 20
"""Row numbers that a report shows of each kind of trouble."""
Several = Literal["all", "none"]
"""What becomes of a value that several customer numbers share: all of them join the list, or none."""

_NUMBER = re.compile(r"[0-9]{1,18}(\.0+)?")
_MOBILE = re.compile(r"(?:\+?86|0086)?(1[3-9][0-9]{9})")
_ACCOUNT = re.compile(r"[0-9a-z]{4,34}")
_HANDLE = re.compile(r"[^\s\x00-\x1f]{1,128}")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10x98765432"


class MatchReport(BaseModel):
    """What became of a file's rows: rows = blank + malformed + duplicates + unique + several + unmatched.

    `customers` are the different customer numbers of the list; it is more than `unique` where values are shared. Row
    numbers count from 1 without a heading. No value of the file is in it.
    """

    model_config = ConfigDict(frozen=True)

    named: Named
    rows: int = 0
    blank: int = 0
    malformed: int = 0
    duplicates: int = 0
    unique: int = 0
    several: int = 0
    unmatched: int = 0
    customers: int = 0
    malformed_rows: list[int] = Field([])
    several_rows: list[int] = Field([])
    unmatched_rows: list[int] = Field([])


class Matched(BaseModel):
    """The customers of a list, and how they were found."""

    model_config = ConfigDict(frozen=True)

    customers: list[int]
    report: MatchReport


def match(
    warehouse: Warehouse,
    file: ListFile,
    key: bytes,
    branches: tuple[int, ...] | None = None,
    several: Several = "all",
) -> Matched:
    """Find the customers of a file.

    Args:
        key: the bank's key for identities (`home.key("hmac")`).
        branches: whose customers may be found; None means the whole bank. Others count as unmatched, so that nobody
            learns whether another branch has them.
        several: what becomes of values that several customers share. The default takes all of them in: a list that
            excludes must exclude every number of a person, and one that includes passes One-ID again before a touch.

    Raises:
        ModelRetry: the file has too many rows.
    """
    read = _Read(file, key)
    found = _by_number(warehouse, read, branches) if file.named == "customer_id" else _by_identity(warehouse, read, branches)  # fmt: skip
    customers: set[int] = set()
    rows: dict[str, list[int]] = {"unique": [], "several": [], "unmatched": []}
    for place, row in enumerate(read.first_rows):
        ids = found.get(place, ())
        rows["unmatched" if not ids else "unique" if len(ids) == 1 else "several"].append(row)
        if len(ids) == 1 or several == "all":
            customers.update(ids)
    report = MatchReport(
        named=file.named, rows=read.rows, blank=read.blank, malformed=read.malformed, duplicates=read.duplicates,
        unique=len(rows["unique"]), several=len(rows["several"]), unmatched=len(rows["unmatched"]),
        customers=len(customers), malformed_rows=read.malformed_rows,
        several_rows=sorted(rows["several"])[:SHOWN_ROWS], unmatched_rows=sorted(rows["unmatched"])[:SHOWN_ROWS],
    )  # fmt: skip
    return Matched(customers=sorted(customers), report=report)


class _Read:
    """A file's different values as keys to match by (numbers, or HMACs), each with the row that named it first."""

    def __init__(self, file: ListFile, secret: bytes) -> None:
        self.rows = self.blank = self.malformed = self.duplicates = 0
        self.malformed_rows: list[int] = []
        self.first_rows: list[int] = []
        self.keys: list[tuple[str, ...]] = []
        self.named = file.named
        seen: set[str] = set()
        readings = FORMS[file.named]
        for row, value in file.rows:
            self.rows += 1
            if self.rows > MAX_ROWS:
                raise too_many()
            text = "" if value is None else normal(str(value))
            forms = readings(text) if text else ()
            if not text:
                self.blank += 1
            elif not forms:
                self.malformed += 1
                if len(self.malformed_rows) < SHOWN_ROWS:
                    self.malformed_rows.append(row)
            elif forms[0] in seen:
                self.duplicates += 1
            else:
                seen.add(forms[0])
                self.first_rows.append(row)
                self.keys.append(forms if file.named == "customer_id" else tuple(_hmac(secret, f) for f in forms))


def _hmac(secret: bytes, value: str) -> str:
    return hmac.digest(secret, value.encode(), "sha256").hex()


def _number_form(text: str) -> tuple[str, ...]:
    return (str(int(text.partition(".")[0])),) if _NUMBER.fullmatch(text) else ()


def _phone_forms(text: str) -> tuple[str, ...]:
    """A mainland mobile number, and the ways in which a bank may have written it down."""
    found = _MOBILE.fullmatch(re.sub(r"[().]", "", text.removesuffix(".0")))
    return (found[1], f"+86{found[1]}", f"86{found[1]}") if found else ()


def _id_card_forms(text: str) -> tuple[str, ...]:
    """18 characters whose last checks the others (GB 11643), or the 15 digits of old cards."""
    if re.fullmatch(r"[0-9]{15}", text):
        return (text,)
    if not re.fullmatch(r"[0-9]{17}[0-9x]", text):
        return ()
    total = sum(int(digit) * weight for digit, weight in zip(text, _WEIGHTS, strict=False))
    return (text,) if _CHECK[total % 11] == text[17] else ()


def _matching(pattern: re.Pattern[str]) -> Callable[[str], tuple[str, ...]]:
    return lambda text: (text,) if pattern.fullmatch(text) else ()


FORMS: Mapping[Named, Callable[[str], tuple[str, ...]]] = {
    "customer_id": _number_form,
    "phone": _phone_forms,
    "id_card": _id_card_forms,
    "account": _matching(_ACCOUNT),
    "wecom": _matching(_HANDLE),
    "device": _matching(_HANDLE),
}
"""The forms in which the bank may hold a value, the proper one first; none for what cannot be such a value."""


def _within(branches: tuple[int, ...] | None) -> str:
    return "" if branches is None else f"WHERE c.branch_id IN ({', '.join(str(int(b)) for b in branches) or 'NULL'})"


def _by_number(warehouse: Warehouse, read: _Read, branches: tuple[int, ...] | None) -> dict[int, set[int]]:
    places = pa.array(range(len(read.keys)), pa.int64())
    asked = pa.table({"place": places, "customer_id": pa.array((int(k[0]) for k in read.keys), pa.int64())})
    sql = f"SELECT a.place, c.customer_id FROM asked_values a JOIN customers c USING (customer_id) {_within(branches)}"
    return _found(warehouse, asked, sql)


def _by_identity(warehouse: Warehouse, read: _Read, branches: tuple[int, ...] | None) -> dict[int, set[int]]:
    pairs = [(place, value) for place, values in enumerate(read.keys) for value in values]
    asked = pa.table(
        {
            "place": pa.array((p for p, _ in pairs), pa.int64()),
            "value_hmac": pa.array((v for _, v in pairs), pa.string()),
        }
    )
    sql = f"""SELECT DISTINCT a.place, c.customer_id FROM asked_values a
              JOIN identities i ON i.kind = '{read.named}' AND i.value_hmac = a.value_hmac
              JOIN customers c ON c.customer_id = i.customer_id {_within(branches)}"""
    return _found(warehouse, asked, sql)


def _found(warehouse: Warehouse, asked: pa.Table, sql: str) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    with warehouse.overlay() as con:
        con.register("asked_values", asked)
        try:
            rows: Iterable[tuple[int, int]] = con.execute(sql).fetchall()
        finally:
            con.unregister("asked_values")
    for place, customer in rows:
        found.setdefault(int(place), set()).add(int(customer))
    return found
