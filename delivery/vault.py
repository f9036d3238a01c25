"""The contact vault: names and addresses, read only here and only at the moment of handing over."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from warehouse.errors import AdminFixes

ADDRESSED_BY: dict[str, str] = {"sms": "phone", "call": "phone", "email": "email"}
"""Channel → column of the vault; the bank's own channels find people by their customer number."""


@dataclass(frozen=True)
class Contact:
    """Kept out of representations: contacts must not reach logs or exceptions."""

    name: str = field(default="", repr=False)
    phone: str = field(default="", repr=False)
    email: str = field(default="", repr=False)

    def address(self, channel: str, customer_id: int) -> str:
        """Where a channel reaches the customer: phone, mail, or for the bank's own channels his customer number. Empty
        where the vault has none."""
        column = ADDRESSED_BY.get(channel)
        return str(customer_id) if column is None else str(getattr(self, column))


class Vault:
    """`contacts.duckdb`, read-only, opened for each batch so that an import is never kept out for long."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def keeps(self, channel: str) -> bool:
        """Whether addresses of a channel are kept here at all. A bank may leave them with whatever sends its messages,
        which then finds people by their customer number.

        Raises:
            AdminFixes: the vault is missing or cannot be opened.
        """
        column = ADDRESSED_BY.get(channel)
        if column is None:
            return True
        with self._open() as con:
            return con.execute(f"SELECT 1 FROM contacts WHERE {column} IS NOT NULL LIMIT 1").fetchone() is not None

    def contacts(self, customer_ids: Sequence[int]) -> dict[int, Contact]:
        """The contacts of these customers; who is not in the vault is not in the answer.

        Raises:
            AdminFixes: the vault is missing or cannot be opened.
        """
        with self._open() as con:
            rows = con.execute(
                """SELECT customer_id, coalesce(any_value(name), ''), coalesce(any_value(phone), ''),
                          coalesce(any_value(email), '')
                   FROM contacts WHERE customer_id IN (SELECT unnest(?::BIGINT[])) GROUP BY 1""",
                [list(customer_ids)],
            ).fetchall()
        return {int(i): Contact(name, phone, email) for i, name, phone, email in rows}

    @contextmanager
    def _open(self) -> Iterator[duckdb.DuckDBPyConnection]:
        if not self._path.exists():
            raise AdminFixes(f"The contact vault {self._path} is missing.", "Import the contacts, or restore the file.")
        try:
            con = duckdb.connect(str(self._path), read_only=True)
        except duckdb.Error as error:
            raise AdminFixes(
                f"The contact vault cannot be opened: {type(error).__name__}.", "Stop the process that holds it."
            ) from None
        try:
            yield con
        finally:
            con.close()
