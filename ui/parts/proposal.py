"""A proposal as the approver must see it: all of it from the frozen payload, nothing from live ids."""

from typing import Any

import pandas as pd
import streamlit as st

from ui import names, session
from ui.parts import drawing, reach
from ui.session import language, t

FIGURE, CARD, HALF = 198, 415, 415
"""Widths in pixels: beside each other on a wide page, below each other on a narrow one."""


def show(view: dict[str, Any]) -> None:
    """What it is, what it reaches, what protects customers, who had a hand in it."""
    payload: dict[str, Any] = view["payload"]
    _head(view, payload)
    _figures(payload)
    st.subheader(t("canvas"))
    drawing.show(session.client(), payload["canvas"])
    _messages(payload)
    _audience(payload)
    reach.show(payload)
    _safeguards(payload)
    _difference(view)
    _people(view, payload)


def _head(view: dict[str, Any], payload: dict[str, Any]) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.header(session.plain(view["name"]), width="content")
        st.badge(names.status(view["status"], language()), color=names.colour(view["status"]))
    facts = [
        view["id"],
        f"{t('canvas')} {payload['canvas_id']} v{payload['canvas_version']}",
        f"{t('submitted_by')} {session.plain(view['submitted_by'])} · {session.bank_time(view['submitted_at'])}",
        f"{t('expires')} {session.bank_time(view['expires_at'])}",
    ]
    st.caption("　".join(facts))
    with st.container(border=True):
        st.markdown(session.plain(payload["sentence"]))
        if payload["note"]:
            st.markdown(f":material/sticky_note_2: **{t('note')}** {session.plain(payload['note'])}")


def _figures(payload: dict[str, Any]) -> None:
    estimates, audience, canvas = payload["estimates"], payload["audience"], payload["canvas"]
    figures = {
        "audience": f"{audience['count']:,}",
        "max_touches": f"{audience['max_touches']:,}",
        "cost": f"¥{estimates['worst_case_cost']:,.2f}",
        "earliest": session.bank_time(estimates["start"])[5:],
    }
    with st.container(horizontal=True):
        for key, shown in figures.items():
            st.metric(t(key), shown, border=True, width=FIGURE)
    goal, line = canvas["goal"], canvas["stop_line"]
    where = f" `{goal['where']}`" if goal["where"] else ""
    event = defined(payload, "events", goal["event"])
    st.markdown(f":material/flag: **{t('goal')}** {t('goal_words', days=goal['window_days'], event=event)}{where}")
    stop = t("stop_words", complaints=f"{line['complaint_rate']:.2%}", failures=f"{line['failure_rate']:.0%}")
    st.markdown(f":material/front_hand: **{t('stop_line')}** {stop}")
    gates = t("arrow").join(
        f"{session.name(names.RELEASE_STEP, step['name'])} "
        + (t("people_count", n=len(step["customers"])) if step["customers"] else f"{step['share']:g}%")
        + (f" ({t('after_days', days=step['after_days'])})" if step["after_days"] else "")
        for step in payload["steps"]
    )
    st.markdown(f":material/stairs: **{t('gates')}** {gates}")


def defined(payload: dict[str, Any], kind: str, code: str) -> str:
    """What the frozen definitions call an event or attribute."""
    for entry in payload["definitions"].get(kind, []):
        if entry["name"] == code:
            return str(entry["words"][language()])
    return code


def _messages(payload: dict[str, Any]) -> None:
    """Every wording of every channel and arm, as it goes out, with a made-up masked name in place of the customer's."""
    st.subheader(t("messages"))
    st.caption(t("masked_note"))
    with st.container(horizontal=True):
        for message in payload["words"]:
            with st.container(border=True, width=CARD):
                _message(message, [w for w in payload["words"] if w["node"] == message["node"]])


def _message(message: dict[str, Any], arms: list[dict[str, Any]]) -> None:
    arm = f" · {t('arm_share', arm=message['arm'].upper(), share=message['share'])}" if len(arms) > 1 else ""
    channel = session.name(names.CHANNEL, message["channel"])
    st.markdown(f"**{t('wave', n=message['wave'])} · {channel}**{arm}")
    st.text(masked(message["message"]))
    facts = [
        t("characters", n=len(message["message"])),
        t("parts", n=message["parts"]) if message["channel"] == "sms" else "",
        t("cost_each", cost=f"¥{message['cost']:g}"),
        f"{t('product')} {session.plain(message['product'])}" if message["product"] else "",
    ]
    st.caption(" · ".join(fact for fact in facts if fact))


def masked(text: str) -> str:
    """Placeholders filled with what nobody is called; customers' names are in no payload."""
    return text.replace("{name}", t("masked_name"))


def _audience(payload: dict[str, Any]) -> None:
    st.subheader(t("audience_conditions"))
    st.caption(t("by_value_note"))
    for place, expression in enumerate(payload["expressions"]):
        st.markdown(f"**{t('who_enters') if place == 0 else t('on_the_way')}**")
        st.code(expression["by_value"], language="python", wrap_lines=True)
    attributes = t("comma").join(
        f"{entry['words'][language()]} `{entry['name']}`" for entry in payload["definitions"].get("attributes", [])
    )
    if attributes:
        st.caption(f"{t('definition')}: {attributes}")
    audience = payload["audience"]
    if audience["rule"] == "frozen":
        st.markdown(f":material/lock: {t('rule_frozen', count=audience['count'])}")
    else:
        shares = {"new": f"{audience['max_new']:.0%}", "gone": f"{audience['max_gone']:.0%}"}
        st.markdown(f":material/sync: {t('rule_evaluated', **shares)}")
    if payload["lists"]:
        lists = t("comma").join(f"{entry['name']} ({entry['size']:,})" for entry in payload["lists"])
        st.markdown(f":material/list_alt: {t('lists')} {session.plain(lists)}")
    if payload["snapshot_conditions"]:
        conditions = t("comma").join(f"`{condition}`" for condition in payload["snapshot_conditions"])
        st.caption(f":material/photo_camera: {t('snapshot')}: {conditions}")


def _safeguards(payload: dict[str, Any]) -> None:
    """Exclusions, consent, suitability, findings."""
    with st.container(horizontal=True):
        with st.container(width=HALF):
            _exclusions(payload)
        with st.container(width=HALF):
            _consent(payload)
            _suitability(payload)
    st.subheader(t("findings"))
    if not payload["findings"]:
        st.markdown(f":material/check_circle: {t('no_findings')}")
    for finding in payload["findings"]:
        where = "" if finding["place"] == "nodes" else f"**{session.plain(finding['place'])}** "
        st.warning(f"{where}{session.plain(finding['message'])}", icon=":material/warning:")


def _exclusions(payload: dict[str, Any]) -> None:
    """Who of the audience must not be contacted, and that the frozen policy stops each of these groups."""
    st.subheader(t("exclusions"))
    policy, category = payload["throttle"]["suppression"], payload["canvas"]["category"]
    stopped = set(policy.get(category, policy.get("marketing", [])))
    rows = [
        {
            t("group"): session.name(names.REASON, group["name"]),
            t("in_audience"): f"{group['count']:,}",
            t("will_get"): "0" if group["name"] in stopped or not group["count"] else t("not_stopped"),
        }
        for group in payload["exclusions"]
    ]
    if rows:
        st.table(pd.DataFrame(rows), hide_index=True)
    listed = {group["name"] for group in payload["exclusions"]}
    absent = t("comma").join(session.name(names.REASON, code) for code in sorted(stopped - listed))
    if absent:
        st.markdown(f":material/check_circle: {t('none_of', groups=absent)}")
    st.caption(t("exclusions_note"))


def _consent(payload: dict[str, Any]) -> None:
    st.subheader(t("consent"))
    consent = payload["consent"]
    if consent["basis"] == "assumed":
        st.warning(t("consent_assumed"), icon=":material/gpp_maybe:")
        return
    st.markdown(f":material/verified_user: {t('consent_recorded')}")
    rows = [
        {
            t("source"): names.consent_source(source["name"], language()),
            t("customers"): f"{source['count']:,}",
        }
        for source in consent["sources"]
    ]
    if rows:
        st.table(pd.DataFrame(rows), hide_index=True)


def _suitability(payload: dict[str, Any]) -> None:
    st.subheader(t("suitability"))
    if not payload["suitability"]:
        st.markdown(f":material/info: {t('no_product')}")
        return
    rows = [
        {
            t("product"): f"{fit['product']} {fit['risk_level'] or ''}",
            t("fits"): f"{fit['assessed_and_fit']:,}",
            t("too_low"): f"{fit['too_low']:,}",
            t("expired"): f"{fit['expired']:,}",
            t("never_assessed"): f"{fit['never_assessed']:,}",
        }
        for fit in payload["suitability"]
    ]
    st.table(pd.DataFrame(rows), hide_index=True)
    st.caption(t("suitability_note", days=payload["throttle"]["suitability"]["validity_days"]))


def _difference(view: dict[str, Any]) -> None:
    st.subheader(t("difference_title"))
    if view["difference"]:
        st.code(view["difference"], language="diff", wrap_lines=True)
    else:
        st.caption(t("no_earlier"))


def _people(view: dict[str, Any], payload: dict[str, Any]) -> None:
    """Everyone who touched it, what it was drafted with, and its history."""
    st.subheader(t("editors"))
    everyone = t("comma").join(session.plain(person) for person in view["editors"])
    st.markdown(f"{everyone} · {t('submitted_by')} {session.plain(view['submitted_by'])}")
    st.table(
        pd.DataFrame(
            [
                {
                    t("version"): f"v{edit['version']}",
                    t("who"): edit["account"],
                    t("when"): session.bank_time(edit["at"]),
                    t("changes"): t("semicolon").join(edit["changes"]) or t("drafted"),
                }
                for edit in payload["edits"]
            ]
        ),
        hide_index=True,
    )
    origin = payload["origin"]
    drafted = [f"{t(word)} {origin[word]}" for word in ("model", "playbook") if origin.get(word)]
    drafted.append(f"{t('drawn_up')} {session.bank_time(payload['drawn_up_at'])}")
    drafted.append(f"{t('as_of')} {session.bank_time(payload['as_of'])}")
    st.caption(" · ".join(drafted))
    st.caption(t("digest"))
    st.code(view["digest"], language=None, wrap_lines=True)
    with st.expander(t("payload"), icon=":material/inventory_2:"):
        st.json(payload, expanded=1)
