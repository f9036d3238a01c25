"""What a channel is to delivery: it takes a batch with keys, and says what left."""

from dataclasses import dataclass, field
from typing import Any, Protocol

BATCH = 1_000
"""Most touches between two looks at the release's state: after a revoke returns, at most one such batch leaves."""


@dataclass(frozen=True)
class Message:
    """One touch ready to leave. `key` is its idempotency key: the same at every attempt, with the same bytes."""

    key: str
    body: dict[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Batch:
    """Touches of one wave and channel of a release, at most `BATCH`, in the order of their keys."""

    release: str
    digest: str
    step: str
    wave: int
    channel: str
    number: int

    @property
    def name(self) -> str:
        """The name of the wave's file; batches after the first are numbered, so no file is ever added to."""
        step = "" if self.step == "full" else f"{self.step}-"
        return f"{step}wave-{self.wave}-{self.channel}{f'.{self.number}' if self.number > 1 else ''}.jsonl"


@dataclass(frozen=True)
class HandedOver:
    """What left: the file, its SHA-256, and the keys in it."""

    file: str
    sha256: str
    keys: tuple[str, ...]


class Channel(Protocol):
    def already(self, batch: Batch) -> HandedOver | None:
        """What an earlier attempt handed over of this batch; None if nothing left. Asked before anything is filled in,
        so a repeated attempt never makes other bytes."""
        ...

    def hand_over(self, batch: Batch, messages: list[Message]) -> HandedOver:
        """Let a batch leave, whole or not at all."""
        ...
