"""Findings about triggers, splits, waits, tasks, times, offers, costs and locks: each once with its place, and not on a
sound canvas."""

from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Any

import pytest

from tests.support.canvases import canvas_of
from tools.canvas import Canvas, Facts, Product, check
from tools.canvas.check_offers import worst_cost
from tools.canvas.facts import Audience, Benefit
from tools.canvas.wording import sms_parts
from tools.throttle import ThrottlePolicy
from tools.throttle.policy import QuietHours
from warehouse.catalog import canonical_catalog

CATALOG = canonical_catalog()
FUND = Product(1, "进取一号", "wealth", "R3", 0.031, date(2026, 1, 1), date(2027, 12, 31))
LOAN = Product(2, "薪易贷", "loan", None, 0.042, None, None)
GIFT = Benefit(1, "红包", 8.0, 150, 1, date(2026, 1, 1), date(2026, 12, 31))
PEOPLE = Audience(100, 30, {"R1": 10, "R2": 20, "R3": 40, "R5": 20, "": 10})
FACTS = Facts(
    products={1: FUND, 2: LOAN}, benefits={1: GIFT}, branches={11: "深圳分行"}, bank="小银行", people=PEOPLE,
    start=datetime(2026, 11, 18, 1, tzinfo=UTC),
)  # fmt: skip
SMS = {"channel": "sms", "day": 0, "hour": 12}
DONE = {"kind": "exit", "id": "done"}


def touch(name: str = "touch", **more: Any) -> dict[str, Any]:
    arms = [{"name": "a", "share": 100, "text": "您好"}]
    return {"kind": "touch", "id": name, "channel": "push", "arms": arms, "next": "done", **more}


def canvas(*middle: dict[str, Any], trigger: dict[str, Any] | None = None, **fields: Any) -> Canvas:
    """entry → hold-out → the first of `middle`."""
    entry = {"kind": "entry", "id": "entry", "segment": "everyone", "next": "hold"} | (
        {"trigger": trigger} if trigger else {}
    )
    hold = {"kind": "hold_out", "id": "hold", "percent": 10, "key": "k", "next": middle[0]["id"]}
    return Canvas.model_validate(
        {
            "name": "x",
            "goal": {"event": "purchase"},
            "max_touches": 1000,
            "nodes": [entry, hold, *middle, DONE],
            **fields,
        }
    )


def found(it: Canvas, facts: Facts = FACTS) -> set[tuple[str, str, str]]:
    findings = check(it, CATALOG, facts)
    for f in findings:
        assert all((f.message_zh, f.message_en, f.fix_zh, f.fix_en)), f
        assert f.message_zh != f.message_en
    return {(f.code, f.place, f.severity) for f in findings}


WAIT = {"kind": "wait", "id": "w", "event": "login", "days": 2, "happened": "done", "timed_out": "touch"}
SPLIT = {"kind": "split", "id": "s", "key": "k2", "ways": [
    {"name": "a", "share": 50, "next": "touch"}, {"name": "b", "share": 50, "next": "done"}]}  # fmt: skip
CASES = {"kind": "audience_split", "id": "c", "otherwise": "done", "cases": [
    {"name": "rich", "expression": "aum > 5", "next": "touch"}]}  # fmt: skip
HOURS = {"kind": "time_split", "id": "t", "otherwise": "done", "windows": [
    {"name": "day", "start": "09:00", "end": "18:00", "next": "touch"}]}  # fmt: skip
TASK = touch(channel="task", unmanaged="sms")
ALL = canvas(
    {**WAIT, "timed_out": "s"}, {**SPLIT, "ways": [{**SPLIT["ways"][0], "next": "c"}, SPLIT["ways"][1]]},
    {**CASES, "cases": [{**CASES["cases"][0], "next": "t"}]}, HOURS, {**TASK, "next": "g"}, touch("sms", channel="sms"),
    {"kind": "tag", "id": "g", "name": "seen", "expires_days": 30, "next": "done"},
    trigger={"on": "event_without", "event": "click_buy", "without": "purchase", "within_minutes": 60},
    sending_windows=[{"start": "09:00", "end": "20:00"}], leave_when=["is_staff"], end="2027-01-01T00:00",
    locked=["goal", "flow", "nodes.touch.arms", "nodes.*.channel"],
)  # fmt: skip


def test_a_canvas_of_every_kind_of_node_is_sound() -> None:
    assert found(ALL) == set()


def one(expected: tuple[str, str, str], it: Canvas, facts: Facts = FACTS) -> None:
    assert expected in found(it, facts)


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        ([{**WAIT, "days": 0}, touch()], ("wait_zero", "w", "error")),
        ([{**WAIT, "event": "logn"}, touch()], ("unknown_event", "w", "error")),
        ([{**WAIT, "where": "nothing = 1"}, touch()], ("expression", "w", "error")),
        ([{"kind": "delay", "id": "d", "next": "touch"}, touch()], ("no_delay", "d", "warning")),
        ([{**SPLIT, "ways": [{**w, "share": 40} for w in SPLIT["ways"]]}, touch()], ("shares", "s", "error")),
        ([{**SPLIT, "ways": [{**w, "name": "a"} for w in SPLIT["ways"]]}, touch()], ("duplicate_arm", "s", "error")),
        ([{**SPLIT, "key": "k"}, touch()], ("same_key", "s", "error")),
        ([{**CASES, "cases": [{**CASES["cases"][0], "expression": "aum >"}]}, touch()], ("expression", "c.rich", "error")),
        ([{**CASES, "cases": [CASES["cases"][0], {**CASES["cases"][0], "name": "b"}]}, touch()], ("duplicate_case", "c.b", "error")),
        ([{**HOURS, "windows": [{**HOURS["windows"][0], "end": "09:00"}]}, touch()], ("empty_hours", "t.day", "error")),
        ([{**HOURS, "windows": [{**HOURS["windows"][0], "days": [8]}]}, touch()], ("week_days", "t.day", "error")),
        ([{**HOURS, "windows": [HOURS["windows"][0], {**HOURS["windows"][0], "name": "b", "start": "17:00"}]}, touch()],
         ("overlapping_hours", "t.b", "warning")),
        ([touch(channel="task")], ("task_unmanaged", "touch", "warning")),
        ([touch(unmanaged="done")], ("unmanaged", "touch", "error")),
        ([{"kind": "tag", "id": "g", "name": "x", "remove": True, "expires_days": 3, "next": "touch"}, touch()],
         ("tag_expiry", "g", "warning")),
        ([{"kind": "condition", "id": "q", "expression": "in_list('tag:vip')", "yes": "touch", "no": "done"}, touch()],
         ("tag_elsewhere", "q", "warning")),
        ([touch(product_id=1)], ("above_risk_level", "touch", "warning")),
        ([touch(product_id=2)], ("loan_rate", "touch.a", "error")),
        ([touch(arms=[{"name": "a", "share": 100, "text": "日息低至万三"}])], ("loan_rate", "touch.a", "error")),
        ([touch(arms=[{"name": "a", "share": 100, "text": "利率3.1%"}])], ("rate_without_product", "touch.a", "warning")),
        ([touch(benefit_id=7)], ("unknown_benefit", "touch", "error")),
        ([touch(benefit_id=1)], ("no_budget", "budget", "warning")),
        ([touch(benefit_id=1, next="b"), touch("b", benefit_id=1)], ("benefit_limit", "b", "error")),
        ([touch(benefit_id=1, next="b"), touch("b", benefit_id=1)], ("benefit_stock", "touch", "warning")),
    ],
)  # fmt: skip
def test_nodes(nodes: list[dict[str, Any]], expected: tuple[str, str, str]) -> None:
    one(expected, canvas(*nodes))


DATE = {"on": "date", "date": "days_to_payday", "days": -3, "hour": 10}


@pytest.mark.parametrize(
    ("trigger", "fields", "expected"),
    [
        ({"on": "recurring", "every": "week"}, {}, ("trigger_days", "entry", "error")),
        ({"on": "recurring", "every": "week", "days": [8]}, {}, ("trigger_days", "entry", "error")),
        ({"on": "recurring", "days": [1]}, {}, ("trigger_days", "entry", "warning")),
        ({"on": "event", "event": "nothing"}, {}, ("unknown_event", "entry", "error")),
        ({"on": "event", "event": "login", "where": "x = 1"}, {}, ("expression", "entry", "error")),
        ({"on": "event_without", "event": "login", "without": "login", "within_minutes": 5}, {},
         ("trigger_same_event", "entry", "error")),
        ({**DATE, "date": "aum"}, {}, ("not_a_date", "entry", "error")),
        ({**DATE, "date": "days_since_login"}, {}, ("date_past", "entry", "error")),
        (DATE, {}, ("no_reentry", "reentry", "warning")),
        ({**DATE, "hour": 22}, {}, ("quiet_hours", "touch", "warning")),
        ({"on": "once"}, {"reentry": {"allowed": True}}, ("reentry_once", "reentry", "warning")),
        (DATE, {"reentry": {"after_days": 3}}, ("reentry_off", "reentry", "warning")),
        (DATE, {"reentry": {"allowed": True, "at_most": 1}}, ("reentry_once_only", "reentry.at_most", "error")),
        (DATE, {"leave_when": ["aum >"]}, ("expression", "leave_when.1", "error")),
        (DATE, {"start": "2026-12-01", "end": "2026-11-30"}, ("end_before_start", "end", "error")),
        (DATE, {"end": "2026-11-01"}, ("ended", "end", "error")),
        (DATE, {"end": "soon"}, ("end", "end", "error")),
        (DATE, {"sending_windows": [{"start": "09:00", "end": "09:00"}]}, ("empty_hours", "sending_windows.1", "error")),
        (DATE, {"sending_windows": [{"start": "09:00", "end": "10:00", "days": [0]}]}, ("week_days", "sending_windows.1", "error")),
        (DATE, {"sending_windows": [{"start": "14:00", "end": "16:00"}]}, ("outside_windows", "touch", "warning")),
        (DATE, {"budget": 0.01}, ("budget", "budget", "error")),
        (DATE, {"locked": ["nodes.nobody"]}, ("locked_unknown", "locked.nodes.nobody", "error")),
    ],
)  # fmt: skip
def test_triggers_and_settings(trigger: dict[str, Any], fields: dict[str, Any], expected: tuple[str, str, str]) -> None:
    one(expected, canvas(touch(), trigger=trigger, **fields))


def override(**more: Any) -> dict[str, Any]:
    return {"branch_id": 11, "node": "touch", "arms": [{"name": "a", "share": 100, "text": "您好"}], **more}


@pytest.mark.parametrize(
    ("overrides", "locked", "expected"),
    [
        ([override(node="nobody")], [], ("override_node", "overrides.11.nobody", "error")),
        ([override(branch_id=99)], [], ("override_branch", "overrides.99.touch", "error")),
        ([override(), override()], [], ("override_twice", "overrides.11.touch", "error")),
        ([override()], ["nodes.touch"], ("locked_override", "overrides.11.touch", "error")),
        ([override()], ["nodes.*.arms"], ("locked_override", "overrides.11.touch", "error")),
        ([override(arms=[{"name": "a", "share": 90, "text": "您好"}])], [], ("shares", "overrides.11.touch", "error")),
        ([override(arms=[{"name": "a", "share": 100, "text": "保本"}])], [], ("forbidden_claim", "overrides.11.touch.a", "error")),
    ],
)  # fmt: skip
def test_wordings_of_branches(
    overrides: list[dict[str, Any]], locked: list[str], expected: tuple[str, str, str]
) -> None:
    one(expected, canvas(touch(), overrides=overrides, locked=locked))
    assert found(canvas(touch(), overrides=[override()], locked=["goal"])) == set()


def test_suitability_tells_how_many_by_level() -> None:
    said = next(f for f in check(canvas(touch(product_id=1)), CATALOG, FACTS) if f.code == "above_risk_level")
    assert "100 人中 40 人" in said.message_zh
    assert "R1 10 人、R2 20 人、未评估或已过期 10 人" in said.message_zh
    nobody = replace(FACTS, people=Audience(10, 0, {"R1": 10}))
    one(("above_risk_level", "touch", "error"), canvas(touch(product_id=1)), nobody)
    fit = replace(FACTS, people=Audience(10, 0, {"R3": 4, "R4": 6}))
    assert found(canvas(touch(product_id=1)), fit) == set()


def test_a_benefit_is_valid_when_it_is_given() -> None:
    late = canvas(touch(benefit_id=1), start="2027-01-02T10:00", budget=1e6)
    one(("benefit_validity", "touch", "error"), late)
    assert "benefit_validity" not in {code for code, _, _ in found(canvas(touch(benefit_id=1), budget=1e6))}


def test_the_worst_case_is_the_dearest_way_for_everybody() -> None:
    wait = {**WAIT, "happened": "touch", "timed_out": "sms"}
    it = canvas(wait, touch(channel="call", benefit_id=1, next="done"), touch("sms", channel="sms", next="done"))
    assert worst_cost(it, FACTS) == pytest.approx(100 * (0.6 + 8))
    assert worst_cost(it.model_copy(update={"max_touches": 10}), FACTS) == pytest.approx(86)
    again = it.model_copy(update={"reentry": it.reentry.model_copy(update={"allowed": True, "at_most": 2})})
    assert worst_cost(again, FACTS) == pytest.approx(2 * 860)
    assert ("budget", "budget", "error") in found(it.model_copy(update={"budget": 859.0}))
    assert "budget" not in {code for code, _, _ in found(it.model_copy(update={"budget": 860.0}))}


def test_sending_windows_inside_the_quiet_hours_never_send() -> None:
    quiet = QuietHours(name="night", channels=("push",), start=time(20), end=time(9))
    facts = replace(FACTS, policy=ThrottlePolicy(quiet_hours=(quiet,)))
    for end, wrong in (("08:00", True), ("09:30", False)):
        it = canvas(touch(), sending_windows=[{"start": "07:00", "end": end}])
        assert (("windows_quiet", "touch", "error") in found(it, facts)) is wrong


def test_a_task_needs_no_second_way_where_everybody_has_a_manager() -> None:
    managed = replace(FACTS, people=Audience(10, 0, {}))
    assert found(canvas(touch(channel="task")), managed) == set()
    said = next(f for f in check(canvas(touch(channel="task")), CATALOG, FACTS) if f.code == "task_unmanaged")
    assert "30 人没有客户经理" in said.message_zh


def test_the_template_shows_where_its_locked_parts_were_changed() -> None:
    template = {"id": "t", "version": 1}
    head = canvas(touch(), locked=["goal"], template=template)
    mine = head.model_copy(update={"goal": head.goal.model_copy(update={"window_days": 9})})
    one(("locked_changed", "goal", "warning"), mine, replace(FACTS, heads=(head,)))
    assert found(head, replace(FACTS, heads=(head,))) == set()


def test_goal_window_of_a_chain_and_the_maximum() -> None:
    assert ("max_touches", "max_touches", "warning") in found(canvas_of(SMS, max_touches=99))


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("字" * 70, 1), ("字" * 71, 2), ("字" * 134, 2), ("字" * 135, 3), ("a" * 160, 1), ("a" * 161, 2), ("a" * 306, 2),
        ("a" * 307, 3), ("€" * 80, 1), ("€" * 81, 2), ("a" * 159 + "字", 3), ("😀" * 35, 1), ("😀" * 36, 2),
        ("😀" * 66, 2), ("😀" * 67, 3), ("`" * 71, 2), ("{name}" + "a" * 66, 1), ("{name}" + "a" * 67, 2),
    ],
)  # fmt: skip
def test_parts_of_an_sms(text: str, parts: int) -> None:
    assert sms_parts(text) == parts
