"""How far a proposal is signed, what happened to it, and how far its release is."""

from typing import Any

import pandas as pd
import streamlit as st

from ui import names, session
from ui.session import language, t

MARKS = {"done": ":material/check_circle:", "open": ":material/pending:", "waiting": ":material/hourglass_empty:"}


def show(view: dict[str, Any]) -> None:
    st.subheader(t("levels"))
    if not view["levels"]:
        st.warning(t("no_levels"), icon=":material/block:")
    for place, level in enumerate(view["levels"], start=1):
        _level(place, level)
    for decision in view["decisions"]:
        with st.container(border=True):
            verdict = session.name(names.DECISION, decision["decision"])
            level = session.name(names.LEVEL, decision["level"])
            when = session.bank_time(decision["decided_at"])
            st.markdown(f":material/draw: **{session.plain(decision['account'])}** {verdict} · {level} · {when}")
            if decision["comment"]:
                st.markdown(session.plain(decision["comment"]))
    _release(view)
    _history(view)


def _level(place: int, level: dict[str, Any]) -> None:
    signed = t("comma").join(session.plain(person) for person in level["signed_by"])
    missing = t("comma").join(names.needs(need, language()) for need in level["needs"])
    words = [
        f"{MARKS.get(level['state'], '')} **{place}. {session.name(names.LEVEL, level['name'])}**",
        session.name(names.LEVEL, level["kind"]),
        f"{t('signed')} {signed}" if signed else "",
        f"{t('missing')} {missing}" if missing else "",
    ]
    st.markdown(" · ".join(word for word in words if word))


def _release(view: dict[str, Any]) -> None:
    if not view["waves"]:
        return
    st.subheader(t("release"))
    rows = [
        {
            t("release_step"): session.name(names.RELEASE_STEP, wave["step"]),
            t("batch"): wave["wave"],
            t("when"): session.bank_time(wave["done_at"] or wave["claimed_at"]),
            t("counted"): _counts(wave["counts"] or {}),
        }
        for wave in view["waves"]
    ]
    st.table(pd.DataFrame(rows), hide_index=True)


def _counts(counts: dict[str, Any]) -> str:
    """Numbers of a batch in words; numbers within numbers are flattened, zeros and what is no number left out."""
    said = []
    for code, n in counts.items():
        if isinstance(n, dict):
            said.append(_counts(n))
        elif isinstance(n, int) and not isinstance(n, bool) and n:
            said.append(f"{session.name(names.COUNT, code)} {n:,}")
    return t("comma").join(word for word in said if word)


def _history(view: dict[str, Any]) -> None:
    with st.expander(t("history"), icon=":material/history:"):
        rows = [
            {
                t("when"): session.bank_time(move["moved_at"]),
                t("who"): move["account"],
                t("status"): names.status(move["after"], language()),
                t("comment"): session.name(names.DECISION, move["why"]),
            }
            for move in view["moves"]
        ]
        st.table(pd.DataFrame(rows), hide_index=True)
