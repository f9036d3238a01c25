"""Which models can be asked for, by name."""

from collections.abc import Mapping

from agent.models.base import ChatModel
from agent.models.offline import OfflineModel
from agent.models.profile import ModelProfile
from agent.models.second_reader import SameCustomers, SecondRead
from agent.toolbox import Toolbox
from knowledge import PlaybookIndex
from warehouse.catalog import Catalog
from warehouse.errors import NotFound
from warehouse.store import Warehouse

OFFLINE = "offline"
OPENAI = "openai"


class Models:
    """The offline model always; the OpenAI-compatible one, held against it, when TOUCHLINE_MODEL_URL is set.

    Made on first use.
    """

    def __init__(
        self,
        catalog: Catalog,
        playbooks: PlaybookIndex,
        warehouse: Warehouse,
        toolbox: Toolbox,
        same_customers: SameCustomers,
        extra: Mapping[str, ChatModel] | None = None,
    ) -> None:
        self.catalog = catalog
        self.playbooks = playbooks
        self.warehouse = warehouse
        self.toolbox = toolbox
        self.same_customers = same_customers
        self.profile = ModelProfile()
        self._extra = dict(extra or {})
        self._made: dict[str, ChatModel] = dict(self._extra)

    def names(self) -> list[str]:
        """The names that `get` takes, the default first."""
        configured = [OPENAI] if self.profile.url else []
        return list(dict.fromkeys([*configured, OFFLINE, *self._made]))

    def get(self, name: str | None = None) -> ChatModel:
        """A model by name; None is the configured endpoint if there is one, else the offline model.

        Raises:
            NotFound: no such model, with the names there are.
        """
        chosen = name or self.names()[0]
        if chosen not in self._made:
            if chosen == OFFLINE:
                self._made[chosen] = self._offline()
            elif chosen in (OPENAI, self.profile.name) and self.profile.url:
                self._made[chosen] = self._openai()
            else:
                fix = f"There are: {', '.join(self.names())}."
                if not self.profile.url:
                    fix += " Set TOUCHLINE_MODEL_URL to use an OpenAI-compatible endpoint."
                raise NotFound(f"There is no model {chosen!r}.", fix)
        return self._made[chosen]

    def use(self, catalog: Catalog) -> None:
        """Make the models anew for another catalog; at once if they were in use, so that no request waits for it."""
        self.catalog = catalog
        used, self._made = self._made, dict(self._extra)
        for name in used:
            self.get(name)

    def _offline(self) -> OfflineModel:
        examples = [(p.id, text) for p in self.playbooks.all() for text in (*p.examples.zh, *p.examples.en)]
        return OfflineModel(self.catalog, examples, self._campaigns, self.warehouse.zone)

    def _campaigns(self) -> list[tuple[str, str, object]]:
        return self.warehouse.read("SELECT campaign_id, name, started_at FROM campaigns ORDER BY started_at").rows

    def _openai(self) -> SecondRead:
        # The openai package takes a second to import; a bank that uses the offline model never pays for it.
        from agent.models.openai_compatible import OpenAICompatible

        model = OpenAICompatible(self.profile, self.catalog, self.toolbox)
        return SecondRead(model, self.get(OFFLINE), self.same_customers)
