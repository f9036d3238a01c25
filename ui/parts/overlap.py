"""The overlap of segments as an UpSet picture: a bar for every combination, dots below it for the segments it is in."""

from typing import Any

import altair as alt
import pandas as pd
import streamlit as st

from ui.parts.results import BLUE, DARK
from ui.session import t

LETTERS = "ABCD"
GREY = "#D5DAE1"
STEP = 58


def show(found: dict[str, Any]) -> None:
    """Sizes, the picture, and the pairs as a table. Withheld numbers have their word and no bar."""
    for column, (letter, one) in zip(
        st.columns(len(found["sets"])), zip(LETTERS, found["sets"], strict=False), strict=True
    ):
        column.metric(f"{letter} · {one['label']}", number(one["count"]), border=True)
        column.caption(f"{t('only_here')} {number(one['only'])}")
    st.altair_chart(_upset(found), key="overlap-picture")
    rows = [
        {
            t("pair"): f"{LETTERS[p['first']]} ∩ {LETTERS[p['second']]}",
            t("both"): number(p["both"]),
            t("of_first"): share(p["of_first"]),
            t("of_second"): share(p["of_second"]),
        }
        for p in found["pairs"]
    ]
    st.table(pd.DataFrame(rows), hide_index=True)
    st.caption(t("together", n=number(found["union"]), total=number(found["total"])))


def _upset(found: dict[str, Any]) -> alt.VConcatChart:
    names = [f"{LETTERS[i]} {one['label']}"[:28] for i, one in enumerate(found["sets"])]
    ordered = sorted(found["regions"], key=lambda r: -(r["count"] if isinstance(r["count"], int) else 0))
    keys = ["".join(LETTERS[i] for i in region["inside"]) for region in ordered]
    bars = pd.DataFrame(
        {
            "key": keys,
            "count": [r["count"] if isinstance(r["count"], int) else 0 for r in ordered],
            "words": [number(r["count"]) for r in ordered],
        }
    )
    dots = pd.DataFrame(
        [
            {"key": key, "set": name, "inside": place in region["inside"]}
            for key, region in zip(keys, ordered, strict=True)
            for place, name in enumerate(names)
        ]
    )
    x = alt.X("key:N", sort=keys, axis=None)
    base = alt.Chart(bars).encode(x=x, y=alt.Y("count:Q", axis=None, scale=alt.Scale(domain=[0, int(bars["count"].max() or 1) * 1.15])))  # fmt: skip
    above = (
        base.mark_bar(color=BLUE, cornerRadiusEnd=3, width=30)
        + base.mark_text(dy=-8, fontSize=13).encode(text="words:N")
    ).properties(width=STEP * len(keys), height=190)
    y = alt.Y(
        "set:N", sort=names, title=None, axis=alt.Axis(labelLimit=240, labelFontSize=13, ticks=False, domain=False)
    )
    below = (
        alt.Chart(dots)
        .mark_circle(size=170, opacity=1)
        .encode(x=x, y=y, color=alt.condition("datum.inside", alt.value(DARK), alt.value(GREY)))
        .properties(width=STEP * len(keys), height=30 * len(names))
    )
    picture: alt.VConcatChart = alt.vconcat(above, below, spacing=4).configure_view(stroke=None)
    return picture


def number(count: int | str | None) -> str:
    if count is None:
        return "—"
    return f"{count:,}" if isinstance(count, int) else t("withheld") if count == "withheld" else count


def share(value: float | None) -> str:
    return "—" if value is None else f"{value:.1%}"
