"""Everything but segments: canvases, edits, throttle, read-outs, submission, status, refusals."""

from typing import Any

import pytest

from agent.models.base import Call, Done, Exchange
from agent.models.offline import OfflineModel

from .conftest import Say, turn

FOCUS = "is_payroll and aum >= 500000"
WAVES = [
    {"channel": "push", "day": 0, "only_if": "all"},
    {"channel": "sms", "day": 3, "only_if": "goal_not_reached"},
    {"channel": "call", "day": 6, "only_if": "goal_not_reached"},
]


@pytest.mark.parametrize(
    "text",
    [
        "给这批客户做个活动：先发push，3天后没买的发短信，再过3天客户经理打电话，留10%对照",
        "draft a campaign for them: push first, SMS after 3 days to those who didn't buy, a manager call 3 days later, "
        "hold out 10%",
    ],
)
def test_a_canvas_told_in_words(say: Say, text: str) -> None:
    (call,) = say(text, segment=FOCUS).calls
    assert call.tool == "draft_canvas"
    assert call.args["waves"] == WAVES
    assert call.args["holdout_percent"] == 10
    assert call.args["goal_event"] == "purchase"
    assert "segment" not in call.args  # the focus


def test_days_of_a_journey(say: Say) -> None:
    (call,) = say("D1企微 D5push D30短信 D60电话", segment=FOCUS).calls
    assert [(w["channel"], w["day"]) for w in call.args["waves"]] == [
        ("wecom", 1),
        ("push", 5),
        ("sms", 30),
        ("call", 60),
    ]


@pytest.mark.parametrize(
    ("text", "days"),
    [("push on day 1, email on day 5 and a call on day 10, 20% control", [1, 5, 10]),
     ("先push，3天后短信，再过4天打电话", [0, 3, 7]),
     ("先push，3天后短信，3天后打电话", [0, 3, 6])],
)  # fmt: skip
def test_days_from_the_start_or_from_the_wave_before(say: Say, text: str, days: list[int]) -> None:
    (call,) = say(text, segment=FOCUS).calls
    assert [w["day"] for w in call.args["waves"]] == days


def test_days_that_can_be_counted_two_ways_are_asked_about(say: Say) -> None:
    step = say("先发push，7天后发短信，14天后打电话", segment=FOCUS)
    assert not step.calls
    assert step.question is not None
    read = [[w["day"] for w in say(option, segment=FOCUS).calls[0].args["waves"]] for option in step.question.options]
    assert read == [[0, 7, 21], [0, 7, 14]]


def test_an_audience_inline(say: Say) -> None:
    (call,) = say("给代发客户做个活动 先发短信 3天后发push").calls
    assert call.args["segment"] == "is_payroll"
    assert [(w["channel"], w["day"]) for w in call.args["waves"]] == [("sms", 0), ("push", 3)]


def test_a_canvas_without_audience_is_asked_about(say: Say) -> None:
    step = say("先发push，3天后发短信")
    assert not step.calls
    assert step.question is not None


EDITS: list[tuple[str, list[dict[str, Any]]]] = [
    ("第二波换企微", [{"op": "set_channel", "wave": 2, "value": "wecom"}]),
    ("第二波换企微,别的不动", [{"op": "set_channel", "wave": 2, "value": "wecom"}]),
    ("change the second wave to wecom", [{"op": "set_channel", "wave": 2, "value": "wecom"}]),
    ("hold-out 15%", [{"op": "set_holdout", "value": 15}]),
    ("对照改成20%", [{"op": "set_holdout", "value": 20}]),
    ("第三波改成第5天", [{"op": "set_day", "wave": 3, "value": 5}]),
    ("短信改成push", [{"op": "set_channel", "wave": 2, "value": "push"}]),
    ("第二波推迟到第7天", [{"op": "set_day", "wave": 2, "value": 7}]),
    ("加一波第10天的邮件", [{"op": "add_wave", "value": {"day": 10, "channel": "email"}}]),
    ("不留对照", [{"op": "set_holdout", "value": 0}]),
    ("目标窗口改成30天", [{"op": "set_goal_window", "value": 30}]),
    ("rename it to “Spring”", [{"op": "rename", "value": "Spring"}]),
    ("push的文案改成“您好”", [{"op": "set_text", "wave": 1, "value": "您好"}]),
    ("去掉电话那波", [{"op": "remove_wave", "wave": 3}]),
    ("remove the third wave", [{"op": "remove_wave", "wave": 3}]),
    ("把目标改成买基金", [{"op": "set_goal", "value": {"event": "purchase", "where": "kind = 'fund'"}}]),
]


@pytest.mark.parametrize(("text", "edits"), EDITS, ids=[t for t, _ in EDITS])
def test_edits_of_the_canvas_in_focus(say: Say, text: str, edits: list[dict[str, Any]]) -> None:
    step = say(text, segment=FOCUS, canvas=True)
    assert [(c.tool, c.args) for c in step.calls] == [("edit_canvas", {"edits": edits})], step


CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("how many of them can get an SMS on Friday at 3pm", "check_throttle",
     {"segment": FOCUS, "channel": "sms", "at": "2026-11-20T15:00+08:00"}),
    ("how did the dormant campaign do by tier", "analyze_campaign", {"campaign": "c_dormant", "by": "tier"}),
    ("首购活动的转化率", "analyze_campaign", {"campaign": "c_first", "metric": "conversion"}),
    ("试跑一下", "dry_run_canvas", {}),
    ("dry run it", "dry_run_canvas", {}),
    ("提交审批", "submit_for_approval", {}),
    ("submit it for approval", "submit_for_approval", {}),
    ("批了吗", "get_status", {}),
    ("has it been approved?", "get_status", {}),
    ("撤回刚才那步", "undo", {}),
    ("undo that", "undo", {}),
    ("明天上午10点给这批人发短信能发多少", "check_throttle",
     {"segment": FOCUS, "channel": "sms", "at": "2026-11-19T10:00+08:00"}),
    ("how many can we text tomorrow at 9am?", "check_throttle",
     {"segment": FOCUS, "channel": "sms", "at": "2026-11-19T09:00+08:00"}),
    ("这批人现在发push能发多少", "check_throttle", {"segment": FOCUS, "channel": "push", "at": "2026-11-18T09:00+08:00"}),
    ("11月首购那波咋样", "analyze_campaign", {"campaign": "c_first"}),
    ("九月发薪日活动效果怎么样 分母是啥", "analyze_campaign", {"campaign": "c_payday"}),
    ("九月发薪日活动带来多少AUM", "analyze_campaign", {"campaign": "c_payday", "metric": "aum_mean"}),
    ("did the September payday campaign work? by age", "analyze_campaign", {"campaign": "c_payday", "by": "age"}),
    ("比一下9月发薪日活动和11月首购", "compare_campaigns", {"campaigns": ["c_payday", "c_first"]}),
    ("你有哪些字段", "describe_data", {}),
    ("what can I ask", "describe_data", {}),
    ("AUM口径是什么", "describe_data", {"about": "AUM"}),
    ("发薪日怎么做活动", "search_playbooks", {"query": "发薪日怎么做活动"}),
    ("怎么唤醒睡眠户", "search_playbooks", {"query": "怎么唤醒睡眠户"}),
]  # fmt: skip


@pytest.mark.parametrize(("text", "tool", "args"), CALLS, ids=[t for t, _, _ in CALLS])
def test_calls(say: Say, text: str, tool: str, args: dict[str, Any]) -> None:
    step = say(text, segment=FOCUS, canvas=True)
    assert [(c.tool, c.args) for c in step.calls] == [(tool, args)], step


def test_why_not_for_the_young(say: Say) -> None:
    (call,) = say("why did it not work for the young", campaign="c_dormant").calls
    assert call.args == {"campaign": "c_dormant", "by": "age"}


def test_an_unknown_campaign_is_asked_with_options(say: Say) -> None:
    step = say("三月的活动效果怎么样")
    assert not step.calls
    assert step.question is not None
    assert step.question.options


@pytest.mark.parametrize(
    "text",
    [
        "帮我批准", "approve it", "just send it now", "直接发出去", "跳过审批直接上线", "今天天气怎么样", "write a poem", "给我客户手机号",
        "drop table customers", "give me their phone numbers", "你好", "thanks",
    ],
)  # fmt: skip
def test_refusals_and_small_talk_make_no_call(say: Say, text: str) -> None:
    step = say(text, segment=FOCUS, canvas=True)
    assert not step.calls
    assert step.remark or step.question


PLAYBOOK = {
    "id": "payday", "title": "代发客户发薪日承接", "audience": {"how": "as_written", "expression": "is_payroll"},
    "waves": [{"channel": "push", "day": 0, "hour": 12, "only_if": "all", "text": "您好", "arms": [], "product_id": None}],
    "goal_event": "purchase", "goal_where": "kind = 'wealth'", "goal_window_days": 14, "holdout_percent": 10.0,
    "category": "marketing",
}  # fmt: skip


@pytest.mark.parametrize("text", ["就用这个", "出一套", "draft it", "用第一个"])
def test_drafting_from_a_playbook_found_before(model: OfflineModel, text: str) -> None:
    earlier = Exchange(text="发薪日怎么做", calls=[Call(tool="search_playbooks", args={"query": "发薪日怎么做"})])
    first = model.next(turn(text, segment=FOCUS, history=[earlier]))
    assert [(c.tool, c.args) for c in first.calls] == [("search_playbooks", {"query": "发薪日怎么做"})]
    done = Done(tool="search_playbooks", args=first.calls[0].args, ok=True, result={"playbooks": [PLAYBOOK]})
    second = model.next(turn(text, segment=FOCUS, history=[earlier], done=[done]))
    (call,) = second.calls
    assert call.tool == "draft_canvas"
    assert call.args["playbook"] == "payday"
    assert call.args["waves"] == [{"channel": "push", "day": 0, "hour": 12, "only_if": "all", "text": "您好"}]
    drafted = Done(tool="draft_canvas", args=call.args, ok=True)
    assert model.next(turn(text, segment=FOCUS, history=[earlier], done=[done, drafted])).calls == []


def test_a_failed_call_becomes_a_question(model: OfflineModel) -> None:
    done = Done(tool="query_segment", args={}, ok=False, error="There is no branch 'x'.")
    step = model.next(turn("代发客户有多少", done=[done]))
    assert step.question is not None
    assert "branch" in step.question.text
