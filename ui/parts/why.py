"""Why one customer did or did not get a campaign: each decision with the evidence it rested on."""

from typing import Any

import streamlit as st

from ui import names, session
from ui.client import Client, Problem
from ui.session import language, t

MARKS = {
    "send": ":material/send:",
    "defer": ":material/schedule:",
    "abandon": ":material/block:",
    "hold_out": ":material/science:",
}


def show(client: Client, campaign: str) -> None:
    """A form for the customer's number, and the answer below it; for those who may export customers."""
    if "export" not in (session.me() or {}).get("may", []):
        return
    st.subheader(t("why_title"))
    st.caption(t("why_note"))
    with st.form(f"why-{campaign}", border=False), st.container(horizontal=True, vertical_alignment="bottom"):
        customer = st.number_input(
            t("why_customer"), min_value=0, value=None, step=1, width=220, key=f"why-of-{campaign}"
        )
        asked = st.form_submit_button(t("why_ask"), icon=":material/help:")
    if not asked or customer is None:
        return
    try:
        found = client.post("/throttle/why", {"customer": int(customer), "campaign": campaign})
    except Problem as problem:
        session.show_problem(problem)
        return
    if not found["decisions"]:
        st.info(t("why_nothing"), icon=":material/info:")
    for reason in found["decisions"]:
        _reason(reason)


def _reason(reason: dict[str, Any]) -> None:
    decision = reason["decision"]
    what = session.name(names.COUNT, decision)
    channel = session.name(names.CHANNEL, reason["channel"]) if reason["channel"] else ""
    parts = [session.bank_time(reason["decided_at"]), channel, f"**{what}**"]
    if reason["rule"] not in ("", "allowed"):
        parts.append(session.plain(names.rule(reason["rule"], language())))
    with st.container(border=True):
        st.markdown(f"{MARKS.get(decision, '')} " + " · ".join(part for part in parts if part))
        for ground in reason["evidence"]:
            st.caption(session.plain(ground[language()]))
