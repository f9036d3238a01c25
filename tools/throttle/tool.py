"""`check_throttle`: how many of a segment could be touched on a channel at an instant, and what stops the others."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from tools.base import Arguments, Outcome, SegmentRef, Tool, ToolContext
from tools.segment import Segments, resolve, to_text
from tools.throttle.file import load_policy
from tools.throttle.policy import CHANNELS, Channel
from tools.throttle.waterfall import forecast, waterfall
from tools.throttle.words import rule_words, step_words
from warehouse.catalog import Language
from warehouse.clock import parse_instant
from warehouse.errors import ModelRetry
from warehouse.evidence import Evidence


class CheckThrottleArguments(Arguments):
    """Arguments of `check_throttle`."""

    segment: str | None = Field(None, description="EQL, a segment id or name; null means the segment in focus.")
    channel: Channel = Field(description=f"One of {', '.join(CHANNELS)}.")
    at: str | None = Field(None, description="When, ISO 8601; without a zone it is bank time; null means now.")
    category: str = Field("marketing", description="The contact category: marketing, service, …")


class WaterfallLine(BaseModel):
    """One step of the net-reach waterfall, in the thread's language."""

    model_config = ConfigDict(frozen=True)

    step: str
    words: str
    count: int
    lost: int


class CheckThrottleResult(Outcome):
    """candidates = allowed + deferred + abandoned; `by_rule` counts those a rule stopped."""

    expression: str
    channel: Channel
    instant: datetime
    candidates: int
    allowed: int
    deferred: int
    abandoned: int
    by_rule: dict[str, int]
    rules_in_words: dict[str, str] = Field({}, description="The rules of `by_rule` in the thread's language.")
    next_at: datetime | None = Field(None, description="When the first deferred ones may go.")
    waterfall: list[WaterfallLine] = Field([], description="From everybody who matches to the net reach.")


class CheckThrottle(Tool[CheckThrottleArguments, CheckThrottleResult]):
    name = "check_throttle"
    effect = "read"
    purpose = (
        "How many customers of a segment may be touched on a channel at a time under caps, quiet hours, consent, "
        "suppression and suitability; how many are deferred or abandoned, and by which rule."
    )
    arguments = CheckThrottleArguments
    result = CheckThrottleResult

    def run(
        self, context: ToolContext, arguments: CheckThrottleArguments
    ) -> tuple[CheckThrottleResult, list[Evidence]]:
        segments = Segments(context.warehouse, context.catalog, context.records, context.actor)
        text, ref = focused_segment(context, arguments.segment)
        node = resolve(text, context.catalog, context.records)
        zone = context.warehouse.zone
        instant = parse_instant(arguments.at, zone) if arguments.at else context.clock.now()
        policy = load_policy(context.home)
        found = forecast(segments, node, arguments.channel, instant, policy, arguments.category)
        steps = waterfall(segments, node, arguments.channel, instant, policy, arguments.category)
        language = context.language
        kept = [context.records.keep_evidence(e, context.thread) for e in (found.evidence, steps.evidence)]
        result = CheckThrottleResult(
            segment=ref,
            expression=to_text(node),
            channel=arguments.channel,
            instant=instant.astimezone(zone),
            candidates=found.candidates,
            allowed=found.allowed,
            deferred=found.deferred,
            abandoned=found.abandoned,
            by_rule=found.by_rule,
            rules_in_words={rule: rule_words(rule, language) for rule in found.by_rule},
            next_at=found.next_at.astimezone(zone) if found.next_at else None,
            waterfall=[
                WaterfallLine(step=s.step, words=step_words(s.step, language), count=s.count, lost=s.lost)
                for s in steps.steps
            ],
            notes=notes(found.consent_assumed, found.skipped, language),
        )
        return result, kept


def focused_segment(context: ToolContext, named: str | None) -> tuple[str, SegmentRef | None]:
    """The segment that was named, else the one in the thread's focus: its text or id, and its reference if it is saved.

    Raises:
        ModelRetry: nothing was named and nothing is in focus.
    """
    if named and named.strip():
        return named.strip(), None
    focus = context.records.focus(context.thread)
    if focus.segment_id is None:
        raise ModelRetry("No segment was named and none is in focus.", "Give `segment`, or call query_segment first.")
    record = context.records.segment(focus.segment_id)
    return record.expression, SegmentRef(id=record.id, expression=record.expression, count=record.count)


def notes(consent_assumed: bool, skipped: dict[str, str], language: Language) -> list[str]:
    """Caveats of a throttle answer."""
    said = []
    if consent_assumed:
        said.append(
            "本行数据没有同意记录，这里假定客户已同意；真实渠道不会据此发送。"
            if language == "zh"
            else "This bank's data has no consent records: consent is assumed here, and no real channel will send on it."
        )
    for channel, rule in skipped.items():
        said.append(
            f"数据目录里没有 {rule}，未能检查 {channel} 是否联系得上。"
            if language == "zh"
            else f"The catalog has no {rule}, so who can be reached on {channel} was not checked."
        )
    return said


TOOLS: list[Tool[Any, Any]] = [CheckThrottle()]
