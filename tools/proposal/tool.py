"""`submit_for_approval`, `get_status` and `undo`: handing over to people, and what became of it."""

from datetime import datetime
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from control.records import ProposalRecord
from control.records.routing import ApprovalPolicy, Facts, Rule
from tools.base import Arguments, CanvasRef, Outcome, ProposalRef, SegmentRef, Tool, ToolContext
from tools.canvas import Canvas
from tools.canvas.check import check
from tools.canvas.tool import known_facts
from tools.proposal.build import build_payload
from warehouse.errors import ModelRetry
from warehouse.evidence import Evidence


class SubmitForApproval(Arguments):
    canvas: str | None = Field(None, description="A canvas id (cv_3); None means the one talked about.")
    note: str = Field("", max_length=2000, description="What the approvers should know.")


class LevelNeeded(BaseModel):
    """A level of signatures: any one of the signers, or all of them, each a different person."""

    model_config = ConfigDict(frozen=True)

    name: str
    how: Literal["any_of", "all_of"]
    signers: list[str]


class Submitted(Outcome):
    """Always at once: nothing is decided yet. `levels` tells who can approve, in order; `next` what happens now."""

    status: str
    sentence: str
    audience: int
    max_touches: int
    worst_case_cost: float
    levels: list[LevelNeeded]
    next: str


class GetStatus(Arguments):
    proposal: str | None = Field(None, description="A proposal id (prop_3); None means the one talked about.")


class StatusMove(BaseModel):
    model_config = ConfigDict(frozen=True)

    at: datetime
    status: str
    account: str
    why: str


class ProposalStatus(Outcome):
    """Where a proposal stands. `history` includes decisions with their comments; `sent`, `held_out`, `waiting` and
    `handed_over` tell how far its release is."""

    status: str
    sentence: str
    submitted_by: str
    submitted_at: datetime
    levels: list[LevelNeeded]
    history: list[StatusMove]
    sent: int = 0
    handed_over: int = 0
    held_out: int = 0
    next: str


class Undo(Arguments):
    pass


class Undone(Outcome):
    undone: str


class SubmitForApprovalTool(Tool[SubmitForApproval, Submitted]):
    name: ClassVar[str] = "submit_for_approval"
    effect: ClassVar[Literal["read", "write"]] = "write"
    purpose: ClassVar[str] = (
        "Submit a checked canvas to the people who approve. It returns at once with status pending; nothing is sent before "
        "they approve, and nobody approves what he submitted or edited."
    )
    arguments = SubmitForApproval
    result = Submitted

    def run(self, context: ToolContext, arguments: SubmitForApproval) -> tuple[Submitted, list[Evidence]]:
        """Check, draw up the payload, submit.

        Raises:
            ModelRetry: there is no canvas, or the check finds errors; they are listed.
            AlreadySubmitted: this version waits for a decision or is being released.
        """
        focus = context.records.focus(context.thread)
        canvas_id = arguments.canvas or focus.canvas_id
        if not canvas_id:
            raise ModelRetry("There is no canvas to submit.", "Draft one first.")
        record = context.records.canvas(canvas_id)
        canvas = Canvas.model_validate(record.document)
        findings = check(canvas, context.catalog, known_facts(context, canvas))
        errors = [f for f in findings if f.severity == "error"]
        if errors:
            listed = "; ".join(f"{f.place}: {f.message(context.language)}" for f in errors)
            raise ModelRetry(
                f"{canvas_id} cannot be submitted yet. {listed}",
                " ".join(f.fix(context.language) for f in errors),
                findings=[f.model_dump() for f in errors],
            )
        payload = build_payload(context, record, [f for f in findings if f.severity != "error"], arguments.note)
        rule = ApprovalPolicy.load(context.home.policies).route(payload.facts)
        proposal = context.records.submit(
            payload.model_dump(mode="json"),
            context.actor,
            context.thread,
            record.id,
            record.version,
            context.records.canvas_editors(record.id),
            status="pending" if rule else "blocked",
        )
        result = Submitted(
            canvas=CanvasRef(id=record.id, version=record.version),
            proposal=_ref(proposal),
            status=proposal.status,
            sentence=payload.sentence,
            audience=payload.audience.count,
            max_touches=payload.audience.max_touches,
            worst_case_cost=payload.estimates.worst_case_cost,
            levels=_levels(rule),
            next=_next(proposal.status, rule, context),
            notes=[w.message for w in payload.findings],
        )
        return result, []


class GetStatusTool(Tool[GetStatus, ProposalStatus]):
    name: ClassVar[str] = "get_status"
    effect: ClassVar[Literal["read", "write"]] = "read"
    purpose: ClassVar[str] = "Where a submitted proposal stands: who signed, what they said, how far its release is."
    arguments = GetStatus
    result = ProposalStatus

    def run(self, context: ToolContext, arguments: GetStatus) -> tuple[ProposalStatus, list[Evidence]]:
        """Read it.

        Raises:
            NotFound: there is no such proposal.
            ModelRetry: none was named and none was talked about.
        """
        proposal_id = arguments.proposal or context.records.focus(context.thread).proposal_id
        if not proposal_id:
            raise ModelRetry("No proposal was submitted in this conversation.", "Submit a canvas, or name a proposal.")
        record = context.records.proposal(proposal_id)
        rule = ApprovalPolicy.load(context.home.policies).route(Facts.model_validate(record.payload["facts"]))
        sent, handed_over, held_out = _progress(context, record.id)
        zone = context.warehouse.zone
        result = ProposalStatus(
            proposal=_ref(record),
            status=record.status,
            sentence=str(record.payload.get("sentence", "")),
            submitted_by=record.submitted_by,
            submitted_at=record.submitted_at,
            levels=_levels(rule),
            history=[
                StatusMove(at=m.moved_at.astimezone(zone), status=m.after, account=m.account, why=m.why)
                for m in record.moves
            ],
            sent=sent,
            handed_over=handed_over,
            held_out=held_out,
            next=_next(record.status, rule, context),
        )
        return result, []


class UndoTool(Tool[Undo, Undone]):
    name: ClassVar[str] = "undo"
    effect: ClassVar[Literal["read", "write"]] = "write"
    purpose: ClassVar[str] = "Take back the last step of this conversation. A submitted proposal can only be withdrawn."
    arguments = Undo
    result = Undone

    def run(self, context: ToolContext, arguments: Undo) -> tuple[Undone, list[Evidence]]:
        """Move the thread's focus back by one step.

        Raises:
            ModelRetry: there is nothing to undo.
            PersonDecides: the last step was a submission that is still open.
        """
        what, focus = context.records.undo(context.thread)
        result = Undone(undone=what)
        if focus.segment_id:
            saved = context.records.segment(focus.segment_id)
            result.segment = SegmentRef(id=saved.id, expression=saved.expression, count=saved.count)
        if focus.canvas_id:
            canvas = context.records.canvas(focus.canvas_id, focus.canvas_version)
            result.canvas = CanvasRef(id=canvas.id, version=canvas.version)
        if focus.proposal_id:
            result.proposal = _ref(context.records.proposal(focus.proposal_id))
        return result, []


def _ref(record: ProposalRecord) -> ProposalRef:
    return ProposalRef(id=record.id, status=record.status, digest=record.digest)


def _levels(rule: Rule | None) -> list[LevelNeeded]:
    if rule is None:
        return []
    return [
        LevelNeeded(
            name=level.name,
            how="any_of" if level.any_of else "all_of",
            signers=[*level.signers.roles, *level.signers.people],
        )
        for level in rule.levels
    ]


_NEXT: dict[str, tuple[str, str]] = {
    "pending": (
        "已提交，等待审批；提交人和编辑过的人不能审批。批准之前不会触达任何客户，您可以继续对话。",
        "Submitted and waiting for approval; whoever submitted or edited it cannot approve. Nothing is sent before that, and "
        "you can go on talking.",
    ),
    "blocked": (
        "没有匹配的审批规则，提案被拦下；请管理员在 policies/approval.yaml 中补充规则。",
        "No approval policy matches it, so it is blocked; an administrator must add a rule to policies/approval.yaml.",
    ),
    "approved": ("已批准，将在下一次投放时开始。", "Approved; its release starts with the next delivery run."),
    "releasing": (
        "正在投放；可以撤销，最多再发出一批。",
        "Being released; it can be revoked, then at most one more batch leaves.",
    ),
    "released": ("已投放完成。", "Its release is finished."),
    "rejected": ("已被拒绝，不会触达任何客户。", "Rejected; nothing will be sent."),
    "returned": ("已退回：按意见修改后再提交。", "Returned: change it as commented and submit it again."),
    "expired": ("已过期：如仍需要，请重新提交。", "Expired: submit it again if it is still wanted."),
    "revoked": ("已被撤销，不再发送。", "Revoked; nothing more is sent."),
    "voided": (
        "画布已被修改，原提案作废；请提交新版本。",
        "Void because the canvas was edited; submit the new version.",
    ),
    "withdrawn": ("已由提交人撤回。", "Withdrawn by its submitter."),
}


def _next(status: str, rule: Rule | None, context: ToolContext) -> str:
    zh, en = _NEXT[status]
    text = zh if context.language == "zh" else en
    if status != "pending" or rule is None:
        return text
    levels = " → ".join(
        f"{level.name} ({', '.join([*level.signers.roles, *level.signers.people])})" for level in rule.levels
    )
    return f"{text}审批：{levels}。" if context.language == "zh" else f"{text} Levels: {levels}."


def _progress(context: ToolContext, release: str) -> tuple[int, int, int]:
    """Touches decided to be sent, handed over to their channel, and customers held out."""
    rows = context.warehouse.read(
        """SELECT count(*), count(sent_at), (SELECT count(*) FROM assignments WHERE campaign_id = $1 AND arm = 'control')
           FROM touches WHERE campaign_id = $1""",
        {"1": release},
    ).rows
    return int(rows[0][0]), int(rows[0][1]), int(rows[0][2])


TOOLS: list[Tool[Any, Any]] = [SubmitForApprovalTool(), GetStatusTool(), UndoTool()]
