"""Finding playbooks and what of them fits this bank."""

from tools.playbook.fit import fit
from tools.playbook.schema import Figure, Fit, FoundPlaybooks, PlannedWave, PlaybookFound, SearchPlaybooks
from tools.playbook.tool import TOOLS, SearchPlaybooksTool

__all__ = [
    "TOOLS",
    "Figure",
    "Fit",
    "FoundPlaybooks",
    "PlannedWave",
    "PlaybookFound",
    "SearchPlaybooks",
    "SearchPlaybooksTool",
    "fit",
]
