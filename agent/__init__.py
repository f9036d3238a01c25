"""The conversation: ask it something, it calls tools, answers with evidence, and waits for people to decide."""

from typing import TYPE_CHECKING, Any

from agent.answer import Answer

if TYPE_CHECKING:
    from agent.assistant import Assistant

__all__ = ["Answer", "Assistant"]


def __getattr__(name: str) -> Any:
    """LangGraph takes a second to import: it is loaded with the first assistant, not with the first mention of a room."""
    if name == "Assistant":
        from agent.assistant import Assistant

        return Assistant
    raise AttributeError(name)
