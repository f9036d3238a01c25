"""Side effects of a turn, each on record before the graph goes on, so that a repeated node repeats nothing."""

from typing import Any

from agent.answer import Answer
from agent.models.base import Call, Done, Exchange, Focus, PlaybookHit, Question, Turn
from agent.notices import notice_text
from agent.toolbox import Executed, Toolbox
from control.records import Actor, EventRecord, Records, ThreadFocus
from knowledge import PlaybookIndex
from tools.base import CanvasRef, Outcome, ProposalRef, SegmentRef, ToolContext
from warehouse.catalog import Language
from warehouse.errors import TouchlineError

HISTORY = 6
"""Exchanges a model is shown."""
RECALLED = 3
"""Playbooks recalled for a request."""


class Desk:
    """The graph's access to records, tools and playbooks for one thread.

    Args:
        after: the event cursor at which this turn began; earlier events belong to other turns.
    """

    def __init__(self, records: Records, toolbox: Toolbox, playbooks: PlaybookIndex, after: int = 0) -> None:
        self.records = records
        self.toolbox = toolbox
        self.playbooks = playbooks
        self.after = after

    def recall(self, context: ToolContext, text: str) -> list[PlaybookHit]:
        """The playbooks nearest to a request, with the audience in words of this bank."""
        return [
            PlaybookHit(
                id=hit.id,
                title=hit.title(context.language),
                score=hit.score,
                summary=hit.playbook.scenario.of(context.language),
                audience=hit.playbook.audience.expression,
            )
            for hit in self.playbooks.search(text, RECALLED)
        ]

    def focus(self, context: ToolContext) -> Focus:
        """What 'it' means now, read from the records."""
        return read_focus(self.records, context.thread)

    def history(self, context: ToolContext) -> list[Exchange]:
        """The last exchanges of the thread; notices of decisions are no exchanges."""
        turns = [turn.turn for turn in self.records.turns(context.thread)]
        asked = [turn for turn in turns if not turn.get("notice")]
        return [
            Exchange(
                text=turn.get("text", ""),
                reply=turn.get("reply", ""),
                calls=[Call(tool=c["tool"], args=c["args"]) for c in turn.get("calls", []) if c["ok"]],
                question=Question.model_validate(turn["question"]) if turn.get("question") else None,
            )
            for turn in asked[-HISTORY:]
        ]

    def results(self, thread: str, turn: int) -> list[EventRecord]:
        """The calls of a turn that are on record, in order."""
        events = self.records.events(thread, self.after)
        return [event for event in events if event.turn == turn and event.event.get("kind") == "result"]

    def done(self, context: ToolContext, turn: int) -> list[Done]:
        return [
            Done(
                tool=event["tool"],
                args=event["args"],
                ok=event["ok"],
                result=event["result"],
                error=event["error"],
            )
            for event in (record.event for record in self.results(context.thread, turn))
        ]

    def carry_out(self, context: ToolContext, turn: int, position: int, call: Call) -> Executed:
        """Run a call unless this position of the turn is on record already, and record what came of it."""
        for record in self.results(context.thread, turn):
            if record.event["position"] == position:
                return _recorded(call, record.event)
        executed = self.toolbox.execute(call, context)
        if executed.outcome is not None:
            self._move_focus(context, call, executed.outcome)
        self.records.add_event(context.thread, turn, _event(position, executed))
        return executed

    def _move_focus(self, context: ToolContext, call: Call, outcome: Outcome) -> None:
        """What a result names becomes what the thread is about; `undo` has moved it by itself."""
        if call.tool == "undo":
            return
        before = self.records.focus(context.thread)
        update: dict[str, Any] = {}
        if outcome.segment is not None:
            update["segment_id"] = outcome.segment.id
        if outcome.canvas is not None:
            update |= {"canvas_id": outcome.canvas.id, "canvas_version": outcome.canvas.version}
        if outcome.proposal is not None:
            update["proposal_id"] = outcome.proposal.id
        if call.tool == "analyze_campaign":
            update["campaign_id"] = str(call.args.get("campaign", ""))
        after = before.model_copy(update=update)
        if after != before:
            self.records.set_focus(context.thread, after, _what(call, outcome, context.language))

    def note_request(self, context: ToolContext, turn: int, step: int, model: str, sent: Turn) -> None:
        """Put on record what leaves for a model. It has passed the guard."""
        body = sent.model_dump(mode="json", exclude_defaults=True)
        self.records.add_event(
            context.thread, turn, {"kind": "model_request", "step": step, "model": model, "sent": body}
        )

    def open_proposals(self, thread: str) -> dict[str, str]:
        return {proposal.id: proposal.status for proposal in self.records.open_proposals(thread)}

    def proposal_statuses(self, thread: str) -> dict[str, str]:
        return {proposal.id: proposal.status for proposal in self.records.proposals(thread=thread)}

    def tell(self, thread: str, proposal: str, status: str) -> None:
        """Add the notice of a decision to the thread, once."""
        notice = f"{proposal}:{status}"
        turns = self.records.turns(thread)
        if any(turn.turn.get("notice") == notice for turn in turns):
            return
        record = self.records.proposal(proposal)
        language: Language = "zh"
        for turn in reversed(turns):
            if turn.turn.get("language"):
                language = turn.turn["language"]
                break
        answer = Answer(
            thread=thread,
            user=record.submitted_by,
            model="",
            language=language,
            reply=notice_text(record, language),
            proposal=ProposalRef(id=record.id, status=record.status, digest=record.digest),
            notice=notice,
        )
        system = Actor(account=record.submitted_by, person=record.submitter)
        number = self.records.add_turn(thread, system, answer.model_dump(mode="json"))
        self.records.add_event(thread, number, {"kind": "notice", "proposal": proposal, "status": status})


def read_focus(records: Records, thread: str) -> Focus:
    """The thread's focus with what is needed to speak of it."""
    focus: ThreadFocus = records.focus(thread)
    segment = canvas = proposal = None
    text = ""
    if focus.segment_id:
        row = records.segment(focus.segment_id)
        segment = SegmentRef(id=row.id, expression=row.expression, count=row.count)
    if focus.canvas_id:
        version = records.canvas(focus.canvas_id, focus.canvas_version)
        canvas = CanvasRef(id=version.id, version=version.version)
        text = outline(version.document)
    if focus.proposal_id:
        row_ = records.proposal(focus.proposal_id)
        proposal = ProposalRef(id=row_.id, status=row_.status, digest=row_.digest)
    return Focus(segment=segment, canvas=canvas, canvas_text=text, proposal=proposal, campaign=focus.campaign_id or "")


def outline(document: dict[str, Any]) -> str:
    """A canvas as a model may see it: its nodes without the words of messages."""
    lines = []
    for node in document.get("nodes", []):
        shown = {k: v for k, v in node.items() if k not in ("arms", "label") and v not in ("", None)}
        lines.append(" ".join(f"{k}={v}" for k, v in shown.items()))
    return "\n".join(lines)


WHAT: dict[str, tuple[str, str]] = {
    "query_segment": ("选定客群", "segment"),
    "draft_canvas": ("拟定画布", "drafted canvas"),
    "edit_canvas": ("修改画布", "edit of canvas"),
    "submit_for_approval": ("提交方案", "submission of"),
    "analyze_campaign": ("查看活动", "read-out of"),
}


def _what(call: Call, outcome: Outcome, language: Language) -> str:
    """What was done, in the words that `undo` will repeat."""
    zh, en = WHAT.get(call.tool, (call.tool, call.tool))
    reference = outcome.proposal or outcome.canvas or outcome.segment
    name = reference.id if reference else str(call.args.get("campaign", ""))
    version = f" v{reference.version}" if isinstance(reference, CanvasRef) else ""
    return f"{zh if language == 'zh' else en} {name}{version}".strip()


def _event(position: int, executed: Executed) -> dict[str, Any]:
    error: TouchlineError | None = executed.error
    return {
        "kind": "result",
        "position": position,
        "tool": executed.call.tool,
        "args": executed.call.args,
        "ok": executed.ok,
        "result": executed.outcome.model_dump(mode="json") if executed.outcome else {},
        "evidence": [evidence.id for evidence in executed.evidence],
        "error": str(error) if error else "",
    }


def _recorded(call: Call, event: dict[str, Any]) -> Executed:
    """An execution as the record has it: enough for the graph to go on after a crash."""
    if event["ok"]:
        return Executed(call, Outcome(), [])
    return Executed(call, None, [], TouchlineError(event["error"]))
