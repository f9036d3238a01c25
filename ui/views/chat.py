"""The conversation. A turn runs on the server; this page only follows its events, so a click or a reload loses nothing."""

import time
from typing import Any

import streamlit as st

from ui import names, session, words
from ui.client import Client, Problem
from ui.parts import answer
from ui.session import language, t

POLL_S = 0.25
WATCH_S = 3.0
THREADS = 12
PERSON, HOUSE, DECISION = ":material/person:", ":material/support_agent:", ":material/approval:"


def page() -> None:
    """One thread: its turns, the turn under way, and the box to type in."""
    client = session.client()
    if "draft" not in (session.me() or {}).get("may", []):
        st.title(t("chat"))
        st.info(t("no_chat"), icon=":material/info:")
        return
    thread: str | None = st.session_state.get("thread")
    try:
        _threads(client, thread)
        view: dict[str, Any] = (
            client.get(f"/threads/{thread}") if thread else {"turns": [], "running": False, "after": 0, "focus": {}}
        )
    except Problem as problem:
        session.show_problem(problem)
        return
    turns = view["turns"]
    asked = [place for place, turn in enumerate(turns) if not turn.get("notice")]
    for place, turn in enumerate(turns):
        _turn(turn, place, last=bool(asked) and place == asked[-1] and not view["running"])
    typed = st.chat_input(t("say"), disabled=view["running"])
    request = typed or st.session_state.pop("request", None)
    if view["running"]:
        _follow(client, str(thread), view["after"])
    elif request:
        _ask(client, request, thread)
    elif not turns:
        _welcome()
    elif view["focus"].get("proposal_id"):
        _watch(client, str(thread), view["after"])


def _threads(client: Client, current: str | None) -> None:
    with st.sidebar:
        st.button(
            t("new_thread"), icon=":material/add:", width="stretch", disabled=current is None, on_click=_begin,
        )  # fmt: skip
        threads = client.get("/threads")
        if threads:
            st.caption(t("threads"))
        for thread in threads[:THREADS]:
            here = thread["thread"] == current
            title = _short(thread["title"] or t("untitled"))
            st.button(
                f"**{session.plain(title)}**" if here else session.plain(title), key=f"t-{thread['thread']}",
                width="stretch", type="tertiary", icon=":material/chat:" if here else ":material/chat_bubble_outline:",
                on_click=_begin, args=(thread["thread"],),
                help=f"{thread['title']} · {session.bank_time(thread['updated_at'])}",
            )  # fmt: skip


def _short(title: str) -> str:
    """As much as fits into the sidebar's line; a Chinese character is about twice as wide as a Latin one."""
    width, kept = 0, ""
    for character in title:
        width += 2 if character > "\u2e80" else 1
        if width > 26:
            return kept.rstrip() + "…"
        kept += character
    return kept


def _begin(thread: str | None = None) -> None:
    st.session_state["thread"] = thread


def _welcome() -> None:
    st.title(t("welcome"))
    st.markdown(t("welcome_note"))
    st.markdown(f"**{t('try')}**")
    columns = st.columns(2)
    for place, suggestion in enumerate(words.SUGGESTIONS[language()]):
        if columns[place % 2].button(suggestion, key=f"s-{place}", width="stretch"):
            request(suggestion)


def request(text: str) -> None:
    """Ask this as if it had been typed."""
    st.session_state["request"] = text
    st.rerun()


def _turn(turn: dict[str, Any], place: int, *, last: bool) -> None:
    if turn.get("notice"):
        _notice(turn)
        return
    with st.chat_message("user", avatar=PERSON):
        st.text(turn.get("text", ""))
    with st.chat_message("assistant", avatar=HOUSE):
        clicked = answer.show(turn, key=str(place), clickable=last)
    if clicked:
        request(clicked)


def _notice(turn: dict[str, Any]) -> None:
    """A decision that somebody made meanwhile."""
    proposal, _, status = turn["notice"].partition(":")
    with st.chat_message("assistant", avatar=DECISION):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**{t('notice')}**", width="content")
            st.badge(names.status(status, language()), color=names.colour(status))
        st.markdown(session.plain(turn["reply"]))
        st.page_link(
            st.session_state["pages"]["approvals"], label=t("to_proposal", id=proposal), icon=":material/approval:",
            query_params={"proposal": proposal},
        )  # fmt: skip


@st.fragment(run_every=WATCH_S)
def _watch(client: Client, thread: str, after: int) -> None:
    """While the thread has a proposal, look now and then whether somebody decided. Only then the page is drawn anew; what
    is being typed stays, because the box belongs to the browser."""
    try:
        news = client.get(f"/threads/{thread}/events", after=after)
    except Problem:
        return  # the next look, or the next click, will tell
    if news["events"]:
        st.rerun()


def _ask(client: Client, text: str, thread: str | None) -> None:
    with st.chat_message("user", avatar=PERSON):
        st.text(text)
    try:
        started = client.post("/ask", {"text": text, "thread": thread})
    except Problem as problem:
        session.show_problem(problem)
        return
    st.session_state["thread"] = started["thread"]
    _follow(client, started["thread"], started["after"])


def _follow(client: Client, thread: str, after: int) -> None:
    """Show what the server does until the turn has ended, then draw the page anew from the record."""
    with (
        st.chat_message("assistant", avatar=HOUSE),
        st.status(t("working"), expanded=True) as status,
    ):
        while True:
            try:
                news = client.get(f"/threads/{thread}/events", after=after)
            except Problem as problem:
                session.show_problem(problem)
                return
            after = news["after"]
            for event in news["events"]:
                kind, body = event["kind"], event["body"]
                if kind == "thinking":
                    status.write(f":material/psychology: {t('thinking')}")
                elif kind == "calling":
                    status.write(f":material/build: {session.name(names.TOOL, body['tool'])}")
                elif kind == "error":
                    status.update(label=t("failed"), state="error")
                    session.show_problem(
                        Problem(str(body.get("detail", "")), str(body.get("fix", "")), str(body.get("code", "")))
                    )
                    return
                elif kind == "answer":
                    status.update(label=t("finished"), state="complete")
                    st.rerun()
            if not news["running"] and not news["events"]:
                st.rerun()
            time.sleep(POLL_S)
