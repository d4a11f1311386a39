"""Work that one run at a time may do."""

import threading
import time
from contextvars import copy_context

import pytest

from janitor import memory
from janitor.errors import DeadlineExceeded, Fenced
from janitor.runs import Run, running
from janitor.state import State
from tests.memory.digests import A, B
from tests.memory.leased_runs import begun, take_over


def test_only_one_run_is_inside(run: Run, state: State) -> None:
    inside, most, other = [0], [0], begun(state, "second")

    def work(one: Run) -> None:
        with running(one):
            for _ in range(3):
                with memory.exclusively("door"):
                    inside[0] += 1
                    most[0] = max(most[0], inside[0])
                    time.sleep(0.05)
                    inside[0] -= 1

    threads = [threading.Thread(target=copy_context().run, args=(work, one)) for one in (run, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] and "door" not in run.fences


def test_waiting_at_the_door_ends_with_the_run(run: Run, state: State) -> None:
    """Given a run inside, another run with 0.3 s left waits; then it ends with its deadline, outside."""
    other = begun(state, "second")
    with running(other):
        other.deadline = time.monotonic() + 0.3
        with running(run), memory.exclusively("door"):
            with running(other), pytest.raises(DeadlineExceeded):
                with memory.exclusively("door"):
                    pytest.fail("two are inside")


def test_a_lost_door_stops_every_write(run: Run, state: State) -> None:
    """Given a run inside whose lease another process takes, its next write raises, and writes nothing."""
    with memory.exclusively("door"):
        memory.enter("ledger", [A])
        take_over(state, "door")
        with pytest.raises(Fenced):
            memory.enter("ledger", [B])
    assert memory.published("ledger", [A, B]) == {A}


def test_a_door_left_in_an_outage_is_open_to_the_next(run: Run, state: State, caplog: pytest.LogCaptureFixture) -> None:
    # Given: a run inside. What happens: the state database is away when the run leaves, and comes back.
    # What must hold: the next run of this process need not wait until the lease expires.
    other = begun(state, "second")
    with memory.exclusively("door"):
        state.stop("away")
    state.stop("")
    assert "the lease door will be given back later: away" in caplog.text
    other.deadline = time.monotonic() + 10
    with running(other), memory.exclusively("door"):
        assert state.unreleased == set()
