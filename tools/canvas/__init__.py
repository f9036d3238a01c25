"""Canvases: the typed graph of a campaign, its checks, and the one engine that runs it dry and for real."""

from tools.canvas.check import check
from tools.canvas.diff import Change, difference
from tools.canvas.draw import draw
from tools.canvas.dry_run import DryRun, NodeRun, dry_run
from tools.canvas.dry_words import run_words
from tools.canvas.effects import CANDIDATE_COLUMNS, DryEffects, Effects
from tools.canvas.engine import Journey, StaleData, tick
from tools.canvas.enrolments import ENROLMENT_COLUMNS, branch_arm, enrolments_ddl, marks_ddl
from tools.canvas.facts import Facts, Product, products_of
from tools.canvas.files import from_yaml, read_canvas, to_yaml
from tools.canvas.findings import Finding
from tools.canvas.graph import goal_expression, touches
from tools.canvas.schema import Canvas
from tools.canvas.wording import PLACEHOLDERS, complete
from tools.canvas.words import summary

__all__ = [
    "CANDIDATE_COLUMNS",
    "ENROLMENT_COLUMNS",
    "PLACEHOLDERS",
    "Canvas",
    "Change",
    "DryEffects",
    "DryRun",
    "Effects",
    "Facts",
    "Finding",
    "Journey",
    "NodeRun",
    "Product",
    "StaleData",
    "branch_arm",
    "check",
    "complete",
    "difference",
    "draw",
    "dry_run",
    "enrolments_ddl",
    "from_yaml",
    "goal_expression",
    "marks_ddl",
    "products_of",
    "read_canvas",
    "run_words",
    "summary",
    "tick",
    "to_yaml",
    "touches",
]
