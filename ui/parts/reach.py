"""Whom a proposal reaches: the net-reach waterfall in all and by branch, and what the throttle forecasts."""

from typing import Any

import pandas as pd
import streamlit as st

from ui import names, session
from ui.parts import results
from ui.session import language, t

CHART, TABLE = 370, 465
"""Widths in pixels: beside each other on a wide page, below each other on a narrow one."""


def show(payload: dict[str, Any]) -> None:
    st.subheader(t("waterfall"))
    for number, fall in enumerate(payload["estimates"]["waterfall"], start=1):
        _waterfall(number, fall)
    st.subheader(t("forecast"))
    st.caption(t("forecast_note"))
    _forecast(payload["estimates"]["throttle"])


def _waterfall(number: int, fall: dict[str, Any]) -> None:
    channel = session.name(names.CHANNEL, fall["channel"])
    title = f"{t('wave', n=number)} · {channel} · {session.bank_time(fall['at'])}"
    st.markdown(f"**{title}**")
    labels = [session.name(names.STEP, step["step"]) for step in fall["steps"]]
    counts = [step["count"] for step in fall["steps"]]
    rows = [
        {
            t("step"): label,
            t("left_over"): f"{step['count']:,}",
            t("lost"): f"{step['lost']:,}" if step["lost"] else "—",
            t("because"): names.rules(step["rules"], language()),
        }
        for label, step in zip(labels, fall["steps"], strict=True)
    ]
    with st.container(horizontal=True):
        with st.container(width=CHART):
            results.bars(list(zip(labels, counts, strict=True)), "", f"reach-{number}")
        with st.container(width=TABLE):
            st.table(pd.DataFrame(rows), hide_index=True)
    if fall["branches"]:
        with st.expander(f"{t('by_branch')} · {t('wave', n=number)} {channel}", icon=":material/account_tree:"):
            branches = {branch["name"]: [f"{n:,}" for n in branch["counts"]] for branch in fall["branches"]}
            frame = pd.DataFrame.from_dict(branches, orient="index", columns=labels)
            frame.insert(0, t("branch"), frame.index)
            st.table(frame, hide_index=True)


def _forecast(forecast: list[dict[str, Any]]) -> None:
    rows = [
        {
            t("wave_head"): f"{number} · {session.name(names.CHANNEL, entry['channel'])}",
            t("earliest"): session.bank_time(entry["at"]),
            t("candidates"): f"{entry['candidates']:,}",
            t("send"): f"{entry['send']:,}",
            t("defer"): f"{entry['defer']:,}",
            t("abandon"): f"{entry['abandon']:,}",
            t("because"): names.rules(entry["by_rule"], language()),
        }
        for number, entry in enumerate(forecast, start=1)
    ]
    st.table(pd.DataFrame(rows), hide_index=True)
