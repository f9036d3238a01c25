"""Running the server on a home: take the lock, open the port, warm up, stop cleanly."""

import logging
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Callable
from types import FrameType

import duckdb
import uvicorn
from sqlalchemy.exc import SQLAlchemyError

from server import log as logs
from server.app import create_app
from server.scheduler import INTERVAL_S
from server.service import Service
from warehouse.errors import AdminFixes, TouchlineError
from warehouse.home import Home

log = logging.getLogger("touchline.run")

HOST = "127.0.0.1"
PORT = 8700
TRIES = 50
GRACE_S = 5
"""Seconds that open streams get when the server stops."""


def listen(port: int, host: str = HOST) -> socket.socket:
    """A listening socket on the port, or on the next free one above it.

    Raises:
        AdminFixes: none of the ports is free, or the host is not one of this machine's.
    """
    for candidate in range(port, min(port + TRIES, 65_536)):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, candidate))
            listener.listen(128)
        except PermissionError:
            listener.close()
            raise AdminFixes(f"Port {candidate} needs rights that you do not have.", "Choose one above 1023.") from None
        except OSError as error:
            listener.close()
            if error.errno not in (98, 48, 10048):  # address in use: Linux, macOS, Windows
                raise AdminFixes(f"Nothing can listen on {host}.", "Name one of this machine's addresses.") from None
        else:
            return listener
    raise AdminFixes(f"No port from {port} to {port + TRIES - 1} is free.", "Name another with --port.")


def url_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(home: Home, listener: socket.socket, on_ready: Callable[[str], None], interval_s: float = INTERVAL_S) -> None:
    """Own the home and answer on the socket until SIGTERM or SIGINT; then let what runs end and give the lock back.

    Args:
        on_ready: called with the URL once requests are answered.

    Raises:
        HomeBusy: another process owns the home.
    """
    url = url_of(listener)
    token = secrets.token_urlsafe(32)
    logs.configure()
    # uvicorn raises the signals again after its own shutdown: by then they must unwind, not kill, so that the lock
    # and the stores are given back.
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, _leave)
    with home.own(url=url, token=token), Service(home, token) as service:
        server = _Server(
            uvicorn.Config(
                create_app(service),
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=GRACE_S,
                lifespan="off",
            ),
            lambda: _begin(service, url, on_ready, interval_s),
        )
        server.run(sockets=[listener])


def _begin(service: Service, url: str, on_ready: Callable[[str], None], interval_s: float) -> None:
    on_ready(url)
    threading.Thread(target=_warm_up, args=(service, interval_s), name="warm-up", daemon=True).start()


def _warm_up(service: Service, interval_s: float) -> None:
    """Open the heavy stores before somebody waits for them, then begin to deliver."""
    try:
        _ = service.stores.assistant
        service.stores.playbooks.warm()
    except (TouchlineError, SQLAlchemyError, duckdb.Error, OSError):
        log.exception("The assistant could not be opened.")
    service.start_scheduler(interval_s)


class _Server(uvicorn.Server):
    """Says when it answers."""

    def __init__(self, config: uvicorn.Config, begun: Callable[[], None]) -> None:
        super().__init__(config)
        self._begun = begun

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._begun()


def _leave(number: int, _: FrameType | None) -> None:
    sys.exit(0)
