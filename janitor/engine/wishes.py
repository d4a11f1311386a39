"""Wishes: a person, in whatever process, wants a run to stop; the process that runs it asks it to."""

from janitor.engine.live import LiveRuns
from janitor.errors import Cancelled
from janitor.state import State, run_records


def pass_on_wishes(state: State, live: LiveRuns) -> None:
    """Ask those runs to stop whose end somebody wants.

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
