"""Amazon's services for the tests: moto's server, in a process of its own; what it holds is gone when it ends."""

import functools
import sys
import tempfile
import urllib.request
import uuid
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from tests.servers.lifetime import OwnServer
from tests.servers.process import Process, free_port

REGION, KEY_ID, SECRET = "eu-west-2", "AKIATESTOFJANITOR", "secret-key-of-the-tests"


class Aws(OwnServer):
    """A server that speaks as AWS does, with queues and buckets."""

    kind = "server of AWS"

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="janitor-aws-"))
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        command = [sys.executable, str(Path(__file__).with_name("aws_server.py")), str(self.port)]
        environment = {"AWS_DEFAULT_REGION": REGION, "MOTO_SQS_REGION": REGION}
        self.process = _MotoProcess(command, self.port, self.folder / "log", environment)

    def environment(self) -> dict[str, str]:
        """Return the settings with which Janitor reaches it."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET,
        }

    def client(self, service: str) -> Any:
        """Return a client of the tests' own; close it after use."""
        return _session().client(
            service,
            region_name=REGION,
            endpoint_url=self.url,
            aws_access_key_id=KEY_ID,
            aws_secret_access_key=SECRET,
            config=Config(retries={"total_max_attempts": 1}, read_timeout=30),
        )

    def create_queue(self, fifo: bool = False, **attributes: str) -> "SqsQueue":
        """Make a queue with a new name."""
        return SqsQueue(self, f"test_{uuid.uuid4().hex[:12]}{'.fifo' if fifo else ''}", attributes)

    def stop(self) -> None:
        """End it. It keeps nothing, so `start` begins anew."""
        self.kill()


class SqsQueue:
    """A queue: messages are put into it, and counted."""

    def __init__(self, server: Aws, name: str, attributes: dict[str, str]) -> None:
        self.name, self.is_fifo = name, name.endswith(".fifo")
        self.sqs = server.client("sqs")
        own = {"FifoQueue": "true"} if self.is_fifo else {}
        self.url: str = self.sqs.create_queue(QueueName=name, Attributes={**own, **attributes})["QueueUrl"]

    def send(self, body: str, group: str = "all", **more: Any) -> str:
        """Put one message in; return the id that the server gave it."""
        own = {"MessageGroupId": group, "MessageDeduplicationId": uuid.uuid4().hex} if self.is_fifo else {}
        sent = self.sqs.send_message(QueueUrl=self.url, MessageBody=body, **{**own, **more})
        return str(sent["MessageId"])

    def send_all(self, bodies: list[str]) -> None:
        """Put many messages in, ten in a request."""
        for at in range(0, len(bodies), 10):
            entries = [{"Id": str(n), "MessageBody": body} for n, body in enumerate(bodies[at : at + 10])]
            own = [{"MessageGroupId": f"g{at}", "MessageDeduplicationId": uuid.uuid4().hex} for _ in entries]
            if self.is_fifo:
                entries = [{**entry, **more} for entry, more in zip(entries, own, strict=True)]
            self.sqs.send_message_batch(QueueUrl=self.url, Entries=entries)

    def counts(self) -> tuple[int, int]:
        """How many messages wait, and how many are received and not deleted."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return int(found[names[0]]), int(found[names[1]])

    def receive(self, **options: Any) -> list[dict[str, Any]]:
        """Receive as another reader would, ten messages at most."""
        options = {"MaxNumberOfMessages": 10, **options}
        return list(self.sqs.receive_message(QueueUrl=self.url, **options).get("Messages", []))

    def delete(self) -> None:
        """Remove the queue."""
        self.sqs.delete_queue(QueueUrl=self.url)
        self.sqs.close()


@functools.cache
def _session() -> Any:
    """One for all clients: each session reads the descriptions of the services anew."""
    return boto3.session.Session()


class _MotoProcess(Process):
    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{self.host}:{self.port}/moto-api/data.json", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False
