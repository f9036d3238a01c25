"""`query_metric`, `analyze_campaign`, `compare_campaigns`: figures with their definitions and evidence."""

from datetime import datetime
from typing import Any, ClassVar, Literal

from pydantic import Field

from tools.analysis.figures import figure, is_share
from tools.analysis.outcomes import find_metric
from tools.analysis.periods import read_window
from tools.analysis.read_out import read_out
from tools.analysis.schema import (
    ArmEffect,
    ArmResult,
    Economics,
    Effect,
    Funnel,
    GroupResult,
    MetricRow,
    MetricValue,
    ReadOut,
)
from tools.base import Arguments, Outcome, Tool, ToolContext
from tools.segment import Segments, resolve, to_text
from tools.segment.schema import Everyone
from tools.segment.tool import attribute_named
from tools.segment.words import describe
from warehouse.errors import ModelRetry
from warehouse.evidence import Evidence


class QueryMetric(Arguments):
    """Which figure, for whom, by what, when."""

    metric: str = Field(description="A metric of the catalog, by name or word.")
    segment: str | None = Field(None, description="EQL, a segment's id or name; None means all customers.")
    by: str | None = Field(None, description="A catalog attribute to break the figure down by.")
    period: str | None = Field(
        None, description="last 30d, this_month, last_month, 2026-10, 2026-10-01..2026-10-31; None means the usual one."
    )


class MetricFound(Outcome):
    """A metric's value with its definition. `change` is the difference to the period before, `relative` over that."""

    metric: str
    label: str
    definition: str
    unit: str
    expression: str
    description: str
    current: MetricValue
    previous: MetricValue | None
    change: float | None
    relative: float | None
    by: str = ""
    by_label: str = ""
    breakdown: list[MetricRow] = Field([])
    as_of: datetime


class AnalyzeCampaign(Arguments):
    campaign: str = Field(description="A campaign's id or name.")
    metric: str | None = Field(None, description="A metric, an event or an attribute; None means the campaign's goal.")
    by: str | None = Field(None, description="A catalog attribute: the effect in each group.")


class CampaignRead(Outcome):
    """A campaign's read-out; the fields are those of `touchline analyze`, evidence apart."""

    campaign: str
    campaign_name: str
    metric: str
    metric_label: str
    unit: str
    definition: str
    arms: list[ArmResult]
    control: str
    effect: Effect | None
    reason: str
    effects: list[ArmEffect]
    naive: Effect | None
    srm_p: float | None
    causal: bool
    by: str
    groups: list[GroupResult]
    funnel: list[Funnel]
    economics: Economics | None
    window_days: int | None
    as_of: datetime


class CompareCampaigns(Arguments):
    campaigns: list[str] = Field(min_length=2, max_length=12, description="Ids or names.")
    metric: str | None = Field(None, description="The same metric for all; None means each campaign's own goal.")


class CampaignLine(CampaignRead):
    """One campaign of a comparison."""


class CampaignsCompared(Outcome):
    """Campaigns side by side, in the order asked for. `same_metric` tells whether the figures mean the same."""

    campaigns: list[CampaignLine]
    same_metric: bool
    as_of: datetime


class QueryMetricTool(Tool[QueryMetric, MetricFound]):
    name: ClassVar[str] = "query_metric"
    effect: ClassVar[Literal["read", "write"]] = "read"
    purpose: ClassVar[str] = (
        "A figure such as MAU, AUM or conversions: for all customers or a segment, by an attribute, for a period and beside "
        "the period before. Its definition comes with it."
    )
    arguments = QueryMetric
    result = MetricFound

    def run(self, context: ToolContext, arguments: QueryMetric) -> tuple[MetricFound, list[Evidence]]:
        """Compute it.

        Raises:
            NotFound: there is no such metric or attribute.
            ModelRetry: the period cannot be read, or the metric has no history for it.
        """
        catalog, language = context.catalog, context.language
        metric = find_metric(arguments.metric, catalog)
        segments = Segments(context.warehouse, catalog, context.records, context.actor)
        node = resolve(arguments.segment, catalog, context.records) if arguments.segment else Everyone()
        by = catalog.attribute(attribute_named(arguments.by, catalog)) if arguments.by else None
        window = read_window(arguments.period, catalog) if arguments.period else None
        found = figure(segments, metric, node, by, window, language)
        now, before = found.now.value, found.before.value if found.before else None
        change = now - before if now is not None and before is not None else None
        answer = MetricFound(
            metric=metric.name, label=metric.words.name(language), definition=metric.definition(language),
            unit="share" if is_share(metric) else metric.unit_zh if language == "zh" else metric.unit_en,
            expression=to_text(node), description=describe(node, catalog, language), current=found.now,
            previous=found.before, change=change, relative=change / before if change is not None and before else None,
            by=by.name if by else "", by_label=by.words.name(language) if by else "", breakdown=found.rows,
            as_of=context.warehouse.as_of, notes=found.notes,
        )  # fmt: skip
        return answer, [context.records.keep_evidence(e, context.thread) for e in found.evidence]


class AnalyzeCampaignTool(Tool[AnalyzeCampaign, CampaignRead]):
    name: ClassVar[str] = "analyze_campaign"
    effect: ClassVar[Literal["read", "write"]] = "read"
    purpose: ClassVar[str] = (
        "Did a campaign work: arms, effect against the control with interval and p-value, whether it may be called causal, "
        "groups, funnel, cost per incremental goal, complaints."
    )
    arguments = AnalyzeCampaign
    result = CampaignRead

    def run(self, context: ToolContext, arguments: AnalyzeCampaign) -> tuple[CampaignRead, list[Evidence]]:
        """Read it out.

        Raises:
            NotFound: there is no such campaign, metric or attribute.
        """
        by = attribute_named(arguments.by, context.catalog) if arguments.by else None
        found = _read(context, arguments.campaign, arguments.metric, by)
        return CampaignRead(**_fields(found)), _keep(context, found)


class CompareCampaignsTool(Tool[CompareCampaigns, CampaignsCompared]):
    name: ClassVar[str] = "compare_campaigns"
    effect: ClassVar[Literal["read", "write"]] = "read"
    purpose: ClassVar[str] = "Campaigns side by side on one metric, or each on its own goal."
    arguments = CompareCampaigns
    result = CampaignsCompared

    def run(self, context: ToolContext, arguments: CompareCampaigns) -> tuple[CampaignsCompared, list[Evidence]]:
        """Read each of them out.

        Raises:
            ModelRetry: the same campaign is named twice.
            NotFound: one of them does not exist.
        """
        found = [_read(context, campaign, arguments.metric, None) for campaign in arguments.campaigns]
        if len({f.campaign for f in found}) < len(found):
            raise ModelRetry("The same campaign is named twice.", "Name different campaigns.")
        same = len({f.metric for f in found}) == 1
        zh = context.language == "zh"
        notes = [
            "各活动的客群、时间和对照组不同：只能并排看，不能由此断定谁更好。"
            if zh
            else "The campaigns had other audiences, times and controls: they stand side by side, which does not show which is better."
        ]
        if not same:
            notes.append(
                "各活动按各自的目标计算，数值口径不同。"
                if zh
                else "Each is read on its own goal, so the figures mean different things."
            )
        if any(not f.causal for f in found):
            names = ", ".join(f.campaign for f in found if not f.causal)
            notes.append(f"以下活动只是关联：{names}。" if zh else f"An association only: {names}.")
        compared = CampaignsCompared(
            campaigns=[CampaignLine(**_fields(f)) for f in found],
            same_metric=same,
            as_of=context.warehouse.as_of,
            notes=notes,
        )
        return compared, [e for f in found for e in _keep(context, f)]


def _read(context: ToolContext, campaign: str, metric: str | None, by: str | None) -> ReadOut:
    return read_out(context.warehouse, context.catalog, campaign, metric, by, context.actor, context.language)


def _fields(found: ReadOut) -> dict[str, Any]:
    return {name: getattr(found, name) for name in ReadOut.model_fields if name != "evidence"}


def _keep(context: ToolContext, found: ReadOut) -> list[Evidence]:
    return [context.records.keep_evidence(e, context.thread) for e in found.evidence]


TOOLS: list[Tool[Any, Any]] = [QueryMetricTool(), AnalyzeCampaignTool(), CompareCampaignsTool()]
