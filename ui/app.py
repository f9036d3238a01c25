"""The frame of the pages: sign-in, language, which bank and which day it is. Run by `touchline up`."""

from typing import Any

import streamlit as st

from ui import names, session
from ui.client import Client, Problem
from ui.session import t
from ui.views import approvals, chat, data, playbooks, results, segments, templates
from ui.views import house as house_page


def frame() -> None:
    """The sidebar, and the page that was chosen."""
    st.set_page_config(page_title="Touchline", page_icon=":material/campaign:", layout="wide")
    try:
        house = session.house()
        person = session.me()
    except Problem as problem:
        session.show_problem(problem)
        st.button(t("again"), icon=":material/refresh:")
        st.stop()
    pages = {
        "chat": st.Page(chat.page, title=t("chat"), icon=":material/forum:", url_path="chat", default=True),
        "segments": st.Page(segments.page, title=t("segments"), icon=":material/groups:", url_path="segments"),
        "approvals": st.Page(approvals.page, title=t("approvals"), icon=":material/approval:", url_path="approvals"),
        "results": st.Page(results.page, title=t("results"), icon=":material/monitoring:", url_path="results"),
        "templates": st.Page(
            templates.page, title=t("templates"), icon=":material/account_tree:", url_path="templates"
        ),
        "playbooks": st.Page(playbooks.page, title=t("playbooks"), icon=":material/menu_book:", url_path="playbooks"),
        "data": st.Page(data.page, title=t("data"), icon=":material/dataset:", url_path="data"),
        "house": st.Page(house_page.page, title=t("house"), icon=":material/settings:", url_path="house"),
    }
    st.session_state["pages"] = pages
    # Also while nobody is signed in: after a reload the address still names the page to which he returns.
    page = st.navigation(list(pages.values()), position="hidden")
    if person is None:
        sign_in(house)
        return
    with st.sidebar:
        _brand(house)
        for link in pages.values():
            st.page_link(link, width="stretch")
        _person(person)
        session.choose_language()
    if house["consent"] == "assumed":
        st.warning(t("assumed_consent"), icon=":material/gpp_maybe:")
    page.run()


def _brand(house: dict[str, Any]) -> None:
    st.markdown("### :material/campaign: Touchline")
    lines = [
        f"**{session.plain(house['name'])}**" + (f" · {t('demo')}" if house["kind"] == "demo" else ""),
        f"{t('now')} {session.bank_time(house['now'])}",
        f"{t('as_of')} {session.bank_time(house['as_of'])}",
    ]
    st.caption("  \n".join(lines))


def _person(person: dict[str, Any]) -> None:
    roles = t("comma").join(session.name(names.ROLE, role) for role in person["roles"])
    with st.container(border=True):
        st.markdown(f":material/account_circle: **{person['account']}** · {roles}")
        if st.button(t("sign_out"), icon=":material/logout:", width="stretch", type="tertiary"):
            try:
                session.client().post("/sign-out")
            finally:
                kept = st.session_state[session.LANGUAGE]
                st.session_state.clear()
                st.session_state[session.LANGUAGE] = kept
            st.rerun()


def sign_in(house: dict[str, Any]) -> None:
    """The sign-in form; a demo home offers its demo accounts as buttons."""
    with st.container(width=640):
        st.title("Touchline")
        st.markdown(f"**{session.plain(house['name'])}** · {t('tagline')}")
        session.choose_language()
        if st.session_state.get(session.ENDED):
            st.warning(t("ended"), icon=":material/lock_clock:")
        with st.form("sign-in"):
            account = st.text_input(t("account"))
            password = st.text_input(t("password"), type="password")
            sent = st.form_submit_button(t("sign_in"), type="primary", width="stretch")
        if sent:
            _sign_in(account, password)
        st.caption(f":material/info: {t('reload_note')}")
        users = house["demo_users"]
        if users:
            st.info(t("demo_note"), icon=":material/science:")
            st.markdown(f"**{t('demo_users')}**")
            with st.container(horizontal=True):
                for user in users:
                    role = session.name(names.ROLE, user.rstrip("0123456789"))
                    label = user if role == user else f"{user} · {role}"
                    if st.button(label, key=f"as-{user}", icon=":material/person:"):
                        _sign_in(user, f"{user}-demo")


def _sign_in(account: str, password: str) -> None:
    if not account or not password:
        st.error(t("both_needed"), icon=":material/error:")
        return
    try:
        answer = Client().post("/sign-in", {"account": account, "password": password})
    except Problem as problem:
        if problem.status == 401:
            st.error(t("wrong_password"), icon=":material/error:")
        else:
            session.show_problem(problem)
        return
    st.session_state[session.TOKEN] = answer["token"]
    st.session_state.pop(session.ENDED, None)
    st.rerun()


frame()
