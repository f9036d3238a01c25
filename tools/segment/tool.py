"""`query_segment` and `describe_data`: who is meant and how many, and what the data can say."""

from datetime import datetime
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from control.records import SegmentRecord
from tools.base import Arguments, Outcome, SegmentRef, Tool, ToolContext
from tools.segment import describing as d
from tools.segment import schema as s
from tools.segment.eql import to_text
from tools.segment.expansion import dump, resolve
from tools.segment.segments import Cause, Segments
from tools.segment.vocabulary import vocabulary
from tools.segment.words import describe
from warehouse.catalog import Catalog, nearest
from warehouse.errors import NotFound
from warehouse.evidence import Evidence


class QuerySegment(Arguments):
    """Which customers, and by what to break them down."""

    segment: str = Field(description="EQL, the id of a segment (seg_12), or the name of a saved one.")
    by: str | None = Field(None, description="A catalog attribute to break the count down by.")
    name: str | None = Field(None, max_length=80, description="Save the segment under this name.")


class Row(BaseModel):
    """One group of a breakdown. `condition` narrows the segment to it; empty where there is none."""

    model_config = ConfigDict(frozen=True)

    label: str
    count: int
    share: float | None = None
    condition: str = ""


class SegmentFound(Outcome):
    """A counted segment.

    `description` is what was understood, in the thread's words; `unknown` are customers for whom some compared value
    is unknown; `total` all customers who may be seen. `diagnosis` tells which condition makes it small.
    """

    id: str
    name: str = ""
    expression: str
    description: str
    count: int
    unknown: int
    total: int
    share: float | None
    by: str = ""
    by_label: str = ""
    breakdown: list[Row] = Field([])
    diagnosis: list[Cause] = Field([])
    sql: str
    elapsed_ms: float
    as_of: datetime
    snapshot_conditions: list[str] = Field([])


class DescribeData(Arguments):
    about: str = Field("", description="A word, an attribute, an event, a metric; empty for an overview.")


class DataDescribed(Outcome):
    """What the data can say about something: nearest entries first."""

    entries: list[d.Entry] = Field([])
    missing: list[d.MissingEntry] = Field([])
    campaigns: list[d.CampaignEntry] = Field([])
    as_of: datetime
    customers: int
    overview: dict[str, list[str]] = Field({}, description="Names by group, when nothing in particular was asked.")


class QuerySegmentTool(Tool[QuerySegment, SegmentFound]):
    name: ClassVar[str] = "query_segment"
    effect: ClassVar[Literal["read", "write"]] = "read"
    purpose: ClassVar[str] = (
        "Count the customers who meet conditions, optionally broken down by an attribute, and save the segment for later "
        "steps. Use it whenever customers are described."
    )
    arguments = QuerySegment
    result = SegmentFound

    def run(self, context: ToolContext, arguments: QuerySegment) -> tuple[SegmentFound, list[Evidence]]:
        """Count, break down, save.

        Raises:
            ExpressionError: the expression cannot be read, or names something that does not exist.
            NotFound: there is no such attribute to break down by.
        """
        node = resolve(arguments.segment, context.catalog, context.records)
        by = attribute_named(arguments.by, context.catalog) if arguments.by else None
        segments = Segments(context.warehouse, context.catalog, context.records, context.actor)
        counted = segments.count(node)
        saved = _save(context, node, arguments.name, counted.count)
        evidence = list(counted.evidence)
        rows: list[Row] = []
        if by is not None:
            broken = segments.breakdown(node, by)
            evidence.append(broken.evidence)
            rows = [
                Row(
                    label=row.zh if context.language == "zh" else row.en, count=row.count, condition=row.condition,
                    share=row.count / counted.count if counted.count else None,
                )
                for row in broken.rows
            ]  # fmt: skip
        label = context.catalog.attribute(by).words.name(context.language) if by else ""
        found = SegmentFound(
            id=saved.id, name=saved.name, expression=counted.expression,
            description=describe(node, context.catalog, context.language), count=counted.count, unknown=counted.unknown,
            total=counted.total, share=counted.share, by=by or "", by_label=label, breakdown=rows,
            diagnosis=counted.diagnosis, sql=counted.sql, elapsed_ms=counted.elapsed_ms, as_of=context.warehouse.as_of,
            snapshot_conditions=segments.snapshot_only(node),
            segment=SegmentRef(id=saved.id, expression=counted.expression, count=counted.count),
            notes=_notes(context, counted.unknown, counted.diagnosis, counted.count),
        )  # fmt: skip
        return found, [context.records.keep_evidence(e, context.thread) for e in evidence]


class DescribeDataTool(Tool[DescribeData, DataDescribed]):
    name: ClassVar[str] = "describe_data"
    effect: ClassVar[Literal["read", "write"]] = "read"
    purpose: ClassVar[str] = (
        "Tell what the data holds: attributes, events, metrics and terms with their definitions and values, what is "
        "missing and what comes nearest, past campaigns, and the data cut-off."
    )
    arguments = DescribeData
    result = DataDescribed

    def run(self, context: ToolContext, arguments: DescribeData) -> tuple[DataDescribed, list[Evidence]]:
        """Look it up. Numbers in the answer are the number of customers and the campaigns."""
        about = arguments.about.strip()
        campaigns, evidence = d.campaigns(context.warehouse, context.actor)
        segments = Segments(context.warehouse, context.catalog, context.records, context.actor)
        total = segments.count(s.Everyone(), diagnose=False)
        kept = [context.records.keep_evidence(e, context.thread) for e in (evidence, *total.evidence)]
        described = DataDescribed(
            entries=d.entries(context.catalog, about, context.language) if about else [],
            missing=d.missing(context.catalog, about, context.language),
            campaigns=d.matching(campaigns, about),
            as_of=context.warehouse.as_of, customers=total.count,
            overview={} if about else d.overview(context.catalog, context.language),
        )  # fmt: skip
        if about and not (described.entries or described.missing):
            zh = f"数据目录里没有与“{about}”相近的内容。"
            en = f"The catalog has nothing like {about!r}."
            described = described.model_copy(update={"notes": [zh if context.language == "zh" else en]})
        return described, kept


def attribute_named(word: str, catalog: Catalog) -> str:
    """An attribute by its name or one of its words.

    Raises:
        NotFound: there is none; `fix` offers the nearest.
    """
    names = vocabulary(catalog).attributes.find(word)
    if len(names) == 1:
        return names[0]
    known = {w: a.name for a in catalog.attributes for w in (a.name, *a.words.all())}
    near = list(names) or list(dict.fromkeys(known[w] for w in nearest(word, known)))
    raise NotFound(f"There is no attribute {word!r}.", f"Nearest: {', '.join(near)}." if near else "", nearest=near)


def _save(context: ToolContext, node: s.Node, name: str | None, count: int) -> SegmentRecord:
    return context.records.save_segment(
        to_text(node), dump(node), context.actor, thread=context.thread, name=(name or "").strip(), count=count
    )


def _notes(context: ToolContext, unknown: int, causes: list[Cause], count: int) -> list[str]:
    zh = context.language == "zh"
    notes: list[str] = []
    if unknown:
        notes.append(
            f"有 {unknown:,} 名客户的某个比较值未知：未知不满足比较条件，取反（not）时会被包含。"
            if zh
            else f"For {unknown:,} customers some compared value is unknown: an unknown fails a comparison, and `not` includes it."
        )
    if causes and not count:
        worst = max(causes, key=lambda cause: cause.without)
        notes.append(
            f"结果为 0：去掉“{worst.condition}”后有 {worst.without:,} 人。"
            if zh
            else f"Nobody is left: without “{worst.condition}” there would be {worst.without:,}."
        )
    return notes


TOOLS: list[Tool[QuerySegment, SegmentFound] | Tool[DescribeData, DataDescribed]] = [
    QuerySegmentTool(),
    DescribeDataTool(),
]
