"""What the trade knows: bilingual playbooks (`playbooks/*.md`) and the index that finds the one a request is about."""

from knowledge.errors import KnowledgeError, PlaybookError, UnknownPlaybook
from knowledge.index import Hit, PlaybookIndex
from knowledge.library import BUILTIN, Library, Problem
from knowledge.schema import Audience, Both, Evidence, Goal, Playbook, Wave

__all__ = [
    "BUILTIN",
    "Audience",
    "Both",
    "Evidence",
    "Goal",
    "Hit",
    "KnowledgeError",
    "Library",
    "Playbook",
    "PlaybookError",
    "PlaybookIndex",
    "Problem",
    "UnknownPlaybook",
    "Wave",
]
