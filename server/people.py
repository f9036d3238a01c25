"""The people part of a workspace: accounts, roles, passwords. For administrators; anybody changes his own password."""

from typing import TYPE_CHECKING

from server.access import needs, open_to_all
from server.base import Part
from server.schema import AccountAsked, AccountView, DisableAsked, PasswordAsked, PersonAsked
from warehouse.errors import ModelRetry, SignInNeeded

if TYPE_CHECKING:
    from control.authority import AccountRecord, Principal


class PeopleWork(Part):
    @open_to_all
    def first_admin(self, asked: AccountAsked) -> AccountView:
        """Make the first administrator of a home that has no account yet.

        Nobody can sign in for it, so what counts is who owns the home's folder: it works only in the process that
        holds the home's lock for its own user, never through a server.

        Raises:
            SignInNeeded: a server is asked.
            Forbidden: there are accounts already.
            ModelRetry: he is given another role than admin, or the password is too weak.
        """
        if self.service.serves:
            raise no_server_makes_the_first()
        if set(asked.roles) != {"admin"}:
            raise ModelRetry(
                "The first person of a home is its administrator, and nothing else.",
                "Give him --role admin alone; he then makes the others.",
                message_zh="第一个账号必须是管理员，且只有这一个角色。",
                fix_zh="只写 --role admin，再由他添加其他人。",
            )
        if asked.branches is not None:
            raise ModelRetry(
                "An administrator is not bound to branches.",
                "Leave --branch out.",
                message_zh="管理员不限定机构。",
                fix_zh="去掉 --branch。",
            )
        authority = self.stores.authority
        authority.bootstrap_admin(asked.account, asked.password, asked.person)
        return AccountView(account=asked.account, person=asked.person or asked.account, roles=["admin"])

    @needs("administer")
    def people(self) -> list[AccountView]:
        """All accounts, by name."""
        return [_view(record) for record in self.stores.authority.people.accounts(self._principal())]

    @needs("administer")
    def people_add(self, asked: AccountAsked) -> AccountView:
        """Make an account, and its person if he is new.

        Raises:
            ModelRetry: the account exists, the password is too weak, or there is no such role or branch.
        """
        self._branches(asked.branches)
        made = self.stores.authority.people.add_account_of(
            self._principal(),
            asked.account,
            asked.person or asked.account,
            asked.password,
            asked.roles,
            asked.branches,
            asked.exact_numbers,
        )
        return _view(made)

    @needs("administer")
    def people_roles(self, asked: PersonAsked) -> list[AccountView]:
        """Give a known person other roles and branches; the answer is his accounts.

        Raises:
            ModelRetry: there is no such person, role or branch.
            Forbidden: he means himself.
        """
        people, principal = self.stores.authority.people, self._principal()
        if asked.person not in {record.person for record in people.accounts(principal)}:
            raise ModelRetry(
                f"There is no person {asked.person!r}.",
                "See `touchline people list`.",
                message_zh=f"没有 {asked.person} 这个人。",
                fix_zh="用 `touchline people list` 查看。",
            )
        self._branches(asked.branches)
        people.add_person(principal, asked.person, asked.roles, asked.branches, asked.exact_numbers)
        return [_view(record) for record in people.accounts(principal) if record.person == asked.person]

    @needs("administer")
    def people_disable(self, account: str, asked: DisableAsked) -> AccountView:
        """Keep an account out from now on, or let it in again.

        Raises:
            NotFound: there is no such account.
            Forbidden: it is one's own.
        """
        return _view(self.stores.authority.people.set_disabled(self._principal(), account, asked.disabled))

    @needs("read")
    def people_password(self, account: str, asked: PasswordAsked) -> AccountView:
        """Give an account another password; its sessions and tokens end.

        Raises:
            SignInNeeded: it is one's own, and the current password does not fit.
            Forbidden: it is somebody else's, and the caller is no administrator.
            ModelRetry: the new one is too weak.
        """
        made = self.stores.authority.people.set_password(self._principal(), account, asked.password, asked.current)
        return _view(made)

    def _principal(self) -> "Principal":
        principal = self.caller.principal
        if principal is None:
            raise SignInNeeded(
                "This needs a person who is signed in.",
                "Name --user and give the password, or pass --token.",
                message_zh="这需要本人登录。",
                fix_zh="用 --user 加密码，或 --token。",
            )
        return principal

    def _branches(self, asked: list[int] | None) -> None:
        if asked is None:
            return
        known = {row[0] for row in self.stores.warehouse.read("SELECT branch_id FROM branches").rows}
        wrong = sorted(set(asked) - known)
        if wrong or not asked:
            numbers = ", ".join(map(str, wrong)) or "none"
            raise ModelRetry(
                f"There is no branch {numbers}.",
                f"Branches are numbered {min(known, default=0)} to {max(known, default=0)}; leave it out for all of "
                "the bank.",
                message_zh=f"没有编号为 {numbers} 的机构。",
                fix_zh=f"机构编号在 {min(known, default=0)} 到 {max(known, default=0)} 之间；不写表示全行。",
            )


def no_server_makes_the_first() -> SignInNeeded:
    """Why a server is not asked for the first administrator."""
    return SignInNeeded(
        "Nobody is signed in, and a server owns this home.",
        "Sign in as an administrator. If the home has none yet, stop the server and make the first one then.",
        message_zh="没有登录，而且这个环境正由服务占用。",
        fix_zh="请以管理员登录；如果还没有管理员，先停止服务再创建第一个。",
    )


def _view(record: "AccountRecord") -> AccountView:
    return AccountView.model_validate(record.model_dump())
