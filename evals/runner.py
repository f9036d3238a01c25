"""Running cases: each in its own thread of conversation, through the service of a temporary home."""

import logging
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from evals.cases import BUILTIN, fingerprint, load
from evals.homes import ROOT, Homes
from evals.observe import Observer, Traces
from evals.runs import CaseRun, Run, TurnSeen
from evals.schema import Case, HomeKind, Seed
from server.service import Service
from warehouse.clock import Clock
from warehouse.errors import TouchlineError
from warehouse.home import Home

log = logging.getLogger(__name__)
Progress = Callable[[str], None]


def run(
    cases_dir: Path | None = None,
    model: str | None = None,
    home: Path | None = None,
    *,
    seed: int = 7,
    only: list[str] | None = None,
    attempts: int = 1,
    out: Path | None = None,
    progress: Progress | None = None,
) -> Run:
    """Ask every case and keep what came of it.

    Args:
        cases_dir: a folder of case files; the built-in cases by default.
        model: as for `ask`; None takes the default model.
        home: a demo home to copy for the demo cases; built from `seed` by default. It is never written.
        only: ids, or beginnings of ids, to run.
        attempts: how often each case is asked, for models that sample.
        out: where to save the run.

    Raises:
        AdminFixes: a case file or the home is not sound.
    """
    cases = load(cases_dir or BUILTIN, only)
    commit, dirty = _commit()
    with tempfile.TemporaryDirectory(prefix="touchline-eval-") as folder:
        homes = Homes(Path(folder), seed=seed, demo=home)
        result = Run(
            model=model or "",
            prompt_version=_prompt_version(),
            seed=seed,
            commit=commit,
            dirty=dirty,
            started_at=Clock().now(),
            cases_digest=fingerprint(cases),
            attempts=attempts,
        )
        for kind in ("demo", "uci", "kz"):
            here = [case for case in cases if case.home == kind]
            if here:
                result.runs += _run_home(homes, kind, here, model, attempts, result, progress)
    if out is not None:
        result.save(out)
    return result


def _run_home(
    homes: Homes,
    kind: HomeKind,
    cases: list[Case],
    model: str | None,
    attempts: int,
    result: Run,
    progress: Progress | None,
) -> Iterator[CaseRun]:
    missing = homes.missing(kind)
    if missing:
        yield from (CaseRun(id=case.id, home=kind, skipped=missing) for case in cases)
        return
    try:
        result.homes[kind] = homes.master(kind).info().source
    except TouchlineError as error:
        # A bank that cannot be built is a finding about its cases; the other banks' cases have been asked already.
        broken = f"the {kind} home cannot be built: {error}"
        yield from (CaseRun(id=c.id, home=kind, turns=[TurnSeen(text=c.turns[0], exception=broken)]) for c in cases)
        return
    with ExitStack() as stack:
        common: Service | None = None
        for case in cases:
            for attempt in range(1, attempts + 1):
                if case.seed:
                    with _service(homes.copy(kind)) as own:
                        done = run_case(case, own, model, attempt)
                else:
                    common = common or stack.enter_context(_service(homes.copy(kind)))
                    done = run_case(case, common, model, attempt)
                if progress:
                    progress(f"{case.id} {done.seconds:.2f} s")
                yield done


@contextmanager
def _service(home: Home) -> Iterator[Service]:
    with home.own(kind="eval"), Service(home) as service:
        yield service


def run_case(case: Case, service: Service, model: str | None, attempt: int = 1) -> CaseRun:
    """Ask the turns of one case, let delivery do whatever is due, and look."""
    stores = service.stores
    actor = stores.authority.actor(case.user)
    for seed in case.seed:
        _plant(seed, service)
    thread = f"eval-{case.id}-{attempt}"
    observer = Observer(stores, actor)
    before = Traces.of(stores)
    seen = CaseRun(id=case.id, home=case.home, attempt=attempt)
    started = time.perf_counter()
    for number, text in enumerate(case.turns, 1):
        try:
            answer = stores.assistant.ask(text, thread=thread, actor=actor, model=model)
        except Exception as error:  # noqa: BLE001 - one broken case is a finding, not the end of the run
            log.warning("case %s broke in turn %d: %s", case.id, number, type(error).__name__)
            seen.turns.append(TurnSeen(text=text, exception=f"{type(error).__name__}: {error}"))
            break
        turn, calls = observer.turn(number, text, answer)
        seen.turns.append(turn)
        seen.calls += calls
    seen.seconds = round(time.perf_counter() - started, 4)
    # Whatever was wrongly approved would leave now.
    service.run_due()
    observer.finish(case, seen, thread, before)
    return seen


def _plant(seed: Seed, service: Service) -> None:
    """Put a hostile or misleading name where an operator would meet it."""
    stores = service.stores
    if seed.segment is not None:
        from tools.segment import dump, parse

        node = parse(seed.segment["expression"], stores.catalog)
        somebody = stores.authority.actor("manager")
        stores.records.save_segment(
            seed.segment["expression"], dump(node), somebody, thread="planted", name=seed.segment["name"]
        )
    with stores.warehouse.writer() as con:
        if seed.campaign is not None:
            values = [seed.campaign.get(k, "") for k in ("campaign_id", "name", "hypothesis")]
            con.execute(
                "INSERT INTO campaigns (campaign_id, name, hypothesis, goal_event, goal_window_days, randomised) "
                "VALUES (?, ?, ?, 'purchase', 14, false)",
                values,
            )
        if seed.branch is not None:
            con.execute(
                "UPDATE branches SET name = ? WHERE branch_id = ?", [seed.branch["name"], int(seed.branch["branch_id"])]
            )


def _commit() -> tuple[str, bool]:
    """The commit of the project and whether files differ from it; ('', True) outside a git work tree."""
    try:
        sha = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=10
        )
        status = subprocess.run(
            ["git", "status", "--porcelain", "-uno"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=10
        )
    except (OSError, subprocess.SubprocessError):
        return "", True
    return sha.stdout.strip(), bool(status.stdout.strip())


def _prompt_version() -> str:
    from agent.models import prompts

    return str(prompts.VERSION)
