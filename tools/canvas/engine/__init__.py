"""The journey engine: one SQL step per node moves every due customer. The same code runs dry and for real."""

from tools.canvas.engine.entering import StaleData
from tools.canvas.engine.journey import Journey
from tools.canvas.engine.ticking import tick

__all__ = ["Journey", "StaleData", "tick"]
