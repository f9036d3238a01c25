"""The contact and approval policies in words."""

from typing import Any

import pandas as pd
import streamlit as st

from ui import names, session
from ui.session import language, t


def show(policies: list[dict[str, Any]]) -> None:
    """Each policy it knows as tables; one it does not know as its document."""
    known = {"throttle": _throttle, "approval": _approval}
    for policy in policies:
        title = t(f"policy_{policy['name']}") if policy["name"] in known else policy["name"]
        with st.expander(title, icon=":material/rule:"):
            if policy["name"] in known:
                known[policy["name"]](policy["document"])
            else:
                st.json(policy["document"], expanded=2)
            st.caption(f"{t('digest')} {policy['digest']}")


def _throttle(policy: dict[str, Any]) -> None:
    st.markdown(f"**{t('caps')}**")
    st.table(pd.DataFrame([_cap(cap) for cap in policy["caps"]]), hide_index=True)
    st.markdown(f"**{t('quiet_hours')}**")
    st.table(pd.DataFrame([_quiet(quiet) for quiet in policy["quiet_hours"]]), hide_index=True)
    st.caption(t("defer_expires", hours=f"{policy['defer_expires_hours']:g}"))
    suppression, fit = policy["suppression"], policy["suitability"]
    for category in ("marketing", "service"):
        groups = t("comma").join(session.name(names.REASON, code) for code in suppression.get(category, []))
        st.markdown(f"**{t(f'never_{category}')}** {groups}")
    st.markdown(f"**{t('minimum_age')}** {suppression['minimum_age']}")
    kinds = t("comma").join(session.name(names.PRODUCT, kind) for kind in fit["kinds"])
    st.markdown(f"**{t('suitability')}** {t('suitability_rule', kinds=kinds, days=fit['validity_days'])}")


def _cap(cap: dict[str, Any]) -> dict[str, str]:
    window = cap["window"]
    return {
        t("rule"): session.name(names.LIMIT, cap["name"]),
        t("window"): session.name(names.PERIOD, window["period"])
        if window["window"] == "calendar"
        else t("rolling", days=f"{window['hours'] / 24:g}"),
        t("most"): f"{cap['max']:,}",
        t("beyond"): session.name(names.COUNT, cap["over"]),
        t("not_for"): t("comma").join(session.name(names.CATEGORY, code) for code in cap["exempt_categories"]) or "—",
    }


def _quiet(quiet: dict[str, Any]) -> dict[str, str]:
    hours = t("all_day") if quiet["all_day"] else f"{quiet['start'][:5]} – {quiet['end'][:5]}"
    return {
        t("rule"): session.name(names.LIMIT, quiet["name"]),
        t("channel"): t("comma").join(session.name(names.CHANNEL, code) for code in quiet["channels"]),
        t("window"): hours,
        t("on"): session.name(names.DAYS, quiet["on"]),
        t("beyond"): session.name(names.COUNT, quiet["action"]),
    }


def _approval(policy: dict[str, Any]) -> None:
    rows = [
        {
            t("rule"): _when(rule["when"]) or rule["name"],
            **{t("level_n", n=place): _level(level) for place, level in enumerate(rule["levels"], start=1)},
        }
        for rule in policy["rules"]
    ]
    st.table(pd.DataFrame(rows).fillna("—"), hide_index=True)
    st.caption(t("approval_expires", days=f"{policy['expires_after_days']:g}"))


def _when(when: dict[str, Any]) -> str:
    """The conditions of a rule in words."""
    said = []
    for part in ("touches", "audience", "cost"):
        bounds = when.get(part) or {}
        low, high = bounds.get("min"), bounds.get("max")
        if low is not None or high is not None:
            said.append(
                f"{t(f'by_{part}')} {f'≥ {low:,.0f}' if low is not None else ''}{f'≤ {high:,.0f}' if high is not None else ''}"
            )
    for part, table in (("channels", names.CHANNEL), ("categories", names.CATEGORY), ("product_kinds", names.PRODUCT)):
        if when.get(part):
            said.append(t("comma").join(names.name(table, code, language()) for code in when[part]))
    return t("comma").join(said)


def _level(level: dict[str, Any]) -> str:
    how = "any_of" if level.get("any_of") else "all_of"
    signers = level[how] or {}
    who = [session.name(names.ROLE, role) for role in signers.get("roles", [])] + list(signers.get("people", []))
    return f"{session.name(names.LEVEL, how)} {t('comma').join(who)}"
