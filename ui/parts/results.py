"""Pictures of tool results, under the reply that says them in words."""

from collections.abc import Callable
from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from ui import names, session
from ui.parts import drawing
from ui.session import t

Result = dict[str, Any]
BLUE, DARK, GREY = "#1F5FAE", "#12365F", "#8A94A3"
ROW = 30


def show(call: dict[str, Any], key: str) -> None:
    """Draw what is better looked at than read; the words stand in the reply already."""
    draw = DRAWN.get(call["tool"])
    if draw:
        draw(call["result"], key)


def _segment(result: Result, key: str) -> None:
    rows = result.get("breakdown") or []
    if rows:
        bars([(r["label"], r["count"]) for r in rows], result["by_label"], f"bars-{key}")
        table_file(
            pd.DataFrame(
                [{result["by_label"]: r["label"], t("customers"): r["count"], t("share"): r["share"]} for r in rows]
            ),
            f"{result['id']}-{result['by']}.csv",
            f"csv-{key}",
        )


def _canvas(result: Result, key: str) -> None:
    drawing.chart(result["dot"])


def _throttle(result: Result, key: str) -> None:
    if result.get("waterfall"):
        bars([(s["words"], s["count"]) for s in result["waterfall"]], t("waterfall"), f"fall-{key}")


def _read_out(result: Result, key: str) -> None:
    verdict(result)
    differences(result, key)


def verdict(read: Result) -> None:
    """May causal words be used?"""
    if read.get("causal"):
        st.badge(t("causal"), icon=":material/verified:", color="green")
    else:
        st.badge(t("association"), icon=":material/link:", color="orange")


def differences(read: Result, key: str) -> None:
    """The differences to the control with their intervals, where there are any."""
    effects = [(arm(e["arm"]), e["effect"]) for e in read.get("effects", []) if e.get("effect")]
    effects += [(g[session.language()], g["effect"]) for g in read.get("groups", []) if g.get("effect")]
    if effects:
        intervals(effects, read.get("unit", ""), f"effects-{key}")


def arm(code: str) -> str:
    return names.arm(code, session.language())


def table_file(frame: pd.DataFrame, file_name: str, key: str) -> None:
    """A table as CSV; with a byte-order mark, so that Excel reads the Chinese."""
    st.download_button(
        t("table_file"), frame.to_csv(index=False).encode("utf-8-sig"), file_name=file_name, mime="text/csv", key=key,
        icon=":material/download:", on_click="ignore",
    )  # fmt: skip


def bars(rows: list[tuple[str, int | str]], title: str, key: str) -> None:
    """Horizontal bars in the order given, each with its number. A hidden count ('<10') has its words and no bar."""
    frame = pd.DataFrame(
        [
            {"label": label, "count": n if isinstance(n, int) else 0, "words": f"{n:,}" if isinstance(n, int) else n}
            for label, n in rows
        ]
    )
    top = max(1, int(frame["count"].max()))
    base = alt.Chart(frame).encode(
        y=alt.Y(
            "label:N",
            sort=None,
            title=None,
            axis=alt.Axis(labelLimit=320, labelFontSize=13, labelOverlap=False, ticks=False),
        ),
        x=alt.X("count:Q", title=None, axis=None, scale=alt.Scale(domain=[0, top * 1.15])),
    )
    chart = (
        base.mark_bar(color=BLUE, cornerRadiusEnd=3, height={"band": 0.7})
        + base.mark_text(align="left", dx=5, fontSize=13).encode(text="words:N")
    ).properties(height=ROW * len(frame) + 50)
    if title:
        chart = chart.properties(title=alt.Title(title, anchor="start", fontSize=13))
    st.altair_chart(chart.configure_view(stroke=None), key=key)


def intervals(effects: list[tuple[str, Result]], unit: str, key: str) -> None:
    """Differences to the control with their 95 % intervals, and a line at no difference. Shares are in points."""
    scale = 100 if unit in ("rate", "share") else 1
    title = f"{t('difference')} ({t('points') if scale == 100 else unit or t('value')}) · {t('interval')}"
    frame = pd.DataFrame(
        [
            {"arm": label, "diff": e["diff"] * scale, "low": e["ci"][0] * scale, "high": e["ci"][1] * scale}
            for label, e in effects
        ]
    )
    base = alt.Chart(frame).encode(
        y=alt.Y("arm:N", sort=None, title=None, axis=alt.Axis(labelLimit=320, labelFontSize=13, labelOverlap=False))
    )
    rule = base.mark_rule(strokeWidth=3, color=BLUE).encode(
        x=alt.X("low:Q", title=title, axis=alt.Axis(format="+,.4~g", grid=True, labelFontSize=12, titleFontSize=12)),
        x2="high:Q",
    )
    dot = base.mark_point(filled=True, size=110, color=DARK, opacity=1).encode(x="diff:Q")
    words = base.mark_text(dy=-13, fontSize=12).encode(x="diff:Q", text=alt.Text("diff:Q", format="+,.2f"))
    zero = alt.Chart(pd.DataFrame({"x": [0]})).mark_rule(strokeDash=[4, 4], color=GREY).encode(x="x:Q")
    st.altair_chart((zero + rule + dot + words).properties(height=46 * len(frame) + 60), key=key)


DRAWN: dict[str, Callable[[Result, str], None]] = {
    "query_segment": _segment,
    "draft_canvas": _canvas,
    "edit_canvas": _canvas,
    "dry_run_canvas": _canvas,
    "check_throttle": _throttle,
    "analyze_campaign": _read_out,
}
