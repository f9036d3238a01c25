"""Read-outs on the demo bank: the planted truths are found, and what is not known is not claimed."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from control.records import Actor, Records
from tools.analysis import read_out
from tools.analysis.periods import before, read_window, span
from tools.analysis.tool import TOOLS
from tools.base import ToolContext
from tools.segment import Segments
from warehouse.catalog import Catalog
from warehouse.errors import ModelRetry, NotFound
from warehouse.home import Home
from warehouse.store import Warehouse


@pytest.fixture(scope="module")
def home(demo_master: Home) -> Home:
    return demo_master


@pytest.fixture(scope="module")
def store(home: Home) -> Iterator[Warehouse]:
    with Warehouse(home.warehouse) as opened:
        yield opened


@pytest.fixture(scope="module")
def bank_catalog(home: Home) -> Catalog:
    return Catalog.load(home.catalog)


@pytest.fixture(scope="module")
def truths(home: Home) -> dict[str, dict[str, object]]:
    document = json.loads((home.root / "truths.json").read_text("utf-8"))
    entries = document["campaigns"] if isinstance(document, dict) else document
    return {str(e["truth"]): e for e in entries}


@pytest.fixture
def context(home: Home, store: Warehouse, bank_catalog: Catalog, tmp_path: Path) -> Iterator[ToolContext]:
    records = Records(f"sqlite:///{tmp_path / 'c.sqlite'}", home.clock())
    yield ToolContext(
        home=home, warehouse=store, catalog=bank_catalog, records=records, playbooks=None, clock=home.clock(),  # type: ignore[arg-type]
        actor=Actor(account="operator", person="p1"), thread="t1", language="zh",
    )  # fmt: skip
    records.close()


def campaign(truths: dict[str, dict[str, object]], truth: str) -> str:
    return str(truths[truth]["campaign_id"])


def test_a_read_out_is_the_table_worked_out_in_plain_sql(
    store: Warehouse, bank_catalog: Catalog, truths: dict[str, dict[str, object]]
) -> None:
    id_ = campaign(truths, "significant_but_loss_making")
    rows = store.read(
        """
        SELECT arm, count(*), sum(CASE WHEN EXISTS (
            SELECT 1 FROM events e WHERE e.customer_id = a.customer_id AND e.name = c.goal_event
            AND e.occurred_at > a.assigned_at AND e.occurred_at <= a.assigned_at + to_days(c.goal_window_days)) THEN 1 ELSE 0 END)
        FROM assignments a JOIN campaigns c USING (campaign_id) WHERE campaign_id = ? GROUP BY arm ORDER BY arm
        """,
        [id_],
    ).rows
    found = read_out(store, bank_catalog, id_)
    assert [(a.arm, a.n, round((a.mean or 0) * a.n)) for a in found.arms] == rows
    assert found.causal
    assert found.effect is not None
    assert found.effect.diff == pytest.approx(rows[1][2] / rows[1][1] - rows[0][2] / rows[0][1])
    assert found.economics is not None
    sent = store.read(
        "SELECT count(sent_at) FROM touches WHERE campaign_id = ? AND status <> 'held_out'", [id_]
    ).scalar()
    assert found.economics.touches_sent == sent
    assert found.economics.cost == pytest.approx(sent * 12.0)
    assert all(e.sql and e.row_count for e in found.evidence)


def test_broken_randomisation_is_no_cause(
    store: Warehouse, bank_catalog: Catalog, truths: dict[str, dict[str, object]]
) -> None:
    found = read_out(store, bank_catalog, campaign(truths, "broken_randomisation"))
    assert found.srm_p is not None
    assert found.srm_p < 0.001
    assert not found.causal
    assert "association" in found.notes[0]
    assert found.economics is not None
    assert found.economics.incremental_goals is None


def test_whole_randomisation_passes_the_check(
    store: Warehouse, bank_catalog: Catalog, truths: dict[str, dict[str, object]]
) -> None:
    for truth in ("no_effect", "true_lift_two_arms"):
        found = read_out(store, bank_catalog, campaign(truths, truth))
        assert found.srm_p is not None
        assert found.srm_p > 0.001
        assert found.causal


def test_chosen_customers_are_an_association(
    store: Warehouse, bank_catalog: Catalog, truths: dict[str, dict[str, object]]
) -> None:
    found = read_out(store, bank_catalog, campaign(truths, "not_randomised"), language="zh")
    assert not found.causal
    assert found.srm_p is None
    assert "关联" in found.notes[0]


def test_several_arms_are_each_compared(
    store: Warehouse, bank_catalog: Catalog, truths: dict[str, dict[str, object]]
) -> None:
    found = read_out(store, bank_catalog, campaign(truths, "true_lift_two_arms"))
    assert [a.arm for a in found.arms] == ["control", "sms", "sms_wecom"]
    assert [e.arm for e in found.effects] == ["sms", "sms_wecom"]


def test_harm_is_told(store: Warehouse, bank_catalog: Catalog, truths: dict[str, dict[str, object]]) -> None:
    found = read_out(store, bank_catalog, campaign(truths, "fades_and_harms"), "complaint")
    assert found.effect is None or found.effect.diff > 0


def test_groups_cover_everybody_and_small_ones_are_not_inferred(
    store: Warehouse, bank_catalog: Catalog, truths: dict[str, dict[str, object]]
) -> None:
    found = read_out(store, bank_catalog, campaign(truths, "no_effect"), by="tier")
    for place, arm in enumerate(found.arms):
        assert sum(g.arms[place].n for g in found.groups) == arm.n
    for g in found.groups:
        small = min(a.n for a in g.arms) < 100
        assert not (small and g.effect is not None)
        assert bool(g.effect) != bool(g.reason)


def test_strata_weigh_the_effect(
    home: Home, bank_catalog: Catalog, truths: dict[str, dict[str, object]], demo_home: Home
) -> None:
    id_ = campaign(truths, "not_randomised")
    with Warehouse(demo_home.warehouse) as copy:
        with copy.writer() as con:
            con.execute("UPDATE campaigns SET randomised = true WHERE campaign_id = ?", [id_])
            con.execute("INSERT INTO meta VALUES (?, 'tier')", [f"campaign:{id_}:strata"])
        found = read_out(copy, bank_catalog, id_)
    assert found.naive is not None
    assert found.effect is not None
    assert found.effect.diff != found.naive.diff
    assert any("post-stratified" in note for note in found.notes)


def test_branch_scope_limits_the_read_out(
    store: Warehouse, bank_catalog: Catalog, truths: dict[str, dict[str, object]]
) -> None:
    id_ = campaign(truths, "no_effect")
    branch = store.read("SELECT branch_id FROM branches WHERE level = 'branch' ORDER BY 1 LIMIT 1").scalar()
    mine = read_out(store, bank_catalog, id_, actor=Actor(account="b", person="b", branches=(branch,)))
    whole = read_out(store, bank_catalog, id_)
    assert 0 < sum(a.n for a in mine.arms) < sum(a.n for a in whole.arms)
    none = read_out(store, bank_catalog, id_, actor=Actor(account="n", person="n", branches=()))
    assert none.arms == []
    assert none.effect is None
    assert none.reason == "no_control"


def test_unknown_names_offer_the_nearest(
    store: Warehouse, bank_catalog: Catalog, truths: dict[str, dict[str, object]]
) -> None:
    id_ = campaign(truths, "no_effect")
    with pytest.raises(NotFound) as caught:
        read_out(store, bank_catalog, id_[:-2])
    assert id_ in caught.value.details["nearest"]
    with pytest.raises(NotFound, match="conversion"):
        read_out(store, bank_catalog, id_, "convertion")


def test_metric_for_a_complete_month_is_the_month_end_history(context: ToolContext) -> None:
    tool = next(t for t in TOOLS if t.name == "query_metric")
    found, evidence = tool.run(context, tool.arguments(metric="月活", period="上月", by="tier"))
    rows = context.warehouse.read(
        "SELECT count(*) FROM monthly WHERE is_mau AND date_trunc('month', month) = DATE '2026-10-01'"
    )
    assert found.current.value == rows.scalar()
    assert found.current.source == "monthly"
    assert sum(r.value for r in found.breakdown) == found.current.value
    assert evidence
    assert all(e.id.startswith("ev_") for e in evidence)


def test_metric_of_the_current_month_comes_from_logins(context: ToolContext) -> None:
    tool = next(t for t in TOOLS if t.name == "query_metric")
    found, _ = tool.run(context, tool.arguments(metric="mau", period="this_month"))
    sql = "SELECT count(DISTINCT customer_id) FROM events WHERE name = 'login' AND occurred_at >= TIMESTAMP '2026-10-31 16:00:00'"
    assert found.current.value == context.warehouse.read(sql).scalar()
    assert found.current.source == "events"
    with pytest.raises(ModelRetry, match="no history"):
        tool.run(context, tool.arguments(metric="payroll_share", period="2026-09"))


def test_periods_and_the_ones_before(context: ToolContext) -> None:
    segments = Segments(context.warehouse, context.catalog, context.records, context.actor)

    def days(text: str) -> tuple[str, str, str, str]:
        window = read_window(text, context.catalog)
        now = span(window, segments)
        past = before(now, window, segments)
        return tuple(str(d) for d in (now.first, now.last, past.first, past.last))  # type: ignore[return-value]

    assert days("2026-03") == ("2026-03-01", "2026-03-31", "2026-02-01", "2026-02-28")
    assert days("last_month") == ("2026-10-01", "2026-10-31", "2026-09-01", "2026-09-30")
    assert days("last_quarter") == ("2026-07-01", "2026-09-30", "2026-04-01", "2026-06-30")
    assert days("last_week") == ("2026-11-09", "2026-11-15", "2026-11-02", "2026-11-08")
    assert days("2026-11-02..2026-11-04") == ("2026-11-02", "2026-11-04", "2026-10-30", "2026-11-01")
    assert days("this_month")[2:] == ("2026-10-01", "2026-10-18")
    with pytest.raises(ModelRetry, match="not a period"):
        read_window("someday", context.catalog)


def test_compared_campaigns_say_what_a_comparison_is_worth(
    context: ToolContext, truths: dict[str, dict[str, object]]
) -> None:
    tool = next(t for t in TOOLS if t.name == "compare_campaigns")
    names = [campaign(truths, "no_effect"), campaign(truths, "not_randomised")]
    found, evidence = tool.run(context, tool.arguments(campaigns=names))
    assert [c.campaign for c in found.campaigns] == names
    assert any(names[1] in note and "关联" in note for note in found.notes)
    assert len(evidence) >= 4
    with pytest.raises(ModelRetry, match="twice"):
        tool.run(context, tool.arguments(campaigns=[names[0], names[0]]))
