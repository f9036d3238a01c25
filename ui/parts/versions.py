"""The versions of the contact policy: since when, by whom, and what each made tighter or looser. To be read only."""

from typing import Any

import pandas as pd
import streamlit as st

from ui import names, session
from ui.client import Client
from ui.session import language, t

COLOURS = {"tighter": "green", "looser": "orange", "other": "gray"}


def show(client: Client) -> None:
    """Raises: Problem."""
    history: list[dict[str, Any]] = client.get("/policy/history")
    check: dict[str, Any] = client.get("/policy/check")
    st.markdown(f"**{t('policy_versions')}**")
    for finding in check["findings"]:
        _finding(finding)
    rows = [
        {
            t("version"): str(version["version"]),
            t("since"): session.bank_time(version["since"]),
            t("who"): version["person"],
            # What nobody vouched for was picked up from the file, and says so in the reader's language.
            t("note"): t("policy_from_file") if version["account"] == "system" else version["note"],
            t("digest"): version["digest"][:19],
        }
        for version in history
    ]
    st.table(pd.DataFrame(rows), hide_index=True)
    choices = [str(version["version"]) for version in history]
    chosen = st.selectbox(t("version"), choices, key="policy-version", width=160)
    _difference(client.get("/policy/diff", after=chosen))


def _finding(finding: dict[str, Any]) -> None:
    zh = language() == "zh"
    text = f"`{finding['place']}` {session.plain(finding['zh' if zh else 'en'])}"
    fix = f":material/build: {session.plain(finding['fix_zh' if zh else 'fix_en'])}"
    show_it = st.error if finding["severity"] == "error" else st.warning
    show_it(f"{text}\n\n{fix}", icon=":material/rule:")


def _difference(found: dict[str, Any]) -> None:
    before = t("standard_policy") if found["before"] == "default" else found["before"]
    st.caption(f"{before} → {found['after']}")
    if not found["changes"]:
        st.caption(t("policy_same"))
    for change in found["changes"]:
        with st.container(horizontal=True, vertical_alignment="center"):
            direction = change["direction"]
            st.badge(session.name(names.DIRECTION, direction), color=COLOURS[direction])  # type: ignore[arg-type]
            st.markdown(session.plain(change[language()]))
