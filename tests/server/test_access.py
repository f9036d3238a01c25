"""Who may do what: the table of permissions, and that every service function stands in it."""

import inspect
from datetime import UTC, datetime

import pytest

from control.authority import ROLES, Principal
from control.records import Actor
from server.access import NOBODY, PERMISSIONS, ROLE_MAY, Caller
from server.service import Workspace
from warehouse.errors import Forbidden, SignInNeeded


def caller(*roles: str, scopes: tuple[str, ...] = ("read", "draft", "decide", "admin"), local: bool = False) -> Caller:
    actor = Actor(account="somebody", person="somebody", roles=roles)
    principal = None if local else Principal(actor=actor, scopes=scopes, expires_at=datetime.now(UTC), token_hash="x")
    return Caller(actor, frozenset(scopes), "local" if local else "signed_in", principal)


def test_every_public_function_of_the_workspace_names_its_permission() -> None:
    public = [
        (name, function)
        for name, function in inspect.getmembers(Workspace, inspect.isfunction)
        if not name.startswith("_") and name not in ("instant", "shown")
    ]
    assert len(public) > 25
    missing = [name for name, function in public if not hasattr(function, "permission")]
    assert missing == []


def test_every_role_of_the_authority_is_in_the_table() -> None:
    assert set(ROLES) <= set(ROLE_MAY)


@pytest.mark.parametrize(
    ("roles", "may"),
    [
        (("operator",), {"read", "export", "draft", "run", "revoke"}),
        (("approver",), {"read", "run", "decide", "revoke"}),
        (("admin",), {"read", "run", "revoke", "administer"}),
        (("unheard_of",), {"read"}),
        ((), set()),
    ],
)
def test_what_roles_give(roles: tuple[str, ...], may: set[str]) -> None:
    assert caller(*roles).permissions() == may


@pytest.mark.parametrize("permission", ["decide", "revoke", "administer"])
def test_the_local_command_line_never_decides_whatever_its_roles_and_scopes(permission: str) -> None:
    everything = caller(*ROLE_MAY, local=True)
    with pytest.raises(SignInNeeded):
        everything.require(permission)  # type: ignore[arg-type]


def test_a_scope_that_is_missing_takes_the_permission_away() -> None:
    reading = caller("approver", scopes=("read",))
    reading.require("read")
    with pytest.raises(Forbidden, match="scopes are read"):
        reading.require("decide")


def test_nobody_may_nothing() -> None:
    for permission in PERMISSIONS:
        with pytest.raises(SignInNeeded):
            NOBODY.require(permission)
