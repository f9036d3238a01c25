"""A segment as a typed tree: the canonical form. `tools.segment.eql` is its text form.

Conditions are two-valued: an unknown value fails a comparison, `not` is the set complement.
"""

from datetime import date
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

Scalar: TypeAlias = bool | int | float | str
"""A constant; dates and instants as ISO text (the attribute's kind tells)."""


class Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


# Values


class Attr(Model):
    """A catalog attribute; inside `where`, a property of the event or detail row."""

    node: Literal["attr"] = "attr"
    name: str


class Const(Model):
    node: Literal["const"] = "const"
    value: Scalar


class Arithmetic(Model):
    """Arithmetic between numbers; a division by zero is unknown."""

    node: Literal["arithmetic"] = "arithmetic"
    op: Literal["+", "-", "*", "/"]
    left: "Operand"
    right: "Operand"


Operand = Annotated[Attr | Const | Arithmetic, Field(discriminator="node")]


# Windows


class Last(Model):
    """(at - amount units, at]: `last 30d`, `last 12h`; a day is 24 hours."""

    window: Literal["last"] = "last"
    amount: int = Field(gt=0)
    unit: Literal["h", "d"]


class Dates(Model):
    """Bank-zone days, both included: `from 2026-10-01 to 2026-10-31`."""

    window: Literal["dates"] = "dates"
    start: date
    end: date


Period = Literal[
    "today", "yesterday", "this_week", "last_week", "this_month", "last_month", "this_quarter", "last_quarter",
    "this_year", "last_year",
]  # fmt: skip


class Calendar(Model):
    """A calendar period of the bank's zone relative to the evaluation instant, weeks from Monday: `in last_month`."""

    window: Literal["calendar"] = "calendar"
    period: Period


class SinceEntry(Model):
    """From a customer's entry into a canvas to the evaluation instant: `since entry`. Only in canvas conditions."""

    window: Literal["since_entry"] = "since_entry"


Window = Annotated[Last | Dates | Calendar | SinceEntry, Field(discriminator="window")]


# Conditions


class Everyone(Model):
    """`everyone`"""

    node: Literal["everyone"] = "everyone"


class And(Model):
    node: Literal["and"] = "and"
    children: tuple["Node", ...] = Field(min_length=2)


class Or(Model):
    node: Literal["or"] = "or"
    children: tuple["Node", ...] = Field(min_length=2)


class Not(Model):
    node: Literal["not"] = "not"
    child: "Node"


class Flag(Model):
    """A true boolean attribute: `is_payroll`."""

    node: Literal["flag"] = "flag"
    name: str


Comparison = Literal["=", "!=", "<", "<=", ">", ">="]


class Compare(Model):
    """`aum / aum_30d_ago < 0.7`, `tier >= 'wealth'` (ordered categories compare by their order)."""

    node: Literal["compare"] = "compare"
    left: Operand
    op: Comparison
    right: Operand


class Between(Model):
    """Both ends included: `aum between 5万 and 20万`."""

    node: Literal["between"] = "between"
    value: Operand
    low: Operand
    high: Operand


class In(Model):
    """`city in ('深圳', '长沙')`"""

    node: Literal["in"] = "in"
    name: str
    values: tuple[Scalar, ...] = Field(min_length=1)


class Match(Model):
    """`city contains '州'`, `starts_with`, `ends_with`; case-sensitive."""

    node: Literal["match"] = "match"
    name: str
    how: Literal["contains", "starts_with", "ends_with"]
    text: str = Field(min_length=1)


class IsUnknown(Model):
    """`risk_level is unknown`"""

    node: Literal["unknown"] = "unknown"
    name: str


class Did(Model):
    """At least one occurrence: `did(purchase where kind = 'wealth', last 30d)`; no window means ever."""

    node: Literal["did"] = "did"
    event: str
    where: "Node | None" = None
    window: Window | None = None


class EventMeasure(Model):
    """`count(view_product where kind = 'wealth', last 7d) >= 2`, `sum(pay.amount, last 30d) > 1000`,
    `recency(login) > 30`: days since the latest occurrence, unknown if there was none.

    A count or sum over no occurrences is 0.
    """

    node: Literal["event_measure"] = "event_measure"
    measure: Literal["count", "sum", "recency"]
    event: str
    property: str = Field("", description="What is summed; empty for count and recency.")
    where: "Node | None" = None
    window: Window | None = None
    op: Comparison
    value: float


class Holds(Model):
    """At least one holding: `holds(wealth, amount > 100000, matures within 7d)`; empty kind means any."""

    node: Literal["holds"] = "holds"
    kind: str = ""
    where: "Node | None" = None
    matures_within_days: int | None = Field(None, ge=0, description="matures_on from today through today + n days")


class Sequence(Model):
    """`sequence(click_buy then not purchase within 1h, last 3d)`: some first event in the window with (or without) a
    second one after it and within the gap. Without: only firsts whose gap has passed by the evaluation instant count.
    """

    node: Literal["sequence"] = "sequence"
    first: str
    first_where: "Node | None" = None
    negated: bool = False
    second: str
    second_where: "Node | None" = None
    gap: Last
    window: Window | None = None


class InList(Model):
    """`in_list('vip')`: an uploaded list; `sha256` is pinned when the tree is frozen into a proposal."""

    node: Literal["in_list"] = "in_list"
    name: str
    sha256: str = ""


class InSegment(Model):
    """`in_segment('seg_12')`; expanded by value when frozen into a proposal."""

    node: Literal["in_segment"] = "in_segment"
    id: str


class Sample(Model):
    """`sample(5%, 'wave-a')`: by the first 8 hex digits of md5('{key}:{customer_id}'), stable for a key."""

    node: Literal["sample"] = "sample"
    percent: float = Field(gt=0, le=100)
    key: str


class Top(Model):
    """`top(1000 by aum)`: within the conditions it is and-ed with; `bottom(...)`; ties by customer_id."""

    node: Literal["top"] = "top"
    n: int = Field(gt=0)
    by: str
    descending: bool = True


Node = Annotated[
    Everyone | And | Or | Not | Flag | Compare | Between | In | Match | IsUnknown | Did | EventMeasure | Holds | Sequence
    | InList | InSegment | Sample | Top,
    Field(discriminator="node"),
]  # fmt: skip

for _model in (Arithmetic, And, Or, Not, Did, EventMeasure, Holds, Sequence):
    _model.model_rebuild()
