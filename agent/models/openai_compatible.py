"""A chat model behind an OpenAI-compatible endpoint, in two wire modes. Nothing it says is trusted before validation."""

import json
import logging
import time
from collections.abc import Callable
from typing import Any, TypeVar

import openai
from openai import OpenAI
from pydantic import BaseModel, ValidationError

from agent.models import prompts, wire
from agent.models.base import Call, Question, Step, Turn, Usage
from agent.models.profile import ModelProfile
from agent.toolbox import Toolbox
from warehouse.catalog import Catalog
from warehouse.errors import AdminFixes, ModelRetry

log = logging.getLogger(__name__)

Answered = TypeVar("Answered")

REPAIRS = 2


class ModelAway(AdminFixes):
    """The endpoint does not answer; the offline model can take over."""

    code = "model_away"


class Action(BaseModel):
    """One JSON action as the model wrote it."""

    tool: str
    args: dict[str, Any] = {}


class OpenAICompatible:
    """Speaks to one endpoint. `mode` is found by `probe` when the profile says auto."""

    def __init__(self, profile: ModelProfile, catalog: Catalog, toolbox: Toolbox) -> None:
        self.profile = profile
        self.catalog = catalog
        self.toolbox = toolbox
        self.client = OpenAI(
            base_url=profile.url,
            api_key=profile.key.get_secret_value(),
            timeout=profile.timeout_s,
            max_retries=profile.retries,
        )
        self._model = profile.name
        self._mode: str | None = None if profile.mode == "auto" else profile.mode

    @property
    def name(self) -> str:
        return self._model or "openai-compatible"

    def model(self) -> str:
        """The model's name at the endpoint; asked for when the profile names none."""
        if not self._model:
            self._model = self._guarded(lambda: self.client.models.list().data[0].id)
        return self._model

    @property
    def mode(self) -> str:
        if self._mode is None:
            self._mode = self.probe()
        return self._mode

    def probe(self) -> str:
        """Ask for one trivial tool call: 'native' if a well-formed one comes back, else 'json'."""
        tool = {
            "type": "function",
            "function": {
                "name": "say_number",
                "description": "Say a number.",
                "parameters": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]},
            },
        }
        try:
            calls, _, _ = self._stream(
                [{"role": "user", "content": "Call say_number with n = 7."}], tools=[tool], max_tokens=60
            )
        except ModelAway:
            raise
        except AdminFixes:
            return "json"
        good = len(calls) == 1 and calls[0].tool == "say_number" and calls[0].args.get("n") == 7
        return "native" if good else "json"

    def next(self, turn: Turn) -> Step:
        """One step, with up to two repairs of what cannot be read.

        Raises:
            ModelAway: the endpoint cannot be reached or refuses.
        """
        if self.profile.single_step and turn.done and turn.done[-1].ok:
            return Step()
        started = time.perf_counter()
        attributes = prompts.relevant(self.catalog, turn.text, self.profile.fields_shown)
        native = self.mode == "native"
        prompt = prompts.system(self.catalog, attributes, self.toolbox.tools, eql=native)
        messages = prompts.messages(turn, prompt, examples=not native)
        fields = [a.name for a in attributes]
        usage = Usage()
        problem = ""
        for _ in range(REPAIRS + 1):
            if problem:
                messages = [*messages, {"role": "user", "content": f"That cannot be used: {problem} Try once more."}]
            try:
                step, spent = self._native(messages) if native else self._json(messages, turn, fields)
            except ModelRetry as error:
                problem = str(error)
                continue
            usage.prompt_tokens += spent.prompt_tokens
            usage.completion_tokens += spent.completion_tokens
            usage.elapsed_ms = (time.perf_counter() - started) * 1000
            step.usage = usage
            return step
        usage.elapsed_ms = (time.perf_counter() - started) * 1000
        return Step(question=_give_up(turn), usage=usage)

    def _native(self, messages: list[dict[str, str]]) -> tuple[Step, Usage]:
        tools = [
            {
                "type": "function",
                "function": {"name": t.name, "description": t.purpose, "parameters": dict(t.schema())},
            }
            for t in self.toolbox.tools.values()
        ]
        calls, text, usage = self._stream(messages, tools=tools)
        if calls:
            return Step(calls=calls), usage
        return Step(remark=text.strip()), usage

    def _json(self, messages: list[dict[str, str]], turn: Turn, fields: list[str]) -> tuple[Step, Usage]:
        schema = wire.action_schema(self.toolbox.tools, self.catalog, fields)
        form = {"type": "json_schema", "json_schema": {"name": "action", "schema": schema, "strict": True}}
        _, text, usage = self._stream(messages, response_format=form)
        try:
            action = Action.model_validate(json.loads(text).get("action"))
        except (ValueError, ValidationError, AttributeError):
            raise ModelRetry(
                "The answer is not one JSON action.", 'Write {"action": {"tool": …, "args": …}}.'
            ) from None
        if action.tool == wire.ASK:
            options = [str(option) for option in action.args.get("options", [])][:4]
            return Step(question=Question(text=str(action.args.get("question", "")), options=options)), usage
        if action.tool == wire.FINISH:
            return Step(remark=str(action.args.get("remark", ""))), usage
        focus = turn.focus.segment.expression if turn.focus.segment else ""
        return Step(calls=[Call(tool=action.tool, args=wire.from_wire(action.args, self.catalog, focus))]), usage

    def _stream(
        self, messages: list[dict[str, str]], *, max_tokens: int | None = None, **extra: Any
    ) -> tuple[list[Call], str, Usage]:
        """One streamed completion: tool calls, text, usage. Deltas may lack index or id: accumulate, then parse once."""

        def run() -> tuple[list[Call], str, Usage]:
            text: list[str] = []
            parts: dict[int, list[str]] = {}
            names: dict[int, str] = {}
            usage = Usage()
            stream: Any = self.client.chat.completions.create(  # type: ignore[call-overload]
                model=self.model(),
                messages=messages,
                max_tokens=max_tokens or self.profile.max_tokens,
                temperature=self.profile.temperature,
                stream=True,
                stream_options={"include_usage": True},
                **extra,
            )
            for chunk in stream:
                if chunk.usage:
                    usage = Usage(
                        prompt_tokens=chunk.usage.prompt_tokens, completion_tokens=chunk.usage.completion_tokens
                    )
                for choice in chunk.choices:
                    text.append(choice.delta.content or "")
                    for delta in choice.delta.tool_calls or []:
                        place = delta.index if delta.index is not None else max(parts, default=0)
                        if delta.function and delta.function.name:
                            names[place] = names.get(place, "") + delta.function.name
                        parts.setdefault(place, []).append((delta.function and delta.function.arguments) or "")
            calls = [Call(tool=names.get(place, ""), args=_arguments("".join(parts[place]))) for place in sorted(parts)]
            return calls, "".join(text), usage

        return self._guarded(run)

    def _guarded(self, run: Callable[[], Answered]) -> Answered:
        try:
            return run()
        except (openai.APIConnectionError, openai.APITimeoutError, openai.InternalServerError):
            raise ModelAway(
                f"The model at {self.profile.url} does not answer.",
                "Ask again with the offline model, or check TOUCHLINE_MODEL_URL.",
            ) from None
        except (openai.AuthenticationError, openai.PermissionDeniedError):
            raise ModelAway("The model endpoint refuses the key.", "Check TOUCHLINE_MODEL_KEY.") from None
        except openai.RateLimitError:
            raise ModelAway("The model endpoint is busy (429).", "Wait, or ask with the offline model.") from None
        except openai.APIStatusError as error:
            raise AdminFixes(
                f"The model endpoint refused the request ({error.status_code}).",
                "Try TOUCHLINE_MODEL_MODE=json, or the offline model.",
            ) from None


def _arguments(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text or "{}")
    except ValueError:
        raise ModelRetry("The tool arguments are not JSON.", "Write one JSON object.") from None
    if not isinstance(value, dict):
        raise ModelRetry("The tool arguments are not a JSON object.", "Write one JSON object.")
    return value


def _give_up(turn: Turn) -> Question:
    if turn.language == "zh":
        return Question(text="这个请求我没能可靠地理解，请换个说法，或改用离线模型。")
    return Question(text="I could not read this request reliably. Please put it another way, or use the offline model.")
