"""Stopping in order: no run begins any more, each live run is asked to stop, and what is cut off is recorded."""

import logging
import threading
from collections.abc import Callable

from janitor.engine.clock import Clock
from janitor.engine.keeper import Keeper
from janitor.engine.lanes import Lanes
from janitor.engine.leaving import STOP_SECONDS
from janitor.engine.runner import Runner
from janitor.errors import Interrupted
from janitor.runs.outcome import CUT_OFF

log = logging.getLogger(__name__)

CLOSE_SECONDS = 0.1
"""How long the lanes may take to close before the runs are asked to stop all the same."""
RECORD_SECONDS = STOP_SECONDS - 0.5
"""How long a daemon may take, after its grace, to record what it still has to: a server may hang.

The rest of `STOP_SECONDS` is for what comes before and after: after it the process ends, whatever it still has to say.
If the server answers, recording takes a few commits, and nearly all of the time is left for the wings.
"""


def stop_in_order(clock: Clock, lanes: Lanes, runner: Runner, keeper: Keeper) -> None:
    """Stop a daemon; returns after the grace at the latest, and the time that recording may take."""
    grace_seconds = runner.settings.grace_seconds
    closed = _begin("closing", lanes.close)
    closed.wait(CLOSE_SECONDS)
    clock.close()
    live = list(runner.live.values())
    if live:
        log.info("stopping: waiting up to %g s for %s", grace_seconds, ", ".join(one.job.id for one in live))
    for one in live:
        one.run.ask_to_stop(Interrupted("the daemon was asked to stop"))
    lanes.wait(grace_seconds)
    recorded = _begin("recording", lambda: _record_end(runner, keeper, closed))
    if not recorded.wait(RECORD_SECONDS):
        if runner.leadership.is_migrating:
            log.warning("stopped in the middle of a migration: the next start goes on with it")
            return
        log.error("the state database does not answer: the next start records what ended here as interrupted")
    log.info("stopped")


def _begin(name: str, body: Callable[[], None]) -> threading.Event:
    """Let a thread do something, or do it here if there is no thread to be had; the event tells that it is over."""
    over = threading.Event()

    def do() -> None:
        try:
            body()
        finally:
            over.set()

    try:
        threading.Thread(target=do, name=name, daemon=True).start()
    except RuntimeError:
        do()
    return over


def _record_end(runner: Runner, keeper: Keeper, closed: threading.Event) -> None:
    """Record what is not recorded yet, and give the leases back."""
    runner.cut_off(f"{CUT_OFF} within {runner.settings.grace_seconds:g} s of the daemon being asked to stop")
    closed.wait()
    keeper.stop()
    runner.state.close()
