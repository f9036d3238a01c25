"""The contact policy of a release: a tighter policy applies at once, a looser one needs approval."""

from typing import Literal, TypeVar

from tools.throttle import Cap, Capacity, QuietHours, ThrottlePolicy
from tools.throttle.policy import Channel, Consent, Identity, Suitability, Suppression

Named = TypeVar("Named", Cap, Capacity, QuietHours)
Item = TypeVar("Item")


def tighter(approved: ThrottlePolicy, current: ThrottlePolicy) -> ThrottlePolicy:
    """A policy that allows only what both allow."""
    if approved == current:
        return current
    return ThrottlePolicy(
        version=current.version,
        caps=_both(approved.caps, current.caps),
        capacity=_both(approved.capacity, current.capacity),
        quiet_hours=_both(approved.quiet_hours, current.quiet_hours),
        # A day that either calls a holiday is one; it is worked only if both say so.
        holidays_added=_union(approved.holidays_added, current.holidays_added),
        workdays_added=tuple(day for day in current.workdays_added if day in approved.workdays_added),
        # Who goes first is no matter of more or less: today's order holds.
        priorities=current.priorities,
        plan_at=current.plan_at,
        defer_expires_hours=min(approved.defer_expires_hours, current.defer_expires_hours),
        consent=_consent(approved.consent, current.consent),
        contact=_contact(approved.contact, current.contact),
        suppression=Suppression(
            marketing=_union(approved.suppression.marketing, current.suppression.marketing),
            service=_union(approved.suppression.service, current.suppression.service),
            staff=approved.suppression.staff or current.suppression.staff,
            minimum_age=max(approved.suppression.minimum_age, current.suppression.minimum_age),
        ),
        suitability=Suitability(
            kinds=_union(approved.suitability.kinds, current.suitability.kinds),
            validity_days=min(approved.suitability.validity_days, current.suitability.validity_days),
            levels=current.suitability.levels,
        ),
        identity=Identity(
            kinds=tuple(dict.fromkeys((*current.identity.kinds, *approved.identity.kinds))), keep=current.identity.keep
        ),
        statuses_not_counted=tuple(s for s in current.statuses_not_counted if s in approved.statuses_not_counted),
    )


def _union(one: tuple[Item, ...], other: tuple[Item, ...]) -> tuple[Item, ...]:
    return tuple(dict.fromkeys((*other, *one)))


def _both(approved: tuple[Named, ...], current: tuple[Named, ...]) -> tuple[Named, ...]:
    """Both sets of rules; an approved one that differs from its namesake of today gets a name of its own."""
    names = {item.name for item in current}
    kept = list(current)
    for item in approved:
        if item in current:
            continue
        name = item.name
        while name in names:
            name = f"{name[:38]}_approved" if not name.endswith("_approved") else f"x{name[:47]}"
        names.add(name)
        kept.append(item.model_copy(update={"name": name}))
    return tuple(kept)


def _consent(approved: Consent, current: Consent) -> Consent:
    services: dict[str, Literal["marketing", "service"]] = {
        category: "service"
        for category in current.purposes
        if current.purpose(category) == "service" and approved.purpose(category) == "service"
    }
    return Consent(
        assumed=approved.assumed and current.assumed,
        purposes=services,
        not_needed=tuple(c for c in current.not_needed if c in approved.not_needed),
        promised=_union(approved.promised, current.promised),
        term_days=min((t for t in (approved.term_days, current.term_days) if t is not None), default=None),
    )


def _contact(approved: dict[Channel, str], current: dict[Channel, str]) -> dict[Channel, str]:
    rules = dict(current)
    for channel, rule in approved.items():
        if channel not in rules:
            rules[channel] = rule
        elif rules[channel] != rule:
            rules[channel] = f"({rules[channel]}) and ({rule})"
    return rules
