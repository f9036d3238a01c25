"""Runs what is due in a home until nothing is, in a process of its own that a test kills."""

from multiprocessing.connection import Connection

from tests.support.released_bank import ReleasedBank
from warehouse.home import Home


def work(root: str, wall: float, tell: Connection) -> None:
    """Say 'ready' when the stores are open, and 'done' when nothing is due any more."""
    bank = ReleasedBank(Home(root), wall)
    tell.send("ready")
    while bank.deliverer.run_due():
        pass
    bank.close()
    tell.send("done")
