"""`draft_canvas`, `edit_canvas`, `dry_run_canvas`: the face of canvases that models see."""

from collections.abc import Callable
from functools import partial
from hashlib import sha256
from typing import Any, ClassVar, Literal

from pydantic import ValidationError

from control.records import CanvasRecord
from knowledge.schema import Playbook
from tools.base import CanvasRef, Tool, ToolContext
from tools.canvas.arguments import (
    ArmHistory,
    CanvasOutcome,
    DraftCanvasArguments,
    DryRunCanvasArguments,
    DryRunOutcome,
    Edit,
    EditCanvasArguments,
    EditOutcome,
    NodeCounts,
    ShownFinding,
)
from tools.canvas.branches import as_overrides, entry_of, is_head, narrows, of_head, own
from tools.canvas.check import check
from tools.canvas.check_offers import dearest
from tools.canvas.costs import Costs
from tools.canvas.diff import difference
from tools.canvas.draw import draw
from tools.canvas.dry_run import dry_run
from tools.canvas.dry_words import run_words
from tools.canvas.edits import apply
from tools.canvas.edits_graph import BY_PLACE, apply_graph
from tools.canvas.facts import Facts, facts_of
from tools.canvas.schema import Canvas, Goal
from tools.canvas.templates import by_id, heads_of, instantiate
from tools.canvas.waves import Placed, Plan, Wave, WaveArm, build, plan_of
from tools.canvas.wording import default_text
from tools.canvas.words import summary
from tools.segment import Segments, resolve, to_text
from tools.throttle import load_policy
from tools.throttle.tool import focused_segment, notes
from warehouse.catalog import Language
from warehouse.clock import parse_instant, to_utc
from warehouse.errors import ModelRetry
from warehouse.evidence import Evidence

TOOL_VERSION = 1
"""Raised when a tool's answer to the same arguments changes; kept with every canvas version."""
Effect = Literal["read", "write"]


class DraftCanvas(Tool[DraftCanvasArguments, CanvasOutcome]):
    name: ClassVar[str] = "draft_canvas"
    effect: ClassVar[Effect] = "write"
    purpose: ClassVar[str] = (
        "Draft a campaign as a canvas: an audience, waves of touches (channel, day, hour, text), a hold-out and a goal. "
        "Or a template by name with parameters. It is checked and saved as a draft; nothing is sent."
    )
    arguments = DraftCanvasArguments
    result = CanvasOutcome

    def run(self, context: ToolContext, arguments: DraftCanvasArguments) -> tuple[CanvasOutcome, list[Evidence]]:
        if arguments.template:
            return draft_template(context, arguments)
        if arguments.parameters:
            raise ModelRetry("Parameters belong to a template.", "Name the template, or leave the parameters out.")
        if not arguments.name.strip():
            raise ModelRetry("A canvas needs a name.", "Give it in `name`.")
        text, reference = focused_segment(context, arguments.segment)
        expression = to_text(resolve(text, context.catalog, context.records))
        playbook = context.playbooks.get(arguments.playbook) if arguments.playbook else None
        waves = _waves(arguments.waves, playbook, context.language)
        goal = _goal(arguments, playbook)
        start = to_utc(parse_instant(arguments.start, context.warehouse.zone)) if arguments.start else None
        segments = _segments(context)
        counted = segments.count(resolve(expression, context.catalog, context.records), diagnose=False)
        settings = {
            "name": arguments.name.strip(),
            "category": arguments.category,
            "playbook": playbook.id if playbook else "",
            "max_touches": max_touches(counted.count, len(waves)),
            "start": start.astimezone(context.warehouse.zone).isoformat() if start else "",
        }
        key = sha256(f"{arguments.name}\n{expression}\n{settings['start']}".encode()).hexdigest()[:12]
        plan = Plan(
            segment=expression,
            goal=goal,
            waves=tuple(Placed(number, wave) for number, wave in enumerate(waves, start=1)),
            holdout_percent=arguments.holdout_percent,
            key=key,
            settings=settings,
        )
        canvas = _built(plan)
        origin = {**_origin(self.name, playbook.id if playbook else ""), **own(context)}
        record = context.records.save_canvas(
            canvas.model_dump(mode="json"), context.actor, thread=context.thread, origin=origin
        )
        kept = [context.records.keep_evidence(e, context.thread) for e in counted.evidence]
        outcome = CanvasOutcome(**_outcome(context, canvas, record, counted.count), segment=reference)
        return outcome, kept


class EditCanvas(Tool[EditCanvasArguments, EditOutcome]):
    name: ClassVar[str] = "edit_canvas"
    effect: ClassVar[Effect] = "write"
    purpose: ClassVar[str] = (
        "Change the canvas in focus: channels, days, hours, texts, conditions, waves, hold-out, audience, goal, name; any part "
        "by its place. "
        "Saves a new version and tells the difference in words; an edit voids approvals of older versions."
    )
    arguments = EditCanvasArguments
    result = EditOutcome

    def run(self, context: ToolContext, arguments: EditCanvasArguments) -> tuple[EditOutcome, list[Evidence]]:
        before_record = focused_canvas(context, arguments.canvas)
        before = Canvas.model_validate(before_record.document)

        def segment_text(text: str) -> str:
            return to_text(resolve(text, context.catalog, context.records))

        def text_for(channel: str) -> str:
            return default_text(channel, context.language)

        canvas = _edited(before, arguments.edits, segment_text, text_for)
        counted = _segments(context).count(
            resolve(entry_of(canvas).segment, context.catalog, context.records), diagnose=False
        )
        if before.max_touches == canvas.max_touches and _size_changed(before, canvas):
            canvas = canvas.model_copy(update={"max_touches": max_touches(counted.count, most_touches(canvas))})
        if not is_head(context):
            canvas = as_overrides(before, canvas, context.actor.branches or ())
        changes = difference(before, canvas)
        if not changes:
            raise ModelRetry("These edits change nothing: the canvas already is so.", "Name what should be different.")
        record, copied = _save_edit(context, before_record, before, canvas, self.name)
        kept = [context.records.keep_evidence(e, context.thread) for e in counted.evidence]
        words = [change.of(context.language) for change in changes]
        outcome = EditOutcome(**_outcome(context, canvas, record, counted.count), changes=words)
        if copied:
            outcome.notes = [_copied(before_record, record, context.language)]
        return outcome, kept


class DryRunCanvas(Tool[DryRunCanvasArguments, DryRunOutcome]):
    name: ClassVar[str] = "dry_run_canvas"
    effect: ClassVar[Effect] = "read"
    purpose: ClassVar[str] = (
        "Replay a canvas on the bank's history with caps, quiet hours and consent applied: per node entered, held out, "
        "capped, deferred, abandoned, sent, and what those customers then did. History, not a forecast; nothing is sent."
    )
    arguments = DryRunCanvasArguments
    result = DryRunOutcome

    def run(self, context: ToolContext, arguments: DryRunCanvasArguments) -> tuple[DryRunOutcome, list[Evidence]]:
        record = focused_canvas(context, arguments.canvas)
        canvas = Canvas.model_validate(record.document)
        policy, zone = load_policy(context.home), context.warehouse.zone
        wrong = [f for f in check(canvas, context.catalog, known_facts(context, canvas)) if f.severity == "error"]
        blocking = [
            f for f in wrong if f.code in ("expression", "unknown_event", "cycle", "dangling_next", "one_entry")
        ]
        if blocking:
            first = blocking[0]
            raise ModelRetry(f"{first.place}: {first.message(context.language)}", first.fix(context.language))
        start = parse_instant(arguments.start, zone) if arguments.start else None
        run = dry_run(canvas, _segments(context), policy, start)
        kept = [context.records.keep_evidence(e, context.thread) for e in run.evidence]
        return (
            DryRunOutcome(
                canvas=CanvasRef(id=record.id, version=record.version),
                start=run.start,
                end=run.end,
                nodes=[NodeCounts.model_validate(node.model_dump()) for node in run.nodes],
                snapshot_conditions=run.snapshot_conditions,
                aftermath=[ArmHistory.model_validate(a.model_dump()) for a in run.aftermath],
                summary=run_words(run, canvas, context.language, f"{run.start.astimezone(zone):%Y-%m-%d %H:%M}"),
                dot=run.picture(canvas, context.language, context.catalog),
                elapsed_ms=run.elapsed_ms,
                notes=[
                    *notes(run.consent_assumed, run.skipped, context.language),
                    *_snapshot_note(run.snapshot_conditions, context.language),
                ],
            ),
            kept,
        )


def draft_template(context: ToolContext, arguments: DraftCanvasArguments) -> tuple[CanvasOutcome, list[Evidence]]:
    """A canvas from a template: its own audience, counted, decides the maximum of touches."""
    template = by_id(arguments.template or "")
    given = {setting.name: setting.value for setting in arguments.parameters}
    canvas = instantiate(template, given, context.language, name=arguments.name.strip())
    tree = resolve(entry_of(canvas).segment, context.catalog, context.records)
    counted = _segments(context).count(tree, diagnose=False)
    canvas = canvas.model_copy(update={"max_touches": max_touches(counted.count, most_touches(canvas))})
    document = canvas.model_dump(mode="json")
    origin = {
        **_origin("draft_canvas", template.playbook),
        "template": f"{template.id}@{template.version}",
        **own(context),
    }
    record = context.records.save_canvas(document, context.actor, thread=context.thread, origin=origin, base=document)
    kept = [context.records.keep_evidence(e, context.thread) for e in counted.evidence]
    return CanvasOutcome(**_outcome(context, canvas, record, counted.count)), kept


def most_touches(canvas: Canvas) -> int:
    """The most touches of one customer on any way."""
    return int(dearest(canvas, lambda _: 1.0))


def _edited(
    before: Canvas, edits: list[Edit], segment_text: Callable[[str], str], text_for: Callable[[str], str]
) -> Canvas:
    """Wave by wave where the canvas is a chain of waves, else by place."""
    if not any(edit.op in BY_PLACE for edit in edits):
        try:
            plan = plan_of(before)
        except ModelRetry:
            pass
        else:
            return _built(apply(plan, edits, segment_text, text_for))
    return apply_graph(before, edits, segment_text)


def _size_changed(before: Canvas, after: Canvas) -> bool:
    return entry_of(before).segment != entry_of(after).segment or most_touches(before) != most_touches(after)


def _save_edit(
    context: ToolContext, before_record: CanvasRecord, before: Canvas, canvas: Canvas, tool: str
) -> tuple[CanvasRecord, bool]:
    """The next version; or, where a branch edits what head office made, a canvas of the branch's own."""
    copied = not is_head(context) and of_head(before_record)
    origin = {**before_record.origin, **_origin(tool, before.playbook), **own(context)}
    if copied:
        origin["copied_from"] = f"{before_record.id}@{before_record.version}"
    record = context.records.save_canvas(
        canvas.model_dump(mode="json"),
        context.actor,
        thread=context.thread,
        canvas_id=None if copied else before_record.id,
        origin=origin,
        base=before.model_dump(mode="json"),
        branches=_segments(context).scope,
        narrows=partial(narrows, context.catalog),
    )
    return record, copied


def _copied(head: CanvasRecord, mine: CanvasRecord, language: Language) -> str:
    if language == "zh":
        return f"{head.id} 是总行的画布，改动存为本行的副本 {mine.id}，总行的版本和审批不受影响。"
    return f"{head.id} belongs to head office: your change is a copy of your branch, {mine.id}; theirs stays as it was."


def focused_canvas(context: ToolContext, named: str | None) -> CanvasRecord:
    """The canvas that was named ('cv_1', 'cv_1@2'), else the one in focus.

    Raises:
        ModelRetry: nothing was named and nothing is in focus.
    """
    if named and named.strip():
        id_, _, version = named.strip().partition("@")
        if version and not version.isdigit():
            raise ModelRetry(f"{version!r} is not a version of a canvas.", "Write cv_1@2.")
        return context.records.canvas(id_, int(version) if version else None)
    focus = context.records.focus(context.thread)
    if focus.canvas_id is None:
        raise ModelRetry("No canvas was named and none is in focus.", "Call draft_canvas first, or name one.")
    return context.records.canvas(focus.canvas_id, focus.canvas_version)


def max_touches(audience: int, waves: int) -> int:
    """The audience once per wave, rounded up to two leading digits."""
    n = max(1, audience * waves)
    step: int = 10 ** max(0, len(str(n)) - 2)
    return -(-n // step) * step


def _waves(given: list[Wave], playbook: Playbook | None, language: Language) -> list[Wave]:
    """The waves with texts: those given, else the playbook's; missing texts from the playbook's wave on the same channel
    and place, else the channel's default."""
    theirs = [_of_playbook(wave, language) for wave in playbook.waves] if playbook else []
    waves = given or theirs
    if not waves:
        raise ModelRetry(
            "A canvas needs at least one wave.",
            "Give waves such as [{channel: 'sms', day: 0, hour: 12}], or a playbook.",
        )
    filled = []
    for place, wave in enumerate(waves):
        same = theirs[place] if place < len(theirs) and theirs[place].channel == wave.channel else None
        text = wave.text or (same.text if same and not wave.arms else "")
        arms = [arm.model_copy(update={"text": arm.text or wave.text}) for arm in wave.arms]
        if not text:
            text = default_text(wave.channel, language, with_product=wave.product_id is not None)
        arms = [arm.model_copy(update={"text": arm.text or text}) for arm in arms]
        filled.append(wave.model_copy(update={"text": text, "arms": arms}))
    return filled


def _of_playbook(wave: Any, language: Language) -> Wave:
    return Wave(
        channel=wave.channel,
        day=wave.day,
        hour=wave.hour,
        only_if=wave.only_if,
        text=wave.text.of(language),
        arms=[WaveArm(name=arm.name, share=arm.share, text=arm.text.of(language)) for arm in wave.arms],
        product_id=wave.product_id,
    )


def _goal(arguments: DraftCanvasArguments, playbook: Playbook | None) -> Goal:
    if arguments.goal_event is None and not arguments.goal_where and playbook is not None:
        window = (
            arguments.goal_window_days
            if "goal_window_days" in arguments.model_fields_set
            else playbook.goal.window_days
        )
        return Goal(event=playbook.goal.event, where=playbook.goal.where, window_days=window)
    return Goal(
        event=arguments.goal_event or "purchase", where=arguments.goal_where, window_days=arguments.goal_window_days
    )


def _built(plan: Plan) -> Canvas:
    try:
        return build(plan)
    except ValidationError as problem:
        first = problem.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise ModelRetry(f"The canvas does not fit at {place}: {first['msg']}.", "Give another value.") from None


def _outcome(context: ToolContext, canvas: Canvas, record: CanvasRecord, audience: int) -> dict[str, Any]:
    """The fields that drafting and editing answer with."""
    language = context.language
    findings = check(canvas, context.catalog, known_facts(context, canvas))
    return {
        "canvas": CanvasRef(id=record.id, version=record.version),
        "name": canvas.name,
        "ok": not any(f.severity == "error" for f in findings),
        "summary": summary(canvas, context.catalog, language, audience),
        "findings": [
            ShownFinding(
                code=f.code, place=f.place, severity=f.severity, message=f.message(language), fix=f.fix(language)
            )
            for f in findings
        ],
        "dot": draw(canvas, language, catalog=context.catalog),
        "audience": audience,
        "max_touches": canvas.max_touches,
        "template": f"{canvas.template.id}@{canvas.template.version}" if canvas.template else "",
        "locked": list(canvas.locked),
        "waves": _waves_of(canvas),
    }


def _waves_of(canvas: Canvas) -> list[Wave]:
    try:
        return [placed.wave for placed in plan_of(canvas).waves]
    except ModelRetry:
        return []


def known_facts(context: ToolContext, canvas: Canvas) -> Facts:
    """What a check may know of the bank of a context."""
    known = Facts(
        bank=context.home.info().name,
        policy=load_policy(context.home),
        costs=Costs.load(context.home),
        start=context.clock.now(),
        heads=heads_of(canvas),
    )
    return facts_of(_segments(context), canvas, known)


def _segments(context: ToolContext) -> Segments:
    return Segments(context.warehouse, context.catalog, context.records, context.actor)


def _origin(tool: str, playbook: str) -> dict[str, Any]:
    return {"tool": tool, "tool_version": TOOL_VERSION, "playbook": playbook}


def _snapshot_note(conditions: list[str], language: Language) -> list[str]:
    if not conditions:
        return []
    named = "、".join(conditions) if language == "zh" else ", ".join(conditions)
    if language == "zh":
        return [f"这些条件只能用今天的快照判断：{named}。"]
    return [f"These conditions could only use today's snapshot: {named}."]


TOOLS: list[Tool[Any, Any]] = [DraftCanvas(), EditCanvas(), DryRunCanvas()]
