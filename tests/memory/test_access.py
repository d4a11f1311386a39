"""Who may write to a task's memory: a run that holds its leases, and no dry run."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from janitor import memory
from janitor.errors import Cancelled, Fenced, JanitorError
from janitor.memory import Quarantine, Quarantined
from janitor.runs import Run
from janitor.state import State
from janitor.state.tables import memories
from tests.memory.digests import A
from tests.memory.leased_runs import take_over


def test_a_fenced_out_run_writes_nothing(run: Run, state: State) -> None:
    """Given a run whose lease another process took, each write raises, and nothing is written."""
    memory.save_cursor("feed", "one")
    take_over(state, "job:first")
    with pytest.raises(Fenced):
        memory.save_cursor("feed", "two")
    with pytest.raises(Fenced):
        memory.enter("ledger", [A])
    with pytest.raises(Fenced):
        Quarantine("q").settle([], [Quarantined("key", "bad")])
    assert memory.cursor("feed") == "one"
    assert memory.published("ledger", [A]) == set()
    assert list(memory.quarantined("q")) == []


def test_a_run_asked_to_stop_still_saves(run: Run) -> None:
    run.ask_to_stop(Cancelled("enough"))
    memory.save_cursor("feed", "one")
    memory.enter("ledger", [A])
    run.stop.clear()
    assert memory.cursor("feed") == "one" and memory.published("ledger", [A]) == {A}


def test_a_dry_run_reads_and_writes_nothing(run: Run) -> None:
    memory.save_cursor("feed", "one")
    run.dry_run = True
    memory.save_cursor("feed", "two")
    memory.enter("ledger", [A])
    assert Quarantine("q").settle([], [Quarantined("key", "bad")]) == []
    assert memory.forget_published("ledger", timedelta(0)) == 0
    assert memory.cursor("feed") == "one" and memory.published("ledger", [A]) == set()
    assert list(memory.quarantined("q")) == []


def test_outside_a_run_there_is_no_memory() -> None:
    with pytest.raises(JanitorError, match="run it as a job, with the verb `run`"):
        memory.cursor("feed")


def test_the_names_that_a_job_writes_under_are_noted(run: Run, state: State) -> None:
    """Given a run that writes under three names, one of them its job's, and under a fourth in vain.

    Each name but the job's own is noted, once; what was not written is not noted.
    """
    for name in ("feed", "feed", "first"):
        memory.save_cursor(name, "one")
    memory.enter("ledger", [A])
    take_over(state, "job:first")
    with pytest.raises(Fenced):
        memory.save_cursor("lost", "one")
    with state.read() as connection:
        assert connection.execute(select(memories)).all() == [("first", "feed"), ("first", "ledger")]
