"""The second reader: what another model wants to do is held against what the offline model reads in the same words.

Where both readings are complete and would do different things, the person is asked; where the offline model cannot
read everything, it abstains and the reply says that nobody checked. Neither reading is trusted over the other.
"""

from collections.abc import Callable, Mapping
from typing import Any

from agent.models.base import Call, ChatModel, Question, Step, Turn
from warehouse.errors import TouchlineError

SameCustomers = Callable[[str, str], bool]
"""Whether two expressions select the same customers on this bank's data."""

COMPARED: Mapping[str, tuple[str, ...]] = {
    "query_segment": ("by",),
    "check_throttle": ("channel", "at", "category"),
    "draft_canvas": ("waves", "holdout_percent", "template", "parameters"),
    "analyze_campaign": ("campaign", "metric", "by"),
    "query_metric": ("metric", "by", "period"),
}
"""Arguments in which two readings of one request must agree, besides the customers they select."""

UNVERIFIED = {
    "zh": "（这次理解没有经过第二读核对，请看一眼“理解为”是否正确。）",
    "en": "(This reading was not verified by the second reader; please check “Understood as”.)",
}


class SecondRead:
    """A chat model whose first step of a turn is checked by the offline model.

    Args:
        model: whose steps are checked.
        reader: the offline model.
        same_customers: compares two segment expressions by whom they select.
    """

    def __init__(self, model: ChatModel, reader: ChatModel, same_customers: SameCustomers) -> None:
        self.model = model
        self.reader = reader
        self.same_customers = same_customers

    @property
    def name(self) -> str:
        return self.model.name

    def next(self, turn: Turn) -> Step:
        """The model's step; a question where the second reading differs; a remark where there is none."""
        step = self.model.next(turn)
        if turn.done or not step.calls:
            return step
        second = self.reader.next(turn)
        if not second.calls or second.unread or second.question:
            return step.model_copy(
                update={"remark": " ".join(part for part in (step.remark, UNVERIFIED[turn.language]) if part)}
            )
        difference = self._difference(step.calls[0], second.calls[0])
        if difference is None:
            return step
        return Step(question=_ask(turn, difference), usage=step.usage)

    def _difference(self, first: Call, second: Call) -> tuple[str, str] | None:
        """The two readings in words where they differ; None where they would do the same."""
        if first.tool != second.tool:
            return _words(first), _words(second)
        if not self._same_audience(first.args.get("segment"), second.args.get("segment")):
            return _words(first), _words(second)
        for name in COMPARED.get(first.tool, ()):
            if not _agree(first.args.get(name), second.args.get(name)):
                return _words(first), _words(second)
        return None

    def _same_audience(self, first: Any, second: Any) -> bool:
        if first == second:
            return True
        if not isinstance(first, str) or not isinstance(second, str):
            return False
        try:
            return self.same_customers(first, second)
        except TouchlineError:
            return False


def _agree(first: Any, second: Any) -> bool:
    """Equal values, with empty ones alike; waves by channel and day, for their words may differ."""
    if not first and not second:
        return True
    if isinstance(first, list) and isinstance(second, list):
        return [_wave(w) for w in first] == [_wave(w) for w in second]
    return bool(first == second)


def _wave(wave: Any) -> Any:
    return (wave.get("channel"), wave.get("day", 0)) if isinstance(wave, Mapping) else wave


def _words(call: Call) -> str:
    """A reading as an option to click: the expression itself where there is one (the offline model reads EQL whole)."""
    segment = call.args.get("segment")
    if call.tool == "query_segment" and isinstance(segment, str):
        return f"`{segment}`"
    rest = ", ".join(f"{name}={value}" for name, value in call.args.items())
    return f"{call.tool}({rest})"


def _ask(turn: Turn, readings: tuple[str, str]) -> Question:
    text = (
        "同一句话有两种理解，选出的不一样，请确认是哪一种："
        if turn.language == "zh"
        else "This can be read in two ways that do different things. Which one do you mean?"
    )
    return Question(text=text, options=list(readings))
