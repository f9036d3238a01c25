"""Which proposals somebody of a branch sees: those about his branches, and those that he took part in."""

import pytest

from server.schema import AccountAsked, AskAsked, DecisionAsked, PersonAsked, RevokeAsked, SignIn
from server.service import Service, Workspace
from warehouse.errors import NotFound
from warehouse.home import Home

PASSWORD = "somewhere in Guangdong"
DONGGUAN, FOSHAN = 13, 14


def signed_in(service: Service, account: str, password: str = "") -> Workspace:
    answer = service.sign_in(SignIn(account=account, password=password or f"{account}-demo"))
    return service.workspace(service.caller(answer.token))


def submitted(work: Workspace, expression: str) -> str:
    """A proposal about a segment."""
    thread = work.ask(AskAsked(text=expression)).thread
    drafted = work.ask(AskAsked(text="给他们出一套理财首购的短信方案", thread=thread))
    assert drafted.canvas is not None, drafted.reply
    answer = work.ask(AskAsked(text="提交审批", thread=thread))
    assert answer.proposal is not None, answer.reply
    return answer.proposal.id


@pytest.mark.slow
def test_a_branch_sees_its_own_proposals_and_no_others(demo_home: Home) -> None:
    with Service(demo_home) as service:
        admin = signed_in(service, "admin")
        for account, roles, branch in (
            ("dg-operator", ["operator"], DONGGUAN),
            ("dg-approver", ["approver"], DONGGUAN),
            ("fs-operator", ["operator"], FOSHAN),
            ("fs-approver", ["approver"], FOSHAN),
        ):
            admin.people_add(AccountAsked(account=account, roles=roles, branches=[branch], password=PASSWORD))
        everywhere = submitted(signed_in(service, "operator"), "is_payroll")
        dongguan = submitted(signed_in(service, "dg-operator", PASSWORD), "is_payroll")
        both = {everywhere, dongguan}

        def seen(account: str, password: str = "") -> set[str]:
            return {p.id for p in signed_in(service, account, password).proposals()} & both

        assert seen("approver") == seen("manager") == seen("operator") == both
        assert seen("dg-operator", PASSWORD) == seen("dg-approver", PASSWORD) == {dongguan}
        assert seen("fs-operator", PASSWORD) == seen("fs-approver", PASSWORD) == set()

        near, far = signed_in(service, "dg-approver", PASSWORD), signed_in(service, "fs-approver", PASSWORD)
        assert near.proposal(dongguan).may_decide
        with pytest.raises(NotFound) as unknown:
            far.proposal("prop_999")
        for deed in (
            lambda: far.proposal(dongguan),
            lambda: far.decide(dongguan, DecisionAsked(decision="approve")),
            lambda: far.revoke(dongguan, RevokeAsked()),
            lambda: near.decide(everywhere, DecisionAsked(decision="approve")),
            lambda: signed_in(service, "fs-operator", PASSWORD).withdraw(dongguan),
        ):
            with pytest.raises(NotFound) as hidden:
                deed()
            assert hidden.value.message.replace(dongguan, "X").replace(
                everywhere, "X"
            ) == unknown.value.message.replace("prop_999", "X")
        assert near.decide(dongguan, DecisionAsked(decision="reject", comment="不合适")).status == "rejected"
        # Whoever took part goes on seeing it, wherever he is sent.
        admin.people_roles(PersonAsked(person="dg-approver", roles=["approver"], branches=[FOSHAN]))
        admin.people_roles(PersonAsked(person="dg-operator", roles=["operator"], branches=[FOSHAN]))
        assert seen("dg-approver", PASSWORD) == seen("dg-operator", PASSWORD) == {dongguan}


def test_evidence_is_for_those_who_may_read_its_conversation(demo_home: Home) -> None:
    with Service(demo_home) as service:
        operator = signed_in(service, "operator")
        kept = operator.ask(AskAsked(text="有多少代发客户")).calls[0].evidence[0]
        assert operator.evidence(kept).sql
        with pytest.raises(NotFound) as guessed:
            signed_in(service, "manager").evidence(kept)
        with pytest.raises(NotFound) as unknown:
            operator.evidence("ev_999")
        assert guessed.value.message.replace(kept, "") == unknown.value.message.replace("ev_999", "")
