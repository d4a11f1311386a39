"""Wishes: a person wants a run to stop, and says so in any process; the process of the run passes it on."""

from janitor.engine.live import LiveRuns
from janitor.errors import Cancelled
from janitor.state import State, run_records


def pass_on_wishes(state: State, live: LiveRuns) -> None:
    """Ask each run to stop that a person wants to end.

    Raises:
        Unavailable, Rejected: the state database is away.
    """
    going_on = {run_id: one.run for run_id, one in list(live.items()) if not one.run.stop.is_set()}
    if not going_on:
        return
    with state.read() as connection:
        asked = run_records.asked_to_stop(connection, list(going_on))
    for run_id, actor in asked.items():
        going_on[run_id].ask_to_stop(Cancelled(f"cancelled by {actor}"))
