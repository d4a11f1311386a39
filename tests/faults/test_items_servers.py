"""Items, while the servers at their ends are away, slow, cut off, full, or answer wrongly.

Given: requests in SQS, a compute worker over HTTP, results in S3, and a browser that is told by Redis.
Happens: one server after the other fails in each of its ways, while more requests come.
Must hold: each request is computed, stored and told in the end; the token that came with it lies nowhere.
"""

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.worker_house import COMPUTED, Servers, WorkerHouse, befall, faults_of, worker_house
from tests.servers.aws import Aws
from tests.servers.compute import ComputeWorker
from tests.servers.redis import Redis
from tests.servers.seaweedfs import Bucket
from tests.servers.socket_io import SocketServer

SERVERS = ("sqs", "s3", "redis", COMPUTED)


@pytest.fixture
def house(
    aws: Aws, bucket: Bucket, redis: Redis, socket_io: SocketServer, worker: ComputeWorker, tmp_path: Path
) -> Iterator[WorkerHouse]:
    """A house of items on real servers."""
    with socket_io.client() as client, worker_house(Servers(aws, bucket, redis, worker, client), tmp_path) as made:
        yield made


@pytest.mark.short_form
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_items_survive_some_faults_of_their_servers(
    house: WorkerHouse, faults_seed: int, record_property: Callable[[str, Any], None]
) -> None:
    chance = random.Random(f"{faults_seed} servers of items")
    for server in SERVERS:
        befall(house, chance.choice(list(faults_of(house, server).values())))
    record_property("faults", f"items: a fault of each server: {house.check()}")


@pytest.mark.whole_form
@pytest.mark.timeout(900)
@pytest.mark.parametrize("server", SERVERS)
def test_items_survive_each_fault_of_a_server(
    house: WorkerHouse, server: str, record_property: Callable[[str, Any], None]
) -> None:
    faults = faults_of(house, server)
    for fault in faults.values():
        befall(house, fault)
    record_property("faults", f"items: {server} is {', '.join(faults)}: {house.check()}")
