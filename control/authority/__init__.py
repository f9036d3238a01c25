"""The deciding half of the control plane: people, policies, decisions, releases, audit. The agent has no door here."""

from pathlib import Path
from typing import Self

from control.authority.audit import Audit, AuditEntry, AuditReport
from control.authority.decisions import Decision, Decisions, Refused, Tampered, Verdict
from control.authority.people import AccountRecord, People
from control.authority.policies import Policies, PolicyVersion
from control.authority.releases import Intent, Releases, ReleaseState
from control.authority.roles import DEMO_USERS, ROLES, SYSTEM, Scope
from control.authority.sessions import Principal
from control.authority.views import DecisionView, InboxItem, LevelView, MoveView, ProposalView, Views
from control.records import Actor, Records, control_url, sqlite_path
from control.records.routing import DEFAULT, ApprovalPolicy, Facts
from warehouse.clock import Clock
from warehouse.errors import AdminFixes
from warehouse.home import Home


class Authority:
    """Decides about proposals of one bank, and keeps account of releases.

    Args:
        url: the control plane's URL, the same as for `Records`.
        clock: the home's clock.
        audit_key: the HMAC key of the audit head, from `Home.key('audit')`; never in the database.
        policies: the folder with `approval.yaml`; for SQLite the folder `policies` beside the file.
        head_file: where the signed audit head is kept; for SQLite beside the file.
        demo: whether demo users may exist; by default whether the clock is a demo home's.

    Raises:
        AdminFixes: no place for the audit head is known.
    """

    def __init__(
        self,
        url: str,
        clock: Clock,
        audit_key: bytes,
        *,
        policies: Path | None = None,
        head_file: Path | None = None,
        demo: bool | None = None,
    ) -> None:
        file = sqlite_path(url)
        head = head_file or (file.with_name("audit-head.json") if file else None)
        if head is None:
            raise AdminFixes("The audit head needs a file outside the database.", "Pass head_file.")
        self.records = Records(url, clock)
        self.audit = Audit(self.records.database, clock, audit_key, head)
        self.people = People(self.audit, demo=clock.start is not None if demo is None else demo)
        folder = policies or (file.parent / "policies" if file else None)
        self.decisions = Decisions(self.audit, self.people, folder)
        self.releases = Releases(self.audit, self.people, self.decisions, self.records)
        self.views = Views(self.audit, self.decisions)
        self.policies = Policies(self.audit, self.people)
        # The contract's names; each says what it does where it is defined.
        self.bootstrap_demo = self.people.bootstrap_demo
        self.bootstrap_admin = self.people.bootstrap_admin
        self.sign_in = self.people.sign_in
        self.sign_out = self.people.sign_out
        self.authenticate = self.people.authenticate
        self.create_token = self.people.create_token
        self.actor = self.people.actor
        self.inbox = self.views.inbox
        self.view = self.views.view
        self.decide = self.decisions.decide
        self.revoke = self.decisions.revoke
        self.expire = self.decisions.expire
        self.intents = self.releases.intents
        self.release_state = self.releases.release_state
        self.claim_wave = self.releases.claim_wave
        self.wave_done = self.releases.wave_done
        self.pause = self.releases.pause
        self.kill_switch = self.releases.kill_switch

    @classmethod
    def of_home(cls, home: Home) -> Self:
        """The authority of a home's embedded control plane."""
        return cls(
            control_url(home),
            home.clock(),
            home.key("audit"),
            policies=home.policies,
            head_file=home.root / "audit-head.json",
            demo=home.info().kind == "demo",
        )

    def close(self) -> None:
        self.records.close()


__all__ = [
    "DEFAULT",
    "DEMO_USERS",
    "ROLES",
    "SYSTEM",
    "AccountRecord",
    "Actor",
    "ApprovalPolicy",
    "Audit",
    "AuditEntry",
    "AuditReport",
    "Authority",
    "Decision",
    "DecisionView",
    "Decisions",
    "Facts",
    "InboxItem",
    "Intent",
    "LevelView",
    "MoveView",
    "People",
    "Policies",
    "PolicyVersion",
    "Principal",
    "ProposalView",
    "Refused",
    "ReleaseState",
    "Releases",
    "Scope",
    "Tampered",
    "Verdict",
    "Views",
]
