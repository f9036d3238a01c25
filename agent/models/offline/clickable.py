"""Options of a question are whole requests: each is read before it is offered, and none is offered that would be asked again."""

from collections.abc import Callable

from agent.models.base import Question, Step

Read = Callable[[str], Step]
MOST = 5
_DEEP = 3


def checked(step: Step, read: Read) -> Step:
    """The step with the options that lead to calls; one that still leaves a question gives way to that question's own."""
    if step.question is None or not step.question.options:
        return step
    options: list[str] = []
    for option in step.question.options:
        for leading in _leading(option, read, _DEEP):
            if leading not in options:
                options.append(leading)
        if len(options) >= MOST:
            break
    question = Question(text=step.question.text, options=options[:MOST])
    return step.model_copy(update={"question": question})


def _leading(option: str, read: Read, depth: int) -> list[str]:
    """The option itself if it is understood, else the understood options of the question it leads to."""
    step = read(option)
    if step.calls or (step.remark and step.question is None):
        return [option]
    if step.question is None or depth == 0 or step.unread:
        return []
    found: list[str] = []
    for further in step.question.options[:2]:
        found.extend(_leading(further, read, depth - 1))
    return found
