"""Errors of this room. It imports no other, so it has its own small family with the same shape: a message and a fix."""


class KnowledgeError(Exception):
    """Base: `message` says what is wrong, `fix` what mends it."""

    def __init__(self, message: str, fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.message} {self.fix}".strip()


class PlaybookError(KnowledgeError):
    """A playbook file does not fit; the message names the file and the field."""


class UnknownPlaybook(KnowledgeError):
    """No playbook has this id; the fix names those there are."""
