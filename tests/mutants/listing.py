"""The lists of mutants: YAML files beside this module, one per room."""

from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).parent


class Mutant(BaseModel):
    """One rule broken on purpose: `old` becomes `new` in `file`, and one of `tests` fails."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(description="The rule, as broken.")
    file: str = Field(description="From the project's root.")
    old: str = Field(min_length=1, description="Occurs exactly once in the file.")
    new: str
    tests: tuple[str, ...] = Field(min_length=1, description="Pytest node ids, or files.")

    def misplaced(self, root: Path = ROOT) -> str | None:
        """Why the mutant no longer fits the code; None when it does."""
        path = root / self.file
        if not path.is_file():
            return f"{self.file} is not there"
        if (n := path.read_text("utf-8").count(self.old)) != 1:
            return f"`old` occurs {n} times in {self.file}"
        gone = [test for test in self.tests if not (root / test.split("::")[0]).is_file()]
        return f"no such test file: {gone[0]}" if gone else None


def mutants(only: str = "") -> dict[str, list[Mutant]]:
    """Room → its mutants; `only` limits them to names or rooms that contain it."""
    found = {}
    for file in sorted(FOLDER.glob("*.yaml")):
        items = [Mutant.model_validate(item) for item in yaml.safe_load(file.read_text("utf-8")) or []]
        found[file.stem] = [m for m in items if only in file.stem or only in m.name]
    return {room: items for room, items in found.items() if items}
