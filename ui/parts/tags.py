"""Self-service tags: all of them with their freshness, a form to make one, and a closer look."""

from typing import Any

import pandas as pd
import streamlit as st

from ui import names, session
from ui.client import Client, Problem
from ui.parts import lineage
from ui.parts.overlap import number
from ui.session import language, t


def show(client: Client, saved: list[dict[str, Any]], may_draft: bool) -> None:
    st.caption(t("tags_note"))
    if may_draft:
        _create(client, saved)
    found: list[dict[str, Any]] = client.get("/tags")
    if not found:
        st.caption(t("no_tags"))
        return
    _warn(found)
    st.dataframe(pd.DataFrame([_row(tag) for tag in found]), hide_index=True)
    chosen = st.selectbox(t("look_closer"), [tag["name"] for tag in found], key="tag-chosen")
    if chosen:
        _detail(client, chosen, may_draft)


def _warn(found: list[dict[str, Any]]) -> None:
    for state, icon in (("expired", "event_busy"), ("failed", "error"), ("expiring", "hourglass_bottom")):
        listed = [
            f"{tag['name']} ({session.bank_time(tag['expires_at'])[:10]})" for tag in found if tag["state"] == state
        ]
        if listed:
            st.warning(f"{session.name(names.TAG_STATE, state)}: {t('comma').join(listed)}", icon=f":material/{icon}:")


def _row(tag: dict[str, Any]) -> dict[str, str]:
    return {
        t("code"): tag["name"],
        t("called"): tag[language()],
        t("owner"): tag["owner"],
        t("customers"): number(tag["size"]),
        t("state"): session.name(names.TAG_STATE, tag["state"]),
        t("as_of"): session.bank_time(tag["as_of"]),
        t("recomputed"): schedule(tag),
        t("ends"): session.bank_time(tag["expires_at"])[:10],
        t("expression"): tag["expression"],
    }


def schedule(tag: dict[str, Any]) -> str:
    if tag["weekday"] is None:
        return t("daily_at", hour=tag["hour"])
    return t("weekly_at", day=session.name(names.WEEKDAY, str(tag["weekday"])), hour=tag["hour"])


def _create(client: Client, saved: list[dict[str, Any]]) -> None:
    with st.expander(t("make_tag"), icon=":material/new_label:"), st.form("tag-form", border=False):
        left, right = st.columns(2)
        name = left.text_input(t("code"), key="tag-name", placeholder="high_value_q4")
        expression = left.text_input(
            t("expression"), key="tag-expression", placeholder=saved[0]["name"] if saved else ""
        )
        zh = left.text_input(t("name_zh"), key="tag-zh")
        en = left.text_input(t("name_en"), key="tag-en")
        every_words = {every: session.name(names.EVERY, every) for every in names.EVERY}
        weekday_words = {day: session.name(names.WEEKDAY, day) for day in names.WEEKDAY}
        every = right.selectbox(t("recomputed"), list(names.EVERY), format_func=every_words.__getitem__, key="tag-every")  # fmt: skip
        weekday = right.selectbox(t("weekday"), list(names.WEEKDAY), format_func=weekday_words.__getitem__, key="tag-weekday")  # fmt: skip
        hour = right.number_input(t("hour"), 0, 23, 6, key="tag-hour")
        days = right.number_input(t("lives_days"), 1, 366, 90, key="tag-days")
        if not st.form_submit_button(t("make_tag"), type="primary", icon=":material/new_label:"):
            return
        asked = {
            "name": name.strip(), "expression": expression, "zh": zh, "en": en, "every": every, "hour": int(hour),
            "weekday": int(weekday) if every == "weekly" else None, "days": int(days),
        }  # fmt: skip
        try:
            made = client.post("/tags", asked)
        except Problem as problem:
            session.show_problem(problem)
        else:
            st.success(t("tag_made", name=made["name"], n=number(made["size"])), icon=":material/check:")


def _detail(client: Client, name: str, may_draft: bool) -> None:
    tag = client.get(f"/tags/{name}")
    if tag["problem"]:
        st.error(session.plain(tag["problem"]), icon=":material/error:")
    if may_draft:
        with st.container(horizontal=True):
            actions = (
                ("renew", t("tag_renew"), "update"),
                ("refresh", t("tag_refresh"), "sync"),
                ("remove", t("remove"), "delete"),
            )
            for action, label, icon in actions:
                if st.button(label, key=f"{action}-{name}", icon=f":material/{icon}:"):
                    _act(client, action, name)
    runs = [
        {
            t("run_at"): session.bank_time(r["run_at"]), t("as_of"): session.bank_time(r["as_of"]),
            t("customers"): number(r["size"]), t("entered"): number(r["entered"]), t("left_them"): number(r["lost"]),
            t("problem"): r["problem"],
        }
        for r in tag["runs"]
    ]  # fmt: skip
    st.dataframe(pd.DataFrame(runs), hide_index=True, width="content")
    lineage.show(tag["lineage"])


def _act(client: Client, action: str, name: str) -> None:
    try:
        if action == "remove":
            client.delete(f"/tags/{name}")
        else:
            client.post(f"/tags/{name}/{action}", {} if action == "renew" else None)
    except Problem as problem:
        session.show_problem(problem)
    else:
        st.rerun()
