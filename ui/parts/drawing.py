"""Canvases as pictures, drawn by the server."""

import json
from typing import Any

import streamlit as st

from ui import session
from ui.client import Client, Problem


def chart(dot: str) -> None:
    """A picture from DOT text."""
    st.graphviz_chart(dot, width="content")


def show(client: Client, document: dict[str, Any]) -> None:
    """Draw a canvas from its document: what is shown is the content itself, not whatever an id means today."""
    body = {"document": json.dumps(document, ensure_ascii=False), "language": session.language()}
    try:
        drawing = client.post("/canvases/draw", body)
    except Problem as problem:
        session.show_problem(problem)
        return
    chart(drawing["dot"])
