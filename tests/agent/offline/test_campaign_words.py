"""Campaigns told in words: whose condition it is, when it starts, what is written, what it is called; and past ones."""

from datetime import UTC, datetime
from typing import Any

import pytest

from agent.models.base import Call, Done, Exchange
from agent.models.offline import OfflineModel
from warehouse.catalog import Catalog
from warehouse.clock import BANK_ZONE

from .conftest import EXAMPLES, Say, turn

FOCUS = "has_credit_card"
ALL, SHORT = "all", "goal_not_reached"


def drafted(say: Say, text: str, segment: str = FOCUS) -> dict[str, Any]:
    step = say(text, segment=segment)
    assert [call.tool for call in step.calls] == ["draft_canvas"], step
    return step.calls[0].args


CONDITIONS: list[tuple[str, str, str, list[str]]] = [
    ("给他们做个活动：先发短信，3天后没激活的再打电话，留10%对照", "activate_card", "", [ALL, SHORT]),
    ("draft a campaign for them: SMS first, after 3 days a call to those who didn't activate the card", "activate_card", "", [ALL, SHORT]),
    ("先push，5天后没登录的发短信", "login", "", [ALL, SHORT]),
    ("先push，3天后没买理财的发短信", "purchase", "kind = 'wealth'", [ALL, SHORT]),
    ("先push，第3天没登录的发短信，第7天没买理财的打电话", "purchase", "kind = 'wealth'", [ALL, "not did(login, since entry)", SHORT]),
    ("先push，3天后私行客户打电话", "", "", [ALL, "tier = 'private'"]),
    ("先push，3天后近7天没登录的发短信", "", "", [ALL, "not did(login, last 7d)"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "event", "where", "only_if"), CONDITIONS, ids=[c[0] for c in CONDITIONS])
def test_a_condition_belongs_to_its_wave(say: Say, text: str, event: str, where: str, only_if: list[str]) -> None:
    args = drafted(say, text)
    assert "segment" not in args  # the focus, narrowed by nothing
    assert (args.get("goal_event", ""), args.get("goal_where", "")) == (event, where)
    assert [wave["only_if"] for wave in args["waves"]] == only_if


def test_an_audience_told_last_leaves_a_wave_its_condition(say: Say) -> None:
    args = drafted(
        say, "push first, then a call after 3 days to wealth tier customers, for payroll customers under 40", ""
    )
    assert args["segment"] == "is_payroll and age < 40"
    assert [wave["only_if"] for wave in args["waves"]] == [ALL, "tier = 'wealth'"]


@pytest.mark.parametrize(("text", "segment"), [
    ("给看过理财没买的客户先发push，3天后发短信",
     "did(view_product where kind = 'wealth') and not did(purchase where kind = 'wealth')"),
    ("先发push，3天后发短信，给代发客户", "is_payroll"),
    ("给代发客户发短信", "is_payroll"),
])  # fmt: skip
def test_the_audience_stays_the_audience(say: Say, text: str, segment: str) -> None:
    args = drafted(say, text, segment="")
    assert args["segment"] == segment
    assert all(wave["only_if"] in (ALL, SHORT) for wave in args["waves"])


DAYS = [
    ("先push，隔3天一波短信", [("push", 0), ("sms", 3)]),
    ("发短信，隔3天一波，共3波", [("sms", 0), ("sms", 3), ("sms", 6)]),
    ("push、短信、电话，每隔3天一波", [("push", 0), ("sms", 3), ("call", 6)]),
    ("SMS every 3 days, 3 waves", [("sms", 0), ("sms", 3), ("sms", 6)]),
    ("明天10点发push，后天发短信", [("push", 0), ("sms", 1)]),
]


@pytest.mark.parametrize(("text", "waves"), DAYS, ids=[d[0] for d in DAYS])
def test_days_between_waves(say: Say, text: str, waves: list[tuple[str, int]]) -> None:
    assert [(w["channel"], w["day"]) for w in drafted(say, text)["waves"]] == waves


@pytest.mark.parametrize(("text", "start"), [
    ("下周一开始，先发push，3天后发短信", "2026-11-23"),
    ("starting Monday at 10, push first, SMS after 3 days", "2026-11-23T10:00+08:00"),
    # Thursday is tomorrow and its third day a Sunday; a start on Friday keeps both waves off the weekend.
    ("先发push，3天后发短信，周末不发", "2026-11-20T10:00"),
    ("push first, SMS after 1 day, weekdays only", "2026-11-19T10:00"),
])  # fmt: skip
def test_starts(say: Say, text: str, start: str) -> None:
    assert drafted(say, text)["start"] == start


def test_texts_and_arms(say: Say) -> None:
    texts = drafted(say, "先发push，话术：'您好，看看新产品'，3天后没买的发短信")["waves"]
    assert [wave.get("text", "") for wave in texts] == ["您好，看看新产品", ""]
    english = drafted(say, 'push first, text: "Hello there", then SMS in 3 days')["waves"]
    assert [(w["channel"], w.get("text", "")) for w in english] == [("push", "Hello there"), ("sms", "")]
    (wave,) = drafted(say, "发短信，A版“您好”B版“欢迎”各一半")["waves"]
    assert wave["arms"] == [{"name": "a", "share": 50, "text": "您好"}, {"name": "b", "share": 50, "text": "欢迎"}]
    first, _ = drafted(
        say, 'draft a campaign: push, version A "Hi" 30%, version B "Hello" 70%, then a call after 3 days'
    )["waves"]
    assert [(arm["name"], arm["share"]) for arm in first["arms"]] == [("a", 30), ("b", 70)]


def test_names(say: Say) -> None:
    assert drafted(say, "先push，3天后没买理财的发短信")["name"] == "理财购买活动"
    assert (
        drafted(say, "push first, SMS after 3 days to those who did not buy funds")["name"] == "Fund purchase campaign"
    )


def test_the_canvas_as_the_thread_shows_it(model: OfflineModel) -> None:
    asked = turn("去掉电话那波", segment=FOCUS, canvas=True)
    outline = "id=w1 kind=touch channel=push\nid=d2 kind=delay days=3\nid=w2 kind=touch channel=call"
    shown = asked.model_copy(update={"focus": asked.focus.model_copy(update={"canvas_text": outline})})
    assert model.next(shown).calls[0].args == {"edits": [{"op": "remove_wave", "wave": 2}]}


PAST = [
    ("cp_ny", "2月开门红存款 / February New Year deposits", datetime(2026, 2, 1, tzinfo=UTC)),
    ("cp_first", "理财首购", datetime(2026, 11, 10, tzinfo=UTC)),
    ("uci", "定期存款电话营销 / Term deposit by telephone", datetime(2008, 5, 1, tzinfo=UTC)),
    ("kz", "信函利率 / Interest rate by letter", datetime(2003, 7, 1, tzinfo=UTC)),
]


@pytest.fixture(scope="module")
def archive(catalog: Catalog) -> OfflineModel:
    return OfflineModel(catalog, EXAMPLES, lambda: PAST, BANK_ZONE)


READ_OUTS = [
    ("How did the new year deposit campaign do?", "cp_ny"), ("what came of the new year campaign?", "cp_ny"), ("开门红存款成效", "cp_ny"),
    ("How did the term deposit campaign do?", "uci"), ("电话营销咋样", "uci"), ("what came of the term deposit calls", "uci"),
    ("how did the letter campaign do", "kz"), ("信函利率怎么样", "kz"), ("How did the interest rate campaign do?", "kz"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "campaign"), READ_OUTS, ids=[t for t, _ in READ_OUTS])
def test_read_outs(archive: OfflineModel, text: str, campaign: str) -> None:
    calls = archive.next(turn(text, segment=FOCUS, canvas=True)).calls
    assert [(c.tool, c.args) for c in calls] == [("analyze_campaign", {"campaign": campaign})]


def test_a_past_campaign_swallows_no_words(archive: OfflineModel) -> None:
    text = "给他们出一套理财首购的短信方案"
    first = archive.next(turn(text, segment=FOCUS))
    assert [(c.tool, c.args) for c in first.calls] == [("search_playbooks", {"query": text})]
    # A verb of drafting wins where a measure stands beside a past campaign's name, too.
    rated = archive.next(turn("给他们出一套首购活动转化率的方案", segment=FOCUS))
    assert [c.tool for c in rated.calls] == ["search_playbooks"]
    counted = archive.next(turn("理财首购的客户有多少"))
    assert [c.tool for c in counted.calls] == ["query_metric"]


def test_why_is_followed_by_what_to_break_down_by(model: OfflineModel) -> None:
    text = "why is MAU falling"
    done = Done(tool="query_metric", args={"metric": "mau"}, ok=True)
    step = model.next(turn(text, done=[done]))
    assert not step.calls
    assert step.question is not None
    assert model.next(turn(step.question.options[0])).calls[0].args["by"] == "branch_id"


@pytest.mark.parametrize(("text", "by"), [("按年龄拆开看", "age"), ("by city", "city"), ("按城市分布", "city")])
def test_a_bare_breakdown_takes_the_read_out_apart_that_was_just_given(say: Say, text: str, by: str) -> None:
    past = Exchange(text="效果怎么样", reply="…", calls=[Call(tool="analyze_campaign", args={"campaign": "c1"})])
    step = say(text, segment=FOCUS, campaign="c1", history=[past])
    assert [(c.tool, c.args["campaign"], c.args["by"]) for c in step.calls] == [("analyze_campaign", "c1", by)]
    before = say(text, segment=FOCUS, campaign="c1", history=[past, Exchange(text="有多少", reply="…")])
    assert [c.tool for c in before.calls] == ["query_segment"]
