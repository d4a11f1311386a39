"""What a job could not deliver."""

from typing import Annotated

from fastapi import APIRouter, Query

from janitor.operations import actions
from janitor.web.api.answers import Counted, errors, kept_job, reading
from janitor.web.api.parameters import DropWish, Flag, JobId, Limit, RetryWish
from janitor.web.injected import Operator, TheDesk
from janitor.web.queries import models
from janitor.web.queries.quarantine import quarantine_list

router = APIRouter(prefix="/jobs/{job}/quarantine", tags=["quarantine"])


@router.get("", responses=errors(404))
def get_quarantine(
    desk: TheDesk,
    job: JobId,
    dropped: Annotated[Flag, Query(description="What was given up instead.")] = False,
    offset: Annotated[int, Query(ge=0, le=10_000_000, description="`next_offset` of the last page.")] = 0,
    limit: Limit = 100,
) -> models.QuarantineList:
    """List what a job, there or gone, could not deliver: each key with its reason, the oldest first."""
    kept = kept_job(desk, job)
    with reading(desk) as (connection, _):
        return quarantine_list(connection, kept.names, limit, offset, dropped=dropped)


@router.post("/retry", responses=errors(400, 404))
def retry_quarantine(desk: TheDesk, job: JobId, user: Operator, wish: RetryWish) -> Counted:
    """Let the next run look first at a key in quarantine, or at all keys. Idempotent."""
    kept = kept_job(desk, job)
    return Counted(rows=actions.retry(desk.state, kept.id, wish.key, user.name, desk.now(), kept.names))


@router.post("/drop", responses=errors(400, 404))
def drop_quarantine(desk: TheDesk, job: JobId, user: Operator, wish: DropWish) -> Counted:
    """Give up a key in quarantine, until it is refused for another reason. Idempotent: the first note stays."""
    kept = kept_job(desk, job)
    return Counted(rows=actions.drop(desk.state, kept.id, wish.key, wish.note, user.name, desk.now(), kept.names))
