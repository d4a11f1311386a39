"""Turns: so many calls of a service in a minute, however many jobs, steps and daemons make them."""

import math
from datetime import timedelta

from janitor.errors import BadSetting, DeadlineExceeded
from janitor.memory.access import state_of
from janitor.runs import current_run
from janitor.state import turns

LONGEST_SECONDS = 10 * 365 * 86400.0


def wait_for_turn(name: str, most: int, seconds: float = 60.0) -> None:
    """Wait until it is this run's turn: at most `most` turns of a name come in each stretch of `seconds`.

    All who give the same name share the turns: other steps, jobs and daemons too. They come first come, first served.
    After a quiet stretch so many may come at once. The whole wait is a safe point.

    Raises:
        BadSetting: `most` is no whole number above 0, or `seconds` no number above 0.
        DeadlineExceeded: the turn would come after the run's time, or the item's; it is not taken.
        Cancelled: as the run's `check` does.
        Unavailable, Rejected: the state database is away or says no.
    """
    given: object = most
    if isinstance(given, bool) or not isinstance(given, int) or given < 1:
        raise BadSetting("most", most, "give a whole number above 0: how many turns come in each stretch")
    if not 0 < seconds <= LONGEST_SECONDS:
        raise BadSetting("seconds", seconds, "give the length of the stretch, a number above 0")
    run = current_run()
    run.check()
    state, left = state_of(run), run.remaining_seconds
    with state.begin(*run.fences.values()) as connection:
        now = state.now(connection)
        latest = now + timedelta(seconds=LONGEST_SECONDS if math.isinf(left) else left)
        at = turns.next_turn(connection, name, most, timedelta(seconds=seconds), now, latest)
    if at is None:
        raise DeadlineExceeded(f"the next turn of {name} comes after the {run.timeout_seconds:g} s that this may take")
    while (wait := (at - state.clock.now()).total_seconds()) > 0:
        run.sleep(wait)
