"""Counting segments, canvases, throttle and analysis."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi import Path as PathParameter
from fastapi.responses import StreamingResponse

from server.gate import Work
from server.schema import (
    AnalyzeAsked,
    Breakdown,
    BreakdownAsked,
    CanvasAsked,
    CanvasCheck,
    CanvasDiff,
    CanvasHistory,
    CanvasView,
    DiffAsked,
    Drawing,
    DryRun,
    DryRunAsked,
    Name,
    PlanAsked,
    ReadOutView,
    SegmentAsked,
    SegmentCount,
    TemplateAsked,
    TemplateCanvas,
    TemplateView,
    ThrottleAsked,
    ThrottleCheck,
    ThrottlePlan,
    Waterfall,
    WaterfallAsked,
    Why,
    WhyAsked,
)

router = APIRouter()
TemplateName = Annotated[str, PathParameter(min_length=1, max_length=80, description="Id or name, in either language.")]
PARQUET = "application/vnd.apache.parquet"
CHUNK = 1 << 20


@router.post("/segments/count", tags=["segments"])
def segment_count(asked: SegmentAsked, work: Work) -> SegmentCount:
    """How many customers, and for how many something was unknown."""
    return work.segment_count(asked)


@router.post("/segments/breakdown", tags=["segments"])
def segment_breakdown(asked: BreakdownAsked, work: Work) -> Breakdown:
    """A segment by an attribute."""
    return work.segment_breakdown(asked)


@router.post("/segments/waterfall", tags=["segments"])
def segment_waterfall(asked: WaterfallAsked, work: Work) -> Waterfall:
    """From matched to really reachable, step by step."""
    return work.segment_waterfall(asked)


@router.post(
    "/segments/ids", tags=["segments"], response_class=StreamingResponse, responses={200: {"content": {PARQUET: {}}}}
)
def segment_ids(asked: SegmentAsked, work: Work) -> StreamingResponse:
    """The customers' ids as a Parquet file. The server chooses its own temporary file; no path comes from outside."""
    out = work.new_export("segment.parquet")
    try:
        exported = work.segment_ids(asked, out)
    except BaseException:
        out.unlink(missing_ok=True)
        raise
    headers = {"X-Customers": str(exported.count), "Content-Disposition": 'attachment; filename="segment.parquet"'}
    return StreamingResponse(_pieces(out), media_type=PARQUET, headers=headers)


def _pieces(path: Path) -> Iterator[bytes]:
    """The file piece by piece; it is gone afterwards, also when the reader hangs up."""
    try:
        with path.open("rb") as file:
            while piece := file.read(CHUNK):
                yield piece
    finally:
        path.unlink(missing_ok=True)


@router.post("/canvases/check", tags=["canvases"])
def canvas_check(asked: CanvasAsked, work: Work) -> CanvasCheck:
    """What is wrong with a canvas: code, place, fix."""
    return work.canvas_check(asked)


@router.post("/canvases/dry-run", tags=["canvases"])
def canvas_dry_run(asked: DryRunAsked, work: Work) -> DryRun:
    """The same engine on past data with a simulated clock; nothing is sent."""
    return work.canvas_dry_run(asked)


@router.post("/canvases/draw", tags=["canvases"])
def canvas_draw(asked: CanvasAsked, work: Work) -> Drawing:
    """The canvas as Graphviz DOT."""
    return work.canvas_draw(asked)


@router.post("/canvases/diff", tags=["canvases"])
def canvas_diff(asked: DiffAsked, work: Work) -> CanvasDiff:
    """What differs between two canvases or two versions, in words and as a picture."""
    return work.canvas_diff(asked)


@router.get("/templates", tags=["canvases"])
def templates(work: Work, language: Annotated[Literal["zh", "en"], Query()] = "zh") -> list[TemplateView]:
    """The templates of head office with their parameters."""
    return work.templates(language)


@router.post("/templates/{template_id}", tags=["canvases"])
def template_canvas(template_id: TemplateName, asked: TemplateAsked, work: Work) -> TemplateCanvas:
    """The canvas that a template makes of these parameters, checked and drawn; nothing is saved."""
    return work.template_canvas(template_id, asked)


@router.get("/canvases/{canvas_id}/history", tags=["canvases"])
def canvas_history(
    canvas_id: Name, work: Work, language: Annotated[Literal["zh", "en"], Query()] = "zh"
) -> CanvasHistory:
    """Every version of a canvas: who saved it, when, and what it changed."""
    return work.canvas_history(canvas_id, language)


@router.get("/canvases/{canvas_id}", tags=["canvases"])
def canvas(canvas_id: Name, work: Work, version: Annotated[int | None, Query(ge=1)] = None) -> CanvasView:
    """A saved canvas; the latest version unless told otherwise."""
    return work.canvas(canvas_id, version)


@router.post("/throttle/check", tags=["throttle"])
def throttle_check(asked: ThrottleAsked, work: Work) -> ThrottleCheck:
    """What the throttle would decide for a segment, a channel and a time. Reserves nothing."""
    return work.throttle_check(asked)


@router.get("/throttle/plan", tags=["throttle"])
def throttle_plan(work: Work) -> ThrottlePlan:
    """The nightly plan that was made last."""
    return work.throttle_plan()


@router.post("/throttle/plan", tags=["throttle"])
def throttle_make_plan(asked: PlanAsked, work: Work) -> ThrottlePlan:
    """Arbitrate what the live releases would send in the next hours, and reserve it for them."""
    return work.throttle_make_plan(asked)


@router.post("/throttle/why", tags=["throttle"])
def throttle_why(asked: WhyAsked, work: Work) -> Why:
    """Why a customer did or did not get something. Asked in the body: ids of customers stay out of addresses."""
    return work.throttle_why(asked)


@router.post("/analyze", tags=["analysis"])
def analyze(asked: AnalyzeAsked, work: Work) -> ReadOutView:
    """The read-out of a campaign with its evidence."""
    return work.analyze(asked)
