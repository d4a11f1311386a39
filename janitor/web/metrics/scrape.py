"""The page of metrics that Prometheus scrapes."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from prometheus_client.exposition import choose_encoder

from janitor.web.access.permissions import viewer
from janitor.web.metrics.counters import Metrics

router = APIRouter()


def metrics_of(request: Request) -> Metrics:
    """The daemon's metrics, as a dependency of request handlers: `Depends(metrics_of)`."""
    found: Metrics = request.app.state.metrics
    return found


TheMetrics = Annotated[Metrics, Depends(metrics_of)]


@router.get("/metrics", include_in_schema=False, dependencies=[Depends(viewer)])
def scrape(request: Request, metrics: TheMetrics) -> Response:
    """All metrics as text, in the format that is asked for: Prometheus or OpenMetrics."""
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return Response(encode(metrics.registry), headers={"Content-Type": content_type})
