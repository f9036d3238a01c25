"""Every tool the agent has, and the one place where a model's call becomes a checked execution."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from agent.models.base import Call
from tools.analysis.tool import TOOLS as ANALYSIS
from tools.base import Outcome, Tool, ToolContext
from tools.canvas.tool import TOOLS as CANVAS
from tools.playbook.tool import TOOLS as PLAYBOOK
from tools.proposal.tool import TOOLS as PROPOSAL
from tools.segment.tool import TOOLS as SEGMENT
from tools.throttle.tool import TOOLS as THROTTLE
from warehouse.catalog import nearest
from warehouse.errors import ModelRetry, TouchlineError
from warehouse.evidence import Evidence

log = logging.getLogger(__name__)

AnyTool = Tool[Any, Any]

NAMES = (
    "search_playbooks", "describe_data", "query_segment", "query_metric", "draft_canvas", "edit_canvas", "dry_run_canvas",
    "check_throttle", "analyze_campaign", "compare_campaigns", "submit_for_approval", "get_status", "undo",
)  # fmt: skip
"""The names are part of the contract. None of them approves, sends, or changes caps, roles or policies."""


@dataclass(frozen=True)
class Executed:
    """What became of one call: an outcome with its evidence, or an error that says who can mend it and how."""

    call: Call
    outcome: Outcome | None
    evidence: list[Evidence]
    error: TouchlineError | None = None

    @property
    def ok(self) -> bool:
        return self.error is None


class Toolbox:
    """The tools by name."""

    def __init__(self, tools: Iterable[AnyTool] | None = None) -> None:
        found: list[AnyTool] = (
            [*PLAYBOOK, *SEGMENT, *ANALYSIS, *CANVAS, *THROTTLE, *PROPOSAL] if tools is None else list(tools)
        )
        self.tools: dict[str, AnyTool] = {tool.name: tool for tool in found}

    def execute(self, call: Call, context: ToolContext) -> Executed:
        """Validate and run one call. Errors that somebody can act on are returned, never disguised as results."""
        try:
            tool = self._tool(call.tool)
            arguments = self._arguments(tool, call.args)
            outcome, evidence = tool.run(context, arguments)
        except TouchlineError as error:
            log.info("tool %s refused: %s", call.tool, error.code)
            return Executed(call, None, [], error)
        return Executed(call, outcome, evidence)

    def _tool(self, name: str) -> AnyTool:
        if name in self.tools:
            return self.tools[name]
        near = nearest(name, self.tools)
        raise ModelRetry(f"There is no tool {name!r}.", f"The tools are: {', '.join(self.tools)}.", nearest=near)

    @staticmethod
    def _arguments(tool: AnyTool, args: dict[str, Any]) -> Any:
        try:
            return tool.arguments.model_validate(args)
        except ValidationError as error:
            places = [f"{'.'.join(map(str, e['loc'])) or 'arguments'}: {e['msg']}" for e in error.errors()[:5]]
            valid = ", ".join(tool.arguments.model_fields)
            raise ModelRetry(
                f"{tool.name} does not take these arguments: {'; '.join(places)}.", f"It takes: {valid}."
            ) from None
