"""Reading playbook files. One bad file is reported with its name and field and does not keep the others away."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import ValidationError

from knowledge.errors import PlaybookError
from knowledge.schema import Playbook

BUILTIN = Path(__file__).parent / "playbooks"
"""The playbooks that come with Touchline."""


@dataclass(frozen=True)
class Problem:
    """A file that was left out, and why."""

    file: Path
    error: PlaybookError


@dataclass(frozen=True)
class Library:
    """What was read from some folders. `version` is a digest of the accepted files: equal content, equal version."""

    playbooks: tuple[Playbook, ...]
    problems: tuple[Problem, ...]
    version: str

    @classmethod
    def read(cls, folders: Iterable[Path]) -> "Library":
        """Read `*.md` of each folder, README.md excepted. A later folder's playbook replaces an earlier one's."""
        accepted: dict[str, tuple[Playbook, Path, bytes]] = {}
        problems: list[Problem] = []
        for folder in folders:
            if not folder.is_dir():
                error = PlaybookError(f"The playbook folder {folder} does not exist.", "Make it, or drop the setting.")
                problems.append(Problem(folder, error))
                continue
            here: dict[str, Path] = {}
            for path in sorted(folder.glob("*.md")):
                if path.name.lower() == "readme.md":
                    continue
                try:
                    playbook = read_playbook(path)
                    if playbook.id in here:
                        raise PlaybookError(
                            f"{path}: the id {playbook.id!r} is already used by {here[playbook.id].name}.",
                            "Give one of them another id.",
                        )
                except PlaybookError as error:
                    problems.append(Problem(path, error))
                    continue
                here[playbook.id] = path
                accepted[playbook.id] = (playbook, path, path.read_bytes())
        ordered = [accepted[key] for key in sorted(accepted)]
        digest = hashlib.sha256()
        for playbook, _, content in ordered:
            digest.update(playbook.id.encode() + b"\0" + hashlib.sha256(content).digest())
        return cls(tuple(p for p, _, _ in ordered), tuple(problems), digest.hexdigest())


def read_playbook(path: Path) -> Playbook:
    """Read one file.

    Raises:
        PlaybookError: names the file, the field and what would mend it.
    """
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        raise PlaybookError(f"{path} is not UTF-8 text.", "Save it as UTF-8.") from None
    head, body = _split(path, text)
    try:
        document = yaml.load(head, Loader=_Loader)
    except yaml.YAMLError as error:
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        where = f", line {line + 2}" if line is not None else ""  # the front matter starts on the file's second line
        raise PlaybookError(f"{path}{where}: the front matter is not YAML.", "Check quotes and indentation.") from None
    if not isinstance(document, dict):
        raise PlaybookError(f"{path}: the front matter is not a list of fields.", "Write `field: value` lines.")
    try:
        return Playbook.model_validate({**document, "body": body.strip()})
    except ValidationError as error:
        raise PlaybookError(*_explain(path, error)) from None


def _split(path: Path, text: str) -> tuple[str, str]:
    lines = text.lstrip("\ufeff").splitlines(keepends=True)
    fences = [number for number, line in enumerate(lines) if line.rstrip() == "---"]
    if len(fences) < 2 or fences[0] != 0:
        raise PlaybookError(
            f"{path} has no front matter.", "Begin the file with a line `---`, the fields, and another line `---`."
        )
    return "".join(lines[1 : fences[1]]), "".join(lines[fences[1] + 1 :])


def _explain(path: Path, error: ValidationError) -> tuple[str, str]:
    errors = error.errors(include_url=False, include_input=False)
    first = errors[0]
    place = ".".join(map(str, first["loc"])) or "the playbook"
    more = f" ({len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"{path}: {place}: {first['msg']}{more}.", "Mend that field; docs/playbooks.md lists them all."


class _Loader(yaml.CSafeLoader):
    """YAML without the surprise that a bare `on`, `off`, `yes` or `no` is a boolean."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool" or first in "tTfF"]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}


def as_folders(folders: Sequence[Path | str]) -> tuple[Path, ...]:
    return tuple(Path(folder) for folder in folders)
