"""`touchline serve` and `touchline up`: the server alone, or the server with the pages."""

import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Annotated

import typer

from cli.desk import home_info
from cli.language import say
from cli.options import DEFAULT_HOME, HomeDir, Lang
from cli.output import BadUsage, note
from warehouse.errors import AdminFixes
from warehouse.home import Home, HomeBusy

PORT = 8700
UI_PORT = 8701
UI_STOP_S = 5.0
PAGES = Path(__file__).parents[1] / "ui" / "app.py"

Port = Annotated[
    int,
    typer.Option(
        "--port",
        min=1,
        max=65_535,
        help=say("接口端口；被占用时取下一个空闲的。", "The API's port; the next free one if it is taken."),
    ),
]
UiPort = Annotated[
    int,
    typer.Option(
        "--ui-port",
        min=1,
        max=65_535,
        help=say("页面端口；被占用时取下一个空闲的。", "The pages' port; the next free one if it is taken."),
    ),
]
Host = Annotated[
    str,
    typer.Option(
        "--host",
        help=say("监听地址，默认仅本机。", "The address to listen on; this machine only unless told otherwise."),
    ),
]


def serve(port: Port = PORT, host: Host = "127.0.0.1", home: HomeDir = DEFAULT_HOME, lang: Lang = None) -> None:
    where = _free_home(home)
    from server import run

    listener = run.listen(port, host)
    _told_port(port, listener)
    run.serve(
        where,
        listener,
        lambda url: note(
            say(f"服务已启动：{url}/v1 （Ctrl-C 停止）", f"The server answers at {url}/v1 (Ctrl-C stops it).")
        ),
    )


def up(
    port: Port = PORT,
    ui_port: UiPort = UI_PORT,
    host: Host = "127.0.0.1",
    home: HomeDir = DEFAULT_HOME,
    lang: Lang = None,
) -> None:
    where = _free_home(home)
    from server import run

    listener = run.listen(port, host)
    _told_port(port, listener)
    # Held until the pages take it, so that two `up` at the same moment do not choose the same one.
    reserved = run.listen(max(ui_port, 1), host)
    pages_at = run.url_of(reserved)
    if not pages_at.endswith(f":{ui_port}"):
        note(
            say(
                f"端口 {ui_port} 已被占用，页面改用 {pages_at}",
                f"Port {ui_port} is taken; the pages use {pages_at} instead.",
            )
        )
    api_at = run.url_of(listener)
    reserved.close()
    pages = _start_pages(pages_at, api_at, host)
    stopping = threading.Event()
    threading.Thread(target=_watch, args=(pages, stopping), daemon=True).start()
    try:
        run.serve(where, listener, lambda url: _welcome(where, url, pages_at))
    finally:
        stopping.set()
        _stop(pages)


def _free_home(home: Path) -> Home:
    """The home, if nobody owns it.

    Raises:
        HomeBusy: somebody does; the message says who and where.
        AdminFixes: there is no home here.
    """
    where = Home(home)
    home_info(home)
    try:
        with where.own():
            return where
    except HomeBusy as busy:
        owner = busy.details.get("owner") or {}
        who, url = owner.get("pid", "?"), owner.get("url")
        if not url:
            raise
        raise BadUsage(
            say(
                f"{where.root} 已由进程 {who} 提供服务：{url}。",
                f"{where.root} is served already, by process {who} at {url}.",
            ),
            say(
                "直接使用它，或先停止它，或用 --home 换一个环境。",
                "Use that one, stop it first, or name another --home.",
            ),
        ) from None


def _told_port(wanted: int, listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    if port != wanted:
        note(say(f"端口 {wanted} 已被占用，改用 {port}。", f"Port {wanted} is taken; using {port} instead."))


def _start_pages(pages_at: str, api_at: str, host: str) -> "subprocess.Popen[bytes]":
    """Start Streamlit in a session of its own: Ctrl-C reaches us alone, and we stop it."""
    if not PAGES.is_file():
        raise AdminFixes(f"The pages are missing: {PAGES}.", "Install Touchline again, or use `touchline serve`.")
    settings = {
        "STREAMLIT_SERVER_HEADLESS": "true",
        "STREAMLIT_SERVER_ADDRESS": host,
        "STREAMLIT_SERVER_PORT": pages_at.rpartition(":")[2],
        "STREAMLIT_SERVER_FILE_WATCHER_TYPE": "none",
        "STREAMLIT_BROWSER_GATHER_USAGE_STATS": "false",
        "STREAMLIT_CLIENT_TOOLBAR_MODE": "viewer",
        "TOUCHLINE_URL": api_at,
    }
    return subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", str(PAGES)],
        env={**os.environ, **settings},
        cwd=PAGES.parents[1],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )


def _watch(pages: "subprocess.Popen[bytes]", stopping: threading.Event) -> None:
    """Say so if the pages end by themselves; the server goes on."""
    code = pages.wait()
    if not stopping.is_set():
        note(
            say(f"页面进程已退出（{code}），接口仍在运行。", f"The pages ended (exit code {code}); the server goes on.")
        )


def _stop(pages: "subprocess.Popen[bytes]") -> None:
    if pages.poll() is not None:
        return
    pages.send_signal(signal.SIGTERM)
    try:
        pages.wait(UI_STOP_S)
    except subprocess.TimeoutExpired:
        pages.kill()
        pages.wait()


def _welcome(home: Home, api_at: str, pages_at: str) -> None:
    lines = [say(f"页面  {pages_at}", f"pages  {pages_at}"), say(f"接口  {api_at}/v1", f"API    {api_at}/v1")]
    if home.info().kind == "demo":
        from control.authority import DEMO_USERS

        users = ", ".join(DEMO_USERS)
        lines.append(
            say(f"演示登录：{users}；密码是 <账号>-demo", f"demo sign-ins: {users}; the password is <name>-demo")
        )
    lines.append(say("Ctrl-C 停止", "Ctrl-C stops both"))
    note("\n".join(lines))


def register(app: typer.Typer) -> None:
    app.command("serve", help=say("启动接口服务。", "Start the server."))(serve)
    app.command("up", help=say("启动服务和页面。", "Start the server and the pages."))(up)
