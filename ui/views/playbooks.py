"""The playbooks: what works for which scenario, ready to be asked for."""

from typing import Any

import pandas as pd
import streamlit as st

from ui import names, session
from ui.client import Problem
from ui.session import language, t


def page() -> None:
    st.title(t("playbooks"))
    st.caption(t("playbooks_note"))
    try:
        playbooks: list[dict[str, Any]] = session.client().get("/playbooks")
        events = {entry["name"]: entry["words"][language()] for entry in session.client().get("/catalog")["events"]}
    except Problem as problem:
        session.show_problem(problem)
        return
    for playbook in playbooks:
        _playbook(playbook, events)


def _playbook(playbook: dict[str, Any], events: dict[str, str]) -> None:
    def both(value: dict[str, str]) -> str:
        return session.markdown(value[language()])

    with st.expander(both(playbook["title"]), icon=":material/menu_book:"):
        st.markdown(both(playbook["scenario"]))
        st.markdown(f"**{t('audience')}** {both(playbook['audience']['words'])}")
        st.code(playbook["audience"]["expression"], language="python", wrap_lines=True)
        st.markdown(f"**{t('waves')}**")
        st.table(pd.DataFrame([_wave(wave) for wave in playbook["waves"]]), hide_index=True)
        goal = playbook["goal"]
        where = f" `{goal['where']}`" if goal["where"] else ""
        event = events.get(goal["event"], goal["event"])
        st.markdown(f"**{t('goal')}** {t('goal_words', days=goal['window_days'], event=event)}{where}")
        st.markdown(f"**{t('holdout')}** {playbook['holdout_percent']:g}%")
        for title, part in (("benefits", "benefits"), ("guardrails", "guardrails"), ("cautions", "cautions")):
            if playbook.get(part):
                st.markdown(f"**{t(title)}**\n" + "\n".join(f"- {both(entry)}" for entry in playbook[part]))
        if playbook.get("evidence"):
            st.markdown(f"**{t('figures')}**")
            for entry in playbook["evidence"]:
                st.markdown(f"- {both(entry['figure'])}")
                st.caption(f"{both(entry['origin'])} · {both(entry['limits'])}")
        example = playbook["examples"][language()][0]
        if st.button(f"{t('ask_this')}: {example}", icon=":material/forum:", key=f"ask-{playbook['id']}"):
            st.session_state["request"] = example
            st.session_state["thread"] = None
            st.switch_page(st.session_state["pages"]["chat"])


def _wave(wave: dict[str, Any]) -> dict[str, str]:
    hour = f" {wave['hour']:02d}:00" if wave.get("hour") is not None else ""
    only = {"all": t("only_all"), "goal_not_reached": t("only_goal")}
    return {
        t("day"): f"{t('day_n', n=wave['day'])}{hour}",
        t("channel"): session.name(names.CHANNEL, wave["channel"]),
        t("to_whom"): only.get(wave["only_if"], wave["only_if"]),
        t("text"): wave["text"][language()],
    }
