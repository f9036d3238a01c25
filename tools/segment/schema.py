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
    """Arithmetic between numbers; a division by zero is unknown. A date or time minus another is days."""

    node: Literal["arithmetic"] = "arithmetic"
    op: Literal["+", "-", "*", "/"]
    left: "Operand"
    right: "Operand"


MeasureKind = Literal["count", "distinct", "sum", "min", "max", "avg", "latest", "earliest", "recency", "since_first"]


class Measure(Model):
    """A figure over the rows of a list (an event, or a detail table of the catalog), one per customer.

    `count(login, last 7d)`, `distinct(login.day)`, `sum|min|max|avg(pay.amount, last 30d)`, `latest|earliest(month.tier,
    in last_month)`; `recency(login)` and `since_first(login)` are days since the latest and the first row.
    Rows without the property are passed over. Over no rows count, distinct and sum are 0, the others unknown.
    """

    node: Literal["measure"] = "measure"
    measure: MeasureKind
    of: str = Field(description="An event or a detail table.")
    property: str = Field("", description="What is measured; empty for count, recency and since_first.")
    where: "Node | None" = None
    window: "Window | None" = None


Operand = Annotated[Attr | Const | Arithmetic | Measure, Field(discriminator="node")]


# Windows


TimeUnit = Literal["min", "h", "d"]


class Last(Model):
    """(at - amount units, at]: `last 30d`, `last 12h`, `last 30min`; a day is 24 hours. Of dates: that many bank days,
    today the last."""

    window: Literal["last"] = "last"
    amount: int = Field(gt=0)
    unit: TimeUnit


class Next(Model):
    """(at, at + amount units]: `next 7d`. Of dates: from today through today + n. Only after `during`."""

    window: Literal["next"] = "next"
    amount: int = Field(gt=0)
    unit: TimeUnit


class Ago(Model):
    """(at - start units, at - end units]: `from 60d to 30d ago`."""

    window: Literal["ago"] = "ago"
    start: int = Field(gt=0)
    end: int = Field(gt=0)
    unit: TimeUnit


class Months(Model):
    """Whole calendar months of the bank's zone before the present one: `last 3 months` (3 to 1), `2 months ago` (2 to 2),
    `from 6 months to 4 months ago`."""

    window: Literal["months"] = "months"
    start: int = Field(gt=0)
    end: int = Field(1, gt=0)


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


Window = Annotated[Last | Ago | Months | Dates | Calendar | SinceEntry, Field(discriminator="window")]
Stretch = Annotated[Last | Next | Ago | Months | Dates | Calendar, Field(discriminator="window")]
"""What a date can lie in."""


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
    """`aum / aum_30d_ago < 0.7`, `count(login, last 7d) >= 2`, `tier >= 'wealth'` (ordered categories by their order)."""

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


class During(Model):
    """A date or time that lies in a stretch of time: `opened_on during last_month`, `matures_on during next 7d`."""

    node: Literal["during"] = "during"
    name: str
    window: Stretch


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


class HasRow(Model):
    """At least one row of a detail table: `any(grant where redeemed_at is unknown, last 30d)`."""

    node: Literal["has_row"] = "has_row"
    table: str
    where: "Node | None" = None
    window: Window | None = None


class Holds(Model):
    """At least one holding: `holds(wealth, amount > 100000, matures within 7d)`; empty kind means any."""

    node: Literal["holds"] = "holds"
    kind: str = ""
    where: "Node | None" = None
    matures_within_days: int | None = Field(None, ge=0, description="matures_on from today through today + n days")


class Step(Model):
    """One further step: `then purchase where … within 1h`, `then not purchase within 1h`."""

    event: str
    where: "Node | None" = None
    negated: bool = False
    gap: Last


class Sequence(Model):
    """`sequence(view_product then click_buy within 1d then not purchase within 1h, last 3d)`: some first event in the
    window, and each step after the one before it and within its gap.

    A negated step holds when there was no such event within its gap and the gap has passed by the evaluation instant;
    what follows it counts from the same event as it did.
    """

    node: Literal["sequence"] = "sequence"
    event: str
    where: "Node | None" = None
    steps: tuple[Step, ...] = Field(min_length=1)
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
    """`top(1000 by aum)`, `top(100 by sum(pay.amount, last 30d))`: within the conditions it is and-ed with; `bottom(...)`;
    ties by customer_id, unknowns never."""

    node: Literal["top"] = "top"
    n: int = Field(gt=0)
    by: Operand
    descending: bool = True


Node = Annotated[
    Everyone | And | Or | Not | Flag | Compare | Between | In | Match | During | IsUnknown | Did | HasRow | Holds | Sequence
    | InList | InSegment | Sample | Top,
    Field(discriminator="node"),
]  # fmt: skip

for _model in (Arithmetic, Measure, And, Or, Not, Compare, Between, Did, HasRow, Holds, Step, Sequence):
    _model.model_rebuild()
