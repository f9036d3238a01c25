"""`search_playbooks`: what has worked for a scenario, and what of it fits this bank."""

from typing import Any, ClassVar, Literal

from knowledge import Hit
from knowledge import Wave as BookWave
from tools.base import Tool, ToolContext
from tools.playbook.fit import fit
from tools.playbook.schema import Figure, FoundPlaybooks, PlannedWave, PlaybookFound, SearchPlaybooks
from tools.segment import Segments
from warehouse.catalog import Language
from warehouse.evidence import Evidence

WEAK = 0.2
"""A best score below this means that no playbook is about the request."""


class SearchPlaybooksTool(Tool[SearchPlaybooks, FoundPlaybooks]):
    name: ClassVar[str] = "search_playbooks"
    effect: ClassVar[Literal["read", "write"]] = "read"
    purpose: ClassVar[str] = (
        "Find playbooks for a scenario: audience with its count on this bank, waves, goal, hold-out, cautions, and figures "
        "with their origin. Use it for 'how should we', 'what works', and before drafting a campaign."
    )
    arguments = SearchPlaybooks
    result = FoundPlaybooks

    def run(self, context: ToolContext, arguments: SearchPlaybooks) -> tuple[FoundPlaybooks, list[Evidence]]:
        """Search, and count each playbook's audience on this bank."""
        language = context.language
        hits = context.playbooks.search(arguments.query, arguments.k)
        if not hits or hits[0].score < WEAK:
            note = (
                "没有与此相符的剧本，以下建议不来自剧本库。"
                if language == "zh"
                else "No playbook is about this; anything suggested does not come from the library."
            )
            return FoundPlaybooks(notes=[note]), []
        segments = Segments(context.warehouse, context.catalog, context.records, context.actor)
        found: list[PlaybookFound] = []
        evidence: list[Evidence] = []
        notes: list[str] = []
        for hit in hits:
            audience, kept = fit(hit.playbook, segments, context.records, context.thread, language)
            evidence += kept
            if audience.how == "none":
                notes.append(_no_audience(hit, language))
            found.append(_found(hit, language, audience=audience))
        return FoundPlaybooks(playbooks=found, notes=notes), evidence


def _found(hit: Hit, language: Language, **more: Any) -> PlaybookFound:
    book = hit.playbook
    return PlaybookFound(
        id=book.id,
        title=book.title.of(language),
        score=hit.score,
        scenario=book.scenario.of(language),
        timing=book.timing.words.of(language),
        channels=list(book.channels),
        waves=[_wave(wave, language) for wave in book.waves],
        goal_event=book.goal.event,
        goal_where=book.goal.where,
        goal_window_days=book.goal.window_days,
        holdout_percent=book.holdout_percent,
        category=book.category,
        benefits=[one.of(language) for one in book.benefits],
        metrics=[one.of(language) for one in book.metrics],
        guardrails=[one.of(language) for one in book.guardrails],
        cautions=[one.of(language) for one in book.cautions],
        figures=[
            Figure(
                figure=one.figure.of(language),
                origin=one.origin.of(language),
                limits=one.limits.of(language),
                channels=[channel for channel in one.channels if channel in book.channels],
            )
            for one in book.evidence
        ],
        **more,
    )


def _wave(wave: BookWave, language: Language) -> PlannedWave:
    return PlannedWave(
        channel=wave.channel,
        day=wave.day,
        hour=wave.hour,
        only_if=wave.only_if,
        text=wave.text.of(language),
        arms=[{"name": arm.name, "share": arm.share, "text": arm.text.of(language)} for arm in wave.arms],
        product_id=wave.product_id,
    )


def _no_audience(hit: Hit, language: Language) -> str:
    if language == "zh":
        return f"《{hit.title_zh}》的客群在本行数据上无法表达，请直接说明要选哪些客户。"
    return (
        f"None of the audiences of '{hit.title_en}' can be expressed on this bank's data; say which customers you mean."
    )


TOOLS: list[Tool[Any, Any]] = [SearchPlaybooksTool()]
