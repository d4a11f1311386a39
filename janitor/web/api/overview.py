"""The last 24 hours, what people did, and what people were told."""

from fastapi import APIRouter

from janitor.web.api.answers import errors, reading
from janitor.web.api.parameters import Before, Limit, OfJob
from janitor.web.injected import TheDesk
from janitor.web.queries import models
from janitor.web.queries.history import Filter, action_list
from janitor.web.queries.notices import notice_list
from janitor.web.queries.overview import overview_of

router = APIRouter(tags=["overview"])


@router.get("/overview", responses=errors())
def get_overview(desk: TheDesk) -> models.Overview:
    """Tell how the last 24 hours went: a timeline, what runs, what failed, what was done each hour."""
    with reading(desk) as (connection, now):
        return overview_of(connection, desk.jobs, now, desk.all_troubles)


@router.get("/actions", responses=errors())
def get_actions(desk: TheDesk, job: OfJob = None, before: Before = None, limit: Limit = 50) -> models.ActionList:
    """List what people did: who, what and when, the newest first."""
    with reading(desk) as (connection, _):
        return action_list(connection, Filter(job), limit, before)


@router.get("/notices", responses=errors())
def get_notices(desk: TheDesk, job: OfJob = None, limit: Limit = 100) -> models.NoticeList:
    """List what people were told, and what no channel took."""
    with reading(desk) as (connection, _):
        return notice_list(connection, job, limit)
