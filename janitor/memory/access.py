"""How the current run reaches the state database: to read, and to write while it holds its leases."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy import Connection

from janitor.errors import JanitorError
from janitor.runs import Run, current_run
from janitor.state import State, memories
from janitor.state.shared_clock import host_time


@contextmanager
def reading() -> Iterator[Connection]:
    """Give a connection to read with; this is a safe point of the run.

    Raises:
        DeadlineExceeded, Cancelled: as the run's `check` does.
        JanitorError: the code is part of no run, so it has no memory.
        Unavailable, Rejected: the state database is away or says no.
    """
    run = current_run()
    run.check()
    with state_of(run).read() as connection:
        yield connection


@contextmanager
def writing(name: str) -> Iterator[Connection | None]:
    """Give a connection in a transaction that holds the run's leases, to write under a name; None in a dry run.

    That the run's job has this name is noted with the first write, so that verbs find by the job what it remembers.
    This is no safe point: a run that is asked to stop still remembers what a sink has confirmed.

    Raises:
        Fenced: another process has taken a lease of this run; nothing is written.
        JanitorError: the code is part of no run, so it has no memory.
        Unavailable, Rejected: the state database is away or says no.
    """
    run = current_run()
    if run.dry_run:
        yield None
        return
    state, noted = state_of(run), (run.job, name)
    with state.begin(*run.fences.values()) as connection:
        if name != run.job and noted not in state.noted:
            memories.remember(connection, *noted)
        yield connection
    state.noted.add(noted)


def state_of(run: Run) -> State:
    """The state database of a run.

    Raises:
        JanitorError: the run has none, as outside a job.
    """
    if run.state is None:
        raise JanitorError("this task remembers things between runs: run it as a job, with the verb `run`")
    state: State = run.state
    return state


def now() -> datetime:
    """This moment by the clock of the current run's state database; outside a run, by the host's clock."""
    state: State | None = current_run().state
    return host_time() if state is None else state.clock.now()
