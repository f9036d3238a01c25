"""What past campaigns achieved: the read-out with its intervals, or why there is none."""

from typing import Any

import pandas as pd
import streamlit as st

from ui import names, session
from ui.client import Client, Problem
from ui.parts import evidence, results
from ui.session import language, t

SPLITS = ("bool", "category", "integer")
"""Kinds of attributes by which groups make sense; integers such as age are grouped by the server."""
SPACE = "\u00a0"
FIRST = ("age", "city", "tier", "gender", "branch_id")


def page() -> None:
    st.title(t("results"))
    client = session.client()
    try:
        campaigns: list[dict[str, Any]] = client.get("/campaigns")
        catalog: dict[str, Any] = client.get("/catalog")
    except Problem as problem:
        session.show_problem(problem)
        return
    if not campaigns:
        st.info(t("no_campaigns"), icon=":material/info:")
        return
    index = {c["id"]: c for c in campaigns}
    titles = {id_: names.one_side(c["name"] or id_, language()) for id_, c in index.items()}
    chosen = st.selectbox(t("campaign"), list(titles), format_func=titles.__getitem__, key="campaign")
    metrics = {m["name"]: m["words"][language()] for m in catalog["metrics"]}
    attributes = {
        a["name"]: a["words"][language()]
        for a in sorted(catalog["attributes"], key=lambda a: FIRST.index(a["name"]) if a["name"] in FIRST else 99)
        if a["kind"] in SPLITS
    }
    left, right = st.columns(2)
    metric = left.selectbox(
        t("metric"),
        [None, *metrics],
        format_func=lambda code: metrics[code] if code else t("goal_metric"),
        key="metric",
    )
    by = right.selectbox(
        t("by"), [None, *attributes], format_func=lambda code: attributes[code] if code else t("none"), key="by"
    )
    _about(index[chosen])
    _read_out(client, {"campaign": chosen, "metric": metric, "by": by, "language": language()})


def _about(campaign: dict[str, Any]) -> None:
    period = f"{session.bank_time(campaign['started_at'])[:10]} – {session.bank_time(campaign['ended_at'])[:10]}"
    hypothesis = names.one_side(campaign["hypothesis"], language())
    told = f" · {t('hypothesis')} {session.plain(hypothesis)}" if hypothesis else ""
    st.caption(f"{campaign['id']} · {period}{told}")


def _read_out(client: Client, asked: dict[str, Any]) -> None:
    try:
        read: dict[str, Any] = client.post("/analyze", {key: value for key, value in asked.items() if value})
    except Problem as problem:
        session.show_problem(problem)
        return
    unit = read["unit"]
    results.verdict(read)
    if read["definition"]:
        st.markdown(f"**{t('definition')}** {session.plain(read['definition'])}")
    _effects(read["effects"], unit)
    if not read["effect"]:
        st.info(session.name(names.NO_EFFECT, read["reason"]), icon=":material/info:")
    for note in read["notes"]:
        st.markdown(f":material/lightbulb: {session.plain(note)}")
    rows = [
        {
            t("arm"): results.arm(arm["arm"]),
            t("customers"): count(arm["n"]),
            read["metric_label"] or t("mean"): value(arm["mean"], unit),
        }
        for arm in read["arms"]
    ]
    st.table(pd.DataFrame(rows), hide_index=True)
    results.differences(read, key="read-out")
    _groups(read)
    _funnel(read["funnel"])
    _economics(read.get("economics"))
    evidence.show(read["evidence"])


def _effects(effects: list[dict[str, Any]], unit: str) -> None:
    """Each arm against the control: the difference, its interval, and whether it can be told from nothing."""
    rows, unclear = [], False
    for found in effects:
        effect = found["effect"]
        row = {
            t("arm"): results.arm(found["arm"]),
            t("difference"): "—",
            t("interval"): "—",
            "p": "—",
            t("relative"): "—",
        }
        if effect:
            row |= _told(effect, unit)
            unclear |= effect["ci"][0] <= 0 <= effect["ci"][1]
        else:
            row[t("difference")] = session.name(names.NO_EFFECT, found["reason"])
        rows.append(row)
    if rows:
        st.table(pd.DataFrame(rows), hide_index=True)
    if unclear:
        st.markdown(f":material/help: {t('includes_zero')}")


def _told(effect: dict[str, Any], unit: str) -> dict[str, str]:
    low, high = (value(bound, unit, signed=True) for bound in effect["ci"])
    return {
        t("difference"): value(effect["diff"], unit, signed=True),
        t("interval"): f"{low} … {high}",
        "p": p_value(effect["p"]),
        t("relative"): f"{effect['relative']:+.1%}" if effect["relative"] is not None else "—",
    }


def _groups(read: dict[str, Any]) -> None:
    if not read["groups"]:
        return
    st.subheader(t("groups"))
    rows = []
    for group in read["groups"]:
        row = {t("group"): group[language()], t("arm_sizes"): " / ".join(count(arm["n"]) for arm in group["arms"])}
        missing = {t("difference"): "—", t("interval"): session.name(names.NO_EFFECT, group["reason"]), "p": "—"}
        rows.append(row | (_told(group["effect"], read["unit"]) if group["effect"] else missing))
    frame = pd.DataFrame(rows).fillna("—")
    st.table(frame, hide_index=True)
    results.table_file(frame, f"{read['campaign']}-{read['by']}.csv", "groups-csv")


def _funnel(funnel: list[dict[str, Any]]) -> None:
    if not funnel:
        return
    st.subheader(t("funnel"))
    stages = ("touches", "sent", "delivered", "opened", "clicked")
    rows = [
        {
            t("arm"): results.arm(line["arm"]),
            t("channel"): session.name(names.CHANNEL, line["channel"]),
            **{t(f"stage_{stage}"): count(line[stage]) for stage in stages},
        }
        for line in funnel
    ]
    st.table(pd.DataFrame(rows), hide_index=True)


def _economics(money: dict[str, Any] | None) -> None:
    if not money:
        return
    told = {
        "spent": _yuan(money["cost"], 2),
        "per_goal": _yuan(money["cost_per_incremental_goal"], 2),
        "gained": _yuan(money["incremental_amount"], 0),
        "complaints": f"{count(money['complaints'])}",
    }
    if told["spent"] == told["per_goal"] == told["gained"] == "—" and not money["complaints"]:
        return
    st.subheader(t("economics"))
    with st.container(horizontal=True):
        for key, shown in told.items():
            st.metric(t(key), shown, border=True, width=198)
    if money["incremental_amount_ci"]:
        low, high = (_yuan(bound, 0) for bound in money["incremental_amount_ci"])
        st.caption(f"{t('gained')} · {t('interval')}: {low} … {high}")


def _yuan(amount: float | None, digits: int) -> str:
    return "—" if amount is None else f"{'−' if amount < 0 else ''}¥{abs(amount):,.{digits}f}"


def count(n: int | str) -> str:
    """A number of people, or the text that hides a small one."""
    return f"{n:,}" if isinstance(n, int) else n


def p_value(p: float) -> str:
    return f"<{SPACE}0.001" if p < 0.001 else f"{p:.3f}"


def value(amount: float | None, unit: str, *, signed: bool = False) -> str:
    """A figure in its unit; differences of shares are in percentage points."""
    if amount is None:
        return "—"
    sign = "+" if signed else ""
    if unit in ("rate", "share"):
        return f"{amount * 100:{sign}.2f}{SPACE}{t('points')}" if signed else f"{amount:.2%}"
    return f"{amount:{sign},.2f}{SPACE}{unit}".strip()
