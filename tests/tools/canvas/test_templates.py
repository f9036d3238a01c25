"""Templates: every one is sound in both languages, its parameters are checked, and it comes back from its file."""

from dataclasses import replace
from typing import Any

import pytest

from control.records import Actor, ThreadFocus
from tests.support.small_bank import SmallBank
from tools.base import ToolContext
from tools.canvas import Canvas, check, draw, from_yaml, summary, to_yaml
from tools.canvas.arguments import CanvasOutcome, EditOutcome
from tools.canvas.files import load
from tools.canvas.templates import Template, by_id, heads_of, instantiate, named, templates
from tools.canvas.tool import DraftCanvas, EditCanvas, known_facts, most_touches
from warehouse.catalog import Language, canonical_catalog
from warehouse.errors import DeveloperFixes, Forbidden, ModelRetry, NotFound

ALL = templates()
LANGUAGES: tuple[Language, Language] = ("zh", "en")
FUTAN = Actor(account="futian", person="futian", branches=(2,))


def test_the_scenarios_of_the_trade_are_there() -> None:
    assert [t.id for t in ALL] == [
        "birthday", "breakpoint", "card_activation", "dormant", "holiday", "maturity", "new_customer", "payday",
    ]  # fmt: skip


@pytest.mark.parametrize("template", ALL, ids=lambda t: t.id)
def test_every_template_is_sound_in_both_languages(template: Template, context: ToolContext) -> None:
    catalog = canonical_catalog()
    for language in LANGUAGES:
        canvas = instantiate(template, {}, language, max_touches=100)
        findings = check(canvas, catalog, known_facts(context, canvas))
        assert [f for f in findings if f.severity == "error"] == []
        assert {f.code for f in findings} <= {
            "sms_parts",
            "no_product",
            "above_risk_level",
            "max_touches",
            "quiet_days",
        }
        assert from_yaml(to_yaml(canvas)) == canvas
        assert draw(canvas, language, catalog=catalog).startswith("digraph")
        assert canvas.goal.window_days <= 100
    assert "${" not in to_yaml(canvas)


@pytest.mark.parametrize("template", ALL, ids=lambda t: t.id)
def test_every_template_stays_sound_at_the_bounds_of_its_numbers(template: Template) -> None:
    catalog = canonical_catalog()
    for parameter in template.parameters:
        for value in (parameter.minimum, parameter.maximum, *parameter.options):
            if value is None:
                continue
            if template.id == "card_activation" and parameter.name == "push_day" and value == 20:
                given: dict[str, object] = {parameter.name: value, "call_day": 30}
            else:
                given = {parameter.name: value}
            canvas = instantiate(template, given, "zh", max_touches=100)
            wrong = {
                (f.code, f.place) for f in check(canvas, catalog) if f.severity == "error" or f.code == "goal_window"
            }
            assert wrong == set(), (parameter.name, value)


def test_parameters_reach_the_canvas() -> None:
    canvas = instantiate(
        by_id("maturity"), {"before_days": "5", "audience": "aum > 5 or is_payroll", "product_id": 3}, "zh"
    )
    entry, day = canvas.nodes[0], next(n for n in canvas.nodes if n.id == "wait_day")
    assert entry.trigger.days == -5  # type: ignore[union-attr]
    assert entry.segment == "assessment_valid and (aum > 5 or is_payroll)"  # type: ignore[union-attr]
    assert day.days == 5  # type: ignore[union-attr]
    assert canvas.goal.window_days == 22
    assert canvas.template is not None
    assert canvas.template.parameters["before_days"] == 5
    assert instantiate(by_id("maturity"), {}, "zh") == instantiate(by_id("到期"), {"before_days": 7}, "zh")


def test_a_node_may_be_left_out() -> None:
    canvas = instantiate(by_id("card_activation"), {"call": "否"}, "zh")
    assert {"call", "check_call", "wait_call"} & {n.id for n in canvas.nodes} == set()
    assert next(n for n in canvas.nodes if n.id == "push").next == "done"  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("id_", "given", "said"),
    [
        ("maturity", {"before_days": 31}, "whole number from 1 to 30"),
        ("maturity", {"before_days": 2.5}, "whole number from 1 to 30"),
        ("maturity", {"before_days": True}, "whole number"),
        ("maturity", {"before": 3}, "no parameter 'before'"),
        ("breakpoint", {"step": "walk"}, "one of view_product"),
        ("holiday", {"start": "soon"}, "cannot be 'soon'"),
        ("card_activation", {"call": "perhaps"}, "true or false"),
        ("card_activation", {"push_day": 20}, "must be less than call_day"),
        ("payday", {"benefit_id": "red packet"}, "number of a benefit"),
        ("payday", {"audience": " "}, "an EQL condition"),
    ],
)
def test_values_that_do_not_fit_tell_what_does(id_: str, given: dict[str, object], said: str) -> None:
    with pytest.raises(ModelRetry, match=said) as refused:
        instantiate(by_id(id_), given, "zh")
    assert refused.value.details["message_zh"]
    assert refused.value.details["fix_zh"]


def test_a_template_is_found_by_what_it_is_called() -> None:
    assert by_id("MATURITY").id == by_id("到期承接").id == by_id("renewal").id == "maturity"
    assert all(named()[name.casefold()] is t for t in ALL for name in (*t.names.zh, *t.names.en))
    with pytest.raises(NotFound, match="maturity"):
        by_id("maturty")


def test_a_template_that_computes_with_words_is_the_developers_fault() -> None:
    broken = by_id("maturity").model_copy(update={"canvas": {**by_id("maturity").canvas, "name": "${audience + 1}"}})
    with pytest.raises(DeveloperFixes, match="audience"):
        instantiate(broken, {}, "zh")


def test_what_is_locked_is_told_in_words() -> None:
    canvas, catalog = instantiate(by_id("maturity"), {}, "zh"), canonical_catalog()
    assert "总行锁定：目标、流程结构、留出 10%、客群、进入时机、客户经理任务 (manager)的话术" in summary(
        canvas, catalog, "zh"
    )
    assert "the goal, the flow, Hold out 10 %, audience, trigger, wording of manager task (manager)" in summary(
        canvas, catalog, "en"
    )


def test_only_true_and_false_are_truth_values_in_files() -> None:
    assert load("{on: date, yes: a, off: no, x: true, y: False}") == {
        "on": "date", "yes": "a", "off": "no", "x": True, "y": False,
    }  # fmt: skip


# Drafted and edited by the tools


def drafted(context: ToolContext, **arguments: Any) -> CanvasOutcome:
    outcome, evidence = DraftCanvas().run(context, DraftCanvas.arguments.model_validate(arguments))
    assert evidence
    focus(context, outcome)
    return outcome


def focus(context: ToolContext, outcome: CanvasOutcome) -> None:
    assert outcome.canvas is not None
    what = ThreadFocus(canvas_id=outcome.canvas.id, canvas_version=outcome.canvas.version)
    context.records.set_focus(context.thread, what, "test")


def edited(context: ToolContext, *edits: dict[str, Any]) -> EditOutcome:
    outcome, _ = EditCanvas().run(context, EditCanvas.arguments.model_validate({"edits": list(edits)}))
    focus(context, outcome)
    return outcome


def saved(context: ToolContext) -> Canvas:
    here = context.records.focus(context.thread)
    assert here.canvas_id
    return Canvas.model_validate(context.records.canvas(here.canvas_id, here.canvas_version).document)


def test_a_template_is_drafted_by_name_with_parameters(context: ToolContext) -> None:
    outcome = drafted(context, template="到期", parameters=[{"name": "before_days", "value": 5}])
    canvas = saved(context)
    assert (outcome.ok, outcome.audience, outcome.template) == (True, 20, "maturity@1")
    assert canvas.max_touches == outcome.max_touches == 80
    assert most_touches(canvas) == 4
    assert "nodes.manager.arms" in outcome.locked
    assert context.records.canvas("cv_1").origin["template"] == "maturity@1"
    assert heads_of(canvas)[0].goal == canvas.goal
    with pytest.raises(NotFound):
        drafted(context, template="nothing")
    with pytest.raises(ModelRetry, match="belong to a template"):
        drafted(context, name="x", segment="everyone", parameters=[{"name": "hour", "value": 9}])
    with pytest.raises(ModelRetry, match="needs a name"):
        drafted(context, segment="everyone", waves=[{"channel": "sms"}])


def test_a_branching_canvas_is_edited_by_wave_and_by_place(context: ToolContext) -> None:
    drafted(context, template="maturity")
    outcome = edited(
        context,
        {"op": "set_text", "wave": 3, "value": "您好，请查看到账安排。"},
        {"op": "set_hour", "wave": 3, "value": 15},
        {"op": "set_condition", "wave": 4, "value": "aum > 5"},
        {"op": "set", "place": "budget", "value": 5000},
        {"op": "set", "place": "nodes.after.product_id", "value": 3},
        {"op": "add_node", "place": "on_day.next", "value": {"kind": "tag", "id": "seen", "name": "reminded"}},
        {"op": "remove_node", "place": "call"},
        {"op": "set_holdout", "value": 20},
        {"op": "rename", "value": "续接"},
    )
    canvas = saved(context)
    nodes = {n.id: n.model_dump() for n in canvas.nodes}
    assert (canvas.name, canvas.budget, nodes["hold_out"]["percent"], nodes["after"]["product_id"]) == (
        "续接",
        5000,
        20,
        3,
    )
    assert nodes["on_day"]["arms"][0]["text"] == "您好，请查看到账安排。"
    assert (nodes["wait_day"]["until_hour"], nodes["check_after"]["expression"]) == (15, "aum > 5")
    assert (nodes["on_day"]["next"], nodes["seen"]["next"], nodes["check_call"]["yes"]) == (
        "seen",
        "wait_after",
        "done",
    )
    assert "call" not in nodes
    assert any("seen" in change for change in outcome.changes)
    assert outcome.max_touches == 60
    assert {f.code for f in outcome.findings} >= {"locked_changed"}


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        ({"op": "set", "place": "nodes.nobody.label", "value": "x"}, "no part 'nodes.nobody.label'"),
        ({"op": "set", "place": "goal.wndow", "value": 3}, "window_days"),
        ({"op": "set", "place": "budget", "value": -1}, "does not fit at budget"),
        ({"op": "set", "value": 3}, "needs a place"),
        ({"op": "add_node", "place": "entry.yes", "value": {}}, "no way 'yes'"),
        ({"op": "remove_node", "place": "check_day"}, "several ways out"),
        ({"op": "remove_wave", "wave": 1}, "plain chain of waves"),
        ({"op": "set_text", "wave": 9, "value": "x"}, "names wave 9"),
    ],
)
def test_edits_by_place_that_do_not_fit_save_nothing(context: ToolContext, edit: dict[str, Any], said: str) -> None:
    drafted(context, template="maturity")
    with pytest.raises(ModelRetry, match=said):
        edited(context, edit)
    assert len(context.records.canvas_versions("cv_1")) == 1


# Head office and its branches


@pytest.fixture
def branch(context: ToolContext) -> ToolContext:
    return replace(context, actor=FUTAN)


@pytest.mark.parametrize(
    ("edit", "place"),
    [
        ({"op": "set_goal_window", "value": 9}, "goal"),
        ({"op": "set", "place": "nodes.manager.arms.a.text", "value": "请推销"}, "nodes.manager.arms"),
        ({"op": "remove_node", "place": "early"}, "flow"),
        ({"op": "set_holdout", "value": 1}, "nodes.hold_out"),
        ({"op": "set_segment", "value": "is_payroll"}, "nodes.entry.segment"),
        ({"op": "set", "place": "locked", "value": []}, "locked"),
        ({"op": "set", "place": "category", "value": "service"}, "category"),
        ({"op": "set", "place": "template.version", "value": 9}, "template"),
    ],
)
def test_a_branch_may_not_change_what_head_office_locks(branch: ToolContext, edit: dict[str, Any], place: str) -> None:
    drafted(branch, template="maturity")
    with pytest.raises(Forbidden, match=place) as refused:
        edited(branch, edit)
    assert place in refused.value.details["message_zh"]
    assert "head office" in refused.value.fix
    assert len(branch.records.canvas_versions("cv_1")) == 1


def test_a_branch_rewords_narrows_and_keeps_head_offices_words(branch: ToolContext) -> None:
    drafted(branch, template="maturity")
    outcome = edited(
        branch,
        {"op": "set_text", "wave": 3, "value": "福田支行提醒您：产品今天到期。"},
        {"op": "set_segment", "value": "aum > 5000 and assessment_valid"},
    )
    canvas = saved(branch)
    assert [(o.branch_id, o.node, o.arms[0].text) for o in canvas.overrides] == [
        (2, "on_day", "福田支行提醒您：产品今天到期。")
    ]
    assert next(n for n in canvas.nodes if n.id == "on_day").arms[0].text.startswith("您的产品今天到期")  # type: ignore[union-attr]
    assert outcome.canvas is not None
    assert outcome.canvas.id == "cv_1"
    assert {f.code for f in outcome.findings if f.severity == "error"} == set()


def test_a_branch_that_edits_a_canvas_of_head_office_gets_its_own_copy(
    context: ToolContext, branch: ToolContext
) -> None:
    drafted(context, template="maturity")
    outcome = edited(branch, {"op": "rename", "value": "福田到期承接"})
    assert outcome.canvas is not None
    assert (outcome.canvas.id, outcome.canvas.version) == ("cv_2", 1)
    assert "cv_1" in outcome.notes[0]
    assert len(context.records.canvas_versions("cv_1")) == 1
    assert context.records.canvas("cv_2").origin["copied_from"] == "cv_1@1"
    context.records.set_focus(context.thread, ThreadFocus(canvas_id="cv_1", canvas_version=1), "test")
    with pytest.raises(Forbidden, match="goal"):
        edited(branch, {"op": "set_goal_window", "value": 9})


def test_head_office_changes_everything(context: ToolContext) -> None:
    drafted(context, template="maturity")
    outcome = edited(context, {"op": "set_goal_window", "value": 40}, {"op": "set", "place": "locked", "value": []})
    assert outcome.canvas is not None
    assert outcome.canvas.version == 2
    assert saved(context).locked == ()


def test_saving_itself_refuses_a_branch(bank: SmallBank, branch: ToolContext) -> None:
    """Not the tool, nor the page: whoever saves past them is refused as well."""
    drafted(branch, template="maturity")
    document = bank.records.canvas("cv_1").document
    with pytest.raises(Forbidden):
        bank.records.save_canvas({**document, "max_touches": 5, "goal": {"event": "login"}}, FUTAN, canvas_id="cv_1")
    foreign = {"branch_id": 1, "node": "on_day", "arms": [{"name": "a", "share": 100.0, "text": "x"}]}
    with pytest.raises(Forbidden, match="other branches: 1"):
        bank.records.save_canvas({**document, "overrides": [foreign]}, FUTAN, canvas_id="cv_1")
    own = {**foreign, "branch_id": 2}
    with pytest.raises(Forbidden, match=r"nodes\.call\.arms"):
        bank.records.save_canvas({**document, "overrides": [{**own, "node": "call"}]}, FUTAN, canvas_id="cv_1")
    assert bank.records.save_canvas({**document, "overrides": [own]}, FUTAN, canvas_id="cv_1").version == 2
    assert bank.records.save_canvas({**document, "max_touches": 5}, FUTAN, canvas_id="cv_1").version == 3


def test_undo_takes_back_an_edit_and_then_the_template(context: ToolContext) -> None:
    drafted(context, template="maturity")
    edited(context, {"op": "set_channel", "wave": 3, "value": "inapp"})
    _, before = context.records.undo(context.thread)
    assert (before.canvas_id, before.canvas_version) == ("cv_1", 1)
    assert saved(context).template is not None
    _, empty = context.records.undo(context.thread)
    assert empty.canvas_id is None
    assert len(context.records.canvas_versions("cv_1")) == 2
