"""Every word exists in both languages and is used; nothing is shown that has none."""

import re
from pathlib import Path
from string import Formatter

import pytest

from ui import names, words

UI = Path(__file__).parents[2] / "ui"
SOURCE = "\n".join(path.read_text("utf-8") for path in UI.rglob("*.py") if path.name != "words.py")
FAMILIES = ("stage_", "policy_", "never_", "by_")
"""Keys that are put together: `t(f"stage_{stage}")`."""
HAN = re.compile("[\u4e00-\u9fff]")
SAME_IN_BOTH = {"arrow", "comma", "semicolon", "points"}


def fields(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


@pytest.mark.parametrize("key", words.WORDS)
def test_a_key_has_both_languages_with_the_same_places(key: str) -> None:
    zh, en = words.WORDS[key]
    assert zh.strip() or key in SAME_IN_BOTH
    assert fields(zh) == fields(en)
    if key not in SAME_IN_BOTH:
        assert HAN.search(zh), "the Chinese is not Chinese"
        assert not HAN.search(en) or key == "language"


def test_every_key_is_used_and_every_used_key_exists() -> None:
    composed = {
        key
        for key in words.WORDS
        if key.startswith(FAMILIES) and re.search(f"f['\"]{key.split('_')[0]}_" + "{", SOURCE)
    }
    quoted = set(re.findall(r"""["']([a-z_]+)["']""", SOURCE))
    assert set(words.WORDS) - quoted - composed == set()
    asked = set(re.findall(r"""\bt\(\s*["']([a-z_]+)["']""", SOURCE))
    assert asked - set(words.WORDS) == set()


def test_codes_are_named_in_both_languages() -> None:
    tables = [value for key, value in vars(names).items() if key.isupper() and isinstance(value, dict)]
    assert len(tables) > 10
    for table in tables:
        for code, (zh, en, *_) in table.items():
            assert HAN.search(zh) or zh in (code, "App"), code
            assert en
            assert not HAN.search(en), code


@pytest.mark.parametrize(
    ("code", "zh"),
    [
        ("suppressed_complaint_open", "投诉未结"),
        ("cap_global_7d", "超过上限：全渠道 7 天"),
        ("quiet_messages_night_expired", "勿扰：消息夜间勿扰，等待已过期"),
        ("risk_assessment_expired", "风评过期"),
        ("cap_own_rule", "超过上限：own_rule"),
    ],
)
def test_rules_of_the_throttle_are_told_in_words(code: str, zh: str) -> None:
    assert names.rule(code, "zh") == zh


@pytest.mark.parametrize(
    ("said", "zh"),
    [
        ("You submitted it; somebody else must decide.", "您是提交人，须由他人签署"),
        ("You drafted or edited it; somebody else must decide.", "您起草或改过它，须由他人签署"),
        ("The level 'approval' needs role approver or person li.", "“审批”一级需要审批人或li"),
        ("It is approved.", "它的状态是“已批准”"),
        ("Something new.", "Something new."),
    ],
)
def test_why_one_may_not_decide_is_told_in_chinese(said: str, zh: str) -> None:
    assert names.why_not(said, "zh") == zh


def test_a_bilingual_name_shows_one_side() -> None:
    assert names.one_side("9月发薪日 / September payday", "zh") == "9月发薪日"
    assert names.one_side("9月发薪日 / September payday", "en") == "September payday"
    assert names.one_side("and / or", "en") == "and / or"
