"""What is released is what was approved: from the payload, within its audience rule, caps and maximum, on record."""

import json
from collections import Counter

import duckdb
import pytest

from control.authority import Refused
from control.records import tables as t
from tests.support.released_bank import ReleasedBank, campaign, push, sms, two_arms
from tools.proposal.schema import ReleaseStep
from tools.segment import bucket
from tools.throttle import Cap, ThrottlePolicy, why
from tools.throttle.policy import Calendar


def rows_of(bank: ReleasedBank, release: str) -> list[dict[str, object]]:
    files = sorted(bank.folder(release).glob("*.jsonl"))
    return [json.loads(line) for file in files for line in file.read_text("utf-8").splitlines()]


def test_nothing_leaves_before_approval(bank: ReleasedBank) -> None:
    proposal = bank.submit(bank.payload(campaign()))
    assert bank.deliverer.run_due() == []
    assert not bank.folder(proposal.id).exists()
    assert bank.count("SELECT count(*) FROM outbox") == 0


def test_an_approved_campaign_runs_over_its_days(bank: ReleasedBank) -> None:
    release = bank.approved(campaign(push(), sms(2))).id
    first = bank.deliverer.run_due()[0]
    assert first.entered == first.held_out + sum(first.decided.values())
    assert first.handed_over == first.decided["send"] > 100
    assert bank.deliverer.run_due() == []
    bank.pass_(days=1)
    assert bank.deliverer.run_due() == []
    bank.pass_(days=1, hours=3)
    second = bank.new_deliverer().run_due()[0]
    assert (second.wave, second.finished) == (2, True)
    assert bank.records.proposal(release).status == "released"
    rows = rows_of(bank, release)
    assert len({row["key"] for row in rows}) == len(rows) == first.handed_over + second.handed_over
    assert not any("{" in str(row["text"]) for row in rows)
    assert all(str(row["to"]).startswith("1") for row in rows if row["channel"] == "sms")
    manifest = json.loads((bank.folder(release) / "manifest.json").read_text())
    assert (manifest["rows"], manifest["digest"]) == (len(rows), bank.records.proposal(release).digest)
    assert bank.authority.audit.verify().ok


def test_nobody_held_out_is_touched_and_everybody_entered_has_an_arm(bank: ReleasedBank) -> None:
    release = bank.approved(campaign(push(arms=two_arms()), holdout=30)).id
    report = bank.deliverer.run_due()[0]
    arms = dict(
        bank.warehouse.read("SELECT arm, count(*) FROM assignments WHERE campaign_id = ? GROUP BY 1", [release]).rows
    )
    assert set(arms) == {"a", "b", "control"}
    assert sum(arms.values()) == report.entered
    controls = {i for (i,) in bank.warehouse.read(
        "SELECT customer_id FROM assignments WHERE campaign_id = ? AND arm = 'control'", [release]).rows}  # fmt: skip
    assert controls == {i for i in controls if bucket("k1", i) < 0x100000000 * 0.3}
    touched = {row["customer_id"]: row["arm"] for row in rows_of(bank, release)}
    assert not controls & set(touched)
    assigned = dict(
        bank.warehouse.read("SELECT customer_id, arm FROM assignments WHERE campaign_id = ?", [release]).rows
    )
    assert all(assigned[i] == arm for i, arm in touched.items())
    campaigns = bank.warehouse.read(
        "SELECT randomised, goal_event FROM campaigns WHERE campaign_id = ?", [release]
    ).rows
    assert campaigns == [(True, "purchase")]


def test_every_decision_has_an_answer(bank: ReleasedBank) -> None:
    release = bank.approved(campaign()).id
    bank.deliverer.run_due()
    people = bank.warehouse.read(
        "SELECT customer_id, state, sent FROM enrolments WHERE journey_id = ? ORDER BY hash(customer_id) LIMIT 80",
        [release],
    ).rows
    seen = Counter()
    for customer, state, sent in people:
        reasons = why(bank.warehouse, customer, release)
        assert len(reasons) == 1, (customer, reasons)
        expected = "hold_out" if state == "held_out" else "send" if sent else "abandon"
        assert reasons[0].decision == expected
        assert reasons[0].rule
        seen[expected] += 1
    assert set(seen) == {"send", "abandon", "hold_out"}


def test_the_maximum_of_touches_holds(bank: ReleasedBank) -> None:
    release = bank.approved(campaign(push(), sms(2), most=150)).id
    bank.deliverer.run_due()
    bank.pass_(days=2, hours=3)
    bank.deliverer.run_due()
    assert len(rows_of(bank, release)) == 150
    assert bank.count("SELECT count(*) FROM decisions WHERE rule = 'max_touches' AND campaign_id = ?", release) > 0


def test_what_is_quiet_is_deferred_and_sent_later(bank: ReleasedBank) -> None:
    bank.pass_(hours=11)  # 21:00
    release = bank.approved(campaign(sms())).id
    report = bank.deliverer.run_due()[0]
    assert report.decided["defer"] > 100
    assert "send" not in report.decided
    bank.pass_(hours=12, minutes=5)
    later = bank.new_deliverer().run_due()[0]
    assert later.decided["send"] > 100
    customer = rows_of(bank, release)[0]["customer_id"]
    assert [r.decision for r in why(bank.warehouse, int(str(customer)), release)] == ["defer", "send"]


def test_a_tighter_policy_applies_at_once_and_a_looser_one_does_not(bank: ReleasedBank) -> None:
    tight = bank.approved(campaign(key="tight")).id
    closed = Cap(name="closed", scope="channel", window=Calendar(period="day"), max=0, channels=("push",))
    policy = ThrottlePolicy()
    file = bank.home.policies / "throttle.yaml"
    file.write_text(policy.model_copy(update={"caps": (*policy.caps, closed)}).model_dump_json())
    report = bank.deliverer.run_due()[0]
    assert "send" not in report.decided
    assert bank.count("SELECT count(*) FROM decisions WHERE campaign_id = ? AND rule LIKE '%closed%'", tight) > 100
    loose = bank.approved(campaign(key="loose")).id
    file.unlink()
    assert "send" not in bank.deliverer.run_due()[0].decided
    assert not rows_of(bank, loose)
    looser, tighter = bank.authority.policies.history("throttle")
    assert len(tighter.document["caps"]) == len(looser.document["caps"]) + 1, "what delivery decided by is on record"


def test_an_audience_that_moved_stops_the_release(bank: ReleasedBank) -> None:
    release = bank.approved(campaign(segment="deposit_balance >= 0")).id
    with bank.warehouse.writer() as con:
        con.execute("UPDATE customers SET deposit_balance = -1 WHERE customer_id % 3 = 0")
    report = bank.deliverer.run_due()[0]
    assert "gone" in report.problem
    assert bank.records.proposal(release).status == "revoked"
    assert bank.count("SELECT count(*) FROM enrolments") == 0
    assert bank.deliverer.run_due() == []


def test_a_frozen_audience_is_exactly_the_one_of_submission(bank: ReleasedBank) -> None:
    payload = bank.payload(campaign(segment="city = '深圳'", holdout=5), rule="frozen")
    proposal = bank.submit(payload)
    bank.approve(proposal)
    with bank.warehouse.writer() as con:
        con.execute("UPDATE customers SET city = '长沙'")
    assert bank.deliverer.run_due()[0].entered == payload.audience.count > 0


def test_a_release_works_from_its_payload_whatever_becomes_of_the_saved_segment(bank: ReleasedBank) -> None:
    actor = bank.authority.actor("operator")
    saved = bank.records.save_segment("age >= 60", {"node": "compare", "left": {"node": "attr", "name": "age"},
        "op": ">=", "right": {"node": "const", "value": 60}}, actor, "t1")  # fmt: skip
    expected = bank.payload(campaign(segment="age >= 60", key="x")).audience.count
    bank.approved(campaign(segment=f"in_segment('{saved.id}')"))
    with bank.records.database.write() as session:
        session.get_one(t.Segment, 1).tree = {"node": "everyone"}
    assert bank.deliverer.run_due()[0].entered == expected


def test_a_swapped_payload_is_not_released_and_is_on_record(bank: ReleasedBank) -> None:
    release = bank.approved(campaign()).id
    with bank.records.database.write() as session:
        row = session.get_one(t.Proposal, 1)
        row.payload = row.payload.replace('"max_touches":20000', '"max_touches":90000')
    assert "not what was submitted" in bank.deliverer.run_due()[0].problem
    assert not bank.folder(release).exists()
    refused = [e for e in bank.authority.audit.entries() if e.kind == "release.refused"]
    assert [e.body["proposal"] for e in refused] == [release]
    bank.deliverer.run_due()
    assert len([e for e in bank.authority.audit.entries() if e.kind == "release.refused"]) == 1


def test_a_revoked_release_stops_after_at_most_one_batch(bank: ReleasedBank, monkeypatch: pytest.MonkeyPatch) -> None:
    release = bank.approved(campaign(holdout=1)).id
    channel = bank.deliverer._handover._channel
    real, left = channel.hand_over, []

    def revoke_while_the_first_leaves(batch, messages):
        left.append(len(messages))
        if len(left) == 1:
            bank.authority.revoke(release, bank.principal(), "wrong offer")
        return real(batch, messages)

    monkeypatch.setattr(channel, "hand_over", revoke_while_the_first_leaves)
    report = bank.deliverer.run_due()[0]
    queued = bank.count("SELECT count(*) FROM outbox WHERE state = 'queued'")
    assert (len(left), report.handed_over) == (1, 1000)
    assert queued == report.decided["send"] - 1000 > 0
    bank.deliverer.run_due()
    assert len(rows_of(bank, release)) == 1000
    assert bank.count("SELECT count(*) FROM touches WHERE campaign_id = ? AND status = 'cancelled'", release) == queued
    assert bank.count("SELECT count(*) FROM outbox WHERE state = 'queued'") == 0
    assert bank.count("SELECT count(*) FROM enrolments WHERE state = 'active'") == 0


def test_a_paused_release_waits_and_goes_on(bank: ReleasedBank) -> None:
    release = bank.approved(campaign(push(), sms(2))).id
    bank.deliverer.run_due()
    before = len(rows_of(bank, release))
    bank.authority.pause(release, bank.principal())
    bank.pass_(days=2, hours=3)
    assert "paused" in bank.deliverer.run_due()[0].problem
    assert len(rows_of(bank, release)) == before
    bank.authority.pause(release, bank.principal(), False)
    assert bank.deliverer.run_due()[0].handed_over > 0


def test_the_kill_switch_stops_everything(bank: ReleasedBank) -> None:
    bank.approved(campaign())
    bank.authority.kill_switch(bank.principal("admin"), True, "incident")
    assert "kill switch" in bank.deliverer.run_due()[0].problem
    bank.authority.kill_switch(bank.principal("admin"), False, "over")
    assert bank.deliverer.run_due()[0].handed_over > 0


def test_complaints_beyond_the_stop_line_stop_a_release(bank: ReleasedBank) -> None:
    release = bank.approved(campaign(push(), sms(2))).id
    bank.deliverer.run_due()
    bank.pass_(days=2, hours=3)
    with bank.warehouse.writer() as con:
        con.execute(
            """INSERT INTO events (event_id, customer_id, name, occurred_at)
               SELECT 900000000 + row_number() OVER (), customer_id, 'complaint', sent_at + INTERVAL 1 HOUR
               FROM touches WHERE campaign_id = ? LIMIT 30""",
            [release],
        )
    assert "complaints" in bank.deliverer.run_due()[0].problem
    assert bank.records.proposal(release).status == "revoked"


def test_steps_widen_the_release(bank: ReleasedBank) -> None:
    steps = (
        ReleaseStep(name="whitelist", customers=(1, 2, 3)),
        ReleaseStep(name="small", share=10, after_days=1),
        ReleaseStep(name="full", share=100, after_days=3),
    )
    release = bank.approved(campaign(holdout=5), rule="frozen", steps=steps).id
    assert bank.deliverer.run_due()[0].entered <= 3
    bank.pass_(days=1, minutes=1)
    small = bank.deliverer.run_due()[0]
    assert (small.step, small.finished) == ("small", False)
    total = bank.records.proposal(release).payload["audience"]["count"]
    assert 0.07 * total < small.entered < 0.13 * total
    bank.pass_(days=2)
    full = bank.deliverer.run_due()[0]
    assert full.finished
    assert bank.count("SELECT count(*) FROM enrolments WHERE journey_id = ?", release) == total
    assert len({r["key"] for r in rows_of(bank, release)}) == len(rows_of(bank, release))


def test_releases_that_compete_share_one_cap(bank: ReleasedBank) -> None:
    low, high = bank.approved(campaign(key="low", priority=10)).id, bank.approved(campaign(key="high", priority=90)).id
    reports = {r.release: r for r in bank.deliverer.run_due()}
    low_people, high_people = ({row["customer_id"] for row in rows_of(bank, r)} for r in (low, high))
    assert high_people
    assert not low_people & high_people
    assert reports[high].decided["send"] > reports[low].decided.get("send", 0)


def test_who_has_no_address_is_marked_failed(bank: ReleasedBank) -> None:
    release = bank.approved(campaign(sms())).id
    with duckdb.connect(str(bank.home.contacts)) as con:
        con.execute("UPDATE contacts SET phone = NULL WHERE customer_id % 2 = 0")
    report = bank.deliverer.run_due()[0]
    assert report.failed > 50
    assert report.handed_over + report.failed == report.decided["send"]
    assert (
        bank.count("SELECT count(*) FROM touches WHERE campaign_id = ? AND status = 'failed'", release) == report.failed
    )
    assert all(int(str(row["customer_id"])) % 2 for row in rows_of(bank, release))


def test_a_bank_that_keeps_addresses_elsewhere_hands_over_customer_numbers(bank: ReleasedBank) -> None:
    release = bank.approved(campaign(sms())).id
    with duckdb.connect(str(bank.home.contacts)) as con:
        con.execute("UPDATE contacts SET phone = NULL")
    report = bank.deliverer.run_due()[0]
    assert report.failed == 0
    assert report.handed_over == report.decided["send"] > 50
    assert {row["to"] for row in rows_of(bank, release)} == {""}


def test_an_edit_after_approval_keeps_it_from_leaving(bank: ReleasedBank) -> None:
    proposal = bank.approved(campaign())
    bank.draft(campaign(push(text="Other words.")), proposal.canvas_id)
    assert bank.deliverer.run_due() == []
    assert bank.records.proposal(proposal.id).status == "voided"
    with pytest.raises(Refused):
        bank.authority.releases.start(proposal.id)
