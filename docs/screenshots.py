"""Takes the README's pictures from the running product: `.venv/bin/python docs/screenshots.py`.

It builds a demo bank in a temporary folder, starts `touchline up` on it (ports from 8960), plays the main job in a real
browser in Chinese and in English, and writes docs/images/*.png. It needs Chromium at /usr/bin/chromium and a Chinese font
(`apt-get install chromium fonts-noto-cjk`). Everything temporary is removed at the end; nothing is drawn by hand.
"""

import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
PORT = 8960
START_S = 120.0
PATIENCE_MS = 60_000
SETTLE_MS = 2_500
JOB = {
    "zh": [
        ("代发客户里40岁以下没有信用卡的有多少", "理解为"),
        ("按城市分布", "占比"),
        ("给这批客户做个活动：先发push，3天后没买理财的发短信，留10%对照", "这只是草稿"),
        ("提交审批", "的审批页"),
    ],
    "en": [
        ("How many customers have a wealth product maturing within 30 days?", "Understood as"),
        ("Break it down by tier", "share"),
        (
            "Draft a campaign for them: push first, SMS after 3 days to those who did not buy, hold out 10%",
            "This is a draft",
        ),
        ("Submit it for approval", "on the approvals page"),
    ],
}
WORDS = {"zh": ("审批", "查看并签署", "触达漏斗"), "en": ("Approvals", "Read and sign", "Net-reach waterfall")}


def main() -> None:
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="touchline-pictures-") as folder:
        command = [sys.executable, "-m", "cli.main"]
        subprocess.run([*command, "demo-bank", "--home", f"{folder}/home"], cwd=ROOT, check=True, capture_output=True)
        log = Path(folder) / "log"
        with log.open("wb") as out:
            ports = ["--port", str(PORT), "--ui-port", str(PORT + 1)]
            server = subprocess.Popen(
                [*command, "up", "--home", f"{folder}/home", *ports], cwd=ROOT, stdout=out, stderr=out
            )
        try:
            pages = _pages_of(server, log)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
                for language in ("zh", "en"):
                    _take(browser, pages, language)
                browser.close()
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(30)


def _pages_of(server: "subprocess.Popen[bytes]", log: Path) -> str:
    """The pages' address, once they answer."""
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and server.poll() is None:
        if found := re.search(r"(?:pages|页面) +(http://\S+)", log.read_text("utf-8")):
            try:
                with urllib.request.urlopen(found[1]):
                    return found[1]
            except OSError:
                pass
        time.sleep(0.2)
    raise SystemExit(f"The product did not start:\n{log.read_text('utf-8')}")


def _take(browser: Browser, pages: str, language: str) -> None:
    """The pictures of one language."""
    operator = _signed_in(browser, pages, "operator", language)
    for number, (text, shows) in enumerate(JOB[language]):
        box = operator.get_by_test_id("stChatInputTextArea")
        expect(box).to_be_enabled(timeout=PATIENCE_MS)
        box.fill(text)
        box.press("Enter")
        _seen(operator, shows)
        if number == 1:
            _picture(operator, f"chat-{language}")
    approvals, sign, waterfall = WORDS[language]
    approver = _signed_in(browser, pages, "approver", language)
    _link(approver, approvals).click()
    approver.get_by_role("button", name=sign).first.click()
    _seen(approver, waterfall)
    _picture(approver, f"approvals-{language}")
    if language == "en":
        _link(operator, "Results").click()
        _seen(operator, "Funnel")
        _picture(operator, "results-en")


def _signed_in(browser: Browser, pages: str, account: str, language: str) -> Page:
    locale = {"zh": "zh-CN", "en": "en-GB"}[language]
    page = browser.new_context(locale=locale, viewport={"width": 1280, "height": 900}).new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(pages)
    page.locator(f".st-key-as-{account} button").click()
    page.get_by_test_id("stPageLink").first.wait_for()
    return page


def _link(page: Page, name: str) -> Locator:
    return page.get_by_test_id("stSidebar").get_by_test_id("stPageLink").get_by_text(name, exact=True)


def _seen(page: Page, text: str) -> None:
    found = page.get_by_role("main").get_by_text(text).locator("visible=true")
    expect(found.last).to_be_visible(timeout=PATIENCE_MS)


def _picture(page: Page, name: str) -> None:
    """Once charts and tables have come up."""
    page.mouse.move(640, 5)
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0, timeout=PATIENCE_MS)
    page.wait_for_timeout(SETTLE_MS)
    page.screenshot(path=IMAGES / f"{name}.png")


if __name__ == "__main__":
    main()
