"""`touchline eval run|score|compare|report`: does the assistant still do what people mean?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.language import say
from cli.options import Json, Lang
from cli.output import note, show, table

if TYPE_CHECKING:
    from evals.compare import Change, Comparison
    from evals.score import Scored

evaluation = typer.Typer(
    no_args_is_help=True, help=say("评测：助手是否仍做对。", "Evals: does the assistant still do what people mean?")
)

RUNS = Path("evals/runs")
RunFile = Annotated[Path, typer.Argument(metavar="RUN", help=say("保存的评测运行（JSON）。", "A saved run (JSON)."))]
Cases = Annotated[
    Path | None,
    typer.Option("--cases", help=say("用例目录（默认内置）。", "A folder of cases (default: the built-in ones).")),
]


@evaluation.command("run", help=say("逐例提问并保存所见。", "Ask every case and keep what came of it."))
def run(
    model: Annotated[str | None, typer.Option("--model", help=say("对话模型。", "The chat model."))] = None,
    cases: Cases = None,
    only: Annotated[list[str] | None, typer.Option("--only", help=say("只跑这些用例（编号或其开头）。", "Only these cases (ids or their beginnings)."))] = None,
    attempts: Annotated[int, typer.Option("--attempts", min=1, max=20, help=say("每例次数。", "How often each case is asked."))] = 1,
    seed: Annotated[int, typer.Option("--seed", help=say("演示银行的种子。", "The demo bank's seed."))] = 7,
    out: Annotated[Path | None, typer.Option("--out", help=say("保存到（默认 evals/runs/）。", "Where to save the run (default: evals/runs/)."))] = None,
    report: Annotated[Path | None, typer.Option("--report", help=say("同时写 HTML 报告。", "Write an HTML report, too."))] = None,
    baseline: Annotated[bool, typer.Option("--baseline", help=say("把结果存为基线。", "Keep the verdicts as the baseline."))] = False,
    home: Annotated[Path | None, typer.Option("--home", help=say("复制这个演示环境（默认新建）。", "A demo home to copy (default: one is built)."))] = None,
    as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    import evals
    from evals.runner import run as ask_all

    made = ask_all(cases, model, home, seed=seed, only=only, attempts=attempts, progress=None if as_json else note)
    file = out or RUNS / f"{made.started_at:%Y%m%dT%H%M%S}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    made.save(file)
    scored = evals.score(made, cases)
    if report is not None:
        evals.report(made, report, cases)
    if baseline:
        evals.save_baseline(evals.baseline_of(scored))
    document = _scored(scored) | {"run": str(file), "report": str(report) if report else None}
    show(document, as_json, lambda: _totals(scored) + f"\n{file}" + (f"\n{report}" if report else ""))


@evaluation.command("score", help=say("用现在的评分器重新评分。", "Grade a saved run again, with today's grader."))
def score(run_file: RunFile, cases: Cases = None, as_json: Json = False, lang: Lang = None) -> None:
    import evals

    scored = evals.score(run_file, cases)
    show(_scored(scored), as_json, lambda: _totals(scored))


@evaluation.command(
    "compare",
    help=say(
        "与基线或另一次运行比较；变差则退出码 2。",
        "Compare with the baseline or another run; exits 2 if something got worse.",
    ),
)
def compare(
    run_file: RunFile,
    other: Annotated[Path | None, typer.Argument(metavar="[OTHER]", help=say("另一次运行（较新）；不给则 RUN 与基线比较。", "A later run; without it RUN is compared with the baseline."))] = None,
    as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    import evals

    found = evals.compare(run_file, other) if other is not None else evals.compare(evals.BASELINE, run_file)
    show(found.model_dump(mode="json") | {"ok": found.ok}, as_json, lambda: _changes(found))
    if not found.ok:
        raise typer.Exit(2)


@evaluation.command("report", help=say("为保存的运行写 HTML 报告。", "Write the HTML report of a saved run."))
def report(
    run_file: RunFile,
    out: Annotated[Path | None, typer.Option("--out", help=say("报告文件。", "The report's file."))] = None,
    cases: Cases = None, as_json: Json = False, lang: Lang = None,
) -> None:  # fmt: skip
    import evals

    written = evals.report(run_file, out or run_file.with_suffix(".html"), cases)
    show({"report": str(written)}, as_json, lambda: str(written))


def _scored(scored: "Scored") -> dict[str, Any]:
    return {
        **scored.model_dump(mode="json"),
        "verdicts": scored.verdicts,
        "totals": scored.totals,
        "pass_1": scored.pass_1,
        "pass_k": scored.pass_k,
    }


def _totals(scored: "Scored") -> str:
    bad = [(id_, verdict) for id_, verdict in scored.verdicts.items() if verdict not in ("right", "skipped")]
    lines = [table((say("判定", "verdict"), say("用例", "cases")), [(v, n) for v, n in scored.totals.items() if n])]
    if bad:
        lines += ["", table((say("用例", "case"), say("判定", "verdict")), bad)]
    if scored.pass_k is not None:
        lines += ["", f"pass^k {scored.pass_k:.1%}"]
    return "\n".join(lines)


def _changes(found: "Comparison") -> str:
    rows: list[tuple[str, str, str, str]] = []
    kinds: list[tuple[str, list[Change]]] = [
        (say("变差", "worse"), found.worse), (say("变好", "better"), found.better), (say("新增", "new"), found.new),
    ]  # fmt: skip
    for kind, changes in kinds:
        rows += [(kind, c.id, f"{c.before or '-'} → {c.after}", "; ".join(c.reasons)) for c in changes]
    if not rows:
        return say("没有变化。", "Nothing changed.")
    return table((say("变化", "change"), say("用例", "case"), say("判定", "verdict"), say("原因", "reasons")), rows)


def register(app: typer.Typer) -> None:
    app.add_typer(evaluation, name="eval")
