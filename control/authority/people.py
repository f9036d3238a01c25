"""People and their accounts: who makes, changes and disables them.

A person may have several accounts and counts once.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from control.authority import tables as a
from control.authority.audit import Audit, Writing
from control.authority.passwords import check_password, hashed
from control.authority.roles import DEMO_USERS, ROLES, SIGNING, SYSTEM
from control.authority.sessions import Principal, Sessions, principal_of
from control.records import Actor
from warehouse.errors import Forbidden, ModelRetry, NotFound


class AccountRecord(BaseModel):
    """An account with the person behind it; never its password."""

    model_config = ConfigDict(frozen=True)

    account: str
    person: str
    roles: tuple[str, ...]
    branches: tuple[int, ...] | None = None
    exact_numbers: bool = True
    disabled: bool = False
    locked_until: datetime | None = None


class People(Sessions):
    """Accounts of one control plane, with their sessions and tokens.

    Args:
        demo: a demo home; only there do demo users exist.
    """

    def __init__(self, audit: Audit, *, demo: bool) -> None:
        super().__init__(audit)
        self._demo = demo

    def bootstrap_demo(self) -> None:
        """Make the demo users, each with the password `<name>-demo`. Repeating it changes nothing.

        Raises:
            Forbidden: this is not a demo home.
        """
        if not self._demo:
            raise Forbidden("Demo users exist only in demo homes.", "Make people with `touchline people add`.")
        with self._audit.transaction() as writing:
            for name, role in DEMO_USERS.items():
                if writing.session.get(a.Account, name) is None:
                    _add_person(writing.session, name, (role,), None, True)
                    writing.session.flush()
                    _add_account(writing.session, name, name, f"{name}-demo")
                    writing.append("account.added", SYSTEM, {"account": name, "person": name, "roles": [role]})

    def bootstrap_admin(self, account: str, password: str, person: str = "") -> None:
        """Make the first administrator of a real home. Whoever may call this owns the home's folder.

        Args:
            person: who he is; by default the account's name.

        Raises:
            Forbidden: there are accounts already.
            ModelRetry: the password is too weak.
        """
        who = person or account
        with self._audit.transaction() as writing:
            if writing.session.scalars(sa.select(a.Account).limit(1)).first() is not None:
                raise Forbidden(
                    "This home has accounts already.",
                    "Let one of its administrators sign in (--user with his password, or --token).",
                    message_zh="这个环境已经有账号了。",
                    fix_zh="请由管理员登录后操作（--user 加密码，或 --token）。",
                )
            check_password(account, password, demo=self._demo)
            _add_person(writing.session, who, ("admin",), None, True)
            writing.session.flush()
            _add_account(writing.session, account, who, password)
            writing.append("account.added", SYSTEM, {"account": account, "person": who, "roles": ["admin"]})

    def add_person(
        self,
        principal: Principal,
        person: str,
        roles: Sequence[str],
        branches: Iterable[int] | None = None,
        exact_numbers: bool = True,
    ) -> None:
        """Add a person, or change his roles and branches. Only an administrator may, and not his own.

        Raises:
            Forbidden: the principal is no administrator, or means himself.
            ModelRetry: a role does not exist.
        """
        with self._audit.transaction() as writing:
            who = self.check(writing.session, principal, "admin", writing.now)
            self._set_person(writing, who, person, roles, branches, exact_numbers)

    def add_account_of(
        self,
        principal: Principal,
        account: str,
        person: str,
        password: str,
        roles: Sequence[str] = (),
        branches: Iterable[int] | None = None,
        exact_numbers: bool = True,
    ) -> AccountRecord:
        """Make an account, and the person behind it if he is new. Both or neither.

        Args:
            roles: of a new person; none for one who is there already, whose roles and branches stay as they are.

        Raises:
            Forbidden: the principal is no administrator.
            ModelRetry: the account exists, the password is too weak, a role does not exist, a new person has none, or a
                known one is given other ones.
        """
        wanted = None if branches is None else sorted(set(branches))
        with self._audit.transaction() as writing:
            who = self.check(writing.session, principal, "admin", writing.now)
            found = writing.session.get(a.Person, person)
            if found is None:
                self._set_person(writing, who, person, roles, wanted, exact_numbers)
            elif (roles and set(roles) != set(found.roles)) or (wanted is not None and wanted != found.branches):
                raise ModelRetry(
                    f"{person} is there already, as {', '.join(found.roles)}.",
                    "Leave roles and branches out to give him another account, or change them first "
                    "with `touchline people roles`.",
                    message_zh=f"{person} 已存在，角色是 {'、'.join(found.roles)}。",
                    fix_zh="再加一个账号时不要写角色和机构；要改角色请用 `touchline people roles`。",
                )
            self._check_new(writing.session, account, password)
            writing.session.flush()
            _add_account(writing.session, account, person, password)
            writing.append("account.added", who, {"account": account, "person": person})
            writing.session.flush()
            return _account_record(writing.session, account)

    def add_account(self, principal: Principal, account: str, person: str, password: str) -> None:
        """Give a person another account.

        Raises:
            Forbidden: the principal is no administrator.
            NotFound: there is no such person.
            ModelRetry: the account exists, or the password is too short.
        """
        with self._audit.transaction() as writing:
            who = self.check(writing.session, principal, "admin", writing.now)
            if writing.session.get(a.Person, person) is None:
                raise NotFound(f"There is no person {person!r}.", "Add the person first.")
            self._check_new(writing.session, account, password)
            _add_account(writing.session, account, person, password)
            writing.append("account.added", who, {"account": account, "person": person})

    def accounts(self, principal: Principal) -> list[AccountRecord]:
        """All accounts, by name.

        Raises:
            Forbidden: the principal is no administrator.
        """
        with self._database.read() as session:
            self.check(session, principal, "admin", self._clock.now())
            return [
                _account_record(session, name)
                for name in session.scalars(sa.select(a.Account.account).order_by(a.Account.account))
            ]

    def set_disabled(self, principal: Principal, account: str, disabled: bool) -> AccountRecord:
        """Disable an account, or let it in again. Its sessions and tokens end at once and do not come back.

        Raises:
            Forbidden: the principal is no administrator, or means his own account: one administrator always stays.
            NotFound: there is no such account.
        """
        with self._audit.transaction() as writing:
            who = self.check(writing.session, principal, "admin", writing.now)
            row = _account_row(writing.session, account)
            if row.person == who.person and disabled:
                raise Forbidden(
                    "Nobody disables an account of his own.",
                    "Ask another administrator.",
                    message_zh="不能停用自己的账号。",
                    fix_zh="请另一位管理员来操作。",
                )
            row.disabled = disabled
            if disabled:
                _end_tokens(writing.session, account)
            writing.append("account.disabled" if disabled else "account.enabled", who, {"account": account})
            writing.session.flush()
            return _account_record(writing.session, account)

    def set_password(self, principal: Principal, account: str, password: str, current: str = "") -> AccountRecord:
        """Change a password: one's own with the current one, anybody else's as an administrator. All sessions and
        tokens of the account end at once.

        Raises:
            Forbidden: it is somebody else's, and the principal is no administrator.
            SignInNeeded: it is one's own, and the current password does not fit.
            NotFound: there is no such account.
            ModelRetry: the password is too weak.
        """
        now = self._clock.now()
        with self._database.read() as session:
            me = principal_of(session, principal.token_hash, now).actor.account
        if me == account:
            # Signing in counts failures and locks, so a stolen session cannot try passwords here.
            self.sign_out(self.sign_in(account, current))
        with self._audit.transaction() as writing:
            fresh = principal_of(writing.session, principal.token_hash, writing.now)
            if fresh.actor.account != account:
                self.check(writing.session, principal, "admin", writing.now)
            row = _account_row(writing.session, account)
            check_password(account, password, demo=self._demo)
            row.password, row.failures, row.locked_until = hashed(password), 0, None
            _end_tokens(writing.session, account)
            writing.append("account.password", fresh.actor, {"account": account})
            writing.session.flush()
            return _account_record(writing.session, account)

    def _set_person(
        self, writing: Writing, who: Actor, person: str, roles: Sequence[str], branches: Iterable[int] | None,
        exact_numbers: bool,
    ) -> None:  # fmt: skip
        if who.person == person:
            raise Forbidden(
                "Nobody changes his own roles.",
                "Ask another administrator.",
                message_zh="不能修改自己的角色。",
                fix_zh="请另一位管理员来操作。",
            )
        wrong = sorted(set(roles) - set(ROLES))
        if wrong or not roles:
            raise ModelRetry(
                f"There is no role {', '.join(wrong)}." if wrong else f"{person} is new and needs a role.",
                f"Roles are {', '.join(ROLES)}.",
                message_zh=f"没有角色 {'、'.join(wrong)}。" if wrong else f"{person} 是新人，需要至少一个角色。",
                fix_zh=f"角色有 {'、'.join(ROLES)}。",
            )
        if "admin" in roles and set(roles) & SIGNING:
            raise ModelRetry(
                "Who administers people and routing can never sign.",
                "Give the roles to two persons.",
                message_zh="管理人员和审批路由的人不能签字。",
                fix_zh="请把这两种角色给两个不同的人。",
            )
        scope = None if branches is None else sorted(set(branches))
        roles = list(dict.fromkeys(roles))
        _add_person(writing.session, person, roles, scope, exact_numbers)
        body = {"person": person, "roles": roles, "branches": scope, "exact_numbers": exact_numbers}
        writing.append("person.set", who, body)

    def _check_new(self, session: Session, account: str, password: str) -> None:
        if session.get(a.Account, account) is not None:
            raise ModelRetry(
                f"The account {account!r} exists already.",
                "Choose another name.",
                message_zh=f"账号 {account} 已存在。",
                fix_zh="请换一个名字。",
            )
        check_password(account, password, demo=self._demo)


def _add_person(
    session: Session, person: str, roles: Sequence[str], branches: list[int] | None, exact_numbers: bool
) -> None:
    row = session.get(a.Person, person)
    if row is None:
        row = a.Person(person=person)
        session.add(row)
    row.roles, row.branches, row.exact_numbers = list(roles), branches, exact_numbers


def _account_row(session: Session, account: str) -> a.Account:
    row = session.get(a.Account, account)
    if row is None:
        raise NotFound(
            f"There is no account {account!r}.",
            "See `touchline people list`.",
            message_zh=f"没有账号 {account}。",
            fix_zh="用 `touchline people list` 查看。",
        )
    return row


def _account_record(session: Session, account: str) -> AccountRecord:
    row = session.get_one(a.Account, account)
    person = session.get_one(a.Person, row.person)
    return AccountRecord(
        account=row.account, person=row.person, roles=tuple(person.roles),
        branches=None if person.branches is None else tuple(person.branches), exact_numbers=person.exact_numbers,
        disabled=row.disabled, locked_until=row.locked_until,
    )  # fmt: skip


def _end_tokens(session: Session, account: str) -> None:
    session.execute(sa.update(a.Token).where(a.Token.account == account).values(revoked=True))


def _add_account(session: Session, account: str, person: str, password: str) -> None:
    session.add(a.Account(account=account, person=person, password=hashed(password), failures=0, disabled=False))
