"""The contact policy in force, its versions, what changed, and whether the file is sound."""

from typing import Annotated

from fastapi import APIRouter, Query

from server.gate import Work
from server.schema import (
    PolicyCheck,
    PolicyDifference,
    PolicyNote,
    PolicyVersionInfo,
    PolicyVersionView,
)

router = APIRouter()
Version = Annotated[str | None, Query(max_length=80)]


@router.get("/policy", tags=["policy"])
def policy_show(work: Work, version: Version = None) -> PolicyVersionView:
    """The contact policy in force, or a version by number or digest."""
    return work.policy_show(version)


@router.get("/policy/check", tags=["policy"])
def policy_check(work: Work) -> PolicyCheck:
    """What is wrong with the file as it is now, and what to be warned of."""
    return work.policy_check()


@router.get("/policy/history", tags=["policy"])
def policy_history(work: Work) -> list[PolicyVersionInfo]:
    """Every version that has been in force, the newest first."""
    return work.policy_history()


@router.get("/policy/diff", tags=["policy"])
def policy_diff(work: Work, before: Version = None, after: Version = None) -> PolicyDifference:
    """What became tighter and what looser between two versions."""
    return work.policy_diff(before, after)


@router.post("/policy/adopt", tags=["policy"])
def policy_adopt(asked: PolicyNote, work: Work) -> PolicyVersionInfo:
    """Put the file in force by one's name and a note."""
    return work.policy_adopt(asked)
