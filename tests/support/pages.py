"""A running Touchline for tests of its pages, and the pages as Streamlit's own test harness sees them."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from streamlit.testing.v1 import AppTest

from warehouse.home import Home

ROOT = Path(__file__).parents[2]
APP = ROOT / "ui" / "app.py"
START_S = 90.0
RUN_S = 60.0


@contextmanager
def running(home: Home, command: str, log: Path, port: int) -> Iterator[dict[str, str]]:
    """`touchline serve` or `touchline up` on a home; yields its addresses (`API`, and `pages` where there are some)."""
    more = ["--ui-port", str(port + 1)] if command == "up" else []
    arguments = [sys.executable, "-m", "cli.main", command, "--home", str(home.root), "--port", str(port), *more]
    with log.open("wb") as out:
        process = subprocess.Popen(
            arguments, cwd=ROOT, env={**os.environ, "TOUCHLINE_LANG": "en"}, stdout=out, stderr=out
        )
    try:
        yield _addresses(process, log, command)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _addresses(process: "subprocess.Popen[bytes]", log: Path, command: str) -> dict[str, str]:
    """The addresses that it told, once they answer."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        urls = re.findall(r"http://127\.0\.0\.1:\d+", log.read_text("utf-8"))
        if command == "serve":
            found = {"API": urls[-1]} if urls else {}
        else:
            told = dict(re.findall(r"^(pages|API) +(http://[\d.:]+)", log.read_text("utf-8"), re.MULTILINE))
            found = told if len(told) == 2 else {}
        if found and all(_answers(url) for url in found.values()):
            return found
        time.sleep(0.1)
    raise AssertionError(f"`touchline {command}` did not start:\n{log.read_text('utf-8')}")


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False).status_code < 500
    except httpx.TransportError:
        return False


class Pages:
    """A person at the pages, in a language."""

    def __init__(self, language: str = "en") -> None:
        self.app = AppTest.from_file(str(APP), default_timeout=RUN_S)
        self.app.session_state["language"] = language
        self.app.run()

    def sign_in(self, account: str) -> "Pages":
        self.app.button(key=f"as-{account}").click().run()
        return self

    def go(self, name: str, **parameters: str) -> "Pages":
        """Open a page by its address. `AppTest.switch_page` knows pages that are files; ours are functions."""
        for page, info in self.app._registered_pages.items():
            if info.get("url_pathname") == name:
                self.app._page_hash = page
        self.app.query_params.clear()
        self.app.query_params.update(parameters)
        self.app.run()
        return self

    def ask(self, text: str) -> "Pages":
        self.app.chat_input[0].set_value(text).run()
        return self

    def text(self) -> str:
        """All words on the page."""
        app = self.app
        parts = (
            app.title, app.header, app.subheader, app.markdown, app.caption, app.text, app.code, app.info, app.success,
            app.warning, app.error, app.table,
        )  # fmt: skip
        words = [str(element.value) for part in parts for element in part]
        words += [f"{metric.label} {metric.value}" for metric in app.metric]
        words += [button.label for button in app.button]
        return "\n".join(words)

    def has(self, kind: str) -> int:
        """How many elements of a kind there are ('graphviz_chart', 'vega_lite_chart', 'page_link', …)."""
        return len(self.app.get(kind))
