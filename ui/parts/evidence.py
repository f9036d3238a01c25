"""Where a number comes from, for whoever wants to know."""

from typing import Any

import pandas as pd
import streamlit as st

from ui import session
from ui.session import t


def show(records: list[dict[str, Any]]) -> None:
    """One expander for all evidence of an answer: definition, rows, cut-off, SQL, preview."""
    if not records:
        return
    with st.expander(f"{t('evidence')} ({len(records)})", icon=":material/search:"):
        for record in records:
            st.markdown(f"**{session.plain(record['title'])}** · {record['id']}")
            took = record.get("elapsed_ms", 0)
            facts = [
                t("row_count", rows=f"{record['row_count']:,}"),
                f"{t('as_of')} {session.bank_time(record['as_of'])}",
                f"{took:.0f} ms" if took else "",
            ]
            st.caption(" · ".join(fact for fact in facts if fact))
            if record.get("definition"):
                st.caption(f"{t('definition')}: {session.plain(record['definition'])}")
            if record.get("preview"):
                frame = pd.DataFrame(record["preview"], columns=record.get("columns") or None)
                st.dataframe(frame.fillna("—").astype(str), hide_index=True, width="content")
            parameters = f"\n-- {record['params']}" if record.get("params") else ""
            st.code(record["sql"] + parameters, language="sql", wrap_lines=True)
