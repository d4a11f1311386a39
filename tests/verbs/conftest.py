"""What the tests of verbs use: command lines in processes of their own, and what verbs share in this process."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from janitor import databases
from janitor.verbs.assembly import Assembly
from tests import items_house
from tests.command_line import CommandLine
from tests.engine.test_dependents import CHAIN
from tests.jobs_file.files import write
from tests.small_engine import lite_state, logging_restored
from tests.small_house import build


@pytest.fixture
def house(tmp_path: Path) -> CommandLine:
    """The command line of the small house, with an empty state database."""
    lite_state(tmp_path / "var" / "janitor.db")
    return CommandLine(tmp_path, ("-m", "tests.small_house"))


@pytest.fixture
def parcels(tmp_path: Path) -> items_house.House:
    """The verbs of the house of pipelines, with an empty state database that knows them."""
    return items_house.house(tmp_path)


@pytest.fixture
def janitor(tmp_path: Path) -> CommandLine:
    """The command line of Janitor itself."""
    return CommandLine(tmp_path)


@pytest.fixture
def chain(tmp_path: Path) -> CommandLine:
    """The command line on a jobs file whose jobs build on one another, with an empty state database."""
    lite_state(tmp_path / "var" / "janitor.db")
    write(tmp_path, CHAIN.replace("    isolation: process\n", ""))
    return CommandLine(tmp_path, ("-m", "tests.jobs_file.bare"), {"JOBS_FILE": "jobs.yaml"})


@pytest.fixture
def assembly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Assembly]:
    """What the verbs of the small house share, in the test's own folder and process, with an empty state database."""
    monkeypatch.chdir(tmp_path)
    lite_state(tmp_path / "var" / "janitor.db")
    with logging_restored():
        made = Assembly(build, given={"WEB_ENABLED": "false", "HEARTBEAT_FILE": "beat"})
        yield made
        if "state" in vars(made):
            made.state.close()
        databases.dispose()
