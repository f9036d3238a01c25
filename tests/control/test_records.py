"""Drafts, proposals and conversations are kept as promised, on SQLite and on PostgreSQL."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

import control.authority  # noqa: F401  # so that the mapped tables are all known
from control.records import Actor, AlreadySubmitted, Records, ThreadFocus, canonical, digest
from control.records import tables as t
from control.records.database import HEAD, MIGRATIONS
from warehouse.errors import Forbidden, ModelRetry, NotFound, PersonDecides
from warehouse.evidence import Evidence

OPERATOR = Actor(account="operator", person="p-operator", roles=("operator",))
MANAGER = Actor(account="manager", person="p-manager", roles=("manager",))


def submitted(records: Records, note: str = "") -> tuple[str, str]:
    canvas = records.save_canvas({"name": "Renewal"}, OPERATOR, "t1")
    return canvas.id, records.submit({"note": note}, OPERATOR, "t1", canvas.id, 1).id


def test_canonical_json_does_not_depend_on_order_and_digest_names_it() -> None:
    assert canonical({"b": 1.0, "a": "中"}) == '{"a":"中","b":1}'.encode()
    assert digest({"b": 1, "a": 2}) == digest({"a": 2, "b": 1}) != digest({"a": 2, "b": 2})
    assert digest({}) == "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"


def test_the_same_expression_in_a_thread_is_the_same_segment(records: Records) -> None:
    first = records.save_segment("is_payroll", {"node": "flag", "name": "is_payroll"}, OPERATOR, "t1", count=12)
    again = records.save_segment("is_payroll", {"node": "flag", "name": "is_payroll"}, OPERATOR, "t1", name="payroll")
    other = records.save_segment("is_payroll", {"node": "flag", "name": "is_payroll"}, OPERATOR, "t2")
    assert first.id == again.id == "seg_1"
    assert other.id != first.id
    assert (again.name, again.count) == ("payroll", 12)
    assert records.segment("payroll").id == "seg_1"
    with pytest.raises(NotFound, match="payroll"):
        records.segment("payrol")


def test_ids_stay_distinct_under_concurrency(records: Records) -> None:
    with ThreadPoolExecutor(8) as pool:
        canvases = list(pool.map(lambda i: records.save_canvas({"name": f"c{i}"}, OPERATOR), range(24)))
        segments = list(pool.map(lambda i: records.save_segment("everyone", {}, OPERATOR, "same"), range(24)))
    assert len({c.id for c in canvases}) == 24
    assert len({s.id for s in segments}) == 1


def test_versions_of_one_canvas_stay_distinct_under_concurrency(records: Records) -> None:
    canvas = records.save_canvas({"name": "c"}, OPERATOR)
    with ThreadPoolExecutor(8) as pool:
        saved = list(pool.map(lambda i: records.save_canvas({"i": i}, MANAGER, canvas_id=canvas.id), range(16)))
    assert sorted(c.version for c in saved) == list(range(2, 18))
    assert len(records.canvas_versions(canvas.id)) == 17
    assert records.canvas_editors(canvas.id) == ["p-operator", "p-manager"]


def test_an_edit_voids_what_was_submitted_before_it(records: Records) -> None:
    canvas_id, proposal_id = submitted(records)
    records.save_canvas({"name": "Renewal 2"}, MANAGER, canvas_id=canvas_id)
    voided = records.proposal(proposal_id)
    assert voided.status == "voided"
    assert [(m.before, m.after, m.person) for m in voided.moves][-1] == ("pending", "voided", "p-manager")
    with pytest.raises(ModelRetry, match="version 2"):
        records.submit({}, OPERATOR, "t1", canvas_id, 1)


def test_a_payload_is_kept_by_value_and_editors_are_found_without_being_told(records: Records) -> None:
    canvas = records.save_canvas({"name": "Renewal"}, MANAGER, "t1")
    payload = {"words": ["亲爱的 {name}"], "share": 0.1}
    proposal = records.submit(payload, OPERATOR, "t1", canvas.id, 1, editors=["p-branch"])
    payload["share"] = 0.9
    kept = records.proposal(proposal.id)
    assert kept.payload == {"words": ["亲爱的 {name}"], "share": 0.1}
    assert kept.digest == digest(kept.payload)
    assert set(kept.editors) == {"p-manager", "p-branch"}


def test_one_version_is_submitted_once(records: Records) -> None:
    canvas_id, first = submitted(records, "a")
    assert records.submit({"note": "a"}, OPERATOR, "t1", canvas_id, 1).id == first
    with pytest.raises(AlreadySubmitted) as refused:
        records.submit({"note": "b"}, OPERATOR, "t1", canvas_id, 1)
    assert refused.value.details["proposal"] == first
    records.withdraw(first, OPERATOR)
    assert records.submit({"note": "b"}, OPERATOR, "t1", canvas_id, 1).id != first


def test_racing_submissions_leave_one_open_proposal(records: Records) -> None:
    canvas = records.save_canvas({"name": "c"}, OPERATOR)
    start = threading.Barrier(6)

    def submit(i: int) -> bool:
        start.wait()
        try:
            records.submit({"i": i}, OPERATOR, "t1", canvas.id, 1)
        except AlreadySubmitted:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(submit, range(6))) == 1
    assert len(records.open_proposals("t1")) == 1


def test_only_the_submitter_withdraws(records: Records) -> None:
    _, proposal_id = submitted(records)
    with pytest.raises(Forbidden):
        records.withdraw(proposal_id, MANAGER)
    same_person = Actor(account="operator-laptop", person="p-operator")
    assert records.withdraw(proposal_id, same_person).status == "withdrawn"
    with pytest.raises(ModelRetry):
        records.withdraw(proposal_id, OPERATOR)


def test_focus_and_undo(records: Records) -> None:
    records.set_focus("t1", ThreadFocus(segment_id="seg_1"), "selected 12 customers")
    records.set_focus("t1", ThreadFocus(segment_id="seg_1", canvas_id="cv_1", canvas_version=1), "drafted cv_1")
    assert records.undo("t1") == ("drafted cv_1", ThreadFocus(segment_id="seg_1"))
    assert records.focus("t1") == ThreadFocus(segment_id="seg_1")
    assert records.undo("t1")[1] == ThreadFocus()
    with pytest.raises(ModelRetry):
        records.undo("t1")
    assert records.focus("t2") == ThreadFocus()


def test_a_submission_cannot_be_undone_until_it_is_withdrawn(records: Records) -> None:
    canvas_id, proposal_id = submitted(records)
    records.set_focus("t1", ThreadFocus(canvas_id=canvas_id), "drafted")
    records.set_focus("t1", ThreadFocus(canvas_id=canvas_id, proposal_id=proposal_id), "submitted")
    with pytest.raises(PersonDecides, match=proposal_id):
        records.undo("t1")
    records.withdraw(proposal_id, OPERATOR)
    assert records.undo("t1")[0] == "submitted"


def test_turns_threads_and_events(records: Records) -> None:
    first = records.add_turn("t1", OPERATOR, {"text": "payroll customers"})
    records.add_turn("t2", MANAGER, {"text": "did it work"})
    second = records.add_turn("t1", OPERATOR, {"text": "by branch"})
    assert [turn.number for turn in records.turns("t1")] == [first, second]
    assert [(r.id, r.title, r.turns) for r in records.threads(OPERATOR)] == [("t1", "payroll customers", 2)]
    cursor = records.add_event("t1", first, {"kind": "call"})
    records.add_event("t2", first, {"kind": "other"})
    records.add_event("t1", first, {"kind": "reply"})
    assert [e.event["kind"] for e in records.events("t1", after=cursor)] == ["reply"]
    assert len(records.events("t1")) == 2


def test_evidence_keeps_its_order_and_content(records: Records) -> None:
    def kept(title: str) -> Evidence:
        as_of = datetime(2026, 11, 18, 1, tzinfo=UTC)
        return records.keep_evidence(Evidence(title=title, sql="SELECT 1", row_count=1, as_of=as_of, preview=[[1]]))

    one, two = kept("one"), kept("two")
    assert records.evidence([two.id, one.id]) == [two, one]
    with pytest.raises(NotFound, match="ev_99"):
        records.evidence(["ev_99"])


def test_lists_are_named_by_content(records: Records) -> None:
    first = records.save_list("vip", [3, 1, 2, 3], OPERATOR)
    assert first.size == 3
    assert records.save_list("vip", [1, 2, 3], OPERATOR).sha256 == first.sha256
    assert records.save_list("vip", [1, 2], OPERATOR).sha256 != first.sha256
    assert records.list_record("vip").size == 2
    with pytest.raises(ModelRetry):
        records.save_list("empty", [], OPERATOR)


def test_the_migrations_make_exactly_the_tables_that_the_code_maps(records: Records) -> None:
    with records.database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, t.Base.metadata) == []
        assert connection.scalar(sa.text("SELECT version_num FROM alembic_version")) == HEAD
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_many_processes_opening_a_new_database_at_once_make_one(control_url: str, clock) -> None:
    with ThreadPoolExecutor(6) as pool:
        stores = list(pool.map(lambda _: Records(control_url, clock), range(6)))
    assert stores[0].save_canvas({"name": "c"}, OPERATOR).id == "cv_1"
    for store in stores:
        store.close()
