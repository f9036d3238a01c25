"""Edits of a canvas of waves: pure functions from a plan to a plan."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from tools.canvas.arguments import Edit
from tools.canvas.schema import Goal
from tools.canvas.waves import Placed, Plan, Wave, WaveArm
from warehouse.errors import ModelRetry

_FIELDS = {"set_channel": "channel", "set_day": "day", "set_hour": "hour", "set_condition": "only_if"}


def apply(
    plan: Plan, edits: list[Edit], segment_text: Callable[[str], str], default_text: Callable[[str], str]
) -> Plan:
    """The plan after all edits, in their order; wave numbers mean the waves as they stand at each edit.

    Args:
        segment_text: turns a segment id, name or EQL into the entry's expression.
        default_text: the text of a channel for a new wave without one.

    Raises:
        ModelRetry: an edit names no such wave, or its value does not fit; the message names the edit.
    """
    for number, edit in enumerate(edits, start=1):
        try:
            plan = _one(plan, edit, segment_text, default_text)
        except ValidationError as problem:
            first = problem.errors()[0]
            place = ".".join(map(str, first["loc"]))
            raise ModelRetry(
                f"Edit {number} ({edit.op}) does not fit at {place}: {first['msg']}.", "Give another value."
            ) from None
    return plan


def _one(plan: Plan, edit: Edit, segment_text: Callable[[str], str], default_text: Callable[[str], str]) -> Plan:
    value = edit.value
    if edit.op in _FIELDS:
        return plan.replace_wave(_place(plan, edit), **{_FIELDS[edit.op]: value})
    if edit.op == "set_text":
        return _set_text(plan, edit)
    if edit.op == "remove_wave":
        place = _place(plan, edit)
        if len(plan.waves) == 1:
            raise ModelRetry("The only wave cannot be removed.", "Change it, or draft another canvas.")
        return replace(plan, waves=plan.waves[:place] + plan.waves[place + 1 :])
    if edit.op == "add_wave":
        return _add_wave(plan, edit, default_text)
    if edit.op == "set_holdout":
        percent = _number(edit)
        if not 0 <= percent < 100:
            raise ModelRetry(f"A hold-out of {percent:g} % is not possible.", "Give a percentage from 0 up to 99.")
        return replace(plan, holdout_percent=percent)
    if edit.op == "set_segment":
        return replace(plan, segment=segment_text(_text(edit)))
    if edit.op == "set_goal":
        named = value if isinstance(value, dict) else {"event": _text(edit)}
        return replace(plan, goal=Goal.model_validate({"window_days": plan.goal.window_days, **named}))
    if edit.op == "set_goal_window":
        return replace(plan, goal=Goal.model_validate({**plan.goal.model_dump(), "window_days": value}))
    return replace(plan, settings={**plan.settings, "name": _text(edit)})


def _set_text(plan: Plan, edit: Edit) -> Plan:
    """The wording of a wave; `{arm: text}` changes single arms of a wave with several."""
    place = _place(plan, edit)
    wave = plan.waves[place].wave
    if isinstance(edit.value, dict):
        known = {arm.name for arm in wave.arms}
        strange = set(edit.value) - known
        if strange or not known:
            raise ModelRetry(
                f"Wave {place + 1} has no arm {', '.join(sorted(map(str, strange))) or 'at all'}.",
                f"Its arms are: {', '.join(sorted(known)) or 'none; give the text itself'}.",
            )
        arms = [WaveArm(name=a.name, share=a.share, text=str(edit.value.get(a.name, a.text))) for a in wave.arms]
        return plan.replace_wave(place, arms=[arm.model_dump() for arm in arms])
    if wave.arms:
        raise ModelRetry(
            f"Wave {place + 1} has {len(wave.arms)} arms.",
            f"Give the texts by arm: {{{', '.join(f'{arm.name}: …' for arm in wave.arms)}}}.",
        )
    return plan.replace_wave(place, text=_text(edit))


def _add_wave(plan: Plan, edit: Edit, default_text: Callable[[str], str]) -> Plan:
    """A new wave, before the one that `wave` names; without a number after the last wave that is not later."""
    if not isinstance(edit.value, dict):
        raise ModelRetry("add_wave needs a wave.", "Give it as {channel, day, hour, text}.")
    wave = Wave.model_validate(edit.value)
    if not wave.text and not wave.arms:
        wave = wave.model_copy(update={"text": default_text(wave.channel)})
    number = 1 + max(placed.number for placed in plan.waves)
    place = _place(plan, edit, end=True) if edit.wave else _slot(plan, wave)
    waves = (*plan.waves[:place], Placed(number, wave), *plan.waves[place:])
    return replace(plan, waves=waves)


def _slot(plan: Plan, wave: Wave) -> int:
    """After the last wave that is not later; a wave without an hour comes last of its day."""
    later = 24
    mine = (wave.day, later if wave.hour is None else wave.hour)
    place = 0
    for number, placed in enumerate(plan.waves, start=1):
        hour = placed.wave.hour
        if (placed.wave.day, -1 if hour is None else hour) <= mine:
            place = number
    return place


def _place(plan: Plan, edit: Edit, *, end: bool = False) -> int:
    n = len(plan.waves)
    if edit.wave is None and n == 1:
        return 0
    if edit.wave is None or edit.wave > n + end:
        said = "names no wave" if edit.wave is None else f"names wave {edit.wave}"
        raise ModelRetry(f"{edit.op} {said}; the canvas has {n}.", f"Set `wave` to a number from 1 to {n}.")
    return edit.wave - 1


def _text(edit: Edit) -> str:
    if not isinstance(edit.value, str) or not edit.value.strip():
        raise ModelRetry(f"{edit.op} needs a text as its value.", "Give it in `value`.")
    return edit.value.strip()


def _number(edit: Edit) -> float:
    value: Any = edit.value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ModelRetry(f"{edit.op} needs a number as its value.", "Give it in `value`.")
    return float(value)
