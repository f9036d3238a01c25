"""What the bank's data means, an expression to try, and the rules that apply (read-only)."""

from typing import Any

import pandas as pd
import streamlit as st

from ui import names, session
from ui.client import Client, Problem
from ui.parts import rules, versions
from ui.session import language, t

PARTS = ("attributes", "events", "metrics", "terms")


def page() -> None:
    st.title(t("data"))
    client = session.client()
    try:
        catalog: dict[str, Any] = client.get("/catalog")
        policies: list[dict[str, Any]] = client.get("/policies")
        _expression(client, catalog)
        _catalog(client, catalog)
    except Problem as problem:
        session.show_problem(problem)
        return
    st.subheader(t("policies"))
    rules.show(policies)
    try:
        versions.show(client)
    except Problem as problem:
        session.show_problem(problem)


def _expression(client: Client, catalog: dict[str, Any]) -> None:
    st.subheader(t("try_expression"))
    first = next((a["name"] for a in catalog["attributes"] if a["kind"] == "bool"), "everyone")
    with st.form("expression-form", border=False):
        text = st.text_input(t("try_expression"), value=first, label_visibility="collapsed", key="expression")
        sent = st.form_submit_button(t("count"), type="primary", icon=":material/calculate:")
    if not (sent and text.strip()):
        return
    try:
        found = client.post("/segments/count", {"expression": text})
    except Problem as problem:
        session.show_problem(problem)
        return
    columns = st.columns(3)
    for column, (title, n) in zip(
        columns,
        ((t("customers"), found["count"]), (t("of_all"), found["total"]), (t("unknown"), found["unknown"])),
        strict=True,
    ):
        column.metric(title, f"{n:,}" if isinstance(n, int) else n, border=True)
    st.code(found["expression"], language="python", wrap_lines=True)
    with st.expander("SQL", icon=":material/code:"):
        st.code(found["sql"], language="sql", wrap_lines=True)


def _catalog(client: Client, catalog: dict[str, Any]) -> None:
    st.subheader(t("catalog"))
    query = st.text_input(t("search"), key="catalog-query", icon=":material/search:")
    if query.strip():
        hits = client.get("/catalog/search", q=query, limit=12)
        if hits:
            _table([_hit(hit) for hit in hits])
        else:
            st.caption(t("nothing_found"))
    for tab, part in zip(st.tabs([t(part) for part in PARTS]), PARTS, strict=True):
        with tab:
            _table([_row(entry) for entry in catalog.get(part, [])])


def _table(rows: list[dict[str, str]]) -> None:
    frame = pd.DataFrame(rows)
    wide = {t("definition"): st.column_config.TextColumn(width="large")}
    st.dataframe(frame.loc[:, (frame != "").any()], hide_index=True, column_config=wide)


def _hit(hit: dict[str, Any]) -> dict[str, str]:
    return {
        t("called"): hit[language()],
        t("code"): hit["name"],
        t("kind"): session.name(names.VALUE_KIND, hit["kind"]),
        t("definition"): hit[f"definition_{language()}"],
    }


def _row(entry: dict[str, Any]) -> dict[str, str]:
    entry_words = entry["words"]
    values = [value.get(language(), value["value"]) for value in entry.get("values", [])]
    return {
        t("called"): entry_words[language()],
        t("code"): entry["name"],
        t("kind"): session.name(names.VALUE_KIND, entry["kind"]) if entry.get("kind") else "",
        t("definition"): entry.get(f"definition_{language()}", "") or entry.get("expression", ""),
        t("values"): t("comma").join(values[:12]) + ("…" if len(values) > 12 else ""),
        t("synonyms"): t("comma").join(entry_words.get(f"synonyms_{language()}", [])),
    }
