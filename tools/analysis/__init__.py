"""Reading out campaigns and metrics: SQL aggregates, pure functions infer, every number has evidence."""

from tools.analysis.read_out import read_out
from tools.analysis.schema import ArmResult, Effect, ReadOut

__all__ = ["ArmResult", "Effect", "ReadOut", "read_out"]
