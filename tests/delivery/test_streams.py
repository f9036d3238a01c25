"""Releases that customers keep entering: ceilings, restarts, ends, old data, tags and branches' words."""

import json

import pytest

from tests.support.released_bank import ReleasedBank
from tools.canvas import Canvas
from tools.canvas.schema import (
    Arm,
    Condition,
    Delay,
    Entry,
    Exit,
    Goal,
    Node,
    Once,
    OnEvent,
    Override,
    Recurring,
    Reentry,
    Tag,
    Touch,
    Trigger,
)

pytestmark = pytest.mark.slow
DAILY = Recurring(hour=10, max_data_age_hours=500)


def stream(trigger: Trigger, *nodes: Node, segment: str = "everyone", **more: object) -> Canvas:
    entry = Entry(id="entry", segment=segment, trigger=trigger, next=nodes[0].id)
    settings = {
        "name": "流",
        "goal": Goal(event="complaint"),
        "max_touches": 500,
        "nodes": [entry, *nodes, Exit(id="done")],
    }
    return Canvas.model_validate({**settings, **more})


def touch(**more: object) -> Touch:
    arms = [Arm(name="a", share=100, text="您好，总行")]
    return Touch.model_validate({"id": "t", "channel": "push", "arms": arms, "next": "done", **more})


def entries(bank: ReleasedBank, release: str) -> int:
    return bank.count("SELECT count(*) FROM enrolments WHERE journey_id = ?", release)


def test_ceilings_by_day_and_altogether_hold_and_are_on_record(lively: ReleasedBank) -> None:
    canvas = stream(DAILY, touch(), reentry=Reentry(allowed=True))
    release = lively.approved_stream(canvas, daily=7, total=17).id
    lively.pass_(hours=1)
    assert lively.deliverer.run_due()[0].entered == 7
    lively.pass_(days=1)
    assert lively.new_deliverer().run_due()[0].entered == 7
    lively.pass_(days=1)
    assert lively.deliverer.run_due()[0].entered == 3
    assert entries(lively, release) == 17
    refused = dict(
        lively.warehouse.read("SELECT rule, count(*) FROM decisions WHERE node_id = 'entry' GROUP BY 1").rows
    )
    assert refused == {"ceiling_daily": 53 * 2, "ceiling_total": 57}
    assert lively.records.proposal(release).status == "released"  # nobody can enter any more


def test_a_stream_stays_open_until_its_end(lively: ReleasedBank) -> None:
    release = lively.approved_stream(stream(DAILY, touch(), end="2026-11-04T12:00")).id
    lively.pass_(hours=1)
    assert lively.deliverer.run_due()[0].entered == 60
    lively.pass_(days=1)
    assert lively.new_deliverer().run_due() == []  # nobody new; it waits for its next round all the same
    assert lively.records.proposal(release).status == "releasing"
    lively.pass_(days=1, hours=3)
    assert lively.deliverer.run_due()[0].finished
    assert lively.records.proposal(release).status == "released"


def test_an_event_enters_in_the_next_run_and_only_once(lively: ReleasedBank) -> None:
    canvas = stream(OnEvent(event="password_prompt"), Delay(id="d", days=1, next="t"), touch())
    release = lively.approved_stream(canvas).id
    lively.deliverer.run_due()
    with lively.warehouse.writer() as con:
        con.execute("INSERT INTO events (event_id, customer_id, name, occurred_at) VALUES (99001, 5, 'password_prompt', '2026-11-02 01:00:30')")  # fmt: skip
    assert entries(lively, release) == 0
    lively.pass_(minutes=1)
    assert lively.new_deliverer().run_due()[0].entered == 1
    lively.pass_(minutes=1)
    assert lively.new_deliverer().run_due() == []
    assert entries(lively, release) == 1


def test_a_revoked_stream_lets_nobody_in(lively: ReleasedBank) -> None:
    release = lively.approved_stream(stream(DAILY, touch(), reentry=Reentry(allowed=True))).id
    lively.pass_(hours=1)
    lively.deliverer.run_due()
    lively.authority.revoke(release, lively.principal(), "wrong")
    lively.pass_(days=1)
    lively.deliverer.run_due()
    assert entries(lively, release) == 60
    assert lively.count("SELECT count(*) FROM campaigns WHERE campaign_id = ? AND ended_at IS NULL", release) == 0


def test_old_data_let_nobody_in_and_it_is_said(lively: ReleasedBank) -> None:
    with lively.warehouse.writer() as con:
        con.execute("UPDATE meta SET value = '2026-11-01T00:00:00+00:00' WHERE key = 'as_of'")
    fresh = Recurring(hour=10, max_data_age_hours=12)
    release = lively.approved_stream(stream(fresh, touch())).id
    lively.pass_(hours=1)
    assert "26 hours old; 12 are allowed" in lively.deliverer.run_due()[0].problem
    assert entries(lively, release) == 0
    with lively.warehouse.writer() as con:
        con.execute("UPDATE meta SET value = '2026-11-02T01:00:00+00:00' WHERE key = 'as_of'")
    assert lively.new_deliverer().run_due()[0].entered == 60


def test_tags_are_lists_while_they_are_carried(lively: ReleasedBank) -> None:
    nodes = (
        Tag(id="tag", name="seen", expires_days=2, next="wait"),
        Delay(id="wait", days=1, next="check"),
        Condition(id="check", expression="in_list('tag:seen')", yes="t", no="done"),
        touch(),
    )
    lively.approved_stream(stream(Once(), *nodes, segment="is_payroll"))
    lively.deliverer.run_due()
    carried = "SELECT count(*) FROM list_members WHERE name = 'tag:seen'"
    assert lively.count(carried) == 30
    lively.pass_(days=1)
    assert sum(lively.deliverer.run_due()[0].decided.values()) == 30
    lively.pass_(days=1)
    lively.approved_stream(stream(Once(), touch()))  # any other release's run takes what is out off the lists
    lively.deliverer.run_due()
    assert lively.count(carried) == 0
    assert lively.count("SELECT count(*) FROM canvas_tags") == 30


def test_a_branch_gets_its_own_words(lively: ReleasedBank) -> None:
    own = Override(branch_id=3, node="t", arms=[Arm(name="a", share=100, text="您好，支行")])
    release = lively.approved_stream(stream(Once(), touch(), overrides=[own])).id
    lively.deliverer.run_due()
    files = sorted(lively.folder(release).glob("*.jsonl"))
    rows = [json.loads(line) for file in files for line in file.read_text("utf-8").splitlines()]
    assert {("支行" in row["text"], 1 + row["customer_id"] % 4 == 3) for row in rows} == {(True, True), (False, False)}


@pytest.mark.parametrize("name", ["daily", "total"])
def test_a_stream_without_ceilings_is_refused(lively: ReleasedBank, name: str) -> None:
    payload = lively.payload(stream(DAILY, touch()))
    assert payload.audience.rule == "stream"
    document = payload.audience.model_dump() | {f"max_{name}": None}
    with pytest.raises(ValueError, match="a daily and a total ceiling"):
        type(payload.audience).model_validate(document)
    assert payload.audience.max_daily == 120  # twice the sixty that every day would have let in
