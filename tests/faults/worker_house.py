"""A house of items whose ends are all servers, each behind a proxy, and what can befall each of them.

The books are outside of Janitor: what was asked, what the compute worker got, what lies in the bucket, and what a
browser was told. At the end each request has one object in the bucket and was told, and no token lies anywhere.
"""

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, func, select

from janitor.state import State
from janitor.state.item_replies import DUE
from janitor.state.item_states import DONE
from janitor.state.item_tables import item_attempts, item_letters, item_replies, items
from tests.daemons import Daemon, daemons
from tests.faults.network_faults import cut, instead, slow
from tests.faults.proxy import Proxy
from tests.servers.aws import REGION, Aws, SqsQueue
from tests.servers.compute import (
    ComputeWorker,
    answers,
    die,
    drip,
    half,
    hang,
)
from tests.servers.redis import PASSWORD, Redis
from tests.servers.seaweedfs import Bucket
from tests.servers.socket_io import SocketClient
from tests.small_engine import eventually, lite_state

FAULT_SECONDS = 4.0
A_FAULT = 10
END_SECONDS = 150.0
TOKEN = "token-of-a-browser"
EXPERIMENT = "e-1"
COMPUTED = "compute"
Fault = Callable[[], AbstractContextManager[object]]


@dataclass
class Servers:
    """The real servers at the ends."""

    aws: Aws
    bucket: Bucket
    redis: Redis
    worker: ComputeWorker
    client: SocketClient


@dataclass
class WorkerHouse:
    """Requests, a daemon, and the servers at its ends, each behind a proxy."""

    state: State
    servers: Servers
    queue: SqsQueue
    folder: Path
    proxies: Mapping[str, Proxy]
    daemon: Daemon
    asked: list[str] = field(default_factory=list)

    def ask_for(self, count: int) -> None:
        """Put requests into the queue."""
        first = len(self.asked)
        keys = [f"k{number:04}" for number in range(first, first + count)]
        own = {"experimentId": EXPERIMENT, "socketId": self.servers.client.id, "Authorization": f"Bearer {TOKEN}"}
        self.queue.send_all([json.dumps({"key": key, **own, "body": {"of": key}}) for key in keys])
        self.asked += keys

    def count(self, table: Any, *where: Any) -> int:
        """How many rows of a table are so."""
        with self.state.read() as connection:
            return int(connection.execute(select(func.count()).select_from(table).where(*where)).scalar_one())

    @property
    def left(self) -> tuple[int, int]:
        """How many requests are not done, and how many replies wait."""
        done = self.count(items, items.c.state == DONE)
        return len(self.asked) - done, self.count(item_replies, item_replies.c.state == DUE)

    def settle(self) -> None:
        """Wait until nothing is left to do."""
        eventually(lambda: self.left == (0, 0), lambda: f"{self.left}\n{self.daemon.text[-4000:]}", END_SECONDS)

    def check(self) -> str:
        """Assert what must hold once nothing is left; a line that says what was repeated."""
        assert self.count(item_letters) == 0
        assert self.count(item_attempts, item_attempts.c.status == "processed") == len(self.asked)
        assert self.queue.counts() == (0, 0), "a message that became an item was not taken off its queue"
        bucket = self.servers.bucket
        results = {key.rpartition("/")[2]: bucket.object(key)["Body"] for key in bucket.keys()}
        assert {name.partition(".")[0] for name in results} == set(self.asked)
        for name, body in results.items():
            computed = json.loads(body)["computed"]
            assert computed["key"] == name.partition(".")[0], body
        told = Counter(event for event in self.servers.client.events() if event.startswith("WorkResponse-"))
        assert set(told) == {f"WorkResponse-{key}" for key in self.asked}
        assert TOKEN not in self.daemon.text
        kept = [path for path in self.folder.rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()]
        assert not kept, f"the token lies in {kept}"
        computed_for = Counter(asked.json["key"] for asked in self.servers.worker.requests)
        assert all(asked.headers["authorization"] == f"Bearer {TOKEN}" for asked in self.servers.worker.requests)
        return (
            f"{len(self.asked)} requests: without an end 0, stuck 0, replies lost 0, computed again "
            f"{sum(computed_for.values()) - len(computed_for)}, told again {sum(told.values()) - len(told)}"
        )


@contextmanager
def worker_house(servers: Servers, folder: Path) -> Iterator[WorkerHouse]:
    """A house on an empty state database; all that it started is gone after the block."""
    url: URL = lite_state(folder / "state.db")
    state, queue = State(url), servers.aws.create_queue(fifo=True)
    ports = {
        "sqs": servers.aws.port,
        "s3": servers.bucket.server.port,
        "redis": servers.redis.port,
        COMPUTED: servers.worker.port,
    }
    with ExitStack() as stack:
        stack.callback(state.close)
        proxies = {name: stack.enter_context(Proxy("127.0.0.1", port)) for name, port in ports.items()}
        own = servers.bucket.server.environment() | {
            "AWS_ENDPOINT_URL_SQS": f"http://127.0.0.1:{proxies['sqs'].port}",
            "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{proxies['s3'].port}",
            "REDIS_URL": servers.redis.url.replace(str(servers.redis.port), str(proxies["redis"].port)),
            "COMPUTE_URL": f"http://127.0.0.1:{proxies[COMPUTED].port}",
            "AWS_REGION": REGION,
            "REQUESTS_QUEUE": queue.name,
            "RESULTS_BUCKET": servers.bucket.name,
        }
        start = stack.enter_context(daemons("tests.faults.worker_victim", folder, **own))
        daemon = start(url)
        daemon.says("leading with", seconds=60)
        yield WorkerHouse(state, servers, queue, folder, proxies, daemon)
        servers.aws.start()
        queue.delete()


def faults_of(house: WorkerHouse, server: str) -> dict[str, Fault]:
    """What can befall a server, by name."""
    proxy = house.proxies[server]
    found: dict[str, Fault] = {
        "away": proxy.away,
        "hangs": proxy.hanging,
        "slow": partial(slow, proxy, 0.4),
        "cut": partial(cut, proxy, 0.1),
        "answers wrongly": partial(answers_wrongly, house, server),
    }
    own: dict[str, dict[str, Fault]] = {
        "sqs": {},
        "s3": {"killed": house.servers.bucket.server.killed, "full": partial(is_full, house, server)},
        "redis": {"killed": house.servers.redis.killed, "full": partial(no_more_clients, house.servers.redis)},
        COMPUTED: {"in every way": partial(in_every_way, house.servers.worker)},
    }
    return found | own[server]


def befall(house: WorkerHouse, fault: Fault) -> None:
    """Ask before a fault and during it, and wait until all of it is done."""
    house.ask_for(A_FAULT)
    with fault():
        house.ask_for(A_FAULT)
        time.sleep(FAULT_SECONDS)
    house.settle()


def _port_of(servers: Servers, server: str) -> int:
    known = {"sqs": servers.aws.port, "s3": servers.bucket.server.port, "redis": servers.redis.port}
    return known.get(server, servers.worker.port)


def answers_wrongly(house: WorkerHouse, server: str) -> AbstractContextManager[None]:
    """Let the server's answers be a page about an error."""
    return instead(
        house.proxies[server], _port_of(house.servers, server), answers(500, b"<html>500 Something went wrong</html>")
    )


def is_full(house: WorkerHouse, server: str) -> AbstractContextManager[None]:
    """Let the server answer as S3 does when it can take no more for now."""
    said = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
    return instead(
        house.proxies[server], _port_of(house.servers, server), answers(503, said, "Content-Type: application/xml\r\n")
    )


@contextmanager
def no_more_clients(redis: Redis) -> Iterator[None]:
    """Let Redis take no further clients, and lose those it has."""
    with redis.administrator() as tell:
        assert tell("AUTH", PASSWORD) == "+OK"
        assert tell("CONFIG", "SET", "maxclients", "1") == "+OK"
        tell("CLIENT", "KILL", "TYPE", "normal")
        tell("CLIENT", "KILL", "TYPE", "pubsub")
        try:
            yield
        finally:
            assert tell("CONFIG", "SET", "maxclients", "1000") == "+OK"


@contextmanager
def in_every_way(worker: ComputeWorker) -> Iterator[None]:
    """Let the compute worker fail in each way that it knows."""
    ways = [hang, die, drip, half, answers(502, b"no"), answers(503, b""), answers(500, b"no"), answers(200, b"{")]
    worker.next = list(ways)
    yield
    eventually(lambda: not worker.next, "the worker has failed in each way", 60)
