"""The three tools as the agent calls them: drafts saved, edits told, replays with evidence, errors that tell the fix."""

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from control.records import ThreadFocus
from tests.support.small_bank import OPERATOR, SmallBank
from tools.base import ToolContext
from tools.canvas import Canvas
from tools.canvas.arguments import CanvasOutcome, DryRunOutcome, EditOutcome
from tools.canvas.tool import TOOLS, DraftCanvas, DryRunCanvas, EditCanvas, max_touches
from tools.segment import dump, parse
from warehouse.errors import ModelRetry

SMS = {"channel": "sms", "day": 0, "hour": 12}
PUSH = {"channel": "push", "day": 3, "hour": 12}


def draft(context: ToolContext, **arguments: Any) -> CanvasOutcome:
    given = {"name": "唤醒", "segment": "aum > 0", "waves": [SMS, PUSH], **arguments}
    outcome, evidence = DraftCanvas().run(context, DraftCanvas.arguments.model_validate(given))
    assert evidence
    assert all(e.id.startswith("ev_") for e in evidence)
    assert outcome.canvas is not None
    focus = ThreadFocus(canvas_id=outcome.canvas.id, canvas_version=outcome.canvas.version)
    context.records.set_focus(context.thread, focus, "test")
    return outcome


def edit(context: ToolContext, *edits: dict[str, Any]) -> EditOutcome:
    outcome, _ = EditCanvas().run(context, EditCanvas.arguments.model_validate({"edits": list(edits)}))
    assert outcome.canvas is not None
    focus = ThreadFocus(canvas_id=outcome.canvas.id, canvas_version=outcome.canvas.version)
    context.records.set_focus(context.thread, focus, "test")
    return outcome


def saved(context: ToolContext) -> Canvas:
    focus = context.records.focus(context.thread)
    assert focus.canvas_id
    return Canvas.model_validate(context.records.canvas(focus.canvas_id, focus.canvas_version).document)


def test_names_are_those_of_the_contract() -> None:
    assert [(t.name, t.effect) for t in TOOLS] == [
        ("draft_canvas", "write"), ("edit_canvas", "write"), ("dry_run_canvas", "read"),
    ]  # fmt: skip


def test_a_draft_is_saved_checked_and_told(context: ToolContext) -> None:
    outcome = draft(context)
    assert (outcome.ok, outcome.audience, outcome.max_touches) == (True, 20, 40)
    assert outcome.findings == []
    canvas = saved(context)
    assert [n.id for n in canvas.nodes] == [
        "entry", "hold_out", "wait_1", "touch_1", "wait_2", "check_2", "touch_2", "done",
    ]  # fmt: skip
    assert canvas.goal.event == "purchase"
    assert "20 人" in outcome.summary
    assert outcome.dot.startswith("digraph")
    record = context.records.canvas("cv_1")
    assert (record.version, record.person, record.origin["tool"]) == (1, "operator", "draft_canvas")


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("channel", ["sms", "push", "inapp", "wecom", "email", "call", "task"])
@pytest.mark.parametrize("product", [None, 1])
def test_default_texts_pass_their_own_checks(
    context: ToolContext, language: str, channel: str, product: int | None
) -> None:
    outcome = draft(
        replace(context, language=language),  # type: ignore[arg-type]
        waves=[{"channel": channel, "day": 1, "hour": 10, "product_id": product}],
    )
    assert [f for f in outcome.findings if f.severity == "error" and f.code != "quiet_hours"] == []
    assert "{name}" in outcome.waves[0].text


def test_the_same_request_drafts_the_same_canvas(context: ToolContext) -> None:
    draft(context)
    first = saved(context)
    draft(context)
    assert saved(context) == first


def test_the_segment_in_focus_is_taken_by_value(context: ToolContext, bank: SmallBank) -> None:
    text = "is_payroll and aum > 5000"
    record = bank.records.save_segment(text, dump(parse(text, bank.catalog)), OPERATOR, thread="t1", count=8)
    bank.records.set_focus("t1", ThreadFocus(segment_id=record.id), "test")
    outcome = draft(context, segment=None)
    assert outcome.segment is not None
    assert outcome.segment.id == record.id
    assert saved(context).nodes[0].segment == text  # type: ignore[union-attr]
    assert outcome.audience == 8


def test_faults_in_the_request_tell_the_fix(context: ToolContext) -> None:
    with pytest.raises(ModelRetry, match="none is in focus"):
        draft(context, segment=None)
    with pytest.raises(ModelRetry, match="at least one wave"):
        draft(context, waves=[])
    with pytest.raises(ModelRetry):
        draft(context, segment="salary_grade > 3")
    with pytest.raises(ModelRetry, match="No canvas was named"):
        edit(replace(context, thread="other"), {"op": "rename", "value": "x"})
    with pytest.raises(ValidationError):
        DraftCanvas.arguments.model_validate({"name": "x", "audience": "everyone"})


def test_a_forbidden_promise_makes_the_draft_unfit(context: ToolContext) -> None:
    outcome = draft(context, waves=[{**SMS, "text": "{name}您好，本产品保本稳赚"}])
    assert not outcome.ok
    assert {f.code for f in outcome.findings if f.severity == "error"} == {"forbidden_claim"}


def test_edits_make_a_new_version_and_are_told_in_words(context: ToolContext) -> None:
    draft(context)
    outcome = edit(
        context,
        {"op": "set_channel", "wave": 1, "value": "wecom"},
        {"op": "set_holdout", "value": 20},
        {"op": "set_text", "wave": 2, "value": "{name}您好，请看"},
    )
    assert outcome.canvas is not None
    assert (outcome.canvas.id, outcome.canvas.version) == ("cv_1", 2)
    assert outcome.changes[:2] == ["留出比例：10% → 20%", "touch_1 渠道：短信 → 企业微信"]
    assert outcome.changes[2].startswith("touch_2 文案 a：")
    assert context.records.canvas("cv_1", 1).document["nodes"][3]["channel"] == "sms"


def test_waves_come_and_go_and_the_maximum_follows(context: ToolContext) -> None:
    draft(context)
    added = edit(context, {"op": "add_wave", "value": {"channel": "call", "day": 5, "hour": 10}})
    assert ([w.channel for w in added.waves], added.max_touches) == (["sms", "push", "call"], 60)
    between = edit(context, {"op": "add_wave", "value": {"channel": "email", "day": 1, "hour": 10}})
    assert [w.channel for w in between.waves] == ["sms", "email", "push", "call"]
    removed = edit(context, {"op": "remove_wave", "wave": 1})
    assert [(w.channel, w.day) for w in removed.waves] == [("email", 1), ("push", 3), ("call", 5)]
    moved = edit(context, {"op": "set_day", "wave": 3, "value": 9}, {"op": "set_hour", "wave": 3, "value": 15})
    assert (moved.waves[2].day, moved.waves[2].hour) == (9, 15)


def test_audience_goal_condition_and_name_can_be_edited(context: ToolContext) -> None:
    draft(context)
    outcome = edit(
        context,
        {"op": "set_segment", "value": "is_payroll"},
        {"op": "set_goal", "value": {"event": "login"}},
        {"op": "set_goal_window", "value": 7},
        {"op": "set_condition", "wave": 2, "value": "wecom_bound"},
        {"op": "rename", "value": "代发"},
    )
    canvas = saved(context)
    assert (canvas.name, canvas.goal.event, canvas.goal.window_days) == ("代发", "login", 7)
    assert outcome.audience == 10
    assert outcome.waves[1].only_if == "wecom_bound"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"op": "set_channel", "wave": 3, "value": "sms"}, "the canvas has 2"),
        ({"op": "set_channel", "value": "sms"}, "names no wave"),
        ({"op": "set_channel", "wave": 1, "value": "fax"}, r"Edit 1 \(set_channel\)"),
        ({"op": "set_day", "wave": 2, "value": -1}, "set_day"),
        ({"op": "set_holdout", "value": 100}, "not possible"),
        ({"op": "set_holdout", "value": "ten"}, "needs a number"),
        ({"op": "set_day", "wave": 1, "value": 9}, "Wave 2 is on day 3"),
        ({"op": "rename", "value": "唤醒"}, "change nothing"),
        ({"op": "set_segment", "value": "salary_grade = 1"}, "salary_grade"),
    ],
)
def test_edits_that_do_not_fit_save_nothing(context: ToolContext, change: dict[str, Any], said: str) -> None:
    draft(context)
    with pytest.raises(ModelRetry, match=said):
        edit(context, change)
    assert len(context.records.canvas_versions("cv_1")) == 1


def replay(context: ToolContext, **arguments: Any) -> DryRunOutcome:
    outcome, evidence = DryRunCanvas().run(context, DryRunCanvas.arguments.model_validate(arguments))
    assert [e.id for e in evidence] == ["ev_2", "ev_3"]
    return outcome


def test_a_dry_run_tells_nodes_history_and_snapshot_conditions(context: ToolContext, bank: SmallBank) -> None:
    draft(context)
    bank.event(1, "purchase", "2026-11-15 03:00", product=1)
    outcome = replay(context, start="2026-11-12T09:00")
    assert outcome.nodes[0].entered == 20
    assert sum(a.reached_goal for a in outcome.aftermath) == 1
    assert outcome.snapshot_conditions == ["aum > 0"]
    assert "不是预测" in outcome.summary
    assert "aum > 0" in outcome.notes[-1]


def test_a_dry_run_in_the_future_tells_the_fix(context: ToolContext) -> None:
    draft(context)
    with pytest.raises(ModelRetry, match="before the data cut-off 2026-11-18 09:00"):
        replay(context, start="2027-01-01")


@pytest.mark.parametrize(("audience", "waves", "most"), [(0, 3, 1), (20, 2, 40), (333, 3, 1000), (123_456, 2, 250_000)])
def test_the_maximum_is_the_audience_once_per_wave_rounded_up(audience: int, waves: int, most: int) -> None:
    assert max_touches(audience, waves) == most
