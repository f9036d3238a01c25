"""The house itself: what kind of home it is, whether the audit chain is whole; in a demo home, the clock."""

from typing import Any

import streamlit as st

from ui import session
from ui.client import Client, Problem
from ui.session import t


def page() -> None:
    st.title(t("house"))
    client = session.client()
    try:
        house: dict[str, Any] = session.house()
        clock: dict[str, Any] = client.get("/clock")
    except Problem as problem:
        session.show_problem(problem)
        return
    columns = st.columns(2)
    columns[0].metric(t("now"), session.bank_time(clock["now"]), border=True)
    columns[1].metric(t("as_of"), session.bank_time(clock["as_of"]), border=True)
    kind = t("demo") if house["kind"] == "demo" else t("real")
    st.caption(f"{session.plain(house['name'])} · {kind} · {house['zone']} · Touchline {house['version']}")
    st.subheader(t("audit"))
    st.caption(t("audit_note"))
    if st.button(t("verify"), icon=":material/verified:"):
        _verify(client)
    if clock["demo"]:
        _clock(client)


def _verify(client: Client) -> None:
    try:
        found = client.get("/audit/verify")
    except Problem as problem:
        session.show_problem(problem)
        return
    if found["ok"]:
        st.success(t("audit_ok", entries=f"{found['entries']:,}"), icon=":material/verified:")
    else:
        st.error(
            t("audit_broken", entry=found["broken_at"], why=session.plain(found["problem"])), icon=":material/gpp_bad:"
        )


def _clock(client: Client) -> None:
    st.subheader(t("clock"))
    st.caption(t("clock_note"))
    if "run" not in (session.me() or {}).get("may", []):
        st.caption(t("clock_not_yours"))
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        days = st.number_input(t("days"), min_value=1, max_value=60, value=1, width=160)
        st.button(
            t("advance"), type="primary", icon=":material/fast_forward:", on_click=_advance, args=(client, int(days))
        )


def _advance(client: Client, days: int) -> None:
    try:
        clock = client.post("/clock/advance", {"days": days})
    except Problem as problem:
        session.show_problem(problem)
        return
    st.success(t("advanced", now=session.bank_time(clock["now"])), icon=":material/schedule:")
