"""The forms of a canvas: waves there and back, YAML, picture, difference, words."""

import subprocess
from datetime import UTC, datetime
from shutil import which
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.canvases import canvas_of
from tools.canvas import Canvas, difference, draw, from_yaml, summary, to_yaml, touches
from tools.canvas.diff_draw import ADDED, CHANGED, REMOVED, SAME, draw_difference
from tools.canvas.graph import due_after
from tools.canvas.schema import Arm, Condition, Delay, Goal, OnDate, Override, Reentry, StopLine
from tools.canvas.templates import by_id, instantiate
from tools.canvas.waves import build, plan_of
from warehouse.catalog import canonical_catalog
from warehouse.errors import ModelRetry

ZONE = ZoneInfo("Asia/Shanghai")
SMS = {"channel": "sms", "day": 0, "hour": 12}
PUSH = {"channel": "push", "day": 3, "hour": 9}
WAVES = st.lists(
    st.fixed_dictionaries(
        {
            "channel": st.sampled_from(["sms", "push", "call", "task"]),
            "day": st.integers(0, 9),
            "hour": st.sampled_from([None, 9, 12]),
            "only_if": st.sampled_from(["goal_not_reached", "all", "aum > 5"]),
        }
    ),
    min_size=1,
    max_size=5,
).map(lambda waves: sorted(waves, key=lambda w: (w["day"], -1 if w["hour"] is None else w["hour"])))


@given(WAVES, st.sampled_from([0, 10]))
def test_waves_there_and_back(waves: list[dict[str, object]], holdout: float) -> None:
    canvas = canvas_of(*waves, holdout_percent=holdout)
    assert build(plan_of(canvas)).nodes == canvas.nodes
    assert [t.channel for t in touches(canvas)] == [w["channel"] for w in waves]
    assert from_yaml(to_yaml(canvas)) == canvas


def test_a_branching_canvas_is_not_taken_for_waves() -> None:
    document = canvas_of(SMS, PUSH).model_dump(mode="json")
    check = next(n for n in document["nodes"] if n["kind"] == "condition")
    check["no"] = "touch_2"
    with pytest.raises(ModelRetry, match="not a plain chain of waves"):
        plan_of(Canvas.model_validate(document))


def test_waves_out_of_order_are_refused() -> None:
    with pytest.raises(ModelRetry, match="Wave 2 is on day 0, before wave 1 on day 3"):
        canvas_of(PUSH, SMS)
    with pytest.raises(ModelRetry, match="Wave 2 at 9:00 is before wave 1 at 12:00"):
        canvas_of(SMS, {**PUSH, "day": 0})


@pytest.mark.parametrize(
    ("days", "hours", "until", "left", "due"),
    [
        (3, 0, None, "2026-11-09T15:00", "2026-11-12T15:00"),
        (0, 5, None, "2026-11-09T22:00", "2026-11-10T03:00"),
        (0, 0, 12, "2026-11-09T09:00", "2026-11-09T12:00"),
        (0, 0, 12, "2026-11-09T12:20", "2026-11-09T12:20"),
        (0, 0, 12, "2026-11-09T13:00", "2026-11-10T12:00"),
        (2, 0, 12, "2026-11-09T15:00", "2026-11-11T12:00"),
        (3, 0, 12, "2026-11-09T12:05", "2026-11-12T12:00"),
        (1, 0, 9, "2028-02-28T15:00", "2028-02-29T09:00"),
        (0, 10, 9, "2026-11-09T20:00", "2026-11-10T09:00"),
    ],
)
def test_when_a_delay_ends(days: int, hours: int, until: int | None, left: str, due: str) -> None:
    def utc(text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=ZONE).astimezone(UTC)

    delay = Delay(id="w", days=days, hours=hours, until_hour=until, next="x")
    assert due_after(delay, utc(left), ZONE) == utc(due)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: [", "not YAML at line"),
        ("just words", "not a mapping"),
        ("name: x\ngoal: {event: purchase}\nmax_touches: 0\nnodes: []", "max_touches"),
        (
            "name: x\ngoal: {event: purchase}\nmax_touches: 5\nnodes:\n- {kind: entry, id: entry, segment: everyone, next: t}\n"
            "- {kind: touch, id: t, channel: fax, arms: [{name: a, share: 100, text: hi}], next: done}\n"
            "- {kind: exit, id: done}\n",
            r"node t\.channel",
        ),
    ],
)
def test_a_bad_file_is_told_by_its_place(text: str, said: str) -> None:
    with pytest.raises(ModelRetry, match=said):
        from_yaml(text)


def test_the_difference_is_told_in_both_languages() -> None:
    old, new = canvas_of(SMS, PUSH), canvas_of({**SMS, "channel": "wecom"}, {**PUSH, "day": 5}, holdout_percent=20)
    changes = difference(old, new)
    assert {(c.place, c.zh, c.en) for c in changes} == {
        ("hold_out", "留出比例：10% → 20%", "hold-out: 10% → 20%"),
        ("touch_1", "touch_1 渠道：短信 → 企业微信", "touch_1 channel: SMS → WeCom"),
        (
            "wait_2",
            "wait_2 等待时间：3 天后 9:00 → 5 天后 9:00",
            "wait_2 wait: after 3 days, at 9:00 → after 5 days, at 9:00",
        ),
    }
    assert difference(old, old) == []
    assert {c.place for c in difference(old, canvas_of(SMS))} == {"touch_2", "wait_2", "check_2"}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_picture_is_dot_that_graphviz_reads(language: str) -> None:
    canvas = canvas_of(SMS, {**PUSH, "text": '引号" 与 <尖括号> & 和'}, segment="city = '深圳' and aum > 5")
    dot = draw(canvas, language, {"touch_1": {"entered": 1234, "sent": 1000, "capped": 0}})  # type: ignore[arg-type]
    assert "1,234" in dot
    assert ("超频" if language == "zh" else "capped") not in dot
    if which("dot") is None:
        assert dot.count("{") >= 1
        return
    svg = subprocess.run(["dot", "-Tsvg"], input=dot.encode(), capture_output=True, check=True)
    assert not svg.stderr


def test_the_summary_names_what_matters() -> None:
    canvas = canvas_of(SMS, {**PUSH, "only_if": "all"}, segment="aum > 5")
    catalog = canonical_catalog()
    assert summary(canvas, catalog, "zh", 1234) == (
        "「测试」：客群 AUM大于5元（1,234 人）。2 波触达：1. 进入当天 12:00 短信（全部）；2. 第 3 天 9:00 App 推送（全部）。"
        "随机留出 10% 不触达作对照。目标：进入后 14 天内购买（产品类型为理财）。触达上限 1,000 次。"
    )
    assert "2. app push on day 3, 9:00 (everybody)" in summary(canvas, catalog, "en", 1234)


def test_the_difference_is_drawn_with_what_came_and_went() -> None:
    old, new = canvas_of(SMS, PUSH), canvas_of({**SMS, "channel": "wecom"})
    dot = draw_difference(old, new, "zh")
    lines = {line.split('"')[1]: line for line in dot.splitlines() if line.startswith('  "') and "->" not in line}
    assert CHANGED[0] in lines["touch_1"]
    assert REMOVED[0] in lines["touch_2"]
    assert SAME[0] in lines["hold_out"]
    assert ADDED[0] in draw_difference(new, old, "en")
    assert '"touch_1" -> "done"' in dot
    assert not subprocess.run(["dot", "-Tsvg"], input=dot.encode(), capture_output=True, check=True).stderr


def test_every_field_of_a_canvas_shows_in_the_difference() -> None:
    old = instantiate(by_id("breakpoint"), {}, "zh")
    changes: dict[str, object] = {
        "name": "x", "purpose": "x", "category": "service", "priority": 9, "max_touches": 9, "budget": 9.0, "signature": "x",
        "start": "2027-01-01", "end": "2027-02-01", "playbook": "x", "stop_line": StopLine(failure_rate=0.5), "locked": ("goal",),
        "goal": Goal(event="login"), "reentry": Reentry(), "leave_when": (), "sending_windows": (), "template": None,
        "overrides": (Override(branch_id=1, node="sms", arms=[Arm(name="a", share=100, text="x")]),),
    }  # fmt: skip
    assert set(changes) == set(Canvas.model_fields) - {"nodes"}
    for field, value in changes.items():
        found = difference(old, old.model_copy(update={field: value}))
        assert found, field
        assert found[0].place.split(".")[0] == field
        assert found[0].zh != found[0].en


@pytest.mark.parametrize("template", ["breakpoint", "dormant", "holiday", "maturity"])
def test_every_field_of_a_node_shows_in_the_difference(template: str) -> None:
    old = instantiate(by_id(template), {}, "zh")
    others: dict[str, object] = {
        "label": "x", "segment": "is_payroll", "trigger": OnDate(date="opened_on"), "percent": 33.0, "key": "other",
        "channel": "email", "product_id": 3, "benefit_id": 3, "unmanaged": "other", "name": "other", "remove": True,
        "expires_days": 3, "days": 41, "hours": 7, "until_hour": 11, "expression": "aum > 7", "yes": "other", "no": "other",
        "otherwise": "other", "event": "transfer", "where": "kind = 'fund'", "happened": "other", "timed_out": "other",
        "arms": [Arm(name="z", share=100, text="z")], "ways": [], "cases": [], "windows": [],
    }  # fmt: skip
    for place, node in enumerate(old.nodes):
        for field in set(type(node).model_fields) & set(others):
            nodes = list(old.nodes)
            nodes[place] = node.model_copy(update={field: others[field]})
            if isinstance(node, Condition) and field in ("yes", "no"):
                nodes[place] = node.model_copy(update={"yes": "other", "no": "another"})
            found = difference(old, old.model_copy(update={"nodes": nodes}))
            assert [change.place for change in found][:1] == [node.id], (node.id, field)
