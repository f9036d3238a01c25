"""A playbook: what works for one scenario, in Chinese and English, ready to become a canvas.

A playbook is a Markdown file. Its front matter (YAML between two lines of `---`) has exactly the shape of `Playbook`;
the text below it is background for people.
"""

import re
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

Language = Literal["zh", "en"]
Channel = Literal["sms", "push", "inapp", "wecom", "email", "call", "task"]
Sentence = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
EQL = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
"""An expression of the entity query language over the canonical catalog. This room does not parse it."""

FORBIDDEN = re.compile(
    r"保本|保息|稳赚|零风险|无风险|必涨|包赚|刚兑|最高收益|收益最高|第一名|"
    r"guarantee|risk[- ]free|no risk|zero risk|sure profit|cannot lose|best returns?|highest returns?",
    re.IGNORECASE,
)
"""Promises of returns and superlatives, which no message of a bank may carry."""

ADDED_BY_THE_SYSTEM = re.compile(r"^\s*[【\[]|退订|回T|回复T|unsubscribe|opt[- ]out|reply STOP", re.IGNORECASE)
"""Sender signature and the way to refuse: the system appends both, so a text that has them would carry them twice."""


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Both(Model):
    """The same in both languages."""

    zh: Sentence
    en: Sentence

    def of(self, language: Language) -> str:
        return self.zh if language == "zh" else self.en


class Message(Both):
    """Words for a customer, or for the manager who talks to one."""

    @model_validator(mode="after")
    def _lawful(self) -> "Message":
        for text in (self.zh, self.en):
            if found := FORBIDDEN.search(text):
                raise ValueError(f"{found.group()!r} promises a return or is a superlative; no message may carry it")
            if found := ADDED_BY_THE_SYSTEM.search(text):
                raise ValueError(
                    f"{found.group().strip()!r}: the signature and the way to refuse are added by the system"
                )
        return self


class Audience(Model):
    """Who: an expression and how people say it."""

    expression: EQL
    words: Both


class Timing(Model):
    """When: one of the trade's four kinds of moment."""

    kind: Literal["routine", "occasion", "key_date", "breakpoint"]
    words: Both


class Arm(Model):
    """One wording in an A/B test within a wave; shares are percent and add up to 100."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,31}$")
    share: float = Field(gt=0, le=100)
    text: Message


class Wave(Model):
    """One contact of the canvas, in the form that `draft_canvas` takes, with its words in both languages.

    `day` counts from entry; `hour` is the bank's clock; `only_if` is `all`, `goal_not_reached` or EQL.
    """

    channel: Channel
    day: int = Field(0, ge=0, le=365)
    hour: int | None = Field(None, ge=0, le=23)
    only_if: EQL = "goal_not_reached"
    text: Message
    arms: tuple[Arm, ...] = ()
    product_id: int | None = None

    @model_validator(mode="after")
    def _fits(self) -> "Wave":
        if self.arms and abs(sum(arm.share for arm in self.arms) - 100) > 1e-9:
            raise ValueError("the shares of the arms must add up to 100")
        if self.hour is not None and not 8 <= self.hour < 21:
            raise ValueError("hour must lie in 8..20: nobody is contacted at night")
        if self.channel in ("call", "task") and self.hour in (12, 13):
            raise ValueError("nobody is telephoned at lunch: choose another hour than 12 and 13")
        return self


class Goal(Model):
    """What counts as success: an event within so many days after entry."""

    event: str = Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")
    where: str = ""
    window_days: int = Field(14, ge=1, le=365)


class Evidence(Model):
    """A figure from elsewhere that speaks for the playbook, where it comes from, and how far it reaches."""

    figure: Both
    origin: Both
    limits: Both
    channels: tuple[Channel, ...] = Field(min_length=1, description="For no other channel may it be quoted.")


class Vocabulary(Model):
    """The trade's words for the scenario, by which it is found whatever form a request takes."""

    zh: tuple[Sentence, ...] = ()
    en: tuple[Sentence, ...] = ()


class Examples(Model):
    """Requests as people of the trade type them; each becomes an entry of the index."""

    zh: tuple[Sentence, ...] = Field(min_length=6)
    en: tuple[Sentence, ...] = Field(min_length=6)


class Playbook(Model):
    """The front matter of a playbook file, and its body."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]{1,47}$")
    title: Both
    scenario: Both
    audience: Audience
    fallback_audiences: tuple[Audience, ...] = Field((), description="For catalogs that lack an attribute, best first.")
    timing: Timing
    channels: tuple[Channel, ...] = Field(min_length=1)
    benefits: tuple[Both, ...] = ()
    category: str = "marketing"
    waves: tuple[Wave, ...] = Field(min_length=1)
    goal: Goal
    holdout_percent: float = Field(10, gt=0, lt=100)
    metrics: tuple[Both, ...] = Field(min_length=1)
    guardrails: tuple[Both, ...] = Field(min_length=1)
    evidence: tuple[Evidence, ...] = ()
    cautions: tuple[Both, ...] = Field(min_length=1)
    vocabulary: Vocabulary = Vocabulary()
    examples: Examples
    body: str = Field("", description="The Markdown under the front matter.")

    @model_validator(mode="after")
    def _consistent(self) -> "Playbook":
        strange = {wave.channel for wave in self.waves} - set(self.channels)
        if strange:
            raise ValueError(f"waves use channels that `channels` does not list: {', '.join(sorted(strange))}")
        days = [wave.day for wave in self.waves]
        if days != sorted(days):
            raise ValueError("waves must be in the order of their days")
        for figure in self.evidence:
            if not set(figure.channels) & set(self.channels):
                raise ValueError("a figure in `evidence` speaks for none of this playbook's channels: leave it out")
        return self

    def audiences(self) -> tuple[Audience, ...]:
        """The audience and its alternatives, best first."""
        return (self.audience, *self.fallback_audiences)

    def summary(self, language: Language) -> str:
        return self.scenario.of(language)
