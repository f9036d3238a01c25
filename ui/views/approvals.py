"""Approvals: always read from the server, never kept here.

What a click decides is bound when its button is drawn: the digest that is sent is that of the page that was read.
"""

from typing import Any, Literal

import streamlit as st

from ui import names, session
from ui.client import Client, Problem
from ui.parts import proposal as parts
from ui.parts import signatures, why
from ui.session import language, t

OPEN = "proposal"
"""The query parameter that names the proposal to read; an id, nothing personal."""


def page() -> None:
    """The list, or one proposal."""
    client = session.client()
    try:
        if opened := st.query_params.get(OPEN):
            _proposal(client, opened)
        else:
            _list(client.get("/proposals"))
    except Problem as problem:
        session.show_problem(problem)
        if st.query_params.get(OPEN):
            st.button(t("back"), icon=":material/arrow_back:", on_click=_close)


def _list(proposals: list[dict[str, Any]]) -> None:
    st.title(t("approvals"))
    waiting = [p for p in proposals if p["may_decide"]]
    st.subheader(f"{t('inbox')} ({len(waiting)})")
    if not waiting:
        st.caption(f":material/task_alt: {t('nothing_waiting')}")
    for item in waiting:
        _row(item)
    others = [p for p in proposals if not p["may_decide"]]
    st.subheader(f"{t('other_proposals')} ({len(others)})")
    if not others:
        st.caption(t("no_proposals"))
    for item in others:
        _row(item)


def _row(item: dict[str, Any]) -> None:
    with st.container(border=True):
        left, right = st.columns([5, 1], vertical_alignment="center")
        with left:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.markdown(f"**{session.plain(item['name'])}**", width="content")
                st.badge(names.status(item["status"], language()), color=names.colour(item["status"]))
            facts = [
                item["id"],
                f"{t('submitted_by')} {session.plain(item['submitted_by'])}",
                session.bank_time(item["submitted_at"]),
                t("at_most", n=f"{item['touches']:,}") if item["touches"] else "",
            ]
            st.caption(" · ".join(fact for fact in facts if fact))
        kind: Literal["primary", "secondary"] = "primary" if item["may_decide"] else "secondary"
        word = t("read_and_sign") if item["may_decide"] else t("open")
        right.button(word, key=f"open-{item['id']}", type=kind, width="stretch", on_click=_open, args=(item["id"],))


def _open(proposal: str) -> None:
    st.query_params[OPEN] = proposal


def _close() -> None:
    st.query_params.pop(OPEN, None)


def _proposal(client: Client, id_: str) -> None:
    st.button(t("back"), icon=":material/arrow_back:", type="tertiary", on_click=_close)
    view: dict[str, Any] = client.get(f"/proposals/{id_}")
    parts.show(view)
    signatures.show(view)
    if view["waves"]:
        why.show(client, id_)
    st.divider()
    may = view["may"]
    if "approve" in may:
        _decide(view)
    elif view["status"] in ("pending", "blocked"):
        st.info(t("four_eyes", why=names.why_not(view["why_not"], language())), icon=":material/group:")
    if "withdraw" in may:
        st.button(
            t("withdraw"), icon=":material/undo:", key=f"withdraw-{id_}", on_click=_send,
            args=(f"/proposals/{id_}/withdraw",),
        )  # fmt: skip
    if "revoke" in may and "revoke" in (session.me() or {}).get("may", []):
        _revoke(id_)


def _decide(view: dict[str, Any]) -> None:
    id_, digest = view["id"], view["digest"]
    st.subheader(t("your_decision"))
    st.caption(t("cannot_undo"))
    read = st.checkbox(t("confirm_read"), key=f"read-{digest}")
    comment = f"comment-{digest}"
    st.text_area(t("comment"), placeholder=t("comment_hint"), key=comment, max_chars=4000)
    icons = {"approve": ":material/check:", "return": ":material/reply:", "reject": ":material/close:"}
    for column, decision in zip(st.columns(3), icons, strict=True):
        kind: Literal["primary", "secondary"] = "primary" if decision == "approve" else "secondary"
        column.button(
            t(decision), icon=icons[decision], type=kind, width="stretch", key=f"{decision}-{id_}",
            disabled=decision == "approve" and not read, on_click=_decision, args=(id_, digest, decision, comment),
        )  # fmt: skip


def _decision(id_: str, digest: str, decision: str, comment: str) -> None:
    said = st.session_state.get(comment, "").strip()
    if decision != "approve" and not said:
        st.error(t("comment_needed"), icon=":material/edit_note:")
        return
    _send(f"/proposals/{id_}/decisions", {"decision": decision, "digest": digest, "comment": said})


def _revoke(id_: str) -> None:
    reason = f"reason-{id_}"
    st.text_input(t("revoke_reason"), key=reason, max_chars=4000)
    st.button(t("revoke"), icon=":material/block:", key=f"revoke-{id_}", on_click=_stop, args=(id_, reason))


def _stop(id_: str, reason: str) -> None:
    said = st.session_state.get(reason, "").strip()
    if not said:
        st.error(t("comment_needed"), icon=":material/edit_note:")
        return
    _send(f"/proposals/{id_}/revoke", {"reason": said})


def _send(path: str, body: dict[str, Any] | None = None) -> None:
    """Do it, and say above the page what came of it; the page then shows what the server says now."""
    try:
        made = session.client().post(path, body)
    except Problem as problem:
        session.show_problem(problem)
        return
    status = names.status(made["status"], language())
    st.success(t("decided", id=made.get("proposal") or made["id"], status=status), icon=":material/task_alt:")
