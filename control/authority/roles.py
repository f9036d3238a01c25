"""Roles, the scopes that they give, and the users of a demo home who have them."""

from collections.abc import Iterable
from typing import Literal

from control.records import Actor

ROLES = ("operator", "manager", "approver", "compliance", "admin")
Scope = Literal["read", "draft", "decide", "admin"]
SCOPES: dict[str, tuple[Scope, ...]] = {
    "operator": ("read", "draft"),
    "manager": ("read", "draft"),
    "approver": ("read", "decide"),
    "compliance": ("read", "decide"),
    "admin": ("read", "admin"),
}
"""What a role's session may do. Being an administrator gives no signature."""

SIGNING = frozenset({"approver", "compliance"})
"""Roles that sign; nobody has one of them together with `admin`."""

DEMO_USERS = {
    "operator": "operator",
    "manager": "manager",
    "approver": "approver",
    "approver2": "approver",
    "admin": "admin",
}
SYSTEM = Actor(account="system", person="system")


def scopes_of(roles: Iterable[str]) -> tuple[Scope, ...]:
    """What a person with these roles may do."""
    given = set(roles)
    # A person who somehow has both kinds of roles keeps the weaker right: an administrator never signs.
    return tuple(
        dict.fromkeys(scope for role in roles for scope in SCOPES[role] if not ("admin" in given and scope == "decide"))
    )
