"""Another model's reading is held against the offline model's, by whom it selects on real data."""

from datetime import UTC, datetime

import pytest
from scripted_endpoint import acts, endpoint

from agent import Answer, Assistant
from agent.models.base import Call, Done, Step, Turn
from agent.models.second_reader import SecondRead
from control.records import Actor, Records, control_url
from knowledge import PlaybookIndex
from warehouse.catalog import Catalog
from warehouse.home import Home
from warehouse.store import Warehouse

NOW = datetime(2026, 11, 18, 1, tzinfo=UTC)
WOMEN = {"base": "everyone", "match": "all", "conditions": [{"field": "gender", "op": "=", "value": "F"}], "events": []}
MEN = {**WOMEN, "conditions": [{"field": "gender", "op": "=", "value": "M"}]}
NOT_MEN = {**WOMEN, "conditions": [{"field": "gender", "op": "!=", "value": "M"}]}


@pytest.fixture
def ask(demo_home: Home, warehouse: Warehouse, catalog: Catalog, monkeypatch: pytest.MonkeyPatch):
    records = Records(control_url(demo_home), demo_home.clock())
    actor = Actor(account="operator", person="operator", roles=("operator",))

    def run(text: str, *answers: dict[str, object]) -> Answer:
        with endpoint(*answers) as script:
            monkeypatch.setenv("TOUCHLINE_MODEL_URL", script.url)
            monkeypatch.setenv("TOUCHLINE_MODEL_MODE", "json")
            monkeypatch.setenv("TOUCHLINE_MODEL_SINGLE_STEP", "true")
            playbooks = PlaybookIndex(demo_home.chroma)
            assistant = Assistant(demo_home, warehouse, catalog, records, playbooks, demo_home.clock())
            try:
                return assistant.ask(text, thread="t", actor=actor, model="openai")
            finally:
                assistant.close()

    yield run
    records.close()


def test_the_same_customers_in_other_words_pass(ask) -> None:
    answer = ask("女性客户有多少", acts("query_segment", segment=NOT_MEN))
    assert [call.ok for call in answer.calls] == [True]
    assert answer.question is None
    assert answer.model == "scripted"


def test_other_customers_are_asked_about_with_both_readings(ask) -> None:
    answer = ask("女性客户有多少", acts("query_segment", segment=MEN))
    assert not answer.calls
    assert answer.question is not None
    assert answer.question.options == ["`gender = 'M'`", "`gender = 'F'`"]


def test_what_the_second_reader_cannot_read_is_called_unverified(ask) -> None:
    answer = ask("蓝色的女性客户有多少", acts("query_segment", segment=WOMEN))
    assert answer.calls[0].ok
    assert "没有经过第二读" in answer.reply


class Fixed:
    def __init__(self, step: Step) -> None:
        self.step = step
        self.name = "fixed"

    def next(self, turn: Turn) -> Step:
        return self.step


def one(tool: str, **args: object) -> Step:
    return Step(calls=[Call(tool=tool, args=args)])


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (
            one("check_throttle", channel="sms", at="2026-11-18T09:00"),
            one("check_throttle", channel="sms", at="2026-11-19T09:00"),
        ),
        (one("check_throttle", channel="sms"), one("check_throttle", channel="push")),
        (
            one("draft_canvas", waves=[{"channel": "sms", "day": 3}]),
            one("draft_canvas", waves=[{"channel": "sms", "day": 5}]),
        ),
        (one("draft_canvas", waves=[], holdout_percent=10), one("draft_canvas", waves=[], holdout_percent=20)),
        (one("query_segment", segment="everyone"), one("query_metric", metric="mau")),
    ],
)
def test_other_channels_days_dates_shares_and_tools_are_asked_about(first: Step, second: Step) -> None:
    turn = Turn(text="x", language="en", now=NOW, as_of=NOW)
    step = SecondRead(Fixed(first), Fixed(second), lambda a, b: a == b).next(turn)
    assert step.question is not None
    assert not step.calls


def test_only_the_first_step_of_a_turn_is_read_twice() -> None:
    done = Done(tool="query_segment", args={}, ok=True)
    turn = Turn(text="x", language="en", now=NOW, as_of=NOW, done=[done])
    step = SecondRead(Fixed(one("undo")), Fixed(one("get_status")), lambda a, b: a == b).next(turn)
    assert step.calls[0].tool == "undo"
