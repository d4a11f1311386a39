"""Runs that hold leases, and processes that take leases over."""

from sqlalchemy import update

from janitor.runs import Run
from janitor.state import State, holders, leases
from janitor.state.tables import leases as lease_rows


def begun(state: State, job: str) -> Run:
    """A run that holds its job's lease."""
    run = Run(id=1, job=job, state=state, holder=holders.new_holder())
    with state.begin() as connection:
        fence = leases.acquire(connection, f"job:{job}", run.holder, state.now(connection), 60)
    assert fence is not None
    run.fences[fence.name] = fence
    return run


def take_over(state: State, name: str) -> None:
    """Another process takes a lease, as if the lease had expired."""
    with state.begin() as connection:
        connection.execute(
            update(lease_rows).where(lease_rows.c.name == name).values(token=lease_rows.c.token + 1, holder="another")
        )
