"""Uploaded lists: upload with a match report, versions, and who uses them."""

from typing import Any

import pandas as pd
import streamlit as st

from ui import names, session
from ui.client import Client, Problem
from ui.parts.overlap import number
from ui.parts.results import bars
from ui.session import t

REPORT = ("unique", "several", "unknown", "duplicates", "malformed", "blank")
"""What rows can be, in the order in which they are shown; they add up to all rows."""


def show(client: Client, may_draft: bool) -> None:
    st.caption(t("lists_note"))
    if may_draft:
        _upload(client)
    found: list[dict[str, Any]] = client.get("/lists")
    if not found:
        st.caption(t("no_lists"))
        return
    st.dataframe(
        pd.DataFrame(
            [
                {
                    t("called"): one["name"], t("version"): one["version"], t("customers"): number(one["size"]),
                    t("named_by"): session.name(names.NAMED, one["named"]), t("owner"): one["uploaded_by"],
                    t("uploaded_at"): session.bank_time(one["created_at"]),
                }
                for one in found
            ]
        ),
        hide_index=True,
    )  # fmt: skip
    chosen = st.selectbox(t("look_closer"), [one["name"] for one in found if "/" not in one["name"]], key="list-chosen")
    if chosen:
        view = client.get(f"/lists/{chosen}")
        report(view)
        st.caption(f"{t('used_by')}: {session.plain(t('comma').join(view['users'])) or t('nobody')}")


def _upload(client: Client) -> None:
    with st.expander(t("upload_list"), icon=":material/upload:"), st.form("list-form", border=False):
        name = st.text_input(t("called"), key="list-name")
        file = st.file_uploader(t("list_file"), type=["csv", "txt", "parquet"], key="list-file")
        words = {"": t("by_heading")} | {kind: session.name(names.NAMED, kind) for kind in names.NAMED}
        named = st.selectbox(t("named_by"), list(words), format_func=words.__getitem__, key="list-named")
        if not st.form_submit_button(t("upload_list"), type="primary", icon=":material/upload:"):
            return
        if not name.strip() or file is None:
            st.info(t("list_needs"), icon=":material/info:")
            return
        try:
            # The file's own name stays here: it may be personal too.
            made = client.upload("/lists", {"name": name, "named": named}, file.getvalue())
        except Problem as problem:
            session.show_problem(problem)
        else:
            st.success(t("list_made", name=made["name"], n=number(made["size"])), icon=":material/check:")


def report(view: dict[str, Any]) -> None:
    """What became of the rows, as bars; row numbers where something is to be mended."""
    if view["rows"]:
        bars([(session.name(names.MATCH, key), view[key]) for key in REPORT], t("match_report", rows=f"{view['rows']:,}"), "match")  # fmt: skip
    for key, label in (("unknown_rows", "unknown"), ("several_rows", "several"), ("invalid_rows", "malformed")):
        if view[key]:
            rows = t("comma").join(map(str, view[key]))
            st.caption(f"{session.name(names.MATCH, label)}: {t('rows')} {rows}")
    versions = [
        {t("version"): v["version"], t("customers"): number(v["size"]), t("uploaded_at"): session.bank_time(v["created_at"]), "sha256": v["sha256"][:12]}
        for v in view["versions"]
    ]  # fmt: skip
    st.dataframe(pd.DataFrame(versions), hide_index=True, width="content")
