"""From a sentence to files in the outbox, both ways: nobody approves his own, nothing leaves before."""

import time
from pathlib import Path

import pytest

from server.schema import AskAsked, ClockAsked, DecisionAsked, ProposalView, RevokeAsked
from warehouse.errors import Forbidden, ModelRetry, PersonDecides, SignInNeeded
from warehouse.home import Home


def submitted(desk, thread: str) -> ProposalView:
    """A proposal by the operator about everybody on payroll."""
    with desk("operator") as d:
        counted = d.ask(AskAsked(text="代发客户有多少", thread=thread))
        assert counted.segment is not None, counted.reply
        drafted = d.ask(AskAsked(text="给他们出一套理财首购的短信方案", thread=thread))
        assert drafted.canvas is not None, drafted.reply
        answer = d.ask(AskAsked(text="提交审批", thread=thread))
        assert answer.proposal is not None, answer.reply
        assert answer.user == "operator"
        found: ProposalView = d.proposal(answer.proposal.id)
    assert found.status == "pending"
    assert found.digest == answer.proposal.digest
    return found


def files(home: Home) -> list[Path]:
    return [f for f in home.outbox.rglob("*") if f.is_file()]


def test_rejecting_and_withdrawing(desk, way: str) -> None:
    first = submitted(desk, f"rejected-{way}")
    with desk("approver", password=True) as d:
        assert d.decide(first.id, DecisionAsked(decision="return", comment="换个渠道")).status == "returned"
        with pytest.raises(Forbidden):
            d.decide(first.id, DecisionAsked(decision="approve"))
    second = submitted(desk, f"withdrawn-{way}")
    with desk("manager") as d, pytest.raises(Forbidden):
        d.withdraw(second.id)
    with desk("operator") as d:
        assert d.withdraw(second.id).status == "withdrawn"


def test_the_whole_way(desk, way: str, home: Home) -> None:
    proposal = submitted(desk, f"whole-{way}")
    with desk("operator") as d:
        with pytest.raises(SignInNeeded):
            d.decide(proposal.id, DecisionAsked(decision="approve"))
        assert d.release_run().waves == []
    with desk("operator", password=True) as d, pytest.raises(Forbidden):
        d.decide(proposal.id, DecisionAsked(decision="approve"))
    with desk("admin", password=True) as d, pytest.raises(Forbidden):
        d.decide(proposal.id, DecisionAsked(decision="approve"))
    with desk("approver", password=True) as d:
        assert proposal.id in {p.id for p in d.proposals("pending") if p.may_decide}
        with pytest.raises(Forbidden):
            d.decide(proposal.id, DecisionAsked(decision="approve", digest="sha256:" + "0" * 64))
        with pytest.raises(ModelRetry):
            d.decide(proposal.id, DecisionAsked(decision="reject"))
        assert files(home) == []
        made = d.decide(proposal.id, DecisionAsked(decision="approve", digest=proposal.digest))
    assert (made.digest, made.still_needed) == (proposal.digest, [])
    with desk("operator") as d:
        # A server delivers on its own time; whoever enters after noon waits for the next day's noon.
        deadline = time.monotonic() + 90
        while not d.proposal(proposal.id).waves and time.monotonic() < deadline:
            time.sleep(0.5)
        d.clock_advance(ClockAsked(hours=4))
        while not files(home) and time.monotonic() < deadline:
            d.release_run()
        after = d.proposal(proposal.id)
        thread = f"whole-{way}"
        told = d.ask(AskAsked(text="进展如何", thread=thread))
    assert after.status in ("releasing", "released")
    assert after.waves
    assert after.digest == proposal.digest
    assert files(home)
    assert proposal.id in told.model_dump_json()
    with desk("approver2", password=True) as d:
        stopped = d.revoke(proposal.id, RevokeAsked(reason="a test"))
        assert stopped.status == "revoked"
        assert d.verify_audit().ok


def test_one_turn_of_a_thread_at_a_time(desk, way: str) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with desk("operator") as d:

        def ask(n: int) -> str:
            try:
                d.ask(AskAsked(text=f"AUM大于{n}万的有多少", thread="busy"))
            except PersonDecides:
                return "busy"
            return "answered"

        with ThreadPoolExecutor(3) as pool:
            results = sorted(pool.map(ask, (5, 10, 20)))
    assert "answered" in results
    assert set(results) <= {"answered", "busy"}


def test_a_new_conversation_has_a_name(desk) -> None:
    with desk("operator") as d:
        first, second = d.ask(AskAsked(text="客户有多少")), d.ask(AskAsked(text="客户有多少"))
    assert first.thread != second.thread
    assert first.language == "zh"
    assert first.model == "offline"
