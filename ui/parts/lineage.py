"""What something rests on and who rests on it, as a drawing and as words; and how old that is."""

from typing import Any

import pandas as pd
import streamlit as st

from ui import names, session
from ui.parts import drawing
from ui.session import t


def show(found: dict[str, Any]) -> None:
    drawing.chart(found["dot"])
    for heading, items in ((t("rests_on"), found["uses"]), (t("used_by"), found["users"])):
        st.markdown(f"**{heading}**")
        if not items:
            st.caption(t("nobody"))
            continue
        rows = [
            {
                t("kind"): session.name(names.LINEAGE, item["kind"]),
                t("code"): item["id"],
                t("called"): item["name"] if session.language() == "zh" or item["kind"] in names.OWN_NAMES else "",
                t("through"): item["via"],
            }
            for item in items
        ]
        frame = pd.DataFrame(rows)
        st.dataframe(frame.loc[:, (frame != "").any()], hide_index=True)
    _ages(found["ages"])


def _ages(ages: list[dict[str, Any]]) -> None:
    if not ages:
        return
    st.markdown(f"**{t('age_of_data')}**")
    with st.container(horizontal=True):
        for age in ages:
            label = f"{session.name(names.AGED, age['what'])} {session.plain(age['name'])}".strip()
            hours = age["hours"]
            old = (
                "—"
                if hours is None
                else t("hours_ago", n=f"{hours:.0f}")
                if hours < 48
                else t("days_ago", n=f"{hours / 24:.0f}")
            )
            st.badge(f"{label} · {old}", color="orange" if age["stale"] else "green", icon=":material/schedule:")
