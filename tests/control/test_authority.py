"""Who may decide what: four eyes by person, levels, digests, single use, expiry; each refusal is on record."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from control.authority import Authority, Principal, Refused, Tampered
from control.authority import tables as a
from control.records import Actor, ProposalRecord, Records
from control.records import tables as t
from control.records.routing import ApprovalPolicy, Facts
from warehouse.clock import Clock
from warehouse.errors import AdminFixes, Forbidden, ModelRetry, SignInNeeded, TouchlineError

OPERATOR = Actor(account="operator", person="operator", roles=("operator",))
FACTS = {"touches": 1000, "audience": 900}


def principal(authority: Authority, name: str) -> Principal:
    return authority.authenticate(authority.sign_in(name, f"{name}-demo"))


def propose(records: Records, facts: dict[str, object] = FACTS, actor: Actor = OPERATOR) -> ProposalRecord:
    canvas = records.save_canvas({"name": "Renewal"}, actor, "t1")
    return records.submit({"facts": facts, "sentence": "Renew"}, actor, "t1", canvas.id, 1)


def statuses(records: Records, proposal: ProposalRecord) -> list[str]:
    return [m.after for m in records.proposal(proposal.id).moves]


def test_an_approver_approves_once(authority: Authority, records: Records) -> None:
    proposal, approver = propose(records), principal(authority, "approver")
    decision = authority.decide(proposal.id, approver, "approve", proposal.digest, "go")
    assert (decision.status, decision.still_needed) == ("approved", [])
    assert statuses(records, proposal) == ["pending", "approved"]
    with pytest.raises(Refused, match="approved"):
        authority.decide(proposal.id, approver, "approve", proposal.digest)
    assert [i.release for i in authority.intents()] == [proposal.id]
    kinds = [e.kind for e in authority.audit.entries() if e.body.get("proposal") == proposal.id]
    assert kinds == ["proposal.submitted", "decision.approve", "proposal.approved", "decision.refused"]


def test_more_touches_need_two_different_persons(authority: Authority, records: Records) -> None:
    proposal = propose(records, {"touches": 50_001, "audience": 60_000})
    first, second = principal(authority, "approver"), principal(authority, "approver2")
    assert authority.decide(proposal.id, first, "approve", proposal.digest).still_needed
    assert records.proposal(proposal.id).status == "pending"
    with pytest.raises(Refused, match="different person"):
        authority.decide(proposal.id, first, "approve", proposal.digest)
    assert authority.intents() == []
    assert authority.decide(proposal.id, second, "approve", proposal.digest).status == "approved"


def test_a_second_account_of_the_same_person_does_not_count(authority: Authority, records: Records) -> None:
    admin = principal(authority, "admin")
    authority.people.add_account(admin, "approver-phone", "approver", "approver-phone-demo")
    authority.people.add_person(admin, "operator", ["operator", "approver"])
    phone = principal(authority, "approver-phone")
    proposal = propose(records, {"touches": 60_000, "audience": 60_000})
    authority.decide(proposal.id, principal(authority, "approver"), "approve", proposal.digest)
    with pytest.raises(Refused, match="different person"):
        authority.decide(proposal.id, phone, "approve", proposal.digest)
    authority.people.add_account(admin, "operator-approves", "operator", "operator-approves-demo")
    with pytest.raises(Refused, match="You submitted it"):
        authority.decide(proposal.id, principal(authority, "operator-approves"), "approve", proposal.digest)


def test_drafters_and_editors_cannot_approve(authority: Authority, records: Records) -> None:
    approver = principal(authority, "approver")
    canvas = records.save_canvas({"name": "Renewal"}, approver.actor, "t1")
    records.save_canvas({"name": "Renewal 2"}, OPERATOR, "t1", canvas.id)
    proposal = records.submit({"facts": FACTS}, OPERATOR, "t1", canvas.id, 2)
    with pytest.raises(Refused, match="drafted or edited"):
        authority.decide(proposal.id, approver, "approve", proposal.digest)
    assert (
        authority.decide(proposal.id, principal(authority, "approver2"), "approve", proposal.digest).status
        == "approved"
    )


@pytest.mark.parametrize("name", ["operator", "manager", "admin"])
def test_only_those_asked_decide(authority: Authority, records: Records, name: str) -> None:
    proposal = propose(records, actor=Actor(account="branch", person="branch"))
    with pytest.raises(Forbidden):
        authority.decide(proposal.id, principal(authority, name), "approve", proposal.digest)
    assert records.proposal(proposal.id).status == "pending"


def test_an_edit_voids_an_approval(authority: Authority, records: Records) -> None:
    proposal, approver = propose(records), principal(authority, "approver")
    authority.decide(proposal.id, approver, "approve", proposal.digest)
    records.save_canvas({"name": "Renewal!"}, OPERATOR, canvas_id=proposal.canvas_id)
    assert records.proposal(proposal.id).status == "voided"
    assert authority.intents() == []
    with pytest.raises(Refused, match="voided"):
        authority.decide(proposal.id, principal(authority, "approver2"), "approve", proposal.digest)


def test_a_decision_names_the_digest_that_was_shown(authority: Authority, records: Records) -> None:
    proposal = propose(records)
    with pytest.raises(Refused, match="not what was shown"):
        authority.decide(proposal.id, principal(authority, "approver"), "approve", "sha256:" + "0" * 64)


@pytest.mark.parametrize("with_digest", [False, True])
def test_a_swapped_payload_is_noticed(authority: Authority, records: Records, with_digest: bool) -> None:
    proposal, approver = propose(records), principal(authority, "approver")
    view = authority.view(proposal.id, approver.actor)
    other = propose(records, {"touches": 1, "audience": 1})
    with records.database.write() as session:
        row, source = session.get_one(t.Proposal, 1), session.get_one(t.Proposal, 2)
        row.payload = source.payload
        if with_digest:
            row.digest = source.digest
    shown = other.digest if with_digest else view.digest
    with pytest.raises(Tampered):
        authority.decide(proposal.id, approver, "approve", shown)
    refused = [e for e in authority.audit.entries() if e.kind == "decision.refused"]
    assert [e.body["why"] for e in refused] == ["tampered"]


def test_a_payload_swapped_after_approval_is_not_released(authority: Authority, records: Records) -> None:
    proposal = propose(records)
    authority.decide(proposal.id, principal(authority, "approver"), "approve", proposal.digest)
    assert authority.release_state(proposal.id).may_send
    with records.database.write() as session:
        session.get_one(t.Proposal, 1).payload = '{"facts":{"touches":99999,"audience":1}}'
    assert not authority.release_state(proposal.id).may_send


def test_a_status_set_by_hand_is_no_approval(authority: Authority, records: Records) -> None:
    proposal = propose(records)
    with records.database.write() as session:
        session.get_one(t.Proposal, 1).status = "approved"
    assert authority.release_state(proposal.id).why_not == "it has no approval"
    assert authority.intents() == []


def test_racing_decisions_leave_one_winner(authority: Authority, records: Records) -> None:
    proposal = propose(records)
    signers = [principal(authority, name) for name in ("approver", "approver2")] * 3
    start = threading.Barrier(len(signers))

    def decide(numbered: tuple[int, Principal]) -> bool:
        start.wait()
        try:
            verdict = "approve" if numbered[0] % 2 else "reject"
            authority.decide(proposal.id, numbered[1], verdict, proposal.digest, "because")
        except TouchlineError:
            return False
        return True

    with ThreadPoolExecutor(len(signers)) as pool:
        assert sum(pool.map(decide, enumerate(signers))) == 1
    assert len(statuses(records, proposal)) == 2
    assert authority.audit.verify().ok


def test_returning_and_rejecting_need_a_reason(authority: Authority, records: Records) -> None:
    proposal, approver = propose(records), principal(authority, "approver")
    with pytest.raises(ModelRetry):
        authority.decide(proposal.id, approver, "return", proposal.digest)
    assert authority.decide(proposal.id, approver, "return", proposal.digest, "shorter words").status == "returned"
    view = authority.view(proposal.id)
    assert [(d.decision, d.comment) for d in view.decisions] == [("return", "shorter words")]


def test_nobody_decides_after_expiry(authority: Authority, records: Records, time) -> None:
    proposal = propose(records)
    time.pass_(days=7, seconds=1)
    with pytest.raises(Refused, match="expired"):
        authority.decide(proposal.id, principal(authority, "approver"), "approve", proposal.digest)
    assert records.proposal(proposal.id).status == "expired"


def test_an_approval_that_is_not_used_lapses(authority: Authority, records: Records, time) -> None:
    proposal = propose(records)
    authority.decide(proposal.id, principal(authority, "approver"), "approve", proposal.digest)
    time.pass_(days=8)
    assert authority.intents() == []
    assert records.proposal(proposal.id).status == "expired"


def test_no_matching_policy_blocks(authority: Authority, records: Records, tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    policy = tmp_path / "policies" / "approval.yaml"
    level = "levels: [{name: risk, all_of: {roles: [approver], people: [approver2]}}]"
    policy.write_text(f"rules: [{{name: small, when: {{touches: {{max: 10}}, channels: [sms]}}, {level}}}]")
    proposal, approver = propose(records), principal(authority, "approver")
    with pytest.raises(Refused, match="No approval policy"):
        authority.decide(proposal.id, approver, "approve", proposal.digest)
    assert records.proposal(proposal.id).status == "blocked"
    policy.write_text(f"rules: [{{name: all, when: {{}}, {level}}}]")
    assert authority.view(proposal.id, approver.actor).may == ["approve", "reject", "return"]
    first = authority.decide(proposal.id, approver, "approve", proposal.digest)
    assert first.still_needed == ["person approver2"]
    assert (
        authority.decide(proposal.id, principal(authority, "approver2"), "approve", proposal.digest).status
        == "approved"
    )
    policy.write_text("rules: [{name: all, levels: [{name: nobody}]}]")
    with pytest.raises(AdminFixes, match=r"rules\.0"):
        authority.decisions.policy()


def test_routing_looks_at_what_it_says() -> None:
    policy = ApprovalPolicy.model_validate(
        {
            "rules": [
                {"name": "risky", "when": {"product_kinds": ["fund"], "benefit": True, "cost": {"min": 100}},
                 "levels": [{"name": "x", "any_of": {"roles": ["compliance"]}}]},
                {"name": "sms", "when": {"channels": ["sms"], "categories": ["marketing"]},
                 "levels": [{"name": "y", "any_of": {"roles": ["approver"]}}]},
            ]
        }
    )  # fmt: skip

    def name(**facts: object) -> str | None:
        rule = policy.route(Facts.model_validate({**FACTS, **facts}))
        return rule.name if rule else None

    risky = {"product_kinds": ["fund", "gold"], "benefits": [3], "cost": 100.0, "channels": ["sms"]}
    assert name(**risky) == "risky"
    assert name(**{**risky, "cost": 99.0}) == "sms"
    assert name(**{**risky, "benefits": []}) == "sms"
    assert name(channels=["push"]) is None
    assert name(channels=["sms"], category="service") is None


def test_revoking_and_the_kill_switch_stop_releases(authority: Authority, records: Records) -> None:
    proposal, approver = propose(records), principal(authority, "approver")
    authority.decide(proposal.id, approver, "approve", proposal.digest)
    authority.releases.start(proposal.id)
    assert authority.claim_wave(proposal.id, "full", 1)
    authority.pause(proposal.id, approver)
    assert authority.release_state(proposal.id).why_not == "it is paused"
    authority.pause(proposal.id, approver, False)
    admin = principal(authority, "admin")
    authority.kill_switch(admin, True, "complaints")
    with pytest.raises(Refused, match="kill switch"):
        authority.claim_wave(proposal.id, "full", 2)
    with pytest.raises(Refused):
        authority.kill_switch(approver, False, "go on")
    authority.kill_switch(admin, False, "settled")
    assert authority.release_state(proposal.id).may_send
    authority.revoke(proposal.id, approver, "wrong offer")
    assert authority.release_state(proposal.id).why_not == "it is revoked"
    with pytest.raises(Refused):
        authority.revoke(proposal.id, approver, "again")


def test_a_stranger_cannot_revoke_but_the_submitter_can(authority: Authority, records: Records) -> None:
    branch = Actor(account="branch", person="branch")
    proposal = propose(records, actor=branch)
    authority.decide(proposal.id, principal(authority, "approver"), "approve", proposal.digest)
    with pytest.raises(Refused):
        authority.revoke(proposal.id, principal(authority, "operator"), "no")
    mine = propose(records)
    authority.decide(mine.id, principal(authority, "approver"), "approve", mine.digest)
    authority.revoke(mine.id, principal(authority, "operator"), "a mistake")
    assert records.proposal(mine.id).status == "revoked"


def test_a_wave_is_claimed_and_done_once(authority: Authority, records: Records) -> None:
    proposal = propose(records)
    authority.decide(proposal.id, principal(authority, "approver"), "approve", proposal.digest)
    authority.releases.start(proposal.id)
    assert authority.claim_wave(proposal.id, "full", 1)
    assert authority.claim_wave(proposal.id, "full", 1)
    assert authority.intents()[0].open_waves == [("full", 1)]
    authority.wave_done(proposal.id, "full", 1, {"sent": 7})
    authority.wave_done(proposal.id, "full", 1, {"sent": 8})
    assert not authority.claim_wave(proposal.id, "full", 1)
    assert authority.releases.waves(proposal.id)[0]["counts"] == {"sent": 7}
    with pytest.raises(Refused):
        authority.releases.start(proposal.id)


def test_the_view_shows_levels_and_the_difference_to_what_was_approved(authority: Authority, records: Records) -> None:
    proposal, approver = propose(records), principal(authority, "approver")
    authority.decide(proposal.id, approver, "approve", proposal.digest)
    records.save_canvas({"name": "Renewal in May"}, OPERATOR, canvas_id=proposal.canvas_id)
    again = records.submit({"facts": FACTS, "sentence": "May"}, OPERATOR, "t1", proposal.canvas_id, 2)
    view = authority.view(again.id, approver.actor)
    assert "-name: Renewal\n+name: Renewal in May" in view.difference
    assert [(lv.state, lv.needs) for lv in view.levels] == [("open", ["role approver"])]
    mine = authority.view(again.id, OPERATOR)
    assert (mine.may, mine.why_not) == (["withdraw"], "You submitted it; somebody else must decide.")
    assert [(i.id, i.may_decide) for i in authority.inbox(approver.actor)] == [(again.id, True)]


def test_passwords_and_tokens(authority: Authority, records: Records, time) -> None:
    token = authority.sign_in("approver", "approver-demo")
    with records.database.read() as session:
        stored = str(session.execute(sa.text("SELECT * FROM tokens")).all()) + str(
            session.execute(sa.text("SELECT * FROM accounts")).all()
        )
    assert token not in stored
    assert "approver-demo" not in stored
    signed_in = authority.authenticate(token)
    api = authority.create_token(signed_in, "nightly", ["read"], days=1)
    assert authority.authenticate(api).scopes == ("read",)
    with pytest.raises(Forbidden):
        authority.create_token(signed_in, "too much", ["admin"])
    proposal = propose(records)
    with pytest.raises(Forbidden, match="decide"):
        authority.decide(proposal.id, authority.authenticate(api), "approve", proposal.digest)
    forged = signed_in.model_copy(update={"scopes": ("read", "decide", "admin")})
    with pytest.raises(Forbidden):
        authority.people.add_person(forged, "x", ["approver"])
    authority.sign_out(token)
    with pytest.raises(SignInNeeded):
        authority.decide(proposal.id, signed_in, "approve", proposal.digest)
    time.pass_(days=2)
    with pytest.raises(SignInNeeded):
        authority.authenticate(api)


def test_repeated_failures_lock_an_account(authority: Authority, time) -> None:
    for _ in range(5):
        with pytest.raises(SignInNeeded, match="do not fit"):
            authority.sign_in("approver", "wrong")
    with pytest.raises(SignInNeeded, match="locked"):
        authority.sign_in("approver", "approver-demo")
    with pytest.raises(SignInNeeded, match="do not fit"):
        authority.sign_in("nobody", "wrong")
    time.pass_(minutes=16)
    assert authority.sign_in("approver", "approver-demo")


def test_demo_users_only_in_demo_homes(control_url: str, clock: Clock, tmp_path: Path) -> None:
    real = Authority(control_url, clock, b"k" * 32, head_file=tmp_path / "head.json", policies=tmp_path)
    with pytest.raises(Forbidden):
        real.bootstrap_demo()
    real.bootstrap_admin("root", "a long password")
    with pytest.raises(Forbidden):
        real.bootstrap_admin("root2", "a long password")
    boss = real.authenticate(real.sign_in("root", "a long password"))
    with pytest.raises(Forbidden, match="own roles"):
        real.people.add_person(boss, "root", ["admin", "approver"])
    real.close()


def test_a_signature_put_into_the_table_by_hand_is_no_approval(
    authority: Authority, records: Records, clock: Clock
) -> None:
    proposal = propose(records)
    authority.view(proposal.id)
    now = clock.now()
    with records.database.write() as session:
        session.get_one(t.Proposal, 1).status = "approved"
        session.add(
            a.DecisionRow(
                proposal=1, decision="approve", level="approval", account="approver", person="approver",
                roles=["approver"], digest=proposal.digest, comment="", decided_at=now,
            )
        )  # fmt: skip
        session.add(
            a.Release(proposal=1, digest=proposal.digest, approved_at=now, approved_until=now.replace(year=2027))
        )
    assert "nobody gave" in authority.release_state(proposal.id).why_not
