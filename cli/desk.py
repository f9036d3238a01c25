"""The one door from commands to the service: in-process if the home is free, over HTTP if a server owns it."""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from cli.credentials import Who
from warehouse.home import Home, HomeBusy, HomeInfo

if TYPE_CHECKING:
    from cli.remote import Remote
    from server.service import Workspace

    Desk = Workspace | Remote

PATIENCE_S = 20.0
"""How long a command waits for another one that holds the home, or for a server that is starting."""
PAUSE_S = 0.1
IMPORT_READY = ".import-ready"
"""As `warehouse.importer` names it, whose modules are too heavy to be imported for every command."""


@contextmanager
def at_desk(home_dir: Path, who: Who) -> "Iterator[Desk]":
    """What a person may work with at a home.

    Raises:
        AdminFixes: there is no home here.
        HomeBusy: a process that is no server holds it and does not let go.
        SignInNeeded: the token or password is not valid.
    """
    home = Home(home_dir)
    home_info(home_dir)
    with ExitStack() as stack:
        owner = _own(home, stack)
        if owner is None:
            from server.service import Service

            service = stack.enter_context(Service(home))
            yield stack.enter_context(_signed_in(service, who))
        else:
            from cli.remote import Remote

            yield stack.enter_context(Remote(owner["url"], owner["token"], who))


def home_info(home_dir: Path) -> HomeInfo:
    """What kind of home this is. An import that broke off while its files were moved is finished first, if nobody
    owns the home: until then `home.yaml` may be the old one, or missing.

    Raises:
        AdminFixes: there is no home here.
    """
    home = Home(home_dir)
    if (home.root / IMPORT_READY).exists():
        from warehouse.importer import complete

        with suppress(HomeBusy), home.own():
            complete(home)
    return home.info()


def _own(home: Home, stack: ExitStack) -> dict[str, str] | None:
    """Take the home's lock and return None; or return the server that owns it."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            stack.enter_context(home.own())
            return None
        except HomeBusy:
            owner = home.owner() or {}
            if owner.get("url"):
                return {"url": str(owner["url"]), "token": str(owner.get("token", ""))}
            if time.monotonic() > deadline:
                raise
            time.sleep(PAUSE_S)


@contextmanager
def _signed_in(service: "Service", who: Who) -> "Iterator[Workspace]":
    """The workspace of a token, of a password (signed out again at the end), or of the local command line."""
    from server.schema import SignIn

    if who.password is not None and who.user is not None:
        token = service.sign_in(SignIn(account=who.user, password=who.password)).token
        try:
            yield service.workspace(service.caller(token))
        finally:
            service.sign_out(token)
    elif who.token:
        yield service.workspace(service.caller(who.token))
    else:
        yield service.workspace(service.local_caller(who.user))


if TYPE_CHECKING:
    from server.service import Service
