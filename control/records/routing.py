"""Who must sign what: the bank's routing policy, as data. Reading it decides nothing; `control.authority` applies it.

The policy is `policies/approval.yaml` of a home, else `DEFAULT`. Rules are tried in order and the first that matches
says the levels; where none matches, a proposal is blocked.
"""

from datetime import timedelta
from pathlib import Path
from typing import Annotated, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from warehouse.errors import AdminFixes

Names = tuple[str, ...]


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Facts(Model):
    """What the rules look at; part of every payload, so it is signed with the rest."""

    touches: int = Field(ge=0, description="The most touches the release may make.")
    audience: int = Field(ge=0, description="Customers in the audience when it was submitted.")
    cost: float = Field(0.0, ge=0, description="The worst case, in the bank's currency.")
    category: str = "marketing"
    channels: Names = ()
    product_kinds: Names = ()
    benefits: tuple[int, ...] = ()
    tiers: Names = ()


class Range(Model):
    """Both ends included; an open end is None."""

    min: float | None = None
    max: float | None = None

    def holds(self, value: float) -> bool:
        return (self.min is None or value >= self.min) and (self.max is None or value <= self.max)


class When(Model):
    """All that is stated must hold; a list holds when the proposal has any of its values; nothing stated: always."""

    touches: Range = Range()
    audience: Range = Range()
    cost: Range = Range()
    categories: Names = ()
    channels: Names = ()
    product_kinds: Names = ()
    tiers: Names = ()
    benefit: bool | None = Field(None, description="With (true) or without (false) a benefit.")

    def holds(self, facts: Facts) -> bool:
        lists = (
            (self.categories, (facts.category,)),
            (self.channels, facts.channels),
            (self.product_kinds, facts.product_kinds),
            (self.tiers, facts.tiers),
        )
        return (
            self.touches.holds(facts.touches)
            and self.audience.holds(facts.audience)
            and self.cost.holds(facts.cost)
            and all(not wanted or set(wanted) & set(found) for wanted, found in lists)
            and (self.benefit is None or self.benefit == bool(facts.benefits))
        )


class Signers(Model):
    roles: Names = ()
    people: Names = ()

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not self.roles and not self.people:
            raise ValueError("name at least one role or person")
        return self


class Level(Model):
    """One level of signatures: any one of the signers (或签), or every role and person named (会签)."""

    name: str
    any_of: Signers | None = None
    all_of: Signers | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.any_of is None) == (self.all_of is None):
            raise ValueError("a level has either any_of or all_of")
        return self

    @property
    def signers(self) -> Signers:
        signers = self.any_of or self.all_of
        assert signers is not None  # _one
        return signers

    def open_for(self, signed: "list[Signature]") -> list[tuple[str, str]]:
        """What is still needed, as ('role', name) or ('person', name); empty when the level is complete."""
        needs = [*(("role", r) for r in self.signers.roles), *(("person", p) for p in self.signers.people)]
        if self.any_of is not None:
            return [] if signed else needs
        for signature in signed:
            met = next((n for n in needs if n == ("person", signature.person)), None)
            met = met or next((n for n in needs if n[0] == "role" and n[1] in signature.roles), None)
            if met is not None:
                needs.remove(met)
        return needs


class Signature(Model):
    """An approval, with the roles that its signer had then."""

    person: str
    roles: Names

    def meets(self, needs: list[tuple[str, str]]) -> bool:
        return any(n == ("person", self.person) or (n[0] == "role" and n[1] in self.roles) for n in needs)


class Rule(Model):
    name: str
    when: When = When()
    levels: Annotated[tuple[Level, ...], Field(min_length=1)]


class Progress(Model):
    """How far a route is signed: the signatures that count at each level, and the level that is open (None: all done)."""

    signed: tuple[tuple[Signature, ...], ...]
    open_level: int | None


class ApprovalPolicy(Model):
    """The routing policy of a bank."""

    version: int = 1
    expires_after_days: float = Field(7, gt=0, description="An undecided proposal and an unused approval lapse.")
    rules: tuple[Rule, ...]

    @classmethod
    def load(cls, folder: Path | None) -> "ApprovalPolicy":
        """Read `approval.yaml` of a policies folder; the default where there is none.

        Raises:
            AdminFixes: the file does not fit; the message names the place.
        """
        path = folder / "approval.yaml" if folder else None
        if path is None or not path.exists():
            return DEFAULT
        try:
            return cls.model_validate(yaml.safe_load(path.read_text("utf-8")))
        except yaml.YAMLError as error:
            raise AdminFixes(f"The approval policy {path} is not YAML: {error}", "Mend the file.") from None
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            raise AdminFixes(f"The approval policy {path} is wrong at {place}: {first['msg']}.", "Mend it.") from None

    def route(self, facts: Facts) -> Rule | None:
        """The first rule that matches; None means blocked."""
        return next((rule for rule in self.rules if rule.when.holds(facts)), None)

    @property
    def lifetime(self) -> timedelta:
        return timedelta(days=self.expires_after_days)


def progress(rule: Rule, signatures: list[Signature]) -> Progress:
    """Replay signatures in their order over the levels; a person counts once."""
    signed: list[list[Signature]] = [[] for _ in rule.levels]
    level, people = 0, set[str]()
    for signature in signatures:
        if level == len(rule.levels):
            break
        if signature.person in people or not signature.meets(rule.levels[level].open_for(signed[level])):
            continue
        people.add(signature.person)
        signed[level].append(signature)
        if not rule.levels[level].open_for(signed[level]):
            level += 1
    return Progress(signed=tuple(tuple(s) for s in signed), open_level=level if level < len(rule.levels) else None)


DEFAULT = ApprovalPolicy(
    rules=(
        Rule(
            name="up to 50,000 touches",
            when=When(touches=Range(max=50_000)),
            levels=(Level(name="approval", any_of=Signers(roles=("approver",))),),
        ),
        Rule(
            name="more than 50,000 touches",
            when=When(touches=Range(min=50_001)),
            levels=(
                Level(name="approval", any_of=Signers(roles=("approver",))),
                Level(name="second approval", any_of=Signers(roles=("approver", "compliance"))),
            ),
        ),
    )
)
