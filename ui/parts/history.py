"""The versions of a canvas: who saved which, what each changed, and the difference as a picture."""

from typing import Any

import streamlit as st

from ui import session
from ui.client import Client, Problem
from ui.parts import drawing
from ui.session import language, t


def show(client: Client, canvas: str, version: int, key: str) -> None:
    """All versions up to one, in words; one of them drawn against the one before."""
    try:
        versions: list[dict[str, Any]] = client.get(f"/canvases/{canvas}/history", language=language())["versions"]
    except Problem as problem:
        session.show_problem(problem)
        return
    versions = [one for one in versions if one["version"] <= version]
    for one in reversed(versions):
        st.markdown(
            f"**{t('version_n', n=one['version'])}** · {one['created_by']} · {session.bank_time(one['created_at'])}"
        )
        changes = one["changes"] or [t("first_version")]
        st.markdown("\n".join(f"- {session.plain(change)}" for change in changes))
    later = [one["version"] for one in versions if one["version"] > 1]
    if later:
        chosen = st.select_slider(t("what_changed"), later, value=later[-1], key=f"v-{key}") if later[1:] else later[0]
        _difference(client, canvas, int(chosen))


def _difference(client: Client, canvas: str, version: int) -> None:
    body = {
        "before": {"canvas": f"{canvas}@{version - 1}"},
        "after": {"canvas": f"{canvas}@{version}"},
        "language": language(),
    }
    try:
        drawing.chart(client.post("/canvases/diff", body)["dot"])
    except Problem as problem:
        session.show_problem(problem)
