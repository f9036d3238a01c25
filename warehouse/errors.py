"""Errors, classed by who can act on them. Every error says what is wrong and what would mend it.

The server turns them into RFC 9457 problem details, the command line into one line and exit code 2, and the agent
into a tool message (`ModelRetry`) or a question (`PersonDecides`). Error text is never returned as success.
"""

from typing import Any, ClassVar


class TouchlineError(Exception):
    """Base of all errors that are meant to be read by somebody outside the code.

    Args:
        message: what is wrong, without personal data or secrets.
        fix: what to do about it: a command, the nearest valid names, a setting.
        details: machine-readable extras (places, names, options); must be JSON-serialisable.
    """

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500

    def __init__(self, message: str, fix: str = "", **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix
        self.details = details

    def __str__(self) -> str:
        return f"{self.message} {self.fix}".strip()


class ModelRetry(TouchlineError):
    """The caller of a tool, a model or a person typing an expression, gave bad input and can give better."""

    code = "bad_input"
    status = 422


class NotFound(ModelRetry):
    """A named thing does not exist; `fix` offers the nearest ones."""

    code = "not_found"
    status = 404


class PersonDecides(TouchlineError):
    """Going on needs a person: an approval, a choice, a confirmation."""

    code = "person_decides"
    status = 409


class Forbidden(TouchlineError):
    """This person may not do this."""

    code = "forbidden"
    status = 403


class SignInNeeded(TouchlineError):
    """Nobody is signed in, or the token or password is not valid."""

    code = "sign_in_needed"
    status = 401


class AdminFixes(TouchlineError):
    """Configuration, data or the machine is not as it must be; an administrator can mend it."""

    code = "configuration"
    status = 503


class DeveloperFixes(TouchlineError):
    """An invariant of the code was broken."""

    code = "internal"
    status = 500
