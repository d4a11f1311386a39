"""A daemon of items whose ends are all servers: `python -m tests.faults.worker_victim`.

Requests come from SQS, a compute worker does them over HTTP, results go to S3, and browsers are told by Redis.
"""

import os

from janitor.items import Forward, Reading, S3Store, SocketReply, SqsInbox, Step
from janitor.scheduler import Scheduler
from janitor.settings import Settings

TIMEOUT_SECONDS = 6.0
RETRIES = 9


def main() -> None:
    """Run the daemon."""
    settings = Settings.load(dotenv=None)
    store = S3Store(setting="RESULTS_BUCKET", tags={"experimentId": "experimentId"})
    reading = Reading(key_field="key", secret_fields=["Authorization"], envelope_fields=["experimentId", "socketId"])
    forward = Forward(
        setting="COMPUTE_URL", path="/work", health="/health", connect_seconds=2, store=store, settings=settings
    )
    scheduler = Scheduler(settings)
    scheduler.add_pipeline(
        "analyses",
        [Step("compute", forward, timeout=TIMEOUT_SECONDS, retries=RETRIES, workers=4)],
        inboxes=[SqsInbox("requests", os.environ["REQUESTS_QUEUE"], hidden_seconds=10, reading=reading)],
        replies=[SocketReply("browsers")],
        store=store,
    )
    scheduler.start()


if __name__ == "__main__":
    main()
