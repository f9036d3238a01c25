"""The contract, once in-process and once over HTTP: the same functions, models and errors."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from pydantic import BaseModel

from cli.remote import Remote
from server.schema import (
    AnalyzeAsked,
    BreakdownAsked,
    CanvasAsked,
    ClockAsked,
    DecisionAsked,
    DiffAsked,
    DryRunAsked,
    SegmentAsked,
    TemplateAsked,
    ThrottleAsked,
    TokenAsked,
    WaterfallAsked,
    WhyAsked,
)
from server.service import Workspace
from warehouse.errors import Forbidden, ModelRetry, NotFound, SignInNeeded

SNAPSHOTS: dict[str, object] = {}
"""What the first way answered; the second must answer the same."""

CANVAS = """
name: 代发客户理财首购
goal: {event: purchase, where: "kind = 'wealth'", window_days: 14}
max_touches: 5000
signature: 【示例银行】
nodes:
  - {kind: entry, id: start, segment: "is_payroll and aum between 5万 and 200万", next: hold}
  - {kind: hold_out, id: hold, percent: 10, key: first-purchase, next: sms}
  - kind: touch
    id: sms
    channel: sms
    arms: [{name: a, share: 100, text: "【示例银行】{name}您好，理财专区已更新，详情见手机银行。拒收请回复R"}]
    next: wait
  - {kind: delay, id: wait, days: 3, next: done}
  - {kind: exit, id: done}
"""


def same(name: str, way: str, value: object) -> None:
    """Both ways answer alike, but for times and addresses."""
    plain = _plain(value)
    first = SNAPSHOTS.setdefault(name, plain)
    assert plain == first, f"{name} answers otherwise {way}"


def _plain(value: object) -> object:
    if isinstance(value, BaseModel):
        value = value.model_dump(mode="json")
    if isinstance(value, dict):
        fleeting = ("elapsed_ms", "now", "instant", "start", "file", "token", "id", "created_at", "expires_at")
        return {k: _plain(v) for k, v in value.items() if k not in fleeting}
    return [_plain(item) for item in value] if isinstance(value, list) else value


def test_each_way_is_the_way_it_says(desk, way: str) -> None:
    with desk() as d:
        assert isinstance(d, Workspace if way == "in-process" else Remote)


def test_the_two_ways_have_the_same_functions() -> None:
    over_http = {n for n in vars(Remote) if not n.startswith("_")}
    in_process = {n for n in dir(Workspace) if not n.startswith("_")}
    assert over_http <= in_process
    only_for_pages = {
        "campaigns", "catalog", "evidence", "events", "new_export", "playbooks", "policies", "start_turn", "thread", "threads",
        "wait_for_events", "actor", "caller", "instant", "shown", "stores",
    }  # fmt: skip
    assert in_process - over_http == only_for_pages


def test_counting(desk, way: str) -> None:
    with desk() as d:
        found = d.segment_count(SegmentAsked(expression="is_payroll and age < 35"))
        everyone = d.segment_count(SegmentAsked(expression="everyone"))
    assert 0 < found.count < everyone.count == 3_000
    assert "SELECT" in found.sql.upper()
    same("count", way, found)


def test_counting_nonsense_tells_the_nearest(desk, way: str) -> None:
    with desk() as d, pytest.raises(ModelRetry) as caught:
        d.segment_count(SegmentAsked(expression="agee < 35"))
    assert "age" in caught.value.fix
    assert caught.value.details["nearest"]
    same("nonsense", way, [caught.value.message, caught.value.fix, caught.value.code, caught.value.status])


def test_breaking_down(desk, way: str) -> None:
    with desk() as d:
        found = d.segment_breakdown(BreakdownAsked(expression="everyone", by="tier"))
    assert sum(g.count for g in found.groups) == 3_000
    same("breakdown", way, found)
    with desk() as d, pytest.raises(NotFound):
        d.segment_breakdown(BreakdownAsked(expression="everyone", by="tierr"))


def test_exporting_ids(desk, way: str, tmp_path: Path) -> None:
    out = tmp_path / "ids.parquet"
    with desk() as d:
        counted = d.segment_count(SegmentAsked(expression="age < 30")).count
        written = d.segment_ids(SegmentAsked(expression="age < 30"), out)
    table = pq.read_table(out)
    assert table.schema.names == ["customer_id"]
    assert written.count == counted == table.num_rows
    same("ids", way, sorted(table["customer_id"].to_pylist()))
    assert list(tmp_path.iterdir()) == [out]


def test_the_waterfall_never_rises(desk, way: str) -> None:
    asked = WaterfallAsked(expression="is_payroll", channel="sms", when="2026-11-18T10:00")
    with desk() as d:
        found = d.segment_waterfall(asked)
    counts = [s.count for s in found.steps]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[-1]
    same("waterfall", way, found)


def test_the_throttle_adds_up(desk, way: str) -> None:
    with desk() as d:
        noon = d.throttle_check(ThrottleAsked(segment="is_payroll", channel="sms", when="2026-11-18T12:00"))
        night = d.throttle_check(ThrottleAsked(segment="is_payroll", channel="sms", when="2026-11-18T23:30"))
    for found in (noon, night):
        assert found.candidates == found.allowed + found.deferred + found.abandoned
        assert sum(found.by_rule.values()) == found.deferred + found.abandoned
    assert noon.allowed > 0
    assert night.allowed == 0
    same("throttle", way, noon)


def test_why(desk, way: str) -> None:
    with desk() as d:
        with pytest.raises(NotFound):
            d.throttle_why(WhyAsked(customer=10**15, campaign="nothing"))
        asked = (d.throttle_why(WhyAsked(customer=n, campaign="c2026_09_payday")) for n in range(1, 400))
        found = next(w for w in asked if w.decisions and w.decisions[0].decision == "send")
    grounds = found.decisions[0].evidence
    assert grounds[0].kind == "consent"
    assert any(g.kind == "limit" and "at most" in g.en and "最多" in g.zh for g in grounds)
    same("why", way, [g.en for g in grounds])


def test_checking_running_and_drawing_a_canvas(desk, way: str) -> None:
    with desk() as d:
        checked = d.canvas_check(CanvasAsked(document=CANVAS, language="en"))
        assert checked.ok, checked
        ran = d.canvas_dry_run(DryRunAsked(document=CANVAS))
        drawn = d.canvas_draw(CanvasAsked(document=CANVAS))
    nodes = {n.id: n for n in ran.nodes}
    assert nodes["hold"].entered == nodes["start"].entered > 0
    assert 0 < nodes["hold"].held_out < nodes["hold"].entered
    assert nodes["sms"].entered == nodes["hold"].entered - nodes["hold"].held_out
    assert any("aum" in c for c in ran.snapshot_conditions)
    assert drawn.dot.startswith("digraph")
    same("canvas", way, [checked.model_dump(), ran.model_dump(mode="json"), drawn.model_dump()])


def test_templates_and_differences(desk, way: str) -> None:
    with desk() as d:
        listed = {t.id: t for t in d.templates("en")}
        made = d.template_canvas("到期", TemplateAsked(parameters={"before_days": "5"}, language="en"))
        other = d.template_canvas("maturity", TemplateAsked(language="en"))
        told = d.canvas_diff(
            DiffAsked(before=CanvasAsked(document=other.text), after=CanvasAsked(document=made.text), language="en")
        )
        with pytest.raises(NotFound):
            d.template_canvas("nothing", TemplateAsked())
        with pytest.raises(NotFound):
            d.canvas_history("cv_99")
    offered = next(p for p in listed["maturity"].parameters if p.name == "product_id").choices
    assert offered
    assert made.ok
    assert made.request == "Use the Renewal at maturity template with before_days=5"
    assert {"entry", "wait_day", "goal", "template"} <= {change.place for change in told.changes}
    assert told.dot.startswith("digraph")
    same("templates", way, [made.model_dump(), told.model_dump()])


@pytest.mark.parametrize(
    "asked",
    [
        {"document": "name: ["},
        {"document": "- a\n- b"},
        {"document": "name: x"},
        {"canvas": "cv_99"},
        {},
        {"canvas": "cv_1", "document": "x"},
    ],
)
def test_what_is_no_canvas(desk, way: str, asked: dict[str, str]) -> None:
    with desk() as d, pytest.raises(ModelRetry) as caught:
        d.canvas_check(CanvasAsked.model_validate(asked))
    same(json.dumps(asked), way, [caught.value.message, caught.value.code])


def test_reading_out_a_campaign(desk, way: str, home) -> None:
    from warehouse.store import Warehouse

    with desk() as d, pytest.raises(NotFound):
        d.analyze(AnalyzeAsked(campaign="no_such_campaign"))
    if way == "in-process":
        with Warehouse(home.warehouse) as warehouse:
            rows = warehouse.read(
                "SELECT campaign_id FROM campaigns WHERE randomised ORDER BY campaign_id LIMIT 1"
            ).rows
        SNAPSHOTS["campaign"] = rows[0][0]
    with desk() as d:
        found = d.analyze(AnalyzeAsked(campaign=str(SNAPSHOTS["campaign"])))
    assert {a.arm for a in found.arms} >= {"control"}
    assert found.evidence
    same("read-out", way, [a.model_dump() for a in found.arms])


def test_searching_the_catalog(desk, way: str) -> None:
    with desk() as d:
        found = d.catalog_search("代发", 5)
    assert "is_payroll" in {h.name for h in found}
    same("catalog", way, [h.model_dump() for h in found])


def test_a_demo_user_reads_by_name_alone_and_an_unknown_one_does_not(desk) -> None:
    with desk("manager") as d:
        assert d.me().account == "manager"
    with pytest.raises(NotFound), desk("nobody_here") as d:
        d.me()


def test_a_name_alone_never_decides(desk, way: str) -> None:
    with desk("approver") as d, pytest.raises(SignInNeeded) as caught:
        d.decide("prop_1", DecisionAsked(decision="approve"))
    same("name alone", way, [caught.value.message, caught.value.fix])


def test_a_wrong_password_is_nobody(home) -> None:
    from cli.credentials import Who
    from cli.desk import at_desk

    with pytest.raises(SignInNeeded), at_desk(home.root, Who(user="approver2", password="wrong")):
        pass


def test_tokens_are_made_used_listed_and_revoked(desk) -> None:
    with desk("approver", password=True) as d:
        made = d.token_create(TokenAsked(name="night job", scopes=["read"], days=3))
        assert made.id in {t.id for t in d.tokens()}
        with pytest.raises(Forbidden):
            d.token_create(TokenAsked(name="too much", scopes=["admin"]))
    with desk(token=made.token) as d:
        assert d.me().scopes == ["read"]
        with pytest.raises(Forbidden):
            d.decide("prop_1", DecisionAsked(decision="approve"))
    with desk("approver", password=True) as d:
        d.token_revoke(made.id)
        assert made.id not in {t.id for t in d.tokens()}
    with pytest.raises(SignInNeeded), desk(token=made.token) as d:
        d.me()


def test_the_clock_moves_forward_and_stays_moved(desk, home) -> None:
    with desk() as d:
        before = d.clock()
        after = d.clock_advance(ClockAsked(days=1, hours=2))
        assert 26 * 3600 <= (after.now - before.now).total_seconds() < 26 * 3600 + 60
        assert after.as_of == before.as_of
        with pytest.raises(ModelRetry):
            d.clock_advance(ClockAsked())
    with desk() as d:
        assert d.clock().now >= after.now
    assert home.clock().now() >= after.now


def test_the_audit_is_whole(desk) -> None:
    with desk() as d:
        found = d.verify_audit()
    assert found.ok
    assert found.entries > 0


def test_nothing_is_due(desk) -> None:
    with desk() as d:
        assert d.release_run().waves == []
