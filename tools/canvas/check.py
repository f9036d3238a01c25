"""All checks of a canvas: one call, one list of findings."""

from tools.canvas.check_content import (
    check_expressions,
    check_limits,
    check_products,
    check_texts,
    check_times,
    planned,
)
from tools.canvas.check_graph import check_graph
from tools.canvas.facts import Facts
from tools.canvas.findings import Finding
from tools.canvas.schema import Canvas
from warehouse.catalog import Catalog


def check(canvas: Canvas, catalog: Catalog, facts: Facts | None = None) -> list[Finding]:
    """Everything that is wrong or doubtful, errors first, each with the place and what mends it.

    Args:
        facts: what is known of the bank besides the catalog; the more, the more is checked.
    """
    facts = facts or Facts()
    shape = check_graph(canvas)
    findings = [*shape, *check_expressions(canvas, catalog), *check_texts(canvas, facts), *check_limits(canvas, facts)]
    if not any(f.severity == "error" and f.code != "shares" for f in shape):
        # Only a sound graph has times.
        arrivals = planned(canvas, facts)
        findings += [*check_products(canvas, facts, arrivals), *check_times(canvas, facts, arrivals)]
    else:
        findings += check_products(canvas, facts, {})
    return sorted(findings, key=lambda f: f.severity != "error")
