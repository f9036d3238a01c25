"""What every step of the build works with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import duckdb

from warehouse.demo_bank.dice import Dice

HISTORY_DAYS = 90
"""How far back daily behaviour (logins, views, payments) goes."""


@dataclass
class World:
    """The connection being filled, the dice, and the calendar of the data cut-off in bank time.

    `now` is `as_of` as a naive bank-zone time; events are drawn in bank time and stored minus `offset`.
    """

    con: duckdb.DuckDBPyConnection
    dice: Dice
    customers: int
    now: datetime
    offset: timedelta
    months: list[date] = field(default_factory=list)

    def __post_init__(self) -> None:
        end = self.now.date().replace(day=1) - timedelta(days=1)
        for _ in range(13):
            self.months.insert(0, end)
            end = end.replace(day=1) - timedelta(days=1)

    @property
    def today(self) -> date:
        return self.now.date()

    @property
    def today_sql(self) -> str:
        return f"DATE '{self.today:%Y-%m-%d}'"

    @property
    def now_sql(self) -> str:
        return f"TIMESTAMP '{self.now:%Y-%m-%d %H:%M:%S}'"

    def utc(self, local: str) -> str:
        """SQL for the stored instant of a bank-zone time."""
        return f"({local} - INTERVAL {int(self.offset.total_seconds())} SECOND)"

    def run(self, sql: str, parameters: Sequence[object] | Mapping[str, object] | None = None) -> None:
        self.con.execute(sql, parameters)

    def insert(self, table: str, rows: Sequence[Sequence[object]]) -> None:
        """Append a few rows in one statement."""
        columns = list(zip(*rows, strict=True))
        values = ", ".join("unnest(?)" for _ in columns)
        self.con.execute(f'INSERT INTO "{table}" SELECT {values}', [list(column) for column in columns])

    def count(self, table: str) -> int:
        row = self.con.execute(f'SELECT count(*) FROM "{table}"').fetchone()
        return int(row[0]) if row else 0
