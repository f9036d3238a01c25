"""A run as one HTML page that needs nothing else: totals, what went wrong and why, every case with its turns."""

from collections import defaultdict
from html import escape
from pathlib import Path

from evals.cases import BUILTIN, load
from evals.grade import Score, Verdict
from evals.runs import CaseRun, Run
from evals.schema import Case
from evals.score import WORST, score_run
from warehouse.home import write_atomically

_WORDS: dict[Verdict, str] = {
    "right": "right", "asked": "asked instead", "silently_wrong": "silently wrong", "error": "error", "unsafe": "unsafe",
    "unscored": "not scored", "skipped": "skipped",
}  # fmt: skip
_STYLE = """
body{font:15px/1.5 system-ui,"Noto Sans CJK SC",sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1c2430}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #dde3ea;vertical-align:top}
.tag{display:inline-block;padding:0 .5rem;border-radius:.6rem;white-space:nowrap}
.right{background:#d9f2e1}.asked{background:#fdf1cf}.silently_wrong,.error{background:#fbdcd8}.unsafe{background:#b3261e;color:#fff}
.unscored,.skipped{background:#e7eaee}details{margin:.4rem 0}pre{white-space:pre-wrap;background:#f5f7f9;padding:.6rem;font-size:13px}
small{color:#5b6673}
"""


def report(run_file: Path | Run, out: Path, cases_dir: Path | None = None) -> Path:
    """Write the report of a saved run and return its path."""
    run = run_file if isinstance(run_file, Run) else Run.load(run_file)
    out.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(out, render(run, load(cases_dir or BUILTIN)))
    return out


def render(run: Run, cases: list[Case]) -> str:
    scored = score_run(run, cases)
    by_id = {case.id: case for case in cases}
    attempts = {(seen.id, seen.attempt): seen for seen in run.runs}
    scores: defaultdict[str, list[Score]] = defaultdict(list)
    for one in scored.scores:
        scores[one.id].append(one)
    ordered = sorted(scored.verdicts.items(), key=lambda item: (WORST.index(item[1]), item[0]))
    times = sorted(turn.elapsed_ms for seen in run.runs for turn in seen.turns if turn.elapsed_ms)
    totals = "".join(
        f"<tr><td>{_tag(verdict)}</td><td>{count}</td></tr>"  # type: ignore[arg-type]
        for verdict, count in scored.totals.items()
    )
    share = f"{scored.pass_k:.1%}" if scored.pass_k is not None else "nothing was scored"
    facts = [
        f"model {run.model or 'default'}, prompt {run.prompt_version}, grader {scored.grader_version}, seed {run.seed}",
        f"commit {run.commit[:12] or 'unknown'}{' with changes' if run.dirty else ''}, {run.started_at:%Y-%m-%d %H:%M} UTC",
        f"homes: {', '.join(f'{k} ({v})' for k, v in run.homes.items()) or 'none'}",
        f"all {run.attempts} attempts right (pass^{run.attempts}): {share}",
    ]
    if times:
        facts.append(
            f"a turn took {times[len(times) // 2]:.0f} ms at the median, {times[int(len(times) * 0.95)]:.0f} ms at the 95th percentile"
        )
    if scored.stale:
        facts.append("the cases have changed since this run was made")
    body = "".join(_case(by_id[id], verdict, scores[id], attempts) for id, verdict in ordered)
    return (
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>Touchline evals</title><style>{_STYLE}</style>"
        f"<h1>Evals</h1><p>{'<br>'.join(escape(f) for f in facts)}</p><table>{totals}</table><h2>Cases</h2>{body}</html>\n"
    )


def _tag(verdict: Verdict) -> str:
    return f"<span class='tag {verdict}'>{_WORDS[verdict]}</span>"


def _case(case: Case, verdict: Verdict, scores: list[Score], attempts: dict[tuple[str, int], CaseRun]) -> str:
    first = scores[0]
    reasons = [str(reason) for one in scores for reason in one.gated]
    noted = [str(reason) for one in scores for reason in one.noted]
    lines = [
        f"<p>{escape(case.purpose)} <small>{case.home}, {case.language}, decided by {', '.join(case.deciding())}</small></p>"
    ]
    if reasons:
        lines.append("<ul>" + "".join(f"<li>{escape(reason)}</li>" for reason in dict.fromkeys(reasons)) + "</ul>")
    if noted:
        lines.append("<small>also, without deciding: " + escape("; ".join(dict.fromkeys(noted))) + "</small>")
    for one in scores:
        lines.append(f"<pre>{escape(_transcript(attempts[one.id, one.attempt]))}</pre>")
    summary = f"{_tag(verdict)} <b>{escape(case.id)}</b> {escape(case.turns[-1][:90])}"
    open_ = " open" if verdict in ("unsafe", "silently_wrong", "error") and first.verdict != "skipped" else ""
    return f"<details{open_}><summary>{summary}</summary>{''.join(lines)}</details>"


def _transcript(seen: CaseRun) -> str:
    if seen.skipped:
        return f"skipped: {seen.skipped}"
    lines: list[str] = []
    for number, turn in enumerate(seen.turns, 1):
        lines.append(f"> {turn.text}")
        for call in seen.calls:
            if call.turn == number:
                ending = "" if call.ok else f"  refused: {call.error}"
                lines.append(f"  {call.tool}({', '.join(f'{k}={v!r}' for k, v in call.args.items())}){ending}")
        if turn.asked:
            lines.append(f"? {turn.question} {turn.options or ''}")
        lines.append(turn.exception or turn.reply)
    return "\n".join(lines)
