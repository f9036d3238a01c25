"""`touchline policy …`, in-process and over HTTP: what is in force, its versions, differences, and who may vouch."""

from collections.abc import Iterator

import pytest

from server.schema import PolicyNote
from warehouse.errors import AdminFixes, Forbidden, NotFound, SignInNeeded
from warehouse.home import Home

STRICT = """caps:
- {name: channel_daily, scope: channel, window: {window: calendar, period: day}, max: 1, exempt_categories: [service]}
- {name: global_7d, scope: global, window: {window: rolling, hours: 168}, max: 2, exempt_categories: [service]}
defer_expires_hours: 72
"""
WRONG = STRICT.replace("max: 2", "max: 0, over: defer")


@pytest.fixture
def edited(home: Home) -> Iterator[Home]:
    """A home whose policy file a test may write; afterwards there is none again."""
    path = home.policies / "throttle.yaml"
    yield home
    path.unlink(missing_ok=True)


def test_a_changed_file_is_a_new_version_and_its_difference_is_told(desk, edited: Home) -> None:
    with desk() as d:
        before = d.policy_show()
        assert before.words_en[0].startswith("channel_daily: at most 1 per customer and channel")
        assert before.words_zh[0].startswith("channel_daily: 每位客户每渠道")
    (edited.policies / "throttle.yaml").write_text(STRICT)
    with desk() as d:
        history = d.policy_history()
        changes = d.policy_diff()
        assert d.policy_show().version == history[0].version == before.version + 1
        assert d.policy_show(str(before.version)).document == before.document
        assert d.policy_show(before.digest[:20]).version == before.version
        assert history[1].until == history[0].since
        assert history[0].note == "read from the file"
        assert (changes.before, changes.after) == (str(before.version), str(history[0].version))
        assert [(c.place, c.direction) for c in changes.changes] == [
            ("caps.global_7d", "tighter"),
            ("caps.global_monthly", "looser"),
            ("defer_expires_hours", "looser"),
        ]
        same = d.policy_diff("default", str(before.version))
        assert same.changes == []
        with pytest.raises(NotFound, match="no version"):
            d.policy_diff("9999")


def test_the_check_names_places_and_nothing_is_decided_by_a_wrong_file(desk, edited: Home) -> None:
    path = edited.policies / "throttle.yaml"
    path.write_text(WRONG)
    with desk() as d:
        found = d.policy_check()
        assert not found.ok
        assert [(f.code, f.place) for f in found.findings if f.severity == "error"] == [
            ("never_freed", "caps.global_7d")
        ]
        with pytest.raises(AdminFixes, match=r"caps\.global_7d"):
            d.policy_show()
    path.write_text(STRICT)
    with desk() as d:
        assert d.policy_check().ok


def test_only_an_administrator_vouches(desk, edited: Home) -> None:
    (edited.policies / "throttle.yaml").write_text(STRICT.replace("72", "70"))
    with desk() as d, pytest.raises(SignInNeeded):
        d.policy_adopt(PolicyNote(note="x"))
    with desk("manager", password=True) as d, pytest.raises(Forbidden):
        d.policy_adopt(PolicyNote(note="x"))
    with desk("admin", password=True) as d:
        adopted = d.policy_adopt(PolicyNote(note="two a week, as agreed"))
        assert (adopted.person, adopted.note) == ("admin", "two a week, as agreed")
        assert d.policy_history()[0] == adopted
        with pytest.raises(Exception, match="in force already"):
            d.policy_adopt(PolicyNote(note="again"))


def test_the_commands_print(command, free_home: Home) -> None:
    path = free_home.policies / "throttle.yaml"
    home = ("--home", str(free_home.root))
    try:
        assert "at most 1 per customer and channel per calendar day" in command("policy", "show", *home).stdout
        path.write_text(STRICT)
        told = command("policy", "diff", *home).stdout
        assert "tighter  cap global_7d: from" in told
        assert "looser  cap global_monthly is gone" in told
        assert command("policy", "check", *home).returncode == 0
        assert "read from the file" in command("policy", "history", *home).stdout
        path.write_text(WRONG)
        failed = command("policy", "check", *home)
        assert failed.returncode == 2
        assert "there will never be room" in failed.stdout
        admin = ("--user", "admin", "--password", "admin-demo")
        adopted = command("policy", "adopt", "--note", "x", *admin, *home)
        assert adopted.returncode == 2
        assert "there will never be room" in adopted.stderr
    finally:
        path.unlink(missing_ok=True)
