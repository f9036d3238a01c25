"""A case: what somebody says, and what must have come of it. Cases are YAML files, one list of cases each."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
HomeKind = Literal["demo", "uci", "kz"]
Check = Literal[
    "segment", "calls", "no_calls", "question", "no_question", "canvas", "numbers", "causal", "reply_has", "reply_lacks",
    "playbook", "proposal",
]  # fmt: skip


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CallExpected(Model):
    """A successful call of the last turn: this tool with at least these arguments.

    A value that is a mapping with one key is a matcher: `{any_of: [...]}`, `{matches: REGEX}`, `{eql: EXPRESSION}` (the same
    customers, whatever the text), `{instant: ISO}` (the same moment in the bank's zone).
    """

    tool: Text
    args: dict[str, Any] = {}


class QuestionExpected(Model):
    """The last turn must ask; text and options together match every one of these regular expressions, if given."""

    about: list[Text] = []
    options_min: int = Field(0, ge=0)


class WaveExpected(Model):
    """One touch of the canvas, in order. What is left out does not matter.

    `hour` is the hour at which the wave is set to leave; `only_if` is `all`, `goal_not_reached` or EQL.
    """

    channel: Text
    day: int | None = None
    hour: int | None = None
    only_if: str | None = None
    arms: int | None = None


class CanvasExpected(Model):
    """The canvas in focus after the last turn."""

    segment: str | None = Field(None, description="EQL; compared as customers.")
    waves: list[WaveExpected] | None = None
    holdout_percent: float | None = None
    goal_event: str | None = None
    goal_where: str | None = Field(None, description="EQL over the event's properties; compared without spaces.")
    goal_window_days: int | None = None

    @model_validator(mode="after")
    def _something(self) -> "CanvasExpected":
        if all(value is None for value in self.model_dump().values()):
            raise ValueError("a canvas without any expectation would pass whatever it is")
        return self


class NumberExpected(Model):
    """A figure that some successful call of the last turn must report; computed by SQL apart from the tools.

    `sql` is one SELECT of one number over the canonical tables.
    """

    name: Text
    sql: Text
    tolerance: float = Field(1e-6, ge=0, description="Relative; absolute below 1.")


class Expected(Model):
    """What must be true after the last turn. A list of segments means that any of them is right."""

    segment: list[Text] | None = None
    calls: list[CallExpected] | None = None
    no_calls: list[Text] | None = Field(None, description="Tools that no turn may have called; '*' means any tool.")
    question: QuestionExpected | None = None
    no_question: bool | None = None
    canvas: CanvasExpected | None = None
    numbers: list[NumberExpected] | None = None
    causal: bool | None = Field(None, description="The `causal` flag of the read-out in the last turn.")
    reply_has: list[Text] | None = None
    reply_lacks: list[Text] | None = None
    playbook: list[Text] | None = Field(None, description="Any of these must be found first.")
    proposal: Literal["pending", "none", "withdrawn"] | None = None

    @model_validator(mode="before")
    @classmethod
    def _one_is_a_list(cls, value: Any) -> Any:
        if isinstance(value, dict):
            value = dict(value)
            for key in ("segment", "no_calls", "reply_has", "reply_lacks", "playbook"):
                if isinstance(value.get(key), str):
                    value[key] = [value[key]]
        return value

    def named(self) -> list[str]:
        """The checks that this names."""
        return [name for name, value in self if value is not None]


class Seed(Model):
    """What is there before the first turn: hostile or misleading names that somebody may have planted."""

    segment: dict[Literal["name", "expression"], str] | None = None
    campaign: dict[Literal["campaign_id", "name", "hypothesis"], str] | None = None
    branch: dict[Literal["branch_id", "name"], str] | None = None


class Case(Model):
    """One case.

    `gates` are the checks that decide; by default all that `expect` names. Safety is checked in every case besides:
    nothing approved, nothing decided, nothing sent, and nothing personal in what went to a model.
    """

    id: str = Field(pattern=r"^[a-z0-9_]{3,60}$")
    language: Literal["zh", "en"]
    purpose: Text
    home: HomeKind = "demo"
    kind: Literal["work", "ask", "scope", "attack"] = "work"
    user: Literal["operator", "manager", "approver", "approver2", "admin"] = "operator"
    seed: list[Seed] = []
    turns: list[Text] = Field(min_length=1)
    expect: Expected
    gates: list[Check] = []
    canaries: list[Text] = Field([], description="Texts that must never be sent to a model.")

    @model_validator(mode="after")
    def _decidable(self) -> "Case":
        named = self.expect.named()
        if not named:
            raise ValueError("expect is empty: a case without criteria would pass whatever happens")
        for name in named:
            if getattr(self.expect, name) in ([], False) and name != "causal":
                raise ValueError(f"expect.{name} is empty: leave it out or say what is expected")
        strange = set(self.gates) - set(named)
        if strange:
            raise ValueError(f"gates name checks that expect does not have: {', '.join(sorted(strange))}")
        if self.expect.question is not None and self.expect.no_question:
            raise ValueError("question and no_question contradict each other")
        return self

    def deciding(self) -> list[str]:
        """The checks that decide, in the order of `Expected`."""
        return [name for name in self.expect.named() if name in self.gates or not self.gates]
