"""Pseudo-random numbers as SQL: a keyed hash of (seed, stream, row id), so that results depend on nothing else.

No row sees another's draws, so the number of threads, the order of rows and the number of customers change nothing.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

MACROS = (
    # DuckDB's integer hash mixes fully; xor with a constant per stream gives independent streams.
    "CREATE OR REPLACE TEMP MACRO draw(id, key) AS (hash(xor(hash(id::BIGINT), key::UBIGINT)) >> 11) / 9007199254740992.0",
    # When people use a bank: on the way to work, over lunch, in the evening; in seconds of the day.
    """CREATE OR REPLACE TEMP MACRO day_seconds(part, inside) AS CASE
        WHEN part < 0.18 THEN 27000 + inside * 7200 WHEN part < 0.44 THEN 43200 + inside * 6300
        WHEN part < 0.82 THEN 68400 + inside * 12600 ELSE 25200 + inside * 57600 END::BIGINT""",
)


@dataclass(frozen=True)
class Dice:
    """Draws for one seed. Streams are named, so that adding one changes no other."""

    seed: int

    def install(self, con: duckdb.DuckDBPyConnection) -> None:
        """Define the macros that the expressions below call."""
        for macro in MACROS:
            con.execute(macro)

    def key(self, stream: str) -> int:
        return int.from_bytes(hashlib.blake2b(f"{self.seed}/{stream}".encode(), digest_size=8).digest(), "big")

    def u(self, stream: str, row: str = "customer_id") -> str:
        """SQL for a uniform number in [0, 1) that belongs to (stream, row id)."""
        return f"draw({row}, {self.key(stream)})"

    def normal(self, stream: str, row: str = "customer_id") -> str:
        """SQL for a standard normal number (Box and Muller)."""
        return (
            f"(sqrt(-2 * ln(1 - {self.u(stream + '/radius', row)})) * cos(6.283185307179586 * "
            f"{self.u(stream + '/angle', row)}))"
        )

    def below(self, n: str | int, stream: str, row: str = "customer_id") -> str:
        """SQL for a whole number in [0, n)."""
        return f"floor({self.u(stream, row)} * ({n}))::BIGINT"

    def choose(self, shares: Sequence[tuple[str, float]], stream: str, row: str = "customer_id") -> str:
        """SQL for one of several SQL expressions with the given shares (the last takes what remains)."""
        draw, total, parts = self.u(stream, row), 0.0, []
        for value, share in shares[:-1]:
            total += share
            parts.append(f"WHEN {draw} < {total:.6f} THEN {value}")
        return f"CASE {' '.join(parts)} ELSE {shares[-1][0]} END"

    def seconds(self, stream: str, row: str = "customer_id") -> str:
        """SQL for a time of day in seconds, with the peaks of commuting, lunch and evening."""
        return f"day_seconds({self.u(stream + '/part', row)}, {self.u(stream + '/inside', row)})"
