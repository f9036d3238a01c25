"""The life of segments both ways, in process and over HTTP: overlap, lineage, tags that are attributes at once, lists by phone."""

import pytest

from server.schema import (
    AskAsked,
    ChangesAsked,
    ClockAsked,
    OverlapAsked,
    RenewAsked,
    SaveAsked,
    SegmentAsked,
    TagAsked,
)
from warehouse.errors import Forbidden, ModelRetry, NotFound, PersonDecides


def test_a_saved_segment_is_found_compared_and_refused_to_be_archived_while_used(desk) -> None:
    with desk("operator") as d:
        inner = d.segment_save(SaveAsked(name="上层", expression="aum > 20万 and is_payroll"))
        d.segment_save(SaveAsked(name="outer", expression="in_segment('上层') and age < 60"))
        found = d.segment_overlap(OverlapAsked(segments=["上层", "age < 35"]))
        assert found.sets[0].count == inner.count
        assert sum(r.count for r in found.regions) == found.union
        lineage = d.segment_lineage("上层")
        assert {"aum", "is_payroll"} <= {i.id for i in lineage.uses}
        assert [i.name for i in lineage.users] == ["outer"]
        assert lineage.dot.startswith("digraph")
        assert [c.count for c in d.segment_history("上层")] == [inner.count]
        with pytest.raises(ModelRetry):
            d.segment_changes(ChangesAsked(segment="上层"))
        with pytest.raises(ModelRetry):
            d.segment_save(SaveAsked(name="上层", expression="in_segment('outer')"))
        with pytest.raises(PersonDecides, match="outer"):
            d.segment_archive(inner.id)
        d.segment_archive("outer")
        d.segment_archive("上层")
        with pytest.raises(NotFound):
            d.segment_lineage("上层")
    with desk("manager") as d, pytest.raises(NotFound):
        d.segment_archive("outer")


def test_a_tag_is_usable_at_once_in_expressions_and_in_chat_and_refused_to_be_removed_while_used(
    desk, way: str
) -> None:
    with desk("operator") as d:
        made = d.tag_create(
            TagAsked(name="calm_ones", expression="age > 50 and is_payroll", zh="沉稳代发", en="calm payroll")
        )
        counted = d.segment_count(SegmentAsked(expression="calm_ones")).count
        assert made.size == counted > 0
        assert made.state == "fresh"
        answer = d.ask(AskAsked(text="沉稳代发的客户有多少"))
        assert answer.segment is not None, answer.reply
        assert answer.segment.count == counted
        assert d.catalog_search("沉稳代发", 3)[0].name == "calm_ones"
        d.segment_save(SaveAsked(name="calm and old", expression="calm_ones and age > 60"))
        assert [t.name for t in d.tags()] == ["calm_ones"]
        with pytest.raises(PersonDecides, match="calm and old"):
            d.tag_remove("calm_ones")
        assert d.tag_refresh("calm_ones").size == counted
        assert d.tag_renew("calm_ones", RenewAsked(days=30)).expires_at < made.expires_at
        assert answer.segment.id in {user.id for user in d.tag("calm_ones").lineage.users}
        d.segment_archive("calm and old")
    with desk("approver", password=True) as d:
        with pytest.raises(Forbidden):
            d.tag_remove("calm_ones")
        with pytest.raises(Forbidden):
            d.tag_create(TagAsked(name="mine", expression="everyone"))
    with desk("operator") as d:
        d.tag_remove("calm_ones")
        with pytest.raises(ModelRetry):
            d.segment_count(SegmentAsked(expression="calm_ones"))


def test_phones_are_matched_and_appear_nowhere(desk, way: str, home) -> None:
    phones = [f"1990{n:07d}" for n in range(1, 40)]
    text = "\n".join(["手机号", *phones, phones[0], "13900000000", "12"]).encode("gb18030")
    with desk("operator") as d:
        report = d.list_upload("by phone", text)
        assert (report.named, report.version, report.rows) == ("phone", 1, 42)
        assert (report.duplicates, report.malformed) == (1, 1)
        assert (
            report.rows
            == report.blank + report.malformed + report.duplicates + report.unique + report.several + report.unknown
        )
        assert report.matched >= report.unique + report.several > 20
        assert d.segment_count(SegmentAsked(expression="in_list('by phone')")).count == report.matched
        again = d.list_upload("by phone", "\n".join(phones[:20]).encode(), named="phone")
        assert again.version == 2
        view = d.list_view("by phone")
        assert [v.version for v in view.versions] == [2, 1]
        assert (view.rows, view.users) == (20, [])
        for answer in (report, again, view):
            assert not any(phone in answer.model_dump_json() for phone in phones)
    kept = [
        home.control,
        home.warehouse,
        *home.root.glob("*.wal"),
        *home.root.glob("*.sqlite*"),
        home.root.parent / "server.log",
    ]
    for file in {f for f in kept if f.exists()}:
        content = file.read_bytes()
        assert not any(phone.encode() in content for phone in phones), file.name


@pytest.mark.slow
def test_a_servers_clockwork_recomputes_and_expires(desk, way: str) -> None:
    with desk("operator") as d:
        d.tag_create(TagAsked(name="brief_one", expression="aum > 10万", days=2))
    with desk("admin", password=True) as d:
        d.clock_advance(ClockAsked(days=1))
    with desk("admin", password=True) as d:  # the first sign-in has expired with the day
        d.release_run()
    with desk("operator") as d:
        assert len(d.tag("brief_one").runs) == 2
    with desk("admin", password=True) as d:
        d.clock_advance(ClockAsked(days=1))
    with desk("operator") as d:
        assert d.tag("brief_one").state == "expired"
        with pytest.raises(ModelRetry, match="expired"):
            d.segment_count(SegmentAsked(expression="not brief_one"))
        d.tag_remove("brief_one")
