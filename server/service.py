"""The service: one instance of everything, and a workspace for each caller with all the functions of the contract.

The server answers HTTP with it; the command line uses it in-process while no server owns the home.
"""

import hmac
import logging
import secrets
import threading
from typing import Self

from control.records import Actor
from server.access import LOCAL_SCOPES, NOBODY, Caller
from server.approvals import Approvals
from server.conversation import Conversation
from server.house import House
from server.lists import ListWork
from server.people import PeopleWork
from server.policies import PolicyWork
from server.scheduler import Scheduler
from server.schema import Me, ReleaseRun, SignedIn, SignIn, Wave
from server.stores import Stores
from server.tags import TagWork
from server.templates import TemplateWork
from server.turns import Turns
from server.upkeep import Upkeep
from warehouse.errors import AdminFixes, SignInNeeded
from warehouse.home import Home

log = logging.getLogger("touchline.service")

DEFAULT_USER = "operator"


class Workspace(Conversation, TemplateWork, Approvals, ListWork, TagWork, PeopleWork, PolicyWork, House):
    """What one caller may work with. Every public function is marked with the permission it takes (`server.access`)."""


class Service:
    """Everything of one home. Whoever makes it holds the home's lock (`Home.own`).

    Args:
        home: the home.
        local_token: what the command line beside the home shows to a server; None makes one.
    """

    def __init__(self, home: Home, local_token: str | None = None) -> None:
        self.home = home
        self.stores = Stores(home)
        self.serves = local_token is not None
        """Others reach it over HTTP; otherwise it serves the process that owns the home alone."""
        self.local_token = local_token or secrets.token_urlsafe(32)
        self._turns: Turns | None = None
        self._opening = threading.Lock()
        self._delivering = threading.Lock()
        self._told: list[str] = []
        self.scheduler: Scheduler | None = None
        self.upkeep = Upkeep(self.stores)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let what runs end, then close the stores."""
        if self.scheduler is not None:
            self.scheduler.stop()
        if self._turns is not None:
            self._turns.stop()
        self.stores.close()

    @property
    def turns(self) -> Turns:
        with self._opening:
            if self._turns is None:
                self._turns = Turns(self.stores)
            return self._turns

    # Who is speaking

    def workspace(self, caller: Caller) -> Workspace:
        return Workspace(self, caller)

    def caller(self, token: str, user: str | None = None) -> Caller:
        """Whoever a token belongs to; nobody for none.

        Args:
            user: with the local token of a demo home, the name to read and draft as.

        Raises:
            SignInNeeded: the token is unknown, expired or revoked.
        """
        if not token:
            return NOBODY
        if hmac.compare_digest(token.encode(), self.local_token.encode()):
            return self.local_caller(user)
        principal = self.stores.authority.authenticate(token)
        return Caller(principal.actor, frozenset(principal.scopes), "signed_in", principal)

    def local_caller(self, user: str | None = None) -> Caller:
        """The command line beside the home: any demo user on a demo home, to read and draft; on a real one a viewer.

        Raises:
            SignInNeeded: a name was given on a real home.
            NotFound: there is no such demo user.
        """
        if self.stores.info.kind == "demo":
            return Caller(self.stores.authority.actor(user or DEFAULT_USER), LOCAL_SCOPES, "local")
        if user:
            raise SignInNeeded(
                f"On a real home a name is not enough to be {user}.", "Pass a token, or give the password."
            )
        return Caller(Actor(account="local", person="local", roles=("viewer",)), frozenset({"read"}), "local")

    def sign_in(self, asked: SignIn) -> SignedIn:
        """Begin a password session.

        Raises:
            SignInNeeded: account and password do not fit.
        """
        token = self.stores.authority.sign_in(asked.account, asked.password)
        me: Me = self.workspace(self.caller(token)).me()
        return SignedIn(token=token, me=me)

    def sign_out(self, token: str) -> None:
        """The token is worth nothing from now on. The local token ends with its process instead."""
        if token and not hmac.compare_digest(token.encode(), self.local_token.encode()):
            self.stores.authority.sign_out(token)

    # Delivery

    def start_scheduler(self, interval_s: float) -> None:
        """Do what is due every few seconds from now on."""
        self.scheduler = Scheduler(self._deliver, interval_s)
        self.scheduler.start()

    def nudge(self) -> None:
        """Something may have become due."""
        if self.scheduler is not None:
            self.scheduler.nudge()

    def decided(self, proposal_id: str) -> None:
        """Somebody decided: deliver what is due and tell the conversation; at once, or soon where a server runs."""
        if self.scheduler is not None:
            self._told.append(proposal_id)
            self.scheduler.nudge()
            return
        self.run_due()
        self._tell(proposal_id)

    def run_due(self) -> ReleaseRun:
        """Do what is due now, deliveries first; one run at a time."""
        with self._delivering:
            self.stores.deliverer.plan_due()
            reports = self.stores.deliverer.run_due()
            self.upkeep.run_due()
        return ReleaseRun(
            waves=[Wave.model_validate(report, from_attributes=True) for report in reports],
            outbox=str(self.home.outbox),
        )

    def _deliver(self) -> None:
        self.run_due()
        while self._told:
            self._tell(self._told.pop(0))

    def _tell(self, proposal_id: str) -> None:
        """Wake the conversation that waits for a proposal."""
        thread = self.stores.records.proposal(proposal_id).thread
        if thread:
            self.stores.assistant.decision_made(thread, proposal_id)

    def ready(self) -> None:
        """Pass if a server's stores answer and its scheduler runs.

        Raises:
            AdminFixes: something does not.
        """
        if self.scheduler is None:
            raise AdminFixes(
                "The server is still starting.",
                "Wait a few seconds; if it stays, look at its log.",
                message_zh="服务还在启动。",
                fix_zh="请稍等几秒；如果一直这样，请看服务日志。",
            )
        self.stores.check()
        if not self.scheduler.alive or self.scheduler.failure:
            raise AdminFixes(
                f"Delivery is not working ({self.scheduler.failure or 'stopped'}).",
                "Look at the server's log.",
                message_zh=f"发送任务没有在运行（{self.scheduler.failure or 'stopped'}）。",
                fix_zh="请看服务日志。",
            )
