"""What a canvas is called: by its goal, else by the playbook that fits, in the language of the thread."""

from agent.models.offline.context import Request
from agent.models.offline.told import Told
from tools.segment import parse
from tools.segment.schema import Compare, Const, In, Node
from tools.segment.words import describe

_FITS = 0.45
"""Score from which a playbook recalled for the request lends its title."""


def title(request: Request, plan: Told) -> str:
    """`信用卡激活`, `Wealth purchase`: the goal's event with what it is about; without a goal the playbook's title."""
    zh = request.language == "zh"
    if plan.goal_event in request.catalog.event_index:
        event = request.catalog.event_index[plan.goal_event]
        about = _about(request, plan)
        name = event.words.name(request.language)
        if zh:
            return f"{about}{name}活动"
        words = f"{about} {name}".strip()
        return f"{words[:1].upper()}{words[1:]} campaign"
    fitting = next((hit.title for hit in request.turn.playbooks if hit.score >= _FITS), "")
    if fitting:
        return fitting[:120]
    whom = describe(request.focus, request.catalog, request.language) if request.focus is not None else ""
    if 0 < len(whom) <= (16 if zh else 40):
        return f"{whom}营销活动" if zh else f"Campaign for {whom}"
    return "营销活动" if zh else "Marketing campaign"


def _about(request: Request, plan: Told) -> str:
    """The names of the values that the goal is limited to: 理财."""
    if not plan.goal_where:
        return ""
    did = parse(f"did({plan.goal_event} where {plan.goal_where})", request.catalog)
    where: Node | None = getattr(did, "where", None)
    if isinstance(where, Compare) and isinstance(where.right, Const):
        values = [str(where.right.value)]
    elif isinstance(where, In):
        values = [str(value) for value in where.values]
    else:
        return ""
    words = {
        value.value: value.name(request.language)
        for prop in request.catalog.event_index[plan.goal_event].properties
        for value in prop.values
    }
    return ("、" if request.language == "zh" else " and ").join(words.get(value, value) for value in values)
