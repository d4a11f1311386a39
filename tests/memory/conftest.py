"""A state database, and a run that is part of a job."""

from collections.abc import Iterator

import pytest
from sqlalchemy import URL

from janitor.runs import Run, running
from janitor.state import State
from tests.memory.leased_runs import begun


@pytest.fixture
def state(state_url: URL) -> Iterator[State]:
    state = State(state_url)
    yield state
    state.close()


@pytest.fixture
def run(state: State) -> Iterator[Run]:
    """The current run; it holds the lease of the job `first`."""
    with running(begun(state, "first")) as run:
        yield run
