"""Canvases, throttle, proposals: what was drafted, what would go out, who has to agree."""

from datetime import datetime

from agent.replies.words import ROLES, STATUS, bullets, listed, named, number, paragraphs, pick, table
from tools.canvas.arguments import CanvasOutcome, DryRunOutcome, EditOutcome, ShownFinding
from tools.canvas.words import channel_name
from tools.proposal.tool import LevelNeeded, ProposalStatus, Submitted, Undone
from tools.throttle.tool import CheckThrottleResult
from warehouse.catalog import Language


def canvas(result: CanvasOutcome, language: Language) -> str:
    """The canvas in words, its audience, and what the checks found."""
    reference = f"`{result.canvas.id}` v{result.canvas.version}" if result.canvas else ""
    head = f"**{result.name}** {reference}"
    people = pick(
        language,
        f"客群 **{number(result.audience)}** 人，最多触达 {number(result.max_touches)} 次。",
        f"An audience of **{number(result.audience)}**, at most {number(result.max_touches)} touches.",
    )
    changes = bullets(result.changes) if isinstance(result, EditOutcome) else ""
    return paragraphs(
        head, changes, result.summary, people, _findings(result.findings, language), _then(result, language)
    )


def _findings(findings: list[ShownFinding], language: Language) -> str:
    marks = {"error": pick(language, "必须改", "must be mended"), "warning": pick(language, "请留意", "please note")}
    return bullets(f"**{marks[f.severity]}** {f.place}: {f.message} {f.fix}" for f in findings)


def _then(result: CanvasOutcome, language: Language) -> str:
    if not result.ok:
        return pick(language, "改好上面的错误之后才能提交。", "It can be submitted once the errors above are mended.")
    return pick(
        language,
        "这只是草稿，没有发送任何东西。可以继续改、试跑、查频控，或说“提交审批”。",
        "This is a draft; nothing has been sent. Go on editing, dry-run it, check the throttle, or say “submit it for approval”.",
    )


def dry_run(result: DryRunOutcome, language: Language) -> str:
    """What the canvas would have done on history."""
    names = [
        pick(language, "节点", "node"), pick(language, "进入", "entered"), pick(language, "对照", "held out"),
        pick(language, "频控拦下", "capped"), pick(language, "延期", "deferred"), pick(language, "放弃", "abandoned"),
        pick(language, "发送", "sent"),
    ]  # fmt: skip
    rows = (
        [n.id, *map(number, (n.entered, n.held_out, n.capped, n.deferred, n.abandoned, n.sent))] for n in result.nodes
    )
    snapshot = ""
    if result.snapshot_conditions:
        listed = ", ".join(f"`{condition}`" for condition in result.snapshot_conditions)
        snapshot = pick(
            language, f"只能用今日快照的条件：{listed}", f"Conditions that could only use today's snapshot: {listed}"
        )
    return paragraphs(result.summary, table(names, rows), snapshot)


def throttle(result: CheckThrottleResult, language: Language) -> str:
    """How many could be touched then, and what stops the others."""
    when = local(result.instant)
    head = pick(
        language,
        f"{when} 走{channel_name(result.channel, language)}：{number(result.candidates)} 人中可触达 **{number(result.allowed)}** 人，"
        f"延期 {number(result.deferred)}，放弃 {number(result.abandoned)}。",
        f"By {channel_name(result.channel, language)} at {when}: **{number(result.allowed)}** of {number(result.candidates)} may be touched, "
        f"{number(result.deferred)} deferred, {number(result.abandoned)} abandoned.",
    )
    rules = bullets(
        f"{result.rules_in_words.get(rule, rule)}: {number(count)}" for rule, count in result.by_rule.items() if count
    )
    later = ""
    if result.next_at:
        later = pick(
            language,
            f"延期的最早可在 {local(result.next_at)} 发。",
            f"Deferred ones may go from {local(result.next_at)}.",
        )
    header = [pick(language, "漏斗", "waterfall"), pick(language, "剩余", "left"), pick(language, "减少", "lost")]
    steps = (
        table(header, ([line.words, number(line.count), number(line.lost)] for line in result.waterfall))
        if result.waterfall
        else ""
    )
    return paragraphs(head, rules, later, steps)


def submitted(result: Submitted, language: Language) -> str:
    """It waits for people now: which ones, and for what exactly."""
    reference = result.proposal
    head = (
        f"`{reference.id}` **{named(result.status, STATUS, language)}** — {result.sentence}"
        if reference
        else result.sentence
    )
    figures = pick(
        language,
        f"客群 {number(result.audience)} 人，最多 {number(result.max_touches)} 次，最高成本 ¥{number(result.worst_case_cost, 2)}。",
        f"Audience {number(result.audience)}, at most {number(result.max_touches)} touches, worst-case cost ¥{number(result.worst_case_cost, 2)}.",
    )
    digest = f"`{reference.digest}`" if reference else ""
    return paragraphs(head, figures, _levels(result.levels, language), result.next, digest)


def _levels(levels: list[LevelNeeded], language: Language) -> str:
    how = {"any_of": pick(language, "任一人", "any one of"), "all_of": pick(language, "全部", "all of")}
    return bullets(
        pick(language, f"需要 {how[level.how]}：", f"Needs {how[level.how]}: ")
        + listed((named(signer, ROLES, language) for signer in level.signers), language)
        for level in levels
    )


def status(result: ProposalStatus, language: Language) -> str:
    """Where a proposal stands, and everything that happened to it."""
    reference = f"`{result.proposal.id}` " if result.proposal else ""
    head = f"{reference}**{named(result.status, STATUS, language)}** — {result.sentence}"
    history = bullets(
        f"{local(move.at)} {move.account}: {named(move.status, STATUS, language)}"
        + (f" — {move.why}" if move.why else "")
        for move in result.history
    )
    progress = ""
    if result.sent or result.held_out or result.handed_over:
        progress = pick(
            language,
            f"已决定发送 {number(result.sent)}，已交接 {number(result.handed_over)}，对照组 {number(result.held_out)}。",
            f"Decided to send {number(result.sent)}, handed over {number(result.handed_over)}, held out {number(result.held_out)}.",
        )
    return paragraphs(head, history, progress, result.next)


def undone(result: Undone, language: Language) -> str:
    """What was taken back, and where the conversation stands now."""
    now = [f"`{ref.id}`" for ref in (result.segment, result.canvas, result.proposal) if ref is not None]
    head = pick(language, f"已撤回：{result.undone}。", f"Undone: {result.undone}.")
    rest = pick(language, "现在谈的是 ", "We are now talking about ") + listed(now, language) if now else ""
    return paragraphs(head, rest)


def local(instant: datetime) -> str:
    """An instant as the bank's clock shows it, '2026-11-19 10:00': tools give instants in the bank's zone."""
    return instant.strftime("%Y-%m-%d %H:%M")
