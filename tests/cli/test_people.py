"""People on real homes: the first administrator, everybody after him, and who may not. In-process and over HTTP."""

import json
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.credentials import Who
from cli.desk import at_desk
from server.schema import AccountAsked, DecisionAsked, DisableAsked, PasswordAsked, PersonAsked, TokenAsked
from warehouse.errors import Forbidden, ModelRetry, NotFound, SignInNeeded
from warehouse.home import Home

pytestmark = pytest.mark.slow

ROOT_WORDS = "seven quiet herons"
OTHER_WORDS = "a bicycle in the rain"


def real_home(master: Home, folder: Path) -> Home:
    """A copy of the demo bank that says it is a real bank's, without any account."""
    shutil.copytree(
        master.root, folder, ignore=shutil.ignore_patterns("*.lock", "owner.json", "control.sqlite*", "audit-head.json")
    )
    home = Home(folder)
    home.create(home.info().model_copy(update={"kind": "real", "clock_start": None}))
    return home


def first(home: Home, **changed: object) -> AccountAsked:
    return AccountAsked.model_validate(
        {"account": "root", "person": "周明", "roles": ["admin"], "password": ROOT_WORDS, **changed}
    )


@pytest.fixture(scope="module")
def bank(way: str, started, demo_master: Home, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A real home with its first administrator; with `http`, a server owns it."""
    folder = tmp_path_factory.mktemp(f"real-{way}")
    home = real_home(demo_master, folder / "home")
    with at_desk(home.root, Who()) as desk:
        desk.first_admin(first(home))
    if way == "in-process":
        yield home
        return
    process = started(home, folder / "server.log")
    yield home
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0


def sit(home: Home, account: str, password: str):
    return at_desk(home.root, Who(user=account, password=password))


def test_the_first_is_an_administrator_with_a_good_password(demo_master: Home, tmp_path: Path) -> None:
    home = real_home(demo_master, tmp_path / "home")
    weak = ["elevenchars", "admin-demo", "operator-demo", "root-root-root", "aaaaaaaaaaaaaaaa", "approver2-demo"]
    with at_desk(home.root, Who()) as desk:
        for password in weak:
            with pytest.raises(ModelRetry, match=r"12 characters|easily guessed"):
                desk.first_admin(first(home, password=password))
        for wrong in ({"roles": ["operator"]}, {"roles": ["admin", "approver"]}, {"roles": []}, {"branches": [1]}):
            with pytest.raises(ModelRetry):
                desk.first_admin(first(home, **wrong))
        assert desk.first_admin(first(home)).person == "周明"
        with pytest.raises(Forbidden, match="accounts already"):
            desk.first_admin(first(home, account="second"))
        assert desk.verify_audit().ok


def test_no_second_one_is_made_without_signing_in(bank: Home) -> None:
    with at_desk(bank.root, Who()) as desk:
        with pytest.raises((Forbidden, SignInNeeded)):
            desk.first_admin(first(bank, account="second"))
        with pytest.raises(SignInNeeded):
            desk.people_add(first(bank, account="second"))
        with pytest.raises(SignInNeeded):
            desk.people()


def test_a_demo_home_has_its_people_already(desk) -> None:
    with desk() as d, pytest.raises((Forbidden, SignInNeeded)):
        d.first_admin(AccountAsked(account="root", roles=["admin"], password=ROOT_WORDS))


def test_an_administrator_adds_people_who_can_then_work(bank: Home) -> None:
    asked = AccountAsked(account="li", person="李娜", roles=["operator"], password=OTHER_WORDS)
    with sit(bank, "root", ROOT_WORDS) as desk:
        made = desk.people_add(asked)
        assert (made.person, made.roles, made.branches) == ("李娜", ["operator"], None)
        with pytest.raises(ModelRetry, match="exists already"):
            desk.people_add(asked)
        with pytest.raises(ModelRetry, match="easily guessed"):
            desk.people_add(AccountAsked(account="x", roles=["operator"], password="approver2-demo"))
        with pytest.raises(ModelRetry, match="no branch"):
            desk.people_add(AccountAsked(account="x", roles=["operator"], branches=[99_999], password=OTHER_WORDS))
        with pytest.raises(ModelRetry, match="needs a role"):
            desk.people_add(AccountAsked(account="x", password=OTHER_WORDS))
        assert {"root", "li"} <= {a.account for a in desk.people()}
        assert "x" not in {a.account for a in desk.people()}
    with sit(bank, "li", OTHER_WORDS) as desk:
        assert desk.me().person == "李娜"
        with pytest.raises(Forbidden):
            desk.people()
        with pytest.raises(Forbidden):
            desk.people_add(AccountAsked(account="y", roles=["admin"], password=OTHER_WORDS))
        with pytest.raises(Forbidden):
            desk.people_password("root", PasswordAsked(password="another long phrase"))


def test_a_person_has_several_accounts_and_one_set_of_roles(bank: Home) -> None:
    with sit(bank, "root", ROOT_WORDS) as desk:
        desk.people_add(AccountAsked(account="chen", person="陈刚", roles=["manager"], password=OTHER_WORDS))
        second = desk.people_add(AccountAsked(account="chen-phone", person="陈刚", password=OTHER_WORDS))
        assert second.roles == ["manager"]
        with pytest.raises(ModelRetry, match="there already"):
            desk.people_add(
                AccountAsked(account="chen-3", person="陈刚", roles=["approver"], password="a third long phrase")
            )
        changed = desk.people_roles(PersonAsked(person="陈刚", roles=["approver"]))
        assert [(a.account, a.roles) for a in changed] == [("chen", ["approver"]), ("chen-phone", ["approver"])]
        with pytest.raises(ModelRetry, match="no person"):
            desk.people_roles(PersonAsked(person="nobody", roles=["approver"]))


def test_who_administers_never_signs(bank: Home) -> None:
    with sit(bank, "root", ROOT_WORDS) as desk:
        for signing in ("approver", "compliance"):
            with pytest.raises(ModelRetry, match="never sign"):
                desk.people_add(AccountAsked(account="z", roles=["admin", signing], password=OTHER_WORDS))
        with pytest.raises(Forbidden, match="his own roles"):
            desk.people_roles(PersonAsked(person="周明", roles=["approver"]))
        with pytest.raises(Forbidden):
            desk.decide("prop_1", DecisionAsked(decision="approve"))


def test_a_disabled_account_is_out_at_once_with_its_tokens(bank: Home) -> None:
    with sit(bank, "root", ROOT_WORDS) as desk:
        desk.people_add(AccountAsked(account="sun", roles=["operator"], password=OTHER_WORDS))
    with sit(bank, "sun", OTHER_WORDS) as desk:
        token = desk.token_create(TokenAsked(name="job", scopes=["read"])).token
    with sit(bank, "root", ROOT_WORDS) as desk:
        assert desk.people_disable("sun", DisableAsked()).disabled
        with pytest.raises(Forbidden, match="of his own"):
            desk.people_disable("root", DisableAsked())
        with pytest.raises(NotFound):
            desk.people_disable("nobody-here", DisableAsked())
    with pytest.raises(SignInNeeded), sit(bank, "sun", OTHER_WORDS):
        pass
    with sit(bank, "root", ROOT_WORDS) as desk:
        assert not desk.people_disable("sun", DisableAsked(disabled=False)).disabled
    with pytest.raises(SignInNeeded), at_desk(bank.root, Who(token=token)) as desk:
        desk.me()
    with sit(bank, "sun", OTHER_WORDS) as desk:
        assert desk.me().account == "sun"


def test_passwords_are_changed_by_their_owner_or_reset_by_an_administrator(bank: Home) -> None:
    with sit(bank, "root", ROOT_WORDS) as desk:
        desk.people_add(AccountAsked(account="qian", roles=["operator"], password=OTHER_WORDS))
    with sit(bank, "qian", OTHER_WORDS) as desk:
        with pytest.raises(SignInNeeded):
            desk.people_password("qian", PasswordAsked(password="my own new phrase", current="wrong"))
        with pytest.raises(ModelRetry):
            desk.people_password("qian", PasswordAsked(password="short", current=OTHER_WORDS))
        desk.people_password("qian", PasswordAsked(password="my own new phrase", current=OTHER_WORDS))
    with pytest.raises(SignInNeeded), sit(bank, "qian", OTHER_WORDS):
        pass
    with sit(bank, "root", ROOT_WORDS) as desk:
        desk.people_password("qian", PasswordAsked(password="reset by somebody else"))
        assert desk.verify_audit().ok
    with sit(bank, "qian", "reset by somebody else") as desk:
        assert desk.me().account == "qian"


def test_the_commands(command, demo_master: Home, tmp_path: Path) -> None:
    home = real_home(demo_master, tmp_path / "home")
    where = ("--home", str(home.root), "--json")
    nothing = command("people", "add", "root", "--role", "admin", *where)
    assert nothing.returncode == 2
    assert "--password-stdin" in json.loads(nothing.stdout)["error"]["fix"]
    made = command("people", "add", "root", "--role", "admin", "--password-stdin", *where, input=ROOT_WORDS + "\n")
    assert json.loads(made.stdout)["roles"] == ["admin"], made.stdout
    again = command("people", "add", "root2", "--role", "admin", "--password-stdin", *where, input=ROOT_WORDS + "\n")
    assert again.returncode == 2
    both = f"{ROOT_WORDS}\n{OTHER_WORDS}\n"
    boss = ("--user", "root", "--password-stdin")
    added = command(
        "people", "add", "wu", "--person", "吴敏", "--role", "operator", "--branch", "13", *boss, *where, input=both
    )
    assert json.loads(added.stdout)["branches"] == [13], added.stdout
    by_variable = command("people", "list", "--user", "root", *where, TOUCHLINE_PASSWORD=ROOT_WORDS)
    assert [a["account"] for a in json.loads(by_variable.stdout)] == ["root", "wu"]
    roles = command("people", "roles", "吴敏", "--role", "manager", *boss, *where, input=both)
    assert json.loads(roles.stdout)[0]["roles"] == ["manager"]
    changed = command("people", "password", "wu", *boss, *where, input=f"{ROOT_WORDS}\nsomething else entirely\n")
    assert changed.returncode == 0, changed.stdout
    out = command("people", "disable", "wu", *boss, *where, input=both)
    assert json.loads(out.stdout)["disabled"] is True
    back = command("people", "disable", "wu", "--undo", *boss, *where, input=both)
    assert json.loads(back.stdout)["disabled"] is False
    clear = command("people", "list", "--user", "root", "--password", ROOT_WORDS, *where)
    assert clear.returncode == 2
