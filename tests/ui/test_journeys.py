"""Whole journeys in a real browser: the main job from a question to files in the outbox, and a first question."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from warehouse.home import Home

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
PATIENCE_MS = 60_000
OUTBOX_S = 60.0

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason="Chromium is not installed (apt-get install chromium)"),
]


@pytest.fixture
def browser() -> Iterator[object]:
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield chromium
        chromium.close()


class Person:
    """Somebody signed in, in a browser window of his own."""

    def __init__(self, browser: object, url: str, account: str, locale: str) -> None:
        context = browser.new_context(locale=locale, viewport={"width": 1400, "height": 1000})  # type: ignore[attr-defined]
        self.page = context.new_page()
        self.page.set_default_timeout(PATIENCE_MS)
        self.page.goto(url)
        self.page.locator(f".st-key-as-{account} button").click()
        self.page.get_by_test_id("stPageLink").first.wait_for()

    def ask(self, text: str, shows: str) -> None:
        """Type a request and wait for words of the answer."""
        box = self.page.get_by_test_id("stChatInputTextArea")
        box.wait_for()
        playwright.expect(box).to_be_enabled(timeout=PATIENCE_MS)
        box.fill(text)
        box.press("Enter")
        self.sees(shows)

    def sees(self, text: str) -> None:
        """These words come up, and nothing has gone wrong."""
        playwright.expect(self.page.get_by_role("main").get_by_text(text).locator("visible=true").last).to_be_visible(
            timeout=PATIENCE_MS
        )
        assert self.page.get_by_test_id("stException").count() == 0

    def open(self, name: str) -> None:
        self.page.get_by_test_id("stSidebar").get_by_test_id("stPageLink").get_by_text(name, exact=True).click()

    def click(self, name: str) -> None:
        self.page.get_by_role("button", name=name).first.click()


def test_from_a_question_to_files_in_the_outbox_in_chinese(browser: object, up: tuple[str, Home]) -> None:
    url, home = up
    operator = Person(browser, url, "operator", "zh-CN")
    operator.ask("代发客户里40岁以下没有信用卡的有多少", "理解为")
    operator.ask("按城市分布", "占比")
    operator.ask("给这批客户做个活动：先发push，3天后没买理财的发短信，留10%对照", "这只是草稿")
    playwright.expect(operator.page.get_by_test_id("stGraphVizChart").locator("svg").first).to_be_visible()
    operator.ask("提交审批", "打开 prop_1 的审批页")
    assert not list(home.outbox.rglob("*.*")), "nothing leaves before the approval"

    operator.page.get_by_text("打开 prop_1 的审批页").click()
    operator.sees("您不能签署这份方案：您是提交人")
    operator.open("对话")
    operator.sees("打开 prop_1 的审批页")

    approver = Person(browser, url, "approver", "zh-CN")
    approver.open("审批")
    approver.click("查看并签署")
    for part in ("停止线", "话术样例", "触达漏斗", "禁止名单核对", "同意依据", "审批层级与签名"):
        approver.sees(part)
    approver.page.get_by_text("我已查看客群").click()
    playwright.expect(approver.page.get_by_role("button", name="批准")).to_be_enabled(timeout=PATIENCE_MS)
    approver.click("批准")
    approver.sees("已处理：prop_1")

    operator.sees("审批通知")  # without a click: the page looks for it
    deadline = time.monotonic() + OUTBOX_S
    while not (written := [path for path in home.outbox.rglob("*") if path.is_file()]):
        assert time.monotonic() < deadline, "no file in the outbox"
        time.sleep(0.2)
    assert all(path.stat().st_size for path in written)


def test_what_is_being_typed_stays_while_the_page_looks_for_news(browser: object, up: tuple[str, Home]) -> None:
    operator = Person(browser, up[0], "operator", "zh-CN")
    operator.ask("代发客户里40岁以下没有信用卡的有多少", "理解为")
    operator.ask("给这批客户做个活动：先发push，留10%对照", "这只是草稿")
    operator.ask("提交审批", "打开 prop_1 的审批页")
    box = operator.page.get_by_test_id("stChatInputTextArea")
    playwright.expect(box).to_be_enabled(timeout=PATIENCE_MS)
    box.fill("批了")
    operator.page.wait_for_timeout(7_000)  # two looks
    approver = Person(browser, up[0], "approver", "zh-CN")
    approver.open("审批")
    approver.click("查看并签署")
    approver.page.get_by_text("我已查看客群").click()
    playwright.expect(approver.page.get_by_role("button", name="批准")).to_be_enabled(timeout=PATIENCE_MS)
    approver.click("批准")
    operator.sees("审批通知")
    assert box.input_value() == "批了"


def test_a_first_question_in_english(browser: object, up: tuple[str, Home]) -> None:
    operator = Person(browser, up[0], "operator", "en-GB")
    operator.click("How many payroll customers under 35 have no credit card?")
    operator.sees("Understood as")
    operator.page.get_by_text("Evidence (1)").click()
    operator.sees("Data cut-off 2026-11-18 09:00")
    operator.page.reload()
    operator.page.locator(".st-key-as-operator button").click()
    operator.page.locator("[class*='st-key-t-t_'] button").first.click()
    operator.sees("Understood as")  # a reload signs out, and loses nothing
