"""A campaign's design as the warehouse records it: arms, goal, window, randomisation, intended shares, strata."""

from dataclasses import dataclass, field
from datetime import datetime

from warehouse.catalog import nearest
from warehouse.errors import AdminFixes, NotFound
from warehouse.store import Warehouse

CONTROL = "control"


@dataclass(frozen=True)
class Design:
    """One campaign.

    `ratio`: intended shares by arm, from meta key `campaign:<id>:ratio` ('control:1,treatment:1'); empty when not on
    record. `strata`: customer attributes within which assignment was randomised, from `campaign:<id>:strata`.
    `goal_where`: EQL over the goal event's properties, from `campaign:<id>:goal_where`.
    """

    id: str
    name: str
    goal_event: str
    window_days: int | None
    randomised: bool
    hypothesis: str
    started_at: datetime | None
    ended_at: datetime | None
    cost_per_touch: float | None
    ratio: dict[str, float] = field(default_factory=dict)
    strata: tuple[str, ...] = ()
    goal_where: str = ""


def design(warehouse: Warehouse, campaign: str) -> Design:
    """The campaign with this id, or this name.

    Raises:
        NotFound: there is none; `fix` offers the nearest.
        AdminFixes: its intended shares are not readable.
    """
    rows = warehouse.read(
        "SELECT campaign_id, name, goal_event, goal_window_days, randomised, hypothesis, started_at, ended_at, cost_per_touch"
        " FROM campaigns"
    ).dicts()
    wanted = campaign.strip()
    found = [r for r in rows if r["campaign_id"] == wanted]
    found = found or [r for r in rows if wanted and wanted in _names(r["name"])]
    if len(found) != 1:
        known = {name: r["campaign_id"] for r in rows for name in (r["campaign_id"], *_names(r["name"]))}
        near = list(dict.fromkeys(known[n] for n in nearest(wanted, known, 5)))[:3] or sorted(set(known.values()))[:8]
        fix = f"Nearest: {', '.join(near)}." if near else "No campaign is on record yet."
        raise NotFound(f"There is no campaign {campaign!r}.", fix, nearest=near)
    r = found[0]
    id_ = str(r["campaign_id"])
    strata = warehouse.meta(f"campaign:{id_}:strata") or ""
    return Design(
        id=id_, name=r["name"] or "", goal_event=r["goal_event"] or "", window_days=r["goal_window_days"],
        randomised=bool(r["randomised"]), hypothesis=r["hypothesis"] or "", started_at=r["started_at"],
        ended_at=r["ended_at"], cost_per_touch=r["cost_per_touch"],
        ratio=_ratio(id_, warehouse.meta(f"campaign:{id_}:ratio") or ""),
        strata=tuple(part.strip() for part in strata.split(",") if part.strip()),
        goal_where=warehouse.meta(f"campaign:{id_}:goal_where") or "",
    )  # fmt: skip


def _names(name: str | None) -> list[str]:
    """A name, and its parts where it is written in two languages ('中文 / English')."""
    return [name, *(part.strip() for part in name.split(" / "))] if name else []


def _ratio(campaign: str, text: str) -> dict[str, float]:
    try:
        pairs = [part.rsplit(":", 1) for part in text.split(",") if part.strip()]
        ratio = {arm.strip(): float(share) for arm, share in pairs}
    except ValueError:
        ratio = {"": -1.0}
    if any(share <= 0 for share in ratio.values()):
        raise AdminFixes(
            f"The intended shares of campaign {campaign} read {text!r}.",
            f"Write the meta key campaign:{campaign}:ratio as control:1,treatment:1.",
        )
    return ratio


def control_arm(arms: list[str]) -> str:
    """The arm that others are compared with; empty when none is called control."""
    return next((arm for arm in arms if arm.lower() in (CONTROL, "对照", "对照组", "holdout", "hold_out")), "")
