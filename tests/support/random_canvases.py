"""Canvases drawn at random over all kinds of nodes, triggers and settings, each fit to run."""

import random
from datetime import time
from typing import Any

from tools.canvas.schema import (
    Arm,
    AudienceSplit,
    Canvas,
    Case,
    Condition,
    Delay,
    Entry,
    Exit,
    Goal,
    HoldOut,
    Hours,
    Node,
    Once,
    OnDate,
    OnEvent,
    OnEventWithout,
    Override,
    Recurring,
    Reentry,
    SendingWindow,
    Share,
    Split,
    Tag,
    TimeSplit,
    Touch,
    Trigger,
    Wait,
)

KINDS = ("hold_out", "touch", "tag", "delay", "wait", "condition", "split", "audience_split", "time_split")
TRIGGERS: tuple[Trigger, ...] = (
    Once(),
    Recurring(every="day", hour=10, max_data_age_hours=700),
    Recurring(every="week", days=(1, 4), hour=11, max_data_age_hours=700),
    OnEvent(event="view_product", where="kind = 'wealth'"),
    OnEventWithout(event="click_buy", without="purchase", within_minutes=90),
    OnDate(date="days_to_birthday", days=-1, hour=9, max_data_age_hours=700),
    OnDate(date="days_to_payday", days=1, hour=9, max_data_age_hours=700),
)
EXPRESSIONS = (
    "did(login, since entry)",
    "not did(purchase where kind = 'wealth', last 5d)",
    "count(view_product, last 3d) >= 2",
    "aum > 20000",
    "is_payroll",
    "in_list('tag:reached')",
    "sample(40%, 'x')",
)
SEGMENTS = ("everyone", "aum > 4000", "not did(purchase, last 2d)", "is_payroll or did(login, last 4d)")


def random_canvas(dice: random.Random, trigger: Trigger | None = None) -> Canvas:
    """Every kind of node once, some twice, in random order; every way leads forward."""
    kinds = [*KINDS, *dice.choices(("touch", "touch", "delay", "wait", "condition"), k=3)]
    dice.shuffle(kinds)
    names = [f"n{place}_{kind}" for place, kind in enumerate(kinds)]
    nodes: list[Node] = [
        Entry(id="entry", segment=dice.choice(SEGMENTS), trigger=trigger or dice.choice(TRIGGERS), next=names[0])
    ]
    for place, kind in enumerate(kinds):
        after = [*names[place + 1 :], "done"]
        nodes.append(_node(dice, kind, names[place], after))
    nodes.append(Exit(id="done"))
    settings: dict[str, Any] = {}
    touched = [node.id for node in nodes if isinstance(node, Touch)]
    if dice.random() < 0.5:
        arms = [Arm(name="a", share=30, text="支行专属一"), Arm(name="c", share=70, text="支行专属二")]
        settings["overrides"] = (Override(branch_id=dice.choice((1, 2, 4)), node=dice.choice(touched), arms=arms),)
    if dice.random() < 0.5:
        settings["sending_windows"] = (
            SendingWindow(start=time(9), end=time(12)),
            SendingWindow(start=time(15, 30), end=time(19), days=(1, 2, 3, 5)),
        )
    if dice.random() < 0.5:
        settings["leave_when"] = (
            dice.choice(("did(transfer, since entry)", "in_list('tag:reached') and aum > 30000")),
        )
    if dice.random() < 0.3:
        settings["end"] = "2026-11-12T12:00:00+08:00"
    return Canvas(
        name="随机",
        goal=Goal(event="purchase", where="kind = 'wealth'", window_days=dice.choice((3, 14))),
        max_touches=dice.choice((60, 10_000)),
        reentry=Reentry(allowed=dice.random() < 0.7, after_days=dice.choice((0, 2)), at_most=dice.choice((None, 2))),
        nodes=nodes,
        **settings,
    )


def _node(dice: random.Random, kind: str, name: str, after: list[str]) -> Node:
    first = after[0]

    def other() -> str:
        return dice.choice(after[:4])

    match kind:
        case "hold_out":
            return HoldOut(id=name, percent=20, key=f"key-{name}", next=first)
        case "touch":
            channel = dice.choice(("sms", "push", "wecom", "task"))
            arms = [Arm(name="a", share=50, text="您好，甲"), Arm(name="b", share=50, text="您好，乙")]
            unmanaged = other() if channel == "task" else ""
            return Touch(id=name, channel=channel, arms=arms, unmanaged=unmanaged, next=first)
        case "tag":
            expires = dice.choice((None, 2))
            return Tag(id=name, name="reached", remove=dice.random() < 0.2, expires_days=expires, next=first)
        case "delay":
            return Delay(
                id=name, days=dice.choice((0, 1, 2)), hours=dice.choice((0, 3)), until_hour=dice.choice((None, 12, 21)),
                next=first,
            )  # fmt: skip
        case "wait":
            return Wait(
                id=name, event=dice.choice(("login", "view_product")), days=dice.choice((1, 3)), happened=first,
                timed_out=other(),
            )  # fmt: skip
        case "condition":
            return Condition(id=name, expression=dice.choice(EXPRESSIONS), yes=first, no=other())
        case "split":
            ways = [Share(name="x", share=35, next=first), Share(name="y", share=65, next=other())]
            return Split(id=name, key=f"split-{name}", ways=ways)
        case "audience_split":
            one, two = dice.sample(EXPRESSIONS, 2)
            cases = [Case(name="p", expression=one, next=other()), Case(name="q", expression=two, next=other())]
            return AudienceSplit(id=name, cases=cases, otherwise=first)
        case _:
            windows = [
                Hours(name="night", start=time(20), end=time(10), next=other()),
                Hours(name="noon", start=time(11), end=time(14), days=(1, 3, 5), next=other()),
            ]
            return TimeSplit(id=name, windows=windows, otherwise=first)
