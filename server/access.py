"""Who may do what: the one place where permissions are decided. Branch scope travels in the actor himself.

A permission is given by a role *and* by a scope of the token. Which signature an approval needs is not decided
here but by the routing policy in `control.authority`, which checks four eyes by person.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Concatenate, Literal, ParamSpec, Protocol, TypeVar, cast, get_args

from control.authority import Principal
from control.records import Actor
from warehouse.errors import Forbidden, SignInNeeded

Permission = Literal["read", "export", "draft", "run", "decide", "revoke", "administer"]
PERMISSIONS: tuple[Permission, ...] = get_args(Permission)

ANY_EFFECT = frozenset({"draft", "decide", "admin"})
SCOPES_FOR: dict[Permission, frozenset[str]] = {
    "read": frozenset({"read"}),
    "export": frozenset({"draft"}),
    "draft": frozenset({"draft"}),
    "run": ANY_EFFECT,
    "decide": frozenset({"decide"}),
    "revoke": ANY_EFFECT,
    "administer": frozenset({"admin"}),
}
"""The scopes, one of which a token must carry for a permission. What each role's session carries is settled in
`control.authority`."""

ROLE_MAY: dict[str, frozenset[Permission]] = {
    "operator": frozenset({"read", "export", "draft", "run", "revoke"}),
    "manager": frozenset({"read", "export", "draft", "run", "revoke"}),
    "approver": frozenset({"read", "run", "decide", "revoke"}),
    "compliance": frozenset({"read", "run", "decide", "revoke"}),
    # Who administers a home does not also sign in it; he can always stop a release.
    "admin": frozenset({"read", "run", "revoke", "administer"}),
    "viewer": frozenset({"read"}),
}
OTHER_ROLES: frozenset[Permission] = frozenset({"read"})

LOCAL_SCOPES = frozenset({"read", "draft"})
"""What the command line may do beside a home without a password or token: never decide."""

How = Literal["signed_in", "local", "nobody"]


@dataclass(frozen=True)
class Caller:
    """Somebody speaking to the service, and how he showed who he is.

    `principal` is what `control.authority` vouches for; it is None for the local command line, which therefore
    cannot decide whatever its roles say.
    """

    actor: Actor
    scopes: frozenset[str]
    how: How
    principal: Principal | None = None

    def permissions(self) -> frozenset[Permission]:
        by_role: set[Permission] = set()
        for role in self.actor.roles:
            by_role |= ROLE_MAY.get(role, OTHER_ROLES)
        found = frozenset(p for p in by_role if SCOPES_FOR[p] & self.scopes)
        return found if self.principal is not None else found - SIGNED_IN_ONLY

    def require(self, permission: Permission) -> None:
        """Pass, or say why not.

        Raises:
            SignInNeeded: nobody is signed in, or the local command line tries to decide.
            Forbidden: his roles or his token's scopes do not give it.
        """
        if permission in self.permissions():
            return
        if self.how == "nobody":
            raise SignInNeeded("Nobody is signed in.", SIGN_IN_FIX, message_zh="没有登录。", fix_zh=SIGN_IN_FIX_ZH)
        if self.principal is None:
            raise SignInNeeded(
                f"Without a token or password you may not {VERBS[permission]}.",
                SIGN_IN_FIX,
                message_zh=f"没有令牌或密码，不能{VERBS_ZH[permission]}。",
                fix_zh=SIGN_IN_FIX_ZH,
            )
        allowed = [role for role, may in ROLE_MAY.items() if permission in may]
        if not set(allowed) & set(self.actor.roles):
            raise Forbidden(
                f"{self.actor.account} may not {VERBS[permission]}.",
                f"It takes one of the roles {', '.join(allowed)}.",
                roles=allowed,
                message_zh=f"{self.actor.account} 不能{VERBS_ZH[permission]}。",
                fix_zh=f"需要角色 {'、'.join(allowed)} 之一。",
            )
        raise Forbidden(
            f"This token may not {VERBS[permission]}: its scopes are {', '.join(sorted(self.scopes)) or 'none'}.",
            f"Use one with the scope {' or '.join(sorted(SCOPES_FOR[permission]))}, or sign in with a password.",
            message_zh=f"这个令牌不能{VERBS_ZH[permission]}：它的范围是 {'、'.join(sorted(self.scopes)) or '空'}。",
            fix_zh=f"换一个范围含 {' 或 '.join(sorted(SCOPES_FOR[permission]))} 的令牌，或用密码登录。",
        )


SIGNED_IN_ONLY: frozenset[Permission] = frozenset({"decide", "revoke", "administer"})
SIGN_IN_FIX = (
    "Sign in, pass --token (or TOUCHLINE_TOKEN), or name --user and give the password "
    "(prompt, --password-stdin or TOUCHLINE_PASSWORD)."
)
SIGN_IN_FIX_ZH = (
    "请登录，或用 --token（TOUCHLINE_TOKEN），或 --user 加密码（提示输入、--password-stdin、TOUCHLINE_PASSWORD）。"
)
VERBS_ZH: dict[Permission, str] = {
    "read": "读取",
    "export": "导出客户",
    "draft": "起草或提交",
    "run": "执行到期任务或拨动时钟",
    "decide": "批准、驳回或退回",
    "revoke": "撤销放行",
    "administer": "管理这个环境",
}
VERBS: dict[Permission, str] = {
    "read": "read here",
    "export": "export customers",
    "draft": "draft or submit",
    "run": "run what is due or move the clock",
    "decide": "approve, reject or return",
    "revoke": "revoke a release",
    "administer": "administer this home",
}
NOBODY = Caller(Actor(account="nobody", person="nobody"), frozenset(), "nobody")


class Bound(Protocol):
    """Anything that acts for a caller."""

    @property
    def caller(self) -> Caller: ...


B = TypeVar("B", bound=Bound)
P = ParamSpec("P")
T = TypeVar("T")


def needs(permission: Permission) -> Callable[[Callable[Concatenate[B, P], T]], Callable[Concatenate[B, P], T]]:
    """Mark a service function with the permission it takes; it is checked before the function runs."""

    def mark(function: Callable[Concatenate[B, P], T]) -> Callable[Concatenate[B, P], T]:
        @functools.wraps(function)
        def checked(self: B, *args: P.args, **kwargs: P.kwargs) -> T:
            self.caller.require(permission)
            return function(self, *args, **kwargs)

        checked.__dict__["permission"] = permission
        return cast(Callable[Concatenate[B, P], T], checked)

    return mark


def open_to_all(function: Callable[Concatenate[B, P], T]) -> Callable[Concatenate[B, P], T]:
    """Mark a service function that anybody may call, signed in or not."""
    function.__dict__["permission"] = "none"
    return function
