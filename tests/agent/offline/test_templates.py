"""Templates asked for by any of their names, with parameters; what is not read is asked about."""

import pytest

from tools.canvas.templates import templates

from .conftest import Say


@pytest.mark.parametrize("template", templates(), ids=lambda t: t.id)
def test_every_name_of_every_template_is_understood(say: Say, template) -> None:
    for name in (template.title.zh, *template.names.zh):
        (call,) = say(f"用{name}模板出一套").calls
        assert (call.tool, call.args) == ("draft_canvas", {"template": template.id})
    for name in (template.title.en, *template.names.en):
        (call,) = say(f"Use the {name} template").calls
        assert (call.tool, call.args) == ("draft_canvas", {"template": template.id})


@pytest.mark.parametrize(
    "text",
    ["用到期模板", "请帮我用「到期承接」模板做一个活动吧", "按总行的到期模板出个方案。", "到期模板来一套", "draft a campaign from the maturity template",
     "please use the Renewal at maturity template", "maturity template please", "make a canvas with the renewal template for me"],
)  # fmt: skip
def test_the_words_around_a_template_vary(say: Say, text: str) -> None:
    assert [call.args for call in say(text).calls] == [{"template": "maturity"}]


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("用到期模板出一套：before_days=5，product_id=203", {"before_days": 5, "product_id": 203}),
        ("用到期模板出一套，提前5天，到期后2天", {"before_days": 5, "after_days": 2}),
        ("用到期模板出一套，对照比例为20%", {"holdout_percent": 20}),
        ("Use the maturity template with before_days=5, hour=10", {"before_days": 5, "hour": 10}),
        ("use the maturity template with 5 days before and 2 days after", {"before_days": 5, "after_days": 2}),
        ("Use the breakpoint template with step=view_product", {"step": "view_product"}),
    ],
)
def test_parameters_by_name_and_by_title(say: Say, text: str, given: dict[str, object]) -> None:
    (call,) = say(text).calls
    assert {p["name"]: p["value"] for p in call.args["parameters"]} == given


@pytest.mark.parametrize(
    ("text", "said"),
    [("用到期模板出一套，每人送两只鸡", "没看懂“每人送两只鸡”"), ("用到期模板出一套，提前90天", "before_days"),
     ("use the maturity template with free beer", "“free beer” was not understood"), ("用养老模板出一套", "没有“养老”模板"),
     ("use the pension template", "no template “pension”"), ("有哪些模板", "用哪个模板"), ("which templates are there?", "Which template")],
)  # fmt: skip
def test_what_is_not_read_is_asked_about(say: Say, text: str, said: str) -> None:
    step = say(text)
    assert not step.calls
    assert step.question is not None
    assert said in step.question.text
    assert step.question.options


def test_for_the_customers_in_focus(say: Say) -> None:
    (call,) = say("给这批客户用发薪模板出一套", segment="aum > 500000").calls
    assert call.args["parameters"] == [{"name": "audience", "value": "aum > 500000"}]
    assert not say("给这批客户用发薪模板出一套").calls
