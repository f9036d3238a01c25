"""One answer: the reply, pictures and tables of its results, what can be done next, the question, the evidence."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from ui import names, session
from ui.parts import evidence, history, results
from ui.session import language, t


def show(turn: dict[str, Any], key: str, *, clickable: bool) -> str | None:
    """Draw an answer. Returns the option that was clicked, if one was."""
    st.markdown(session.markdown(turn["reply"]))
    calls = turn.get("calls", [])
    for place, call in enumerate(calls):
        if call["ok"]:
            results.show(call, key=f"{key}-{place}")
    clicked = _question(turn.get("question"), key, clickable=clickable)
    _next(turn, key)
    evidence.show(turn.get("evidence", []))
    _steps(turn)
    return clicked


def _question(question: dict[str, Any] | None, key: str, *, clickable: bool) -> str | None:
    """The options as buttons while this is the last turn; afterwards the reply's words tell what was offered."""
    if not question or not clickable:
        return None
    clicked = None
    with st.container(horizontal=True):
        for place, option in enumerate(question["options"]):
            if st.button(option, key=f"q-{key}-{place}"):
                clicked = str(option)
    return clicked


def _next(turn: dict[str, Any], key: str) -> None:
    """The file of a canvas that this turn made, and the way to a proposal that it submitted."""
    done = {call["tool"] for call in turn.get("calls", []) if call["ok"]}
    canvas, proposal = turn.get("canvas"), turn.get("proposal")
    with st.container(horizontal=True):
        if canvas and done & {"draft_canvas", "edit_canvas"}:
            st.download_button(
                t("canvas_file"), _canvas_text(canvas["id"], canvas["version"]), on_click="ignore", key=f"yaml-{key}",
                file_name=f"{canvas['id']}-v{canvas['version']}.yaml", mime="application/yaml", icon=":material/download:",
            )  # fmt: skip
        if proposal and done & {"submit_for_approval", "get_status"}:
            st.page_link(
                st.session_state["pages"]["approvals"],
                label=t("to_proposal", id=proposal["id"]),
                icon=":material/approval:",
                query_params={"proposal": proposal["id"]},
            )
    if canvas and "edit_canvas" in done and st.toggle(t("versions"), key=f"versions-{key}"):
        history.show(session.client(), canvas["id"], canvas["version"], key)


def _canvas_text(canvas: str, version: int) -> Callable[[], bytes]:
    """Fetched when it is asked for; a page of many turns asks for none."""
    client = session.client()
    return lambda: str(client.get(f"/canvases/{canvas}", version=version)["text"]).encode()


def _steps(turn: dict[str, Any]) -> None:
    with st.expander(t("steps"), icon=":material/route:"):
        for call in turn.get("calls", []):
            mark = ":material/check_circle:" if call["ok"] else ":material/warning:"
            st.markdown(f"{mark} {names.name(names.TOOL, call['tool'], language())}")
            given = {word: value for word, value in call["args"].items() if value not in (None, "", [])}
            if given:
                lines = (f"{word}: {value}" for word, value in given.items())
                st.code("\n".join(lines), language=None, wrap_lines=True)
            if call["error"]:
                st.caption(session.plain(call["error"]))
        st.caption(f"{t('model')}: {turn['model']} · {turn['usage']['elapsed_ms']:,.0f} ms")
