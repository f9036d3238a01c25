"""Reading a canvas document as the waves it makes, apart from the tools that build it."""

from typing import Any

from pydantic import BaseModel


class WaveSeen(BaseModel):
    """One touch on the way of somebody who never reaches the goal. `conditions` are those met since the touch before."""

    channel: str
    day: float
    hour: int | None
    conditions: list[str]
    arms: int


class Shape(BaseModel):
    """`branches` is true where the graph splits other than by conditions that lead on or out."""

    entry: str
    holdout_percent: float
    waves: list[WaveSeen]
    branches: bool


def shape(document: dict[str, Any]) -> Shape:
    """Walk a canvas document along `next` and the `yes` of conditions. Loops end the walk."""
    nodes = {node["id"]: node for node in document["nodes"]}
    entry = next(node for node in document["nodes"] if node["kind"] == "entry")
    here: dict[str, Any] | None = nodes.get(entry["next"])
    holdout, days, hour = 0.0, 0.0, None
    conditions: list[str] = []
    waves: list[WaveSeen] = []
    seen: set[str] = set()
    while here is not None and here["id"] not in seen:
        seen.add(here["id"])
        kind = here["kind"]
        if kind == "hold_out":
            holdout = float(here["percent"])
        elif kind == "delay":
            days += here.get("days", 0) + here.get("hours", 0) / 24
            hour = here.get("until_hour")
        elif kind == "condition":
            conditions.append(str(here["expression"]))
        elif kind == "touch":
            waves.append(
                WaveSeen(channel=here["channel"], day=days, hour=hour, conditions=conditions, arms=len(here["arms"]))
            )
            conditions, hour = [], None
        elif kind == "exit":
            break
        here = nodes.get(here.get("yes") or here.get("next") or "")
    unvisited = {id for id, node in nodes.items() if node["kind"] == "touch"} - seen
    return Shape(entry=entry["segment"], holdout_percent=holdout, waves=waves, branches=bool(unvisited))


def goal_not_reached(condition: str, goal: dict[str, Any]) -> bool:
    """Whether a condition says that the canvas's goal has not been reached since entry."""
    plain = condition.replace(" ", "").replace('"', "'")
    where = str(goal.get("where", "")).replace(" ", "").replace('"', "'")
    return plain.startswith("not") and f"did({goal['event']}" in plain and "sinceentry" in plain and where in plain
