"""The conversation as a graph on a real demo home, with a scripted model where the model is not what is tested."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from agent import Assistant
from agent.desk import Desk
from agent.models.base import Call, Question, Step, Turn
from control.authority import Authority
from control.records import Records, control_url
from knowledge import PlaybookIndex
from warehouse.catalog import Catalog
from warehouse.errors import AdminFixes, ModelRetry
from warehouse.home import Home
from warehouse.store import Warehouse

SEGMENT = Call(tool="query_segment", args={"segment": "is_payroll and age < 40"})
WAVES = [{"channel": "push"}, {"channel": "sms", "day": 3}]
DRAFT = Call(tool="draft_canvas", args={"name": "t", "waves": WAVES})


class Scripted:
    """A model that says what it was told to, one step after the other, and remembers what it was shown."""

    name = "scripted"

    def __init__(self, *steps: Step | Exception) -> None:
        self.steps: list[Step | Exception] = list(steps)
        self.seen: list[Turn] = []

    def next(self, turn: Turn) -> Step:
        self.seen.append(turn)
        step = self.steps.pop(0) if self.steps else Step()
        if isinstance(step, Exception):
            raise step
        return step


@pytest.fixture
def bank(demo_home: Home, warehouse: Warehouse, catalog: Catalog) -> Iterator["Bank"]:
    made = Bank(demo_home, warehouse, catalog)
    yield made
    made.close()


class Bank:
    """A demo home with its people, and an assistant per scripted model."""

    def __init__(self, home: Home, warehouse: Warehouse, catalog: Catalog) -> None:
        self.home, self.warehouse, self.catalog = home, warehouse, catalog
        self.clock = home.clock()
        self.records = Records(control_url(home), self.clock)
        self.authority = Authority.of_home(home)
        self.authority.bootstrap_demo()
        self.playbooks = PlaybookIndex(home.chroma)
        self.operator = self.authority.actor("operator")
        self.opened: list[Assistant] = []

    def assistant(self, *steps: Step | Exception) -> tuple[Assistant, Scripted]:
        model = Scripted(*steps)
        made = Assistant(
            self.home, self.warehouse, self.catalog, self.records, self.playbooks, self.clock, {"scripted": model}
        )
        self.opened.append(made)
        return made, model

    def ask(self, assistant: Assistant, text: str = "有多少", **more: Any) -> Any:
        return assistant.ask(text, thread="t", actor=self.operator, model="scripted", **more)

    def submit(self) -> tuple[Assistant, str]:
        """A conversation in which a canvas was drafted and submitted."""
        assistant, _ = self.assistant(
            Step(calls=[SEGMENT]), Step(calls=[DRAFT]), Step(calls=[Call(tool="submit_for_approval")]), Step()
        )
        answer = self.ask(assistant, "出一套并提交")
        assert answer.proposal is not None, answer.reply
        return assistant, answer.proposal.id

    def decide(self, proposal: str, decision: str, comment: str = "") -> None:
        principal = self.authority.authenticate(self.authority.sign_in("approver", "approver-demo"))
        digest = self.records.proposal(proposal).digest
        self.authority.decide(proposal, principal, decision, digest, comment)

    def notices(self) -> list[str]:
        return [turn.turn["notice"] for turn in self.records.turns("t") if turn.turn.get("notice")]

    def close(self) -> None:
        for assistant in self.opened:
            assistant.close()
        self.records.close()


def kinds(events: Sequence[Any]) -> list[str]:
    return [str(event["kind"]) for event in events]


def test_a_turn_calls_tools_and_renders_their_numbers(bank: Bank) -> None:
    events: list[Any] = []
    assistant, model = bank.assistant(Step(calls=[SEGMENT]), Step())
    answer = bank.ask(assistant, on_event=events.append)
    expected = bank.warehouse.read(
        "SELECT count(*) FROM customers WHERE is_payroll AND birth_date > (DATE '2026-11-18' - INTERVAL 40 YEAR)"
    ).scalar()
    assert answer.segment is not None
    assert answer.segment.count == expected
    assert f"**{expected:,}**" in answer.reply
    assert answer.evidence[0].sql
    assert answer.calls[0].evidence == [evidence.id for evidence in answer.evidence]
    assert kinds(events) == ["thinking", "calling", "called", "thinking", "answer"]
    assert model.seen[1].done[0].result["count"] == expected


def test_what_leaves_for_a_model_is_on_record_and_masked(bank: Bank) -> None:
    assistant, model = bank.assistant(Step())
    bank.ask(assistant, "查13800138000")
    assert model.seen[0].text == "查<phone_1>"
    sent = [e.event for e in bank.records.events("t") if e.event["kind"] == "model_request"]
    assert sent[0]["sent"]["text"] == "查<phone_1>"


def test_a_refused_call_goes_back_twice_and_then_to_the_person(bank: Bank) -> None:
    wrong = Step(calls=[Call(tool="query_segment", args={"segment": "agee < 3"})])
    assistant, model = bank.assistant(wrong, wrong, wrong, wrong)
    answer = bank.ask(assistant)
    assert len(model.seen) == 3
    assert "age" in model.seen[1].done[0].error
    assert [call.ok for call in answer.calls] == [False, False, False]
    assert "agee" in answer.reply


def test_an_unknown_tool_or_argument_is_named_with_what_there_is(bank: Bank) -> None:
    assistant, model = bank.assistant(
        Step(calls=[Call(tool="approve", args={})]),
        Step(calls=[Call(tool="query_segment", args={"segment": "everyone", "limit": 5})]),
        Step(calls=[Call(tool="query_segment", args={"segment": "everyone"})]),
        Step(),
    )
    answer = bank.ask(assistant)
    assert "query_segment" in model.seen[1].done[0].error
    assert "limit" in model.seen[2].done[1].error
    assert answer.calls[-1].ok


def test_steps_are_bounded(bank: Bank) -> None:
    assistant, model = bank.assistant(*[Step(calls=[SEGMENT])] * 50)
    bank.ask(assistant)
    assert len(model.seen) <= 8


def test_a_question_ends_the_turn(bank: Bank) -> None:
    assistant, _ = bank.assistant(Step(question=Question(text="哪种？", options=["甲"])))
    answer = bank.ask(assistant)
    assert answer.question is not None
    assert "哪种？" in answer.reply


def test_a_remark_with_an_invented_number_is_not_shown(bank: Bank) -> None:
    assistant, _ = bank.assistant(Step(calls=[SEGMENT]), Step(remark="That is 77123 people, 12% more."))
    assert "77123" not in bank.ask(assistant).reply


def test_a_model_that_is_away_is_said_with_the_way_out(bank: Bank) -> None:
    assistant, _ = bank.assistant(AdminFixes("The model does not answer.", "Use the offline model."))
    assert "Use the offline model." in bank.ask(assistant).reply
    assistant.models.get("scripted")
    assert bank.ask(assistant).reply, "the thread goes on"


def test_a_call_on_record_is_not_carried_out_again(bank: Bank) -> None:
    assistant, _ = bank.assistant(Step(calls=[SEGMENT, DRAFT]), Step())
    bank.ask(assistant)
    before = bank.records.canvas("cv_1").version
    desk = Desk(bank.records, assistant.toolbox, bank.playbooks)
    context = assistant._context("t", bank.operator, "zh")
    assert desk.carry_out(context, 1, 1, DRAFT).ok
    assert bank.records.canvas("cv_1").version == before
    with pytest.raises(ModelRetry):
        bank.records.canvas("cv_2")


def test_the_conversation_waits_and_is_told_what_was_decided(bank: Bank) -> None:
    assistant, proposal = bank.submit()
    bank.decide(proposal, "approve", "go ahead")
    assistant.decision_made("t", proposal)
    assert bank.notices() == [f"{proposal}:approved"]
    assert "go ahead" in bank.records.turns("t")[-1].turn["reply"]
    assistant.decision_made("t", proposal)
    assert bank.notices() == [f"{proposal}:approved"], "a notice is given once"


def test_a_false_alarm_changes_nothing_and_the_thread_still_waits(bank: Bank) -> None:
    assistant, proposal = bank.submit()
    assistant.decision_made("t", proposal)
    assert bank.notices() == []
    bank.decide(proposal, "reject", "not now")
    assistant.decision_made("t", proposal)
    assert bank.notices() == [f"{proposal}:rejected"]


def test_talking_on_while_a_proposal_is_open_loses_no_decision(bank: Bank) -> None:
    assistant, proposal = bank.submit()
    bank.ask(assistant, "继续聊")
    bank.decide(proposal, "return", "change the words")
    assistant.decision_made("t", proposal)
    assert bank.notices() == [f"{proposal}:returned"]


def test_a_decision_made_while_nobody_ran_is_told_at_the_next_turn(bank: Bank) -> None:
    _, proposal = bank.submit()
    bank.decide(proposal, "approve")
    later, _ = bank.assistant(Step())
    bank.ask(later, "你好")
    assert bank.notices() == [f"{proposal}:approved"]


@pytest.mark.parametrize("text", ["", "  ", "x" * 5000])
def test_requests_that_are_none(bank: Bank, text: str) -> None:
    assistant, _ = bank.assistant()
    with pytest.raises(ModelRetry):
        bank.ask(assistant, text)


def test_an_unknown_model_is_named_with_those_there_are(bank: Bank) -> None:
    assistant, _ = bank.assistant()
    with pytest.raises(ModelRetry, match="offline"):
        assistant.ask("x", thread="t", actor=bank.operator, model="gpt-9")
