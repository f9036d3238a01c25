"""Finding the playbook that a request is about: vectors in Chroma, keywords beside them."""

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from knowledge.embedding import Embedder
from knowledge.errors import KnowledgeError, UnknownPlaybook
from knowledge.keywords import Bm25
from knowledge.library import BUILTIN, Library, Problem, as_folders
from knowledge.schema import Language, Playbook

if TYPE_CHECKING:
    from chromadb.api.models.Collection import Collection

LAYOUT = 1
"""Counts up when entries are made otherwise from the same files, so that old indexes are rebuilt."""
PREFIX = "playbooks_"
DENSE_WEIGHT = 0.5
NEAREST = 4
"""Share of the vectors in the score, the rest being keywords, and how many nearest entries of a playbook are averaged.

Both were chosen by leaving out one example request at a time; held-out questions are never used to choose.
"""


@dataclass(frozen=True)
class Hit:
    """A playbook found for a text; `score` in 0..1, comparable between queries."""

    id: str
    title_zh: str
    title_en: str
    score: float
    playbook: Playbook

    def title(self, language: Language) -> str:
        return self.title_zh if language == "zh" else self.title_en


@dataclass(frozen=True)
class Entry:
    """One text of the index and the playbook it stands for."""

    id: str
    playbook: str
    text: str


class PlaybookIndex:
    """Playbooks of some folders, searchable in Chinese and English.

    Files are read when it is made (tens of milliseconds). Chroma and the encoder are opened by the first search, or by
    `warm`. The Chroma collection is named by a digest of the files, the encoder and the layout: it is filled only when
    one of them has changed, and what was indexed before is dropped then.

    The score of a playbook is `0.5 * dense + 0.5 * keyword`: the mean cosine (at least 0) of the query with its four
    nearest entries, and BM25 of the query in all its entries as a share of the query's weight. A weighted sum is used
    rather than reciprocal ranks because it also tells that nothing fits; ties are broken by id, so the order is
    deterministic.

    Args:
        chroma_dir: where Chroma keeps its files.
        folders: folders of playbook files; the built-in ones by default. A bank's own folder after the built-in one
            adds playbooks and replaces those of the same id.
    """

    def __init__(self, chroma_dir: Path | str, folders: Sequence[Path | str] = (BUILTIN,)) -> None:
        self._dir = Path(chroma_dir)
        self._library = Library.read(as_folders(folders))
        self._by_id = {playbook.id: playbook for playbook in self._library.playbooks}
        self._embedder = Embedder()
        self._lock = threading.Lock()
        self._collection: Collection | None = None
        self._keywords: Bm25 | None = None

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Files that were left out, and why."""
        return self._library.problems

    @property
    def version(self) -> str:
        """What the index was made from: files, encoder, layout. 16 hex digits."""
        parts = f"{self._library.version}|{self._embedder.name}|{LAYOUT}"
        return hashlib.sha256(parts.encode()).hexdigest()[:16]

    def all(self) -> list[Playbook]:
        """Every playbook, by id."""
        return list(self._library.playbooks)

    def get(self, id: str) -> Playbook:
        """Raises: UnknownPlaybook, whose fix names those there are."""
        if id not in self._by_id:
            raise UnknownPlaybook(f"There is no playbook {id!r}.", f"There are: {', '.join(sorted(self._by_id))}.")
        return self._by_id[id]

    def warm(self) -> None:
        """Open everything that the first search would have to open, so that it answers at once."""
        self.search("warm", 1)

    def search(self, text: str, k: int = 3) -> list[Hit]:
        """The `k` playbooks that fit a request best, best first; none for an empty text."""
        if not text.strip() or k < 1 or not self._by_id:
            return []
        collection, keywords = self._open()
        dense = self._dense(collection, text)
        keyword = keywords.scores(text)
        scores = {
            id: DENSE_WEIGHT * dense.get(id, 0.0) + (1 - DENSE_WEIGHT) * keyword.get(id, 0.0) for id in self._by_id
        }
        ranked = sorted(scores.items(), key=lambda item: (-round(item[1], 6), item[0]))
        return [self._hit(id, score) for id, score in ranked[:k]]

    def _hit(self, id: str, score: float) -> Hit:
        playbook = self._by_id[id]
        return Hit(id, playbook.title.zh, playbook.title.en, round(min(max(score, 0.0), 1.0), 4), playbook)

    def _dense(self, collection: "Collection", text: str) -> dict[str, float]:
        vector = self._embedder.encode([text])
        answer = collection.query(
            query_embeddings=vector, n_results=collection.count(), include=["metadatas", "distances"]
        )
        metadatas, distances = answer["metadatas"], answer["distances"]
        if metadatas is None or distances is None:
            raise KnowledgeError("Chroma answered without distances.", f"Remove {self._dir}; it is built again.")
        near: dict[str, list[float]] = {}
        for metadata, distance in zip(metadatas[0], distances[0], strict=True):
            near.setdefault(str(metadata["playbook"]), []).append(1.0 - float(distance))
        return {id: max(0.0, sum(cosines[:NEAREST]) / NEAREST) for id, cosines in near.items()}

    def _open(self) -> "tuple[Collection, Bm25]":
        with self._lock:
            if self._keywords is None:
                texts: dict[str, str] = {}
                for entry in self.entries():
                    texts[entry.playbook] = texts.get(entry.playbook, "") + "\n" + entry.text
                self._keywords = Bm25(texts)
            if self._collection is None:
                self._collection = self._fill()
            return self._collection, self._keywords

    def entries(self) -> list[Entry]:
        """What is indexed: for each playbook a description and its vocabulary per language, and every example request."""
        found: list[Entry] = []
        for playbook in self._library.playbooks:
            texts: list[str] = []
            for language in ("zh", "en"):
                parts = (playbook.title, playbook.scenario, playbook.audience.words, playbook.timing.words)
                texts.append("\n".join(part.of(language) for part in parts))
            vocabulary = playbook.vocabulary
            texts += [" ".join(words) for words in (vocabulary.zh, vocabulary.en) if words]
            texts += [*playbook.examples.zh, *playbook.examples.en]
            found += [Entry(f"{playbook.id}/{n}", playbook.id, text) for n, text in enumerate(texts)]
        return found

    def _fill(self) -> "Collection":
        import chromadb
        from chromadb.config import Settings

        self._dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        client = chromadb.PersistentClient(path=str(self._dir), settings=Settings(anonymized_telemetry=False))
        name, entries = PREFIX + self.version, self.entries()
        existing = {collection.name for collection in client.list_collections()}
        if name in existing:
            collection = client.get_collection(name, embedding_function=None)
            if collection.count() == len(entries):
                return collection
            # A crash between making and filling it leaves a collection that lacks entries.
            client.delete_collection(name)
        collection = client.create_collection(
            name,
            embedding_function=None,
            # An exhaustive search: some hundred entries need no approximation, and it keeps answers deterministic.
            configuration={"hnsw": {"space": "cosine", "ef_search": max(200, 2 * len(entries))}},
        )
        vectors = self._embedder.encode([entry.text for entry in entries])
        collection.add(
            ids=[entry.id for entry in entries],
            embeddings=vectors,
            metadatas=[{"playbook": entry.playbook} for entry in entries],
            documents=[entry.text for entry in entries],
        )
        for stale in sorted(existing - {name}):
            if stale.startswith(PREFIX):
                client.delete_collection(stale)
        return collection
