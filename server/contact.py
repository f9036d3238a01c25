"""The contact and analysis part of a workspace: waterfall, throttle, why, read-outs."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING

from pydantic import ValidationError

from server.access import needs
from server.policies import NAME as POLICY
from server.policies import in_force
from server.schema import (
    AnalyzeAsked,
    Count,
    PlanAsked,
    PlanShare,
    ReadOutView,
    Reason,
    ThrottleAsked,
    ThrottleCheck,
    ThrottlePlan,
    Waterfall,
    WaterfallAsked,
    WaterfallStep,
    Why,
    WhyAsked,
)
from server.segments import SegmentWork
from warehouse.errors import NotFound

if TYPE_CHECKING:
    from delivery.plan import Plan
    from tools.throttle import ThrottlePolicy


class Contact(SegmentWork):
    @needs("read")
    def segment_waterfall(self, asked: WaterfallAsked) -> Waterfall:
        """From everybody who matches to those who would really be touched. Reserves nothing."""
        from tools.throttle import step_words, waterfall

        found = waterfall(
            self._segments(),
            self._node(asked.expression),
            asked.channel,
            self.instant(asked.when),
            self._policy(),
            asked.category,
            asked.product_id,
        )
        return Waterfall(
            expression=found.expression,
            channel=found.channel,
            instant=found.instant,
            steps=[
                WaterfallStep(
                    step=s.step,
                    zh=step_words(s.step, "zh"),
                    en=step_words(s.step, "en"),
                    count=self.shown(s.count),
                    lost=self.shown(s.lost),
                    rules=self._shown_each(s.rules),
                )
                for s in found.steps
            ],
            quiet_until=found.quiet_until,
            consent_assumed=found.consent_assumed,
            skipped=found.skipped,
            elapsed_ms=found.elapsed_ms,
        )

    @needs("read")
    def throttle_check(self, asked: ThrottleAsked) -> ThrottleCheck:
        """What the throttle would decide for one touch of everybody in a segment. Reserves nothing."""
        from tools.throttle import forecast

        found = forecast(
            self._segments(),
            self._node(asked.segment),
            asked.channel,
            self.instant(asked.when),
            self._policy(),
            asked.category,
        )
        return ThrottleCheck(
            candidates=self.shown(found.candidates),
            allowed=self.shown(found.allowed),
            deferred=self.shown(found.deferred),
            abandoned=self.shown(found.abandoned),
            by_rule=self._shown_each(found.by_rule),
            next_at=found.next_at,
            expression=found.expression,
            channel=found.channel,
            instant=found.instant,
            consent_assumed=found.consent_assumed,
            skipped=found.skipped,
        )

    @needs("export")
    def throttle_why(self, asked: WhyAsked) -> Why:
        """Every decision about a customer of the caller's branches in a campaign.

        Raises:
            NotFound: there is no such customer in his branches, or no such campaign.
        """
        from tools.throttle import why

        scope = self._segments().scope
        if scope is not None:
            rows = self.stores.warehouse.read(
                "SELECT branch_id FROM customers WHERE customer_id = ?", [asked.customer]
            ).rows
            if not rows or rows[0][0] not in scope:
                # The same words as for a customer who does not exist: whether he does is not told either.
                raise NotFound(
                    "There is no customer with this number.", "Check the number; it is the bank's customer_id."
                )
        found = why(self.stores.warehouse, asked.customer, asked.campaign, self._policy_of(asked.campaign))
        return Why(
            customer=asked.customer,
            campaign=asked.campaign,
            decisions=[Reason.model_validate(r.model_dump(mode="json", exclude={"touch_id"})) for r in found],
        )

    def _policy_of(self, campaign: str) -> "Callable[[datetime], ThrottlePolicy]":
        """The policy that decided about a campaign at an instant: the one approved with it and the one in force then,
        whichever is tighter; without either on record, today's."""
        from delivery.policy import tighter
        from tools.throttle import ThrottlePolicy

        approved: ThrottlePolicy | None = None
        with suppress(NotFound, ValidationError, KeyError):
            approved = ThrottlePolicy.model_validate(self.stores.records.proposal(campaign).payload["throttle"])

        def policy(instant: datetime) -> ThrottlePolicy:
            known = self.stores.authority.policies.at(POLICY, instant)
            then: ThrottlePolicy | None = None
            with suppress(ValidationError):
                then = ThrottlePolicy.model_validate(known.document) if known else None
            if approved is None or then is None:
                return approved or then or self._policy()
            return tighter(approved, then)

        return cache(policy)

    @needs("read")
    def throttle_plan(self) -> ThrottlePlan:
        """The plan that was made last.

        Raises:
            NotFound: none was made yet.
        """
        found = self.stores.deliverer.last_plan()
        if found is None:
            raise NotFound(
                "No plan was made yet.",
                "Make one with `touchline throttle plan --make`, or set `plan_at` in policies/throttle.yaml.",
                message_zh="还没有做过触达计划。",
                fix_zh="用 `touchline throttle plan --make` 做一次，或在 policies/throttle.yaml 里设 `plan_at`。",
            )
        return self._plan(found)

    @needs("run")
    def throttle_make_plan(self, asked: PlanAsked) -> ThrottlePlan:
        """Arbitrate what the live releases would send in the next hours, and reserve it for them."""
        return self._plan(self.stores.deliverer.plan(asked.hours))

    def _plan(self, found: "Plan") -> ThrottlePlan:
        return ThrottlePlan(
            made_at=found.made_at,
            until=found.until,
            reserved=self.shown(found.reserved),
            campaigns=[
                PlanShare(
                    campaign=share.campaign,
                    name=share.name,
                    priority=share.priority,
                    candidates=self.shown(share.candidates),
                    won=self.shown(share.won),
                    deferred=self.shown(share.deferred),
                    lost=self._shown_each(share.lost),
                    lost_to=self._shown_each(share.lost_to),
                )
                for share in found.campaigns
            ],
            problems=found.problems,
        )

    @needs("read")
    def analyze(self, asked: AnalyzeAsked) -> ReadOutView:
        """The read-out of a campaign, every number with its evidence.

        Raises:
            NotFound: there is no such campaign, metric or attribute.
        """
        from tools.analysis import read_out

        found = read_out(
            self.stores.warehouse,
            self.stores.catalog,
            asked.campaign,
            asked.metric,
            asked.by,
            self.actor,
            asked.language,
        )
        document = found.model_dump(mode="json")
        for arm in [*document["arms"], *(arm for group in document["groups"] for arm in group["arms"])]:
            arm["n"] = self.shown(arm["n"])
        kept = [self.stores.records.keep_evidence(evidence) for evidence in found.evidence]
        document["evidence"] = [evidence.model_dump(mode="json") for evidence in kept]
        return ReadOutView.model_validate(document)

    def _policy(self) -> "ThrottlePolicy":
        return in_force(self.stores)

    def _shown_each(self, counts: Mapping[str, int]) -> dict[str, Count]:
        return {name: self.shown(n) for name, n in counts.items()}
