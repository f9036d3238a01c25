"""The offline model: a deterministic semantic parser for Chinese and English. It needs no network and no weights.

Text → units → items (lexicon, numbers, dates) → the frame of an intent → tool calls. Every word is used, or known to
carry nothing, or asked about.
"""

import time
from collections.abc import Callable, Sequence
from zoneinfo import ZoneInfo

from agent.models.base import Question, Step, Turn, Usage
from agent.models.offline.answers import answered
from agent.models.offline.campaigns import Archive, Campaigns
from agent.models.offline.clickable import checked
from agent.models.offline.context import Request
from agent.models.offline.intents import route
from agent.models.offline.lexicon import Lexicon
from agent.models.offline.senses import Sense
from agent.models.offline.time_words import Today
from tools.canvas.templates import named
from tools.segment import parse
from warehouse.catalog import Catalog


class OfflineModel:
    """Implements `agent.models.base.ChatModel`.

    Args:
        catalog: the only source of what data is called.
        playbook_examples: (playbook id, example request); their words are known when a campaign is asked for by theme.
        campaigns: gives (id, name, started_at) of past campaigns.
        zone: the bank's zone.
    """

    def __init__(
        self, catalog: Catalog, playbook_examples: Sequence[tuple[str, str]], campaigns: Campaigns, zone: ZoneInfo
    ) -> None:
        self._catalog = catalog
        self._lexicon = Lexicon(catalog, [text for _, text in playbook_examples])
        self._archive = Archive(campaigns, catalog, zone)
        self._zone = zone
        # The expression language builds its vocabulary on first use, and templates are files; no request should wait.
        parse("everyone", catalog)
        named()

    @property
    def name(self) -> str:
        return "offline"

    def next(self, turn: Turn) -> Step:
        """The calls of a request, a question about it, or nothing more once its calls are done."""
        started = time.perf_counter()
        step = self._next(turn)
        step.usage = Usage(elapsed_ms=round((time.perf_counter() - started) * 1000, 2))
        return step

    def _next(self, turn: Turn) -> Step:
        failed = next((done for done in turn.done if not done.ok), None)
        if failed is not None:
            return Step(question=Question(text=failed.error))
        for word, campaign in self._archive.names():
            self._lexicon.add(word, Sense("campaign", campaign))
        fresh = turn.model_copy(update={"done": []})
        meant = answered(self._request(fresh), self._reader(fresh))
        request = self._request(turn.model_copy(update={"text": meant}) if meant else turn)
        if not turn.done:
            return checked(route(request), self._reader(turn))
        if len(turn.done) > 1:
            return Step()
        step = route(request)
        if turn.done[0].tool == "search_playbooks":
            return Step() if any(call.tool == "search_playbooks" for call in step.calls) else step
        return step if step.question and not step.calls and turn.done[0].tool == "query_metric" else Step()

    def _reader(self, turn: Turn) -> Callable[[str], Step]:
        """Reads another text in the same place of the thread."""

        def read(text: str) -> Step:
            return route(self._request(turn.model_copy(update={"text": text})))

        return read

    def _request(self, turn: Turn) -> Request:
        return Request(
            turn=turn, catalog=self._catalog, lexicon=self._lexicon, archive=self._archive,
            today=Today(turn.now, turn.as_of, self._zone),
        )  # fmt: skip
