"""The conversation as a graph: recall → think ⇄ act → answer → wait → (decided) tell → wait.

`wait` has no side effects and believes nothing it is resumed with: it reads the proposal rows. LangGraph repeats a
node from its first line on resume, lets two resumes run at once and lets a new message discard an interrupt; so the
truth about an approval is a row outside the graph, the assistant takes a lock per thread, and every answer returns to
`wait`, which arms a new interrupt while proposals are open.
"""

from dataclasses import dataclass
from typing import Any, Literal, Protocol

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.config import get_stream_writer
from langgraph.graph import START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.types import Command, interrupt

from agent import guard
from agent.models.base import Call, ChatModel, Done, Exchange, Focus, PlaybookHit, Step, Turn
from agent.state import State
from agent.toolbox import Executed
from tools.base import ToolContext
from warehouse.errors import PersonDecides

MAX_STEPS = 8
"""Model steps in one turn, answers included."""
MAX_RETRIES = 2
"""Times a model may repair refused calls in one turn."""
RECURSION_LIMIT = 40


class Desk(Protocol):
    """What the graph needs of the assistant: recorded side effects, each idempotent by (thread, turn, position)."""

    def recall(self, context: ToolContext, text: str) -> list[PlaybookHit]: ...

    def focus(self, context: ToolContext) -> Focus: ...

    def history(self, context: ToolContext) -> list[Exchange]: ...

    def done(self, context: ToolContext, turn: int) -> list[Done]: ...

    def carry_out(self, context: ToolContext, turn: int, position: int, call: Call) -> Executed: ...

    def note_request(self, context: ToolContext, turn: int, step: int, model: str, sent: Turn) -> None: ...

    def open_proposals(self, thread: str) -> dict[str, str]: ...

    def proposal_statuses(self, thread: str) -> dict[str, str]: ...

    def tell(self, thread: str, proposal: str, status: str) -> None: ...


@dataclass(frozen=True)
class Context:
    """What one run of the graph works with; never checkpointed. `tools` and `model` are absent when a decision is told."""

    desk: Desk
    tools: ToolContext | None = None
    model: ChatModel | None = None

    def turn(self) -> tuple[ToolContext, ChatModel]:
        assert self.tools is not None
        assert self.model is not None
        return self.tools, self.model


def recall(state: State, runtime: Runtime[Context]) -> State:
    """Find the playbooks that fit the request."""
    tools, _ = runtime.context.turn()
    hits = runtime.context.desk.recall(tools, state["text"])
    return {"hits": [hit.model_dump() for hit in hits]}


def think(state: State, runtime: Runtime[Context]) -> State:
    """Ask the model for the next step. What it is told passes the guard and is put on record first."""
    tools, model = runtime.context.turn()
    desk = runtime.context.desk
    turn = guard.outward(
        Turn(
            text=state["text"],
            language=state["language"],
            now=tools.clock.now().astimezone(tools.clock.zone),
            as_of=tools.warehouse.as_of,
            focus=desk.focus(tools),
            history=desk.history(tools),
            playbooks=[PlaybookHit.model_validate(hit) for hit in state.get("hits", [])],
            done=desk.done(tools, state["turn"]),
        )
    )
    steps = state.get("steps", 0) + 1
    desk.note_request(tools, state["turn"], steps, model.name, turn)
    get_stream_writer()({"kind": "thinking", "step": steps})
    step = guard.inward(model.next(turn), state["language"])
    return {
        "steps": steps,
        "pending": [call.model_dump() for call in step.calls],
        "question": step.question.model_dump() if step.question else None,
        "remark": "\n\n".join(part for part in (state.get("remark", ""), step.remark) if part),
        "unread": step.unread,
        "usage": _add_usage(state.get("usage", {}), step),
    }


def act(state: State, runtime: Runtime[Context]) -> Command[Literal["think", "answer"]]:
    """Carry out the calls in order; a refused one goes back to the model, a question for a person ends the turn."""
    tools, _ = runtime.context.turn()
    position = state.get("carried_out", 0)
    writer = get_stream_writer()
    retries = state.get("retries", 0)
    goto: Literal["think", "answer"] = "think"
    update: State = {"pending": []}
    for call in (Call.model_validate(item) for item in state["pending"]):
        writer({"kind": "calling", "tool": call.tool, "args": call.args})
        executed = runtime.context.desk.carry_out(tools, state["turn"], position, call)
        writer({"kind": "called", "tool": call.tool, "ok": executed.ok})
        position += 1
        if isinstance(executed.error, PersonDecides):
            options = executed.error.details.get("options", [])
            update["question"] = {"text": str(executed.error), "options": options}
            goto = "answer"
            break
        if not executed.ok:
            retries += 1
            goto = "think" if retries <= MAX_RETRIES else "answer"
            break
    update["carried_out"] = position
    update["retries"] = retries
    return Command(update=update, goto=goto)


def answer(state: State, runtime: Runtime[Context]) -> State:
    """The turn is complete: remember which proposals this thread knows of. The reply itself is rendered from records."""
    known = runtime.context.desk.open_proposals(state["thread"])
    return {"told": {**known, **state.get("told", {})}}


def wait(state: State, runtime: Runtime[Context]) -> Command[Literal["tell", "wait", "__end__"]]:
    """Pause while proposals of this thread are open. Free of side effects: it runs again from the top on resume."""
    known = state.get("told", {})
    now = runtime.context.desk.proposal_statuses(state["thread"])
    if any(now.get(proposal) != status for proposal, status in known.items()):
        return Command(goto="tell")
    waiting_for = sorted(runtime.context.desk.open_proposals(state["thread"]))
    if not waiting_for:
        return Command(goto="__end__")
    interrupt({"waiting_for": waiting_for})  # what comes back is not looked at: a false alarm waits again
    return Command(goto="wait")


def tell(state: State, runtime: Runtime[Context]) -> State:
    """Say in the thread what was decided, by whom and why, once per change."""
    known = dict(state.get("told", {}))
    statuses = runtime.context.desk.proposal_statuses(state["thread"])
    for proposal, status in statuses.items():
        if proposal in known and known[proposal] != status:
            runtime.context.desk.tell(state["thread"], proposal, status)
            known[proposal] = status
    return {"told": known}


def after_thinking(state: State) -> Literal["act", "answer"]:
    if state["pending"] and state["steps"] < MAX_STEPS:
        return "act"
    return "answer"


def build(checkpointer: BaseCheckpointSaver[Any]) -> CompiledStateGraph[State, Context, State, State]:
    """The compiled graph. Node names are stable: renaming an interrupted node loses its pause."""
    graph = StateGraph(State, context_schema=Context)
    graph.add_node("recall", recall)
    graph.add_node("think", think)
    graph.add_node("act", act)
    graph.add_node("answer", answer)
    graph.add_node("wait", wait)
    graph.add_node("tell", tell)
    graph.add_edge(START, "recall")
    graph.add_edge("recall", "think")
    graph.add_conditional_edges("think", after_thinking)
    graph.add_edge("answer", "wait")
    graph.add_edge("tell", "wait")
    return graph.compile(checkpointer=checkpointer, name="touchline")


def _add_usage(total: dict[str, float], step: Step) -> dict[str, float]:
    spent = step.usage.model_dump()
    return {name: total.get(name, 0.0) + spent[name] for name in spent}
