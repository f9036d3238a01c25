"""Segments, canvases, throttle and analysis."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from server.gate import Work
from server.schema import (
    MAX_UPLOAD,
    AnalyzeAsked,
    Breakdown,
    BreakdownAsked,
    CanvasAsked,
    CanvasCheck,
    CanvasView,
    Drawing,
    DryRun,
    DryRunAsked,
    ListInfo,
    ListReport,
    Name,
    ReadOutView,
    SegmentAsked,
    SegmentCount,
    SegmentInfo,
    ThrottleAsked,
    ThrottleCheck,
    Waterfall,
    WaterfallAsked,
    Why,
    WhyAsked,
)
from warehouse.errors import ModelRetry

router = APIRouter()
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


@router.get("/segments", tags=["segments"])
def segments(work: Work, limit: Annotated[int, Query(ge=1, le=500)] = 50) -> list[SegmentInfo]:
    """Saved segments, the latest first."""
    return work.segments(limit)


@router.get("/lists", tags=["segments"])
def lists(work: Work) -> list[ListInfo]:
    """Uploaded lists with customers of one's branches, the latest first."""
    return work.lists()


FORM = {
    "type": "object",
    "required": ["name", "file"],
    "properties": {"name": {"type": "string"}, "file": {"type": "string", "format": "binary"}},
}


@router.post(
    "/lists",
    tags=["segments"],
    status_code=201,
    openapi_extra={"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": FORM}}}},
)
async def list_upload(request: Request, work: Work) -> ListReport:
    """Upload a list: CSV or Parquet with a column customer_id, or one id per line. The file's own name means nothing.

    The body is read here, not by the framework: nobody's files are taken in before it is known who sends them.
    """
    work.caller.require("draft")
    async with request.form(max_files=1, max_fields=1, max_part_size=1_000) as form:
        name, file = form.get("name"), form.get("file")
        if not isinstance(name, str) or file is None or isinstance(file, str):
            raise ModelRetry(
                "A list is uploaded as a form with name and file.",
                "Send multipart/form-data with these two.",
                message_zh="上传名单需要表单字段 name 和 file。",
                fix_zh="请用 multipart/form-data 发送这两项。",
            )
        content = await file.read(MAX_UPLOAD + 1)
    return await run_in_threadpool(work.list_upload, name, content)


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


@router.get("/canvases/{canvas_id}", tags=["canvases"])
def canvas(canvas_id: Name, work: Work, version: Annotated[int | None, Query(ge=1)] = None) -> CanvasView:
    """A saved canvas; the latest version unless told otherwise."""
    return work.canvas(canvas_id, version)


@router.post("/throttle/check", tags=["throttle"])
def throttle_check(asked: ThrottleAsked, work: Work) -> ThrottleCheck:
    """What the throttle would decide for a segment, a channel and a time. Reserves nothing."""
    return work.throttle_check(asked)


@router.post("/throttle/why", tags=["throttle"])
def throttle_why(asked: WhyAsked, work: Work) -> Why:
    """Why a customer did or did not get something. Asked in the body: ids of customers stay out of addresses."""
    return work.throttle_why(asked)


@router.post("/analyze", tags=["analysis"])
def analyze(asked: AnalyzeAsked, work: Work) -> ReadOutView:
    """The read-out of a campaign with its evidence."""
    return work.analyze(asked)
