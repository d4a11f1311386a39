"""All routes of the API, for users who may look; a change needs more."""

from fastapi import APIRouter, Depends
from fastapi.routing import APIRoute

from janitor.web.access.permissions import viewer
from janitor.web.api import item_acts, jobs, overview, pipelines, quarantine, runs


def _name(route: APIRoute) -> str:
    return route.name


router = APIRouter(prefix="/api", dependencies=[Depends(viewer)], generate_unique_id_function=_name)
router.include_router(overview.router)
router.include_router(jobs.router)
router.include_router(quarantine.router)
router.include_router(runs.router)
router.include_router(pipelines.router)
router.include_router(item_acts.router)
