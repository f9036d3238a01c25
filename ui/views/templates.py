"""Templates of head office: choose one, fill in its form, see the canvas at once, go on in the conversation."""

from typing import Any

import streamlit as st

from ui import session
from ui.client import Client, Problem
from ui.parts import drawing
from ui.session import language, t

NONE = ""


def page() -> None:
    st.title(t("templates"))
    st.caption(t("templates_note"))
    client = session.client()
    try:
        found: list[dict[str, Any]] = client.get("/templates", language=language())
    except Problem as problem:
        session.show_problem(problem)
        return
    index = {template["id"]: template for template in found}
    chosen = st.pills(
        t("template"), list(index), format_func=lambda id_: index[id_]["title"], default=found[0]["id"],
        key="template", required=True, label_visibility="collapsed",
    )  # fmt: skip
    template = index[str(chosen)]
    st.markdown(session.markdown(template["description"]))
    form, picture = st.columns([2, 3], gap="large")
    with form:
        values = {p["name"]: _field(template["id"], p) for p in template["parameters"]}
        with st.expander(t("locked"), icon=":material/lock:"):
            st.caption(t("locked_note"))
            st.markdown("\n".join(f"- `{path}`" for path in template["locked"]))
    with picture:
        _canvas(client, template, values)


def _field(template: str, parameter: dict[str, Any]) -> str | int | float | bool | None:
    """One parameter as the widget of its kind; None where it takes its default."""
    key = f"p-{template}-{parameter['name']}"
    label, hint, default = parameter["title"], parameter["help"], parameter["default"]
    match parameter["kind"]:
        case "integer":
            return int(
                st.number_input(
                    label, min_value=int(parameter["minimum"]), max_value=int(parameter["maximum"]), value=int(default),
                    step=1, help=hint, key=key,
                )
            )  # fmt: skip
        case "number":
            return float(
                st.number_input(
                    label, min_value=float(parameter["minimum"]), max_value=float(parameter["maximum"]),
                    value=float(default), help=hint, key=key, format="%g",
                )
            )  # fmt: skip
        case "boolean":
            return st.toggle(label, value=bool(default), help=hint, key=key)
        case "choice":
            options = parameter["options"]
            return str(st.selectbox(label, options, index=options.index(default), help=hint, key=key))
        case "product" | "benefit":
            choices = {NONE: t("none_chosen")} | {c["value"]: c["label"] for c in parameter["choices"]}
            value = st.selectbox(label, list(choices), format_func=choices.__getitem__, help=hint, key=key)
            return None if value == NONE else value
        case _:
            return st.text_input(label, value=str(default or ""), help=hint, key=key).strip() or None


def _canvas(client: Client, template: dict[str, Any], values: dict[str, Any]) -> None:
    try:
        made = client.post(f"/templates/{template['id']}", {"parameters": values, "language": language()})
    except Problem as problem:
        session.show_problem(problem)
        return
    st.markdown(session.plain(made["summary"]))
    for finding in made["findings"]:
        said = f"{finding['message']} {finding['fix']}"
        (st.error if finding["severity"] == "error" else st.caption)(session.plain(said))
    with st.container(horizontal=True):
        if st.button(t("go_on_in_chat"), icon=":material/forum:", type="primary", disabled=not made["ok"]):
            st.session_state["request"] = made["request"]
            st.session_state["thread"] = None
            st.switch_page(st.session_state["pages"]["chat"])
        st.download_button(
            t("canvas_file"), made["text"], file_name=f"{template['id']}.yaml", mime="application/yaml",
            icon=":material/download:", on_click="ignore",
        )  # fmt: skip
    drawing.chart(made["dot"])
