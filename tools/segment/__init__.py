"""Segments: a typed tree, its text form EQL, and counting, explaining and listing who is in one."""

from tools.segment.breakdown import Breakdown, BreakdownRow
from tools.segment.eql import parse, to_text
from tools.segment.errors import ExpressionError
from tools.segment.expansion import dump, expand, load, resolve
from tools.segment.hashing import bucket, threshold
from tools.segment.schema import Node
from tools.segment.segments import Cause, Count, Segments, load_list

__all__ = [
    "Breakdown",
    "BreakdownRow",
    "Cause",
    "Count",
    "ExpressionError",
    "Node",
    "Segments",
    "bucket",
    "dump",
    "expand",
    "load",
    "load_list",
    "parse",
    "resolve",
    "threshold",
    "to_text",
]
