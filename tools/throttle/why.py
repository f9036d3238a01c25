"""Why a customer did, or did not, get a campaign: every decision on record, oldest first, and what it rested on."""

from collections.abc import Callable
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict

from tools.throttle.case import Case, Ground
from tools.throttle.grounds import grounds
from tools.throttle.policy import ThrottlePolicy
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
    category: str = "marketing"
    touch_id: str = ""
    evidence: list[Ground] = []


_NOT_SENT = {
    "held_out": "hold_out",
    "abandoned": "abandon",
    "capped": "abandon",
    "suppressed": "abandon",
    "expired": "abandon",
    "deferred": "defer",
}
_FIELDS = ("node_id", "channel", "category", "arm", "status", "rule", "decided_at", "touch_id")
PolicyAt = Callable[[datetime], ThrottlePolicy]


def why(warehouse: Warehouse, customer_id: int, campaign_id: str, policy_at: PolicyAt | None = None) -> list[Reason]:
    """All decisions about a customer in a campaign; empty where nothing was ever decided about him.

    Args:
        policy_at: the policy that decided at an instant; without it the answer has no evidence.

    Raises:
        NotFound: there is no such customer, or nothing at all is on record of such a campaign.
    """
    if not warehouse.read("SELECT 1 FROM customers WHERE customer_id = ?", [customer_id]).rows:
        raise NotFound("There is no customer with this number.", "Check the number; it is the bank's customer_id.")
    found = _touches(warehouse, customer_id, campaign_id) + _journal(warehouse, customer_id, campaign_id)
    found += [] if any(r.decision == "hold_out" for r in found) else _assignment(warehouse, customer_id, campaign_id)
    if not found and not _known(warehouse, campaign_id):
        raise NotFound(f"There is no campaign {campaign_id!r}.", "Name one of those that `touchline analyze` lists.")
    found.sort(key=lambda r: (r.decided_at or datetime.min.replace(tzinfo=UTC), r.node_id))
    if policy_at is None:
        return found
    return [_with_evidence(warehouse, customer_id, reason, policy_at) for reason in found]


def _with_evidence(warehouse: Warehouse, customer_id: int, reason: Reason, policy_at: PolicyAt) -> Reason:
    """A reason with its grounds. What was never decided by the throttle (a hold-out, an import) has none."""
    if reason.decided_at is None or not reason.channel or reason.decision == "hold_out":
        return reason
    case = Case(
        customer_id=customer_id,
        campaign_id=reason.campaign_id,
        touch_id=reason.touch_id,
        channel=reason.channel,
        category=reason.category,
        rule=reason.rule,
        at=reason.decided_at,
        until=reason.until,
    )
    return reason.model_copy(update={"evidence": grounds(warehouse, case, policy_at(reason.decided_at))})


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
        for name in ("node_id", "channel", "category", "arm", "decision", "rule", "decided_at", "until", "touch_id")
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
    category: str | None = None,
    arm: str | None = None,
    until: datetime | None = None,
    touch_id: str | None = None,
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
        category=category or "marketing",
        touch_id=touch_id or "",
    )
