"""Time. Instants are timezone-aware UTC; calendar words use the bank's zone; nothing else calls `now()`."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from warehouse.errors import ModelRetry

BANK_ZONE = ZoneInfo("Asia/Shanghai")


@dataclass(frozen=True)
class Clock:
    """The home's clock.

    Args:
        zone: the bank's zone, for calendar words and quiet hours.
        start: for a demo home, the instant at which its time began (`as_of`); None for a real one.
        origin: for a demo home, the real POSIX time, in seconds, at which `start` was "now".
        wall: seconds since the epoch; injected by tests.
    """

    zone: ZoneInfo = BANK_ZONE
    start: datetime | None = None
    origin: float = 0.0
    wall: Callable[[], float] = time.time

    def now(self) -> datetime:
        """The present instant, UTC: real time, or in a demo home `as_of` plus the time elapsed since it was built."""
        if self.start is None:
            return datetime.fromtimestamp(self.wall(), UTC)
        return self.start + timedelta(seconds=max(0.0, self.wall() - self.origin))

    def today(self) -> date:
        """The bank's calendar day."""
        return self.now().astimezone(self.zone).date()


def to_utc(value: datetime, zone: ZoneInfo = BANK_ZONE) -> datetime:
    """An aware UTC instant; a naive value is taken as bank time."""
    return (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(UTC)


def naive_utc(value: datetime) -> datetime:
    """The form in which DuckDB's TIMESTAMP columns hold instants: UTC without a zone."""
    return value.astimezone(UTC).replace(tzinfo=None)


def day_start(day: date, zone: ZoneInfo = BANK_ZONE) -> datetime:
    """The instant, UTC, at which a bank day begins."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def parse_instant(text: str, zone: ZoneInfo = BANK_ZONE) -> datetime:
    """Read an ISO 8601 date or time; a naive one means bank time.

    Raises:
        ModelRetry: the text is not an ISO time.
    """
    try:
        value = datetime.fromisoformat(re.sub(r"\s+", "T", text.strip(), count=1))
    except ValueError:
        raise ModelRetry(
            f"{text!r} is not a time.", "Write it as 2026-11-18T09:00 or 2026-11-18T09:00+08:00."
        ) from None
    return to_utc(value, zone)
