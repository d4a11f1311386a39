"""Live streams: what runs and jobs are doing, as server-sent events."""

from fastapi import APIRouter

router = APIRouter()
