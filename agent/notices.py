"""What a thread is told when people have decided about one of its proposals."""

from control.records import ProposalRecord
from warehouse.catalog import Language

HEADLINES: dict[str, tuple[str, str]] = {
    "approved": ("已批准，将按方案放行。", "was approved and will be released as approved."),
    "rejected": ("已被驳回。", "was rejected."),
    "returned": ("已退回修改。", "was returned for changes."),
    "expired": ("审批已过期，需要重新提交。", "expired before it was decided; submit it again."),
    "revoked": ("批准已被撤销，不再发送。", "was revoked; nothing more will be sent."),
    "voided": ("因内容被修改而作废，需要重新提交。", "was voided because it was edited; submit it again."),
    "withdrawn": ("已撤回。", "was withdrawn."),
    "releasing": ("已批准，正在放行。", "was approved and is being released."),
    "released": ("已放行完成。", "has been released."),
    "blocked": ("没有适用的审批规则，暂不能继续。", "is blocked: no approval policy matches."),
    "pending": ("等待审批。", "is waiting for approval."),
}


def notice_text(record: ProposalRecord, language: Language) -> str:
    """One or two sentences: what was decided, by whom, why."""
    zh, en = HEADLINES[record.status]
    last = record.moves[-1] if record.moves else None
    who = last.account if last else ""
    why = last.why if last else ""
    if language == "zh":
        by = f"（{who}）" if who else ""
        return f"{record.id} {zh}{by}" + (f"\n意见：{why}" if why else "")
    by = f" ({who})" if who else ""
    return f"{record.id} {en}{by}" + (f"\nComment: {why}" if why else "")
