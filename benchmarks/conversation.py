"""The offline model over every request of the eval suite, in-process: p50 and p95 per request (budgets 30 and 150 ms).

.venv/bin/python -m benchmarks.conversation [--quick]
"""

import statistics
import tempfile
import time
from datetime import UTC, datetime

from agent.models.base import Turn
from agent.models.offline import OfflineModel
from benchmarks._measuring import REPEATS, Row, peak_mb, report, sizes
from evals import BUILTIN, load
from knowledge import PlaybookIndex
from warehouse import demo_bank
from warehouse.clock import BANK_ZONE

NOW = datetime(2026, 11, 18, 1, tzinfo=UTC)


def run(requests: int) -> list[Row]:
    texts = [(turn, case.language) for case in load(BUILTIN) if case.home == "demo" for turn in case.turns]
    texts = texts[:requests]
    with tempfile.TemporaryDirectory(prefix="touchline-bench-") as folder:
        books = PlaybookIndex(folder)
        examples = [(book.id, text) for book in books.all() for text in (*book.examples.zh, *book.examples.en)]
    model = OfflineModel(demo_bank.catalog(), examples, lambda: [], BANK_ZONE)
    seconds: list[float] = []
    for text, language in texts:
        turn = Turn(text=text, language=language, now=NOW, as_of=NOW)
        times = []
        for _ in range(REPEATS):
            started = time.perf_counter()
            model.next(turn)
            times.append(time.perf_counter() - started)
        seconds.append(statistics.median(times))
    cuts = statistics.quantiles(seconds, n=100)
    return [
        Row(name=f"offline model, p50 of {len(texts)} requests", seconds=cuts[49], budget_s=0.030, peak_mb=peak_mb()),
        Row(name=f"offline model, p95 of {len(texts)} requests", seconds=cuts[94], budget_s=0.150, peak_mb=peak_mb()),
    ]


if __name__ == "__main__":
    asked = sizes(__doc__, requests=(10_000, 40))
    report("conversation", run(asked.requests), quick=asked.quick)
