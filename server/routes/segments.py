"""Saved segments and their life, uploaded lists, self-service tags."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi import Path as InPath
from fastapi.concurrency import run_in_threadpool

from server.gate import Work
from server.schema import (
    MAX_UPLOAD,
    ChangesAsked,
    ChangeView,
    CountView,
    LineageView,
    ListInfo,
    ListReport,
    ListView,
    Name,
    OverlapAsked,
    OverlapView,
    RenewAsked,
    SaveAsked,
    SegmentInfo,
    TagAsked,
    TagInfo,
    TagView,
)
from warehouse.errors import ModelRetry

router = APIRouter()
NAMED = ("customer_id", "phone", "id_card", "account", "wecom", "device")
SEVERAL = ("all", "none")
FIELDS = frozenset({"name", "file", "named", "several"})
Called = Annotated[str, InPath(min_length=1, max_length=80)]
"""Segments and lists may be called anything that can be written in an expression; a name with a slash has no address."""


@router.get("/segments", tags=["segments"])
def segments(work: Work, limit: Annotated[int, Query(ge=1, le=500)] = 50, named: bool = False) -> list[SegmentInfo]:
    """Saved segments, the latest first; `named`: only those with a name."""
    return work.segments(limit, named)


@router.post("/segments", tags=["segments"], status_code=201)
def segment_save(asked: SaveAsked, work: Work) -> SegmentInfo:
    """Save a segment under a name. One that would refer to itself is refused."""
    return work.segment_save(asked)


@router.post("/segments/overlap", tags=["segments"])
def segment_overlap(asked: OverlapAsked, work: Work) -> OverlapView:
    """How much two to four segments have in common, in every combination."""
    return work.segment_overlap(asked)


@router.post("/segments/changes", tags=["segments"])
def segment_changes(asked: ChangesAsked, work: Work) -> ChangeView:
    """Why a saved segment has more or fewer customers than before."""
    return work.segment_changes(asked)


@router.get("/segments/{segment_id}/lineage", tags=["segments"])
def segment_lineage(segment_id: Called, work: Work) -> LineageView:
    """What a saved segment rests on, who rests on it, and how old that is."""
    return work.segment_lineage(segment_id)


@router.get("/segments/{segment_id}/history", tags=["segments"])
def segment_history(segment_id: Called, work: Work) -> list[CountView]:
    """The kept counts of a saved segment, the latest data cut-off first."""
    return work.segment_history(segment_id)


@router.delete("/segments/{segment_id}", tags=["segments"])
def segment_archive(segment_id: Called, work: Work) -> SegmentInfo:
    """Archive a saved segment; refused while it is used, naming the users."""
    return work.segment_archive(segment_id)


@router.get("/lists", tags=["segments"])
def lists(work: Work) -> list[ListInfo]:
    """Uploaded lists with customers of one's branches, the latest first."""
    return work.lists()


FORM = {
    "type": "object",
    "required": ["name", "file"],
    "properties": {
        "name": {"type": "string"},
        "file": {"type": "string", "format": "binary"},
        "named": {"type": "string", "enum": ["", *NAMED]},
        "several": {"type": "string", "enum": ["", "all", "none"]},
    },
}


@router.post(
    "/lists",
    tags=["segments"],
    status_code=201,
    openapi_extra={"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": FORM}}}},
)
async def list_upload(request: Request, work: Work) -> ListReport:
    """Upload a list: CSV or Parquet with a column customer_id, phone, id_card, account, wecom or device, or one value per
    line. The file's own name means nothing; its values are compared by HMAC and kept nowhere.

    The body is read here, not by the framework: nobody's files are taken in before it is known who sends them.
    """
    work.caller.require("draft")
    async with request.form(max_files=1, max_fields=3, max_part_size=1_000) as form:
        name, file = form.get("name"), form.get("file")
        if not isinstance(name, str) or file is None or isinstance(file, str) or set(form) - FIELDS:
            raise ModelRetry(
                "A list is uploaded as a form with name and file, and named and several where they are said.",
                "Send multipart/form-data with these.",
                message_zh="上传名单需要表单字段 name 和 file，可另加 named 和 several。",
                fix_zh="请用 multipart/form-data 发送这些字段。",
            )
        named, several = (_chosen(form.get(f), choices) for f, choices in (("named", NAMED), ("several", SEVERAL)))
        content = await file.read(MAX_UPLOAD + 1)
    return await run_in_threadpool(work.list_upload, name, content, named, several or "all")


def _chosen(value: object, choices: tuple[str, ...]) -> Any:
    """One of the choices, or None where nothing was said.

    Raises:
        ModelRetry: it is something else.
    """
    if value in (None, ""):
        return None
    if value not in choices:
        listed = ", ".join(choices)
        raise ModelRetry(
            "The form has a field with a value it does not take.", f"It takes: {listed}.",
            message_zh="表单里有一项的取值不对。", fix_zh=f"可用：{listed}。",
        )  # fmt: skip
    return value


@router.get("/lists/{name}", tags=["segments"])
def list_view(name: Called, work: Work) -> ListView:
    """A list with the match report of its latest file, its versions, and who names it."""
    return work.list_view(name)


@router.delete("/lists/{name}", tags=["segments"])
def list_archive(name: Called, work: Work) -> ListInfo:
    """Take a list out of use; refused while it is used, naming the users."""
    return work.list_archive(name)


@router.get("/tags", tags=["tags"])
def tags(work: Work) -> list[TagInfo]:
    """Self-service tags with owner, freshness and size, expired ones among them."""
    return work.tags()


@router.post("/tags", tags=["tags"], status_code=201)
def tag_create(asked: TagAsked, work: Work) -> TagInfo:
    """Make a tag; it is computed at once and is an attribute from then on."""
    return work.tag_create(asked)


@router.get("/tags/{name}", tags=["tags"])
def tag(name: Name, work: Work) -> TagView:
    """One tag with its runs and its lineage."""
    return work.tag(name)


@router.post("/tags/{name}/renew", tags=["tags"])
def tag_renew(name: Name, asked: RenewAsked, work: Work) -> TagInfo:
    """Let a tag live on."""
    return work.tag_renew(name, asked)


@router.post("/tags/{name}/refresh", tags=["tags"])
def tag_refresh(name: Name, work: Work) -> TagInfo:
    """Recompute a tag now."""
    return work.tag_refresh(name)


@router.delete("/tags/{name}", tags=["tags"])
def tag_remove(name: Name, work: Work) -> TagInfo:
    """Remove a tag; refused while it is used, naming the users."""
    return work.tag_remove(name)
