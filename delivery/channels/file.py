"""The embedded channel: a folder per release with a JSON-lines file per batch, and a manifest.

A file appears whole or not at all: it is written under another name, synced, and renamed. What has its final name has
left; it is never rewritten.
"""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from delivery.channels.base import Batch, HandedOver, Message
from warehouse.errors import AdminFixes
from warehouse.home import write_atomically


class FileChannel:
    """Args: folder: the home's outbox."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def already(self, batch: Batch) -> HandedOver | None:
        path = self._folder / batch.release / batch.name
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            return None
        keys = tuple(str(json.loads(line)["key"]) for line in data.splitlines())
        return HandedOver(batch.name, hashlib.sha256(data).hexdigest(), keys)

    def hand_over(self, batch: Batch, messages: list[Message]) -> HandedOver:
        """Raises: AdminFixes: the outbox cannot be written."""
        folder = self._folder / batch.release
        data = b"".join(
            json.dumps({"key": m.key, **m.body}, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
            for m in messages
        )
        final = folder / batch.name
        partial = folder / f".{batch.name}.partial"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            partial.rename(final)
            _sync_folder(folder)
        except OSError as error:
            raise AdminFixes(
                f"The outbox {folder} cannot be written: {error.strerror}.",
                "Make room or mend its rights; nothing is lost.",
            ) from None
        return HandedOver(batch.name, hashlib.sha256(data).hexdigest(), tuple(m.key for m in messages))

    def write_manifest(self, release: str, header: Mapping[str, Any], files: Sequence[Mapping[str, Any]]) -> Path:
        """Write what has left of a release: its digest, and every file with hash, counts and keys."""
        folder = self._folder / release
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / "manifest.json"
        text = json.dumps({**header, "files": list(files)}, ensure_ascii=False, indent=1) + "\n"
        if not path.exists() or path.read_text("utf-8") != text:
            write_atomically(path, text)
        return path


def _sync_folder(folder: Path) -> None:
    """Make the rename itself survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
