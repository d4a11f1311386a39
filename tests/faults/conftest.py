"""Houses for faults; the checker's lines at the end of the session; the short and the whole form."""

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.faults.house import House, open_house
from tests.items.conftest import (  # noqa: F401  # servers at the ends of items
    aws,
    aws_session,
    bucket,
    redis,
    redis_session,
    seaweedfs_session,
    socket_io,
    socket_io_session,
    worker,
)
from tests.servers import Broker, SqlServer

MakeHouse = Callable[..., House]
ON_A_SERVER_FOR_ALL = ("test_over_many_slots_each_has_one_outcome", "test_items_survive_kill_9_at_some_points")
"""Tests whose short form is tried on a server with --all alone."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests of the other form."""
    other = "short_form" if config.getoption("--faults") else "whole_form"
    left_out = [item for item in items if item.get_closest_marker(other)]
    if other == "whole_form":
        for item in items:
            if item.name.startswith(ON_A_SERVER_FOR_ALL) and item.name.endswith("[mariadb]"):
                item.add_marker(pytest.mark.slow)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def faults_seed() -> int:
    """The number in FAULTS_SEED; 1 without it."""
    return int(os.environ.get("FAULTS_SEED", "1"))


@pytest.fixture(scope="session")
def whole(pytestconfig: pytest.Config) -> bool:
    """Whether the fault suite runs in its whole form."""
    return bool(pytestconfig.getoption("--faults"))


@pytest.fixture
def make_house(
    mariadb: SqlServer, rabbitmq: Broker, tmp_path: Path, faults_seed: int, record_property: Callable[[str, Any], None]
) -> Iterator[MakeHouse]:
    """Give a function that makes a house on the suite's servers; its keywords go to `open_house`."""
    made: list[House] = []
    with ExitStack() as houses:

        def make(**options: Any) -> House:
            folder = tmp_path / f"house{len(made)}"
            folder.mkdir()
            arguments: dict[str, Any] = {"server": mariadb, "broker": rabbitmq, "seed": faults_seed} | options
            opened: AbstractContextManager[House] = open_house(folder=folder, **arguments)
            made.append(houses.enter_context(opened))
            made[-1].note = lambda line: record_property("faults", line)
            return made[-1]

        yield make


@pytest.fixture
def house(make_house: MakeHouse) -> House:
    """Give a house on the suite's servers, with its state in SQLite."""
    return make_house()
