"""The pipeline: a message asks for an analysis, a compute worker does it, and whoever asked sees the result."""

import os
import sys
from pathlib import Path

from janitor import cli
from janitor.items import Forward, Reading, S3Store, SocketReply, SqsInbox, Step
from janitor.scheduler import Scheduler
from janitor.settings import Settings

SCHEMAS = Path(__file__).parent / "schemas"
TASKS = ("CountCells", "Embed", "MarkerGenes")
QUEUE = os.environ.get("REQUESTS_QUEUE", "requests.fifo")
HEARTBEAT_SECONDS = 1.0


def build(settings: Settings) -> Scheduler:
    """Make the clock with the pipeline, not started. COMPUTE_URL and RESULTS_BUCKET are settings of this example."""
    tags = {"experimentId": "experimentId", "requestType": "body.name"}
    store = S3Store(setting="RESULTS_BUCKET", gzip=True, tags=tags)
    reading = Reading(
        key_field="ETag",
        secret_fields=["Authorization"],
        expires_field="timeout",
        envelope_fields=["experimentId", "socketId", "broadcast"],
    )
    compute = Forward(
        setting="COMPUTE_URL",
        path="/work",
        health="/health",
        code="error_code",
        message="user_message",
        store=store,
        settings=settings,
        name="compute",
    )
    scheduler = Scheduler(settings)
    scheduler.add_pipeline(
        "analyses",
        title="Analyses",
        steps=[Step("compute", compute, timeout=60, retries=1, workers=2)],
        inboxes=[SqsInbox("requests", QUEUE, reading=reading)],
        replies=[SocketReply("browsers", beat_seconds=HEARTBEAT_SECONDS)],
        store=store,
        schema={name: str(SCHEMAS / f"{name}.json") for name in TASKS},
        task_name="body.name",
    )
    return scheduler


def main() -> None:
    """The command line; without a verb, `start`."""
    sys.exit(cli.main(build))


if __name__ == "__main__":
    main()
