"""Passwords: how they are kept (as argon2 hashes), and which ones are too weak."""

import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from control.authority.roles import DEMO_USERS
from warehouse.errors import ModelRetry

MIN_PASSWORD = 12
DEMO_MIN_PASSWORD = 8
MIN_DIFFERENT = 5
"""Characters of a password; fewer different ones than this are easily guessed."""

_HASHER = PasswordHasher()
NOBODY = _HASHER.hash(secrets.token_hex(16))
"""Verified for unknown accounts, so that they take as long as known ones."""


def hashed(password: str) -> str:
    """A password as it is kept."""
    return _HASHER.hash(password)


def fits(kept: str, password: str) -> bool:
    """Whether a password is the one that was kept."""
    try:
        return _HASHER.verify(kept, password)
    except (VerifyMismatchError, InvalidHashError):
        return False


def check_password(account: str, password: str, *, demo: bool) -> None:
    """Pass if it is long enough, and outside demo homes none of the passwords that everybody knows.

    Raises:
        ModelRetry: it is too weak.
    """
    shortest = DEMO_MIN_PASSWORD if demo else MIN_PASSWORD
    if len(password) < shortest:
        raise ModelRetry(
            f"A password needs at least {shortest} characters.",
            "Choose a longer one; a few unrelated words are easy to keep in mind.",
            message_zh=f"密码至少 {shortest} 位。",
            fix_zh="请换一个更长的密码。",
        )
    if demo:
        return
    plain = password.casefold()
    guessable = {f"{name}-demo" for name in (*DEMO_USERS, account.casefold())}
    if plain in guessable or account.casefold() in plain or len(set(plain)) < MIN_DIFFERENT:
        raise ModelRetry(
            "This password is easily guessed.",
            "Choose one without the account's name, of more than a few different characters; demo passwords "
            "work in demo homes only.",
            message_zh="这个密码太容易被猜到。",
            fix_zh="不要包含账号名，不要只用几个不同的字符；演示密码只能用于演示环境。",
        )
