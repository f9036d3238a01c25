"""A payload holds everything by value; submitting hands over to people and says what will happen."""

import json
from collections.abc import Iterator

import pytest

from control.records import AlreadySubmitted, list_hash
from tests.support.released_bank import ReleasedBank, campaign, push, sms, two_arms
from tools.proposal import Payload, unpack
from tools.proposal.tool import GetStatus, GetStatusTool, SubmitForApproval, SubmitForApprovalTool, Undo, UndoTool
from tools.segment import Segments, load_list, parse
from warehouse.errors import ModelRetry, PersonDecides
from warehouse.home import Home


@pytest.fixture
def bank(demo_home: Home) -> Iterator[ReleasedBank]:
    opened = ReleasedBank(demo_home)
    yield opened
    opened.close()


def test_a_payload_holds_everything_by_value(bank: ReleasedBank) -> None:
    actor = bank.authority.actor("operator")
    load_list(bank.warehouse, bank.records, "vip", range(1, 900), actor)
    saved = bank.records.save_segment("is_payroll", {"node": "flag", "name": "is_payroll"}, actor, "t1")
    expression = f"in_segment('{saved.id}') and in_list('vip')"
    payload = bank.payload(campaign(push(arms=two_arms()), sms(2), segment=expression))
    again = Payload.model_validate(json.loads(payload.model_dump_json()))
    assert again == payload
    assert "in_segment" not in payload.expressions[0].by_value
    assert payload.lists[0].sha256 == list_hash(range(1, 900))
    segments = Segments(bank.warehouse, bank.catalog, bank.records, actor)
    expected = segments.count(parse("is_payroll and in_list('vip')", bank.catalog), at=bank.clock.now()).count
    assert payload.audience.count == len(unpack(payload.audience.ids)) == payload.facts.audience == expected > 50
    assert payload.audience.sha256 == list_hash(unpack(payload.audience.ids).tolist())
    assert [(w.wave, w.arm, w.channel) for w in payload.words] == [(1, "a", "push"), (1, "b", "push"), (2, "a", "sms")]
    assert all("{name}" in w.message for w in payload.words)
    assert bank.home.info().name in payload.words[2].message
    assert "is_payroll" in {a["name"] for a in payload.definitions["attributes"]}
    assert "purchase" in {ev["name"] for ev in payload.definitions["events"]}
    assert sum(g.count for g in payload.estimates.by_branch) == expected
    for forecast in payload.estimates.throttle:
        assert forecast.candidates == expected == forecast.send + forecast.defer + forecast.abandon
    for fall in payload.estimates.waterfall:
        assert fall.steps[0].count == expected
        assert [s.count for s in fall.steps] == sorted((s.count for s in fall.steps), reverse=True)
    assert payload.estimates.worst_case_cost > 0
    assert [e.person for e in payload.edits] == ["operator"]


def test_submitting_returns_at_once_and_names_who_approves(bank: ReleasedBank) -> None:
    context = bank.context()
    canvas = bank.draft(campaign())
    submitted, _ = SubmitForApprovalTool().run(context, SubmitForApproval(canvas=canvas.id, note="please"))
    assert (submitted.status, submitted.levels[0].signers) == ("pending", ["approver"])
    assert submitted.proposal is not None
    kept = bank.records.proposal(submitted.proposal.id)
    assert kept.payload["note"] == "please"
    assert kept.editors == ("operator",)
    with pytest.raises(AlreadySubmitted):
        SubmitForApprovalTool().run(context, SubmitForApproval(canvas=canvas.id, note="again"))
    bank.authority.decide(kept.id, bank.principal(), "return", kept.digest, "shorter")
    status, _ = GetStatusTool().run(context, GetStatus(proposal=kept.id))
    assert (status.status, status.history[-1].why) == ("returned", "shorter")


def test_a_canvas_with_errors_is_not_submitted(bank: ReleasedBank) -> None:
    canvas = bank.draft(campaign(push(text="保本保收益，稳赚不赔！")))
    with pytest.raises(ModelRetry) as refused:
        SubmitForApprovalTool().run(bank.context(), SubmitForApproval(canvas=canvas.id))
    assert refused.value.details["findings"]
    assert bank.records.proposals() == []


def test_an_empty_audience_is_not_submitted(bank: ReleasedBank) -> None:
    with pytest.raises(ModelRetry):
        SubmitForApprovalTool().run(
            bank.context(), SubmitForApproval(canvas=bank.draft(campaign(segment="age > 150")).id)
        )


def test_no_matching_policy_blocks_at_submission(bank: ReleasedBank) -> None:
    policy = "rules: [{name: tiny, when: {touches: {max: 1}}, levels: [{name: a, any_of: {roles: [approver]}}]}]"
    (bank.home.policies / "approval.yaml").write_text(policy)
    submitted, _ = SubmitForApprovalTool().run(bank.context(), SubmitForApproval(canvas=bank.draft(campaign()).id))
    assert submitted.status == "blocked"
    assert "approval.yaml" in submitted.next


def test_undo_goes_back_and_a_submission_can_only_be_withdrawn(bank: ReleasedBank) -> None:
    context = bank.context()
    canvas = bank.draft(campaign())
    focus = bank.records.focus("t1").model_copy(update={"canvas_id": canvas.id, "canvas_version": 1})
    bank.records.set_focus("t1", focus, "drafted the canvas")
    submitted, _ = SubmitForApprovalTool().run(context, SubmitForApproval())
    assert submitted.proposal is not None
    after = focus.model_copy(update={"proposal_id": submitted.proposal.id})
    bank.records.set_focus("t1", after, "submitted it")
    with pytest.raises(PersonDecides):
        UndoTool().run(context, Undo())
    bank.records.withdraw(submitted.proposal.id, context.actor)
    assert UndoTool().run(context, Undo())[0].undone == "submitted it"
    undone, _ = UndoTool().run(context, Undo())
    assert (undone.undone, undone.canvas) == ("drafted the canvas", None)
    with pytest.raises(ModelRetry):
        UndoTool().run(context, Undo())


def test_a_branch_reaches_its_own_customers_only(bank: ReleasedBank) -> None:
    branch = bank.warehouse.read("SELECT branch_id FROM customers GROUP BY 1 ORDER BY count(*) DESC LIMIT 1").scalar()
    actor = bank.authority.actor("operator").model_copy(update={"branches": (int(branch),)})
    canvas = bank.draft(campaign(holdout=1))
    submitted, _ = SubmitForApprovalTool().run(bank.context(actor=actor), SubmitForApproval(canvas=canvas.id))
    assert submitted.proposal is not None
    bank.approve(bank.records.proposal(submitted.proposal.id))
    assert bank.deliverer.run_due()[0].entered == submitted.audience > 0
    outside = """SELECT count(*) FROM enrolments JOIN customers USING (customer_id)
                 WHERE branch_id <> ? AND branch_id NOT IN (SELECT branch_id FROM branches WHERE parent_id = ?)"""
    assert bank.count(outside, branch, branch) == 0
