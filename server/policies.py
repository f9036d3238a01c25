"""The policy part of a workspace: the contact policy in force, its versions and what changed between them."""

from typing import TYPE_CHECKING

from pydantic import ValidationError

from server.access import needs
from server.base import Part
from server.schema import (
    PolicyChange,
    PolicyCheck,
    PolicyDifference,
    PolicyFinding,
    PolicyNote,
    PolicyVersionInfo,
    PolicyVersionView,
)
from server.stores import Stores
from warehouse.errors import ModelRetry, SignInNeeded

if TYPE_CHECKING:
    from control.authority import Policies, PolicyVersion
    from tools.throttle import ThrottlePolicy

NAME = "throttle"


def in_force(stores: Stores) -> "ThrottlePolicy":
    """The contact policy as the file says it now, noted as a version where it changed.

    Raises:
        AdminFixes: the file does not fit, or contradicts itself.
    """
    from tools.throttle import load_policy

    policy = load_policy(stores.home)
    stores.authority.policies.pick_up(NAME, policy.model_dump(mode="json"))
    return policy


class PolicyWork(Part):
    @needs("read")
    def policy_show(self, version: str | None = None) -> PolicyVersionView:
        """The policy in force, or a version by number or digest.

        Raises:
            NotFound: there is no such version.
            AdminFixes: the file is refused.
        """
        from tools.throttle.describing import lines

        if version is None:
            in_force(self.stores)
        found = self._versions.version(NAME, version) if version else self._versions.history(NAME)[0]
        policy = _policy(found)
        zh, en = (lines(policy, "zh"), lines(policy, "en")) if policy else ([], [])
        return PolicyVersionView(**_info(found).model_dump(), document=found.document, words_zh=zh, words_en=en)

    @needs("read")
    def policy_check(self) -> PolicyCheck:
        """What is wrong with the file as it is now, and what to be warned of."""
        from tools.throttle import file
        from tools.throttle.contradictions import check

        home = self.stores.home
        policy, findings = file.read(home)
        if policy is not None:
            today = self.stores.clock.now().astimezone(self.stores.warehouse.zone).date()
            findings = check(policy, self.stores.catalog, today)
        told = [PolicyFinding.model_validate(f.model_dump()) for f in findings]
        return PolicyCheck(
            ok=all(f.severity != "error" for f in told), file=str(home.policies / file.NAME), findings=told
        )

    @needs("read")
    def policy_history(self) -> list[PolicyVersionInfo]:
        """Every version that has been in force, the newest first."""
        in_force(self.stores)
        return [_info(version) for version in self._versions.history(NAME)]

    @needs("read")
    def policy_diff(self, before: str | None = None, after: str | None = None) -> PolicyDifference:
        """What changed, in words.

        Args:
            before: a version, or `default`; without it the one before `after`.
            after: a version; without it the one in force.

        Raises:
            NotFound: there is no such version.
            ModelRetry: a version was written by a Touchline whose policies read otherwise.
        """
        from tools.throttle.difference import differences

        in_force(self.stores)
        known = self._versions.history(NAME)
        newer = self._versions.version(NAME, after) if after else known[0]
        if before is None:
            before = str(newer.n - 1) if newer.n > 1 else "default"
        name, old = self._named(before)
        return PolicyDifference(
            before=name,
            after=str(newer.n),
            changes=[PolicyChange.model_validate(c.model_dump()) for c in differences(old, self._readable(newer))],
        )

    @needs("administer")
    def policy_adopt(self, asked: PolicyNote) -> PolicyVersionInfo:
        """Put the file in force by one's name and a note, or vouch for the version that was picked up from it.

        Raises:
            AdminFixes: the file is refused.
            Refused: somebody vouched for it already.
        """
        from tools.throttle import load_policy
        from tools.throttle.contradictions import check
        from tools.throttle.file import NAME as FILE
        from tools.throttle.file import refusal

        principal = self.caller.principal
        if principal is None:
            raise SignInNeeded("A policy is put in force by somebody who is signed in.", "Give a password or token.")
        home = self.stores.home
        policy = load_policy(home)
        today = self.stores.clock.now().astimezone(self.stores.warehouse.zone).date()
        if errors := [f for f in check(policy, self.stores.catalog, today) if f.severity == "error"]:
            raise refusal(home.policies / FILE, errors)
        n = self._versions.put_in_force(NAME, policy.model_dump(mode="json"), principal, asked.note)
        return _info(self._versions.version(NAME, str(n)))

    @property
    def _versions(self) -> "Policies":
        return self.stores.authority.policies

    def _named(self, ref: str) -> "tuple[str, ThrottlePolicy]":
        from tools.throttle import ThrottlePolicy

        if ref == "default":
            return ref, ThrottlePolicy()
        found = self._versions.version(NAME, ref)
        return str(found.n), self._readable(found)

    def _readable(self, version: "PolicyVersion") -> "ThrottlePolicy":
        policy = _policy(version)
        if policy is None:
            raise ModelRetry(
                f"Version {version.n} was written by another Touchline; it cannot be compared.",
                f"Read it: touchline policy show {version.n}.",
                message_zh=f"版本 {version.n} 由另一版 Touchline 写成，无法比较。",
                fix_zh=f"可以查看：touchline policy show {version.n}。",
            )
        return policy


def _policy(version: "PolicyVersion") -> "ThrottlePolicy | None":
    from tools.throttle import ThrottlePolicy

    try:
        return ThrottlePolicy.model_validate(version.document)
    except ValidationError:
        return None


def _info(version: "PolicyVersion") -> PolicyVersionInfo:
    return PolicyVersionInfo(
        version=version.n, digest=version.digest, since=version.since, until=version.until, account=version.account,
        person=version.person, note=version.note,
    )  # fmt: skip
