"""Canvases for tests, short to write."""

from typing import Any

from tools.canvas import Canvas
from tools.canvas.schema import Goal
from tools.canvas.waves import Placed, Plan, Wave, build


def canvas_of(*waves: dict[str, Any], segment: str = "everyone", **more: Any) -> Canvas:
    """A chain of waves; `more` may hold holdout_percent, goal, and fields of the canvas."""
    holdout = more.pop("holdout_percent", 10)
    goal = more.pop("goal", Goal(event="purchase", where="kind = 'wealth'", window_days=14))
    plan = Plan(
        segment=segment,
        goal=goal,
        waves=tuple(
            Placed(n, Wave.model_validate({"text": "{name}您好，请看新服务。", **w})) for n, w in enumerate(waves, 1)
        ),
        holdout_percent=holdout,
        key="wave-a",
        settings={"name": "测试", "max_touches": 1000, **more},
    )
    return build(plan)
