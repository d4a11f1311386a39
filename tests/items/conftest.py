"""Fixtures of the tests of items: servers at their ends, started at the first use."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import running
from tests.servers.aws import Aws
from tests.servers.compute import ComputeWorker
from tests.servers.redis import Redis
from tests.servers.seaweedfs import Bucket, SeaweedFS
from tests.servers.socket_io import SocketServer

HERE = Path(__file__).parent
PLACES = ("sqlite", "mariadb")
TRIED = ("sqlite-fifo", "mariadb-classic")
"""Without --all, a queue of each service is tried as one kind with one kind of state database."""
LONG = (
    "test_3_what_a_dead_process_held",
    "test_6_each_item_has_its_time",
    "test_what_a_daemon_held_as_it_was_stopped",
    "test_check_says_what_is_wrong",
)
"""Tests that are tried on the first of their kinds without --all."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave some of what is tried on each kind of everything for --all."""
    for item in items:
        if HERE in item.path.parents and _is_for_all(item.name):
            item.add_marker(pytest.mark.slow)


def _is_for_all(name: str) -> bool:
    kinds = name.partition("[")[2].rstrip("]").split("-")
    if name.startswith(LONG):
        return bool({"mariadb", "quorum"} & set(kinds))
    if len(kinds) != 2 or kinds[0] not in PLACES or kinds[1] not in ("classic", "quorum", "standard", "fifo"):
        return False
    return "-".join(kinds) not in TRIED


@pytest.fixture(scope="session")
def aws_session() -> Iterator[Aws]:
    """A server that speaks as AWS does, while the suite runs."""
    with running(Aws()) as server:
        yield server


@pytest.fixture
def aws(aws_session: Aws) -> Iterator[Aws]:
    """A server that speaks as AWS does. A test may stop or kill it: it runs again for the next test, and is empty."""
    yield aws_session
    aws_session.start()


@pytest.fixture(scope="session")
def redis_session() -> Iterator[Redis]:
    """A Redis server, while the suite runs."""
    with running(Redis()) as server:
        yield server


@pytest.fixture
def redis(redis_session: Redis) -> Iterator[Redis]:
    """A Redis server. A test may stop or kill it: it runs again for the next test."""
    yield redis_session
    redis_session.start()


@pytest.fixture(scope="session")
def socket_io_session(redis_session: Redis) -> Iterator[SocketServer]:
    """A socket.io server that listens at the Redis server, while the suite runs."""
    with running(SocketServer(redis_session)) as server:
        yield server


@pytest.fixture
def socket_io(redis: Redis, socket_io_session: SocketServer) -> Iterator[SocketServer]:
    """A socket.io server that listens at the Redis server. A test may kill it: it runs again for the next test."""
    yield socket_io_session
    redis.start()
    socket_io_session.start()


@pytest.fixture(scope="session")
def seaweedfs_session() -> Iterator[SeaweedFS]:
    """A server for buckets, while the suite runs."""
    with running(SeaweedFS()) as server:
        yield server


@pytest.fixture
def bucket(seaweedfs_session: SeaweedFS) -> Iterator[Bucket]:
    """An empty bucket of this test's own. A test may kill its server: it runs again for the next test."""
    yield seaweedfs_session.create_bucket()
    seaweedfs_session.start()


@pytest.fixture
def worker() -> Iterator[ComputeWorker]:
    """A compute worker that does what it is told, and otherwise answers well."""
    with ComputeWorker().open() as worker:
        yield worker
