"""From the calls of a turn to the reply: typed results in words, then the question, or what went wrong and its fix."""

import re
from collections.abc import Callable, Sequence
from typing import Any

from agent.answer import CallMade
from agent.models.base import Question
from agent.replies import analysis, campaign, playbook, segment
from agent.replies.words import bullets, listed, paragraphs, pick
from tools.analysis.tool import CampaignRead, CampaignsCompared, MetricFound
from tools.base import Outcome
from tools.canvas.arguments import CanvasOutcome, DryRunOutcome, EditOutcome
from tools.playbook.schema import FoundPlaybooks
from tools.proposal.tool import ProposalStatus, Submitted, Undone
from tools.segment.tool import DataDescribed, SegmentFound
from tools.throttle.tool import CheckThrottleResult
from warehouse.catalog import Language
from warehouse.errors import TouchlineError

Say = Callable[[Any, Language], str]

RENDERERS: dict[str, tuple[type[Outcome], Say]] = {
    "search_playbooks": (FoundPlaybooks, playbook.found),
    "describe_data": (DataDescribed, segment.described),
    "query_segment": (SegmentFound, segment.found),
    "query_metric": (MetricFound, analysis.metric),
    "draft_canvas": (CanvasOutcome, campaign.canvas),
    "edit_canvas": (EditOutcome, campaign.canvas),
    "dry_run_canvas": (DryRunOutcome, campaign.dry_run),
    "check_throttle": (CheckThrottleResult, campaign.throttle),
    "analyze_campaign": (CampaignRead, analysis.campaign),
    "compare_campaigns": (CampaignsCompared, analysis.compared),
    "submit_for_approval": (Submitted, campaign.submitted),
    "get_status": (ProposalStatus, campaign.status),
    "undo": (Undone, campaign.undone),
}
"""How each tool's result is put in words."""

_FIGURE = re.compile(r"\d+(?:[.,]\d+)*")


def render(
    calls: Sequence[CallMade],
    question: Question | None,
    language: Language,
    *,
    remark: str = "",
    unread: Sequence[str] = (),
    problem: TouchlineError | None = None,
) -> str:
    """The reply. Numbers come from typed results alone.

    A call that failed is told only if nothing after it succeeded: a model's repaired attempt is no news.
    """
    parts = [_result(call, language) for call in calls if call.ok]
    if calls and not calls[-1].ok:
        parts.append(calls[-1].error)
    if problem is not None:
        parts.append(f"{problem.message} {problem.fix}".strip())
    if remark and faithful(remark, calls):
        parts.append(remark)
    if question:
        parts.append(question.text)
    elif unread:
        words = listed((f"“{word}”" for word in unread), language)
        parts.append(pick(language, f"没有读懂：{words}。", f"Not understood: {words}."))
    reply = paragraphs(*parts)
    return reply or pick(
        language, "没有可以回答的内容，请换个说法。", "There is nothing to answer; please put it another way."
    )


def _result(call: CallMade, language: Language) -> str:
    kind, say = RENDERERS[call.tool]
    outcome = kind.model_validate(call.result)
    return paragraphs(say(outcome, language), bullets(outcome.notes))


def faithful(remark: str, calls: Sequence[CallMade]) -> bool:
    """Whether every number of a model's remark stands in the results, or in the request's own arguments."""
    known = set(_FIGURE.findall(" ".join(call.model_dump_json() for call in calls).replace(",", "")))
    return all(figure.replace(",", "") in known for figure in _FIGURE.findall(remark))
