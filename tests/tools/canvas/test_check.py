"""Every finding: its code and place, once on a canvas that has the fault; none on a sound one."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.support.canvases import canvas_of
from tools.canvas import Canvas, Facts, Product, check
from tools.canvas.schema import Goal
from tools.throttle import ThrottlePolicy
from warehouse.catalog import canonical_catalog

CATALOG = canonical_catalog()
SMS = {"channel": "sms", "day": 0, "hour": 12}
FUND = Product(1, "安心一号", "wealth", "R2", 0.031, date(2026, 1, 1), date(2027, 12, 31))
GONE = Product(2, "进取二号", "wealth", "R4", 0.042, date(2026, 1, 1), date(2026, 6, 30))
FACTS = Facts(
    products={1: FUND, 2: GONE}, bank="小银行", audience=20, start=datetime(2026, 11, 18, 1, tzinfo=UTC)
)  # fmt: skip


def with_nodes(*nodes: dict[str, Any]) -> Canvas:
    return Canvas.model_validate({"name": "x", "goal": {"event": "purchase"}, "max_touches": 100, "nodes": list(nodes)})


ENTRY = {"kind": "entry", "id": "entry", "segment": "everyone", "next": "touch"}
TOUCH = {
    "kind": "touch",
    "id": "touch",
    "channel": "push",
    "arms": [{"name": "a", "share": 100, "text": "您好"}],
    "next": "done",
}
DONE = {"kind": "exit", "id": "done"}
HOLD = {"kind": "hold_out", "id": "hold", "percent": 10, "key": "k", "next": "touch"}


def found(canvas: Canvas, facts: Facts = FACTS) -> set[tuple[str, str, str]]:
    findings = check(canvas, CATALOG, facts)
    for f in findings:
        assert all((f.message_zh, f.message_en, f.fix_zh, f.fix_en)), f
    return {(f.code, f.place, f.severity) for f in findings}


def test_a_sound_canvas_has_no_findings() -> None:
    assert (
        found(canvas_of({**SMS, "product_id": 1}, {"channel": "push", "day": 3, "hour": 12, "product_id": 1})) == set()
    )


@pytest.mark.parametrize(
    ("nodes", "expected"),
    [
        ([TOUCH, DONE, {**DONE, "id": "b"}], ("one_entry", "nodes", "error")),
        ([ENTRY, {**ENTRY, "id": "e2"}, TOUCH, DONE], ("one_entry", "nodes", "error")),
        ([ENTRY, {**TOUCH, "next": "nowhere"}, DONE], ("dangling_next", "touch", "error")),
        ([ENTRY, TOUCH, DONE, {**TOUCH, "id": "lost"}], ("unreachable", "lost", "error")),
        ([ENTRY, {**TOUCH, "next": "b"}, {**TOUCH, "id": "b", "next": "touch"}, DONE], ("cycle", "touch", "error")),
        ([ENTRY, {**TOUCH, "next": "b"}, {**TOUCH, "id": "b", "next": "touch"}, DONE], ("no_exit", "b", "error")),
        ([ENTRY, TOUCH, DONE, DONE], ("duplicate_node", "done", "error")),
        ([ENTRY, TOUCH, DONE], ("no_hold_out", "nodes", "warning")),
        (
            [ENTRY, {**TOUCH, "arms": [{"name": n, "share": 40, "text": "您好"} for n in "ab"]}, DONE],
            ("shares", "touch", "error"),
        ),
        (
            [ENTRY, {**TOUCH, "arms": [{"name": "a", "share": 50, "text": "您好"}] * 2}, DONE],
            ("duplicate_arm", "touch", "error"),
        ),
        ([{**ENTRY, "segment": "aum >"}, TOUCH, DONE], ("expression", "entry", "error")),
        ([{**ENTRY, "segment": "salary_grade = 3"}, TOUCH, DONE], ("expression", "entry", "error")),
        ([{**ENTRY, "segment": "did(login, since entry)"}, TOUCH, DONE], ("since_entry_at_entry", "entry", "error")),
    ],
)
def test_shapes(nodes: list[dict[str, Any]], expected: tuple[str, str, str]) -> None:
    assert expected in found(with_nodes(*nodes))


@pytest.mark.parametrize(
    ("text", "code", "severity"),
    [
        (" ", "no_text", "error"),
        ("{nam}您好", "placeholder", "error"),
        ("您好{product}", "placeholder", "error"),
        ("您好 {name", "placeholder", "error"),
        ("本产品保本，欢迎购买", "forbidden_claim", "error"),
        ("保 本 高息", "forbidden_claim", "error"),
        ("稳赚不赔", "forbidden_claim", "error"),
        ("零风险", "forbidden_claim", "error"),
        ("Guaranteed high returns", "forbidden_claim", "error"),
        ("a risk-free product", "forbidden_claim", "error"),
        ("请看" * 30, "sms_parts", "warning"),
        ("请看" * 250, "sms_too_long", "error"),
    ],
)
def test_texts(text: str, code: str, severity: str) -> None:
    assert (code, "touch_1.a", severity) in found(canvas_of({**SMS, "text": text}))


@pytest.mark.parametrize(
    "text", ["非保本浮动收益", "本产品不保本，投资须谨慎", "Returns are not guaranteed.", "理财有风险"]
)
def test_required_warnings_are_no_promises(text: str) -> None:
    assert "forbidden_claim" not in {code for code, _, _ in found(canvas_of({**SMS, "text": text}))}


def test_sender_and_opt_out_count_for_the_length_of_an_sms() -> None:
    text = "请" * 60  # 60 characters, 【小银行】 5 and 拒收请回复R 6 more: 71
    assert ("sms_parts", "touch_1.a", "warning") in found(canvas_of({**SMS, "text": text}))
    assert ("sms_parts", "touch_1.a", "warning") not in found(canvas_of({**SMS, "text": text[:-1]}))


@pytest.mark.parametrize("text", ["年化收益3.5%", "业绩比较基准 3.10%", "now at 3.1 %", "a yield of 5%"])
def test_rates_read_as_returns_for_risky_products(text: str) -> None:
    assert ("rate_as_return", "touch_1.a", "error") in found(canvas_of({**SMS, "text": text, "product_id": 1}))
    assert "rate_as_return" not in {code for code, _, _ in found(canvas_of({**SMS, "text": text}))}


def test_goal_products_times_and_limits() -> None:
    assert ("unknown_event", "goal.event", "error") in found(canvas_of(SMS, goal=Goal(event="purchse")))
    assert ("expression", "goal.where", "error") in found(
        canvas_of(SMS, goal=Goal(event="purchase", where="kynd = 'x'"))
    )
    assert ("unknown_product", "touch_1", "error") in found(canvas_of({**SMS, "product_id": 7}))
    assert ("not_on_sale", "touch_1", "error") in found(canvas_of({**SMS, "product_id": 2}))
    assert ("no_product", "nodes", "warning") in found(canvas_of(SMS))
    assert ("quiet_hours", "touch_1", "warning") in found(canvas_of({**SMS, "hour": 22}))
    assert ("quiet_hours", "touch_1", "error") in found(canvas_of({**SMS, "channel": "call", "hour": 13}))
    assert ("goal_window", "goal.window_days", "warning") in found(canvas_of(SMS, {**SMS, "day": 20}))
    assert ("max_touches", "max_touches", "warning") in found(canvas_of(SMS, max_touches=19))
    assert ("max_touches", "max_touches", "warning") not in found(canvas_of(SMS, max_touches=20))
    assert ("start", "start", "error") in found(canvas_of(SMS, start="tomorrow"))
    assert ("no_hold_out", "nodes", "warning") in found(canvas_of(SMS, holdout_percent=0))


def test_the_start_decides_about_quiet_hours_of_a_touch_without_an_hour() -> None:
    at_once = {"channel": "sms", "day": 0}
    assert "quiet_hours" not in {code for code, _, _ in found(canvas_of(at_once))}
    assert ("quiet_hours", "touch_1", "warning") in found(canvas_of(at_once, start="2026-11-20T21:00"))


def test_a_day_off_that_the_bank_adds_is_quiet_too() -> None:
    call = canvas_of({"channel": "call", "day": 0}, start="2026-11-20T10:00")
    closed = replace(FACTS, policy=ThrottlePolicy.model_validate({"holidays_added": ["2026-11-20"]}))
    assert "quiet_hours" not in {code for code, _, _ in found(call)}
    assert ("quiet_hours", "touch_1", "error") in found(call, closed)


def test_errors_come_first() -> None:
    findings = check(canvas_of({**SMS, "text": "保本"}, holdout_percent=0), CATALOG, FACTS)
    assert [f.severity for f in findings] == sorted((f.severity for f in findings), key=lambda s: s != "error")
    assert findings[0].message("zh") != findings[0].message("en")


def test_every_code_is_documented() -> None:
    page = (Path(__file__).parents[3] / "docs" / "canvas.md").read_text("utf-8")
    source = "".join(p.read_text("utf-8") for p in (Path(__file__).parents[3] / "tools" / "canvas").glob("check_*.py"))
    codes = set(re.findall(r'(?:error|warning)\)?\(\s*"([a-z_]+)"', source))
    assert len(codes) > 50
    assert {code for code in codes if f"`{code}`" not in page} == set()
