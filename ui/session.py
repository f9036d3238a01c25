"""Who is looking, in which language.

The token lives in this browser session's memory only, so a reload signs out, and the sign-in page says so. The ways to
keep it were weighed: in the URL it would end in histories and logs; a cookie set from a page's script can be read by any
other script; an HttpOnly cookie cannot be set by Streamlit. Nothing is lost by a reload: conversations, turns under way
and proposals are the server's.
"""

from datetime import datetime
from typing import Any, cast
from zoneinfo import ZoneInfo

import streamlit as st

from ui import names
from ui.client import Client, Problem
from ui.words import Language, say

LANGUAGE = "language"
TOKEN = "token"
ENDED = "ended"
ZONE = "zone"


def language() -> Language:
    """The chosen language; at first the browser's."""
    if LANGUAGE not in st.session_state:
        locale = (st.context.locale or "zh").lower()
        st.session_state[LANGUAGE] = "zh" if locale.startswith("zh") else "en"
    return cast(Language, st.session_state[LANGUAGE])


def choose_language() -> None:
    """The switch. Streamlit forgets a widget's value when pages change, so the choice is kept beside the widget."""
    switch = {"zh": "中文", "en": "English"}

    def keep() -> None:
        st.session_state[LANGUAGE] = st.session_state["language-switch"]

    st.segmented_control(
        t("language"), list(switch), default=language(), format_func=switch.__getitem__, key="language-switch",
        on_change=keep, label_visibility="collapsed", required=True, width="stretch",
    )  # fmt: skip


def t(key: str, **values: object) -> str:
    return say(key, language(), **values)


def name(table: dict[str, names.Pair], code: str) -> str:
    return names.name(table, code, language())


def client() -> Client:
    return Client(st.session_state.get(TOKEN, ""))


def me() -> dict[str, Any] | None:
    """Who is signed in, as the server says it; None if nobody, or if the session has ended (the sign-in page says so).

    Raises:
        Problem: the server does not answer.
    """
    if not st.session_state.get(TOKEN):
        return None
    try:
        return cast(dict[str, Any], client().get("/me"))
    except Problem as problem:
        if problem.status == 401:
            end()
            return None
        raise


def end() -> None:
    """The server no longer knows the token."""
    st.session_state.pop(TOKEN, None)
    st.session_state[ENDED] = True


def house() -> dict[str, Any]:
    """What may be shown before anybody signs in. Raises: Problem."""
    found = cast(dict[str, Any], Client().get("/house"))
    st.session_state[ZONE] = found["zone"]
    return found


def show_problem(problem: Problem) -> None:
    """What went wrong, and its fix. Where the sign-in is over, the sign-in page comes next."""
    if problem.status == 401 and st.session_state.get(TOKEN):
        end()
    lead = name(names.PROBLEM, problem.code) if problem.code in names.PROBLEM else t("failed")
    lines = [f"**{lead}**"]
    if problem.code == "away":
        lines.append(t("away"))
    else:
        lines += [plain(problem.detail), f":material/build: {plain(problem.fix)}" if problem.fix else ""]
    st.error("\n\n".join(line for line in lines if line), icon=":material/error:")


def bank_time(text: str | None) -> str:
    """An instant as the bank's clock shows it."""
    if not text:
        return "—"
    instant = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return instant.astimezone(ZoneInfo(st.session_state.get(ZONE, "Asia/Shanghai"))).strftime("%Y-%m-%d %H:%M")


def plain(text: str) -> str:
    """Text from elsewhere as Markdown shows it literally: no links, pictures, formulas or directives of its own."""
    return "".join("\\" + c if c in "\\`*_{}[]<>#|$~:" else c for c in text).replace("\n", "  \n")


def markdown(text: str) -> str:
    """A reply's Markdown without what could load or hide something: pictures, formulas, Streamlit's directives."""
    return text.replace("![", "!\\[").replace("$", "\\$").replace(":material/", "\\:material/")
