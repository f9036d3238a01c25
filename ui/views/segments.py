"""Saved segments and their life: history, changes, lineage; overlap; self-service tags; uploaded lists."""

from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from ui import session
from ui.client import Client, Problem
from ui.parts import lineage, lists, overlap, tags
from ui.parts.overlap import number
from ui.parts.results import BLUE
from ui.session import language, t

LIMIT = 200


def page() -> None:
    st.title(t("segments"))
    client = session.client()
    try:
        may_draft = "draft" in client.get("/me")["may"]
        saved: list[dict[str, Any]] = client.get("/segments", limit=LIMIT, named=True)
        tabs = st.tabs([t("saved_segments"), t("overlap"), t("tags"), t("uploaded_lists")])
        with tabs[0]:
            _saved(client, saved, may_draft)
        with tabs[1]:
            _overlap(client, saved)
        with tabs[2]:
            tags.show(client, saved, may_draft)
        with tabs[3]:
            lists.show(client, may_draft)
    except Problem as problem:
        session.show_problem(problem)


def _saved(client: Client, saved: list[dict[str, Any]], may_draft: bool) -> None:
    if may_draft:
        _save(client)
    if not saved:
        st.caption(t("no_segments"))
        return
    st.dataframe(
        pd.DataFrame(
            [
                {
                    t("code"): s["id"], t("called"): s["name"], t("customers"): number(s["count"]),
                    t("expression"): s["expression"], t("owner"): s["created_by"],
                    t("saved_at"): session.bank_time(s["created_at"]),
                }
                for s in saved
            ]
        ),
        hide_index=True,
    )  # fmt: skip
    labels = {s["id"]: f"{s['id']} · {s['name']}" for s in saved}
    chosen = st.selectbox(t("look_closer"), list(labels), format_func=labels.__getitem__, key="segment-chosen")
    if chosen:
        _detail(client, chosen, may_draft)


def _save(client: Client) -> None:
    with st.expander(t("save_segment"), icon=":material/add:"), st.form("save-segment", border=False):
        name = st.text_input(t("called"), key="save-name")
        text = st.text_input(t("expression"), key="save-expression")
        if st.form_submit_button(t("save"), type="primary", icon=":material/save:") and name.strip() and text.strip():
            try:
                made = client.post("/segments", {"name": name, "expression": text})
            except Problem as problem:
                session.show_problem(problem)
            else:
                st.success(t("saved_as", id=made["id"], n=number(made["count"])), icon=":material/check:")


def _detail(client: Client, segment: str, may_draft: bool) -> None:
    found = client.get(f"/segments/{segment}/lineage")
    st.code(found["expression"], language="python", wrap_lines=True)
    history: list[dict[str, Any]] = client.get(f"/segments/{segment}/history")
    if history:
        st.subheader(t("count_history"))
        _history(history)
    st.subheader(t("why_changed"))
    _changes(client, segment, history)
    st.subheader(t("lineage"))
    lineage.show(found)
    if may_draft and st.button(t("archive"), key=f"archive-{segment}", icon=":material/archive:"):
        try:
            client.delete(f"/segments/{segment}")
        except Problem as problem:
            session.show_problem(problem)
        else:
            st.rerun()


def _history(history: list[dict[str, Any]]) -> None:
    exact = [h for h in history if isinstance(h["count"], int)]
    if len(exact) > 1:
        frame = pd.DataFrame([{"at": h["as_of"], "count": h["count"]} for h in exact])
        line = alt.Chart(frame).encode(
            x=alt.X("at:T", title=None, axis=alt.Axis(format="%m-%d %H:%M", labelFontSize=12)),
            y=alt.Y("count:Q", title=None, scale=alt.Scale(zero=False), axis=alt.Axis(labelFontSize=12, grid=True)),
        )
        chart = line.mark_line(color=BLUE, strokeWidth=2) + line.mark_point(filled=True, size=70, color=BLUE, opacity=1)
        st.altair_chart(chart.properties(height=200), key="history-picture")
    rows = [
        {
            t("as_of"): session.bank_time(h["as_of"]), t("customers"): number(h["count"]), t("code"): h["segment"],
            t("definition"): h["definition"][7:15],
        }
        for h in history
    ]  # fmt: skip
    st.dataframe(pd.DataFrame(rows), hide_index=True, width="content")


def _changes(client: Client, segment: str, history: list[dict[str, Any]]) -> None:
    if len({(h["as_of"], h["definition"]) for h in history}) < 2:
        st.caption(t("nothing_to_compare"))
        return
    earlier = [h["as_of"] for h in history[1:]]
    since = st.selectbox(
        t("compare_with"), earlier, format_func=session.bank_time, key=f"since-{segment}", width=320
    )  # fmt: skip
    found = client.post("/segments/changes", {"segment": segment, "since": since, "language": language()})
    columns = st.columns(4)
    for column, (label, value) in zip(
        columns,
        ((t("before"), found["before"]), (t("by_data_change"), found["by_data"]), (t("by_definition_change"), found["by_definition"]), (t("after"), found["after"])),
        strict=True,
    ):  # fmt: skip
        signed = f"{value:+,}" if isinstance(value, int) and label in (t("by_data_change"), t("by_definition_change")) else number(value)  # fmt: skip
        column.metric(label, signed, border=True)
    st.markdown("\n".join(f"- {session.plain(sentence)}" for sentence in found["sentences"]))


def _overlap(client: Client, saved: list[dict[str, Any]]) -> None:
    with st.form("overlap-form", border=False):
        labels = {s["name"]: f"{s['id']} · {s['name']}" for s in saved}
        chosen = st.multiselect(
            t("overlap_of"), list(labels), format_func=lambda name: labels.get(name, name), max_selections=4,
            accept_new_options=True, key="overlap-chosen", help=t("overlap_help"),
        )  # fmt: skip
        sent = st.form_submit_button(t("compare"), type="primary", icon=":material/join_inner:")
    if not sent:
        return
    if len(chosen) < 2:
        st.info(t("overlap_help"), icon=":material/info:")
        return
    overlap.show(client.post("/segments/overlap", {"segments": chosen}))
