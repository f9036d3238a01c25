"""Loading cases. A file that does not fit is refused whole: an eval that skips what it cannot read measures nothing."""

import hashlib
from pathlib import Path

import yaml
from pydantic import ValidationError

from evals.schema import Case
from warehouse.errors import AdminFixes

BUILTIN = Path(__file__).parent / "cases"


def load(folder: Path = BUILTIN, only: list[str] | None = None) -> list[Case]:
    """Every case of `folder/*.yaml`, by file and place.

    Args:
        only: ids, or beginnings of ids, to keep.

    Raises:
        AdminFixes: a file or case is not sound; the message names file, case and field.
    """
    files = sorted(folder.glob("*.yaml"))
    if not files:
        raise AdminFixes(f"There are no case files in {folder}.", "Name a folder with *.yaml files.")
    cases: list[Case] = []
    seen: dict[str, Path] = {}
    for path in files:
        for case in _read(path):
            if case.id in seen:
                raise AdminFixes(
                    f"{path}: the case {case.id!r} is also in {seen[case.id].name}.", "Give one of them another id."
                )
            seen[case.id] = path
            cases.append(case)
    if only:
        chosen = [case for case in cases if any(case.id.startswith(prefix) for prefix in only)]
        if not chosen:
            raise AdminFixes(
                f"No case begins with {' or '.join(only)}.", f"There are {len(cases)}, such as {cases[0].id}."
            )
        return chosen
    return cases


def _read(path: Path) -> list[Case]:
    try:
        documents = yaml.safe_load(path.read_text("utf-8"))
    except yaml.YAMLError as error:
        raise AdminFixes(f"{path} is not YAML: {error}", "Mend the file at that place.") from None
    if not isinstance(documents, list) or not documents:
        raise AdminFixes(f"{path} is not a list of cases.", "Write `- id: …` entries.")
    cases = []
    for number, document in enumerate(documents, 1):
        name = document.get("id", f"number {number}") if isinstance(document, dict) else f"number {number}"
        try:
            cases.append(Case.model_validate(document))
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(map(str, first["loc"])) or "the case"
            raise AdminFixes(
                f"{path}: case {name}: {place}: {first['msg']}.", "docs/evals.md tells the fields."
            ) from None
    return cases


def fingerprint(cases: list[Case]) -> str:
    """A short digest of the cases, to tell whether two runs were asked the same."""
    text = "\n".join(case.model_dump_json() for case in sorted(cases, key=lambda c: c.id))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
