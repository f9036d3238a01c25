"""A campaign as a list of waves, as people speak of it, and the canvas that it is: there and back again.

entry → hold-out → (delay) → touch → (delay) → condition 'goal not reached since entry' → touch → … → exit
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import pairwise
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from tools.canvas.graph import goal_expression, key_of
from tools.canvas.schema import (
    NODE_ID,
    Arm,
    Canvas,
    Channel,
    Condition,
    Delay,
    Entry,
    Exit,
    Goal,
    HoldOut,
    Node,
    Touch,
)
from warehouse.errors import ModelRetry

END = "done"
NOT_REACHED: Literal["goal_not_reached"] = "goal_not_reached"


class WaveArm(BaseModel):
    """One wording of a wave; shares add up to 100."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=NODE_ID)
    share: float = Field(gt=0, le=100)
    text: str = ""


class Wave(BaseModel):
    """One contact. `day` counts from entry; `hour` is the bank's clock; an empty text takes the channel's default."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    channel: Channel
    day: int = Field(0, ge=0, le=365)
    hour: int | None = Field(None, ge=0, le=23)
    only_if: str = Field(NOT_REACHED, description="'goal_not_reached', 'all' or an EQL condition.")
    text: str = ""
    arms: list[WaveArm] = []
    product_id: int | None = None


@dataclass(frozen=True)
class Placed:
    """A wave with the suffix of its nodes' ids, which it keeps when other waves come and go."""

    number: int
    wave: Wave
    benefit_id: int | None = None
    label: str = ""


@dataclass(frozen=True)
class Plan:
    """What a canvas of waves is made of. `settings` are the canvas's own fields, all but nodes."""

    segment: str
    goal: Goal
    waves: tuple[Placed, ...]
    holdout_percent: float = 0.0
    key: str = ""
    settings: dict[str, object] = field(default_factory=dict)

    def replace_wave(self, place: int, **changes: object) -> "Plan":
        """Change fields of the wave at a place (from 0), checked like new ones."""
        waves = list(self.waves)
        wave = Wave.model_validate({**waves[place].wave.model_dump(), **changes})
        waves[place] = replace(waves[place], wave=wave)
        return replace(self, waves=tuple(waves))


def build(plan: Plan) -> Canvas:
    """The canvas of a plan.

    Raises:
        ModelRetry: no waves, waves out of order, or two at an impossible time.
    """
    if not plan.waves:
        raise ModelRetry("A canvas needs at least one wave.", "Give waves, such as {channel: 'sms', day: 0, hour: 12}.")
    _ordered([placed.wave for placed in plan.waves])
    steps = [_steps(plan, place) for place in range(len(plan.waves))]
    firsts = [wave_steps[0].id for wave_steps in steps] + [END]
    nodes: list[Node] = []
    for place, wave_steps in enumerate(steps):
        after = firsts[place + 1]
        for node, following in zip(wave_steps, [*[n.id for n in wave_steps[1:]], after], strict=True):
            if isinstance(node, Condition):
                other = END if node.expression == _not_reached(plan.goal) else after
                nodes.append(node.model_copy(update={"yes": following, "no": other}))
            else:
                nodes.append(node.model_copy(update={"next": following}))
    head: list[Node] = [Entry(id="entry", segment=plan.segment, next=firsts[0])]
    if plan.holdout_percent > 0:
        head = [
            Entry(id="entry", segment=plan.segment, next="hold_out"),
            HoldOut(id="hold_out", percent=plan.holdout_percent, key=plan.key, next=firsts[0]),
        ]
    document = {**plan.settings, "goal": plan.goal, "nodes": [*head, *nodes, Exit(id=END)]}
    return Canvas.model_validate(document)


def _steps(plan: Plan, place: int) -> list[Delay | Condition | Touch]:
    """The nodes of one wave; where they lead is filled in by `build`."""
    placed = plan.waves[place]
    wave, n = placed.wave, placed.number
    before = plan.waves[place - 1].wave.day if place else 0
    steps: list[Delay | Condition | Touch] = []
    if wave.day > before or wave.hour is not None:
        steps.append(Delay(id=f"wait_{n}", days=wave.day - before, until_hour=wave.hour, next=END))
    condition = "" if wave.only_if == "all" or (wave.only_if == NOT_REACHED and place == 0) else wave.only_if
    if condition:
        expression = _not_reached(plan.goal) if condition == NOT_REACHED else condition
        steps.append(Condition(id=f"check_{n}", expression=expression, yes=END, no=END))
    arms = [Arm(name=a.name, share=a.share, text=a.text or wave.text) for a in wave.arms]
    steps.append(
        Touch(
            id=f"touch_{n}",
            label=placed.label,
            channel=wave.channel,
            arms=arms or [Arm(name="a", share=100, text=wave.text)],
            product_id=wave.product_id,
            benefit_id=placed.benefit_id,
            next=END,
        )
    )
    return steps


def plan_of(canvas: Canvas) -> Plan:
    """The plan that a canvas was built from.

    Raises:
        ModelRetry: the canvas has another shape than a chain of waves; it is edited as YAML then.
    """
    index = {node.id: node for node in canvas.nodes}
    entry = next((node for node in canvas.nodes if isinstance(node, Entry)), None)
    if entry is None:
        raise _other_shape("it has no entry")
    here = index.get(entry.next)
    held = here if isinstance(here, HoldOut) else None
    if held:
        here = index.get(held.next)
    waves: list[Placed] = []
    day, hour, condition = 0, None, ""
    for _ in canvas.nodes:
        if isinstance(here, Delay):
            day, hour, here = day + here.days, here.until_hour, index.get(here.next)
        elif isinstance(here, Condition):
            condition, here = here.expression, index.get(here.yes)
        elif isinstance(here, Touch):
            waves.append(_placed(here, day, hour, condition, canvas.goal, first=not waves))
            hour, condition, here = None, "", index.get(here.next)
        else:
            break
    settings = canvas.model_dump(exclude={"nodes", "goal"})
    plan = Plan(
        segment=entry.segment,
        goal=canvas.goal,
        waves=tuple(waves),
        holdout_percent=held.percent if held else 0.0,
        key=held.key if held else key_of(canvas),
        settings=settings,
    )
    again = build(plan) if waves else None
    if again is None or {n.id: n for n in again.nodes} != index:
        raise _other_shape("it branches, or its nodes have other names")
    return plan


def _placed(touch: Touch, day: int, hour: int | None, condition: str, goal: Goal, *, first: bool) -> Placed:
    suffix = touch.id.removeprefix("touch_")
    if not suffix.isdigit():
        raise _other_shape(f"{touch.id} is not a touch of a numbered wave")
    only_if = NOT_REACHED if condition == _not_reached(goal) else condition or (NOT_REACHED if first else "all")
    single = len(touch.arms) == 1 and touch.arms[0].name == "a"
    wave = Wave(
        channel=touch.channel,
        day=day,
        hour=hour,
        only_if=only_if,
        text=touch.arms[0].text if single else "",
        arms=[] if single else [WaveArm(name=a.name, share=a.share, text=a.text) for a in touch.arms],
        product_id=touch.product_id,
    )
    return Placed(int(suffix), wave, touch.benefit_id, touch.label)


def _not_reached(goal: Goal) -> str:
    return f"not {goal_expression(goal)}"


def _ordered(waves: list[Wave]) -> None:
    for number, (before, wave) in enumerate(pairwise(waves), start=2):
        if wave.day < before.day:
            raise ModelRetry(
                f"Wave {number} is on day {wave.day}, before wave {number - 1} on day {before.day}.",
                "Give the waves in the order of their days.",
            )
        if wave.day == before.day and wave.hour is not None and before.hour is not None and wave.hour < before.hour:
            raise ModelRetry(
                f"Wave {number} at {wave.hour}:00 is before wave {number - 1} at {before.hour}:00 of the same day.",
                "Give it a later hour, or a later day.",
            )


def _other_shape(why: str) -> ModelRetry:
    return ModelRetry(
        f"This canvas is not a plain chain of waves: {why}.",
        "Edit its YAML file and check it with `touchline canvas check`.",
    )


def arrival_words(start: datetime | None) -> str:
    """An instant as canvases hold it: ISO text, empty for 'when it is released'."""
    return start.isoformat() if start else ""
