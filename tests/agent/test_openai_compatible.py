"""The OpenAI-compatible model against a scripted endpoint over real HTTP, in both wire modes."""

from datetime import UTC, datetime
from typing import Any

import pytest
from scripted_endpoint import acts, calls, endpoint, says

from agent.models import wire
from agent.models.base import Done, Focus, Turn
from agent.models.openai_compatible import ModelAway, OpenAICompatible
from agent.models.profile import ModelProfile
from agent.toolbox import Toolbox
from tools.base import SegmentRef
from warehouse.catalog import canonical_catalog
from warehouse.errors import ModelRetry

NOW = datetime(2026, 11, 18, 1, tzinfo=UTC)
CATALOG = canonical_catalog()
YOUNG = {
    "base": "everyone",
    "match": "all",
    "conditions": [
        {"field": "age", "op": "<", "value": "35"},
        {"field": "aum", "op": "between", "value": "5万", "upper": "20万"},
        {"field": "has_credit_card", "op": "is_not", "value": ""},
    ],
    "events": [{"event": "purchase", "done": False, "product_kind": "wealth", "days": 30}],
}
YOUNG_EQL = "age < 35 and aum between 5万 and 20万 and not has_credit_card and not did(purchase where kind = 'wealth', last 30d)"


def turn(text: str = "多少人", **more: Any) -> Turn:
    return Turn(text=text, language="zh", now=NOW, as_of=NOW, **more)


def model(url: str, **settings: Any) -> OpenAICompatible:
    settings.setdefault("retries", 0)
    return OpenAICompatible(ModelProfile(url=url, **settings), CATALOG, Toolbox())


def test_json_mode_turns_a_flat_audience_into_eql() -> None:
    with endpoint(acts("query_segment", segment=YOUNG)) as script:
        step = model(script.url, mode="json").next(turn())
    assert [(c.tool, c.args) for c in step.calls] == [("query_segment", {"segment": YOUNG_EQL})]
    assert (step.usage.prompt_tokens, step.usage.completion_tokens) == (11, 7)
    form = script.requests[0]["response_format"]
    assert form["type"] == "json_schema"
    assert script.requests[0]["max_tokens"] > 0


def test_native_mode_puts_split_arguments_together_even_without_an_index() -> None:
    with endpoint(calls("query_segment", '{"segment": "is_payroll and age < 35"}', index=None)) as script:
        step = model(script.url, mode="native").next(turn())
    assert [(c.tool, c.args) for c in step.calls] == [("query_segment", {"segment": "is_payroll and age < 35"})]
    assert {t["function"]["name"] for t in script.requests[0]["tools"]} == set(Toolbox().tools)


def test_an_unusable_action_is_repaired_with_the_reason_told() -> None:
    wrong = {**YOUNG, "conditions": [{"field": "agee", "op": "<", "value": "35"}], "events": []}
    with endpoint(acts("query_segment", segment=wrong), acts("query_segment", segment=YOUNG)) as script:
        step = model(script.url, mode="json").next(turn())
    assert step.calls[0].args["segment"] == YOUNG_EQL
    complaint = script.requests[1]["messages"][-1]["content"]
    assert "agee" in complaint
    assert "age" in complaint


def test_after_two_repairs_the_person_is_asked() -> None:
    with endpoint(*[says("I would say seven.")] * 3) as script:
        step = model(script.url, mode="json").next(turn())
    assert len(script.requests) == 3
    assert step.question is not None
    assert not step.calls


def test_probe_finds_the_mode() -> None:
    with endpoint(calls("say_number", '{"n": 7}')) as script:
        assert model(script.url).mode == "native"
    with endpoint(says('```json\n{"name": "say_number"}\n```')) as script:
        assert model(script.url).mode == "json"


def test_an_absent_endpoint_names_the_way_out() -> None:
    with pytest.raises(ModelAway, match="offline"):
        model("http://127.0.0.1:9/v1", mode="json", timeout_s=2).next(turn())


def test_a_refused_key_is_said_without_the_key() -> None:
    with endpoint(401, 401) as script, pytest.raises(ModelAway) as caught:
        model(script.url, mode="json", key="sk-secret-canary").next(turn())
    assert "sk-secret-canary" not in str(caught.value)


def test_a_question_of_the_model_becomes_a_question() -> None:
    with endpoint(acts("ask", question="哪种优质？", options=["AUM 50万以上"])) as script:
        step = model(script.url, mode="json").next(turn())
    assert step.question is not None
    assert step.question.options == ["AUM 50万以上"]


def test_small_models_end_after_the_first_success() -> None:
    done = Done(tool="query_segment", args={}, ok=True, result={"count": 12})
    with endpoint() as script:
        step = model(script.url, mode="json", single_step=True).next(turn(done=[done]))
    assert not script.requests
    assert not step.calls


def test_focus_is_narrowed_within() -> None:
    focus = SegmentRef(id="seg_1", expression="is_payroll or is_staff")
    women = {
        "base": "focus",
        "match": "all",
        "conditions": [{"field": "gender", "op": "=", "value": "F"}],
        "events": [],
    }
    with endpoint(acts("query_segment", segment=women)) as script:
        step = model(script.url, mode="json").next(turn(focus=Focus(segment=focus)))
    assert step.calls[0].args["segment"] == "(is_payroll or is_staff) and (gender = 'F')"


def test_quotes_in_values_cannot_leave_the_string() -> None:
    audience = wire.FlatAudience(
        conditions=[wire.FlatCondition(field="city", op="=", value="x' or everyone or city = '")]
    )
    text = wire.to_eql(audience, CATALOG, "")
    assert text == "city = 'x\\' or everyone or city = \\''"


def test_numbers_must_be_numbers() -> None:
    audience = wire.FlatAudience(conditions=[wire.FlatCondition(field="age", op="<", value="35 or everyone")])
    with pytest.raises(ModelRetry, match="number"):
        wire.to_eql(audience, CATALOG, "")
