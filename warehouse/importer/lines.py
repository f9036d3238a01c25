"""Delimited text, read so that one bad line costs one line: every record keeps its place and its original text.

Lines are decoded and split in blocks; a block in which anything is unusual is read again line by line.
"""

import csv
import zlib
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

BLOCK = 10_000
MAX_JOINED = 50
CHUNK = 1 << 16
GZIP = 31  # zlib's window bits for a gzip header and trailer


@dataclass(frozen=True)
class Dialect:
    """How a delimited file is written. `width` is the number of columns; `final_newline` that the last line ends too."""

    encoding: str
    delimiter: str
    quote: str
    width: int
    final_newline: bool = False

    def split(self, lines: list[str]) -> list[list[str]]:
        """Raises: csv.Error where quoting is broken."""
        return list(csv.reader(lines, delimiter=self.delimiter, quotechar=self.quote, strict=True))


@dataclass
class Block:
    """Records of a stretch of the file. Good ones column-wise comparable: `numbers[i]`, `lines[i]`, `raw[i]`, `rows[i]`.

    `bad` holds (number, line, raw text, kind); kind is one of `undecodable`, `quoting`, `fields`, `blank`, `cut_off`.
    """

    numbers: list[int] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)
    rows: list[Sequence[str | None]] = field(default_factory=list)
    bad: list[tuple[int, int, str, str]] = field(default_factory=list)


class Lines:
    """Physical lines of a file (gzip or plain) with look-ahead. A damaged gzip stream ends like a cut-off file.

    Attributes:
        truncated: the compressed stream ended or broke before its end.
    """

    def __init__(self, path: Path) -> None:
        self._chunks = self._read(path)
        self._tail = b""
        self._ahead: deque[bytes] = deque()
        self._done = False
        self.truncated = False

    def __enter__(self) -> "Lines":
        return self

    def __exit__(self, *_: object) -> None:
        self._chunks.close()

    def _read(self, path: Path) -> Generator[bytes, None, None]:
        with path.open("rb") as file:
            start = file.read(2)
            file.seek(0)
            if start != b"\x1f\x8b":
                while plain := file.read(CHUNK):
                    yield plain
                return
            stream = zlib.decompressobj(GZIP)
            while packed := file.read(CHUNK):
                while packed:
                    try:
                        yield stream.decompress(packed)
                    except zlib.error:
                        self.truncated = True
                        return
                    packed = stream.unused_data
                    if packed:
                        stream = zlib.decompressobj(GZIP)
            self.truncated = not stream.eof

    def _fill(self, count: int) -> None:
        while len(self._ahead) < count and not self._done:
            chunk = next(self._chunks, None)
            if chunk is None:
                self._done = True
                if self._tail:
                    self._ahead.append(self._tail)
                return
            *whole, self._tail = (self._tail + chunk).split(b"\n")
            self._ahead.extend(line + b"\n" for line in whole)

    def peek(self, position: int) -> bytes | None:
        self._fill(position + 1)
        return self._ahead[position] if position < len(self._ahead) else None

    def take(self, count: int) -> list[bytes]:
        self._fill(count)
        return [self._ahead.popleft() for _ in range(min(count, len(self._ahead)))]

    def put_back(self, lines: list[bytes]) -> None:
        self._ahead.extendleft(reversed(lines))

    @property
    def ended(self) -> bool:
        self._fill(1)
        return not self._ahead


def header(path: Path, encoding: str, delimiter: str, quote: str) -> list[str]:
    """The names in a file's first line.

    Raises:
        ValueError: the file is empty or its first line cannot be read.
    """
    with Lines(path) as lines:
        first = lines.take(1)
    if not first:
        raise ValueError("it is empty")
    text = _strip_end(first[0].removeprefix(b"\xef\xbb\xbf").decode(encoding))
    try:
        return [name.strip() for name in Dialect(encoding, delimiter, quote, 0).split([text])[0]]
    except (csv.Error, IndexError):
        raise ValueError("its first line is not a list of column names") from None


def blocks(source: Lines, dialect: Dialect, *, skip_header: bool) -> Iterator[Block]:
    """All records of a file, in order; every physical line belongs to exactly one record, good or bad."""
    number, line = 0, 1
    if skip_header:
        source.take(1)
        line = 2
    while not source.ended:
        taken = source.take(BLOCK)
        block = _whole(taken, dialect, number, line, last=source.ended)
        if block is None:
            source.put_back(taken)
            block, used = _one_by_one(source, dialect, number, line, len(taken))
            line += used
        else:
            line += len(taken)
        number += len(block.numbers) + len(block.bad)
        yield block


def _whole(taken: list[bytes], dialect: Dialect, number: int, line: int, *, last: bool) -> Block | None:
    """The block read at once, or None if anything in it needs a closer look."""
    if last and not taken[-1].endswith(b"\n"):
        return None
    try:
        text = b"".join(taken).decode(dialect.encoding)
        lines = [_strip_end(part) for part in text.split("\n")[:-1]]
        rows = dialect.split(lines)
    except (UnicodeDecodeError, csv.Error):
        return None
    if line == 1 or len(lines) != len(taken) or len(rows) != len(taken):
        return None
    if any(len(row) != dialect.width for row in rows):
        return None
    count = len(rows)
    return Block(list(range(number + 1, number + count + 1)), list(range(line, line + count)), lines, list(rows))


def _one_by_one(source: Lines, dialect: Dialect, number: int, line: int, limit: int) -> tuple[Block, int]:
    """The next `limit` lines (a few more if a record crosses the end), and how many lines were used."""
    block, used = Block(), 0
    while used < limit and not source.ended:
        number += 1
        raw = source.take(1)[0]
        if line + used == 1:
            raw = raw.removeprefix(b"\xef\xbb\xbf")
        start, complete = line + used, raw.endswith(b"\n")
        used += 1
        try:
            text = _strip_end(raw.decode(dialect.encoding))
        except UnicodeDecodeError:
            block.bad.append(
                (number, start, _strip_end(raw.decode(dialect.encoding, "backslashreplace")), "undecodable")
            )
            continue
        row = _split_one(text, dialect)
        if row is None:
            text, row, joined = _join(text, source, dialect)
            used += joined
        if not text.strip():
            if source.ended:  # a blank line after the last record is a way of ending a file, not a record
                number -= 1
                continue
            kind = "blank"
        elif row is None:
            kind = "quoting"
        else:
            kind = "" if len(row) == dialect.width else "fields"
        if not complete and source.ended and (kind or dialect.final_newline or source.truncated):
            kind = "cut_off"
        if kind or row is None:
            block.bad.append((number, start, text, kind))
        else:
            block.numbers.append(number)
            block.lines.append(start)
            block.raw.append(text)
            block.rows.append(row)
    return block, used


def _split_one(text: str, dialect: Dialect) -> list[str] | None:
    try:
        rows = dialect.split([text])
    except csv.Error:
        return None
    return rows[0] if rows else []


def _join(text: str, source: Lines, dialect: Dialect) -> tuple[str, list[str] | None, int]:
    """A quoted value may run over several lines. Join the following ones as long as none is a record by itself.

    Returns:
        The text, its fields (None if no joining makes a record) and how many lines were taken beyond the first.
    """
    joined = text
    for position in range(MAX_JOINED):
        raw = source.peek(position)
        if raw is None:
            break
        try:
            more = _strip_end(raw.decode(dialect.encoding))
        except UnicodeDecodeError:
            break
        alone = _split_one(more, dialect)
        if alone is not None and len(alone) == dialect.width and dialect.width > 1:
            break
        joined += "\n" + more
        try:
            rows = dialect.split([part + "\n" for part in joined.split("\n")])
        except csv.Error:
            continue
        if len(rows) == 1 and len(rows[0]) == dialect.width:
            source.take(position + 1)
            return joined, rows[0], position + 1
    return text, None, 0


def _strip_end(text: str) -> str:
    return text.removesuffix("\n").removesuffix("\r")
