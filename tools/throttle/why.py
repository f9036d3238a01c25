"""Why a customer did, or did not, get a campaign: every decision on record, oldest first."""

from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict

from tools.throttle.words import rule_words
from warehouse.errors import NotFound
from warehouse.store import Warehouse

JOURNAL = "decisions"
"""The table in which `delivery` keeps decisions that are no touches (held out, deferred, abandoned); read if it is there."""


class Reason(BaseModel):
    """One decision. `decision` is 'send', 'defer', 'abandon' or 'hold_out'; times are UTC."""

    model_config = ConfigDict(frozen=True)

    campaign_id: str
    node_id: str
    channel: str
    arm: str
    decision: str
    status: str
    rule: str
    decided_at: datetime | None
    until: datetime | None = None
    words_zh: str
    words_en: str


_NOT_SENT = {
    "held_out": "hold_out",
    "abandoned": "abandon",
    "capped": "abandon",
    "suppressed": "abandon",
    "expired": "abandon",
    "deferred": "defer",
}
_FIELDS = ("node_id", "channel", "arm", "status", "rule", "decided_at")


def why(warehouse: Warehouse, customer_id: int, campaign_id: str) -> list[Reason]:
    """All decisions about a customer in a campaign; empty where nothing was ever decided about him.

    Raises:
        NotFound: there is no such customer, or nothing at all is on record of such a campaign.
    """
    if not warehouse.read("SELECT 1 FROM customers WHERE customer_id = ?", [customer_id]).rows:
        raise NotFound("There is no customer with this number.", "Check the number; it is the bank's customer_id.")
    found = _touches(warehouse, customer_id, campaign_id) + _journal(warehouse, customer_id, campaign_id)
    found += [] if any(r.decision == "hold_out" for r in found) else _assignment(warehouse, customer_id, campaign_id)
    if not found and not _known(warehouse, campaign_id):
        raise NotFound(f"There is no campaign {campaign_id!r}.", "Name one of those that `touchline analyze` lists.")
    return sorted(found, key=lambda r: (r.decided_at or datetime.min.replace(tzinfo=UTC), r.node_id))


def _known(warehouse: Warehouse, campaign_id: str) -> bool:
    rows = warehouse.read("SELECT 1 FROM campaigns WHERE campaign_id = ? LIMIT 1", [campaign_id]).rows
    return bool(rows or warehouse.read("SELECT 1 FROM touches WHERE campaign_id = ? LIMIT 1", [campaign_id]).rows)


def _touches(warehouse: Warehouse, customer_id: int, campaign_id: str) -> list[Reason]:
    rows = warehouse.read(
        f"SELECT {', '.join(_FIELDS)} FROM touches WHERE customer_id = ? AND campaign_id = ? ORDER BY decided_at",
        [customer_id, campaign_id],
    ).dicts()
    return [_reason(campaign_id, _NOT_SENT.get(str(row["status"]), "send"), **row) for row in rows]


def _journal(warehouse: Warehouse, customer_id: int, campaign_id: str) -> list[Reason]:
    columns = {
        str(row[0])
        for row in warehouse.read(
            "SELECT column_name FROM information_schema.columns WHERE table_name = ? AND table_schema = 'main'",
            [JOURNAL],
        ).rows
    }
    if not {"customer_id", "campaign_id", "decision", "rule"} <= columns:
        return []
    picked = ", ".join(
        f'"{name}"' if name in columns else f"NULL AS {name}"
        for name in ("node_id", "channel", "arm", "decision", "rule", "decided_at", "until")
    )
    rows = warehouse.read(
        f"SELECT {picked} FROM {JOURNAL} WHERE customer_id = ? AND campaign_id = ? AND decision <> 'send'",
        [customer_id, campaign_id],
    ).dicts()
    return [_reason(campaign_id, status=str(row["decision"]), **row) for row in rows]


def _assignment(warehouse: Warehouse, customer_id: int, campaign_id: str) -> list[Reason]:
    rows = warehouse.read(
        "SELECT arm, assigned_at FROM assignments WHERE customer_id = ? AND campaign_id = ? AND arm = 'control'",
        [customer_id, campaign_id],
    ).rows
    return [
        _reason(campaign_id, "hold_out", arm=arm, status="held_out", rule="hold_out", decided_at=moment)
        for arm, moment in rows
    ]


def _reason(
    campaign_id: str,
    decision: str,
    *,
    status: str,
    rule: str | None,
    decided_at: datetime | None,
    node_id: str | None = None,
    channel: str | None = None,
    arm: str | None = None,
    until: datetime | None = None,
) -> Reason:
    decision = {"held_out": "hold_out"}.get(decision, decision)
    rule = rule or ("allowed" if decision == "send" else "")
    return Reason(
        campaign_id=campaign_id,
        node_id=node_id or "",
        channel=channel or "",
        arm=arm or "",
        decision=decision,
        status=status or "",
        rule=rule,
        decided_at=decided_at.replace(tzinfo=UTC) if decided_at else None,
        until=until.replace(tzinfo=UTC) if until else None,
        words_zh=rule_words(rule, "zh"),
        words_en=rule_words(rule, "en"),
    )
