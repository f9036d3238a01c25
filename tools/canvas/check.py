"""All checks of a canvas: one call, one list of findings."""

from tools.canvas.check_expressions import check_expressions
from tools.canvas.check_flow import check_flow, check_windows
from tools.canvas.check_graph import check_graph
from tools.canvas.check_locks import check_locks
from tools.canvas.check_offers import check_costs, check_offers
from tools.canvas.check_texts import check_texts
from tools.canvas.check_times import check_period, check_times, planned
from tools.canvas.facts import Facts
from tools.canvas.findings import Finding
from tools.canvas.schema import Canvas
from warehouse.catalog import Catalog

HARMLESS = ("shares", "duplicate_arm")
"""Errors of the shape that leave the graph sound: times and costs can still be told."""


def check(canvas: Canvas, catalog: Catalog, facts: Facts | None = None) -> list[Finding]:
    """Everything that is wrong or doubtful, errors first, each with the place and what mends it.

    Args:
        facts: what is known of the bank besides the catalog; the more, the more is checked.
    """
    facts = facts or Facts()
    shape = check_graph(canvas)
    findings = [
        *shape,
        *check_expressions(canvas, catalog),
        *check_flow(canvas, catalog, facts),
        *check_windows(canvas),
        *check_texts(canvas, facts),
        *check_period(canvas, facts),
        *check_locks(canvas, facts),
    ]
    if any(f.severity == "error" and f.code not in HARMLESS for f in shape):
        findings += check_offers(canvas, facts, {})
    else:
        # Only a sound graph has times and ways.
        arrivals = planned(canvas, facts)
        findings += [
            *check_offers(canvas, facts, arrivals),
            *check_costs(canvas, facts),
            *check_times(canvas, facts, arrivals),
        ]
    return sorted(findings, key=lambda f: f.severity != "error")
