"""`touchline proposals`, `proposal`, `approve`, `reject`, `return`, `revoke`, `withdraw`, `release run`."""

from collections.abc import Callable
from typing import Annotated

import typer

from cli.credentials import decider, reader
from cli.desk import at_desk, home_info
from cli.language import say
from cli.options import DEFAULT_HOME, HomeDir, Json, Lang, Password, PasswordStdin, Token, User
from cli.output import show, table
from server.schema import Decided, DecisionAsked, ProposalView, ReleaseRun, RevokeAsked

release = typer.Typer(no_args_is_help=True, help=say("放行。", "Releases."))

ProposalId = Annotated[str, typer.Argument(metavar="ID", help=say("提案编号，prop_<n>。", "The proposal, prop_<n>."))]
Comment = Annotated[
    str, typer.Option("--comment", help=say("意见；驳回和退回必填。", "Why; needed to reject or return."))
]
Digest = Annotated[
    str | None,
    typer.Option(
        "--digest", help=say("看过的内容摘要（默认当前提案）。", "What was looked at (default: what it holds now).")
    ),
]
DECISIONS: tuple[tuple[Decided, str], ...] = (
    ("approve", say("批准提案。", "Approve a proposal.")),
    ("reject", say("驳回提案。", "Reject a proposal.")),
    ("return", say("退回修改。", "Return a proposal for changes.")),
)


def proposals(
    status: Annotated[str | None, typer.Option("--status", help=say("只看某种状态。", "Only those with this status."))] = None,
    home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None, as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    with at_desk(home, reader(home_info(home), user, token)) as desk:
        found = desk.proposals(status)
    headings = ("id", say("状态", "status"), say("提交人", "submitted by"), say("名称", "name"), say("摘要", "digest"))
    rows = [(p.id, p.status, p.submitted_by, p.name, p.digest[:19]) for p in found]
    show(found, as_json, lambda: table(headings, rows))


def proposal(
    proposal_id: ProposalId, home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None,
    as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    with at_desk(home, reader(home_info(home), user, token)) as desk:
        found = desk.proposal(proposal_id)
    show(found, as_json, lambda: _readable(found))


def _readable(view: ProposalView) -> str:
    lines = [
        f"{view.id}  {view.status}  {view.name}",
        view.sentence,
        f"{view.digest}",
        say(f"提交：{view.submitted_by}；起草或修改：", f"submitted by {view.submitted_by}; drafted or edited by ")
        + ", ".join(view.editors),
    ]
    if view.levels:
        headings = (say("级别", "level"), say("状态", "state"), say("已签", "signed by"), say("还需", "needs"))
        rows = [(lv.name, lv.state, ", ".join(lv.signed_by) or "-", ", ".join(lv.needs) or "-") for lv in view.levels]
        lines += ["", table(headings, rows)]
    lines += ["", *(f"{m.moved_at:%Y-%m-%d %H:%M} {m.after} {m.account} {m.why}".rstrip() for m in view.moves)]
    if view.waves:
        lines += [
            "",
            table(
                (say("步骤", "step"), say("批次", "wave"), say("计数", "counts")),
                [(w.step, w.wave, str(w.counts or {})) for w in view.waves],
            ),
        ]
    return "\n".join(lines)


def _decision(decided: Decided) -> Callable[..., None]:
    """The command of one of approve, reject, return: they differ in the word alone."""

    def command(
        proposal_id: ProposalId, comment: Comment = "", digest: Digest = None, home: HomeDir = DEFAULT_HOME,
        user: User = None, token: Token = None, password: Password = None, password_stdin: PasswordStdin = False,
        as_json: Json = False, lang: Lang = None,
    ) -> None:  # fmt: skip
        who = decider(home_info(home), user, token, password=password, from_stdin=password_stdin)
        asked = DecisionAsked(decision=decided, digest=digest, comment=comment)
        with at_desk(home, who) as desk:
            made = desk.decide(proposal_id, asked)
        needed = say("，还需：", "; still needed: ") + ", ".join(made.still_needed) if made.still_needed else ""
        show(made, as_json, lambda: f"{made.proposal}: {made.status}{needed}  {made.digest}")

    return command


def revoke(
    proposal_id: ProposalId,
    comment: Annotated[str, typer.Option("--comment", "--reason", help=say("原因。", "Why."))] = "",
    home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None, password: Password = None,
    password_stdin: PasswordStdin = False, as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    who = decider(home_info(home), user, token, password=password, from_stdin=password_stdin)
    with at_desk(home, who) as desk:
        found = desk.revoke(proposal_id, RevokeAsked(reason=comment))
    show(found, as_json, lambda: f"{found.id}: {found.status}")


def withdraw(
    proposal_id: ProposalId, home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None,
    as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    with at_desk(home, reader(home_info(home), user, token)) as desk:
        found = desk.withdraw(proposal_id)
    show(found, as_json, lambda: f"{found.id}: {found.status}")


@release.command("run", help=say("立即执行已批准且到期的放行。", "Do now what is approved and due."))
def run(
    home: HomeDir = DEFAULT_HOME, user: User = None, token: Token = None, as_json: Json = False, lang: Lang = None
) -> None:
    with at_desk(home, reader(home_info(home), user, token)) as desk:
        found = desk.release_run()
    show(found, as_json, lambda: waves_text(found))


def waves_text(found: ReleaseRun) -> str:
    if not found.waves:
        return say("现在没有到期的。", "Nothing is due now.")
    headings = (
        say("提案", "release"), say("步骤", "step"), say("批次", "wave"), say("进入", "entered"), say("对照", "held out"),
        say("已交付", "handed over"), say("失败", "failed"), say("说明", "problem"),
    )  # fmt: skip
    rows = [(w.release, w.step, w.wave, w.entered, w.held_out, w.handed_over, w.failed, w.problem) for w in found.waves]
    return table(headings, rows) + "\n" + say(f"文件在 {found.outbox}", f"files in {found.outbox}")


def register(app: typer.Typer) -> None:
    app.command("proposals", help=say("提案列表。", "Proposals, the newest first."))(proposals)
    app.command("proposal", help=say("查看一个提案。", "One proposal."))(proposal)
    for decided, task in DECISIONS:
        app.command(decided, help=task)(_decision(decided))
    app.command("revoke", help=say("撤销已批准或进行中的放行。", "Stop an approved or running release."))(revoke)
    app.command("withdraw", help=say("提交人撤回提案。", "Take back one's own proposal."))(withdraw)
    app.add_typer(release, name="release")
